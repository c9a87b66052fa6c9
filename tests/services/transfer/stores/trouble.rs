//! Stores that die, change and lock this server out in the middle.

use super::stand_in::{Bucket, Shared, serve};
use super::{World, figures, new, picture, report, world};
use crate::{code, refusal};
use limn_domain::Code;
use limn_domain::datastore::{Datastore, DatastoreKind, RotateSecrets, SourceReport, UpdateDatastore};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_services::Actor;
use limn_testkit::on_both;
use std::sync::{Arc, Mutex};

pub(super) async fn bucket(w: &World, files: u8) -> (Shared, Datastore) {
    let shared: Shared = Arc::new(Mutex::new(Bucket {
        key: "AK1".to_owned(),
        ..Bucket::default()
    }));
    for n in 0..files {
        shared
            .lock()
            .unwrap()
            .files
            .insert(format!("street/{n:03}.png"), picture(n));
    }
    let endpoint = serve(Arc::clone(&shared)).await;
    let settings = [
        ("bucket", "photos"),
        ("endpoint", endpoint.as_str()),
        ("access_key_id", "AK1"),
    ];
    let input = new(
        "Bucket",
        DatastoreKind::S3,
        &settings,
        &[("secret_access_key", "hunter2hunter2")],
    );
    let store = w.datastores.create(&Actor::System, input).await.unwrap();
    (shared, store)
}

#[tokio::test]
async fn a_store_that_dies_in_the_middle_is_gone_on_with() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 120).await;
        shared.lock().unwrap().dies_after = Some(70);
        let source = w.take(&store, "street/**").await;
        let working = w.work();
        let id = source.job_id.unwrap();
        let job = w
            .until(id, |j| {
                j.state.is_final() || (j.state == JobState::Queued && j.attempts > 0)
            })
            .await;
        let said = job.error.clone().unwrap_or_default();
        working.stop().await;
        assert_ne!(job.state, JobState::Failed, "{said}: it is tried again");
        let taken = w.names().await.len();
        assert!((50..120).contains(&taken), "whole items only: {taken}");
        shared.lock().unwrap().dies_after = None;
        let read = shared.lock().unwrap().reads.len();
        w.clock.advance_seconds(3_600);
        let done = report(w.finish(id).await);
        assert_eq!((done.matched, w.names().await.len()), (120, 120));
        // What was written down is not read again: some fifty at most were under way.
        let again = shared.lock().unwrap().reads.len() - read;
        assert!(again <= 120 - 50, "{again} were read after the stop");
        assert!(done.unchanged >= 50, "{:?}", figures(&done));
    })
    .await;
}

#[tokio::test]
async fn a_store_that_trickles_does_not_keep_a_job_that_is_cancelled() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 3).await;
        shared.lock().unwrap().trickles = Some("street/001.png".to_owned());
        let source = w.take(&store, "").await;
        let (id, working) = (source.job_id.unwrap(), w.work());
        let began = std::time::Instant::now();
        while shared.lock().unwrap().reads.len() < 2 {
            assert!(began.elapsed().as_secs() < 30, "nothing was read");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        w.jobs.cancel(&w.manager, id).await.unwrap();
        let began = std::time::Instant::now();
        let job = w.until(id, |j| j.state.is_final()).await;
        working.stop().await;
        assert_eq!(job.state, JobState::Cancelled);
        assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    })
    .await;
}

#[tokio::test]
async fn a_file_goes_on_where_the_connection_broke() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 2).await;
        shared.lock().unwrap().cut = Some(("street/001.png".to_owned(), 2));
        let source = w.take(&store, "").await;
        let r = report(w.ended(&source).await);
        assert_eq!(
            (w.names().await.len(), r.report.refused),
            (2, 0),
            "{:?}",
            r.report.entries
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_rotated_in_the_middle_is_taken_up() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 120).await;
        // The store takes another key after some reads. Nobody has told Limn: the job ends and says where.
        shared.lock().unwrap().rotates_after = Some((60, "AK2".to_owned()));
        let source = w.take(&store, "").await;
        let job = w.ended(&source).await;
        assert_eq!(job.state, JobState::Failed);
        let error = job.error.unwrap();
        assert!(
            error.contains("street/") && error.contains("“Bucket”") && error.contains("not known"),
            "{error}"
        );
        let before = w.names().await.len();
        assert!(before >= 50);
        // A wrong key is not taken, the old one stays.
        let rotate = |id: &str, secret: &str| RotateSecrets {
            secrets: super::texts(&[("secret_access_key", secret)]),
            settings: super::texts(&[("access_key_id", id)]),
        };
        assert_eq!(
            code(
                w.datastores
                    .rotate(&Actor::System, store.id, rotate("AK3", "x"))
                    .await
            ),
            Code::InvalidInput
        );
        assert_eq!(
            w.datastores.get(&Actor::System, store.id).await.unwrap().settings["access_key_id"],
            "AK1"
        );
        // Rotated while a refresh reads: it goes on with the new one.
        {
            let mut b = shared.lock().unwrap();
            b.key = "AK1".to_owned();
            b.rotates_after = None;
            for n in 120..250_u8 {
                b.files.insert(format!("street/{n:03}.png"), picture(n));
            }
        }
        let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
        let working = w.work();
        let began = std::time::Instant::now();
        let start = shared.lock().unwrap().reads.len();
        while shared.lock().unwrap().reads.len() < start + 5 {
            assert!(began.elapsed().as_secs() < 30);
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        shared.lock().unwrap().key = "AK2".to_owned();
        let rotated = w
            .datastores
            .rotate(&Actor::System, store.id, rotate("AK2", "hunter3hunter3"))
            .await
            .unwrap();
        assert_eq!(rotated.settings["access_key_id"], "AK2");
        let job = w.until(job.id, |j| j.state.is_final()).await;
        working.stop().await;
        // Between the two a read may have met a closed door; then a second refresh does the rest.
        if job.state != JobState::Succeeded {
            assert!(
                job.error.as_ref().unwrap().contains("not known"),
                "{:?}",
                job.error
            );
            w.refreshed(&source).await;
        }
        assert_eq!(w.names().await.len(), 250);
    })
    .await;
}

