//! Versions whose files were left in their datastore.

use super::stand_in::Shared;
use super::trouble::bucket;
use super::{World, picture, world};
use crate::refusal;
use crate::transfer::unzip;
use limn_domain::dataset::{
    CheckPlaces, CheckReport, DatasetKind, Download, Found, MakeProject, UploadMode, VersionSource,
};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::{Code, DatastoreId, Digest, VersionId};
use limn_services::Actor;
use limn_services::housekeeping::sweep;
use limn_services::media::{MediaBody, Rendition};
use limn_services::versions::{Downloadable, Pieces};
use limn_testkit::{Studio, on_both};
use sha2::{Digest as _, Sha256};
use std::ops::Range;

fn in_place(id: DatastoreId, glob: &str) -> VersionSource {
    VersionSource::Datastore {
        datastore_id: id,
        glob: glob.to_owned(),
        mode: UploadMode::Add,
        in_place: true,
    }
}

fn reads(shared: &Shared) -> usize {
    shared.lock().unwrap().reads.len()
}

/// All pieces, or what broke them off.
async fn all(mut pieces: Pieces) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    while let Some(piece) = pieces.recv().await {
        out.extend_from_slice(&piece?);
    }
    Ok(out)
}

/// A file of a version as another process would read it, which holds nothing in memory.
async fn file(w: &World, version: VersionId, path: &str) -> limn_services::Result<Vec<u8>> {
    let other = Studio::new(&w.db);
    let found = other
        .versions
        .file(&w.manager, version, path, Rendition::Original)
        .await?;
    let MediaBody::Remote(remote) = found.file.body else {
        panic!("`{path}` is in the store")
    };
    let part = remote.pieces(1..3).await?;
    let whole = all(remote.pieces(0..remote.size()).await?).await.unwrap();
    assert_eq!(all(part).await.unwrap(), whole[1..3]);
    Ok(whole)
}

