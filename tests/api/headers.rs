//! Security headers, pages, health.

use crate::support;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_server::middleware::trace;
use limn_testkit::{TestApp, TestDb};
use tower::ServiceExt as _;

async fn app() -> TestApp {
    TestApp::over(TestDb::sqlite().await)
}

#[tokio::test]
async fn pages_carry_a_strict_policy_that_their_scripts_pass() {
    let app = app().await;
    let client = app.anonymous();
    let page = client.get("/sign-in").await.is(StatusCode::OK);
    let csp = page.header("content-security-policy").to_owned();
    let nonce = csp.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(nonce.len() >= 16, "{csp}");
    let scripts = csp
        .split(';')
        .find(|d| d.trim().starts_with("script-src "))
        .unwrap();
    assert!(
        !scripts.contains("unsafe-inline") && !scripts.contains("'unsafe-eval'"),
        "{csp}"
    );
    assert!(csp.contains("frame-ancestors 'none'") && csp.contains("object-src 'none'"));
    let html = page.text();
    for script in html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(
            tag.contains(&format!("nonce=\"{nonce}\"")) || tag.contains("src="),
            "<script{tag}>"
        );
    }
    let again = client.get("/sign-in").await;
    assert_ne!(
        again.header("content-security-policy"),
        csp,
        "a nonce is used once"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    assert!(!page.header("permissions-policy").is_empty());
    assert_eq!(page.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn the_first_page_asks_to_sign_in() {
    let app = app().await;
    app.user("ana", Role::Admin).await;
    let nobody = app.anonymous();
    let request = nobody.request(Method::GET, "/").header("accept", "text/html");
    let page = nobody
        .send(request.body(axum::body::Body::empty()).unwrap())
        .await;
    let asks = page.status.is_redirection() && page.header("location").contains("/sign-in");
    assert!(
        asks || page.text().contains("Sign in"),
        "{} {}",
        page.status,
        page.text()
    );
    let client = app.sign_in("ana@example.org").await;
    let home = client.get("/").await.is(StatusCode::OK);
    assert!(home.text().contains("<title>"));
}

#[tokio::test]
async fn unknown_addresses() {
    let app = app().await;
    let client = app.anonymous();
    for path in [
        "/api/v1/nothing",
        "/api/nothing",
        "/media/nothing",
        "/pkg/nothing.js",
        "/ui/nothing/here",
    ] {
        let reply = client.get(path).await.is(StatusCode::NOT_FOUND);
        assert_eq!(reply.code(), "not_found", "{path}");
    }
    let page = client.get("/no/such/page").await.is(StatusCode::NOT_FOUND);
    assert!(page.text().contains("<html"));
    let wrong = client
        .bytes(Method::DELETE, "/api/v1/me", "")
        .await
        .is(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.code(), "bad_request");
    client
        .bytes(Method::POST, "/no/such/page", "")
        .await
        .expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let db = TestDb::sqlite().await;
    let app = TestApp::over(db.clone());
    let mut raw = limn_server::config::RawConfig::default();
    raw.storage.data_dir = db.dir().join("data");
    let (state, _) = limn_server::build(app.services.clone(), raw.try_into().unwrap());
    let router = axum::Router::new()
        .route("/boom", get(|| async { assert_eq!("the secret", "42") }))
        .layer(from_fn_with_state(state, trace::trace));
    let request = axum::http::Request::get("/boom")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().contains_key("x-request-id"));
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.contains("\"internal\"") && !text.contains("42"), "{text}");
}

#[tokio::test]
async fn health() {
    let app = app().await;
    let nobody = app.anonymous();
    assert_eq!(nobody.get("/healthz").await.is(StatusCode::OK).text(), "ok");
    nobody.get("/readyz").await.expect(StatusCode::OK);
    nobody.get("/metrics").await.expect(StatusCode::UNAUTHORIZED);
    let bob = app.user("bob", Role::Labeler).await;
    app.token(&bob, TokenScope::Write)
        .await
        .get("/metrics")
        .await
        .expect(StatusCode::FORBIDDEN);
    let metrics = app
        .admin("ana")
        .await
        .get("/metrics")
        .await
        .is(StatusCode::OK)
        .text();
    assert!(
        metrics.contains("limn_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("limn_database_up 1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_asked_for_at_once_are_all_whole() {
    const PAGES: [&str; 7] = [
        "/",
        "/projects",
        "/projects/new",
        "/queue",
        "/people",
        "/account",
        "/jobs",
    ];
    let app = app().await;
    let admin = app.admin("ana").await;
    let asked = PAGES.iter().cycle().take(210).map(|path| {
        let client = admin.clone();
        async move {
            (
                *path,
                tokio::spawn(async move { client.get(path).await }).await.unwrap(),
            )
        }
    });
    for (path, reply) in futures::future::join_all(asked).await {
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        let page = reply.text();
        assert!(page.contains("</html>"), "{path} is cut short");
        // The last thing Leptos writes, after the resources.
        assert!(page.contains("__INCOMPLETE_CHUNKS"), "{path} has no resources");
        assert!(page.contains("</title>"), "{path} has no title");
    }
}

/// A page must read each thing once. Leptos walks what is under a `Suspense` more than once before it writes it; what
/// reads again on the way can find something newer than what the page was written from, and the browser then cannot
/// take the page over.
#[tokio::test]
async fn a_page_reads_each_thing_once() {
    let app = app().await;
    let admin = app.admin("ana").await;
    let (project, _) = support::project(&admin, "Once").await;
    let item = support::item(&admin, &project, "a.png", 1).await;
    for path in [
        "/".to_owned(),
        "/projects".to_owned(),
        "/queue".to_owned(),
        "/people".to_owned(),
        "/account".to_owned(),
        "/jobs".to_owned(),
        format!("/projects/{project}"),
        format!("/projects/{project}/items"),
        format!("/projects/{project}/items/{item}/similar"),
        format!("/projects/{project}/explore"),
        format!("/projects/{project}/categories"),
        format!("/projects/{project}/members"),
    ] {
        let page = admin.get(&path).await.is(StatusCode::OK).text();
        let mut read: Vec<_> = page
            .split("__RESOLVED_RESOURCES[")
            .skip(1)
            .filter_map(|s| s.split_once(']')?.1.split("</script>").next())
            .filter(|s| s.trim_start().starts_with('='))
            .collect();
        assert!(!read.is_empty(), "{path} has no resources");
        let all = read.len();
        read.sort_unstable();
        read.dedup();
        assert_eq!(read.len(), all, "{path} reads something twice: {page}");
    }
}