/// What a report says of files that could not be read.
fn not_readable(r: &SourceReport) -> Vec<&str> {
    let of = r.report.entries.iter().filter(|e| e.code == "not_readable");
    of.map(|e| e.file.as_str()).collect()
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_named_and_the_others_are_taken() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 5).await;
        let forbid = |name: &str| shared.lock().unwrap().forbidden.insert(name.to_owned());
        forbid("street/000.png");
        let source = w.take(&store, "street/**").await;
        let first = report(w.ended(&source).await);
        assert_eq!(figures(&first), [5, 4, 0, 0, 0, 1]);
        assert_eq!(not_readable(&first), ["street/000.png"]);
        // Nothing else is new: a file that was taken earlier tells that the key is good.
        let second = w.refreshed(&source).await;
        assert_eq!(figures(&second), [5, 0, 4, 0, 0, 1]);
        assert_eq!(not_readable(&second), ["street/000.png"]);
        shared.lock().unwrap().forbidden.clear();
        assert_eq!(figures(&w.refreshed(&source).await), [5, 1, 4, 0, 0, 0]);
        // One that was taken, and is written and locked: it is there, and its item stays.
        forbid("street/003.png");
        let other = picture(99);
        shared
            .lock()
            .unwrap()
            .files
            .insert("street/003.png".to_owned(), other);
        let fourth = w.refreshed(&source).await;
        assert_eq!(figures(&fourth), [5, 0, 4, 0, 0, 1]);
        assert_eq!(not_readable(&fourth), ["street/003.png"]);
        assert_eq!(w.names().await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn files_that_may_not_be_read_may_come_first() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 70).await;
        // More than are taken together.
        for n in 0..60 {
            let name = format!("street/{n:03}.png");
            shared.lock().unwrap().forbidden.insert(name);
        }
        let source = w.take(&store, "street/**").await;
        let r = report(w.ended(&source).await);
        assert_eq!(figures(&r), [70, 10, 0, 0, 0, 60]);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_may_read_nothing_ends_the_refresh() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 120).await;
        let ended = |job: Job, first: &str| {
            assert_eq!(job.state, JobState::Failed);
            let error = job.error.unwrap();
            assert!(
                error.contains(first) && error.contains("“Bucket”") && error.contains("s3:GetObject"),
                "{error}"
            );
        };
        shared.lock().unwrap().forbids_after = Some(0);
        let source = w.take(&store, "street/**").await;
        ended(w.ended(&source).await, "street/000.png");
        assert!(w.names().await.is_empty());
        // The right is taken from it in the middle.
        shared.lock().unwrap().forbids_after = Some(60);
        let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
        ended(w.finish(job.id).await, "street/");
        assert_eq!(w.names().await.len(), 60);
        // Nothing but what was taken earlier is there to ask for, and that is refused too.
        let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
        ended(w.finish(job.id).await, "street/");
        shared.lock().unwrap().forbids_after = None;
        assert_eq!(figures(&w.refreshed(&source).await), [120, 60, 60, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_kept_key_is_not_sent_elsewhere() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (_, store) = bucket(&w, 1).await;
        let mut settings = store.settings.clone();
        settings.insert("endpoint".to_owned(), "http://127.0.0.1:1".to_owned());
        let input = UpdateDatastore {
            settings: Some(settings),
            ..UpdateDatastore::default()
        };
        let error = refusal(w.datastores.update(&Actor::System, store.id, input).await);
        assert!(error.for_field("settings.endpoint").is_some(), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refresh_is_cancelled_and_goes_on_later() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 200).await;
        let source = w.take(&store, "").await;
        let id = source.job_id.unwrap();
        let working = w.work();
        while shared.lock().unwrap().reads.len() < 20 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        w.jobs.cancel(&w.manager, id).await.unwrap();
        let job = w.until(id, |j| j.state.is_final()).await;
        working.stop().await;
        if job.state == JobState::Cancelled {
            assert!(w.names().await.len() < 200);
        }
        w.refreshed(&source).await;
        assert_eq!(w.names().await.len(), 200);
    })
    .await;
}
