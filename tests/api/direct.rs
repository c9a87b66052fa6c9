//! Parts of uploads that clients put straight into the object store.

use crate::scale::{done, within};
use crate::support::{png, text};
use axum::http::{Method, StatusCode};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_services::housekeeping::sweep;
use limn_testkit::{Client, TestApp, TestBucket, TestDb, on_both};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PARTS: &str = "studio/one/shared/uploads/";

async fn world(db: TestDb, browser_uploads: bool) -> (TestBucket, TestApp) {
    let bucket = TestBucket::start().await;
    let config = within(&bucket, "a");
    let app = TestApp::configured(db, |raw| {
        config(raw);
        raw.storage.presign = true;
        raw.storage.browser_uploads = browser_uploads;
    });
    (bucket, app)
}

async fn begin(client: &Client, name: &str, size: usize) -> Value {
    let new = json!({ "name": name, "size": size });
    client.post("/api/v1/uploads", &new).await.ok().json()
}

fn parts_of(upload: &Value) -> String {
    format!("/api/v1/uploads/{}/parts", text(&upload["id"]))
}

/// Asks for links.
async fn parts(client: &Client, upload: &Value) -> Value {
    let asked = client.bytes(Method::POST, &parts_of(upload), "").await;
    asked.is(StatusCode::OK).json()
}

