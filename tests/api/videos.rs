//! Videos over HTTP: in by an import, frame by frame, and for nobody from outside.

use crate::journey::ended;
use crate::support::{item, png, project, text};
use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use limn_domain::Role;
use limn_testkit::{TestApp, app_on_both};
use serde_json::json;
use std::io::{Cursor, Write as _};

#[tokio::test]
async fn a_sequence_comes_in_and_is_seen_frame_by_frame() {
    app_on_both(async |app: TestApp| {
        let ana = app.admin("ana").await;
        let (id, category) = project(&ana, "Walks").await;
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for n in [10_u8, 9, 2] {
            zip.start_file(format!("a/{n}.png"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&png(n)).unwrap();
        }
        let bytes: Bytes = zip.finish().unwrap().into_inner().into();
        let new = json!({ "name": "walk.zip", "size": bytes.len() });
        let upload = text(&ana.post("/api/v1/uploads", &new).await.is(StatusCode::CREATED).json()["id"]);
        let request = ana
            .request(Method::PATCH, &format!("/api/v1/uploads/{upload}"))
            .header("upload-offset", "0")
            .body(bytes.into())
            .unwrap();
        ana.send(request).await.expect(StatusCode::OK);
        let path = format!("/api/v1/projects/{id}/imports");
        let wrong = json!({ "format": "images", "uploads": [upload], "sequence": { "rate": -3 } });
        let e = ana.post(&path, &wrong).await.is(StatusCode::UNPROCESSABLE_ENTITY).json();
        assert_eq!(e["fields"][0]["field"], "sequence.rate", "{e}");
        let input = json!({ "format": "images", "uploads": [upload], "sequence": { "rate": 50 } });
        let report = app
            .with_jobs(async {
                let job = ana.post(&path, &input).await.is(StatusCode::ACCEPTED).json();
                ended(&ana, &job).await
            })
            .await;
        assert_eq!(report["result"]["items_added"], 1, "{report}");
        let items = ana.get(&format!("/api/v1/projects/{id}/items")).await.ok().json();
        let video = text(&items["rows"][0]["item"]["id"]);
        let frames = ana.get(&format!("/api/v1/items/{video}/frames")).await.ok().json();
        assert_eq!(frames["times_us"], json!([0, 20_000, 40_000]));
        for (n, seed) in [(0, 2), (1, 9), (2, 10)] {
            let reply = ana.get(&format!("/media/items/{video}/frames/{n}")).await.is(StatusCode::OK);
            assert_eq!(reply.header("content-type"), "image/png");
            assert!(reply.header("cache-control").contains("immutable"));
            assert_eq!(reply.body, png(seed));
        }
        let small = ana.get(&format!("/media/items/{video}/frames/1/thumb")).await.is(StatusCode::OK);
        assert!(small.header("content-type").starts_with("image/"));
        for (path, status) in [
            (format!("{video}/frames/3"), StatusCode::NOT_FOUND),
            (format!("{video}/frames/-1"), StatusCode::BAD_REQUEST),
            (format!("{video}/frames/x"), StatusCode::BAD_REQUEST),
            (format!("{video}/original"), StatusCode::BAD_REQUEST),
            (format!("{video}/thumb"), StatusCode::OK),
        ] {
            let reply = ana.get(&format!("/media/items/{path}")).await;
            assert_eq!(reply.status, status, "{path}: {}", reply.text());
        }
        let still = item(&ana, &id, "still.png", 1).await;
        ana.get(&format!("/media/items/{still}/frames/0")).await.expect(StatusCode::BAD_REQUEST);
        ana.get(&format!("/api/v1/items/{still}/frames")).await.expect(StatusCode::BAD_REQUEST);
        // A track is one label.
        let boxed = json!({ "kind": "box", "rect": { "x": 1.0, "y": 2.0, "w": 5.0, "h": 6.0 } });
        let change = json!({ "change_id": limn_domain::ChangeId::new(), "base_revision": 0, "upserts": [{
            "id": limn_domain::AnnotationId::new(), "category_id": category, "kind": "track",
            "keyframes": [{ "frame": 0, "shape": boxed }, { "frame": 2, "shape": boxed, "outside": true }] }] });
        let path = format!("/api/v1/items/{video}/annotations");
        ana.put(&path, &change).await.expect(StatusCode::OK);
        let kept = ana.get(&path).await.ok().json();
        assert_eq!(kept["annotations"][0]["keyframes"][1], json!({ "frame": 2, "shape": boxed, "outside": true }));
        // Outsiders learn nothing.
        app.user("bo", Role::Labeler).await;
        let bo = app.sign_in("bo@example.org").await;
        bo.get(&format!("/media/items/{video}/frames/0")).await.expect(StatusCode::NOT_FOUND);
        bo.get(&format!("/media/items/{video}/frames/0/thumb")).await.expect(StatusCode::NOT_FOUND);
        app.anonymous().get(&format!("/media/items/{video}/frames/0")).await.expect(StatusCode::UNAUTHORIZED);
    })
    .await;
}
