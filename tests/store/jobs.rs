//! The queue's promises, on SQLite and, when `LIMN_TEST_PG` names a cluster, on PostgreSQL.

use limn_domain::job::{Job, JobState};
use limn_domain::{JobId, Timestamp};
use limn_jobs::{Handler, NewJob, Permanent, Progress, Registry, Runner, Timing, Wake};
use limn_store::repo::job::{self, ListFilter};
use limn_store::{Db, StoreError};
use limn_testkit::on_both;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A clock that tests move, in microseconds.
#[derive(Clone)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000_000_000)))
    }
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * Timestamp::SECOND, Ordering::Relaxed);
    }
}

struct Bench {
    db: Db,
    clock: Clock,
    wake: Wake,
}

const QUICK: Timing = Timing {
    poll: Duration::from_millis(50),
    watch: Duration::from_millis(50),
    lease: Duration::from_secs(30),
    grace: Duration::from_millis(500),
};

fn new_job(kind: &'static str, payload: Value) -> NewJob {
    NewJob {
        kind,
        title: format!("A {kind} job"),
        project_id: None,
        created_by: None,
        payload,
        dedup_key: None,
        priority: 0,
        max_attempts: 3,
    }
}

impl Bench {
    fn new(db: Db) -> Self {
        Self {
            db,
            clock: Clock::new(),
            wake: Wake::default(),
        }
    }

    async fn enqueue(&self, job: NewJob) -> JobId {
        let now = self.clock.now();
        let id: Result<JobId, StoreError> = self
            .db
            .write(move |tx| Box::pin(async move { limn_jobs::enqueue(tx, job, now).await }))
            .await;
        self.wake.wake();
        id.unwrap()
    }

    fn start(
        &self,
        kind: &'static str,
        handler: impl Handler,
        concurrency: usize,
    ) -> (CancellationToken, JoinHandle<()>) {
        let mut registry = Registry::default();
        registry.register(kind, handler);
        let clock = self.clock.clone();
        let runner = Runner::new(
            self.db.clone(),
            registry,
            self.wake.clone(),
            concurrency,
            move || clock.now(),
        );
        let stop = CancellationToken::new();
        (stop.clone(), tokio::spawn(runner.with_timing(QUICK).run(stop)))
    }

