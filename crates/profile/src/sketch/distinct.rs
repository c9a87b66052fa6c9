//! How many distinct values.

use crate::hash::HashSet;
use limn_domain::profile::Estimate;
use serde::{Deserialize, Serialize};

/// Bits of the hash that choose a register.
const P: u32 = 14;
const REGISTERS: usize = 1 << P;

/// Hashes while they are few, then HyperLogLog (Flajolet et al. 2007) over 64-bit hashes with the estimator of Ertl, "New
/// cardinality estimation algorithms for HyperLogLog sketches" (2017), which needs no tables of corrections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Distinct {
    Exact(HashSet),
    Estimated(Vec<u8>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(HashSet::default())
    }
}

impl Distinct {
    /// Counted exactly up to as many.
    pub const EXACT: usize = 8192;
    /// Relative standard error beyond: 1.04 / sqrt(registers).
    pub const ERROR: f64 = 0.008_125;

    pub fn add(&mut self, hash: u64) {
        match self {
            Self::Exact(set) => {
                set.insert(hash);
                if set.len() > Self::EXACT {
                    let mut registers = vec![0; REGISTERS];
                    for hash in set.iter() {
                        note(&mut registers, *hash);
                    }
                    *self = Self::Estimated(registers);
                }
            }
            Self::Estimated(registers) => note(registers, hash),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        match other {
            Self::Exact(set) => {
                for hash in set {
                    self.add(*hash);
                }
            }
            Self::Estimated(theirs) => {
                if let Self::Exact(set) = self {
                    let mut registers = theirs.clone();
                    for hash in set.iter() {
                        note(&mut registers, *hash);
                    }
                    *self = Self::Estimated(registers);
                } else if let Self::Estimated(ours) = self {
                    for (a, b) in ours.iter_mut().zip(theirs) {
                        *a = (*a).max(*b);
                    }
                }
            }
        }
    }

    pub fn estimate(&self) -> Estimate {
        match self {
            Self::Exact(set) => Estimate::exact(set.len() as u64),
            Self::Estimated(registers) => Estimate {
                value: ertl(registers).round() as u64,
                error: Self::ERROR,
            },
        }
    }
}

fn note(registers: &mut [u8], hash: u64) {
    let index = (hash >> (64 - P)) as usize;
    let rank = ((hash << P) | (1 << (P - 1))).leading_zeros() as u8 + 1;
    if let Some(register) = registers.get_mut(index) {
        *register = (*register).max(rank);
    }
}

fn ertl(registers: &[u8]) -> f64 {
    const Q: usize = (64 - P) as usize;
    let m = REGISTERS as f64;
    let mut histogram = [0u32; Q + 2];
    for r in registers {
        histogram[usize::from(*r).min(Q + 1)] += 1;
    }
    let mut z = m * tau(1.0 - f64::from(histogram[Q + 1]) / m);
    for k in (1..=Q).rev() {
        z = 0.5 * (z + f64::from(histogram[k]));
    }
    z += m * sigma(f64::from(histogram[0]) / m);
    m * m / (2.0 * std::f64::consts::LN_2) / z
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
