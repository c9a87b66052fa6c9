//! The tracking protocol: the conversation of its Python client in shape, and what it must refuse.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_testkit::{Client, Reply, TestApp, app_on_both};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const API: &str = "/api/2.0/mlflow";
const FILES: &str = "/api/2.0/mlflow-artifacts";

/// A step of the conversation: `$name` stands for what an earlier reply called so, or names what this one does.
fn fill(text: &str, names: &BTreeMap<String, String>) -> String {
    names
        .iter()
        .fold(text.to_owned(), |t, (k, v)| t.replace(&format!("${k}"), v))
}

/// Compares a reply with what is expected of it, and takes names from it.
fn same(want: &Value, is: &Value, at: &str, names: &mut BTreeMap<String, String>) -> Result<(), String> {
    match (want, is) {
        (Value::String(w), is) if w == "$int" => is
            .is_i64()
            .then_some(())
            .ok_or(format!("{at}: {is} is no integer")),
        (Value::String(w), is) if w == "$text" => is
            .as_str()
            .filter(|t| !t.is_empty())
            .map(|_| ())
            .ok_or(format!("{at}: {is} is no text")),
        (Value::String(w), Value::String(is)) => {
            if let Some(name) = w
                .strip_prefix('$')
                .filter(|n| !names.contains_key(*n) && n.chars().all(char::is_alphabetic))
            {
                names.insert(name.to_owned(), is.clone());
                return Ok(());
            }
            let want = fill(w, names);
            (want == *is)
                .then_some(())
                .ok_or(format!("{at}: `{is}` should be `{want}`"))
        }
        (Value::Array(w), Value::Array(is)) if w.len() == is.len() => w
            .iter()
            .zip(is)
            .enumerate()
            .try_for_each(|(i, (w, is))| same(w, is, &format!("{at}[{i}]"), names)),
        (Value::Object(w), Value::Object(is)) => {
            let keys = |m: &serde_json::Map<String, Value>| m.keys().cloned().collect::<Vec<_>>();
            if keys(w) != keys(is) {
                return Err(format!("{at}: has {:?}, should have {:?}", keys(is), keys(w)));
            }
            // Ids first: others are made of them.
            let mut order: Vec<_> = w.iter().collect();
            order.sort_by_key(|(k, _)| !k.ends_with("_id") && *k != "run_uuid" && *k != "info");
            order
                .into_iter()
                .try_for_each(|(k, w)| same(w, &is[k], &format!("{at}.{k}"), names))
        }
        (w, is) => (w == is).then_some(()).ok_or(format!("{at}: {is} should be {w}")),
    }
}

async fn call(client: &Client, line: &str, body: Option<String>) -> Reply {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = client.request(method.parse::<Method>().unwrap(), path);
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    client
        .send(request.body(body.map_or_else(Body::empty, Body::from)).unwrap())
        .await
}

#[tokio::test]
async fn replies_have_the_shape_of_the_recorded_conversation() {
    let steps: Vec<Value> = serde_json::from_str(include_str!("golden/mlflow.json")).unwrap();
    assert!(steps.len() >= 40);
    app_on_both(async |app: TestApp| {
        let user = app.user("viewer", Role::Viewer).await;
        let client = app.token(&user, TokenScope::Write).await;
        let mut names = BTreeMap::new();
        for step in &steps {
            let line = fill(step["call"].as_str().unwrap(), &names);
            let body = step
                .get("body")
                .map(|b| fill(&b.to_string(), &names))
                .or_else(|| step["bytes"].as_str().map(str::to_owned));
            let reply = call(&client, &line, body).await;
            let status = step["status"].as_u64().unwrap_or(200) as u16;
            assert_eq!(reply.status.as_u16(), status, "{line}: {}", reply.text());
            if let Err(e) = same(&step["reply"], &reply.json(), "reply", &mut names) {
                panic!("{line}: {e}\n{}", reply.text());
            }
        }
    })
    .await;
}

/// An experiment and a running run in it, for somebody with a token.
async fn run(client: &Client) -> (String, String) {
    let exp = client
        .post(&format!("{API}/experiments/create"), &json!({ "name": "e" }))
        .await
        .ok()
        .json();
    let exp = exp["experiment_id"].as_str().unwrap().to_owned();
    let made = client
        .post(&format!("{API}/runs/create"), &json!({ "experiment_id": exp }))
        .await
        .ok()
        .json();
    (exp, made["run"]["info"]["run_id"].as_str().unwrap().to_owned())
}

