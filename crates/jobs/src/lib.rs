//! The durable job queue: enqueue inside the caller's transaction, run with lease, heartbeat, retry, progress and cancel.
//!
//! Knows nothing of what the jobs do: handlers are registered by kind ([`Registry`]). Must not check roles or know HTTP.

use limn_domain::{JobId, ProjectId, Timestamp, UserId};
use limn_store::{Db, StoreError, Tx};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
    todo!()
}

/// Rouses idle runners of this process; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<tokio::sync::Notify>);

impl Wake {
    pub fn wake(&self) {
        self.0.notify_waiters();
    }
}

/// What a handler may do besides its work: report progress, log, see whether it is cancelled.
#[derive(Clone)]
pub struct Progress {}

impl Progress {
    pub fn job_id(&self) -> JobId {
        todo!()
    }
    /// Units done of `total` (0: unknown) and what is going on; written to the database at most twice a second.
    pub async fn report(&self, done: i64, total: i64, message: impl Into<String>) -> anyhow::Result<()> {
        todo!()
    }
    /// Adds a line to the log that people read.
    pub async fn log(&self, message: impl Into<String>) -> anyhow::Result<()> {
        todo!()
    }
    /// Cancelled by a person or by shutdown; long work checks it or selects on it.
    pub fn token(&self) -> &CancellationToken {
        todo!()
    }
    /// `Err` when cancelled; the runner knows this error.
    pub fn check(&self) -> anyhow::Result<()> {
        todo!()
    }
}

/// What runs for one kind of job. Must be idempotent: it may run again after a crash.
#[async_trait::async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers the job's result. An error fails the attempt; its message is shown to people.
    async fn run(&self, payload: serde_json::Value, progress: Progress) -> anyhow::Result<Option<serde_json::Value>>;
}

/// Handlers by kind.
#[derive(Clone, Default)]
pub struct Registry {}

impl Registry {
    pub fn register(&mut self, kind: &'static str, handler: impl Handler) {
        todo!()
    }
}

/// Claims and runs jobs until told to stop.
pub struct Runner {}

impl Runner {
    /// `concurrency` jobs at once; `now` is the clock.
    pub fn new(
        db: Db,
        registry: Registry,
        wake: Wake,
        concurrency: usize,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        todo!()
    }
    /// Runs until `stop`; then cancels what runs, hands it back to the queue and returns.
    pub async fn run(self, stop: CancellationToken) {
        todo!()
    }
}
