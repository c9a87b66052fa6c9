//! Mean and central moments in one pass.

use serde::{Deserialize, Serialize};

/// Count, extremes, mean and the sums of the second to fourth powers of deviations from it.
///
/// Added and merged by the formulas of Pébay, "Formulas for Robust, One-Pass Parallel Computation of Covariances and
/// Arbitrary-Order Statistical Moments" (SAND2008-6212), which keep their accuracy where sums of powers lose it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    pub n: u64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub m2: f64,
    pub m3: f64,
    pub m4: f64,
    /// Sum with Neumaier's compensation.
    sum: f64,
    lost: f64,
}

impl Moments {
    pub fn add(&mut self, x: f64) {
        if self.n == 0 {
            (self.min, self.max) = (x, x);
        } else {
            self.min = self.min.min(x);
            self.max = self.max.max(x);
        }
        self.add_to_sum(x);
        let before = self.n as f64;
        self.n += 1;
        let n = self.n as f64;
        let delta = x - self.mean;
        let step = delta / n;
        let square = step * step;
        let term = delta * step * before;
        self.mean += step;
        self.m4 += term * square * (n * n - 3.0 * n + 3.0) + 6.0 * square * self.m2 - 4.0 * step * self.m3;
        self.m3 += term * step * (n - 2.0) - 3.0 * step * self.m2;
        self.m2 += term;
    }

    /// The same value `weight` times.
    pub fn add_weighted(&mut self, x: f64, weight: u64) {
        if weight == 1 {
            self.add(x);
        } else if weight > 0 {
            self.merge(&Self {
                n: weight,
                min: x,
                max: x,
                mean: x,
                sum: x * weight as f64,
                ..Self::default()
            });
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        if self.n == 0 {
            *self = other.clone();
            return;
        }
        let (a, b) = (self.n as f64, other.n as f64);
        let n = a + b;
        let delta = other.mean - self.mean;
        let step = delta / n;
        self.m4 += other.m4
            + delta * step * step * step * a * b * (a * a - a * b + b * b)
            + 6.0 * step * step * (a * a * other.m2 + b * b * self.m2)
            + 4.0 * step * (a * other.m3 - b * self.m3);
        self.m3 +=
            other.m3 + delta * step * step * a * b * (a - b) + 3.0 * step * (a * other.m2 - b * self.m2);
        self.m2 += other.m2 + delta * step * a * b;
        self.mean += step * b;
        self.n += other.n;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.add_to_sum(other.sum);
        self.lost += other.lost;
    }

    fn add_to_sum(&mut self, x: f64) {
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() {
            (self.sum - sum) + x
        } else {
            (x - sum) + self.sum
        };
        self.sum = sum;
    }

    pub fn sum(&self) -> f64 {
        self.sum + self.lost
    }

    /// The mean, from the sum where that did not overflow: it is the more accurate one.
    pub fn mean(&self) -> Option<f64> {
        let by_sum = self.sum() / self.n as f64;
        (self.n > 0).then_some(if by_sum.is_finite() { by_sum } else { self.mean })
    }

    /// Divided by n - 1.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.m2 / (self.n - 1) as f64)
    }

    /// Adjusted Fisher-Pearson coefficient G1; 0 of a constant.
    pub fn skewness(&self) -> Option<f64> {
        if self.n < 3 {
            return None;
        }
        if self.is_constant() {
            return Some(0.0);
        }
        let n = self.n as f64;
        let g1 = n.sqrt() * self.m3 / self.m2.powf(1.5);
        finite(g1 * (n * (n - 1.0)).sqrt() / (n - 2.0))
    }

    /// Excess kurtosis G2; 0 of a constant.
    pub fn kurtosis(&self) -> Option<f64> {
        if self.n < 4 {
            return None;
        }
        if self.is_constant() {
            return Some(0.0);
        }
        let n = self.n as f64;
        let g2 = n * self.m4 / (self.m2 * self.m2) - 3.0;
        finite((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * g2 + 6.0))
    }

    fn is_constant(&self) -> bool {
        self.min == self.max || self.m2 <= 0.0
    }
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}
