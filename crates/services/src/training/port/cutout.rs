//! Objects cut out of pictures.

use super::NetBox;

/// Places along a side at which two are compared.
const COMPARED: usize = 96;

/// Which places of a box are the object. They lie row by row from the top left, as fine as whoever made it could tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutout {
    pub at: NetBox,
    pub columns: usize,
    pub rows: usize,
    /// Eight places to a byte.
    bits: Vec<u8>,
}

impl Cutout {
    /// Of `columns * rows` places those that are not 0. `None` when none is, or there are more or fewer than that.
    pub fn new(at: NetBox, columns: usize, rows: usize, places: &[u8]) -> Option<Self> {
        if columns.checked_mul(rows) != Some(places.len()) || places.iter().all(|v| *v == 0) {
            return None;
        }
        let mut bits = vec![0_u8; places.len().div_ceil(8)];
        for (n, v) in places.iter().enumerate() {
            bits[n / 8] |= u8::from(*v != 0) << (n % 8);
        }
        Some(Self {
            at,
            columns,
            rows,
            bits,
        })
    }

    /// All of a box.
    pub fn whole(at: NetBox) -> Self {
        Self {
            at,
            columns: 1,
            rows: 1,
            bits: vec![1],
        }
    }

    /// Row by row, 1 where it is the object.
    pub fn places(&self) -> Vec<u8> {
        (0..self.columns * self.rows)
            .map(|n| u8::from(self.is_set(n)))
            .collect()
    }

    fn is_set(&self, n: usize) -> bool {
        (self.bits[n / 8] >> (n % 8)) & 1 == 1
    }

    /// Whether a point is the object, in shares of the picture's width and height.
    pub fn contains(&self, x: f32, y: f32) -> bool {
        let place = |v: f32, from: f32, side: f32, n: usize| {
            let at = (v - from) / side * n as f32;
            (0.0..n as f32).contains(&at).then_some(at as usize)
        };
        let column = place(x, self.at.x, self.at.width, self.columns);
        let row = place(y, self.at.y, self.at.height, self.rows);
        column
            .zip(row)
            .is_some_and(|(column, row)| self.is_set(row * self.columns + column))
    }

    /// Intersection over union of two of one picture.
    pub fn overlap(&self, other: &Self) -> f32 {
        let (a, b) = (&self.at, &other.at);
        let apart =
            a.x >= b.x + b.width || b.x >= a.x + a.width || a.y >= b.y + b.height || b.y >= a.y + a.height;
        if apart {
            return 0.0;
        }
        let (left, top) = (a.x.min(b.x), a.y.min(b.y));
        let width = (a.x + a.width).max(b.x + b.width) - left;
        let height = (a.y + a.height).max(b.y + b.height) - top;
        let along = |n: usize| (n as f32 + 0.5) / COMPARED as f32;
        let (mut both, mut either) = (0_u32, 0_u32);
        for y in (0..COMPARED).map(|n| top + along(n) * height) {
            for x in (0..COMPARED).map(|n| left + along(n) * width) {
                let (one, two) = (self.contains(x, y), other.contains(x, y));
                both += u32::from(one && two);
                either += u32::from(one || two);
            }
        }
        both as f32 / either.max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32, y: f32, width: f32, height: f32) -> NetBox {
        NetBox {
            category: 0,
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn places_are_kept_and_found_again() {
        let places = [0, 1, 1, 0, 0, 1, 0, 0, 0, 1];
        let c = Cutout::new(at(0.2, 0.4, 0.5, 0.2), 5, 2, &places).unwrap();
        assert_eq!(c.places(), places);
        for (n, v) in places.iter().enumerate() {
            let (x, y) = (0.25 + 0.1 * (n % 5) as f32, 0.45 + 0.1 * (n / 5) as f32);
            assert_eq!(c.contains(x, y), *v == 1, "{n}");
        }
        assert!(!c.contains(0.1, 0.45) && !c.contains(0.35, 0.9) && !c.contains(f32::NAN, 0.45));
        assert_eq!(Cutout::new(c.at, 5, 2, &[0; 10]), None);
        assert_eq!(Cutout::new(c.at, 5, 2, &[1; 9]), None);
        assert_eq!(Cutout::new(c.at, usize::MAX, 2, &[1; 9]), None);
    }

    #[test]
    fn two_overlap_by_what_they_cover() {
        let whole = Cutout::whole(at(0.0, 0.0, 0.5, 0.5));
        let left = Cutout::new(at(0.0, 0.0, 0.5, 0.5), 2, 1, &[1, 0]).unwrap();
        let right = Cutout::new(at(0.0, 0.0, 0.5, 0.5), 2, 1, &[0, 1]).unwrap();
        assert_eq!(whole.overlap(&whole), 1.0);
        assert!((whole.overlap(&left) - 0.5).abs() < 0.01);
        assert_eq!(left.overlap(&right), 0.0);
        // As fine as they are, and in boxes of their own.
        let fine = Cutout::whole(at(0.0, 0.0, 0.25, 0.5));
        assert!((fine.overlap(&left) - 1.0).abs() < 0.01);
        assert_eq!(whole.overlap(&Cutout::whole(at(0.5, 0.0, 0.2, 0.2))), 0.0);
        let around = Cutout::whole(at(0.0, 0.0, 1.0, 1.0));
        assert!((around.overlap(&whole) - 0.25).abs() < 0.01);
    }
}
