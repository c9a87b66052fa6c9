//! What is kept of one table while its rows go by.

use crate::column::Column;
use crate::hash::{self, mix};
use crate::sketch::RowHashes;
use crate::value::Cell;
use limn_domain::profile::{Finding, FindingKind, Findings};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Columns that are profiled.
pub const MAX_COLUMNS: usize = 2000;
/// Rows of the sample for correlations.
const SAMPLE: usize = 5000;
/// Cells of that sample.
const SAMPLE_CELLS: usize = 500_000;
/// Distinct values of a column that are counted one by one, and of all columns together.
const FEW: usize = 8192;
const FEW_OF_ALL: usize = 1 << 20;
/// Patterns of missing cells that are told apart.
const PATTERNS: usize = 512;
/// Rows and cells kept to look at.
const HEAD: usize = 50;
const HEAD_CELLS: usize = 5000;
const HEAD_CHARS: usize = 200;

/// The mergeable profile of a table: of a file, of a part of one, or of several.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TableState {
    pub rows: u64,
    pub bytes: u64,
    pub files: u64,
    pub names: Vec<String>,
    pub columns: Vec<Column>,
    pub columns_left_out: u64,
    pub findings: Findings,
    pub row_hashes: RowHashes,
    /// Which columns had a value, as bits, with the number of rows.
    pub patterns: HashMap<Vec<u64>, u64>,
    pub other_patterns: u64,
    pub sample: Sample,
    pub head: Vec<Vec<Option<String>>>,
    /// Columns by name.
    #[serde(skip)]
    by_name: HashMap<String, usize>,
    #[serde(skip)]
    row: Row,
}

/// Numbers of rows chosen evenly: those whose keys hash lowest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Priority, and a number a column; NaN is none.
    pub rows: Vec<(u64, Vec<f64>)>,
    /// Rows at or above it are not taken; 0 takes all.
    below: u64,
}

/// The row that is being added.
#[derive(Debug, Clone, Default)]
struct Row {
    key: u64,
    hash: u64,
    priority: u64,
    present: Vec<u64>,
    numbers: Option<Vec<f64>>,
    head: Option<Vec<Option<String>>>,
    /// The pattern of the last row and how often it came in a row: most rows are like the one before.
    last: Vec<u64>,
    repeated: u64,
    few: usize,
    /// Of the columns' names, so that a row is the same whatever the order of its columns.
    keys: Vec<u64>,
}

