//! Where the files of a version lie on a map: two numbers a row.

use crate::BadIndex;
use crate::bits::Bits;

/// Grows whenever the form changes; others are made anew.
const FORMAT: u8 = 1;
/// Bytes of the name of what made it.
const KEY_MAX: usize = 200;
/// A side of the field in whose squares points are counted when there are too many.
const SQUARES: usize = 256;
const WHOLE: f32 = u16::MAX as f32;

/// Places of the rows of an index.
#[derive(Debug, Clone)]
pub struct Map {
    /// Names what made it; places of another mean something else.
    key: String,
    /// Whether a row has a place.
    known: Vec<bool>,
    /// x and y of each row; zeros where there is none.
    at: Vec<[u16; 2]>,
}

impl Map {
    /// Of so many rows, none of which has a place yet.
    pub fn new(key: &str, rows: usize) -> Self {
        Self {
            key: key.to_owned(),
            known: vec![false; rows],
            at: vec![[0; 2]; rows],
        }
    }

    /// Puts a row somewhere, 0..=1 on both axes; one that is not there nowhere.
    pub fn place(&mut self, row: usize, at: [f32; 2]) {
        if let (Some(known), Some(place)) = (self.known.get_mut(row), self.at.get_mut(row)) {
            *known = true;
            *place = at.map(|v| (v.clamp(0.0, 1.0) * WHOLE).round() as u16);
        }
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub const fn rows(&self) -> usize {
        self.known.len()
    }

    /// Where a row lies; 65,535 is the whole side.
    pub fn at(&self, row: usize) -> Option<[u16; 2]> {
        let known = *self.known.get(row)?;
        known.then(|| self.at[row])
    }

    /// Rows that have a place.
    pub fn placed(&self) -> Bits {
        self.those(|_| true)
    }

    /// Rows that lie within an area, by the even-odd rule; corners from 0 to 1.
    pub fn within(&self, corners: &[[f32; 2]]) -> Bits {
        let area: Vec<[f32; 2]> = corners.iter().map(|c| c.map(|v| v * WHOLE)).collect();
        let side = |axis: usize| {
            let values = area.iter().map(|c| c[axis]);
            values.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (x, y) = (side(0), side(1));
        self.those(|at| {
            let p = at.map(f32::from);
            let near = p[0] >= x.0 && p[0] <= x.1 && p[1] >= y.0 && p[1] <= y.1;
            near && contains(&area, p)
        })
    }

    /// Those to show of all rows that have a place, at most so many: first those that pass, and of what are too many those where few
    /// others lie.
    pub fn thinned(&self, passing: &Bits, most: usize) -> Bits {
        let mut first = self.placed();
        first.and(passing);
        let mut rest = self.placed();
        rest.minus(passing);
        let (n, m) = (first.count(), rest.count());
        if n + m <= most {
            first.or(&rest);
            return first;
        }
        // What is around stays to be seen.
        let for_first = n.min(most - m.min(most / 4));
        let mut shown = self.some(&first, for_first);
        shown.or(&self.some(&rest, most - for_first));
        shown
    }

    /// At most so many of some rows: the same number of every square at most, spread evenly over those of a square.
    fn some(&self, rows: &Bits, most: usize) -> Bits {
        let square = |row: usize| {
            let [x, y] = self.at[row].map(|v| usize::from(v) * SQUARES / (usize::from(u16::MAX) + 1));
            y * SQUARES + x
        };
        let mut counts = vec![0_usize; SQUARES * SQUARES];
        rows.iter().for_each(|row| counts[square(row)] += 1);
        // The largest number that is not too large for all squares together.
        let (mut low, mut high) = (0, counts.iter().max().copied().unwrap_or(0));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if counts.iter().map(|c| (*c).min(middle)).sum::<usize>() <= most {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        let mut seen = vec![0_usize; SQUARES * SQUARES];
        let mut some = Bits::none(self.rows());
        for row in rows.iter() {
            let at = square(row);
            let (all, wanted, before) = (counts[at], counts[at].min(low), seen[at]);
            seen[at] += 1;
            if (before + 1) * wanted / all > before * wanted / all {
                some.insert(row);
            }
        }
        some
    }

    fn those(&self, takes: impl Fn([u16; 2]) -> bool) -> Bits {
        let mut bits = Bits::none(self.rows());
        for (row, (known, at)) in self.known.iter().zip(&self.at).enumerate() {
            if *known && takes(*at) {
                bits.insert(row);
            }
        }
        bits
    }

    /// Bytes of memory it takes, about.
    pub const fn size(&self) -> usize {
        self.known.len() * 5
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size() + self.key.len() + 8);
        out.extend([FORMAT, self.key.len().min(KEY_MAX) as u8]);
        out.extend(self.key.bytes().take(KEY_MAX));
        out.extend((self.rows() as u32).to_le_bytes());
        out.extend(self.known.iter().map(|k| u8::from(*k)));
        out.extend(self.at.iter().flatten().flat_map(|v| v.to_le_bytes()));
        out
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadIndex> {
        let damaged = || BadIndex::Damaged("map".to_owned());
        let ([format, len], rest) = bytes.split_first_chunk::<2>().ok_or(BadIndex::Format)?;
        if *format != FORMAT {
            return Err(BadIndex::Format);
        }
        let (key, rest) = rest.split_at_checked(usize::from(*len)).ok_or_else(damaged)?;
        let (rows, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let rows = u32::from_le_bytes(*rows) as usize;
        let (known, at) = rest.split_at_checked(rows).ok_or_else(damaged)?;
        if at.len() != rows * 4 {
            return Err(damaged());
        }
        let at = at
            .chunks_exact(4)
            .map(|b| [u16::from_le_bytes([b[0], b[1]]), u16::from_le_bytes([b[2], b[3]])]);
        Ok(Self {
            key: String::from_utf8(key.to_vec()).map_err(|_| damaged())?,
            known: known.iter().map(|k| *k == 1).collect(),
            at: at.collect(),
        })
    }
}

fn contains(area: &[[f32; 2]], [x, y]: [f32; 2]) -> bool {
    let mut inside = false;
    let Some(mut last) = area.last() else {
        return false;
    };
    for corner in area {
        let crosses = (corner[1] > y) != (last[1] > y);
        if crosses && x < (last[0] - corner[0]) * (y - corner[1]) / (last[1] - corner[1]) + corner[0] {
            inside = !inside;
        }
        last = corner;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four() -> Map {
        let mut map = Map::new("a", 5);
        map.place(0, [0.1, 0.1]);
        map.place(1, [0.9, 0.1]);
        map.place(3, [0.5, 0.5]);
        map.place(4, [7.0, -1.0]);
        map.place(9, [0.5, 0.5]);
        map
    }

    #[test]
    fn areas_hold_what_lies_in_them() {
        let map = four();
        assert_eq!(map.at(3), Some([32_768, 32_768]));
        assert_eq!(map.at(4), Some([65_535, 0]), "within the field");
        assert_eq!((map.at(2), map.at(5)), (None, None));
        let rows = |corners: &[[f32; 2]]| map.within(corners).iter().collect::<Vec<_>>();
        assert_eq!(rows(&[[0.0, 0.0], [0.6, 0.0], [0.6, 0.6], [0.0, 0.6]]), [0, 3]);
        // A bay is not within.
        let bay = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.2], [0.0, 1.0]];
        assert_eq!(rows(&bay), [0, 1]);
        assert!(rows(&[]).is_empty() && rows(&[[0.1, 0.1]]).is_empty());
        assert!(rows(&[[f32::NAN, 0.0], [1.0, f32::NAN], [1.0, 1.0]]).len() <= 4);
    }

    #[test]
    fn what_passes_and_what_lies_alone_is_shown_first() {
        let mut map = Map::new("a", 1_000);
        for row in 0..990 {
            map.place(row, [0.2, 0.2]);
        }
        for row in 990..1_000 {
            map.place(row, [0.8, 0.05 * (row - 989) as f32]);
        }
        let all = Bits::all(1_000);
        assert_eq!(map.thinned(&all, 1_000).count(), 1_000);
        let some = map.thinned(&all, 50);
        assert!(some.count() <= 50 && some.count() > 15, "{}", some.count());
        assert!((990..1_000).all(|row| some.contains(row)), "those that lie alone");
        let kept: Vec<usize> = some.iter().take_while(|r| *r < 990).collect();
        assert!(kept.windows(2).all(|w| w[1] - w[0] > 10), "evenly: {kept:?}");
        // One that passes is shown whatever lies around it.
        let mut one = Bits::none(1_000);
        one.insert(500);
        let some = map.thinned(&one, 50);
        assert!(some.contains(500) && some.count() <= 50);
    }

    #[test]
    fn bytes_are_read_back_or_refused() {
        let bytes = four().to_bytes();
        let read = Map::from_bytes(&bytes).expect("it reads");
        assert_eq!((read.key(), read.rows(), read.at(1)), ("a", 5, four().at(1)));
        assert_eq!(read.placed().count(), 4);
        for cut in 0..bytes.len() {
            assert!(Map::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Map::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}
