//! The profile of a version of a dataset, from those of its files.

use crate::drift::{category_drift, series_drift, sort, table_drift};
use crate::images::{ImageRecord, Images, LabeledBox};
use crate::table::TableState;
use crate::texts::{Documents, TextRecord};
use limn_domain::profile::*;

/// Tables told apart.
const TABLES: usize = 50;
/// Paths listed of one table.
const PATHS: usize = 20;
/// Share of columns that two tables have in common to be one: rows of JSON lines need not name every column.
const LIKE: f64 = 0.7;

/// Collects the files of a version.
#[derive(Debug, Default)]
pub struct Dataset {
    files: u64,
    bytes: u64,
    others: u64,
    tables: Vec<Table>,
    pub images: Images,
    pub documents: Documents,
    findings: Findings,
}

#[derive(Debug)]
struct Table {
    paths: Vec<String>,
    state: TableState,
}

impl Dataset {
    /// Adds a tabular file; those of like columns become one table.
    pub fn add_table(&mut self, path: &str, bytes: u64, state: TableState) {
        self.count(bytes);
        let state = state.named(path);
        if let Some(table) = self.tables.iter_mut().find(|t| alike(&t.state, &state)) {
            table.state.merge(state);
            table.paths.push(path.to_owned());
        } else if self.tables.len() < TABLES {
            self.tables.push(Table {
                paths: vec![path.to_owned()],
                state,
            });
        } else {
            self.unreadable(
                path,
                format!("more than {TABLES} different tables: this one is not profiled"),
            );
        }
    }

    pub fn add_image(
        &mut self,
        path: &str,
        digest: &str,
        bytes: u64,
        record: &ImageRecord,
        boxes: Option<&[LabeledBox]>,
    ) {
        self.count(bytes);
        self.images.add(path, digest, bytes, record, boxes);
    }

    pub fn add_text(&mut self, path: &str, bytes: u64, record: &TextRecord) {
        self.count(bytes);
        self.documents.add(path, bytes, record);
    }

    /// Adds a file of which only the size is known.
    pub fn add_other(&mut self, bytes: u64) {
        self.count(bytes);
        self.others += 1;
    }

    /// Adds a file that should be readable and is not.
    pub fn add_unreadable(&mut self, path: &str, bytes: u64, why: String) {
        self.count(bytes);
        self.unreadable(path, why);
    }

    fn count(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    fn unreadable(&mut self, path: &str, message: String) {
        self.findings.add(Finding {
            file: path.to_owned(),
            line: 0,
            kind: FindingKind::Unreadable,
            message,
        });
    }

    pub fn profile(&self) -> DatasetProfile {
        DatasetProfile {
            format: PROFILE_FORMAT,
            files: self.files,
            bytes: self.bytes,
            tables: self
                .tables
                .iter()
                .map(|t| NamedTable {
                    name: name_of(&t.paths),
                    paths: t.paths.iter().take(PATHS).cloned().collect(),
                    profile: t.state.profile(),
                })
                .collect(),
            images: (!self.images.is_empty()).then(|| self.images.profile()),
            texts: (!self.documents.is_empty()).then(|| self.documents.profile()),
            others: self.others,
            findings: self.findings.clone(),
        }
    }

    /// What changed from `before` to this one. Tables are matched by the columns they share.
    pub fn drift_from(&self, before: &Self) -> Drift {
        let mut drift = Drift::default();
        let mut taken = vec![false; self.tables.len()];
        let single = self.tables.len() == 1 && before.tables.len() == 1;
        for table in &before.tables {
            drift.rows_before += table.state.rows;
            let best = (0..self.tables.len())
                .filter(|i| !taken[*i])
                .max_by(|a, b| {
                    shared(&table.state, &self.tables[*a].state)
                        .total_cmp(&shared(&table.state, &self.tables[*b].state))
                })
                .filter(|i| single || shared(&table.state, &self.tables[*i].state) > 0.3);
            let Some(at) = best else {
                drift.removed.push(name_of(&table.paths));
                continue;
            };
            taken[at] = true;
            let mut one = table_drift(&table.state, &self.tables[at].state);
            if self.tables.len() > 1 {
                let name = name_of(&self.tables[at].paths);
                for f in &mut one.features {
                    f.name = format!("{name}: {}", f.name);
                }
                for n in one.added.iter_mut().chain(&mut one.removed) {
                    *n = format!("{name}: {n}");
                }
            }
            drift.features.append(&mut one.features);
            drift.added.append(&mut one.added);
            drift.removed.append(&mut one.removed);
        }
        for (table, taken) in self.tables.iter().zip(taken) {
            drift.rows_after += table.state.rows;
            if !taken {
                drift.added.push(name_of(&table.paths));
            }
        }
        drift
            .features
            .extend(series_drift(&before.images.series(), &self.images.series()));
        drift
            .features
            .extend(series_drift(&before.documents.series(), &self.documents.series()));
        if let (Some(b), Some(a)) = (before.images.categories(), self.images.categories()) {
            drift.features.push(category_drift("objects by category", &b, &a));
            drift.added.extend(
                a.keys()
                    .filter(|k| !b.contains_key(*k))
                    .map(|k| format!("category {k}")),
            );
            drift.removed.extend(
                b.keys()
                    .filter(|k| !a.contains_key(*k))
                    .map(|k| format!("category {k}")),
            );
        }
        sort(&mut drift);
        drift
    }
}

fn alike(a: &TableState, b: &TableState) -> bool {
    shared(a, b) >= LIKE
}

/// Columns of both over columns of either.
fn shared(a: &TableState, b: &TableState) -> f64 {
    let names: std::collections::HashSet<&String> = a.names.iter().collect();
    let both = b.names.iter().filter(|n| names.contains(n)).count();
    let either = a.names.len() + b.names.len() - both;
    if either == 0 {
        1.0
    } else {
        both as f64 / either as f64
    }
}

/// The one path, or what several have in common with a star for the rest.
fn name_of(paths: &[String]) -> String {
    let Some(first) = paths.first() else {
        return String::new();
    };
    if paths.len() == 1 {
        return first.clone();
    }
    let common = |same: &dyn Fn(&str) -> usize| paths.iter().map(|p| same(p)).min().unwrap_or(0);
    let head = common(&|p| p.bytes().zip(first.bytes()).take_while(|(a, b)| a == b).count());
    let tail = common(&|p| {
        p.bytes()
            .rev()
            .zip(first.bytes().rev())
            .take_while(|(a, b)| a == b)
            .count()
    });
    let shortest = paths.iter().map(String::len).min().unwrap_or(0);
    let mut head = head;
    while !first.is_char_boundary(head) {
        head -= 1;
    }
    let mut tail = tail.min(shortest - head);
    while !first.is_char_boundary(first.len() - tail) {
        tail -= 1;
    }
    format!(
        "{}*{}",
        first.get(..head).unwrap_or_default(),
        first.get(first.len() - tail..).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_several_files() {
        let of = |paths: &[&str]| name_of(&paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["a.csv"]), "a.csv");
        assert_eq!(of(&["train/part-1.csv", "train/part-22.csv"]), "train/part-*.csv");
        assert_eq!(of(&["x.csv", "y.csv"]), "*.csv");
        assert_eq!(of(&["aa", "aaa"]), "aa*");
        assert_eq!(of(&["ü.csv", "ö.csv"]), "*.csv");
    }
}
