//! Several servers over one database, with the files in an object store: what one does another one sees.

use crate::support::{item, png, project, text};
use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use futures::StreamExt as _;
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_server::config::RawConfig;
use limn_services::housekeeping::sweep;
use limn_services::reach::{Bucket, BucketSettings, Secret};
use limn_storage::StoredBlob;
use limn_testkit::bucket::{BUCKET, KEY_ID, SECRET};
use limn_testkit::{Client, TestApp, TestBucket, on_both};
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server that keeps its files in the bucket, with a data directory of its own.
pub(crate) fn within(bucket: &TestBucket, name: &'static str) -> impl FnOnce(&mut RawConfig) + use<> {
    let endpoint = bucket.endpoint();
    move |raw| {
        raw.storage.data_dir = raw.storage.data_dir.with_file_name(name);
        "s3".clone_into(&mut raw.storage.kind);
        raw.storage.endpoint = endpoint;
        BUCKET.clone_into(&mut raw.storage.bucket);
        "studio/one".clone_into(&mut raw.storage.prefix);
        raw.storage.access_key_id = KEY_ID.to_owned().into();
        raw.storage.secret_access_key = SECRET.to_owned().into();
        raw.secrets.key = "ab".repeat(32).into();
    }
}

/// Two servers, and an admin at each.
struct Two {
    bucket: TestBucket,
    a: TestApp,
    b: TestApp,
    at_a: Client,
    at_b: Client,
}

async fn two(db: limn_testkit::TestDb) -> Two {
    let bucket = TestBucket::start().await;
    let a = TestApp::configured(db, within(&bucket, "a"));
    let b = a.beside(within(&bucket, "b"));
    let ana = a.user("ana", Role::Admin).await;
    let at_a = a.token(&ana, TokenScope::Admin).await;
    let at_b = b.token(&ana, TokenScope::Admin).await;
    Two {
        bucket,
        a,
        b,
        at_a,
        at_b,
    }
}

