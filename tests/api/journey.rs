//! The main job over the API: pictures in, labels on, a COCO file out.

use crate::support::{item, project, text};
use axum::http::StatusCode;
use limn_testkit::{Client, TestApp, app_on_both};
use serde_json::{Value, json};
use std::time::Duration;

/// Waits until a job has ended.
pub async fn ended(client: &Client, job: &Value) -> Value {
    let path = format!("/api/v1/jobs/{}", text(&job["id"]));
    for _ in 0..600 {
        let now = client.get(&path).await.ok().json();
        if !matches!(now["state"].as_str(), Some("queued" | "running")) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the job did not end: {job}");
}

#[tokio::test]
async fn from_pictures_to_coco() {
    app_on_both(async |app: TestApp| {
        let ana = app.admin("ana").await;
        let (project, category) = project(&ana, "Cats").await;
        for (name, seed) in [("b.png", 1), ("a.png", 2)] {
            item(&ana, &project, name, seed).await;
        }
        let taken = ana
            .post(
                &format!("/api/v1/projects/{project}/queue/take"),
                &json!({ "count": 1 }),
            )
            .await
            .is(StatusCode::OK)
            .json();
        let work = &taken["items"][0];
        let id = text(&work["item"]["id"]);
        let change = json!({
            "change_id": "01935f3e-0000-7000-8000-000000000001",
            "base_revision": work["annotations"]["revision"],
            "upserts": [{ "id": "01935f3e-0000-7000-8000-000000000002", "category_id": category,
                          "kind": "box", "rect": { "x": 1.5, "y": 2.0, "w": 10.25, "h": 8.0 } }],
        });
        let path = format!("/api/v1/items/{id}/annotations");
        let saved = ana.put(&path, &change).await.is(StatusCode::OK).json();
        assert_eq!(saved["result"], "saved");
        let again = ana.put(&path, &change).await.is(StatusCode::OK).json();
        assert_eq!(again, saved, "the same change is answered as the first time");
        let mut late = change.clone();
        late["change_id"] = json!("01935f3e-0000-7000-8000-000000000003");
        let conflict = ana.put(&path, &late).await.is(StatusCode::CONFLICT).json();
        assert_eq!(conflict["result"], "conflict");
        assert_eq!(conflict["current"]["annotations"].as_array().unwrap().len(), 1);
        let submit = json!({ "revision": saved["revision"] });
        ana.post(&format!("/api/v1/items/{id}/submit"), &submit)
            .await
            .expect(StatusCode::OK);

        let exported = app
            .with_jobs(async {
                let job = ana
                    .post(
                        &format!("/api/v1/projects/{project}/exports"),
                        &json!({ "format": "coco" }),
                    )
                    .await
                    .is(StatusCode::ACCEPTED)
                    .json();
                ended(&ana, &job).await
            })
            .await;
        assert_eq!(exported["state"], "succeeded", "{exported}");
        let url = text(&exported["result"]["url"]);
        let file = ana.get(&url).await.is(StatusCode::OK);
        assert!(file.header("content-disposition").starts_with("attachment"));
        let coco = file.json();
        assert_eq!(coco["images"].as_array().unwrap().len(), 2);
        assert_eq!(coco["annotations"][0]["bbox"], json!([1.5, 2.0, 10.25, 8.0]));
        assert_eq!(coco["annotations"][0]["id"], 1);
        app.anonymous().get(&url).await.expect(StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn two_labelers_never_get_the_same_item() {
    app_on_both(async |app: TestApp| {
        let ana = app.admin("ana").await;
        let bob = app.admin("bob").await;
        let (project, _) = project(&ana, "Cats").await;
        for (name, seed) in [("a.png", 1), ("b.png", 2)] {
            item(&ana, &project, name, seed).await;
        }
        let path = format!("/api/v1/projects/{project}/queue/take");
        // An empty body takes one.
        let (a, b) = tokio::join!(
            ana.bytes("POST".parse().unwrap(), &path, ""),
            bob.bytes("POST".parse().unwrap(), &path, "")
        );
        let (a, b) = (a.ok().json(), b.ok().json());
        assert_ne!(a["items"][0]["item"]["id"], b["items"][0]["item"]["id"]);
        assert_eq!(a["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
