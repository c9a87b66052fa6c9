//! Rows that occur more than once.

use crate::hash::HashMap;
use limn_domain::profile::DuplicateRows;
use serde::{Deserialize, Serialize};

/// Counts rows by hash: all of them while their distinct hashes are few, then those whose hash falls below a bound that halves
/// whenever there are too many (adaptive sampling, Flajolet 1990). A kept row's count is exact, so the share of duplicates
/// among the kept ones estimates that among all. Two rows of the same 64-bit hash count as equal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RowHashes {
    counts: HashMap<u64>,
    /// Leading bits of a hash that have to be zero.
    bits: u32,
    rows: u64,
}

impl RowHashes {
    pub const HELD: usize = 1 << 16;

    pub fn add(&mut self, hash: u64) {
        self.rows += 1;
        if self.takes(hash) {
            *self.counts.entry(hash).or_default() += 1;
            self.bound();
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        if other.bits > self.bits {
            self.bits = other.bits;
            let bits = self.bits;
            self.counts.retain(|h, _| h.leading_zeros() >= bits);
        }
        for (hash, count) in &other.counts {
            if self.takes(*hash) {
                *self.counts.entry(*hash).or_default() += count;
            }
        }
        self.bound();
    }

    pub fn duplicates(&self) -> DuplicateRows {
        let kept: u64 = self.counts.values().sum();
        let extra = kept - self.counts.len() as u64;
        DuplicateRows {
            rows: if self.bits == 0 || kept == 0 {
                extra
            } else {
                (extra as f64 / kept as f64 * self.rows as f64).round() as u64
            },
            exact: self.bits == 0,
            sample: self.counts.len() as u64,
        }
    }

    fn takes(&self, hash: u64) -> bool {
        hash.leading_zeros() >= self.bits
    }

    fn bound(&mut self) {
        while self.counts.len() > Self::HELD {
            self.bits += 1;
            let bits = self.bits;
            self.counts.retain(|h, _| h.leading_zeros() >= bits);
        }
    }
}
