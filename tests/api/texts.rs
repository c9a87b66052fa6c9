//! Documents over HTTP: never anything but plain text, and for nobody from outside.

use crate::support::{item, project, text};
use axum::body::Bytes;
use axum::http::StatusCode;
use limn_domain::Role;
use limn_testkit::{TestApp, app_on_both};
use serde_json::json;

#[tokio::test]
async fn a_text_is_plain_text_whatever_is_in_it() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let input = json!({ "name": "T", "task": "entities", "categories": [{ "name": "<img src=x>" }] });
        let made = client.post("/api/v1/projects", &input).await.is(StatusCode::CREATED).json();
        let id = text(&made["id"]);
        let html = "<!doctype html><script>alert(1)</script>\r\n😀";
        let path = format!("/api/v1/projects/{id}/items?name=page.html");
        let added = client
            .bytes("POST".parse().unwrap(), &path, Bytes::from_static(html.as_bytes()))
            .await
            .is(StatusCode::CREATED)
            .json();
        let item_id = text(&added["item"]["id"]);
        assert_eq!(added["item"]["length"], html.chars().count());
        let reply = client.get(&format!("/media/items/{item_id}/text")).await.is(StatusCode::OK);
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.header("content-security-policy").contains("sandbox"));
        assert_eq!(&reply.body[..], html.as_bytes());
        let original = client.get(&format!("/media/items/{item_id}/original")).await.is(StatusCode::OK);
        assert_eq!(original.header("content-type"), "application/octet-stream");
        assert!(original.header("content-disposition").starts_with("attachment"));
        for which in ["thumb", "screen", "full"] {
            client
                .get(&format!("/media/items/{item_id}/{which}"))
                .await
                .expect(StatusCode::BAD_REQUEST);
        }
        // A picture has no text.
        let (pictures, _) = project(&client, "P").await;
        let picture = item(&client, &pictures, "a.png", 1).await;
        client.get(&format!("/media/items/{picture}/text")).await.expect(StatusCode::BAD_REQUEST);
        // Outsiders learn nothing.
        app.user("bo", Role::Labeler).await;
        let bo = app.sign_in("bo@example.org").await;
        bo.get(&format!("/media/items/{item_id}/text")).await.expect(StatusCode::NOT_FOUND);

        let path = format!("/api/v1/projects/{id}/items?name=latin.txt");
        let refused = client
            .bytes("POST".parse().unwrap(), &path, Bytes::from_static(b"K\xf6ln"))
            .await
            .is(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .json();
        assert!(refused["message"].as_str().unwrap().contains("line 1, byte 2"), "{refused}");
        let categories = client.get(&format!("/api/v1/projects/{id}/categories")).await.ok().json();
        let change = json!({ "change_id": limn_domain::ChangeId::new(), "base_revision": 0, "upserts": [
            { "id": limn_domain::AnnotationId::new(), "category_id": categories[0]["id"], "kind": "span", "start": 2, "end": 1 }] });
        let e = client
            .put(&format!("/api/v1/items/{item_id}/annotations"), &change)
            .await
            .is(StatusCode::UNPROCESSABLE_ENTITY)
            .json();
        assert!(e["message"].as_str().unwrap().contains("upserts[0].end"), "{e}");
    })
    .await;
}