impl TableState {
    /// A table of these columns. Names that are empty or taken get a number.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut table = Self::default();
        for name in names {
            let name = table.free_name(name);
            table.column(&name);
        }
        table
    }

    fn free_name(&self, name: String) -> String {
        let name = if name.trim().is_empty() {
            format!("column_{}", self.names.len() + self.columns_left_out as usize + 1)
        } else {
            name
        };
        if !self.by_name.contains_key(&name) {
            return name;
        }
        // One more than there are names is free.
        (1..=self.by_name.len() + 1)
            .map(|n| format!("{name}.{n}"))
            .find(|n| !self.by_name.contains_key(n))
            .unwrap_or(name)
    }

    /// The column of a name, made when it is new. None when there are too many.
    pub fn column(&mut self, name: &str) -> Option<usize> {
        if let Some(at) = self.by_name.get(name) {
            return Some(*at);
        }
        if self.columns.len() >= MAX_COLUMNS {
            self.columns_left_out += 1;
            if self.columns_left_out == 1 {
                self.note(
                    0,
                    FindingKind::TooManyColumns,
                    format!("columns after the first {MAX_COLUMNS} are not profiled"),
                );
            }
            return None;
        }
        let at = self.columns.len();
        self.by_name.insert(name.to_owned(), at);
        self.names.push(name.to_owned());
        self.columns.push(Column::default());
        self.row.keys.push(mix(hash::bytes(name.as_bytes())));
        self.row.few = (FEW_OF_ALL / self.columns.len()).clamp(256, FEW);
        Some(at)
    }

    /// Finds columns again after this came out of a store.
    #[must_use]
    pub fn restored(mut self) -> Self {
        self.by_name = self.names.iter().cloned().zip(0..).collect();
        self.row.keys = self
            .names
            .iter()
            .map(|n| mix(hash::bytes(n.as_bytes())))
            .collect();
        self.row.few = (FEW_OF_ALL / self.columns.len().max(1)).clamp(256, FEW);
        self
    }

    pub fn note(&mut self, line: u64, kind: FindingKind, message: String) {
        self.findings.add(Finding {
            file: String::new(),
            line,
            kind,
            message,
        });
    }

    /// Starts a row. `key` tells it from every other row of the table, and is the same every time.
    pub fn begin_row(&mut self, key: u64) {
        let row = &mut self.row;
        row.key = mix(key);
        row.hash = 0;
        row.present.clear();
        row.present.resize(self.columns.len().div_ceil(64), 0);
        row.priority = mix(row.key ^ 0x5a4d_11e5);
        row.numbers = (self.sample.below == 0 || row.priority < self.sample.below)
            .then(|| vec![f64::NAN; self.columns.len()]);
        row.head = (self.head.len() < HEAD && (self.head.len() + 1) * self.columns.len() <= HEAD_CELLS)
            .then(|| vec![None; self.columns.len()]);
    }

    /// Adds a cell to the row. A column that gets none misses its value.
    pub fn cell(&mut self, at: usize, cell: Cell<'_>) {
        let Some(column) = self.columns.get_mut(at) else {
            return;
        };
        // A key that comes twice in an object counts once.
        if self
            .row
            .present
            .get(at / 64)
            .is_some_and(|w| w >> (at % 64) & 1 == 1)
        {
            return;
        }
        let hash = cell.hash();
        column.add(hash, cell, self.row.few);
        if matches!(cell, Cell::Missing(_)) {
            return;
        }
        column.fingerprint = column
            .fingerprint
            .wrapping_add(mix(hash.wrapping_add(self.row.key)));
        let row = &mut self.row;
        row.hash = row
            .hash
            .wrapping_add(mix(hash ^ row.keys.get(at).copied().unwrap_or_default()));
        if row.present.len() <= at / 64 {
            row.present.resize(at / 64 + 1, 0);
        }
        if let Some(word) = row.present.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
        if let Some(numbers) = &mut row.numbers {
            if numbers.len() <= at {
                numbers.resize(at + 1, f64::NAN);
            }
            if let (Some(place), Some(x)) = (numbers.get_mut(at), cell.as_number()) {
                *place = x;
            }
        }
        if let Some(head) = &mut row.head {
            if head.len() <= at {
                head.resize(at + 1, None);
            }
            if let Some(place) = head.get_mut(at) {
                *place = Some(match cell {
                    Cell::Raw(s) | Cell::Str(s) => s.chars().take(HEAD_CHARS).collect(),
                    Cell::List(n) => format!("[{n} values]"),
                    _ => cell.to_value().text(),
                });
            }
        }
    }

    pub fn end_row(&mut self) {
        self.rows += 1;
        self.row_hashes.add(mix(self.row.hash));
        if self.row.present == self.row.last {
            self.row.repeated += 1;
        } else {
            self.flush();
            self.row.last.clone_from(&self.row.present);
            self.row.repeated = 1;
        }
        if let Some(numbers) = self.row.numbers.take() {
            let room = self.sample_room();
            self.sample.rows.push((self.row.priority, numbers));
            if self.sample.rows.len() >= 2 * room {
                self.sample.shrink(room);
            }
        }
        if let Some(head) = self.row.head.take() {
            self.head.push(head);
        }
    }

    fn sample_room(&self) -> usize {
        (SAMPLE_CELLS / self.columns.len().max(1)).clamp(100, SAMPLE)
    }

    fn flush(&mut self) {
        let n = std::mem::take(&mut self.row.repeated);
        if n > 0 {
            let pattern = std::mem::take(&mut self.row.last);
            self.add_pattern(pattern, n);
        }
    }

    fn add_pattern(&mut self, mut pattern: Vec<u64>, n: u64) {
        while pattern.last() == Some(&0) {
            pattern.pop();
        }
        if let Some(rows) = self.patterns.get_mut(&pattern) {
            *rows += n;
        } else if self.patterns.len() < PATTERNS {
            self.patterns.insert(pattern, n);
        } else {
            self.other_patterns += n;
        }
    }

    /// To be called when the last row is in.
    pub fn close(&mut self) {
        self.flush();
        let room = self.sample_room();
        self.sample.shrink(room);
        for column in &mut self.columns {
            column.few.values.shrink_to_fit();
        }
    }

    /// Adds the rows of another part; columns go together by name.
    pub fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.files += other.files;
        self.columns_left_out = self.columns_left_out.max(other.columns_left_out);
        let places: Vec<Option<usize>> = other.names.iter().map(|n| self.column(n)).collect();
        for (column, place) in other.columns.iter().zip(&places) {
            if let Some(ours) = place.and_then(|p| self.columns.get_mut(p)) {
                ours.merge(column, self.row.few);
            }
        }
        self.row_hashes.merge(&other.row_hashes);
        let same = places.iter().enumerate().all(|(i, p)| *p == Some(i));
        self.other_patterns += other.other_patterns;
        let mut patterns: Vec<_> = other.patterns.into_iter().collect();
        patterns.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        for (pattern, n) in patterns {
            self.add_pattern(if same { pattern } else { moved(&pattern, &places) }, n);
        }
        let width = self.columns.len();
        for (priority, numbers) in other.sample.rows {
            let numbers = if same {
                numbers
            } else {
                scattered(numbers, &places, width, f64::NAN)
            };
            self.sample.rows.push((priority, numbers));
        }
        self.sample.below = match (self.sample.below, other.sample.below) {
            (0, b) | (b, 0) => b,
            (a, b) => a.min(b),
        };
        let room = self.sample_room();
        self.sample.shrink(room);
        for row in other.head {
            if self.head.len() < HEAD && (self.head.len() + 1) * width <= HEAD_CELLS {
                self.head.push(if same {
                    row
                } else {
                    scattered(row, &places, width, None)
                });
            }
        }
        self.findings.merge(other.findings);
    }

    /// Names the file that the findings are about.
    #[must_use]
    pub fn named(mut self, file: &str) -> Self {
        for finding in &mut self.findings.items {
            file.clone_into(&mut finding.file);
        }
        self
    }
}

