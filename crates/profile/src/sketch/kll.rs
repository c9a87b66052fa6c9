//! Quantiles of a stream.

use serde::{Deserialize, Serialize};

/// The quantile sketch of Karnin, Lang and Liberty, "Optimal Quantile Approximation in Streams" (FOCS 2016).
///
/// Exact up to [`Kll::K`] values. Beyond, the rank of any value is off by at most [`Kll::ERROR`] of the count, 99 times in a
/// hundred. Which of two neighbours survives is drawn from a fixed sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kll {
    /// A value of level `h` stands for 2^h.
    levels: Vec<Vec<f64>>,
    held: u32,
    room: u32,
    coin: u64,
    compacted: bool,
}

impl Default for Kll {
    fn default() -> Self {
        Self {
            levels: vec![Vec::new()],
            held: 0,
            room: Self::K,
            coin: 0x2545_f491_4f6c_dd1d,
            compacted: false,
        }
    }
}

impl Kll {
    /// Size of the highest level.
    pub const K: u32 = 4096;
    /// Rank error by the fit of Apache DataSketches' KLL, 2.296 / k^0.9021, whose shape (shrinking by 2/3 a level, 8 at least)
    /// this one has; `tests/sketches.rs` measures it.
    pub const ERROR: f64 = 0.001_264;

    pub fn add(&mut self, x: f64) {
        if let Some(lowest) = self.levels.first_mut() {
            lowest.push(x);
        }
        self.held += 1;
        if self.held >= self.room {
            self.shrink();
        }
    }

    /// The same value `weight` times: once on each level whose weight is in the sum.
    pub fn add_weighted(&mut self, x: f64, weight: u64) {
        let top = 64 - weight.leading_zeros() as usize;
        self.grow_to(top);
        for (h, level) in self.levels.iter_mut().enumerate().take(top) {
            if weight >> h & 1 == 1 {
                level.push(x);
                self.held += 1;
            }
        }
        while self.held >= self.room {
            self.shrink();
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.grow_to(other.levels.len());
        for (level, more) in self.levels.iter_mut().zip(&other.levels) {
            level.extend_from_slice(more);
        }
        self.held += other.held;
        self.compacted |= other.compacted;
        while self.held >= self.room {
            self.shrink();
        }
    }

    /// 0 while nothing was thrown away.
    pub fn error(&self) -> f64 {
        if self.compacted { Self::ERROR } else { 0.0 }
    }

    /// The values kept with their weights, ascending; the weights add up to the count.
    pub fn weighted(&self) -> Vec<(f64, u64)> {
        let mut all: Vec<(f64, u64)> = self
            .levels
            .iter()
            .enumerate()
            .flat_map(|(h, level)| level.iter().map(move |x| (*x, 1 << h)))
            .collect();
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        all
    }

    fn grow_to(&mut self, levels: usize) {
        while self.levels.len() < levels {
            self.levels.push(Vec::new());
        }
        self.room = (0..self.levels.len()).map(|h| self.capacity(h)).sum();
    }

    fn capacity(&self, level: usize) -> u32 {
        let depth = (self.levels.len() - 1 - level) as i32;
        ((f64::from(Self::K) * (2.0f64 / 3.0).powi(depth)).ceil() as u32).max(8)
    }

    /// Halves the lowest level that is full.
    fn shrink(&mut self) {
        let full = (0..self.levels.len())
            .find(|h| self.levels[*h].len() as u32 >= self.capacity(*h))
            .unwrap_or(0);
        if full + 1 == self.levels.len() {
            self.grow_to(full + 2);
        }
        let mut level = std::mem::take(&mut self.levels[full]);
        level.sort_unstable_by(f64::total_cmp);
        // An odd one stays, so that no weight is lost.
        let stays = if level.len() % 2 == 1 { level.pop() } else { None };
        self.coin ^= self.coin << 13;
        self.coin ^= self.coin >> 7;
        self.coin ^= self.coin << 17;
        let offset = (self.coin >> 32 & 1) as usize;
        let above = &mut self.levels[full + 1];
        above.extend(level.iter().skip(offset).step_by(2));
        self.held -= (level.len() / 2) as u32;
        level.clear();
        level.extend(stays);
        self.levels[full] = level;
        self.compacted = true;
    }
}
