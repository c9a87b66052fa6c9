//! Registrations that stop in the middle, files that change meanwhile, and what is not read twice.

use super::datasets::files;
use super::stand_in::Shared;
use super::trouble::bucket;
use super::{World, world};
use limn_domain::dataset::{DatasetKind, EntryQuery, NewVersion, UploadMode, VersionOutcome};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::{DatasetId, Digest, VersionId};
use limn_services::housekeeping::sweep;
use limn_testkit::on_both;
use std::collections::BTreeMap;

fn reads(shared: &Shared) -> usize {
    shared.lock().unwrap().reads.len()
}

fn outcome(job: Job) -> VersionOutcome {
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    serde_json::from_value(job.result.unwrap()).unwrap()
}

impl World {
    /// Digests of a version's files by path.
    pub(super) async fn digests(&self, version: VersionId) -> BTreeMap<String, String> {
        let query = EntryQuery {
            limit: Some(1_000),
            ..EntryQuery::default()
        };
        let page = self
            .versions
            .entries(&self.manager, version, query)
            .await
            .unwrap();
        page.rows
            .into_iter()
            .map(|e| (e.path, e.digest.to_string()))
            .collect()
    }

    async fn begin(&self, dataset: DatasetId, source: limn_domain::dataset::VersionSource) -> Job {
        let input = NewVersion {
            source,
            note: String::new(),
        };
        self.versions
            .register(&self.manager, dataset, input)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_registration_goes_on_where_the_store_died() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 120).await;
        let d = w.set("Street", DatasetKind::Images).await;
        shared.lock().unwrap().dies_after = Some(70);
        let job = w.begin(d, files(store.id, "street/**", UploadMode::Add)).await;
        let working = w.work();
        let stopped = w
            .until(job.id, |j| {
                j.state.is_final() || (j.state == JobState::Queued && j.attempts > 0)
            })
            .await;
        working.stop().await;
        assert_ne!(
            stopped.state,
            JobState::Failed,
            "{:?}: it is tried again",
            stopped.error
        );
        assert!(
            w.versions.list(&w.manager, d).await.unwrap().is_empty(),
            "no half version"
        );
        // What was read stays though nothing names it yet.
        w.clock.advance_seconds(7_200);
        sweep(&w.context).await.unwrap();
        shared.lock().unwrap().dies_after = None;
        let before = reads(&shared);
        let made = outcome(w.finish(job.id).await);
        assert_eq!(made.files, 120);
        let again = reads(&shared) - before;
        assert!(again <= 120 - 48, "{again} were read after the stop");
        for (path, digest) in w.digests(made.version_id).await {
            let bytes = shared.lock().unwrap().files[&path].clone();
            assert_eq!(digest, blake3::hash(&bytes).to_hex().to_string(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_registration_is_retried_without_reading_twice() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 200).await;
        let d = w.set("Street", DatasetKind::Images).await;
        let job = w.begin(d, files(store.id, "", UploadMode::Add)).await;
        let working = w.work();
        while reads(&shared) < 20 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        w.jobs.cancel(&w.manager, job.id).await.unwrap();
        let ended = w.until(job.id, |j| j.state.is_final()).await;
        working.stop().await;
        if ended.state == JobState::Cancelled {
            assert!(w.versions.list(&w.manager, d).await.unwrap().is_empty());
            w.jobs.retry(&w.manager, job.id).await.unwrap();
            assert_eq!(outcome(w.finish(job.id).await).files, 200);
        }
        // At most what was under way when it was told to stop was read twice.
        let all = reads(&shared);
        assert!(all <= 200 + 48, "{all} reads");
    })
    .await;
}

#[tokio::test]
async fn the_next_version_reads_what_differs() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 30).await;
        let d = w.set("Street", DatasetKind::Images).await;
        w.made(d, files(store.id, "street/**", UploadMode::Add)).await;
        assert_eq!(reads(&shared), 30);
        {
            let mut b = shared.lock().unwrap();
            b.files.insert("street/030.png".to_owned(), super::picture(230));
            b.files.insert("street/003.png".to_owned(), super::picture(203));
            b.files.remove("street/004.png");
        }
        let two = w.made(d, files(store.id, "street/**", UploadMode::Replace)).await;
        assert_eq!((two.number, two.files, reads(&shared)), (2, 30, 32));
        let same = w.made(d, files(store.id, "street/**", UploadMode::Replace)).await;
        assert_eq!((same.number, same.is_new, reads(&shared)), (2, false, 32));
        // Of another dataset nothing is known.
        let other = w.set("Other", DatasetKind::Images).await;
        w.made(other, files(store.id, "street/00*.png", UploadMode::Add))
            .await;
        assert_eq!(reads(&shared), 32 + 9);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_taken_whole_or_not_at_all() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 3).await;
        let d = w.set("Files", DatasetKind::Files).await;
        shared.lock().unwrap().changes = Some(("street/001.png".to_owned(), 1));
        let one = w.made(d, files(store.id, "", UploadMode::Add)).await;
        assert_eq!((one.files, one.notes.len()), (3, 0), "{:?}", one.notes);
        let now = shared.lock().unwrap().files["street/001.png"].clone();
        assert!(now.ends_with(b"+"));
        let digest = blake3::hash(&now).to_hex().to_string();
        assert_eq!(w.digests(one.version_id).await["street/001.png"], digest);
        // One that never holds still is named, and the others are taken without it.
        {
            let mut b = shared.lock().unwrap();
            b.files
                .insert("street/001.png".to_owned(), b"something else".to_vec());
            b.changes = Some(("street/001.png".to_owned(), usize::MAX));
        }
        let two = w.made(d, files(store.id, "", UploadMode::Replace)).await;
        assert_eq!((two.number, two.files), (2, 2));
        assert!(
            two.notes.iter().any(|n| n.contains("street/001.png")),
            "{:?}",
            two.notes
        );
        assert!(!w.digests(two.version_id).await.contains_key("street/001.png"));
    })
    .await;
}