impl Sample {
    fn shrink(&mut self, room: usize) {
        let bound = self.below;
        if bound != 0 {
            self.rows.retain(|(p, _)| *p < bound);
        }
        if self.rows.len() > room {
            self.rows.select_nth_unstable_by_key(room, |(p, _)| *p);
            if let Some((p, _)) = self.rows.get(room) {
                self.below = *p;
            }
            self.rows.truncate(room);
        }
    }
}

fn moved(pattern: &[u64], places: &[Option<usize>]) -> Vec<u64> {
    let mut out = Vec::new();
    for (from, place) in places.iter().enumerate() {
        let is_set = pattern.get(from / 64).is_some_and(|w| w >> (from % 64) & 1 == 1);
        if let (true, Some(to)) = (is_set, place) {
            if out.len() <= to / 64 {
                out.resize(to / 64 + 1, 0);
            }
            if let Some(word) = out.get_mut(to / 64) {
                *word |= 1u64 << (to % 64);
            }
        }
    }
    out
}

fn scattered<T: Clone>(values: Vec<T>, places: &[Option<usize>], width: usize, none: T) -> Vec<T> {
    let mut out = vec![none; width];
    for (value, place) in values.into_iter().zip(places) {
        if let Some(slot) = place.and_then(|p| out.get_mut(p)) {
            *slot = value;
        }
    }
    out
}

/// The key of a row of a file: `seed` tells files apart.
pub fn row_key(seed: u64, block: u64, row: u64) -> u64 {
    hash::mix(seed ^ mix(block)).wrapping_add(row)
}
