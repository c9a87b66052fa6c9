//! Building an index, a row at a time.

use crate::bits::Set;
use crate::{Index, Numbers, Values};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Values of a facet that find room.
pub(crate) const VALUES_MAX: usize = 5_000;
/// Facets in all; attributes can be many.
pub(crate) const FACETS_MAX: usize = 200;
/// Bytes of a value that are kept.
const VALUE_MAX: usize = 300;

/// A file.
#[derive(Debug, Clone, Default)]
pub struct Row<'a> {
    /// Path in lower case; rows come in the order of these.
    pub key: &'a str,
    /// Facet and value; a file may have several values of a facet.
    pub values: Vec<(&'a str, &'a str)>,
    /// Column and number.
    pub numbers: Vec<(&'a str, f64)>,
}

/// Makes an [`Index`]. Facets and columns are declared first, in the order in which they are shown; facets that are not are
/// declared by their first value, under their own name.
#[derive(Debug, Default)]
pub struct Builder {
    index: Index,
    facets: Vec<Growing>,
    by_name: HashMap<String, usize>,
    columns: HashMap<String, usize>,
    /// Whether all values find room.
    roomy: bool,
}

#[derive(Debug, Default)]
struct Growing {
    name: String,
    label: String,
    values: HashMap<String, Vec<u32>>,
    /// Hashes of the values that found no room.
    left_out: HashSet<u64>,
}

impl Builder {
    /// Of rows that have changed, which are few: all their values find room, as those that the index below has must be counted whole.
    pub fn of_changes() -> Self {
        Self {
            roomy: true,
            ..Self::default()
        }
    }

    pub fn facet(&mut self, name: &str, label: &str) {
        self.by_name.insert(name.to_owned(), self.facets.len());
        self.facets.push(Growing {
            name: name.to_owned(),
            label: label.to_owned(),
            ..Growing::default()
        });
    }

    pub fn column(&mut self, name: &str, label: &str, unit: &str) {
        self.columns.insert(name.to_owned(), self.index.columns.len());
        self.index.columns.push(Numbers {
            name: name.to_owned(),
            label: label.to_owned(),
            unit: unit.to_owned(),
            values: Vec::new(),
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
        });
    }

    /// Rows beyond four thousand million are left out.
    pub fn push(&mut self, row: &Row<'_>) {
        let n = self.index.rows;
        let Some(next) = n.checked_add(1) else { return };
        self.index.rows = next;
        self.index
            .text
            .extend(row.key.bytes().map(|b| if b == b'\n' { b' ' } else { b }));
        self.index.text.push(b'\n');
        self.index.ends.push(self.index.text.len() as u64);
        for (facet, value) in &row.values {
            self.value(n, facet, value);
        }
        for column in &mut self.index.columns {
            column.values.push(f32::NAN);
        }
        for (column, number) in &row.numbers {
            let number = *number as f32;
            if let Some(c) = self.columns.get(*column).map(|c| &mut self.index.columns[*c])
                && number.is_finite()
                && let Some(last) = c.values.last_mut()
            {
                *last = number;
                c.min = c.min.min(number);
                c.max = c.max.max(number);
            }
        }
    }

    fn value(&mut self, row: u32, facet: &str, value: &str) {
        let at = match self.by_name.get(facet) {
            Some(at) => *at,
            None if !self.roomy && self.facets.len() >= FACETS_MAX => return,
            None => {
                self.facet(facet, facet.split_once(':').map_or(facet, |(_, name)| name));
                self.facets.len() - 1
            }
        };
        let facet = &mut self.facets[at];
        let mut end = value.len().min(VALUE_MAX);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let value = &value[..end];
        if let Some(rows) = facet.values.get_mut(value) {
            if rows.last() != Some(&row) {
                rows.push(row);
            }
        } else if self.roomy || facet.values.len() < VALUES_MAX {
            facet.values.insert(value.to_owned(), vec![row]);
        } else {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            facet.left_out.insert(hasher.finish());
        }
    }

    /// Facets and columns without any value are left out.
    pub fn finish(mut self) -> Index {
        let rows = self.index.rows();
        for facet in self.facets {
            if facet.values.is_empty() {
                continue;
            }
            let mut values: Vec<(String, u32, Set)> = facet
                .values
                .into_iter()
                .map(|(value, list)| {
                    let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
                    (value, count, Set::new(list, rows))
                })
                .collect();
            values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            self.index.facets.push(Values {
                name: facet.name,
                label: facet.label,
                values,
                left_out: u32::try_from(facet.left_out.len()).unwrap_or(u32::MAX),
            });
        }
        self.index.columns.retain(|c| c.min <= c.max);
        self.index
    }
}