    async fn get(&self, id: JobId) -> Job {
        job::get(&mut self.db.read().await.unwrap(), id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn until(&self, id: JobId, what: impl Fn(&Job) -> bool) -> Job {
        let began = Instant::now();
        loop {
            let job = self.get(id).await;
            if what(&job) {
                return job;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{job:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn cancel(&self, id: JobId) -> bool {
        let now = self.clock.now();
        let done: Result<bool, StoreError> = self
            .db
            .write(move |tx| Box::pin(async move { job::request_cancel(tx, id, now).await }))
            .await;
        self.wake.wake();
        done.unwrap()
    }

    async fn claim(&self, worker: &'static str) -> Option<job::Claimed> {
        let now = self.clock.now();
        let claimed: Result<_, StoreError> = self
            .db
            .write(move |tx| {
                Box::pin(async move { job::claim(tx, worker, &["k"], now.plus_seconds(30), now).await })
            })
            .await;
        claimed.unwrap()
    }
}

/// A handler made of a closure.
struct Do<F>(F);

#[async_trait::async_trait]
impl<F, R> Handler for Do<F>
where
    F: Fn(Value, Progress) -> R + Send + Sync + 'static,
    R: Future<Output = anyhow::Result<Option<Value>>> + Send,
{
    async fn run(&self, payload: Value, progress: Progress) -> anyhow::Result<Option<Value>> {
        (self.0)(payload, progress).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_workers_run_each_of_400_jobs_once() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let now = bench.clock.now();
        let ids: Result<Vec<JobId>, StoreError> = bench
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut ids = Vec::new();
                    for n in 0..400 {
                        ids.push(limn_jobs::enqueue(tx, new_job("k", json!(n)), now).await?);
                    }
                    Ok(ids)
                })
            })
            .await;
        let ids = ids.unwrap();
        let ran: Arc<Mutex<HashMap<i64, usize>>> = Arc::default();
        let runners: Vec<_> = (0..8)
            .map(|_| {
                let ran = Arc::clone(&ran);
                bench.start(
                    "k",
                    Do(move |n: Value, _| {
                        let ran = Arc::clone(&ran);
                        async move {
                            *ran.lock().unwrap().entry(n.as_i64().unwrap()).or_default() += 1;
                            Ok(None)
                        }
                    }),
                    1,
                )
            })
            .collect();
        for id in ids {
            let done = bench.until(id, |j| j.state.is_final()).await;
            assert_eq!((done.state, done.attempts), (JobState::Succeeded, 1));
        }
        for (stop, task) in runners {
            stop.cancel();
            task.await.unwrap();
        }
        let ran = ran.lock().unwrap();
        assert_eq!(ran.len(), 400);
        assert!(ran.values().all(|n| *n == 1), "a job ran twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_more_urgent_and_then_the_older_job_runs_first() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let first = bench.enqueue(new_job("k", json!(1))).await;
        bench.clock.advance(1);
        let second = bench.enqueue(new_job("k", json!(2))).await;
        let urgent = bench
            .enqueue(NewJob {
                priority: 5,
                ..new_job("k", json!(3))
            })
            .await;
        bench.enqueue(new_job("unknown", json!(4))).await;
        for expected in [urgent, first, second] {
            assert_eq!(bench.claim("w").await.unwrap().id, expected);
        }
        assert_eq!(bench.claim("w").await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_workers_job_comes_back_and_its_late_end_is_ignored() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let id = bench
            .enqueue(NewJob {
                max_attempts: 2,
                ..new_job("k", json!({}))
            })
            .await;
        assert_eq!(bench.claim("dead").await.unwrap().attempts, 1);
        let reap = || async {
            let now = bench.clock.now();
            let n: Result<u64, StoreError> = bench
                .db
                .write(move |tx| Box::pin(async move { job::reap(tx, now).await }))
                .await;
            n.unwrap()
        };
        assert_eq!(reap().await, 0, "the lease still runs");
        bench.clock.advance(31);
        assert_eq!(reap().await, 1);
        assert_eq!(bench.get(id).await.state, JobState::Queued);
        assert_eq!(bench.claim("alive").await.unwrap().attempts, 2);
        let now = bench.clock.now();
        let late: Result<bool, StoreError> = bench
            .db
            .write(move |tx| {
                Box::pin(async move {
                    job::end(tx, id, "dead", &job::End::Succeeded(Some(json!("late"))), now).await
                })
            })
            .await;
        assert!(!late.unwrap());
        assert_eq!(bench.get(id).await.state, JobState::Running);
        bench.clock.advance(31);
        assert_eq!(reap().await, 1);
        let job = bench.get(id).await;
        assert_eq!(job.state, JobState::Failed, "no attempt is left");
        assert!(job.error.unwrap().contains("server stopped"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_takes_up_what_a_killed_one_left() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let id = bench.enqueue(new_job("k", json!({}))).await;
        bench.claim("killed").await.unwrap();
        bench.clock.advance(31);
        let (stop, task) = bench.start("k", Do(|_, _| async { Ok(Some(json!(7))) }), 1);
        let job = bench.until(id, |j| j.state.is_final()).await;
        assert_eq!(
            (job.state, job.attempts, job.result),
            (JobState::Succeeded, 2, Some(json!(7)))
        );
        stop.cancel();
        task.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_tried_again_panics_included_and_permanent_ones_are_not() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let tries = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&tries);
        let handler = Do(move |what: Value, _| {
            let n = seen.fetch_add(1, Ordering::SeqCst);
            async move {
                match what.as_str() {
                    Some("permanent") => Err(Permanent("The file is not a zip.".into()).into()),
                    Some("panic") => panic!("on purpose"),
                    Some("full") => {
                        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
                        Err(anyhow::Error::from(full).context("Frames could not be stored"))
                    }
                    _ if n == 0 => anyhow::bail!("The first try fails."),
                    _ => Ok(None),
                }
            }
        });
        let (stop, task) = bench.start("k", handler, 1);

        let id = bench.enqueue(new_job("k", json!("once"))).await;
        let waiting = bench.until(id, |j| j.error.is_some()).await;
        assert_eq!((waiting.state, waiting.attempts), (JobState::Queued, 1));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(
            bench.get(id).await.attempts,
            1,
            "it waits before the next attempt"
        );
        bench.clock.advance(10);
        let done = bench.until(id, |j| j.state.is_final()).await;
        assert_eq!(
            (done.state, done.attempts, done.error),
            (JobState::Succeeded, 2, None)
        );

        let id = bench.enqueue(new_job("k", json!("permanent"))).await;
        let failed = bench.until(id, |j| j.state.is_final()).await;
        assert_eq!((failed.state, failed.attempts), (JobState::Failed, 1));
        assert_eq!(failed.error.as_deref(), Some("The file is not a zip."));

        let id = bench
            .enqueue(NewJob {
                max_attempts: 1,
                ..new_job("k", json!("full"))
            })
            .await;
        let failed = bench.until(id, |j| j.state.is_final()).await;
        let said = failed.error.unwrap();
        assert!(
            said.starts_with("The server's disk is full. Make room on it"),
            "{said}"
        );

        let id = bench
            .enqueue(NewJob {
                max_attempts: 1,
                ..new_job("k", json!("panic"))
            })
            .await;
        let failed = bench.until(id, |j| j.state.is_final()).await;
        assert_eq!(failed.state, JobState::Failed);
        assert!(failed.error.unwrap().contains("fault"));

        let id = bench.enqueue(new_job("k", json!("fine"))).await;
        assert_eq!(
            bench.until(id, |j| j.state.is_final()).await.state,
            JobState::Succeeded,
            "the runner lives on"
        );
        stop.cancel();
        task.await.unwrap();
    })
    .await;
}

/// Works until it is told to stop.
fn endless() -> impl Handler {
    Do(|_, progress: Progress| async move {
        let mut n = 0;
        loop {
            progress.report(n, 100, format!("step {n}")).await?;
            n += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_is_noticed_while_the_job_runs() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let queued = bench.enqueue(new_job("k", json!({}))).await;
        assert!(bench.cancel(queued).await);
        assert_eq!(
            bench.get(queued).await.state,
            JobState::Cancelled,
            "a queued job ends at once"
        );
        assert!(!bench.cancel(queued).await);

        let (stop, task) = bench.start("k", endless(), 1);
        let id = bench.enqueue(new_job("k", json!({}))).await;
        bench.until(id, |j| j.done > 0).await;
        assert!(bench.cancel(id).await);
        let job = bench.until(id, |j| j.state.is_final()).await;
        assert_eq!((job.state, job.error), (JobState::Cancelled, None));
        stop.cancel();
        task.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_hands_jobs_back_without_spending_an_attempt() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let (stop, task) = bench.start("k", endless(), 2);
        let id = bench.enqueue(new_job("k", json!({}))).await;
        let other = bench.enqueue(new_job("k", json!({}))).await;
        bench.until(id, |j| j.done > 0).await;
        bench.until(other, |j| j.done > 0).await;
        bench.cancel(other).await;
        stop.cancel();
        task.await.unwrap();
        let job = bench.get(id).await;
        assert_eq!((job.state, job.attempts), (JobState::Queued, 0));
        assert_eq!(bench.get(other).await.state, JobState::Cancelled);
        // One that does not listen is cut off.
        let (stop, task) = bench.start("k", Do(|_, _| async { std::future::pending().await }), 1);
        bench.until(id, |j| j.state == JobState::Running).await;
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(3), task)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(bench.get(id).await.state, JobState::Queued);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_jobs_wait_once() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let job = || NewJob {
            dedup_key: Some("same".into()),
            ..new_job("k", json!({}))
        };
        let first = bench.enqueue(job()).await;
        assert_eq!(bench.enqueue(job()).await, first);
        assert_eq!(bench.claim("w").await.unwrap().id, first);
        let second = bench.enqueue(job()).await;
        assert_ne!(second, first, "a running job is no reason not to queue");
        // The first one comes back beside the second.
        bench.clock.advance(31);
        let now = bench.clock.now();
        let n: Result<u64, StoreError> = bench
            .db
            .write(move |tx| Box::pin(async move { job::reap(tx, now).await }))
            .await;
        assert_eq!(n.unwrap(), 1);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (db, now) = (bench.db.clone(), bench.clock.now());
            let new = NewJob {
                dedup_key: Some("racing".into()),
                ..new_job("k", json!({}))
            };
            tasks.spawn(async move {
                let id: Result<JobId, StoreError> = db
                    .write(move |tx| Box::pin(async move { limn_jobs::enqueue(tx, new, now).await }))
                    .await;
                id.unwrap()
            });
        }
        let ids = tasks.join_all().await;
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_logs_lists_and_retries() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let handler = Do(|_, progress: Progress| async move {
            let began = Instant::now();
            for n in 0..2_000 {
                progress.report(n, 2_000, "counting").await?;
            }
            progress.log("Counted \u{1f600}").await?;
            progress.log("x".repeat(10_000)).await?;
            Ok(Some(
                json!({ "ms": began.elapsed().as_millis() as u64, "long": "y".repeat(5_000) }),
            ))
        });
        let (stop, task) = bench.start("k", handler, 1);
        let id = bench.enqueue(new_job("k", json!({}))).await;
        let job = bench.until(id, |j| j.state.is_final()).await;
        assert_eq!(
            (job.state, job.done, job.total),
            (JobState::Succeeded, 1_999, 2_000),
            "the last report is kept"
        );
        let result = job.result.unwrap();
        assert!(
            result["ms"].as_u64().unwrap() < 2_000,
            "reports are not writes: {}",
            result["ms"]
        );

        let mut tx = bench.db.read().await.unwrap();
        let lines = job::log_lines(&mut tx, id, 0, 10).await.unwrap();
        assert_eq!((lines.len(), lines[0].message.as_str()), (2, "Counted \u{1f600}"));
        assert_eq!(lines[1].message.len(), 2_000);
        assert_eq!(job::log_lines(&mut tx, id, 1, 10).await.unwrap().len(), 1);
        let listed = job::list(
            &mut tx,
            &ListFilter {
                limit: 10,
                ..ListFilter::default()
            },
        )
        .await
        .unwrap();
        assert_eq!(
            (listed.len(), listed[0].result.as_ref()),
            (1, None),
            "long results stay out of lists"
        );
        assert_eq!(job::counts(&mut tx).await.unwrap(), (0, 0));
        drop(tx);

        let now = bench.clock.now();
        let again: Result<bool, StoreError> = bench
            .db
            .write(move |tx| Box::pin(async move { job::requeue(tx, id, now).await }))
            .await;
        assert!(!again.unwrap(), "a job that is done is not run again");
        stop.cancel();
        task.await.unwrap();

        let cancelled = bench.enqueue(new_job("k", json!({}))).await;
        bench.cancel(cancelled).await;
        let again: Result<bool, StoreError> = bench
            .db
            .write(move |tx| Box::pin(async move { job::requeue(tx, cancelled, now).await }))
            .await;
        assert!(again.unwrap());
        assert_eq!(bench.get(cancelled).await.state, JobState::Queued);

        bench.clock.advance(100);
        let before = bench.clock.now();
        let gone: Result<Vec<JobId>, StoreError> = bench
            .db
            .write(move |tx| Box::pin(async move { job::delete_ended(tx, before, 10).await }))
            .await;
        assert_eq!(gone.unwrap(), [id]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chores_are_repeated_and_outlive_a_panic() {
    on_both(async |db| {
        let bench = Bench::new(db.db());
        let rounds = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&rounds);
        let clock = bench.clock.clone();
        let runner = Runner::new(
            bench.db.clone(),
            Registry::default(),
            bench.wake.clone(),
            1,
            move || clock.now(),
        )
        .with_timing(QUICK)
        .every(Duration::from_millis(20), move || {
            let n = seen.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { assert!(n != 0, "on purpose") })
        });
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner.run(stop.clone()));
        while rounds.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        task.await.unwrap();
    })
    .await;
}
