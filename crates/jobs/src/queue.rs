//! Putting jobs into the queue.

use limn_domain::{JobId, ProjectId, Timestamp, UserId};
use limn_store::repo::job;
use limn_store::{StoreError, Tx};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A job to enqueue.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub kind: &'static str,
    pub title: String,
    pub project_id: Option<ProjectId>,
    pub created_by: Option<UserId>,
    pub payload: serde_json::Value,
    /// A queued job with the same key is not queued twice; the queued one is answered.
    pub dedup_key: Option<String>,
    /// Higher runs first; 0 is ordinary.
    pub priority: i64,
    pub max_attempts: i64,
}

/// Adds a job inside the caller's transaction. Call [`Wake::wake`] after the commit so that it starts at once.
pub async fn enqueue(tx: &mut Tx, job: NewJob, now: Timestamp) -> Result<JobId, StoreError> {
    job::insert(
        tx,
        job::Insert {
            kind: job.kind,
            title: &job.title,
            project_id: job.project_id,
            created_by: job.created_by,
            payload: &job.payload,
            dedup_key: job.dedup_key.as_deref(),
            priority: job.priority,
            max_attempts: job.max_attempts,
            run_after: now,
            now,
        },
    )
    .await
}

/// Rouses idle runners of this process, and running attempts to look for a cancel; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    pub fn wake(&self) {
        self.0.notify_waiters();
    }

    pub(crate) fn notified(&self) -> Notified<'_> {
        self.0.notified()
    }
}