#[tokio::test]
async fn a_version_names_the_files_that_may_not_be_read() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 5).await;
        let d = w.set("Files", DatasetKind::Files).await;
        shared
            .lock()
            .unwrap()
            .forbidden
            .insert("street/001.png".to_owned());
        // The second finds all but this one known.
        for _ in 0..2 {
            let made = w.made(d, files(store.id, "", UploadMode::Replace)).await;
            assert_eq!((made.number, made.files), (1, 4));
            let named = made.notes.iter().any(|n| n.contains("street/001.png"));
            assert!(named, "{:?}", made.notes);
        }
        // A key that may read nothing makes no version.
        shared.lock().unwrap().forbids_after = Some(0);
        let other = w.set("Other", DatasetKind::Files).await;
        let job = w
            .try_register(other, files(store.id, "", UploadMode::Replace))
            .await;
        assert_eq!(job.state, JobState::Failed);
        let error = job.error.unwrap();
        assert!(
            error.contains("street/000.png") && error.contains("s3:GetObject"),
            "{error}"
        );
        assert!(w.versions.list(&w.manager, other).await.unwrap().is_empty());
    })
    .await;
}

/// Files of which the latest registration has written something.
async fn noted(w: &World) -> i64 {
    let sql = "SELECT count(*) FROM dataset_file WHERE noted_at = (SELECT max(noted_at) FROM dataset_file)";
    let mut tx = w.db.read().await.unwrap();
    limn_store::on_tx!(&mut tx, conn => sqlx::query_scalar(sql).fetch_one(conn).await.unwrap())
}

#[tokio::test]
async fn nothing_is_written_again_of_files_that_the_newest_version_holds() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let folder = w.folder();
        // More than are read and written down together.
        for n in 0..300 {
            std::fs::write(folder.join(format!("sub/{n:03}.txt")), format!("file {n}")).unwrap();
        }
        let store = w.folder_store("Texts", &folder).await;
        let d = w.set("Texts", DatasetKind::Files).await;
        let one = w.made(d, files(store.id, "", UploadMode::Add)).await;
        assert_eq!((one.files, noted(&w).await), (300, 300));
        std::fs::write(folder.join("sub/one-more.txt"), "one more").unwrap();
        std::fs::write(folder.join("sub/007.txt"), "other bytes").unwrap();
        w.clock.advance_seconds(60);
        let two = w.made(d, files(store.id, "", UploadMode::Add)).await;
        assert_eq!((two.number, two.files, noted(&w).await), (2, 301, 2));
        let digests = w.digests(two.version_id).await;
        for (path, digest) in &digests {
            let bytes = std::fs::read(folder.join(path)).unwrap();
            assert_eq!(*digest, blake3::hash(&bytes).to_hex().to_string(), "{path}");
        }
        // Bytes that the store has lost are read again.
        let lost = Digest::parse(&digests["sub/011.txt"]).unwrap();
        std::fs::remove_file(w.context.blobs.path(&lost)).unwrap();
        w.clock.advance_seconds(60);
        let same = w.made(d, files(store.id, "", UploadMode::Replace)).await;
        assert_eq!((same.number, same.is_new, noted(&w).await), (2, false, 1));
        assert!(w.context.blobs.exists(&lost).await.unwrap());
        // And all of them once no version holds them any more.
        for version in [one.version_id, two.version_id] {
            w.versions.delete(&w.manager, version, true).await.unwrap();
        }
        w.clock.advance_seconds(7_200);
        sweep(&w.context).await.unwrap();
        let anew = w.made(d, files(store.id, "", UploadMode::Add)).await;
        assert_eq!((anew.number, anew.files, noted(&w).await), (3, 301, 301));
        for digest in w.digests(anew.version_id).await.into_values() {
            let digest = Digest::parse(&digest).unwrap();
            assert!(w.context.blobs.exists(&digest).await.unwrap());
        }
    })
    .await;
}
