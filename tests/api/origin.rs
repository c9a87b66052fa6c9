//! Mutations come from our own pages or carry a token.

use axum::http::{Method, StatusCode, header};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_testkit::{TestApp, app_on_both};
use serde_json::json;

#[tokio::test]
async fn another_site_cannot_use_the_session() {
    app_on_both(async |app: TestApp| {
        let ana = app.user("ana", Role::Admin).await;
        let client = app.sign_in("ana@example.org").await;
        let cookie = client.cookie().unwrap();
        let request = |origin: Option<&str>, site: Option<&str>| {
            let mut r = axum::http::Request::builder()
                .method(Method::POST)
                .uri("/api/v1/projects")
                .header(header::HOST, limn_testkit::app::HOST)
                .header(header::COOKIE, &cookie)
                .header(header::CONTENT_TYPE, "application/json");
            if let Some(origin) = origin {
                r = r.header(header::ORIGIN, origin);
            }
            if let Some(site) = site {
                r = r.header("sec-fetch-site", site);
            }
            r.body(
                json!({ "name": format!("{origin:?}{site:?}"), "task": "detection" })
                    .to_string()
                    .into(),
            )
            .unwrap()
        };
        for (origin, site) in [
            (Some("https://evil.example"), None),
            (Some("https://evil.example"), Some("cross-site")),
            (Some("null"), None),
            (Some("http://limn.test:81"), None),
            (Some("http://limn.test"), Some("cross-site")),
            (None, Some("same-site")),
            (None, None),
        ] {
            let reply = client.send(request(origin, site)).await.is(StatusCode::FORBIDDEN);
            assert_eq!(reply.code(), "cross_origin", "{origin:?} {site:?}");
        }
        client
            .send(request(Some("http://limn.test"), Some("same-origin")))
            .await
            .expect(StatusCode::CREATED);
        client
            .send(request(None, Some("same-origin")))
            .await
            .expect(StatusCode::CREATED);

        // Browsers add no tokens by themselves: those need no origin.
        let script = app.token(&ana, TokenScope::Write).await;
        script
            .post("/api/v1/projects", &json!({ "name": "By script" }))
            .await
            .expect(StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn behind_a_proxy_the_forwarded_name_counts() {
    let app = TestApp::configured(limn_testkit::TestDb::sqlite().await, |c| {
        c.server.trust_proxy = true;
    });
    app.user("ana", Role::Admin).await;
    let client = app.anonymous();
    let login = json!({ "email": "ana@example.org", "password": limn_testkit::app::PASSWORD }).to_string();
    let send = |origin: &'static str| {
        let request = axum::http::Request::builder()
            .method(Method::POST)
            .uri("/api/v1/session")
            .header(header::HOST, "127.0.0.1:8080")
            .header("x-forwarded-host", "limn.example.org")
            .header("x-forwarded-proto", "https")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/json");
        client.send(request.body(login.clone().into()).unwrap())
    };
    send("https://limn.example.org").await.expect(StatusCode::OK);
    send("http://limn.example.org")
        .await
        .expect(StatusCode::FORBIDDEN);
    send("http://127.0.0.1:8080").await.expect(StatusCode::FORBIDDEN);
}
