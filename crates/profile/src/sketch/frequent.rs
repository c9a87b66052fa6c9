//! The most frequent values of a stream.

use crate::hash::HashMap;
use serde::{Deserialize, Serialize};

/// Counters for some of the values, after Misra and Gries (1982) in the form of Anderson et al., "A High-Performance Algorithm
/// for Identifying Frequent Items in Data Streams" (2017); merged as in Agarwal et al., "Mergeable Summaries" (2012).
///
/// Exact up to [`Frequent::HELD`] distinct values. Beyond, each count is low by at most [`Frequent::low_by`], and a value that is
/// not listed occurs at most as often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frequent<V> {
    counts: HashMap<(V, u64)>,
    low_by: u64,
}

impl<V> Default for Frequent<V> {
    fn default() -> Self {
        Self {
            counts: HashMap::default(),
            low_by: 0,
        }
    }
}

impl<V: Clone> Frequent<V> {
    pub const HELD: usize = 1024;

    pub fn add(&mut self, hash: u64, weight: u64, value: impl FnOnce() -> V) {
        self.counts.entry(hash).or_insert_with(|| (value(), 0)).1 += weight;
        if self.counts.len() > Self::HELD {
            self.prune();
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (hash, (value, count)) in &other.counts {
            self.counts.entry(*hash).or_insert_with(|| (value.clone(), 0)).1 += count;
        }
        self.low_by += other.low_by;
        if self.counts.len() > Self::HELD {
            self.prune();
        }
    }

    pub fn low_by(&self) -> u64 {
        self.low_by
    }

    pub fn count(&self) -> usize {
        self.counts.len()
    }

    /// Most frequent first; equals by their hash, so that the order is the same every time.
    pub fn ranked(&self) -> Vec<(&V, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(h, (v, n))| (*h, v, *n)).collect();
        all.sort_unstable_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
        all.into_iter().map(|(_, v, n)| (v, n)).collect()
    }

    /// Takes the middle count off all, and drops what has none left.
    fn prune(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().map(|(_, n)| *n).collect();
        let half = counts.len() / 2;
        let (_, middle, _) = counts.select_nth_unstable(half);
        let off = *middle;
        self.low_by += off;
        self.counts.retain(|_, (_, n)| {
            *n = n.saturating_sub(off);
            *n > 0
        });
    }
}
