//! Looking through the files of a version: filters, counts, order.

use crate::dataset::Entry;
use crate::id::{DatasetId, ViewId};
use crate::job::Job;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows of a page at most.
pub const ROWS_MAX: i64 = 500;
/// Bars of a column's histogram.
pub const BINS: usize = 24;
/// Values of a facet in an answer.
pub const VALUES_MAX: usize = 50;
/// Longest name of a saved view, in characters.
pub const VIEW_NAME_MAX: usize = 80;
/// The order of paths.
pub const BY_PATH: &str = "path";

/// Bounds of a number, both included.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bounds {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// Which files: those for which everything here holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExploreFilter {
    /// One of these values, by the name of the facet. `none` of the facet `tag` is files without any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, Vec<String>>,
    /// Within these bounds, by the name of the column. What is not known lies within none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ranges: BTreeMap<String, Bounds>,
    /// Part of the path, regardless of case.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl ExploreFilter {
    pub fn is_empty(&self) -> bool {
        self.facets.values().all(Vec::is_empty)
            && self.ranges.values().all(|b| *b == Bounds::default())
            && self.text.trim().is_empty()
    }
}

/// A page of files, with the counts beside it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExploreQuery {
    #[serde(flatten)]
    pub filter: ExploreFilter,
    /// `path` when absent, or the name of a column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    pub descending: bool,
    /// Path of a picture of the version: those that look most like it come first, instead of `sort`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// Files before the page.
    pub offset: i64,
    /// 1..=500, 60 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Only the rows: no counts, for the pages after the first.
    pub rows_only: bool,
}

/// How many files have a value, of those that pass the filters of everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    pub value: String,
    pub count: i64,
}

/// Something that files have one or several values of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facet {
    pub name: String,
    /// What people read.
    pub label: String,
    /// Most files first; those that are filtered by are always among them.
    pub values: Vec<FacetValue>,
    /// Values that are not listed.
    pub more: i64,
}

/// A number that files have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Column {
    pub name: String,
    pub label: String,
    /// `px`, `B`; empty for counts and ratios.
    pub unit: String,
    /// Of all files of the version.
    pub min: f64,
    pub max: f64,
    /// Files in equal parts from `min` to `max`, of those that pass the filters of everything else.
    pub bins: Vec<i64>,
}

/// What passes the filters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplorePage {
    /// Files of the version.
    pub total: i64,
    /// Of them those that pass.
    pub matched: i64,
    pub facets: Vec<Facet>,
    pub columns: Vec<Column>,
    pub rows: Vec<Entry>,
    /// Tags of the rows that have some, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Vec<String>>,
    /// With `like`: how far the rows are from it, by path; 0 is the same, 1 the most there is. Absent of what is no picture.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub distances: BTreeMap<String, f32>,
}

/// A page, or the job that prepares for it. Both with `like` while nobody has looked at the pictures yet: the page is in its other order
/// until then.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExploreAnswer {
    /// Absent while the version is being indexed.
    pub page: Option<ExplorePage>,
    /// What indexes it, or looks at its pictures, until then.
    pub job: Option<Job>,
}

/// A filter that was kept under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedView {
    pub id: ViewId,
    pub dataset_id: DatasetId,
    pub name: String,
    pub query: ExploreQuery,
    pub created_by_name: Option<String>,
    pub created_at: Timestamp,
}

/// A view to keep. A view of the same name is replaced.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewView {
    pub name: String,
    pub query: ExploreQuery,
}
