//! Where on a line of whole numbers there are values, coarsely.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Buckets of a width that is a power of two and doubles whenever there are too many: merging two of these is exact.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    shift: u32,
    buckets: BTreeMap<i64, u64>,
}

impl Spread {
    pub const HELD: usize = 4096;

    pub fn add(&mut self, x: i64, weight: u64) {
        *self.buckets.entry(x >> self.shift).or_default() += weight;
        while self.buckets.len() > Self::HELD {
            self.coarsen(self.shift + 1);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        let shift = self.shift.max(other.shift);
        self.coarsen(shift);
        for (bucket, n) in &other.buckets {
            *self.buckets.entry(bucket >> (shift - other.shift)).or_default() += n;
        }
        while self.buckets.len() > Self::HELD {
            self.coarsen(self.shift + 1);
        }
    }

    fn coarsen(&mut self, shift: u32) {
        let by = shift - self.shift;
        if by > 0 {
            let old = std::mem::take(&mut self.buckets);
            for (bucket, n) in old {
                *self.buckets.entry(bucket >> by).or_default() += n;
            }
            self.shift = shift;
        }
    }

    /// Width of a bucket.
    pub fn width(&self) -> i64 {
        1i64.checked_shl(self.shift).unwrap_or(i64::MAX)
    }

    /// The longest way between two neighbours: the last value before and the first one after, each within [`Spread::width`].
    pub fn longest_gap(&self) -> Option<(i64, i64)> {
        self.buckets
            .keys()
            .zip(self.buckets.keys().skip(1))
            .map(|(a, b)| (a << self.shift, b << self.shift))
            .max_by_key(|(a, b)| b.saturating_sub(*a))
    }
}