/// Puts bytes as a client of the store does; answers the status.
async fn put(url: &str, bytes: &[u8]) -> u16 {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let len = bytes.len();
    let head =
        format!("PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // A store that refuses need not take the rest.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|a| a.get(..3));
    status.unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_past_the_server_become_files_of_a_version_with_their_digests() {
    on_both(async |db| {
        let (bucket, app) = world(db, false).await;
        let client = app.admin("ana").await;
        let large: Vec<u8> = (0_u32..(17 << 18)).flat_map(u32::to_le_bytes).collect();
        let small = png(3);
        let mut uploads = Vec::new();
        for (name, bytes) in [("large.bin", &large[..]), ("small.png", &small[..])] {
            let upload = begin(&client, name, bytes.len()).await;
            assert_eq!(upload["direct"], true, "{upload}");
            // Said too early, it changes nothing.
            let mut now = parts(&client, &upload).await;
            assert_eq!(now["upload"]["received"], 0);
            while let Some(given) = now["parts"].as_array().filter(|p| !p.is_empty()) {
                // In any order.
                for part in given.iter().rev() {
                    let from = part["offset"].as_u64().unwrap() as usize;
                    let to = from + part["size"].as_u64().unwrap() as usize;
                    assert_eq!(put(&text(&part["url"]), &bytes[from..to]).await, 200);
                }
                now = parts(&client, &upload).await;
            }
            assert_eq!(now["upload"]["received"], bytes.len());
            uploads.push(upload["id"].clone());
        }
        assert_eq!((bucket.keys(PARTS).len(), bucket.puts_by_link()), (3, 3));

        let new = json!({ "name": "Mixed", "kind": "files" });
        let dataset = client.post("/api/v1/datasets", &new).await.ok().json();
        let path = format!("/api/v1/datasets/{}/versions", text(&dataset["id"]));
        let new = json!({ "from": "uploads", "uploads": uploads });
        let job = client.post(&path, &new).await.ok().json();
        let job = app.with_jobs(async { done(&client, &job).await }).await;
        let version = text(&job["result"]["version_id"]);
        for (name, bytes) in [("large.bin", &large[..]), ("small.png", &small[..])] {
            let digest = blake3::hash(bytes).to_hex();
            let blob = bucket.get(&format!("studio/one/blobs/{digest}")).unwrap();
            assert!(blob == bytes, "{name}");
            let path = format!("/api/v1/versions/{version}/file?path={name}");
            let sent_on = client.get(&path).await.is(StatusCode::TEMPORARY_REDIRECT);
            assert!(sent_on.header("location").contains(digest.as_str()));
            let head = client.bytes(Method::HEAD, &path, "").await.is(StatusCode::OK);
            assert_eq!(head.header("content-length"), bytes.len().to_string());
        }
        assert!(bucket.keys(PARTS).is_empty(), "{:?}", bucket.keys(PARTS));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_for_one_part_of_one_length_and_for_whoever_may_upload() {
    let (bucket, app) = world(TestDb::sqlite().await, false).await;
    let client = app.admin("ana").await;
    let upload = begin(&client, "a.zip", 10).await;
    let url = text(&parts(&client, &upload).await["parts"][0]["url"]);
    assert!(url.starts_with(&bucket.endpoint()), "{url}");
    for wrong in [&b"012345678"[..], b"0123456789a", b""] {
        assert_eq!(put(&url, wrong).await, 403, "{wrong:?}");
    }
    let other = begin(&client, "b.zip", 10).await;
    let elsewhere = [
        url.replacen(&text(&upload["id"]), &text(&other["id"]), 1),
        url.replacen("/0-10", "/1-10", 1),
        url.replacen("shared/uploads/", "blobs/", 1),
        url.replacen("X-Amz-Expires=900", "X-Amz-Expires=9000", 1),
    ];
    for url in &elsewhere {
        assert_eq!(put(url, b"0123456789").await, 403, "{url}");
    }
    assert_eq!(put(&url, b"0123456789").await, 200);
    let key = bucket.keys("").pop().unwrap();
    assert!(key.starts_with(PARTS) && bucket.keys("").len() == 1, "{key}");

    // Whoever did not begin the upload learns nothing of it, and who may not import any more gets no links.
    let bob = app.user("bob", Role::Manager).await;
    let bob = app.token(&bob, TokenScope::Write).await;
    let asked = bob.bytes(Method::POST, &parts_of(&upload), "").await;
    asked.expect(StatusCode::NOT_FOUND);
    let asked = app.anonymous().bytes(Method::POST, &parts_of(&upload), "").await;
    asked.expect(StatusCode::UNAUTHORIZED);
    let owned = begin(&bob, "c.zip", 10).await;
    let people = client.get("/api/v1/users").await.ok().json();
    let rows = people.as_array().unwrap();
    let row = rows.iter().find(|p| p["email"] == "bob@example.org").unwrap();
    let path = format!("/api/v1/users/{}", text(&row["id"]));
    drop(client.patch(&path, &json!({ "role": "viewer" })).await.ok());
    let asked = bob.bytes(Method::POST, &parts_of(&owned), "").await;
    asked.expect(StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_takes_any_length_is_noticed() {
    let (bucket, app) = world(TestDb::sqlite().await, false).await;
    let client = app.admin("ana").await;
    let upload = begin(&client, "a.zip", 10).await;
    let key = format!("{PARTS}{}/0-10.part", text(&upload["id"]));
    bucket.put(&key, &b"far more than was announced"[..]);
    let refused = client.bytes(Method::POST, &parts_of(&upload), "").await;
    let refused = refused.is(StatusCode::BAD_REQUEST);
    assert!(
        refused
            .text()
            .contains("has 27 bytes in the object store, not 10"),
        "{}",
        refused.text()
    );
    assert!(bucket.keys(PARTS).is_empty());
    // It goes on from where it stood, and the server takes the bytes as well.
    let now = parts(&client, &upload).await;
    assert_eq!(
        (&now["upload"]["received"], &now["parts"][0]["offset"]),
        (&json!(0), &json!(0))
    );
    let path = format!("/api/v1/uploads/{}", text(&upload["id"]));
    let request = client.request(Method::PATCH, &path).header("upload-offset", "0");
    let sent = client.send(request.body("01234".into()).unwrap()).await.ok();
    assert_eq!(sent.json()["received"], 5);
    let now = parts(&client, &upload).await;
    let rest = &now["parts"][0];
    assert_eq!((&rest["offset"], &rest["size"]), (&json!(5), &json!(5)));
    assert_eq!(put(&text(&rest["url"]), b"56789").await, 200);
    assert_eq!(parts(&client, &upload).await["upload"]["received"], 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_nobody_asks_for_again_are_swept_up() {
    let (bucket, app) = world(TestDb::sqlite().await, false).await;
    let client = app.admin("ana").await;
    let upload = begin(&client, "a.zip", 10).await;
    let url = text(&parts(&client, &upload).await["parts"][0]["url"]);
    assert_eq!(put(&url, b"0123456789").await, 200);
    sweep(&app.services.context).await.unwrap();
    assert_eq!(bucket.keys(PARTS).len(), 1, "it is under way");
    app.clock.advance_seconds(4 * 24 * 3600);
    assert_eq!(sweep(&app.services.context).await.unwrap().uploads, 1);
    assert!(bucket.keys(PARTS).is_empty());

    // A link outlives its upload by some minutes; what comes by it then goes with the next sweep.
    let client = app.admin("bea").await;
    let upload = begin(&client, "a.zip", 10).await;
    let url = text(&parts(&client, &upload).await["parts"][0]["url"]);
    assert_eq!(put(&url, b"0123456789").await, 200);
    let path = format!("/api/v1/uploads/{}", text(&upload["id"]));
    client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert!(bucket.keys(PARTS).is_empty());
    assert_eq!(put(&url, b"0123456789").await, 200);
    sweep(&app.services.context).await.unwrap();
    assert!(bucket.keys(PARTS).is_empty());
}

#[tokio::test]
async fn in_a_folder_bytes_go_to_the_server() {
    let app = TestApp::over(TestDb::sqlite().await);
    let client = app.admin("ana").await;
    let upload = begin(&client, "a.zip", 10).await;
    assert_eq!(upload["direct"], false);
    assert_eq!(parts(&client, &upload).await["parts"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_put_parts_only_where_the_bucket_is_said_to_take_them() {
    for allowed in [false, true] {
        let (bucket, app) = world(TestDb::sqlite().await, allowed).await;
        app.user("ana", Role::Admin).await;
        let page = app.sign_in("ana@example.org").await;
        let upload = begin(&page, "a.zip", 10).await;
        assert_eq!(upload["direct"], allowed);
        let given = parts(&page, &upload).await;
        assert_eq!(
            given["parts"].as_array().map(Vec::len),
            Some(usize::from(allowed))
        );
        let policy = page.get("/api/v1/me").await.ok();
        let policy = policy.header("content-security-policy");
        let connect = format!("connect-src 'self' {};", bucket.endpoint());
        assert_eq!(policy.contains(&connect), allowed, "{policy}");
        assert!(allowed || policy.contains("connect-src 'self';"), "{policy}");
    }
}
