//! Files of versions that were left in their datastores.

use crate::id::DatastoreId;
use crate::job::Job;
use serde::{Deserialize, Serialize};

/// Findings of a check that are listed.
pub const FINDINGS_MAX: usize = 1_000;

/// Where the files of a version lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionPlaces {
    /// Datastores that hold files of the version which are not in this server's store; none when all are.
    pub places: Vec<PlacesIn>,
    /// The last check, under way or done; its result is a [`CheckReport`].
    pub check: Option<Job>,
}

/// What of a version lies in a datastore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlacesIn {
    pub datastore_id: DatastoreId,
    pub name: String,
    /// The same content twice counts once.
    pub files: i64,
    pub bytes: i64,
}

/// How to check the files of a version that were left in their datastores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckPlaces {
    /// Reads every file and compares its digest; otherwise its size and ETag or time are compared, without reading.
    #[serde(default)]
    pub full: bool,
}

/// What a check leaves as its job's result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckReport {
    pub full: bool,
    /// Files of the version that lie in datastores.
    pub checked: i64,
    /// Files of the version that are in this server's store.
    pub here: i64,
    pub unchanged: i64,
    pub changed: i64,
    pub gone: i64,
    /// Files that could not be looked at, so that nothing is known of them.
    pub unknown: i64,
    /// Bytes that were read.
    pub bytes: i64,
    /// The first 1,000 by path.
    pub findings: Vec<CheckFinding>,
}

impl CheckReport {
    /// Whether every file is what it was.
    pub const fn is_fine(&self) -> bool {
        self.changed == 0 && self.gone == 0 && self.unknown == 0
    }
}

/// A file that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckFinding {
    /// In the version.
    pub path: String,
    /// In the datastore.
    pub lies_at: String,
    pub datastore: String,
    pub what: Found,
    /// What is known, for people.
    pub detail: String,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Found {
    Changed,
    Gone,
    Unknown,
}

impl Found {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Changed => "Changed",
            Self::Gone => "Gone",
            Self::Unknown => "Not read",
        }
    }
}
