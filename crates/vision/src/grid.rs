//! Rows and columns, and who is beside whom.

/// Samples a side, at most.
const SIDE_MAX: u32 = 8_192;

/// The shape of a picture. Places are indexes, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub width: usize,
    pub height: usize,
}

impl Grid {
    /// `None` when it is empty or larger than a picture of a screen can be.
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let side = |v: u32| (1..=SIDE_MAX).contains(&v).then_some(v as usize);
        Some(Self {
            width: side(width)?,
            height: side(height)?,
        })
    }

    pub const fn len(self) -> usize {
        self.width * self.height
    }

    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The place in column `x` and row `y`.
    pub const fn at(self, x: usize, y: usize) -> usize {
        y * self.width + x
    }

    /// Column and row.
    pub const fn xy(self, i: usize) -> (usize, usize) {
        (i % self.width, i / self.width)
    }

    /// Calls `f` with the places that share a side with `i`.
    #[inline]
    pub fn sides(self, i: usize, mut f: impl FnMut(usize)) {
        let x = i % self.width;
        if x > 0 {
            f(i - 1);
        }
        if x + 1 < self.width {
            f(i + 1);
        }
        if i >= self.width {
            f(i - self.width);
        }
        if i + self.width < self.len() {
            f(i + self.width);
        }
    }

    /// The places at most `r` columns and rows from `i`, itself among them.
    pub fn block(self, i: usize, r: usize) -> impl Iterator<Item = usize> {
        let (x, y) = self.xy(i);
        let (right, bottom) = ((x + r).min(self.width - 1), (y + r).min(self.height - 1));
        let left = x.saturating_sub(r);
        (y.saturating_sub(r)..=bottom).flat_map(move |y| (left..=right).map(move |x| self.at(x, y)))
    }

    /// The places on a straight line, both ends included.
    pub fn line(self, from: usize, to: usize) -> Vec<usize> {
        let ((x0, y0), (x1, y1)) = (self.xy(from), self.xy(to));
        let steps = x0.abs_diff(x1).max(y0.abs_diff(y1));
        let along = |a: usize, b: usize, k: usize| {
            let t = k as f64 / steps.max(1) as f64;
            (a as f64 + (b as f64 - a as f64) * t).round() as usize
        };
        (0..=steps)
            .map(|k| self.at(along(x0, x1, k), along(y0, y1, k)))
            .collect()
    }
}
