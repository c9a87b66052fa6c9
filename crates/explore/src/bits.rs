//! Sets of row numbers.

use serde::{Deserialize, Serialize};

/// A bit a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    rows: usize,
}

impl Bits {
    pub fn none(rows: usize) -> Self {
        Self {
            words: vec![0; rows.div_ceil(64)],
            rows,
        }
    }

    pub fn all(rows: usize) -> Self {
        let mut bits = Self {
            words: vec![u64::MAX; rows.div_ceil(64)],
            rows,
        };
        if let Some(last) = bits.words.last_mut()
            && !rows.is_multiple_of(64)
        {
            *last = (1 << (rows % 64)) - 1;
        }
        bits
    }

    pub fn insert(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1)
    }

    pub fn and(&mut self, other: &Self) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= b;
        }
    }

    /// Takes the rows of another set out.
    pub fn minus(&mut self, other: &Self) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= !b;
        }
    }

    pub fn or(&mut self, other: &Self) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a |= b;
        }
    }

    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        rows_in(&self.words)
    }
}

fn rows_in(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(n, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            (left != 0).then(|| {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                n * 64 + bit
            })
        })
    })
}

/// A set that does not change, in the smaller of two forms.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Set {
    /// Row numbers, rising.
    Few(Vec<u32>),
    /// A bit a row.
    Many(Vec<u64>),
}

impl Set {
    /// `list` rises.
    pub fn new(list: Vec<u32>, rows: usize) -> Self {
        if list.len() * 32 < rows {
            return Self::Few(list);
        }
        let mut bits = Bits::none(rows);
        for row in list {
            bits.insert(row as usize);
        }
        Self::Many(bits.words)
    }

    pub fn contains(&self, row: usize) -> bool {
        match self {
            Self::Few(list) => u32::try_from(row).is_ok_and(|r| list.binary_search(&r).is_ok()),
            Self::Many(words) => words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1),
        }
    }

    pub fn count(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(words) => words.iter().map(|w| w.count_ones() as usize).sum(),
        }
    }

    /// Calls `f` with each row.
    pub fn each(&self, mut f: impl FnMut(usize)) {
        match self {
            Self::Few(list) => list.iter().for_each(|r| f(*r as usize)),
            Self::Many(words) => rows_in(words).for_each(f),
        }
    }

    pub fn size(&self) -> usize {
        match self {
            Self::Few(list) => list.len() * 4,
            Self::Many(words) => words.len() * 8,
        }
    }

    pub fn fits(&self, rows: usize) -> bool {
        match self {
            Self::Few(list) => {
                list.windows(2).all(|w| w[0] < w[1]) && list.last().is_none_or(|r| (*r as usize) < rows)
            }
            Self::Many(words) => {
                words.len() == rows.div_ceil(64)
                    && (rows.is_multiple_of(64) || words.last().is_none_or(|w| w >> (rows % 64) == 0))
            }
        }
    }

    /// Row numbers, rising.
    pub fn to_list(&self) -> Vec<u32> {
        match self {
            Self::Few(list) => list.clone(),
            Self::Many(words) => {
                let mut list = Vec::new();
                for (n, word) in words.iter().enumerate() {
                    let mut left = *word;
                    while left != 0 {
                        list.push(n as u32 * 64 + left.trailing_zeros());
                        left &= left - 1;
                    }
                }
                list
            }
        }
    }

    pub fn add_to(&self, bits: &mut Bits) {
        match self {
            Self::Few(list) => list.iter().for_each(|r| bits.insert(*r as usize)),
            Self::Many(words) => {
                for (a, b) in bits.words.iter_mut().zip(words) {
                    *a |= b;
                }
            }
        }
    }

    /// Rows in both.
    pub fn count_in(&self, bits: &Bits) -> usize {
        match self {
            Self::Few(list) => list.iter().filter(|r| bits.contains(**r as usize)).count(),
            Self::Many(words) => {
                let both = words.iter().zip(&bits.words);
                both.map(|(a, b)| (a & b).count_ones() as usize).sum()
            }
        }
    }
}
