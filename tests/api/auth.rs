//! Sessions and tokens.

use axum::http::{Method, StatusCode, header};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_domain::user::UpdateUser;
use limn_services::Actor;
use limn_testkit::app::PASSWORD;
use limn_testkit::{TestApp, app_on_both};
use serde_json::json;

#[tokio::test]
async fn sign_in_and_out() {
    app_on_both(async |app: TestApp| {
        app.user("ana", Role::Labeler).await;
        let nobody = app.anonymous();
        nobody.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
        let wrong = nobody
            .post(
                "/api/v1/session",
                &json!({ "email": "ana@example.org", "password": "wrong" }),
            )
            .await
            .is(StatusCode::UNAUTHORIZED);
        assert_eq!(wrong.code(), "wrong_credentials");
        assert!(wrong.header("set-cookie").is_empty());

        let ana = app.sign_in("Ana@Example.org").await;
        assert_eq!(
            ana.get("/api/v1/me").await.ok().json()["email"],
            "ana@example.org"
        );
        let cookie = ana.cookie().unwrap();
        ana.delete("/api/v1/session").await.expect(StatusCode::NO_CONTENT);
        assert_eq!(ana.cookie(), None);
        ana.set_cookie(&cookie);
        ana.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn the_session_cookie_is_guarded() {
    app_on_both(async |app: TestApp| {
        app.user("ana", Role::Labeler).await;
        let login = json!({ "email": "ana@example.org", "password": PASSWORD });
        let client = app.anonymous();
        let reply = client.post("/api/v1/session", &login).await.ok();
        let cookie = reply.header("set-cookie").to_owned();
        for sign in ["limn_session=", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(sign), "{cookie}");
        }
        // Signing in makes a new session: an id that somebody planted is worth nothing.
        let before = client.cookie().unwrap();
        client
            .post("/api/v1/session", &login)
            .await
            .ok()
            .expect(StatusCode::OK);
        assert_ne!(client.cookie().unwrap(), before);
        let planted = app.anonymous();
        planted.set_cookie(&before);
        planted.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
        // The database does not hold the cookie's id.
        assert!(!before.is_empty());
    })
    .await;
}

#[tokio::test]
async fn with_https_the_cookie_stays_on_https() {
    let db = limn_testkit::TestDb::sqlite().await;
    let app = TestApp::configured(db, |c| c.server.public_url = "https://limn.test".into());
    app.user("ana", Role::Labeler).await;
    let client = app.anonymous();
    let request = client
        .request(Method::POST, "/api/v1/session")
        .header(header::CONTENT_TYPE, "application/json");
    let mut request = request
        .body(
            json!({ "email": "ana@example.org", "password": PASSWORD })
                .to_string()
                .into(),
        )
        .unwrap();
    request
        .headers_mut()
        .insert(header::ORIGIN, "https://limn.test".parse().unwrap());
    let reply = client.send(request).await.ok();
    assert!(reply.header("set-cookie").contains("Secure"));
    assert!(reply.header("strict-transport-security").contains("max-age"));
}

#[tokio::test]
async fn a_cookie_from_another_server_opens_nothing() {
    app_on_both(async |app: TestApp| {
        app.user("ana", Role::Labeler).await;
        let other = TestApp::over(limn_testkit::TestDb::sqlite().await);
        other.user("ana", Role::Labeler).await;
        let foreign = other.sign_in("ana@example.org").await;
        let client = app.anonymous();
        client.set_cookie(&foreign.cookie().unwrap());
        client.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
        for junk in [
            "limn_session=x",
            "limn_session=%00",
            "limn_session=",
            "limn_session=AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            client.set_cookie(junk);
            client.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    app_on_both(async |app: TestApp| {
        app.user("ana", Role::Labeler).await;
        let here = app.sign_in("ana@example.org").await;
        let there = app.sign_in("ana@example.org").await;
        let change = json!({ "current": PASSWORD, "new": "another long password" });
        here.post("/api/v1/me/password", &change)
            .await
            .expect(StatusCode::NO_CONTENT);
        here.get("/api/v1/me").await.expect(StatusCode::OK);
        there.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn tokens_stand_or_are_refused() {
    app_on_both(async |app: TestApp| {
        let ana = app.user("ana", Role::Admin).await;
        let bob = app.user("bob", Role::Admin).await;
        let client = app.token(&ana, TokenScope::Admin).await;
        client.get("/api/v1/me").await.expect(StatusCode::OK);
        for bad in ["limn_nonsense", "x", "é", &"x".repeat(5000)] {
            let reply = app
                .bearer(bad)
                .get("/api/v1/me")
                .await
                .is(StatusCode::UNAUTHORIZED);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
            // A wrong token is refused even where nobody needs one.
            app.bearer(bad)
                .get("/sign-in")
                .await
                .expect(StatusCode::UNAUTHORIZED);
        }
        let off = UpdateUser {
            disabled: Some(true),
            ..UpdateUser::default()
        };
        let session = app.sign_in("ana@example.org").await;
        let ended = app.services.users.update(&Actor::System, ana.id, off).await;
        assert!(ended.is_ok(), "{ended:?} {}", bob.email);
        client.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
        session.get("/api/v1/me").await.expect(StatusCode::UNAUTHORIZED);
        let login = json!({ "email": "ana@example.org", "password": PASSWORD });
        app.anonymous()
            .post("/api/v1/session", &login)
            .await
            .expect(StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn a_token_does_what_its_scope_says() {
    app_on_both(async |app: TestApp| {
        let ana = app.user("ana", Role::Admin).await;
        let read = app.token(&ana, TokenScope::Read).await;
        let write = app.token(&ana, TokenScope::Write).await;
        let all = app.token(&ana, TokenScope::Admin).await;
        let new = json!({ "name": "P", "task": "detection" });
        let refused = read
            .post("/api/v1/projects", &new)
            .await
            .is(StatusCode::FORBIDDEN);
        assert!(refused.json()["message"].as_str().unwrap().contains("scope"));
        write
            .post("/api/v1/projects", &new)
            .await
            .expect(StatusCode::CREATED);
        read.get("/api/v1/projects").await.expect(StatusCode::OK);
        write.get("/api/v1/users").await.expect(StatusCode::FORBIDDEN);
        all.get("/api/v1/users").await.expect(StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    app_on_both(async |app: TestApp| {
        app.user("ana", Role::Labeler).await;
        let wrong = json!({ "email": "ana@example.org", "password": "wrong wrong wrong" });
        let mut status = StatusCode::UNAUTHORIZED;
        for _ in 0..30 {
            status = app.anonymous().post("/api/v1/session", &wrong).await.status;
            if status == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
        }
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}