async fn writer(app: &TestApp) -> Client {
    let user = app.user("writer", Role::Labeler).await;
    app.token(&user, TokenScope::Write).await
}

fn refused(reply: &Reply, status: u16, code: &str, says: &str) {
    let json = reply.json();
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
    assert_eq!(json["error_code"], code, "{}", reply.text());
    assert!(
        json["message"].as_str().unwrap().contains(says),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn bad_values_are_refused_with_the_name_of_the_field() {
    app_on_both(async |app: TestApp| {
        let client = writer(&app).await;
        let (exp, run) = run(&client).await;
        let log = |path: &str, body: String| {
            let (client, line) = (client.clone(), format!("POST {API}/runs/{path}"));
            async move { call(&client, &line, Some(body)).await }
        };
        let invalid = "INVALID_PARAMETER_VALUE";
        // A step of 2^63 is one too many.
        let body =
            format!(r#"{{"run_id":"{run}","key":"m","value":1,"timestamp":1,"step":9223372036854775808}}"#);
        refused(
            &log("log-metric", body).await,
            400,
            invalid,
            "9223372036854775807",
        );
        let body =
            format!(r#"{{"run_id":"{run}","key":"m","value":1,"timestamp":1,"step":9223372036854775807}}"#);
        log("log-metric", body).await.expect(StatusCode::OK);
        let body =
            format!(r#"{{"run_id":"{run}","key":"m","value":1,"timestamp":1,"step":-9223372036854775808}}"#);
        log("log-metric", body).await.expect(StatusCode::OK);
        let body = format!(r#"{{"run_id":"{run}","key":"m","value":"much","timestamp":1}}"#);
        refused(&log("log-metric", body).await, 400, invalid, "much");
        let body = format!(r#"{{"run_id":"{run}","key":"m","timestamp":1}}"#);
        refused(&log("log-metric", body).await, 400, invalid, "value");
        let body = format!(r#"{{"run_id":"{run}","key":"a/../b","value":1,"timestamp":1}}"#);
        refused(&log("log-metric", body).await, 400, invalid, "a/../b");
        refused(&log("log-metric", "{".into()).await, 400, "BAD_REQUEST", "JSON");
        refused(
            &log("log-metric", r#"{"key":"m","value":1}"#.into()).await,
            400,
            invalid,
            "run_id",
        );
        let many: Vec<Value> = (0..1001)
            .map(|i| json!({ "key": format!("k{i}"), "value": 1, "timestamp": 1 }))
            .collect();
        let body = json!({ "run_id": run, "metrics": many }).to_string();
        refused(
            &log("log-batch", body).await,
            400,
            invalid,
            "at most 1000 metrics",
        );
        let body =
            json!({ "run_id": run, "params": [{ "key": "p", "value": "x".repeat(6001) }] }).to_string();
        refused(&log("log-batch", body).await, 400, invalid, "6001 bytes");
        // Nothing of a batch stays when a part of it is refused.
        let body = json!({ "run_id": run, "metrics": [{ "key": "z", "value": 1, "timestamp": 1 }],
            "params": [{ "key": "p", "value": "1" }, { "key": "p", "value": "2" }] });
        refused(
            &log("log-batch", body.to_string()).await,
            400,
            invalid,
            "Changing param values",
        );
        let is = client
            .get(&format!("{API}/runs/get?run_id={run}"))
            .await
            .ok()
            .json();
        let keys: Vec<&str> = is["run"]["data"]["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["key"].as_str().unwrap())
            .collect();
        assert_eq!(keys, ["m"]);
        let body = json!({ "experiment_ids": [exp], "filter": "metrics.m < 'a'" }).to_string();
        refused(
            &log("search", body).await,
            400,
            invalid,
            "a number without quotes",
        );
        let body = json!({ "experiment_ids": [exp], "order_by": ["nothing"] }).to_string();
        refused(&log("search", body).await, 400, invalid, "no attribute `nothing`");
        let body = json!({ "experiment_ids": [exp], "page_token": "zz" }).to_string();
        refused(&log("search", body).await, 400, invalid, "cursor");
        let body = json!({ "experiment_ids": [exp], "max_results": 0 }).to_string();
        refused(&log("search", body).await, 400, invalid, "1 to 50000");
        refused(
            &client.get(&format!("{API}/nothing")).await,
            404,
            "ENDPOINT_NOT_FOUND",
            "nothing at",
        );
    })
    .await;
}

#[tokio::test]
async fn who_may_not_is_told_in_the_protocols_shape() {
    app_on_both(async |app: TestApp| {
        let path = format!("{API}/experiments/get?experiment_id=0");
        refused(&app.anonymous().get(&path).await, 401, "UNAUTHENTICATED", "token");
        refused(
            &app.bearer("limn_wrong").get(&path).await,
            401,
            "UNAUTHENTICATED",
            "",
        );
        let user = app.user("reader", Role::Admin).await;
        let reader = app.token(&user, TokenScope::Read).await;
        reader.get(&path).await.expect(StatusCode::OK);
        let made = reader
            .post(&format!("{API}/experiments/create"), &json!({ "name": "x" }))
            .await;
        refused(&made, 403, "PERMISSION_DENIED", "wider scope");
    })
    .await;
}

#[tokio::test]
async fn numbers_that_are_none_come_back_and_latest_is_by_step() {
    app_on_both(async |app: TestApp| {
        let client = writer(&app).await;
        let (_, run) = run(&client).await;
        for (value, step) in [
            (json!("NaN"), 1),
            (json!("Infinity"), 3),
            (json!(2.5), 2),
            (json!("-Infinity"), 0),
        ] {
            let body =
                json!({ "run_id": run, "key": "m", "value": value, "timestamp": 10 + step, "step": step });
            client
                .post(&format!("{API}/runs/log-metric"), &body)
                .await
                .expect(StatusCode::OK);
        }
        let is = client
            .get(&format!("{API}/runs/get?run_id={run}"))
            .await
            .ok()
            .json();
        assert_eq!(is["run"]["data"]["metrics"][0]["value"], "Infinity");
        let all = client
            .get(&format!("{API}/metrics/get-history?run_id={run}&metric_key=m"))
            .await
            .ok()
            .json();
        let values: Vec<&Value> = all["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| &m["value"])
            .collect();
        assert_eq!(
            values,
            [
                &json!("-Infinity"),
                &json!("NaN"),
                &json!(2.5),
                &json!("Infinity")
            ]
        );
        let first = client
            .get(&format!(
                "{API}/metrics/get-history?run_id={run}&metric_key=m&max_results=3"
            ))
            .await
            .ok()
            .json();
        let token = first["next_page_token"].as_str().unwrap();
        let rest = client
            .get(&format!(
                "{API}/metrics/get-history?run_id={run}&metric_key=m&max_results=3&page_token={token}"
            ))
            .await
            .ok()
            .json();
        assert_eq!(rest["metrics"].as_array().unwrap().len(), 1);
        assert!(rest.get("next_page_token").is_none());
    })
    .await;
}

#[tokio::test]
async fn artifacts_stay_in_their_place() {
    app_on_both(async |app: TestApp| {
        let client = writer(&app).await;
        let (exp, run) = run(&client).await;
        let root = format!("{FILES}/artifacts/{exp}/{run}/artifacts");
        for bad in [
            "../../../etc/passwd",
            "a/../../b",
            "%2e%2e/x",
            "a/%2e%2e/%2e%2e/b",
            "a%5c..%5cb",
            "a%2f..%2fb",
            "a//b",
        ] {
            let reply = client.bytes(Method::PUT, &format!("{root}/{bad}"), "x").await;
            assert!(reply.status.is_client_error(), "{bad}: {}", reply.status);
        }
        for (line, says) in [
            (
                format!("GET {FILES}/artifacts?path={exp}/{run}/artifacts/.."),
                "..",
            ),
            (
                format!("GET {FILES}/artifacts?path=/etc"),
                "no place for artifacts",
            ),
            (format!("GET {API}/artifacts/list?run_id={run}&path=../x"), ".."),
        ] {
            refused(
                &call(&client, &line, None).await,
                400,
                "INVALID_PARAMETER_VALUE",
                says,
            );
        }
        let put = |path: &'static str, bytes: &'static str| {
            let (client, path) = (client.clone(), format!("{root}/{path}"));
            async move { client.bytes(Method::PUT, &path, bytes).await }
        };
        put("d/a.txt", "0123456789").await.expect(StatusCode::OK);
        put("d/b%20c.txt", "x").await.expect(StatusCode::OK);
        // A file is no folder, and a folder no file.
        refused(
            &put("d/a.txt/x", "x").await,
            400,
            "INVALID_PARAMETER_VALUE",
            "is a file",
        );
        refused(
            &put("d", "x").await,
            400,
            "INVALID_PARAMETER_VALUE",
            "is a folder",
        );
        let request = client
            .request(Method::GET, &format!("{root}/d/a.txt"))
            .header(header::RANGE, "bytes=2-4");
        let part = client
            .send(request.body(Body::empty()).unwrap())
            .await
            .is(StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.text(), "234");
        assert_eq!(part.header("content-range"), "bytes 2-4/10");
        let page = client.get(&format!("{root}/d/b%20c.txt")).await.ok();
        assert!(
            page.header("content-disposition").starts_with("attachment"),
            "{:?}",
            page.headers
        );
        assert!(page.header("content-security-policy").contains("sandbox"));
        refused(
            &client.get(&format!("{root}/d/none")).await,
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "d/none",
        );
        client
            .delete(&format!("{root}/d/a.txt"))
            .await
            .expect(StatusCode::OK);
        refused(
            &client.get(&format!("{root}/d/a.txt")).await,
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "d/a.txt",
        );
        // Of a run in the bin nothing changes.
        client
            .post(&format!("{API}/runs/delete"), &json!({ "run_id": run }))
            .await
            .expect(StatusCode::OK);
        refused(&put("e.txt", "x").await, 400, "INVALID_PARAMETER_VALUE", "bin");
    })
    .await;
}

#[tokio::test]
async fn a_file_in_parts() {
    app_on_both(async |app: TestApp| {
        let client = writer(&app).await;
        let (exp, run) = run(&client).await;
        let folder = format!("{exp}/{run}/artifacts/big");
        let body = json!({ "path": "/home/me/w.bin", "num_parts": 3 });
        let made = client
            .post(&format!("{FILES}/mpu/create/{folder}"), &body)
            .await
            .ok()
            .json();
        let id = made["upload_id"].as_str().unwrap();
        let mut parts = Vec::new();
        for (i, credential) in made["credentials"].as_array().unwrap().iter().enumerate() {
            let url = credential["url"].as_str().unwrap();
            let path = url.strip_prefix("http://limn.test").unwrap();
            // As the client does it: without a token.
            let sent = app
                .anonymous()
                .bytes(Method::PUT, path, format!("part {i};"))
                .await
                .is(StatusCode::OK);
            parts.push(json!({ "part_number": i + 1, "etag": sent.header("etag"), "url": url }));
        }
        let wrong = format!("{FILES}/mpu/part/{id}/{}/1", "0".repeat(64));
        refused(
            &app.anonymous().bytes(Method::PUT, &wrong, "x").await,
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "upload",
        );
        let complete = format!("{FILES}/mpu/complete/{folder}");
        let body = json!({ "path": "/home/me/w.bin", "upload_id": id, "parts": parts[..2] });
        refused(
            &client.post(&complete, &body).await,
            400,
            "INVALID_PARAMETER_VALUE",
            "3 parts",
        );
        let mut other = parts.clone();
        other[1]["etag"] = json!("\"0000\"");
        let body = json!({ "path": "/home/me/w.bin", "upload_id": id, "parts": other });
        refused(&client.post(&complete, &body).await, 400, "BAD_REQUEST", "part 2");
        let body = json!({ "path": "/home/me/w.bin", "upload_id": id, "parts": parts });
        client.post(&complete, &body).await.expect(StatusCode::OK);
        let file = client
            .get(&format!("{FILES}/artifacts/{folder}/w.bin"))
            .await
            .ok();
        assert_eq!(file.text(), "part 0;part 1;part 2;");
        refused(
            &client.post(&complete, &body).await,
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "under way",
        );
    })
    .await;
}

#[tokio::test]
async fn the_page_of_a_run_with_ten_thousand_metrics_holds_the_first_of_them() {
    app_on_both(async |app: TestApp| {
        let client = writer(&app).await;
        let (_, run) = run(&client).await;
        for from in (0..10_000).step_by(1_000) {
            let points: Vec<Value> = (from..from + 1_000)
                .map(
                    |i| json!({ "key": format!("layer_{i:04}/norm"), "value": i, "timestamp": 1, "step": 0 }),
                )
                .collect();
            let batch = json!({ "run_id": run, "metrics": points });
            drop(client.post(&format!("{API}/runs/log-batch"), &batch).await.ok());
        }
        let admin = app.admin("ana").await;
        for path in [format!("/runs/{run}"), format!("/runs/{run}/charts")] {
            let page = admin.get(&path).await.is(StatusCode::OK).text();
            assert!(page.len() < 200_000, "{path} has {} bytes", page.len());
            assert!(page.contains("layer_0000/norm"), "{path}");
            assert!(!page.contains("layer_0050/norm"), "{path}");
            assert!(page.contains("of 10,000 shown"), "{path}");
        }
    })
    .await;
}
