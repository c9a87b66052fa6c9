//! Sources of labeling projects: what a project takes from a datastore or a dataset, and how its refreshes went.

use crate::dataset::{LATEST, Split};
use crate::id::{DatasetId, DatastoreId, JobId, ProjectId, SourceId};
use crate::import::{ImportReport, Sequence};
use crate::job::JobState;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Shortest and longest time between two scheduled refreshes, in minutes.
pub const MINUTES_MIN: i64 = 5;
pub const MINUTES_MAX: i64 = 60 * 24 * 31;

/// What a project takes from a datastore or a dataset: one of the two is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectSource {
    pub id: SourceId,
    pub project_id: ProjectId,
    pub datastore_id: Option<DatastoreId>,
    pub datastore_name: Option<String>,
    pub dataset: Option<SourceDataset>,
    /// A pattern of paths, such as `street/**`, `*.jpg` or `**`.
    pub glob: String,
    /// The pictures of a folder are one item, the frames of a video. Absent: each picture is an item.
    pub sequence: Option<Sequence>,
    /// Minutes between two refreshes; by hand only when absent.
    pub every_minutes: Option<i64>,
    /// When the schedule refreshes next.
    pub next_at: Option<Timestamp>,
    /// The newest refresh.
    pub job_id: Option<JobId>,
    /// How that stands. One that is over has told its figures.
    pub job_state: Option<JobState>,
    pub last_at: Option<Timestamp>,
    /// What the last refresh that came to its end found.
    pub last: Option<SourceReport>,
    /// Files that were taken so far.
    pub files: i64,
    pub created_by_name: Option<String>,
    pub created_at: Timestamp,
}

impl ProjectSource {
    /// What the datastore or dataset is called.
    pub fn name(&self) -> &str {
        match (&self.dataset, &self.datastore_name) {
            (Some(of), _) => &of.name,
            (None, Some(name)) => name,
            (None, None) => "",
        }
    }
}

/// A dataset that a project takes files from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceDataset {
    /// Absent when the dataset was deleted.
    pub dataset_id: Option<DatasetId>,
    /// The name it has, or had last.
    pub name: String,
    /// Which version a refresh takes: `latest`, an alias, or a number.
    pub version: String,
    /// Only files of this split.
    pub split: Option<Split>,
    /// Labels of new files come in with them.
    pub with_labels: bool,
    /// The number of the version that was taken last; absent before the first, and when that was deleted.
    pub taken: Option<i64>,
}

impl SourceDataset {
    /// Which of its files, in words: `latest, train`.
    pub fn which(&self) -> String {
        let version = if self.version.bytes().all(|b| b.is_ascii_digit()) {
            format!("version {}", self.version)
        } else {
            self.version.clone()
        };
        match self.split {
            Some(split) => format!("{version}, {}", split.label().to_lowercase()),
            None => version,
        }
    }
}

/// A dataset to take files from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetChoice {
    pub dataset_id: DatasetId,
    /// Which version each refresh takes: `latest`, an alias, or a number for always the same.
    #[serde(default = "latest")]
    pub version: String,
    /// Only files of this split; all when absent.
    #[serde(default)]
    pub split: Option<Split>,
    /// Take the labels of new files too, as an import does: their items are done.
    #[serde(default)]
    pub with_labels: bool,
}

fn latest() -> String {
    LATEST.to_owned()
}

/// A source to add, of a datastore or a dataset; its first refresh begins at once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddSource {
    #[serde(default)]
    pub datastore_id: Option<DatastoreId>,
    #[serde(default)]
    pub dataset: Option<DatasetChoice>,
    /// A pattern of paths; everything when empty.
    #[serde(default)]
    pub glob: String,
    /// Take the pictures of each folder as the frames of a video; each is an item when absent. Of datastores alone.
    #[serde(default)]
    pub sequence: Option<Sequence>,
    /// 5 minutes to 31 days; by hand only when absent.
    #[serde(default)]
    pub every_minutes: Option<i64>,
}

/// A new schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateSource {
    pub every_minutes: Option<i64>,
}

/// What became of a file of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FileState {
    /// It is an item.
    Taken,
    /// It was looked at and cannot be one; looked at again when it changes.
    Refused,
    /// It has other content than the item that was made of it, which stays as it was.
    Changed,
}

/// What a refresh found. Nothing of the project changes but that items are added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceReport {
    /// Files that match the pattern, frames among them; of a dataset those that can be items of the project.
    pub matched: i64,
    /// As they were at the last refresh; not read again. A folder of frames is one.
    pub unchanged: i64,
    /// Items whose file has other content now. The items stay.
    pub changed: i64,
    /// Items whose file is not there any more. The items stay.
    pub vanished: i64,
    /// Bytes read.
    pub bytes: i64,
    /// What was taken and refused.
    pub report: ImportReport,
}

/// Whether a schedule can be kept.
pub fn check_every(minutes: Option<i64>) -> Result<Option<i64>, String> {
    match minutes {
        Some(n) if !(MINUTES_MIN..=MINUTES_MAX).contains(&n) => Err(format!(
            "A schedule is every {MINUTES_MIN} to {MINUTES_MAX} minutes; {n} is outside."
        )),
        other => Ok(other),
    }
}
