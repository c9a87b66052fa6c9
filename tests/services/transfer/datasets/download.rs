//! Whole versions as one file, their sums, and what describes them.

use super::*;
use limn_domain::dataset::{Download, Metadata};
use limn_services::versions::{Downloadable, Pieces};
use sha2::{Digest as _, Sha256};

async fn all(mut pieces: Pieces) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.recv().await {
        bytes.extend(piece.unwrap());
    }
    bytes
}

async fn made(w: &World, version: VersionId, what: Download, split: Option<Split>) -> Downloadable {
    w.versions
        .download(&w.manager, version, what, split)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_download_are_parts_of_the_whole_and_sums_name_it() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let version = w.register_project(&d).await.version_id;
        // The profile's job works the sums out.
        let job = w.profiles.start(&w.manager, version).await.unwrap();
        assert_eq!(w.finish(job.id).await.state, JobState::Succeeded);

        for what in [Download::Archive, Download::Metadata] {
            let file = made(&w, version, what, None).await;
            let whole = all(file.pieces(None)).await;
            let sum = file.sum.clone().unwrap();
            assert_eq!(sum.bytes, whole.len() as i64);
            assert_eq!(sum.sha256, hex::encode(Sha256::digest(&whole)));
            let n = whole.len() as u64;
            for (a, b) in [(0, n), (0, 1), (n - 1, n), (n / 3, n / 2), (5, 5)] {
                let part = all(file.pieces(Some(a..b))).await;
                assert_eq!(part, whole[a as usize..b as usize], "{what:?} {a}..{b}");
            }
            // Of a split nobody has said anything yet, and its sum is another one.
            assert!(made(&w, version, what, Some(Split::Train)).await.sum.is_none());
        }

        let lines = all(made(&w, version, Download::Metadata, None).await.pieces(None)).await;
        let rows: Vec<Metadata> = lines
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect();
        let names: Vec<&str> = rows.iter().map(|r| r.file_name.as_str()).collect();
        assert_eq!(names, ["a.png", "sub/b.png"]);
        assert_eq!(
            (rows[0].width, rows[0].height, rows[0].split.clone()),
            (100, 80, None)
        );
        assert_eq!(rows[0].bbox, [[1.0, 2.0, 30.0, 40.0]]);
        assert_eq!(rows[0].bbox_category, rows[0].categories);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn croissant_names_the_files_with_their_sums_and_the_columns_of_tables() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Räte {und} \"Tabellen\"", DatasetKind::Tabular).await;
        let csv = b"id,when,ok,odd name,odd name\n1,2026-01-02,true,a,b\n2,2026-01-03,false,c,d\n".to_vec();
        let version = w
            .upload_zip(&d, &[("t.csv", csv)], UploadMode::Replace)
            .await
            .version_id;
        let job = w.profiles.start(&w.manager, version).await.unwrap();
        assert_eq!(w.finish(job.id).await.state, JobState::Succeeded);
        // A version that no job has looked at has no sums.
        let blob = w
            .versions
            .entries(&w.manager, version, EntryQuery::default())
            .await
            .unwrap()
            .rows[0]
            .digest
            .clone();
        let bare = limn_testkit::build::version(&db, d.summary.id, "x.csv", &blob).await;
        assert!(made(&w, bare, Download::Archive, None).await.sum.is_none());
        let refused = w
            .versions
            .croissant(&w.manager, bare, "http://x")
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("checksums"), "{refused}");

        let c = w
            .versions
            .croissant(&w.manager, version, "https://limn.example.org/")
            .await
            .unwrap();
        assert_eq!(c["conformsTo"], "http://mlcommons.org/croissant/1.0");
        assert_eq!(c["name"], "Räte {und} \"Tabellen\"");
        let cite = c["citeAs"].as_str().unwrap();
        assert!(cite.contains("Räte und Tabellen"), "{cite}");
        let zip = &c["distribution"][0];
        assert_eq!(
            zip["contentUrl"],
            format!("https://limn.example.org/api/v1/versions/{version}/zip")
        );
        let sum = made(&w, version, Download::Archive, None).await.sum.unwrap();
        assert_eq!(zip["sha256"], sum.sha256);
        let fields: Vec<(&str, &str)> = c["recordSet"][1]["field"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| (f["name"].as_str().unwrap(), f["dataType"].as_str().unwrap()))
            .collect();
        assert_eq!(fields[0], ("id", "sc:Integer"));
        assert_eq!(fields[1], ("when", "sc:Date"));
        assert_eq!(fields[2], ("ok", "sc:Boolean"));
        let ids: std::collections::BTreeSet<&str> = c["recordSet"][1]["field"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["@id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), fields.len(), "each its own id: {ids:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archives_that_nobody_goes_on_reading_keep_no_connection() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Files", DatasetKind::Files).await;
        // More than what is made ahead of a reader.
        let many: Vec<(String, Vec<u8>)> = (0..240_u32)
            .map(|n| (format!("{n:03}.bin"), n.to_le_bytes().repeat(6_000)))
            .collect();
        let files: Vec<(&str, Vec<u8>)> = many.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
        let version = w.upload_zip(&d, &files, UploadMode::Add).await.version_id;
        // More than there are connections.
        let mut held = Vec::new();
        let others = async {
            for _ in 0..12 {
                let mut pieces = made(&w, version, Download::Archive, None).await.pieces(None);
                assert!(pieces.recv().await.unwrap().is_ok());
                held.push(pieces);
            }
            w.versions.list(&w.manager, d.summary.id).await.unwrap().len()
        };
        let listed = tokio::time::timeout(std::time::Duration::from_secs(8), others).await;
        assert_eq!(listed, Ok(1));
        // Whoever goes on gets the rest.
        let rest = all(held.pop().unwrap()).await;
        assert!(rest.len() > 5_000_000, "{}", rest.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checksum_that_is_not_that_of_its_file_is_put_right() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Files", DatasetKind::Files).await;
        let files = [("a.bin", vec![1; 3_000]), ("b.bin", vec![2; 3_000])];
        let version = w.upload_zip(&d, &files, UploadMode::Add).await.version_id;
        // Noted of bytes that a disk had spoilt.
        let found = w.versions.entries(&w.manager, version, EntryQuery::default());
        let rows = found.await.unwrap().rows;
        let wrong: Vec<_> = rows.into_iter().map(|e| (e.digest, 7)).collect();
        db.write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move { limn_store::repo::blob::set_crcs(tx, &wrong).await })
        })
        .await
        .unwrap();
        let archive = made(&w, version, Download::Archive, None).await;
        let len = archive.len.unwrap();
        // The first file is not read for its end, only the checksum.
        let end = len - 200..len;
        let before = all(archive.pieces(Some(end.clone()))).await;
        let whole = all(archive.pieces(None)).await;
        let right = &whole[end.start as usize..];
        assert!(before != right);
        assert!(all(archive.pieces(Some(end))).await == right);
    })
    .await;
}
