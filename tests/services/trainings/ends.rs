//! Trainings that are cut off, cancelled, fail, or lose what they learn from.

use super::trainer::Script;
use super::world::World;
use crate::code;
use limn_domain::Code;
use limn_domain::job::JobState;
use limn_domain::run::RunStatus;
use limn_domain::training::NewTraining;
use limn_services::artifacts::Owner;
use limn_testkit::{TestDb, on_both};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

fn slow() -> Script {
    Script {
        pause: 4,
        checkpoint: Some(10),
        ..Script::default()
    }
}

fn long() -> NewTraining {
    NewTraining {
        steps: Some(200),
        ..NewTraining::default()
    }
}

impl World {
    async fn until_step(&self, step: usize) {
        let began = Instant::now();
        while self.trainer.step.load(Ordering::SeqCst) < step {
            assert!(began.elapsed() < Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Until a run has ended, which a look now and then sees to.
    async fn until_ended(&self, run: limn_domain::RunId) -> RunStatus {
        let began = Instant::now();
        loop {
            let status = self.run(run).await.info.status;
            if status.is_ended() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{status:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_training_goes_on_after_the_server_was_stopped_and_no_figure_is_there_twice() {
    on_both(async |db| {
        let w = World::new(&db, slow()).await;
        let version = w.boxes("Raccoons", 8, None).await;
        let started = w.start(version, long()).await;
        let run = started.run().unwrap();
        let (stop, task) = w.work();
        w.until_step(57).await;
        stop.cancel();
        task.await.unwrap();
        let job = w.studio.jobs.get(&w.lena, started.job.id).await.unwrap();
        assert_eq!(job.state, JobState::Queued, "handed back");
        assert_eq!(w.run(run).await.info.status, RunStatus::Running);
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let began = w.trainer.seen().began;
        assert!(began.len() == 2 && began[1] >= 50, "{began:?}");
        for key in ["loss", "rate"] {
            let points = w.studio.runs.history(&w.lena, run, key).await.unwrap();
            let steps: Vec<i64> = points.iter().map(|p| p.step).collect();
            assert_eq!(steps, (1..=200).collect::<Vec<_>>(), "{key}");
        }
        let judged = w.studio.runs.history(&w.lena, run, "valid_mAP50").await.unwrap();
        assert_eq!(judged.len(), 20);
        assert_eq!(w.studio.models.of_run(&w.lena, run).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_training_goes_on_after_a_crash() {
    // On SQLite alone: connections to PostgreSQL that were made in the runtime that dies stay in the pool.
    let db = TestDb::sqlite().await;
    let w = World::new(&db, slow()).await;
    let version = w.boxes("Raccoons", 8, None).await;
    let started = w.start(version, long()).await;
    let run = started.run().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let runner = limn_services::jobs::trainer(&w.studio.services);
    runtime.spawn(runner.run(tokio_util::sync::CancellationToken::new()));
    w.until_step(75).await;
    runtime.shutdown_background();
    // Its lease ends, and it is taken up again.
    w.studio.clock.advance_seconds(600);
    let job = w.finish(started.job.id).await;
    assert_eq!(
        (job.state, job.attempts),
        (JobState::Succeeded, 2),
        "{:?}",
        job.error
    );
    let began = w.trainer.seen().began;
    assert!(began.len() == 2 && began[1] >= 60, "{began:?}");
    let points = w.studio.runs.history(&w.lena, run, "loss").await.unwrap();
    let mut steps: Vec<i64> = points.iter().map(|p| p.step).collect();
    steps.sort_unstable();
    assert_eq!(steps, (1..=200).collect::<Vec<_>>());
    assert_eq!(w.run(run).await.info.status, RunStatus::Finished);
    assert!(!w.folder(run).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_cannot_be_used_costs_time_and_nothing_else() {
    on_both(async |db| {
        let w = World::new(&db, slow()).await;
        let version = w.boxes("Raccoons", 8, None).await;
        let started = w
            .start(
                version,
                NewTraining {
                    steps: Some(60),
                    ..NewTraining::default()
                },
            )
            .await;
        let (stop, task) = w.work();
        w.until_step(33).await;
        stop.cancel();
        task.await.unwrap();
        w.trainer.change(|s| s.refuses_checkpoints = true);
        let job = w.finish(started.job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        assert_eq!(w.trainer.seen().began, [0, 0]);
        let points = w
            .studio
            .runs
            .history(&w.lena, started.run().unwrap(), "loss")
            .await
            .unwrap();
        assert_eq!(points.len(), 60);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_training_is_a_killed_run() {
    on_both(async |db| {
        let w = World::new(&db, slow()).await;
        let version = w.boxes("Raccoons", 8, None).await;
        let (first, second) = (w.start(version, long()).await, w.start(version, long()).await);
        let (stop, task) = w.work();
        w.until_step(20).await;
        // The second one waits: there is one at a time.
        let waits = w.studio.jobs.get(&w.lena, second.job.id).await.unwrap();
        assert_eq!(waits.state, JobState::Queued);
        assert_eq!(
            w.run(second.run().unwrap()).await.info.status,
            RunStatus::Scheduled
        );
        // Another reader of the dataset may not cancel it; who started it may.
        let ben = w.studio.person("Ben", limn_domain::Role::Labeler).await;
        let dataset = w.version(version).await.dataset_id;
        limn_testkit::build::dataset_member(
            &w.studio.db,
            dataset,
            ben.user_id().unwrap(),
            limn_domain::Role::Viewer,
        )
        .await;
        assert_eq!(
            code(w.studio.jobs.cancel(&ben, first.job.id).await),
            Code::Forbidden
        );
        assert!(
            !w.studio
                .trainings
                .of_run(&ben, first.run().unwrap())
                .await
                .unwrap()
                .unwrap()
                .may_steer
        );
        for started in [&second, &first] {
            w.studio.jobs.cancel(&w.lena, started.job.id).await.unwrap();
        }
        for started in [&first, &second] {
            w.until(started.job.id, |j| j.state == JobState::Cancelled).await;
            let run = started.run().unwrap();
            assert_eq!(w.until_ended(run).await, RunStatus::Killed);
            assert!(!w.folder(run).exists());
        }
        stop.cancel();
        task.await.unwrap();
        assert!(
            w.studio
                .models
                .of_run(&w.lena, first.run().unwrap())
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_training_that_fails_says_why_and_can_be_tried_again() {
    on_both(async |db| {
        let why = "The loss is not a number any more at step 43; train with fewer steps.";
        let w = World::new(
            &db,
            Script {
                fails_at: Some((43, why.to_owned())),
                ..slow()
            },
        )
        .await;
        let version = w.boxes("Raccoons", 8, None).await;
        let before = w.entries(version).await;
        let started = w
            .start(
                version,
                NewTraining {
                    steps: Some(60),
                    ..NewTraining::default()
                },
            )
            .await;
        let run = started.run().unwrap();
        let job = w.finish(started.job.id).await;
        assert_eq!((job.state, job.error.as_deref()), (JobState::Failed, Some(why)));
        let after = w.run(run).await;
        assert_eq!(after.info.status, RunStatus::Failed);
        assert_eq!(after.data.tags["limn.error"], why);
        let log = String::from_utf8(w.bytes(run, "training.log").await).unwrap();
        assert!(log.contains(why), "{log}");
        assert!(!w.folder(run).join("train").exists() && w.folder(run).join("checkpoint").exists());
        assert_eq!(w.entries(version).await, before, "the labels are untouched");
        // Mended, it goes on from the checkpoint.
        w.trainer.change(|s| s.fails_at = None);
        w.studio.jobs.retry(&w.lena, job.id).await.unwrap();
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let after = w.run(run).await;
        assert_eq!(
            (after.info.status, after.data.tags.get("limn.error")),
            (RunStatus::Finished, None)
        );
        assert_eq!(w.trainer.seen().began, [0, 40]);
        assert_eq!(
            w.studio.runs.history(&w.lena, run, "loss").await.unwrap().len(),
            60
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_training_with_nothing_to_compute_on_fails_and_keeps_its_checkpoint() {
    let db = TestDb::sqlite().await;
    let w = World::new(
        &db,
        Script {
            fails_at: Some((43, "The machine went away.".to_owned())),
            ..slow()
        },
    )
    .await;
    let version = w.boxes("Raccoons", 8, None).await;
    let started = w
        .start(
            version,
            NewTraining {
                steps: Some(60),
                ..NewTraining::default()
            },
        )
        .await;
    let run = started.run().unwrap();
    assert_eq!(w.finish(started.job.id).await.state, JobState::Failed);
    // The next one has no graphics processor.
    let why = "No graphics processor can be used.";
    w.trainer.change(|s| {
        s.fails_at = None;
        s.no_device = Some(why.to_owned());
    });
    w.studio.jobs.retry(&w.lena, started.job.id).await.unwrap();
    let job = w.finish(started.job.id).await;
    assert_eq!((job.state, job.error.as_deref()), (JobState::Failed, Some(why)));
    assert_eq!(w.run(run).await.data.tags["limn.error"], why);
    assert!(w.folder(run).join("checkpoint").exists());
    // With one, it goes on.
    w.trainer.change(|s| s.no_device = None);
    w.studio.jobs.retry(&w.lena, started.job.id).await.unwrap();
    let job = w.finish(started.job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    assert_eq!(w.trainer.seen().began, [0, 40]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trainer_that_panics_fails_the_run_alone() {
    let db = TestDb::sqlite().await;
    let w = World::new(
        &db,
        Script {
            panics_at: Some(5),
            ..slow()
        },
    )
    .await;
    let version = w.boxes("Raccoons", 8, None).await;
    let started = w.start(version, long()).await;
    let job = w.finish(started.job.id).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.error.unwrap().contains("fault of the program"));
    assert_eq!(w.run(started.run().unwrap()).await.info.status, RunStatus::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dataset_deleted_in_the_middle_fails_the_run() {
    on_both(async |db| {
        let w = World::new(&db, slow()).await;
        let version = w.boxes("Raccoons", 8, None).await;
        let dataset = w.version(version).await.dataset_id;
        let started = w.start(version, long()).await;
        let run = started.run().unwrap();
        let (stop, task) = w.work();
        w.until_step(20).await;
        w.studio.datasets.delete(&w.mia, dataset, false).await.unwrap();
        assert_eq!(w.until_ended(run).await, RunStatus::Failed);
        stop.cancel();
        task.await.unwrap();
        let after = w.run(run).await;
        assert!(
            after.data.tags["limn.error"].contains("dataset was deleted"),
            "{:?}",
            after.data.tags
        );
        let files = w
            .studio
            .artifacts
            .files(&w.lena, Owner::Run(run), "")
            .await
            .unwrap();
        assert!(files.iter().any(|f| f.path == "training.log"));
        let told = w.studio.trainings.of_run(&w.lena, run).await.unwrap().unwrap();
        assert_eq!((told.job, told.version_id), (None, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_version_fails_what_waits() {
    on_both(async |db| {
        let w = World::new(&db, slow()).await;
        let version = w.boxes("Raccoons", 8, None).await;
        let started = w.start(version, long()).await;
        w.studio.versions.delete(&w.mia, version, true).await.unwrap();
        let job = w.finish(started.job.id).await;
        assert_eq!(
            job.error.as_deref(),
            Some("The version of the dataset was deleted.")
        );
        assert_eq!(w.run(started.run().unwrap()).await.info.status, RunStatus::Failed);
    })
    .await;
}
