//! The S3 endpoint over HTTP, as clients sign for it (AWS Signature Version 4).

use crate::support::{item, png, project};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use limn_domain::Timestamp;
use limn_testkit::{Client, Reply, TestApp, app_on_both};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::SystemTime;

const HOST: &str = "limn.test";

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|b| b ^ with);
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

/// A key pair.
struct Key {
    id: String,
    secret: String,
}

impl Key {
    async fn make(client: &Client, body: &Value) -> Self {
        let made = client
            .post("/api/v1/tokens", body)
            .await
            .is(StatusCode::CREATED)
            .json();
        Self {
            id: made["s3"]["access_key_id"].as_str().unwrap().to_owned(),
            secret: made["s3"]["secret_access_key"].as_str().unwrap().to_owned(),
        }
    }

    /// A signed request; `query` is sorted and encoded.
    fn request(&self, method: &Method, path: &str, query: &str) -> axum::http::request::Builder {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let text = Timestamp(now.as_secs() as i64 * 1_000_000).to_rfc3339();
        let at: String = text.chars().filter(|c| !"-:".contains(*c)).collect();
        let (day, empty) = (&at[..8], hex::encode(Sha256::digest(b"")));
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{HOST}\nx-amz-content-sha256:{empty}\nx-amz-date:{at}\n\n\
             host;x-amz-content-sha256;x-amz-date\n{empty}"
        );
        let scope = format!("{day}/us-east-1/s3/aws4_request");
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}");
        let mut key = hmac(format!("AWS4{}", self.secret).as_bytes(), day.as_bytes());
        for part in ["us-east-1", "s3", "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex::encode(hmac(&key, to_sign.as_bytes()));
        let uri = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        };
        Request::builder()
            .method(method)
            .uri(uri)
            .header(header::HOST, HOST)
            .header("x-amz-date", at)
            .header("x-amz-content-sha256", empty)
            .header(
                header::AUTHORIZATION,
                format!(
                    "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                     Signature={signature}",
                    self.id
                ),
            )
    }

    async fn get(&self, app: &TestApp, path: &str, query: &str) -> Reply {
        let request = self.request(&Method::GET, path, query);
        app.anonymous().send(request.body(Body::empty()).unwrap()).await
    }
}

