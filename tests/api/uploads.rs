//! Resumable uploads.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_testkit::{Client, Reply, TestApp, app_on_both};
use serde_json::json;

async fn append(client: &Client, id: &str, offset: &str, body: impl Into<Body>) -> Reply {
    let request = client
        .request(Method::PATCH, &format!("/api/v1/uploads/{id}"))
        .header("upload-offset", offset)
        .body(body.into())
        .unwrap();
    client.send(request).await
}

#[tokio::test]
async fn an_upload_goes_on_where_it_stopped() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let new = json!({ "name": "labels.json", "size": 10 });
        let upload = client
            .post("/api/v1/uploads", &new)
            .await
            .is(StatusCode::CREATED)
            .json();
        let id = crate::support::text(&upload["id"]);
        append(&client, &id, "0", "01234").await.expect(StatusCode::OK);
        // A broken connection: what arrived before is kept.
        let pieces = futures::stream::iter([
            Ok(bytes::Bytes::from_static(b"56")),
            Err(std::io::Error::other("gone")),
        ]);
        let broken = append(&client, &id, "5", Body::from_stream(pieces)).await;
        assert!(!broken.status.is_success(), "{}", broken.text());
        let state = client.get(&format!("/api/v1/uploads/{id}")).await.ok();
        let received: i64 = state.header("upload-offset").parse().unwrap();
        assert!((5..=7).contains(&received), "{received}");
        assert_eq!(state.json()["received"], received);
        let head = client
            .bytes(Method::HEAD, &format!("/api/v1/uploads/{id}"), "")
            .await
            .is(StatusCode::OK);
        assert_eq!(head.header("upload-length"), "10");

        assert_eq!(
            append(&client, &id, "2", "x")
                .await
                .is(StatusCode::CONFLICT)
                .code(),
            "conflict"
        );
        let rest = &"0123456789"[received as usize..];
        let done = append(&client, &id, &received.to_string(), rest)
            .await
            .is(StatusCode::OK);
        assert_eq!(done.json()["received"], 10);
        let over = append(&client, &id, "10", "more").await;
        assert!(over.status.is_client_error(), "{}", over.text());
        for bad in ["", "-1", "x", "99999999999999999999"] {
            let reply = append(&client, &id, bad, "x")
                .await
                .is(StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(reply.json()["fields"][0]["field"], "Upload-Offset");
        }
        client
            .delete(&format!("/api/v1/uploads/{id}"))
            .await
            .expect(StatusCode::NO_CONTENT);
        client
            .get(&format!("/api/v1/uploads/{id}"))
            .await
            .expect(StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn uploads_are_private_and_bounded() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let new = json!({ "name": "labels.json", "size": 10 });
        let upload = client
            .post("/api/v1/uploads", &new)
            .await
            .is(StatusCode::CREATED)
            .json();
        let id = crate::support::text(&upload["id"]);
        let bob = app.user("bob", Role::Manager).await;
        let other = app.token(&bob, TokenScope::Write).await;
        other
            .get(&format!("/api/v1/uploads/{id}"))
            .await
            .expect(StatusCode::NOT_FOUND);
        append(&other, &id, "0", "x").await.expect(StatusCode::NOT_FOUND);
        for bad in [
            json!({ "name": "../x.json", "size": 10 }),
            json!({ "name": "x.json", "size": -1 }),
            json!({ "name": "x.json", "size": i64::MAX }),
        ] {
            client
                .post("/api/v1/uploads", &bad)
                .await
                .expect(StatusCode::UNPROCESSABLE_ENTITY);
        }
        app.anonymous()
            .post("/api/v1/uploads", &new)
            .await
            .expect(StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_only_reads_changes_no_upload() {
    app_on_both(async |app: TestApp| {
        let ana = app.user("ana", Role::Admin).await;
        let write = app.token(&ana, TokenScope::Write).await;
        let read = app.token(&ana, TokenScope::Read).await;
        let new = json!({ "name": "labels.json", "size": 10 });
        let upload = write
            .post("/api/v1/uploads", &new)
            .await
            .is(StatusCode::CREATED)
            .json();
        let id = crate::support::text(&upload["id"]);
        let path = format!("/api/v1/uploads/{id}");
        append(&write, &id, "0", "01234").await.expect(StatusCode::OK);
        append(&read, &id, "5", "x").await.expect(StatusCode::FORBIDDEN);
        read.delete(&path).await.expect(StatusCode::FORBIDDEN);
        assert_eq!(read.get(&path).await.ok().json()["received"], 5);
        append(&write, &id, "5", "56789").await.expect(StatusCode::OK);
    })
    .await;
}
