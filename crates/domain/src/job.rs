//! Background jobs as people see them.

use crate::id::{JobId, ProjectId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl JobState {
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Succeeded => "Done",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// A job with its progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    pub id: JobId,
    /// `import`, `export`, `sample`, `tiles`...
    pub kind: String,
    /// What it does, in words: "Import COCO into Raccoons".
    pub title: String,
    pub project_id: Option<ProjectId>,
    pub created_by: Option<UserId>,
    pub state: JobState,
    /// Units done of `total`; total 0 means not known yet.
    pub done: i64,
    pub total: i64,
    /// What it is doing now.
    pub message: String,
    pub cancel_requested: bool,
    pub attempts: i64,
    /// What it made (an export's link, an import's report); absent until then.
    pub result: Option<serde_json::Value>,
    /// Why it failed, for people.
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// A line of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobLogLine {
    pub at: Timestamp,
    pub message: String,
}
