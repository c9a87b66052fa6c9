//! One attempt at one job: the handler under watch, and how it ended.

use crate::handler::{Handler, Permanent};
use crate::progress::{Now, Progress};
use crate::queue::Wake;
use crate::runner::Timing;
use limn_store::repo::job::{self, Claimed, End};
use limn_store::{Db, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longest time between two attempts, in seconds.
const BACK_OFF_MAX: i64 = 600;

pub(crate) struct Attempt {
    pub db: Db,
    pub job: Claimed,
    /// The claim, see [`job`].
    pub worker: String,
    pub handler: Arc<dyn Handler>,
    pub wake: Wake,
    pub timing: Timing,
    pub now: Now,
    pub stop: CancellationToken,
}

/// Why the handler was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Person,
    Shutdown,
    /// Another worker may have the job by now.
    LostLease,
}

type Outcome = Result<anyhow::Result<Option<serde_json::Value>>, tokio::task::JoinError>;

impl Attempt {
    /// Runs the handler to its end and writes the outcome.
    pub async fn run(self) {
        let token = CancellationToken::new();
        let progress = Progress::new(
            self.db.clone(),
            self.job.id,
            self.worker.clone(),
            token.clone(),
            Arc::clone(&self.now),
        );
        let (handler, payload, own) = (
            Arc::clone(&self.handler),
            self.job.payload.clone(),
            progress.clone(),
        );
        tracing::info!(job = %self.job.id, kind = %self.job.kind, attempt = self.job.attempts, "job started");
        // A task of its own, so that a panic ends the attempt and nothing else.
        let mut task = tokio::spawn(async move { handler.run(payload, own).await });
        let (outcome, why) = self.watch(&mut task, &token, &progress).await;
        if why == Some(Why::LostLease) {
            tracing::warn!(job = %self.job.id, "the lease was lost; what this attempt did last is not noted");
            return;
        }
        progress.flush(true).await;
        let end = self.judge(outcome, why);
        let success = matches!(end, End::Succeeded(_));
        if self.write(end).await && success {
            self.handler.succeeded(self.job.payload).await;
        }
    }

    /// Keeps the lease and looks for a cancel until the handler is through.
    async fn watch(
        &self,
        task: &mut JoinHandle<anyhow::Result<Option<serde_json::Value>>>,
        token: &CancellationToken,
        progress: &Progress,
    ) -> (Outcome, Option<Why>) {
        let mut why = None;
        let mut extended = tokio::time::Instant::now();
        let mut told = None;
        loop {
            let notified = self.wake.notified();
            tokio::select! {
                outcome = &mut *task => return (outcome, why),
                () = self.stop.cancelled(), if why.is_none() => why = Some(Why::Shutdown),
                () = notified => {}
                () = tokio::time::sleep(self.timing.watch) => {}
            }
            progress.flush(false).await;
            if why.is_none() {
                why = self.ask().await;
            }
            if let Some(reason) = why {
                token.cancel();
                let since = *told.get_or_insert_with(tokio::time::Instant::now);
                if reason != Why::Person && since.elapsed() > self.timing.grace {
                    tracing::warn!(job = %self.job.id, "a job did not stop in time and was cut off");
                    task.abort();
                }
            }
            if extended.elapsed() >= self.timing.lease / 4 {
                extended = tokio::time::Instant::now();
                if !self.extend().await && why != Some(Why::LostLease) {
                    why = Some(Why::LostLease);
                    token.cancel();
                }
            }
        }
    }

    /// Whether the job should stop. A database that does not answer is no reason.
    async fn ask(&self) -> Option<Why> {
        let answer = async {
            let mut tx = self.db.read().await?;
            job::watch(&mut tx, self.job.id, &self.worker).await
        };
        match answer.await {
            Ok(Some(false)) | Err(_) => None,
            Ok(Some(true)) => Some(Why::Person),
            Ok(None) => Some(Why::LostLease),
        }
    }

    /// False when the claim is gone for certain.
    async fn extend(&self) -> bool {
        let (id, worker, until) = (
            self.job.id,
            self.worker.clone(),
            self.timing.lease_until((self.now)()),
        );
        let extended: Result<bool, StoreError> = self
            .db
            .write(move |tx| Box::pin(async move { job::extend(tx, id, &worker, until).await }))
            .await;
        extended.unwrap_or_else(|e| {
            tracing::warn!(job = %id, error = %e, "the lease of a job was not extended");
            true
        })
    }

    fn judge(&self, outcome: Outcome, why: Option<Why>) -> End {
        let error = match outcome {
            Ok(Ok(result)) => return End::Succeeded(result),
            Ok(Err(e)) => e,
            Err(e) if e.is_panic() => {
                tracing::error!(job = %self.job.id, kind = %self.job.kind, "a job panicked");
                anyhow::anyhow!("The job ran into a fault of the program. Report it with the server's log.")
            }
            Err(_) => anyhow::anyhow!("The job was cut off."),
        };
        match why {
            Some(Why::Person) => return End::Cancelled,
            Some(Why::Shutdown | Why::LostLease) => return End::HandedBack,
            None => {}
        }
        let permanent = error.downcast_ref::<Permanent>().is_some();
        tracing::warn!(job = %self.job.id, kind = %self.job.kind, attempt = self.job.attempts, error = ?error, "job failed");
        let text = if is_disk_full(&error) {
            "The server's disk is full. Make room on it, then try again.".to_owned()
        } else {
            error.to_string()
        };
        if permanent || self.job.attempts >= self.job.max_attempts {
            End::Failed(text)
        } else {
            End::Retry(text, (self.now)().plus_seconds(back_off(self.job.attempts)))
        }
    }

    /// Writes the end, patiently: without it the job would run once more. False when it could not be written.
    async fn write(&self, end: End) -> bool {
        for wait in [100, 500, 2_000, 5_000, 0] {
            let (id, worker, now, end) = (self.job.id, self.worker.clone(), (self.now)(), end.clone());
            let written: Result<bool, StoreError> = self
                .db
                .write(move |tx| Box::pin(async move { job::end(tx, id, &worker, &end, now).await }))
                .await;
            match written {
                Ok(true) => {
                    // A handed-back job, or whatever waits, may start elsewhere.
                    self.wake.wake();
                    return true;
                }
                Ok(false) => {
                    tracing::warn!(job = %self.job.id, "the lease was lost before the end was written");
                    return false;
                }
                Err(e) => tracing::error!(job = %self.job.id, error = %e, "the end of a job was not written"),
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        false
    }
}

/// Whether the disk had no room left, for a file or for the database.
fn is_disk_full(error: &anyhow::Error) -> bool {
    error.chain().any(|e| {
        e.downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::StorageFull)
            // SQLite's own words; PostgreSQL's are the system's.
            || e.to_string().contains("database or disk is full")
            || e.to_string().contains("No space left on device")
    })
}

/// Seconds until the next attempt after the `attempts`-th failed: 5, 20, 45...
const fn back_off(attempts: i64) -> i64 {
    let seconds = 5 * attempts * attempts;
    if seconds < BACK_OFF_MAX {
        seconds
    } else {
        BACK_OFF_MAX
    }
}
