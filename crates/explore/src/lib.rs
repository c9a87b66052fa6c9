//! An index over the files of a version: filters, counts beside them, order, in milliseconds over a million files.
//!
//! Values that files have (their split, categories, attributes...) are sets of row numbers; numbers are columns of single
//! precision; paths are one text. A row's number is its place in the order of paths. Everything is held in memory and
//! answered from it; bytes of the same index are read back with [`Index::from_bytes`]. What changes while the index does
//! not, such as tags, is laid over it as a [`Layer`] when it is asked. What changes row by row, as a project does, is a
//! [`Stack`]: an index with the rows that have changed over it.
//!
//! Pure: nothing here knows a database, a file, a clock or a runtime.

mod bits;
mod build;
mod color;
mod layer;
mod looks;
mod map;
mod query;
mod stack;

pub use bits::Bits;
pub use build::{Builder, Row};
pub use color::Colors;
pub use layer::{Layer, RowSet};
pub use looks::Looks;
pub use map::Map;
pub use query::{Answer, Wanted};
pub use stack::{NAME_END, Passing, Stack};

use bits::Set;
use serde::{Deserialize, Serialize};

/// Grows whenever the form changes; others are built anew.
pub const FORMAT: u8 = 1;

/// What cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum BadIndex {
    #[error("the index is of another version of the program")]
    Format,
    #[error("the index is damaged: {0}")]
    Damaged(String),
}

/// A facet: values and the rows that have them, most rows first.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Values {
    name: String,
    label: String,
    values: Vec<(String, u32, Set)>,
    /// Values that did not find room.
    left_out: u32,
}

/// A number a row; NaN where it is not known.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Numbers {
    name: String,
    label: String,
    unit: String,
    values: Vec<f32>,
    min: f32,
    max: f32,
}

/// The index of a version.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Index {
    rows: u32,
    /// Paths in lower case, each followed by a line feed.
    text: Vec<u8>,
    /// Where the path of each row ends in `text`, its line feed included.
    ends: Vec<u64>,
    facets: Vec<Values>,
    columns: Vec<Numbers>,
}

impl Index {
    /// Number of files.
    pub fn rows(&self) -> usize {
        self.rows as usize
    }

    /// The key (path in lower case) of a row.
    pub fn key(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |r| self.ends[r]) as usize;
        let end = self.ends.get(row).map_or(start, |e| *e as usize - 1);
        std::str::from_utf8(&self.text[start..end]).unwrap_or_default()
    }

    /// Whether some file has a number of this name.
    pub fn has_numbers(&self, name: &str) -> bool {
        self.columns.iter().any(|c| c.name == name)
    }

    /// Bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        let sets: usize = self
            .facets
            .iter()
            .flat_map(|f| &f.values)
            .map(|(v, _, set)| v.len() + set.size())
            .sum();
        self.text.len() + self.ends.len() * 8 + sets + self.columns.len() * self.rows() * 4
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        // It holds nothing that cannot be written.
        postcard::to_extend(self, vec![FORMAT]).unwrap_or_default()
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadIndex> {
        let (format, rest) = bytes.split_first().ok_or(BadIndex::Format)?;
        if *format != FORMAT {
            return Err(BadIndex::Format);
        }
        let index: Self = postcard::from_bytes(rest).map_err(|e| BadIndex::Damaged(e.to_string()))?;
        index.check().map_err(BadIndex::Damaged)?;
        Ok(index)
    }

    /// Whatever answers rely on.
    fn check(&self) -> Result<(), String> {
        let n = self.rows();
        let sorted = self.ends.windows(2).all(|w| w[0] < w[1]);
        let within = self.ends.last().is_none_or(|e| *e == self.text.len() as u64);
        let first = self.ends.first().is_none_or(|e| *e > 0);
        if self.ends.len() != n || !sorted || !within || !first {
            return Err("paths".to_owned());
        }
        if self.columns.iter().any(|c| c.values.len() != n) {
            return Err("columns".to_owned());
        }
        if self
            .facets
            .iter()
            .flat_map(|f| &f.values)
            .any(|(.., set)| !set.fits(n))
        {
            return Err("facets".to_owned());
        }
        Ok(())
    }
}
