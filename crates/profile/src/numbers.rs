//! What is kept of a stream of numbers.

use crate::sketch::{Kll, Moments};
use serde::{Deserialize, Serialize};

/// Moments, quantiles and what is special.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    pub moments: Moments,
    pub kll: Kll,
    pub zeros: u64,
    pub negatives: u64,
    pub positive_infinities: u64,
    pub negative_infinities: u64,
}

impl Numbers {
    pub fn add(&mut self, x: f64, weight: u64) {
        if x == f64::INFINITY {
            self.positive_infinities += weight;
            return;
        }
        if x == f64::NEG_INFINITY {
            self.negative_infinities += weight;
            return;
        }
        if x == 0.0 {
            self.zeros += weight;
        } else if x < 0.0 {
            self.negatives += weight;
        }
        if weight == 1 {
            self.moments.add(x);
            self.kll.add(x);
        } else {
            self.moments.add_weighted(x, weight);
            self.kll.add_weighted(x, weight);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        self.kll.merge(&other.kll);
        self.zeros += other.zeros;
        self.negatives += other.negatives;
        self.positive_infinities += other.positive_infinities;
        self.negative_infinities += other.negative_infinities;
    }

    pub fn is_empty(&self) -> bool {
        self.moments.n + self.positive_infinities + self.negative_infinities == 0
    }
}

/// Small whole numbers, which lengths are: counted one by one below a bound, sketched above it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    low: Vec<u64>,
    high: Numbers,
}

impl Lengths {
    const LOW: usize = 2048;

    pub fn add(&mut self, length: usize, weight: u64) {
        if length < Self::LOW {
            if self.low.len() <= length {
                self.low.resize(length + 1, 0);
            }
            if let Some(n) = self.low.get_mut(length) {
                *n += weight;
            }
        } else {
            self.high.add(length as f64, weight);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if self.low.len() < other.low.len() {
            self.low.resize(other.low.len(), 0);
        }
        for (a, b) in self.low.iter_mut().zip(&other.low) {
            *a += b;
        }
        self.high.merge(&other.high);
    }

    /// Ascending values with weights, and the rank error.
    pub fn points(&self) -> (Vec<(f64, u64)>, f64) {
        let low = self.low.iter().enumerate().filter(|(_, n)| **n > 0);
        let mut points: Vec<_> = low.map(|(i, n)| (i as f64, *n)).collect();
        points.extend(self.high.kll.weighted());
        (points, self.high.kll.error())
    }

    pub fn moments(&self) -> Moments {
        let mut moments = Moments::default();
        for (length, n) in self.low.iter().enumerate() {
            moments.add_weighted(length as f64, *n);
        }
        moments.merge(&self.high.moments);
        moments
    }

    pub fn zeros(&self) -> u64 {
        self.low.first().copied().unwrap_or_default()
    }
}