async fn checked(w: &World, version: VersionId, full: bool) -> CheckReport {
    let job = w
        .versions
        .check(&w.manager, version, CheckPlaces { full })
        .await
        .unwrap();
    let job = w.finish(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    let report: CheckReport = serde_json::from_value(job.result.unwrap()).unwrap();
    let shown = w.versions.places(&w.manager, version).await.unwrap();
    assert_eq!(shown.check.unwrap().id, job.id);
    report
}

fn figures(r: &CheckReport) -> [i64; 6] {
    [r.checked, r.here, r.unchanged, r.changed, r.gone, r.unknown]
}

#[tokio::test]
async fn files_that_stay_are_read_once_and_then_where_they_lie() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 5).await;
        let d = w.set("Street", DatasetKind::Images).await;
        let one = w.made(d, in_place(store.id, "street/**")).await;
        assert_eq!((one.files, one.notes.len(), reads(&shared)), (5, 0, 5));
        for digest in w.digests(one.version_id).await.into_values() {
            let digest = Digest::parse(&digest).unwrap();
            assert!(!w.context.blobs.exists(&digest).await.unwrap());
        }
        let places = w.versions.places(&w.manager, one.version_id).await.unwrap();
        let bytes: usize = shared.lock().unwrap().files.values().map(Vec::len).sum();
        assert_eq!(
            places
                .places
                .iter()
                .map(|p| (p.name.as_str(), p.files, p.bytes))
                .collect::<Vec<_>>(),
            [("Bucket", 5, bytes as i64)]
        );
        // The profile needs nothing more of them.
        let job = w.profiles.start(&w.manager, one.version_id).await.unwrap();
        let job = w.finish(job.id).await;
        assert_eq!(
            (job.state, reads(&shared)),
            (JobState::Succeeded, 5),
            "{:?}",
            job.error
        );

        let read = file(&w, one.version_id, "street/003.png").await.unwrap();
        assert_eq!((read, reads(&shared)), (picture(3), 6));
        // The archive is that of a copy.
        let fresh = Studio::new(&w.db);
        let zip = fresh
            .versions
            .download(&w.manager, one.version_id, Download::Archive, None)
            .await
            .unwrap();
        let zip = all(zip.pieces(None)).await.unwrap();
        let inside = unzip(&zip);
        assert_eq!(inside.len(), 5);
        assert_eq!(inside[4], ("street/004.png".to_owned(), picture(4)));
        // Over S3, where a head reads nothing.
        let before = reads(&shared);
        let object = Studio::new(&w.db)
            .objects
            .get(&w.manager, "street", "v1/street/002.png")
            .await
            .unwrap();
        assert_eq!((object.bytes, reads(&shared)), (picture(2).len() as u64, before));

        // A project of it shows its pictures.
        let made = MakeProject {
            name: "From afar".to_owned(),
            with_labels: false,
            task: Some(Task::Detection),
            filter: limn_domain::dataset::EntryFilter::default(),
        };
        let project = w
            .versions
            .make_project(&w.manager, one.version_id, made)
            .await
            .unwrap();
        let jobs = w
            .jobs
            .list(&w.manager, Some(project.summary.id), false, None, None)
            .await
            .unwrap();
        let filling = jobs.rows.iter().find(|j| j.kind == "from_version").unwrap().id;
        assert_eq!(w.finish(filling).await.state, JobState::Succeeded);
        let items = w.items(project.summary.id).await;
        let item = &items["street/001.png"].0;
        let shown = w.media.get(&w.manager, item.id, Rendition::Thumb).await.unwrap();
        assert!(shown.media_type.starts_with("image/"));

        // Nothing is freed but what the version takes in the database.
        let impact = w.versions.impact(&w.manager, one.version_id).await.unwrap();
        assert_eq!(impact.frees_files, 0);
        // The same as copies is the same version, and lies here from then on.
        let copy = super::datasets::files(store.id, "street/**", UploadMode::Add);
        let same = w.made(d, copy).await;
        assert_eq!((same.number, same.is_new), (1, false));
        let places = w.versions.places(&w.manager, one.version_id).await.unwrap();
        assert!(places.places.is_empty());
        let nothing = w
            .versions
            .check(&w.manager, one.version_id, CheckPlaces::default())
            .await;
        assert_eq!(refusal(nothing).code, Code::WrongState);
        w.datastores
            .delete(&Actor::System, store.id, false)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_not_what_it_was_is_an_error_and_never_other_bytes() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 4).await;
        let d = w.set("Files", DatasetKind::Files).await;
        let one = w.made(d, in_place(store.id, "")).await;
        let id = one.version_id;
        assert_eq!(figures(&checked(&w, id, false).await), [4, 0, 4, 0, 0, 0]);
        {
            let mut b = shared.lock().unwrap();
            // The same size, another content.
            let bytes = b.files.get_mut("street/001.png").unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            b.files.remove("street/002.png");
            b.files.insert("street/003.png".to_owned(), vec![7; 3]);
        }
        for (path, word) in [
            ("street/001.png", "has changed"),
            ("street/002.png", "is not in the datastore"),
            ("street/003.png", "has changed"),
        ] {
            let e = refusal(file(&w, id, path).await);
            assert_eq!(e.code, Code::Conflict, "{e}");
            let says = [path, "“Bucket”", word, "register a new version"];
            assert!(says.iter().all(|s| e.message.contains(s)), "{}", e.message);
        }
        assert_eq!(file(&w, id, "street/000.png").await.unwrap(), picture(0));
        // An archive breaks off.
        let zip = Studio::new(&w.db)
            .versions
            .download(&w.manager, id, Download::Archive, None)
            .await
            .unwrap();
        let broken = all(zip.pieces(None)).await.unwrap_err();
        assert!(broken.to_string().contains("street/001.png"), "{broken}");

        for full in [false, true] {
            let report = checked(&w, id, full).await;
            assert_eq!(figures(&report), [4, 0, 1, 2, 1, 0], "{report:?}");
            let found: Vec<(&str, Found)> = report
                .findings
                .iter()
                .map(|f| (f.path.as_str(), f.what))
                .collect();
            assert_eq!(
                found,
                [
                    ("street/001.png", Found::Changed),
                    ("street/002.png", Found::Gone),
                    ("street/003.png", Found::Changed)
                ]
            );
            assert_eq!(report.bytes > 0, full);
        }
        // Put back as it was, it is read again.
        shared
            .lock()
            .unwrap()
            .files
            .insert("street/001.png".to_owned(), picture(1));
        assert_eq!(file(&w, id, "street/001.png").await.unwrap(), picture(1));
        // A store that does not answer is no change.
        shared.lock().unwrap().key = "another".to_owned();
        let e = refusal(file(&w, id, "street/000.png").await);
        assert_eq!(e.code, Code::Unavailable, "{e}");
        shared.lock().unwrap().key = "AK1".to_owned();

        // The datastore is needed while a version is.
        let e = refusal(w.datastores.delete(&Actor::System, store.id, true).await);
        assert!(
            e.code == Code::WrongState && e.message.contains("4 files"),
            "{}",
            e.message
        );
        w.versions.delete(&w.manager, id, true).await.unwrap();
        w.clock.advance_seconds(7_200);
        sweep(&w.context).await.unwrap();
        w.datastores
            .delete(&Actor::System, store.id, false)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_project_of_a_version_that_goes_meanwhile_gets_no_item_without_a_file() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (_, store) = bucket(&w, 2).await;
        let d = w.set("Street", DatasetKind::Images).await;
        let one = w.made(d, in_place(store.id, "street/**")).await;
        let lost = w.digests(one.version_id).await["street/001.png"].clone();
        let made = MakeProject {
            name: "Too late".to_owned(),
            with_labels: false,
            task: Some(Task::Detection),
            filter: limn_domain::dataset::EntryFilter::default(),
        };
        let project = w
            .versions
            .make_project(&w.manager, one.version_id, made)
            .await
            .unwrap()
            .summary
            .id;
        // As a deletion and the clean-up behind it leave it, while the job still reads the tree.
        w.db.write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move {
                limn_store::on_tx!(tx, conn => {
                    sqlx::query("DELETE FROM version_blob WHERE digest = $1").bind(&lost).execute(&mut *conn).await?;
                    sqlx::query("DELETE FROM blob WHERE digest = $1").bind(&lost).execute(&mut *conn).await?;
                });
                Ok(())
            })
        })
        .await
        .unwrap();
        let jobs = w
            .jobs
            .list(&w.manager, Some(project), false, None, None)
            .await
            .unwrap();
        let filling = jobs.rows.iter().find(|j| j.kind == "from_version").unwrap().id;
        let job = w.finish(filling).await;
        assert_eq!(job.state, JobState::Failed);
        let error = job.error.unwrap();
        assert!(error.contains("was deleted meanwhile"), "{error}");
        assert!(w.items(project).await.is_empty());
    })
    .await;
}

