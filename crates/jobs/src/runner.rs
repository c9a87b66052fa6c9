//! Claims due jobs and runs them.

use crate::attempt::Attempt;
use crate::handler::Registry;
use crate::progress::Now;
use crate::queue::Wake;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use limn_domain::{JobId, Timestamp};
use limn_store::repo::job::{self, Claimed};
use limn_store::{Db, StoreError};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How a runner spends its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two looks at the queue when nothing wakes the runner.
    pub poll: Duration,
    /// Between two looks at a running job for a cancel.
    pub watch: Duration,
    /// How long a silent worker keeps its jobs.
    pub lease: Duration,
    /// How long a job may take to stop at shutdown before it is cut off.
    pub grace: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            watch: Duration::from_millis(500),
            lease: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

impl Timing {
    pub(crate) fn lease_until(&self, now: Timestamp) -> Timestamp {
        Timestamp(
            now.0
                .saturating_add(i64::try_from(self.lease.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

type Chore = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Claims and runs jobs until told to stop.
pub struct Runner {
    db: Db,
    registry: Registry,
    wake: Wake,
    concurrency: usize,
    now: Now,
    timing: Timing,
    /// Names this runner in its claims.
    name: String,
    chores: Vec<(Duration, Chore)>,
}

impl Runner {
    /// `concurrency` jobs at once; `now` is the clock.
    pub fn new(
        db: Db,
        registry: Registry,
        wake: Wake,
        concurrency: usize,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let name = format!("{}-{}", std::process::id(), JobId::new());
        let (concurrency, timing) = (concurrency.max(1), Timing::default());
        Self {
            db,
            registry,
            wake,
            concurrency,
            now: Arc::new(now),
            timing,
            name,
            chores: Vec::new(),
        }
    }

    /// Also does `chore` once at the start and then again and again, beside the jobs; for clean-up that needs no trace.
    /// Must be safe to do by several runners at once.
    #[must_use]
    pub fn every(
        mut self,
        interval: Duration,
        chore: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.chores.push((interval, Box::new(chore)));
        self
    }

    /// Other times than the ordinary ones.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Runs until `stop`; then cancels what runs, hands it back to the queue and returns.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut chores = JoinSet::new();
        for (interval, chore) in std::mem::take(&mut self.chores) {
            chores.spawn(repeat(interval, chore, stop.clone()));
        }
        let kinds = self.registry.kinds();
        let mut running = JoinSet::new();
        let mut claims = 0_u64;
        while !stop.is_cancelled() {
            // Armed before looking, so that nothing enqueued meanwhile is slept through.
            let mut notified = std::pin::pin!(self.wake.notified());
            notified.as_mut().enable();
            while running.len() < self.concurrency && !stop.is_cancelled() {
                claims += 1;
                let worker = format!("{}-{claims}", self.name);
                match self.claim(&worker, &kinds).await {
                    Ok(Some(job)) => self.start(&mut running, job, worker, &stop),
                    Ok(None) => break,
                    Err(e) => {
                        tracing::warn!(error = %e, "the job queue cannot be read");
                        break;
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = notified => {}
                () = tokio::time::sleep(self.timing.poll) => {}
                Some(ended) = running.join_next(), if !running.is_empty() => report(ended),
            }
        }
        while let Some(ended) = running.join_next().await {
            report(ended);
        }
        chores.shutdown().await;
    }

    /// The next due job, after taking back those of dead workers. Writes only when there is something to write.
    async fn claim(&self, worker: &str, kinds: &[&'static str]) -> Result<Option<Claimed>, StoreError> {
        if kinds.is_empty() {
            return Ok(None);
        }
        let now = (self.now)();
        let waiting = {
            let mut tx = self.db.read().await?;
            job::waiting(&mut tx, kinds, now).await?
        };
        if waiting.expired {
            let back = self
                .db
                .write(move |tx| Box::pin(async move { job::reap(tx, now).await }))
                .await?;
            if back > 0 {
                tracing::warn!(jobs = back, "took back jobs of a worker that fell silent");
            }
        } else if !waiting.claimable {
            return Ok(None);
        }
        let (worker, kinds, until) = (worker.to_owned(), kinds.to_vec(), self.timing.lease_until(now));
        self.db
            .write(move |tx| Box::pin(async move { job::claim(tx, &worker, &kinds, until, now).await }))
            .await
    }

    fn start(&self, running: &mut JoinSet<()>, job: Claimed, worker: String, stop: &CancellationToken) {
        let Some(handler) = self.registry.get(&job.kind) else {
            return;
        };
        let attempt = Attempt {
            db: self.db.clone(),
            job,
            worker,
            handler,
            wake: self.wake.clone(),
            timing: self.timing,
            now: Arc::clone(&self.now),
            stop: stop.clone(),
        };
        running.spawn(attempt.run());
    }
}

async fn repeat(interval: Duration, chore: Chore, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // A panic in one round is caught so that the next one comes.
        if AssertUnwindSafe(chore()).catch_unwind().await.is_err() {
            tracing::error!("a clean-up panicked");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(interval) => {}
        }
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(e) = ended {
        tracing::error!(error = %e, "the watch over a job ended early; its lease will run out");
    }
}
