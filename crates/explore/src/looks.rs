//! What the files of a version look like: a description a row, a byte a number, compared with one of them all at once.

use crate::BadIndex;
use crate::bits::Bits;

/// Grows whenever the form changes; others are built anew.
const FORMAT: u8 = 1;
/// Numbers of a description at most, and bytes of the name of what made it.
const DIMS_MAX: usize = 4_096;
const KEY_MAX: usize = 200;

/// Descriptions of the rows of an index.
#[derive(Debug, Clone)]
pub struct Looks {
    /// Names what made the descriptions; those of another do not compare.
    key: String,
    dims: usize,
    /// The number that the largest byte stands for.
    top: f32,
    /// Whether a row has one.
    known: Vec<bool>,
    /// `dims` of each row; zeros where there is none.
    bytes: Vec<u8>,
}

impl Looks {
    /// Of no rows yet. Numbers above `top` count as `top`, and those below 0 as 0.
    pub fn new(key: &str, dims: usize, top: f32) -> Self {
        Self {
            key: key.to_owned(),
            dims,
            top,
            known: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Adds a row; one of another length counts as none.
    pub fn push(&mut self, look: Option<&[f32]>) {
        let look = look.filter(|l| l.len() == self.dims);
        self.known.push(look.is_some());
        match look {
            Some(look) => {
                let byte = |v: &f32| (v / self.top * 255.0).round().clamp(0.0, 255.0) as u8;
                self.bytes.extend(look.iter().map(byte));
            }
            None => self.bytes.resize(self.bytes.len() + self.dims, 0),
        }
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub const fn rows(&self) -> usize {
        self.known.len()
    }

    /// Numbers of a description.
    pub const fn dims(&self) -> usize {
        self.dims
    }

    /// The numbers of all rows, a byte each; zeros where there is no description.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Rows that have a description.
    pub fn described(&self) -> Bits {
        let mut bits = Bits::none(self.rows());
        for (row, known) in self.known.iter().enumerate() {
            if *known {
                bits.insert(row);
            }
        }
        bits
    }

    /// How far each row is from one of them, NaN where there is no description; none when it has no description itself.
    pub fn distances(&self, from: usize) -> Option<Vec<f32>> {
        if !*self.known.get(from)? {
            return None;
        }
        let this = &self.bytes[from * self.dims..][..self.dims];
        let unit = self.top / 255.0;
        let rows = self.bytes.chunks_exact(self.dims).zip(&self.known);
        let far = rows.map(|(row, known)| {
            if !*known {
                return f32::NAN;
            }
            // In a form that the compiler makes wide instructions of; 4,096 squares of a byte fit.
            let squares = row.iter().zip(this).map(|(a, b)| {
                let d = i32::from(*a) - i32::from(*b);
                (d * d) as u32
            });
            (squares.sum::<u32>() as f32).sqrt() * unit
        });
        Some(far.collect())
    }

    /// Bytes of memory it takes, about.
    pub const fn size(&self) -> usize {
        self.bytes.len() + self.known.len()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size() + self.key.len() + 16);
        out.extend([FORMAT, self.key.len().min(KEY_MAX) as u8]);
        out.extend(self.key.bytes().take(KEY_MAX));
        out.extend((self.dims as u32).to_le_bytes());
        out.extend((self.rows() as u32).to_le_bytes());
        out.extend(self.top.to_le_bytes());
        out.extend(self.known.iter().map(|k| u8::from(*k)));
        out.extend(&self.bytes);
        out
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadIndex> {
        let damaged = || BadIndex::Damaged("descriptions".to_owned());
        let ([format, len], rest) = bytes.split_first_chunk::<2>().ok_or(BadIndex::Format)?;
        if *format != FORMAT {
            return Err(BadIndex::Format);
        }
        let (key, rest) = rest.split_at_checked(usize::from(*len)).ok_or_else(damaged)?;
        let (dims, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (rows, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (top, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (dims, rows) = (
            u32::from_le_bytes(*dims) as usize,
            u32::from_le_bytes(*rows) as usize,
        );
        let top = f32::from_le_bytes(*top);
        let (known, rest) = rest.split_at_checked(rows).ok_or_else(damaged)?;
        let fits = (1..=DIMS_MAX).contains(&dims)
            && rest.len() == rows.checked_mul(dims).ok_or_else(damaged)?
            && top.is_finite()
            && top > 0.0;
        if !fits {
            return Err(damaged());
        }
        Ok(Self {
            key: String::from_utf8(key.to_vec()).map_err(|_| damaged())?,
            dims,
            top,
            known: known.iter().map(|k| *k == 1).collect(),
            bytes: rest.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Looks {
        let mut looks = Looks::new("a", 2, 0.5);
        looks.push(Some(&[0.0, 0.5]));
        looks.push(None);
        looks.push(Some(&[0.3, 0.1]));
        looks
    }

    #[test]
    fn rows_are_as_far_as_their_numbers() {
        let looks = three();
        let far = looks.distances(0).expect("it has a description");
        assert_eq!(far[0], 0.0);
        assert!(far[1].is_nan());
        // 3-4-5, but for the rounding to bytes.
        assert!((far[2] - 0.5).abs() < 0.003, "{far:?}");
        assert_eq!(looks.distances(2).map(|f| f[0]), Some(far[2]));
        assert!(looks.distances(1).is_none() && looks.distances(3).is_none());
        assert_eq!(looks.described().iter().collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn bytes_are_read_back_or_refused() {
        let bytes = three().to_bytes();
        let read = Looks::from_bytes(&bytes).expect("it reads");
        assert_eq!((read.key(), read.rows()), ("a", 3));
        assert_eq!(read.bytes, three().bytes);
        for cut in 0..bytes.len() {
            assert!(Looks::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Looks::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}
