//! What a dataset version holds, as figures: tables, images, documents, and how two versions differ.
//!
//! `limn-profile` computes these; pages, the API and the command line show them. Numbers are finite: what does not exist
//! (the mean of nothing) is absent. A figure that is not exact says how far off it may be, beside it.

mod drift;
mod images;
mod table;
mod texts;
mod version;

pub use drift::*;
pub use images::*;
pub use table::*;
pub use texts::*;
pub use version::*;

use serde::{Deserialize, Serialize};

/// The layout of [`DatasetProfile`]; it grows when a stored profile has to be computed again.
pub const PROFILE_FORMAT: u32 = 1;

/// The profile of one version of a dataset: always of all its files and all their rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetProfile {
    pub format: u32,
    /// All files, of any kind.
    pub files: u64,
    pub bytes: u64,
    /// Files of the same columns form one table.
    pub tables: Vec<NamedTable>,
    pub images: Option<ImagesProfile>,
    pub texts: Option<TextsProfile>,
    /// Files of which nothing but their size is known, e.g. archives.
    pub others: u64,
    /// What could not be read, by place.
    pub findings: Findings,
}

/// A table that may be spread over several files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedTable {
    /// The file's path, or what the paths have in common.
    pub name: String,
    /// The first of them; `profile.files` counts all.
    pub paths: Vec<String>,
    pub profile: TableProfile,
}

/// Notes about the input by place, the first of each kind kept and all counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Findings {
    pub total: u64,
    pub items: Vec<Finding>,
}

/// One note, e.g. "row of 5 cells where 4 are named" at line 17 of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    pub file: String,
    /// Line from 1 in text files; 0 where lines mean nothing.
    pub line: u64,
    pub kind: FindingKind,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FindingKind {
    /// More or fewer cells than the header names.
    Ragged,
    /// Bytes that are not of the file's encoding.
    Encoding,
    /// A record longer than the limit; left out.
    TooLong,
    /// A quote that never closes.
    OpenQuote,
    /// A line that is no record of the format.
    Malformed,
    /// A nested value of which only the outer shape is profiled.
    Nested,
    /// More columns than are profiled.
    TooManyColumns,
    /// A file that cannot be read at all.
    Unreadable,
}

impl FindingKind {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ragged => "Ragged rows",
            Self::Encoding => "Mixed encodings",
            Self::TooLong => "Records too long",
            Self::OpenQuote => "Unclosed quotes",
            Self::Malformed => "Malformed records",
            Self::Nested => "Nested values",
            Self::TooManyColumns => "Columns left out",
            Self::Unreadable => "Unreadable files",
        }
    }
}

impl Findings {
    /// Places kept of each kind.
    pub const KEPT: usize = 20;

    pub fn add(&mut self, finding: Finding) {
        self.total += 1;
        let of_kind = self.items.iter().filter(|f| f.kind == finding.kind).count();
        if of_kind < Self::KEPT {
            self.items.push(finding);
        }
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: Self) {
        let counted = self.total + other.total;
        for finding in other.items {
            self.add(finding);
        }
        self.total = counted;
    }
}
