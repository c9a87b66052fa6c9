//! What a handler says while it works.

use crate::handler::Cancelled;
use limn_domain::{JobId, Timestamp};
use limn_store::repo::job;
use limn_store::{Db, StoreError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Progress is written at most this often.
const WRITE_EVERY: Duration = Duration::from_millis(500);

/// What a handler may do besides its work: report progress, log, see whether it is cancelled. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    inner: Arc<Inner>,
}

pub(crate) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

struct Inner {
    db: Db,
    id: JobId,
    /// The claim, see [`job`].
    worker: String,
    token: CancellationToken,
    now: Now,
    latest: Mutex<Latest>,
    /// Log lines are numbered in the database; one at a time.
    logging: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Latest {
    written_at: Option<Instant>,
    pending: Option<(i64, i64, String)>,
}

impl Progress {
    pub(crate) fn new(db: Db, id: JobId, worker: String, token: CancellationToken, now: Now) -> Self {
        let inner = Inner {
            db,
            id,
            worker,
            token,
            now,
            latest: Mutex::default(),
            logging: tokio::sync::Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub fn job_id(&self) -> JobId {
        self.inner.id
    }

    /// Units done of `total` (0: unknown) and what is going on; written to the database at most twice a second. `Err`
    /// when cancelled, so that a loop that reports also stops.
    pub async fn report(&self, done: i64, total: i64, message: impl Into<String>) -> anyhow::Result<()> {
        self.note(done, total, message);
        self.flush(false).await;
        self.check()
    }

    /// The same from code that cannot wait; the next heartbeat writes it.
    pub fn note(&self, done: i64, total: i64, message: impl Into<String>) {
        let mut latest = self.inner.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.pending = Some((done, total, message.into()));
    }

    /// Adds a line to the log that people read.
    pub async fn log(&self, message: impl Into<String>) -> anyhow::Result<()> {
        let message = message.into();
        tracing::info!(job = %self.inner.id, "{message}");
        let _one = self.inner.logging.lock().await;
        let (id, now) = (self.inner.id, (self.inner.now)());
        let written: Result<(), StoreError> = self
            .inner
            .db
            .write(move |tx| Box::pin(async move { job::log(tx, id, &message, now).await }))
            .await;
        if let Err(e) = written {
            // A log line is not worth the work.
            tracing::warn!(job = %self.inner.id, error = %e, "a log line of a job was not kept");
        }
        Ok(())
    }

    /// Cancelled by a person or by shutdown; long work checks it or selects on it.
    pub fn token(&self) -> &CancellationToken {
        &self.inner.token
    }

    /// `Err` when cancelled; the runner knows this error.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.inner.token.is_cancelled() {
            Err(Cancelled.into())
        } else {
            Ok(())
        }
    }

    /// Writes what was reported and not written yet, if it is time or `now_or_never`.
    pub(crate) async fn flush(&self, now_or_never: bool) {
        let pending = {
            let mut latest = self.inner.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let due = now_or_never || latest.written_at.is_none_or(|t| t.elapsed() >= WRITE_EVERY);
            let pending = if due { latest.pending.take() } else { None };
            if pending.is_some() {
                latest.written_at = Some(Instant::now());
            }
            pending
        };
        let Some((done, total, message)) = pending else {
            return;
        };
        let (id, worker) = (self.inner.id, self.inner.worker.clone());
        let written: Result<(), StoreError> = self
            .inner
            .db
            .write(move |tx| {
                Box::pin(async move { job::progress(tx, id, &worker, done, total, &message).await })
            })
            .await;
        if let Err(e) = written {
            tracing::warn!(job = %self.inner.id, error = %e, "the progress of a job was not kept");
        }
    }
}