/// A dataset "Street" with a version of two pictures; its id.
async fn street(app: &TestApp, client: &Client) -> String {
    let (project, category) = project(client, "P").await;
    for (name, n) in [("a.png", 7), ("sub/b%20%C3%A4.png", 8)] {
        let item = item(client, &project, name, n).await;
        drop((item, &category));
    }
    let dataset = client
        .post("/api/v1/datasets", &json!({"name": "Street", "kind": "images"}))
        .await
        .is(StatusCode::CREATED)
        .json();
    let id = dataset["id"].as_str().unwrap().to_owned();
    app.with_jobs(async {
        let job = client
            .post(
                &format!("/api/v1/datasets/{id}/versions"),
                &json!({"from": "project", "project_id": project, "statuses": ["todo"]}),
            )
            .await
            .ok()
            .json();
        let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
        for _ in 0..400 {
            let job = client.get(&path).await.ok().json();
            if job["state"] == "succeeded" {
                return;
            }
            assert_ne!(job["state"], "failed", "{job}");
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the registration did not end");
    })
    .await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_requests_read_versions() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let dataset = street(&app, &client).await;
        let key = Key::make(
            &client,
            &json!({"name": "s3", "scope": "read", "dataset_id": dataset}),
        )
        .await;
        let list = key.get(&app, "/", "").await.is(StatusCode::OK).text();
        assert!(list.contains("<Name>street</Name>"), "{list}");
        let list = key
            .get(&app, "/street", "delimiter=%2F&list-type=2&prefix=v1%2F")
            .await
            .is(StatusCode::OK)
            .text();
        assert!(list.contains("<Key>v1/a.png</Key>"), "{list}");
        assert!(list.contains("<Prefix>v1/sub/</Prefix>"), "{list}");
        let list = key
            .get(
                &app,
                "/street",
                "encoding-type=url&list-type=2&prefix=v1%2Fsub%2F",
            )
            .await
            .is(StatusCode::OK)
            .text();
        assert!(list.contains("<Key>v1/sub/b%20%C3%A4.png</Key>"), "{list}");

        // The first version of the list, page by page: what goes on it must fit into XML and into a query.
        let (mut marker, mut seen) = (String::new(), Vec::new());
        for _ in 0..10 {
            let query = format!("marker={marker}&max-keys=1&prefix=v1%2F");
            let page = key.get(&app, "/street", &query).await.is(StatusCode::OK).text();
            let between = |a: &str, b: &str| Some(page.split_once(a)?.1.split_once(b)?.0.to_owned());
            seen.extend(between("<Key>", "</Key>"));
            match between("<NextMarker>", "</NextMarker>") {
                Some(next) => marker = next.replace(':', "%3A"),
                None => break,
            }
        }
        seen.retain(|k| !k.ends_with("metadata.jsonl"));
        assert_eq!(seen, ["v1/a.png", "v1/sub/b ä.png"]);

        let file = key.get(&app, "/street/latest/a.png", "").await.is(StatusCode::OK);
        assert_eq!(file.body, png(7));
        assert_eq!(file.header("content-type"), "image/png");
        assert!(file.header("content-security-policy").contains("sandbox"));
        let ask = async |name: &str, value: &str| {
            let request = key
                .request(&Method::GET, "/street/latest/a.png", "")
                .header(name, value);
            app.anonymous().send(request.body(Body::empty()).unwrap()).await
        };
        let part = ask("range", "bytes=1-3").await.is(StatusCode::PARTIAL_CONTENT);
        assert_eq!(&part.body[..], b"PNG");
        ask("range", "bytes=999999-")
            .await
            .expect(StatusCode::RANGE_NOT_SATISFIABLE);
        ask("if-none-match", file.header("etag"))
            .await
            .expect(StatusCode::NOT_MODIFIED);
        ask("if-match", "\"other\"")
            .await
            .expect(StatusCode::PRECONDITION_FAILED);
        let odd = key
            .get(&app, "/street/v1/sub/b%20%C3%A4.png", "")
            .await
            .is(StatusCode::OK);
        assert_eq!(odd.body, png(8));
        let head = key.request(&Method::HEAD, "/street/v1/a.png", "");
        let head = app.anonymous().send(head.body(Body::empty()).unwrap()).await;
        assert_eq!(
            head.is(StatusCode::OK).header("content-length"),
            png(7).len().to_string()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_rightly_reads_nothing() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let dataset = street(&app, &client).await;
        let key = Key::make(&client, &json!({"name": "s3", "scope": "read"})).await;
        let says = |reply: &Reply, code: &str| {
            assert!(
                reply.text().contains(&format!("<Code>{code}</Code>")),
                "{}",
                reply.text()
            );
        };
        let wrong = Key {
            id: key.id.clone(),
            secret: "guessed".to_owned(),
        };
        let reply = wrong
            .get(&app, "/street/v1/a.png", "")
            .await
            .is(StatusCode::FORBIDDEN);
        says(&reply, "SignatureDoesNotMatch");
        assert!(!reply.text().contains(&key.secret));
        let unknown = Key {
            id: format!("LIMN{}", "0".repeat(32)),
            secret: key.secret.clone(),
        };
        let reply = unknown.get(&app, "/street/v1/a.png", "").await;
        assert!(
            reply.status.is_client_error() && !reply.text().contains("PNG"),
            "{}",
            reply.text()
        );
        for (path, code) in [
            ("/street/v1/none.png", "NoSuchKey"),
            ("/street/v9/a.png", "NoSuchKey"),
            ("/elsewhere/v1/a.png", "NoSuchKey"),
        ] {
            says(&key.get(&app, path, "").await.is(StatusCode::NOT_FOUND), code);
        }
        says(
            &key.get(&app, "/elsewhere", "list-type=2")
                .await
                .is(StatusCode::NOT_FOUND),
            "NoSuchBucket",
        );
        for method in [Method::PUT, Method::DELETE, Method::POST] {
            let request = key.request(&method, "/street/v1/a.png", "");
            let reply = app.anonymous().send(request.body(Body::from("x")).unwrap()).await;
            says(&reply.is(StatusCode::METHOD_NOT_ALLOWED), "MethodNotAllowed");
        }
        // A key ends with its token, and one of another person sees nothing.
        let tokens = client.get("/api/v1/tokens").await.ok().json();
        let mine = tokens
            .as_array()
            .unwrap()
            .iter()
            .find(|t| t["name"] == "s3")
            .unwrap();
        client
            .delete(&format!("/api/v1/tokens/{}", mine["id"].as_str().unwrap()))
            .await
            .expect(StatusCode::NO_CONTENT);
        assert_eq!(
            key.get(&app, "/street/v1/a.png", "").await.status,
            StatusCode::FORBIDDEN
        );
        let eva = app.user("eva", limn_domain::Role::Labeler).await;
        let eva = app.token(&eva, limn_domain::token::TokenScope::Admin).await;
        let stranger = Key::make(&eva, &json!({"name": "s3", "scope": "read"})).await;
        let reply = stranger.get(&app, &format!("/{dataset}"), "list-type=2").await;
        says(&reply.is(StatusCode::NOT_FOUND), "NoSuchBucket");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_also_the_password_of_basic_authentication() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let made = client
            .post("/api/v1/tokens", &json!({"name": "b", "scope": "read"}))
            .await
            .is(StatusCode::CREATED)
            .json();
        let ask = async |text: String| {
            use base64::Engine as _;
            let encoded = base64::engine::general_purpose::STANDARD.encode(text);
            let request = app
                .anonymous()
                .request(Method::GET, "/api/v1/me")
                .header(header::AUTHORIZATION, format!("Basic {encoded}"));
            app.anonymous().send(request.body(Body::empty()).unwrap()).await
        };
        let secret = made["secret"].as_str().unwrap();
        ask(format!("anybody:{secret}")).await.expect(StatusCode::OK);
        for wrong in [
            "anybody:limn_guess".to_owned(),
            format!("{secret}:"),
            secret.to_owned(),
        ] {
            ask(wrong).await.expect(StatusCode::UNAUTHORIZED);
        }
    })
    .await;
}