/// The archive of a version as another process would make it.
async fn archive(w: &World, version: VersionId) -> Downloadable {
    let other = Studio::new(&w.db);
    let made = other
        .versions
        .download(&w.manager, version, Download::Archive, None);
    made.await.unwrap()
}

/// A part of it.
async fn part(w: &World, version: VersionId, part: Range<u64>) -> std::io::Result<Vec<u8>> {
    all(archive(w, version).await.pieces(Some(part))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_of_files_that_stay_goes_on_where_it_broke_off_and_is_described() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (shared, store) = bucket(&w, 12).await;
        let d = w.set("Street", DatasetKind::Images).await;
        let id = w.made(d, in_place(store.id, "street/**")).await.version_id;
        let job = w.profiles.start(&w.manager, id).await.unwrap();
        assert_eq!(w.finish(job.id).await.state, JobState::Succeeded);
        let described = async || {
            let c = w.versions.croissant(&w.manager, id, "https://limn.example.org");
            let c = c.await.unwrap();
            let zip = &c["distribution"][0];
            assert_eq!(
                zip["contentUrl"],
                format!("https://limn.example.org/api/v1/versions/{id}/zip")
            );
            assert!(c["distribution"][1]["sha256"].is_string());
            let live = c["isLiveDataset"].as_bool().unwrap_or(false);
            (zip["contentSize"].clone(), zip["sha256"].clone(), live)
        };

        let made = archive(&w, id).await;
        let len = made.len.unwrap();
        assert!(made.sum.is_none());
        assert_eq!(described().await, (format!("{len} B").into(), ().into(), true));

        // The half that came is not read again for the other one.
        let half = len / 2;
        let mut joined = part(&w, id, 0..half).await.unwrap();
        assert_eq!(joined.len() as u64, half);
        let before = reads(&shared);
        joined.extend(part(&w, id, half..len).await.unwrap());
        let again = reads(&shared) - before;
        assert!((1..12).contains(&again), "{again} files were read");
        // What all of them have is known by now: the directory at the end needs none.
        let before = reads(&shared);
        let end = part(&w, id, len - 22..len).await.unwrap();
        assert!(end.starts_with(b"PK\x05\x06"));
        assert_eq!(reads(&shared), before);

        // Its sum is known once somebody has had all of it.
        let whole = all(archive(&w, id).await.pieces(None)).await.unwrap();
        assert!(whole == joined);
        assert_eq!(unzip(&whole)[3], ("street/003.png".to_owned(), picture(3)));
        let made = archive(&w, id).await;
        let sum = hex::encode(Sha256::digest(&whole));
        assert_eq!(made.len, Some(len));
        assert_eq!(made.sum.unwrap().sha256, sum);
        assert_eq!(described().await, (format!("{len} B").into(), sum.into(), false));

        // A part with a file that is not what it was is an error, and one without it is not.
        let was = shared
            .lock()
            .unwrap()
            .files
            .insert("street/011.png".to_owned(), vec![7; 9]);
        assert!(was.is_some());
        let broken = part(&w, id, half..len).await.unwrap_err();
        assert!(broken.to_string().contains("street/011.png"), "{broken}");
        assert_eq!(part(&w, id, len - 22..len).await.unwrap(), end);
    })
    .await;
}
