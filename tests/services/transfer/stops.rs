//! A cancel, a shutdown and a crash in the middle of an import leave whole items, and going on adds what is missing.

use super::{World, boxed, coco, image, world};
use limn_domain::import::{ImportFormat, ImportReport};
use limn_domain::item::ItemStatus;
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::{JobId, ProjectId};
use limn_services::Actor;
use limn_store::repo::item::counter;
use limn_testkit::{TestDb, build, on_both};

const ITEMS: usize = 3_000;
const LABELS: i64 = 10;

/// Many items and a file with ten boxes for each, imported as far as the first batches.
async fn begun(db: &TestDb) -> (World, JobId) {
    let world = world(db, Task::Detection).await;
    for hundred in 0..ITEMS / 500 {
        build::items(db, world.project, &format!("{hundred}-"), 500).await;
    }
    let mut images = Vec::new();
    let mut annotations = Vec::new();
    for n in 0..ITEMS as i64 {
        images.push(image(n + 1, &format!("{}-{:03}.jpg", n / 500, n % 500)));
        for l in 0..LABELS {
            annotations.push(boxed(
                n * LABELS + l + 1,
                n + 1,
                1,
                [l as f64, (n % 100) as f64, 10.0, 20.0],
            ));
        }
    }
    let input = world
        .input(
            ImportFormat::Coco,
            &[("a.json", coco(&images, &annotations, &["cat"]))],
        )
        .await;
    let job = world
        .imports
        .start(&world.manager, world.project, input)
        .await
        .unwrap();
    (world, job.id)
}

async fn labels(world: &World, project: ProjectId) -> (usize, i64) {
    let items = world.items(project).await;
    let mut done = 0;
    for (item, labels) in items.values() {
        assert_eq!(item.annotation_count, labels.len() as i64);
        let whole = labels.len() as i64 == LABELS && item.status == ItemStatus::Done;
        assert!(
            whole || (labels.is_empty() && item.status == ItemStatus::Todo),
            "{item:?} has {}",
            labels.len()
        );
        done += usize::from(whole);
    }
    let mut tx = world.db.read().await.unwrap();
    let counted = counter::recount(&mut tx, project).await.unwrap();
    assert_eq!(counter::progress(&mut tx, project).await.unwrap(), counted);
    (items.len(), done as i64)
}

async fn until_some_are_done(world: &World) {
    loop {
        let mut tx = world.db.read().await.unwrap();
        if counter::progress(&mut tx, world.project).await.unwrap().done > 0 {
            return;
        }
        drop(tx);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

async fn complete(world: &World, job: Job) {
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    assert_eq!(labels(world, world.project).await, (ITEMS, ITEMS as i64));
    let report: ImportReport = serde_json::from_value(job.result.unwrap()).unwrap();
    assert_eq!(report.refused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_import_leaves_whole_items_and_a_retry_goes_on() {
    on_both(async |db| {
        let (world, job) = begun(&db).await;
        let working = world.work();
        until_some_are_done(&world).await;
        world.jobs.cancel(&world.manager, job).await.unwrap();
        let cancelled = world.until(job, |j| j.state.is_final()).await;
        working.stop().await;
        // On a very quick machine it may have come to its end.
        if cancelled.state == JobState::Cancelled {
            let (_, done) = labels(&world, world.project).await;
            assert!(done > 0 && done < ITEMS as i64, "{done}");
            let again = world.jobs.retry(&world.manager, job).await.unwrap();
            assert_eq!((again.state, again.attempts), (JobState::Queued, 0));
            complete(&world, world.finish(job).await).await;
        }
        let lines = world.jobs.log(&world.manager, job, 0).await.unwrap();
        assert!(lines.iter().any(|l| l.message.contains("Mia")), "{lines:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_goes_on_after_a_shutdown_and_after_a_crash() {
    on_both(async |db| {
        let (world, job) = begun(&db).await;
        let working = world.work();
        until_some_are_done(&world).await;
        working.stop().await;
        let handed_back = world.jobs.get(&Actor::System, job).await.unwrap();
        labels(&world, world.project).await;
        if handed_back.state == JobState::Queued {
            assert_eq!(handed_back.attempts, 0);
            // The next worker is killed without a word: somebody else's claim stands, and its lease runs out.
            let now = world.clock.now();
            let claimed: Result<_, limn_store::StoreError> = db
                .write(move |tx| {
                    Box::pin(async move {
                        limn_store::repo::job::claim(tx, "killed", &["import"], now.plus_seconds(30), now)
                            .await
                    })
                })
                .await;
            assert_eq!(claimed.unwrap().unwrap().id, job);
            world.clock.advance_seconds(31);
        }
        complete(&world, world.finish(job).await).await;
    })
    .await;
}
