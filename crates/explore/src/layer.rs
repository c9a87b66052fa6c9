//! Facets that are laid over an index when it is asked: what changes while the index does not.

use crate::Index;
use crate::bits::{Bits, Set};
use std::sync::Arc;

/// Rows of an index.
#[derive(Debug, Clone)]
pub struct RowSet {
    set: Set,
    count: usize,
}

impl RowSet {
    /// `list` rises, below `rows`.
    fn new(list: Vec<u32>, rows: usize) -> Self {
        Self {
            count: list.len(),
            set: Set::new(list, rows),
        }
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    /// Rows that are in `bits` too.
    pub fn count_in(&self, bits: &Bits) -> usize {
        self.set.count_in(bits)
    }

    /// The same of an index of so many rows, to be combined.
    pub fn to_bits(&self, rows: usize) -> Bits {
        let mut bits = Bits::none(rows);
        self.set.add_to(&mut bits);
        bits
    }

    /// Bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        self.set.size()
    }
}

/// A facet laid over an index; it goes before one of the index of the same name.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(crate) name: String,
    pub(crate) label: String,
    /// Those that some row has.
    values: Vec<(String, Arc<RowSet>)>,
    /// What stands for having none of them, and the rows of which that is true.
    none: (String, Arc<RowSet>),
}

impl Layer {
    /// Of an index of so many rows. Values are compared regardless of case; `none` stands for having none.
    pub fn new(name: &str, label: &str, rows: usize, values: Vec<(String, Arc<RowSet>)>, none: &str) -> Self {
        let mut without = Bits::all(rows);
        let mut any = Bits::none(rows);
        for (_, set) in &values {
            set.set.add_to(&mut any);
        }
        without.minus(&any);
        let list = without.iter().filter_map(|r| u32::try_from(r).ok()).collect();
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            values: values.into_iter().filter(|(_, set)| set.count > 0).collect(),
            none: (none.to_owned(), Arc::new(RowSet::new(list, rows))),
        }
    }

    /// Whether no row has a value.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values of a row.
    pub fn of(&self, row: usize) -> impl Iterator<Item = &str> {
        let has = self.values.iter().filter(move |(_, set)| set.set.contains(row));
        has.map(|(value, _)| value.as_str())
    }

    /// The rows that have a value, regardless of case.
    pub fn get(&self, value: &str) -> Option<&RowSet> {
        let value = value.to_lowercase();
        let found = self.values.iter().find(|(v, _)| v.to_lowercase() == value);
        found.map(|(_, set)| &**set)
    }

    /// The values that some row has, with the rows.
    pub fn values(&self) -> impl Iterator<Item = (&str, &RowSet)> {
        self.values.iter().map(|(value, set)| (value.as_str(), &**set))
    }

    /// Bytes of memory that it takes beside the sets it was made of, about.
    pub fn size(&self) -> usize {
        self.none.1.size()
    }

    /// All values, with that of having none.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Set)> {
        let all = self.values.iter().chain([&self.none]);
        all.map(|(value, set)| (value.as_str(), &set.set))
    }

    /// A value as it is written here; itself where no row has it.
    pub(crate) fn spelled(&self, value: &str) -> String {
        let key = value.to_lowercase();
        let found = self.all().find(|(v, _)| v.to_lowercase() == key);
        found.map_or(value, |(v, _)| v).to_owned()
    }

    /// Rows that have one of the values.
    pub(crate) fn rows_of(&self, wanted: &[String], rows: usize) -> Bits {
        let wanted: Vec<String> = wanted.iter().map(|w| w.to_lowercase()).collect();
        let mut bits = Bits::none(rows);
        for (value, set) in self.all() {
            if wanted.contains(&value.to_lowercase()) {
                set.add_to(&mut bits);
            }
        }
        bits
    }
}

impl Index {
    /// The row of a key (path in lower case).
    pub fn row(&self, key: &str) -> Option<usize> {
        let row = self.first_not_before(key, 0, self.rows());
        (row < self.rows() && self.key(row) == key).then_some(row)
    }

    /// The rows of keys, in whatever order these come; those that are not there are left out.
    pub fn rows_with(&self, keys: &[String]) -> RowSet {
        let mut sorted: Vec<&str> = keys.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let (rows, mut list, mut from) = (self.rows(), Vec::with_capacity(sorted.len()), 0);
        for key in sorted {
            // Where keys are many the next one is near: steps that double find it sooner than halves of everything.
            let mut step = 1;
            while from + step <= rows && self.key(from + step - 1) < key {
                from += step;
                step *= 2;
            }
            from = self.first_not_before(key, from, (from + step).min(rows));
            if from < rows && self.key(from) == key {
                list.push(from as u32);
                from += 1;
            }
        }
        RowSet::new(list, rows)
    }

    /// The first row from `low` to `high` whose key is not before `key`; `high` when there is none.
    pub(crate) fn first_not_before(&self, key: &str, mut low: usize, mut high: usize) -> usize {
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
