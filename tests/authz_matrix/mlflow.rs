//! The tracking protocol's routes: who may call them. One that is missing fails the test.

use super::Rule::{self, Public, Studio};
use super::{Actor, TestApp, check};
use limn_domain::Action as A;
use limn_server::mlflow::{ABOUT, FILES, FILES_PREFIX, STREAMS, TRACKING, TRACKING_PREFIXES};
use limn_testkit::app_on_both;
use std::collections::BTreeSet;

const SEE: Rule = Studio(A::ViewRuns);
const LOG: Rule = Studio(A::LogRuns);
const DELETE: Rule = Studio(A::DeleteModels);

/// Method and path as the router has them, rule, and the query or the body.
#[rustfmt::skip]
const TABLE: &[(&str, &str, Rule, &str)] = &[
    ("get", "/experiments/get-by-name", SEE, "?experiment_name={experiment_name}"),
    ("get", "/experiments/get", SEE, "?experiment_id={experiment_id}"),
    ("post", "/experiments/create", LOG, r#"{"name":"{unique}"}"#),
    ("post", "/experiments/search", SEE, r#"{"max_results":5}"#),
    ("get", "/experiments/search", SEE, "?max_results=5"),
    ("post", "/experiments/update", LOG, r#"{"experiment_id":"{experiment_id}","new_name":"{unique}"}"#),
    ("post", "/experiments/delete", LOG, r#"{"experiment_id":"{experiment_id}"}"#),
    ("post", "/experiments/restore", LOG, r#"{"experiment_id":"{bin_experiment_id}"}"#),
    ("post", "/experiments/set-experiment-tag", LOG, r#"{"experiment_id":"{experiment_id}","key":"k","value":"v"}"#),
    ("post", "/experiments/delete-experiment-tag", LOG, r#"{"experiment_id":"{experiment_id}","key":"a"}"#),
    ("post", "/runs/create", LOG, r#"{"experiment_id":"{experiment_id}"}"#),
    ("get", "/runs/get", SEE, "?run_id={run_id}"),
    ("post", "/runs/update", LOG, r#"{"run_id":"{run_id}","status":"FINISHED"}"#),
    ("post", "/runs/delete", LOG, r#"{"run_id":"{run_id}"}"#),
    ("post", "/runs/restore", LOG, r#"{"run_id":"{bin_run_id}"}"#),
    ("post", "/runs/search", SEE, r#"{"experiment_ids":["{experiment_id}"]}"#),
    ("post", "/runs/log-metric", LOG, r#"{"run_id":"{run_id}","key":"m","value":1,"timestamp":1}"#),
    ("post", "/runs/log-parameter", LOG, r#"{"run_id":"{run_id}","key":"{unique}","value":"1"}"#),
    ("post", "/runs/log-batch", LOG, r#"{"run_id":"{run_id}"}"#),
    ("post", "/runs/set-tag", LOG, r#"{"run_id":"{run_id}","key":"k","value":"v"}"#),
    ("post", "/runs/delete-tag", LOG, r#"{"run_id":"{run_id}","key":"a"}"#),
    ("post", "/runs/log-inputs", LOG, r#"{"run_id":"{run_id}","datasets":[{"dataset":{"name":"d","digest":"1"}}]}"#),
    ("post", "/runs/outputs", LOG, r#"{"run_id":"{run_id}","models":[{"model_id":"{model_id}"}]}"#),
    ("post", "/runs/log-model", LOG, r#"{"run_id":"{run_id}","model_json":"{}"}"#),
    ("get", "/metrics/get-history", SEE, "?run_id={run_id}&metric_key=loss"),
    ("get", "/metrics/get-history-bulk-interval", SEE, "?run_ids={run_id}&metric_key=loss"),
    ("get", "/artifacts/list", SEE, "?run_id={run_id}"),
    ("post", "/logged-models", LOG, r#"{"experiment_id":"{experiment_id}","name":"m"}"#),
    ("post", "/logged-models/search", SEE, r#"{"experiment_ids":["{experiment_id}"]}"#),
    ("get", "/logged-models/{model_id}", SEE, ""),
    ("patch", "/logged-models/{model_id}", LOG, r#"{"status":"LOGGED_MODEL_READY"}"#),
    ("delete", "/logged-models/{model_id}", LOG, ""),
    ("post", "/logged-models/{model_id}/params", LOG, r#"{"params":[{"key":"p","value":"1"}]}"#),
    ("patch", "/logged-models/{model_id}/tags", LOG, r#"{"tags":[{"key":"t","value":"1"}]}"#),
    ("delete", "/logged-models/{model_id}/tags/{key}", LOG, ""),
    ("get", "/logged-models/{model_id}/artifacts/directories", SEE, ""),
    ("post", "/registered-models/create", LOG, r#"{"name":"{unique}"}"#),
    ("post", "/registered-models/rename", LOG, r#"{"name":"{model_name}","new_name":"{unique}"}"#),
    ("patch", "/registered-models/update", LOG, r#"{"name":"{model_name}","description":"d"}"#),
    ("delete", "/registered-models/delete", DELETE, r#"{"name":"{free_model_name}"}"#),
    ("get", "/registered-models/get", SEE, "?name={model_name}"),
    ("get", "/registered-models/search", SEE, ""),
    ("get", "/registered-models/get-latest-versions", SEE, "?name={model_name}"),
    ("post", "/registered-models/get-latest-versions", SEE, r#"{"name":"{model_name}"}"#),
    ("post", "/registered-models/set-tag", LOG, r#"{"name":"{model_name}","key":"k","value":"v"}"#),
    ("delete", "/registered-models/delete-tag", LOG, r#"{"name":"{model_name}","key":"a"}"#),
    ("post", "/registered-models/alias", LOG, r#"{"name":"{model_name}","alias":"x","version":"1"}"#),
    ("delete", "/registered-models/alias", LOG, r#"{"name":"{model_name}","alias":"champion"}"#),
    ("get", "/registered-models/alias", SEE, "?name={model_name}&alias=champion"),
    ("post", "/model-versions/create", LOG, r#"{"name":"{model_name}","source":"runs:/{run_id}/model"}"#),
    ("patch", "/model-versions/update", LOG, r#"{"name":"{model_name}","version":"1","description":"d"}"#),
    ("post", "/model-versions/transition-stage", LOG, r#"{"name":"{model_name}","version":"1","stage":"Archived"}"#),
    ("delete", "/model-versions/delete", DELETE, r#"{"name":"{model_name}","version":"2"}"#),
    ("get", "/model-versions/get", SEE, "?name={model_name}&version=1"),
    ("get", "/model-versions/search", SEE, ""),
    ("get", "/model-versions/get-download-uri", SEE, "?name={model_name}&version=1"),
    ("post", "/model-versions/set-tag", LOG, r#"{"name":"{model_name}","version":"1","key":"k","value":"v"}"#),
    ("delete", "/model-versions/delete-tag", LOG, r#"{"name":"{model_name}","version":"1","key":"a"}"#),
    ("get", "/artifacts", SEE, "?path={experiment_id}/{run_id}/artifacts"),
    ("get", "/artifacts/{*path}", SEE, ""),
    ("delete", "/artifacts/{*path}", LOG, ""),
    ("post", "/mpu/create/{*path}", LOG, r#"{"path":"/tmp/a.bin","num_parts":2}"#),
    ("post", "/mpu/complete/{*path}", LOG, r#"{"path":"/tmp/a.bin","upload_id":"{parts_id}","parts":[]}"#),
    ("post", "/mpu/abort/{*path}", LOG, r#"{"path":"/tmp/a.bin","upload_id":"{parts_id}"}"#),
    ("put", "/artifacts/{*path}", LOG, "{bytes}"),
    ("put", "/mpu/part/{id}/{secret}/{number}", Public, "{bytes}"),
    ("get", "/api/3.0/mlflow/server-info", Public, ""),
    ("get", "/version", Public, ""),
    ("get", "/health", Public, ""),
];

/// An experiment with a run, one of each in the bin, a logged model, and a registered model with two versions.
pub(super) async fn tracked(app: &TestApp, manager: &Actor, number: usize) -> Vec<(&'static str, String)> {
    use limn_domain::model::NewModelVersion;
    use limn_domain::run::{NewPoint, NewRun, RunBatch, Tags};
    use limn_services::artifacts::Owner;
    use limn_services::logged_models::NewLoggedModel;
    let s = &app.services;
    let name = format!("Tracked {number}");
    let tags = Tags::from([("a".to_owned(), "b".to_owned())]);
    let experiment = s.experiments.create(manager, &name, tags.clone()).await.unwrap();
    let bin = s
        .experiments
        .create(manager, &format!("{name}, bin"), Tags::new())
        .await
        .unwrap();
    s.experiments.set_deleted(manager, bin, true).await.unwrap();
    let new = || NewRun {
        tags: tags.clone(),
        ..NewRun::default()
    };
    let run = s.runs.start(manager, experiment, new()).await.unwrap().id;
    let bin_run = s.runs.start(manager, experiment, new()).await.unwrap().id;
    s.runs.set_deleted(manager, bin_run, true).await.unwrap();
    let batch = RunBatch {
        metrics: vec![NewPoint::new("loss", 0, 1, 0.5)],
        ..RunBatch::default()
    };
    s.runs.log(manager, run, batch).await.unwrap();
    let bytes = bytes::Bytes::from_static(b"weights");
    s.artifacts
        .put_bytes(manager, Owner::Run(run), "model/w.bin", bytes)
        .await
        .unwrap();
    let parts = s
        .artifacts
        .create_parts(manager, Owner::Run(run), "model/w.bin/a.bin", 2)
        .await
        .unwrap();
    let logged = NewLoggedModel {
        experiment_id: experiment,
        run_id: Some(run),
        name: "m".into(),
        model_type: String::new(),
        params: Tags::new(),
        tags: Tags::from([("k".to_owned(), "v".to_owned())]),
    };
    let logged = s.logged_models.create(manager, logged).await.unwrap();
    let (model, free) = (format!("Model{number}"), format!("Free{number}"));
    for name in [&model, &model, &free] {
        let version = NewModelVersion {
            name: name.clone(),
            run_id: Some(run),
            path: "model".into(),
            tags: tags.clone(),
            ..NewModelVersion::default()
        };
        s.models.register(manager, version).await.unwrap();
    }
    s.models.set_tag(manager, &model, "a", Some("b")).await.unwrap();
    s.models
        .set_alias(manager, &model, "champion", Some(1))
        .await
        .unwrap();
    for number in [2, 1] {
        s.models
            .set_alias(manager, &model, "moved", Some(number))
            .await
            .unwrap();
    }
    vec![
        ("experiment_name", name.replace(' ', "+")),
        ("experiment_id", experiment.to_string()),
        ("bin_experiment_id", bin.to_string()),
        ("run_id", run.hex()),
        ("run_uuid", run.to_string()),
        ("bin_run_uuid", bin_run.to_string()),
        ("model_alias", "moved".to_owned()),
        ("bin_run_id", bin_run.hex()),
        ("model_id", logged.id.tag()),
        ("model_name", model),
        ("free_model_name", free),
        (
            "artifact",
            format!("{experiment}/{}/artifacts/model/w.bin", run.hex()),
        ),
        ("key", "k".to_owned()),
        ("id", parts.id.simple().to_string()),
        ("parts_id", parts.id.simple().to_string()),
        ("secret", "0".repeat(64)),
        ("number", "1".to_owned()),
    ]
}

fn whole(path: &str) -> String {
    let first = |routes: &[(&str, &str)]| routes.iter().any(|(_, p)| *p == path);
    if first(ABOUT) {
        path.to_owned()
    } else if first(FILES) || first(STREAMS) {
        format!("{FILES_PREFIX}{path}")
    } else {
        format!("{}{path}", TRACKING_PREFIXES[0])
    }
}

#[test]
fn every_route_of_the_protocol_is_in_the_table() {
    let there: BTreeSet<(&str, &str)> = [TRACKING, FILES, STREAMS, ABOUT]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let table: BTreeSet<(&str, &str)> = TABLE.iter().map(|(m, p, _, _)| (*m, *p)).collect();
    assert_eq!(there, table);
    assert!(there.len() > 60, "{}", there.len());
}

#[tokio::test]
async fn the_protocol_as_everybody() {
    app_on_both(async |app: TestApp| {
        let rows = TABLE.iter().map(|(method, path, rule, more)| {
            let path = whole(path).replace("{*path}", "{artifact}");
            let (query, body) = if more.starts_with('?') {
                (*more, "")
            } else {
                ("", *more)
            };
            (
                method.to_uppercase(),
                format!("{path}{query}"),
                *rule,
                body.to_owned(),
            )
        });
        check(&app, rows).await;
    })
    .await;
}
