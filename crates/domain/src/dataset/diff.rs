//! What differs between two versions.

use super::{Entry, Version};
use serde::{Deserialize, Serialize};

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DiffKind {
    Added,
    Removed,
    /// Other bytes.
    Content,
    /// Other labels.
    Labels,
    /// Another split.
    Split,
    /// Anything else, such as the case of its path.
    Other,
}

impl DiffKind {
    pub const ALL: [Self; 6] = [
        Self::Added,
        Self::Removed,
        Self::Content,
        Self::Labels,
        Self::Split,
        Self::Other,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Content => "content",
            Self::Labels => "labels",
            Self::Split => "split",
            Self::Other => "other",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Added => "Added",
            Self::Removed => "Removed",
            Self::Content => "Content changed",
            Self::Labels => "Labels changed",
            Self::Split => "Split changed",
            Self::Other => "Otherwise changed",
        }
    }
}

/// Counts of what differs. A file whose labels and split differ counts in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiffSummary {
    pub old: Version,
    pub new: Version,
    pub added: i64,
    pub removed: i64,
    pub content: i64,
    pub labels: i64,
    pub split: i64,
    pub other: i64,
    pub unchanged: i64,
    /// Categories by path.
    pub categories_added: Vec<String>,
    pub categories_removed: Vec<String>,
    /// Those whose colour, id, skeleton or attributes differ.
    pub categories_changed: Vec<String>,
}

impl DiffSummary {
    pub const fn count(&self, kind: DiffKind) -> i64 {
        match kind {
            DiffKind::Added => self.added,
            DiffKind::Removed => self.removed,
            DiffKind::Content => self.content,
            DiffKind::Labels => self.labels,
            DiffKind::Split => self.split,
            DiffKind::Other => self.other,
        }
    }

    /// Whether the two are the same.
    pub fn is_empty(&self) -> bool {
        self.old.digest == self.new.digest
    }
}

/// Filter and cursor of a list of differences.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct DiffQuery {
    /// Only files that differ in this way.
    #[serde(default)]
    pub kind: Option<DiffKind>,
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1..=1000, 60 when absent.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiffRow {
    pub path: String,
    pub kinds: Vec<DiffKind>,
    #[serde(flatten)]
    pub change: EntryChange,
}

/// Before and after; one is absent for added and removed files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryChange {
    pub old: Option<Entry>,
    pub new: Option<Entry>,
}
