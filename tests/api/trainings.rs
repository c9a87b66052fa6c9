//! Trainings over HTTP: what is answered, and what is refused before anything begins.

use crate::support::png;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_testkit::{TestApp, app_on_both, build};
use serde_json::json;

#[tokio::test]
async fn what_cannot_be_trained_is_said_with_the_field_and_the_mend() {
    app_on_both(async |app: TestApp| {
        let user = app.user("ana", Role::Manager).await;
        let client = app.token(&user, TokenScope::Admin).await;
        let db = app.db.db();
        let dataset = build::dataset(&db, "Cats", user.id).await;
        let picture = app.services.context.blobs.put_bytes(png(1)).await.unwrap();
        let digest = picture.digest.clone();
        db.write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move {
                limn_store::repo::blob::put(tx, &digest, 1, "image/png", limn_testkit::build::START).await
            })
        })
        .await
        .unwrap();
        let version = build::version(&db, dataset, "one.png", &picture.digest).await;
        let path = format!("/api/v1/versions/{version}/trainings");
        let offer = client.get(&path).await.ok().json();
        assert_eq!((&offer["dataset"], &offer["number"]), (&json!("Cats"), &json!(1)));
        assert_eq!(offer["tasks"][0]["task"], "detection");
        assert!(
            offer["tasks"][0]["refusal"]
                .as_str()
                .unwrap()
                .contains("has no boxes")
        );
        let tasks: Vec<&str> = offer["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|t| t["task"].as_str())
            .collect();
        assert_eq!(
            tasks,
            [
                "detection",
                "instance_segmentation",
                "segmentation",
                "classification",
                "multilabel"
            ]
        );
        let refused = client
            .post(&path, &json!({ "task": "instance_segmentation" }))
            .await
            .is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.json()["message"]
                .as_str()
                .unwrap()
                .contains("no outlines or masks")
        );
        let refused = client
            .post(&path, &json!({ "task": "detection" }))
            .await
            .is(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["fields"][0]["field"], "task");
        for (body, what) in [
            (json!({ "task": "dancing" }), "dancing"),
            (json!({}), "task"),
            (json!({ "task": "detection", "steps": "many" }), "steps"),
        ] {
            let reply = client.post(&path, &body).await;
            assert!(reply.status.is_client_error(), "{}", reply.text());
            assert!(reply.text().contains(what), "{}", reply.text());
        }
        let over = client
            .post(&path, &json!({ "task": "detection", "steps": 9_000_000_000_i64 }))
            .await;
        assert_eq!(over.json()["fields"][0]["field"], "steps");

        // A model of somebody else's make is not asked.
        let run = client
            .post("/api/2.0/mlflow/runs/create", &json!({ "experiment_id": "0" }))
            .await
            .ok()
            .json();
        let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
        let _ = client
            .bytes(
                Method::PUT,
                &format!("/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/m/w.bin"),
                "x",
            )
            .await
            .ok();
        let _ = client
            .post(
                "/api/2.0/mlflow/registered-models/create",
                &json!({ "name": "theirs" }),
            )
            .await
            .ok();
        let source = format!("runs:/{run}/m");
        let _ = client
            .post(
                "/api/2.0/mlflow/model-versions/create",
                &json!({ "name": "theirs", "source": source, "run_id": run }),
            )
            .await
            .ok();
        let ask = async |path: &str, body: Vec<u8>| client.bytes(Method::POST, path, Body::from(body)).await;
        let path = "/api/v1/models/theirs/versions/1/predict";
        let said = ask(path, png(1).to_vec()).await.is(StatusCode::CONFLICT).json();
        assert!(
            said["message"]
                .as_str()
                .unwrap()
                .contains("was not trained by Limn"),
            "{said}"
        );
        let bad = ask(&format!("{path}?min_score=2"), png(1).to_vec()).await.json();
        assert_eq!(bad["fields"][0]["field"], "min_score");
        ask("/api/v1/models/theirs/versions/2/predict", Vec::new())
            .await
            .expect(StatusCode::NOT_FOUND);
        let huge = ask(path, vec![0; (16 << 20) + 1]).await;
        assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
    })
    .await;
}