pub(crate) async fn done(client: &Client, job: &Value) -> Value {
    let path = format!("/api/v1/jobs/{}", text(&job["id"]));
    loop {
        let job = client.get(&path).await.ok().json();
        match job["state"].as_str() {
            Some("succeeded") => return job,
            Some("failed" | "cancelled") => panic!("{job}"),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn archive(pictures: u8) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for n in 0..pictures {
        zip.start_file(format!("{n}.png"), zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&png(n)).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_taken_by_one_server_is_shown_by_another() {
    on_both(async |db| {
        let w = two(db).await;
        let (project, _) = project(&w.at_a, "P").await;
        let item = item(&w.at_a, &project, "a.png", 7).await;
        assert_eq!(w.bucket.keys("studio/one/blobs/").len(), 1);
        for which in ["thumb", "full"] {
            let reply = w.at_b.get(&format!("/media/items/{item}/{which}")).await.ok();
            assert_eq!(image::load_from_memory(&reply.body).unwrap().width(), 40);
        }
        let path = format!("/media/items/{item}/original");
        let reads = w.bucket.reads();
        assert_eq!(w.at_b.get(&path).await.is(StatusCode::OK).body, png(7));
        assert_eq!(w.bucket.reads(), reads, "the copy on the disk serves");
        let request = w.at_b.request(Method::GET, &path).header("range", "bytes=1-3");
        let part = w
            .at_b
            .send(request.body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(&part.is(StatusCode::PARTIAL_CONTENT).body[..], b"PNG");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_two_servers_took_is_imported_by_either_and_an_export_is_had_from_both() {
    on_both(async |db| {
        let w = two(db).await;
        let (project, _) = project(&w.at_a, "P").await;
        let bytes = archive(3);
        let new = json!({ "name": "more.zip", "size": bytes.len() });
        let upload = w.at_a.post("/api/v1/uploads", &new).await.ok().json();
        let path = format!("/api/v1/uploads/{}", text(&upload["id"]));
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        for (client, offset, piece) in [(&w.at_a, 0, first), (&w.at_b, first.len(), rest)] {
            let request = client
                .request(Method::PATCH, &path)
                .header("upload-offset", offset.to_string());
            let sent = client
                .send(request.body(piece.to_vec().into()).unwrap())
                .await
                .ok();
            assert_eq!(sent.json()["received"], offset + piece.len());
        }
        let again = w.at_a.request(Method::PATCH, &path).header("upload-offset", "0");
        let again = w.at_a.send(again.body(first.to_vec().into()).unwrap()).await;
        again.expect(StatusCode::CONFLICT);
        assert_eq!(w.bucket.keys("studio/one/shared/uploads/").len(), 2);

        let input = json!({ "format": "images", "uploads": [upload["id"]] });
        let job = w
            .at_a
            .post(&format!("/api/v1/projects/{project}/imports"), &input)
            .await;
        let (job, seen) = (job.ok().json(), w.at_a.clone());
        let job = w.b.with_jobs(async { done(&seen, &job).await }).await;
        assert_eq!(job["result"]["items_added"], 3, "{job}");
        let left = w.bucket.keys("studio/one/shared/uploads/");
        assert!(left.is_empty(), "{left:?}");

        let input = json!({ "format": "coco", "scope": "all", "with_images": true });
        let job = w
            .at_b
            .post(&format!("/api/v1/projects/{project}/exports"), &input)
            .await;
        let (job, seen) = (job.ok().json(), w.at_b.clone());
        let job = w.a.with_jobs(async { done(&seen, &job).await }).await;
        let url = text(&job["result"]["url"]);
        let (one, two) = (w.at_a.get(&url).await.ok(), w.at_b.get(&url).await.ok());
        assert!(one.body.starts_with(b"PK"));
        assert_eq!(one.body, two.body);
        // Kept for a while, then nowhere.
        w.bucket.age(Duration::from_hours(24 * 8));
        sweep(&w.b.services.context).await.unwrap();
        assert!(w.bucket.keys("studio/one/shared/exports/").is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_parts_of_an_upload_that_takes_a_week_are_kept() {
    on_both(async |db| {
        let w = two(db).await;
        let new = json!({ "name": "slow.zip", "size": 4 });
        let upload = w.at_a.post("/api/v1/uploads", &new).await.ok().json();
        let id = text(&upload["id"]);
        let path = format!("/api/v1/uploads/{id}");
        let request = w.at_a.request(Method::PATCH, &path).header("upload-offset", "0");
        let sent = w.at_a.send(request.body(b"PK".to_vec().into()).unwrap()).await;
        assert_eq!(sent.ok().json()["received"], 2);
        let shared = format!("studio/one/shared/uploads/{id}/");
        // What a transfer brought that was not acknowledged.
        w.bucket.put(&format!("{shared}0-lost"), "PK");
        let young = w.bucket.keys(&shared).len();
        sweep(&w.b.services.context).await.unwrap();
        assert_eq!((young, w.bucket.keys(&shared).len()), (2, 2));
        w.bucket.age(Duration::from_hours(24 * 7));
        sweep(&w.b.services.context).await.unwrap();
        let left = w.bucket.keys(&shared);
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(!left[0].ends_with("lost"), "{left:?}");
        // Once nobody goes on with it, it goes.
        w.a.clock.advance_seconds(4 * 24 * 3_600);
        sweep(&w.b.services.context).await.unwrap();
        assert!(w.bucket.keys(&shared).is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_by_one_server_never_takes_what_another_is_putting() {
    on_both(async |db| {
        let w = two(db).await;
        let (a, b) = (&w.a.services.context.blobs, &w.b.services.context.blobs);
        let same = || Bytes::from_static(b"the same bytes");
        for _ in 0..8 {
            let digest = a.put_bytes(same()).await.unwrap().digest;
            assert!(
                !b.delete_unused(&digest, Duration::ZERO).await.unwrap(),
                "it is held"
            );
            w.a.clock.advance_seconds(2 * 3600);
            let (put, gone) = tokio::join!(a.put_bytes(same()), b.delete_unused(&digest, Duration::ZERO));
            put.unwrap();
            gone.unwrap();
            assert!(w.bucket.get(&format!("studio/one/blobs/{digest}")).is_some());
            assert_eq!(b.read(&digest).await.unwrap(), same());
        }
        let digest = a.put_bytes(same()).await.unwrap().digest;
        w.a.clock.advance_seconds(2 * 3600);
        // A job that began before it was put may still be about to name it.
        assert!(!b.delete_unused(&digest, Duration::from_hours(3)).await.unwrap());
        assert!(b.delete_unused(&digest, Duration::ZERO).await.unwrap());
        assert!(w.bucket.keys("studio/one/blobs/").is_empty());

        // What an item names stays, however old; what a deleted one named goes.
        let (project, _) = project(&w.at_a, "P").await;
        let item = item(&w.at_a, &project, "a.png", 7).await;
        w.a.clock.advance_seconds(2 * 3600);
        w.bucket.age(Duration::from_hours(2));
        sweep(&w.b.services.context).await.unwrap();
        assert_eq!(w.bucket.keys("studio/one/blobs/").len(), 1);
        let gone = json!({ "selection": { "ids": [item] }, "action": "delete" });
        let bulk = format!("/api/v1/projects/{project}/items/bulk");
        w.at_a.post(&bulk, &gone).await.expect(StatusCode::OK);
        w.a.clock.advance_seconds(2 * 3600);
        let swept = sweep(&w.b.services.context).await.unwrap();
        assert_eq!(swept.blobs, 1);
        assert!(w.bucket.keys("studio/one/blobs/").is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_left_where_they_lie_are_read_by_any_server_and_come_into_the_bucket_when_copied() {
    on_both(async |db| {
        let w = two(db).await;
        let folder = w.a.db.dir().join("stores").join("street");
        std::fs::create_dir_all(&folder).unwrap();
        for n in 0..3 {
            std::fs::write(folder.join(format!("{n}.png")), png(n)).unwrap();
        }
        let settings = json!({ "path": folder.display().to_string() });
        let new = json!({ "name": "Street", "kind": "folder", "settings": settings });
        let store = w.at_a.post("/api/v1/datastores", &new).await.ok().json();
        let new = json!({ "name": "Street", "kind": "images" });
        let dataset = w.at_a.post("/api/v1/datasets", &new).await.ok().json();
        let versions = format!("/api/v1/datasets/{}/versions", text(&dataset["id"]));
        let register = async |in_place: bool| {
            let new = json!({
                "from": "datastore", "datastore_id": store["id"], "mode": "replace", "in_place": in_place,
            });
            let (job, seen) = (w.at_a.post(&versions, &new).await.ok().json(), w.at_a.clone());
            let job = w.b.with_jobs(async { done(&seen, &job).await }).await;
            text(&job["result"]["version_id"])
        };
        let version = register(true).await;
        let path = format!("/api/v1/versions/{version}/file?path=1.png");
        for client in [&w.at_a, &w.at_b] {
            assert_eq!(client.get(&path).await.is(StatusCode::OK).body, png(1));
        }
        let zip = w.at_a.get(&format!("/api/v1/versions/{version}/zip")).await.ok();
        assert!(zip.body.starts_with(b"PK"));
        assert!(w.bucket.keys("studio/one/blobs/").is_empty());

        assert_eq!(
            register(false).await,
            version,
            "the same files are the same version"
        );
        assert_eq!(w.bucket.keys("studio/one/blobs/").len(), 3);
        std::fs::remove_dir_all(&folder).unwrap();
        let c = w.a.beside(within(&w.bucket, "c"));
        let at_c = c.admin("cy").await;
        w.bucket.go_away(true);
        at_c.get(&path).await.expect(StatusCode::SERVICE_UNAVAILABLE);
        w.bucket.go_away(false);
        assert_eq!(at_c.get(&path).await.is(StatusCode::OK).body, png(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_of_a_large_project_is_made_by_one_server_and_fetched_once_by_another() {
    let w = two(limn_testkit::TestDb::sqlite().await).await;
    let (project, _) = project(&w.at_a, "P").await;
    limn_testkit::build::items(&w.a.db, project.parse().unwrap(), "a", 4_010).await;
    w.a.clock.advance_seconds(3_600);
    let explore = format!("/api/v1/projects/{project}/explore");
    let first = w.at_b.post(&explore, &json!({})).await.ok().json();
    assert!(first["page"].is_null(), "{first}");
    let (job, seen) = (first["job"].clone(), w.at_b.clone());
    w.a.with_jobs(async { done(&seen, &job).await }).await;
    assert_eq!(w.bucket.keys("studio/one/shared/items/").len(), 1);
    let reads = w.bucket.reads();
    for _ in 0..2 {
        let found = w.at_b.post(&explore, &json!({})).await.ok().json();
        assert_eq!(found["page"]["total"], 4_010);
    }
    assert_eq!(w.bucket.reads(), reads + 1);
    let path = format!("/api/v1/projects/{project}");
    w.at_a.delete(&path).await.expect(StatusCode::NO_CONTENT);
    sweep(&w.b.services.context).await.unwrap();
    assert!(w.bucket.keys("studio/one/shared/items/").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_goes_in_parts_and_is_read_without_a_copy() {
    let w = two(limn_testkit::TestDb::sqlite().await).await;
    let len = (17 << 20) + 5;
    let piece = |n: usize| Ok::<_, std::io::Error>(Bytes::from(vec![n as u8; 1 << 20]));
    let end = futures::stream::once(async { Ok(Bytes::from_static(b"ended")) });
    let body = futures::stream::iter((0..17).map(piece)).chain(end);
    let blobs = &w.a.services.context.blobs;
    let stored = blobs.put_stream(body, u64::MAX).await.unwrap();
    assert_eq!(w.bucket.open_uploads(), 0);
    let there = w
        .bucket
        .get(&format!("studio/one/blobs/{}", stored.digest))
        .unwrap();
    assert_eq!((there.len(), &there[len - 5..]), (len, &b"ended"[..]));

    let other = StoredBlob {
        blobs: w.b.services.context.blobs.clone(),
        digest: stored.digest.clone(),
        len: stored.len,
    };
    for (range, wanted) in [
        (stored.len - 5..stored.len, &b"ended"[..]),
        (stored.len - 2..stored.len + 9, &b"ed"[..]),
        (stored.len..stored.len + 1, &b""[..]),
    ] {
        let mut got = Vec::new();
        let mut pieces = other.pieces(range).await.unwrap();
        while let Some(piece) = pieces.next().await {
            got.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(got, wanted);
    }
    assert!(
        !other.blobs.path(&stored.digest).exists(),
        "too large for a copy by the way"
    );
    // Code that needs a file gets one.
    let (blobs, digest) = (other.blobs.clone(), stored.digest.clone());
    let file = tokio::task::spawn_blocking(move || blobs.open_file(&digest))
        .await
        .unwrap();
    assert_eq!(file.unwrap().metadata().unwrap().len(), stored.len);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_said_and_nothing_is_half_written() {
    let w = two(limn_testkit::TestDb::sqlite().await).await;
    let (project, _) = project(&w.at_a, "P").await;
    let there = item(&w.at_a, &project, "a.png", 7).await;
    w.bucket.go_away(true);
    let path = format!("/api/v1/projects/{project}/items?name=b.png");
    let refused = w.at_a.bytes(Method::POST, &path, png(8)).await;
    let refused = refused.is(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (refused.code().as_str(), refused.header("retry-after")),
        ("unavailable", "2")
    );
    let shown = w.at_b.get(&format!("/media/items/{there}/full")).await;
    shown.expect(StatusCode::SERVICE_UNAVAILABLE);
    w.bucket.go_away(false);
    assert_eq!(w.bucket.keys("").len(), 1);
    let list = w
        .at_a
        .get(&format!("/api/v1/projects/{project}/items"))
        .await
        .ok();
    assert_eq!(
        list.json()["rows"].as_array().map(Vec::len),
        Some(1),
        "{}",
        list.text()
    );
    w.at_a
        .bytes(Method::POST, &path, png(8))
        .await
        .expect(StatusCode::CREATED);
    w.at_b
        .get(&format!("/media/items/{there}/full"))
        .await
        .expect(StatusCode::OK);
}

/// The whole answer to a `GET`, as it comes over the wire.
async fn fetch(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_are_sent_on_to_the_store_and_pictures_of_pages_are_not() {
    let bucket = TestBucket::start().await;
    let config = within(&bucket, "a");
    let app = TestApp::configured(limn_testkit::TestDb::sqlite().await, |raw| {
        config(raw);
        raw.storage.presign = true;
    });
    let client = app.admin("ana").await;
    let (project, _) = project(&client, "P").await;
    let item = item(&client, &project, "a.png", 7).await;
    client
        .get(&format!("/media/items/{item}/thumb"))
        .await
        .expect(StatusCode::OK);
    client
        .get(&format!("/media/items/{item}/full"))
        .await
        .expect(StatusCode::OK);
    let path = format!("/media/items/{item}/original");
    let sent_on = client.get(&path).await.is(StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(sent_on.header("cache-control"), "no-store");
    let link = sent_on.header("location").to_owned();
    assert!(link.starts_with(&bucket.endpoint()), "{link}");
    let answer = fetch(&link).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(
        answer.contains("content-disposition: attachment; filename=\"a.png\""),
        "{answer}"
    );
    assert!(answer.contains("content-type: image/png"), "{answer}");
    // The link is good for `GET` alone, so whoever asks by `HEAD` gets no link. Nothing is read for it.
    let reads = bucket.reads();
    let head = client.bytes(Method::HEAD, &path, "").await.is(StatusCode::OK);
    let size = head.header("content-length");
    assert!(
        answer.contains(&format!("content-length: {size}\r\n")),
        "{answer}"
    );
    assert_eq!(head.header("content-type"), "image/png");
    assert_eq!(bucket.reads(), reads);
    // It is for this object and this answer alone.
    for (from, to) in [("attachment", "inline"), ("blobs/", "shared/")] {
        let other = fetch(&link.replacen(from, to, 1)).await;
        assert!(other.starts_with("HTTP/1.1 403"), "{other}");
    }
    app.anonymous().get(&path).await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_wrong_with_the_settings_is_said_at_the_start() {
    let bucket = TestBucket::start().await;
    let settings = BucketSettings {
        endpoint: bucket.endpoint(),
        bucket: BUCKET.to_owned(),
        path_style: true,
        access_key_id: Secret::new(KEY_ID),
        secret_access_key: Secret::new(SECRET),
        ..BucketSettings::default()
    };
    let probe = async |change: &dyn Fn(&mut BucketSettings)| {
        let mut settings = settings.clone();
        change(&mut settings);
        Bucket::open(&settings)
            .unwrap()
            .probe()
            .await
            .map_err(|e| e.to_string())
    };
    assert_eq!(probe(&|_| {}).await, Ok(()));
    assert!(bucket.keys("").is_empty(), "nothing is left of it");
    let wrong = probe(&|s| s.secret_access_key = Secret::new("other"))
        .await
        .unwrap_err();
    assert!(wrong.contains("secret access key is wrong"), "{wrong}");
    let wrong = probe(&|s| s.bucket = "elsewhere".to_owned()).await.unwrap_err();
    assert!(wrong.contains("There is no bucket `elsewhere`"), "{wrong}");
    let wrong = probe(&|s| s.access_key_id = Secret::new("AKOTHER"))
        .await
        .unwrap_err();
    assert!(!wrong.contains(SECRET), "{wrong}");
    bucket.go_away(true);
    assert!(probe(&|_| {}).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_how_large_an_archive_is_has_no_file_read() {
    let w = two(limn_testkit::TestDb::sqlite().await).await;
    let mut uploads = Vec::new();
    for name in ["a.bin", "b.bin"] {
        let new = json!({ "name": name, "size": name.len() });
        let upload = w.at_a.post("/api/v1/uploads", &new).await.ok().json();
        let path = format!("/api/v1/uploads/{}", text(&upload["id"]));
        let request = w.at_a.request(Method::PATCH, &path).header("upload-offset", "0");
        drop(w.at_a.send(request.body(name.into()).unwrap()).await.ok());
        uploads.push(upload["id"].clone());
    }
    let new = json!({ "name": "Files", "kind": "files" });
    let dataset = w.at_a.post("/api/v1/datasets", &new).await.ok().json();
    let path = format!("/api/v1/datasets/{}/versions", text(&dataset["id"]));
    let new = json!({ "from": "uploads", "uploads": uploads });
    let job = w.at_a.post(&path, &new).await.ok().json();
    let job = w.a.with_jobs(async { done(&w.at_a, &job).await }).await;

    let path = format!("/api/v1/versions/{}/zip", text(&job["result"]["version_id"]));
    let reads = w.bucket.reads();
    let head = w.at_b.bytes(Method::HEAD, &path, "").await.is(StatusCode::OK);
    // Long enough for a file to be fetched.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(w.bucket.reads(), reads);
    let whole = w.at_b.get(&path).await.ok();
    assert_eq!(head.header("content-length"), whole.body.len().to_string());
    assert!(w.bucket.reads() > reads);
}
