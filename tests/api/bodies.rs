//! Bodies that cannot be read.

use axum::http::{Method, StatusCode, header};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_testkit::{TestApp, app_on_both};
use serde_json::{Value, json};

#[tokio::test]
async fn wrong_json_names_the_field() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        for (body, status, code, field) in [
            ("{", 400, "bad_request", None),
            ("", 400, "bad_request", None),
            ("[]", 422, "invalid_input", Some("body")),
            ("{\"name\": NaN}", 400, "bad_request", None),
            ("{\"name\": \"\\ud800\"}", 400, "bad_request", None),
            (
                "{\"name\": \"a\", \"task\": \"juggling\"}",
                422,
                "invalid_input",
                Some("task"),
            ),
            ("{\"name\": 7}", 422, "invalid_input", Some("name")),
            ("{}", 422, "invalid_input", None),
            ("{\"name\": \"a\"} trailing", 400, "bad_request", None),
        ] {
            let request = client
                .request(Method::POST, "/api/v1/projects")
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.into())
                .unwrap();
            let reply = client
                .send(request)
                .await
                .is(StatusCode::from_u16(status).unwrap());
            assert_eq!(reply.code(), code, "{body}");
            if let Some(field) = field {
                assert_eq!(reply.json()["fields"][0]["field"], field, "{body}");
            }
        }
        let form = client
            .request(Method::POST, "/api/v1/projects")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("name=a".into())
            .unwrap();
        client.send(form).await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    })
    .await;
}

#[tokio::test]
async fn bodies_have_a_limit() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let huge = json!({ "name": "x".repeat(17 << 20) });
        let reply = client
            .post("/api/v1/projects", &huge)
            .await
            .is(StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(reply.code(), "too_large");
        // Server functions read their bodies themselves; the limit lies before them.
        let reply = client
            .bytes(Method::POST, "/ui/auth/sign_in", vec![b'x'; 17 << 20])
            .await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", reply.text());
    })
    .await;
}

#[tokio::test]
async fn paths_and_queries_are_checked() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        for path in [
            "/api/v1/projects/not-an-id",
            "/api/v1/items/%00",
            "/api/v1/projects/%ff%fe",
            "/api/v1/jobs/1",
            "/media/items/x/thumb",
            "/media/assets/x",
        ] {
            let reply = client.get(path).await.is(StatusCode::BAD_REQUEST);
            assert!(
                reply.json()["message"].as_str().is_some_and(|m| !m.is_empty()),
                "{path}"
            );
        }
        let (project, _) = crate::support::project(&client, "P").await;
        for query in [
            "status=maybe",
            "limit=many",
            "category_id=x",
            "sort=sideways",
            "cursor=!!!",
        ] {
            let reply = client
                .get(&format!("/api/v1/projects/{project}/items?{query}"))
                .await;
            assert_eq!(
                reply.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{query}: {}",
                reply.text()
            );
        }
        let gone = "00000000-0000-7000-8000-000000000000";
        for path in [
            "/api/v1/projects/",
            "/api/v1/items/",
            "/api/v1/jobs/",
            "/api/v1/uploads/",
            "/media/assets/",
        ] {
            client
                .get(&format!("{path}{gone}"))
                .await
                .expect(StatusCode::NOT_FOUND);
        }
        client
            .get(&format!("/media/items/{gone}/thumb"))
            .await
            .expect(StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn names_are_checked() {
    app_on_both(async |app: TestApp| {
        let ana = app.user("ana", Role::Manager).await;
        let client = app.token(&ana, TokenScope::Write).await;
        let long: Value = json!({ "name": "x".repeat(10_000), "task": "detection" });
        let reply = client
            .post("/api/v1/projects", &long)
            .await
            .is(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(reply.json()["fields"][0]["field"], "name");
        assert!(reply.json()["message"].as_str().unwrap().contains("10000"));
        let html = json!({ "name": "P", "categories": [{ "name": "<script>alert(1)</script>" }] });
        let project = client
            .post("/api/v1/projects", &html)
            .await
            .is(StatusCode::CREATED)
            .json();
        let page = client
            .get(&format!(
                "/api/v1/projects/{}/categories",
                project["id"].as_str().unwrap()
            ))
            .await
            .ok();
        assert_eq!(page.json()[0]["name"], "<script>alert(1)</script>");
        assert_eq!(page.header("content-type"), "application/json");
        client
            .post("/api/v1/projects", &json!({ "name": "p" }))
            .await
            .expect(StatusCode::CONFLICT);
        let markdown = json!({ "text": "# A\n<script>alert(1)</script><img src=x onerror=alert(1)>" });
        let html = client
            .post("/api/v1/instructions/preview", &markdown)
            .await
            .ok()
            .json()["html"]
            .to_string();
        assert!(
            html.contains("<h1>") && !html.contains("<script") && !html.contains("onerror"),
            "{html}"
        );
    })
    .await;
}
