//! The API's description.

use axum::http::StatusCode;
use limn_testkit::{TestApp, TestDb};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

async fn spec() -> (TestApp, Value) {
    let app = TestApp::over(TestDb::sqlite().await);
    let spec = app
        .anonymous()
        .get("/api/v1/openapi.json")
        .await
        .is(StatusCode::OK)
        .json();
    (app, spec)
}

fn operations(spec: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    spec["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(move |(method, o)| (path, method, o))
        })
}

#[tokio::test]
async fn routes() {
    let (_app, spec) = spec().await;
    let mut lines = String::new();
    for (path, method, o) in operations(&spec) {
        let codes: Vec<_> = o["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|k| *k != "default")
            .map(String::as_str)
            .collect();
        let _ = writeln!(
            lines,
            "{:<6} {path} -> {} ({})",
            method.to_uppercase(),
            codes.join(" "),
            o["operationId"].as_str().unwrap()
        );
    }
    insta::assert_snapshot!(lines);
}

#[tokio::test]
async fn every_operation_is_described_and_on_the_page() {
    let (app, spec) = spec().await;
    let page = app.anonymous().get("/api/docs").await.is(StatusCode::OK).text();
    let mut ids = BTreeSet::new();
    for (path, method, o) in operations(&spec) {
        let id = o["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        assert!(
            o["summary"].as_str().is_some_and(|s| !s.is_empty()),
            "{method} {path} has no summary"
        );
        assert!(
            o["responses"]["default"].is_object(),
            "{method} {path} does not describe errors"
        );
        assert!(page.contains(&format!("id=\"{id}\"")), "{id} is not on the page");
        for name in path
            .split('/')
            .filter_map(|p| p.strip_prefix('{')?.strip_suffix('}'))
        {
            let known = o["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .any(|p| p["name"] == name && p["in"] == "path");
            assert!(known, "{method} {path} does not describe {name}");
        }
    }
    assert!(ids.len() > 50);
    assert!(!page.contains("<script"));
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let (_app, spec) = spec().await;
    let mut missing = BTreeSet::new();
    let mut todo = vec![&spec];
    while let Some(value) = todo.pop() {
        match value {
            Value::Object(map) => {
                if let Some(name) = map
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|r| r.rsplit('/').next())
                    && spec["components"]["schemas"].get(name).is_none()
                {
                    missing.insert(name.to_owned());
                }
                todo.extend(map.values());
            }
            Value::Array(all) => todo.extend(all),
            _ => {}
        }
    }
    assert_eq!(missing, BTreeSet::new());
}
