//! The ids of a file.

use crate::json::loose::Key;
use std::collections::HashMap;

/// Ids, each with a small number of its own and the record that carries it.
#[derive(Default)]
pub(super) struct Ids {
    numbers: HashMap<Key, u32>,
    /// By number: index of the record.
    pub records: Vec<Option<u32>>,
}

impl Ids {
    pub fn number(&mut self, key: Key) -> u32 {
        let next = self.records.len() as u32;
        let n = *self.numbers.entry(key).or_insert(next);
        if n == next {
            self.records.push(None);
        }
        n
    }

    /// The ids by number.
    pub fn keys(&self) -> Vec<&Key> {
        let mut keys: Vec<_> = self.numbers.iter().collect();
        keys.sort_unstable_by_key(|(_, n)| **n);
        keys.into_iter().map(|(k, _)| k).collect()
    }
}
