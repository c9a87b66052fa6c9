//! Looking through the items of a project: what is found, what is kept, what is done with it.

use crate::explore::{Column, ExploreFilter, ExploreQuery, Facet};
use crate::export::NewExport;
use crate::id::{ItemId, ProjectId, ViewId};
use crate::item::ItemWithAnnotations;
use crate::job::Job;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Items that are named one by one, at most.
pub const NAMED_MAX: usize = 5_000;
/// The unit of columns that are times.
pub const DAYS: &str = "day";

/// What of a project passes the filters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemsFound {
    /// Items of the project.
    pub total: i64,
    /// Of them those that pass.
    pub matched: i64,
    pub facets: Vec<Facet>,
    /// Those of the unit `day` are times, in days since 1970-01-01 (UTC).
    pub columns: Vec<Column>,
    pub rows: Vec<ItemWithAnnotations>,
    /// What was saved until then is counted.
    pub as_of: Timestamp,
    /// Much has changed since: it is being taken in, and not counted yet.
    pub behind: bool,
}

/// A page, or the job that prepares for it; both while what has changed is more than can be taken in at once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemsAnswer {
    /// Absent while the project is indexed for the first time.
    pub page: Option<ItemsFound>,
    pub job: Option<Job>,
}

/// Items of a project that were found by exploring it: those that are named, or all that pass when none are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemChoice {
    #[serde(skip_serializing_if = "ExploreFilter::is_empty")]
    pub filter: ExploreFilter,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemId>,
}

/// An export of a project.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectExport {
    #[serde(flatten)]
    pub export: NewExport,
    /// Only these items; all of the scope when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<ItemChoice>,
}

/// A filter over a project's items that was kept under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemView {
    pub id: ViewId,
    pub project_id: ProjectId,
    pub name: String,
    pub query: ExploreQuery,
    pub created_by_name: Option<String>,
    pub created_at: Timestamp,
}
