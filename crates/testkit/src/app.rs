//! The whole application in this process: requests go straight into the router.

use crate::build::START;
use crate::{TestDb, on_both};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use limn_domain::Role;
use limn_domain::token::{NewToken, TokenScope};
use limn_domain::user::{Me, NewUser, User};
use limn_server::Config;
use limn_server::config::RawConfig;
use limn_services::reach::Bucket;
use limn_services::{Actor, Clock, Context, Services};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;

/// Host name under which clients know the application.
pub const HOST: &str = "limn.test";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";
/// The application over a test database, with a clock that the test moves.
pub struct TestApp {
    pub db: TestDb,
    pub services: Services,
    pub clock: Clock,
    router: Router,
}

/// Runs a test's body once on each database, each with an application of its own.
pub async fn app_on_both(body: impl AsyncFn(TestApp)) {
    on_both(async |db| body(TestApp::over(db)).await).await;
}

impl TestApp {
    pub fn over(db: TestDb) -> Self {
        Self::configured(db, |_| {})
    }

    /// With a changed configuration.
    pub fn configured(db: TestDb, change: impl FnOnce(&mut RawConfig)) -> Self {
        Self::at(db, Clock::fixed(START), change)
    }

    /// Another server over the same database, as another process would be one.
    #[must_use]
    pub fn beside(&self, change: impl FnOnce(&mut RawConfig)) -> Self {
        Self::at(self.db.clone(), self.clock.clone(), change)
    }

    fn at(db: TestDb, clock: Clock, change: impl FnOnce(&mut RawConfig)) -> Self {
        let mut raw = RawConfig::default();
        raw.storage.data_dir = db.dir().join("data");
        let stores = db.dir().join("stores");
        std::fs::create_dir_all(&stores).expect("the folder of stores is made");
        raw.datastores.folders = stores.display().to_string();
        "127.0.0.0/8, ::1".clone_into(&mut raw.network.allow);
        change(&mut raw);
        let config: Config = raw.try_into().expect("the test's configuration is valid");
        std::fs::create_dir_all(&config.data_dir).expect("the data directory is made");
        let (dir, limits) = (config.data_dir.clone(), config.limits.clone());
        let context = match &config.bucket {
            None => Context::open(db.db(), dir, limits, clock.clone()),
            Some(place) => {
                let bucket = Bucket::open(&place.settings).expect("the bucket's settings are valid");
                Context::open_bucket(db.db(), dir, limits, clock.clone(), (bucket, place.cache_bytes))
            }
        };
        let context = context.expect("the data directory opens");
        let services = Services::new(context);
        let router = limn_server::build_router(services.clone(), config);
        Self {
            db,
            services,
            clock,
            router,
        }
    }

    /// A client that is nobody.
    pub fn anonymous(&self) -> Client {
        Client {
            router: self.router.clone(),
            cookie: Arc::default(),
            token: None,
        }
    }

    /// An account `NAME@example.org` with [`PASSWORD`].
    pub async fn user(&self, name: &str, role: Role) -> User {
        let user = NewUser {
            email: format!("{name}@example.org"),
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
        };
        self.services
            .users
            .create(&Actor::System, user, role)
            .await
            .expect("the account is created")
    }

    /// A client with a session of this person, signed in over HTTP.
    pub async fn sign_in(&self, email: &str) -> Client {
        let client = self.anonymous();
        client
            .post(
                "/api/v1/session",
                &json!({ "email": email, "password": PASSWORD }),
            )
            .await
            .expect(StatusCode::OK);
        client
    }

    /// A client with an API token of this person.
    pub async fn token(&self, user: &User, scope: TokenScope) -> Client {
        let owner = Actor::User(Me {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role,
        });
        let input = NewToken {
            name: "test".to_owned(),
            scope,
            project_id: None,
            dataset_id: None,
            expires_in_days: None,
        };
        let created = self
            .services
            .tokens
            .create(&owner, input)
            .await
            .expect("the token is created");
        self.bearer(&created.secret)
    }

    /// A client that sends this token.
    pub fn bearer(&self, secret: &str) -> Client {
        Client {
            token: Some(secret.to_owned()),
            ..self.anonymous()
        }
    }

    /// A new admin `NAME@example.org` as a client with a token for everything.
    pub async fn admin(&self, name: &str) -> Client {
        let user = self.user(name, Role::Admin).await;
        self.token(&user, TokenScope::Admin).await
    }

    /// Runs the queued jobs while `body` runs.
    pub async fn with_jobs<T>(&self, body: impl Future<Output = T>) -> T {
        let background = limn_server::compose::Background::start(&self.services, 2);
        let result = body.await;
        background.stop().await;
        result
    }
}

/// Somebody who sends requests; keeps cookies as a browser does.
#[derive(Clone)]
pub struct Client {
    router: Router,
    cookie: Arc<Mutex<Option<String>>>,
    token: Option<String>,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The request, for failure messages.
    what: String,
}

impl Client {
    /// A request as this client would send it: from the application's own pages, with cookie or token.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        } else {
            request = request.header(header::ORIGIN, format!("http://{HOST}"));
            if let Some(cookie) = self.cookie() {
                request = request.header(header::COOKIE, cookie);
            }
        }
        request
    }

    /// `name=value` of the session's cookie, if there is one.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().expect("no test panicked here").clone()
    }

    /// Uses this cookie from here on.
    pub fn set_cookie(&self, cookie: &str) {
        *self.cookie.lock().expect("no test panicked here") = Some(cookie.to_owned());
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let what = format!("{} {}", request.method(), request.uri());
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router does not fail");
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            let text = set.to_str().expect("cookies are text");
            let pair = text.split(';').next().unwrap_or_default();
            let gone = pair.ends_with('=') || text.to_ascii_lowercase().contains("max-age=0");
            *self.cookie.lock().expect("no test panicked here") = (!gone).then(|| pair.to_owned());
        }
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.expect("the body arrives").to_bytes(),
            what,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.bytes(Method::GET, path, Body::empty()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.bytes(Method::DELETE, path, Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.json(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.json(Method::PUT, path, body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.json(Method::PATCH, path, body).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/json");
        self.send(
            request
                .body(Body::from(body.to_string()))
                .expect("the request is valid"),
        )
        .await
    }

    /// Sends bytes.
    pub async fn bytes(&self, method: Method, path: &str, body: impl Into<Body>) -> Reply {
        self.send(
            self.request(method, path)
                .body(body.into())
                .expect("the request is valid"),
        )
        .await
    }
}

impl Reply {
    /// Fails the test unless the status is this one.
    #[track_caller]
    #[must_use = "or let it go with drop()"]
    pub fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        self
    }

    /// The same, for a reply whose body does not matter.
    #[track_caller]
    pub fn expect(self, status: StatusCode) {
        drop(self.is(status));
    }

    /// Fails the test unless the status is 2xx.
    #[track_caller]
    #[must_use = "or let it go with drop()"]
    pub fn ok(self) -> Self {
        assert!(
            self.status.is_success(),
            "{}: {} {}",
            self.what,
            self.status,
            self.text()
        );
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.to()
    }

    /// The body as a type.
    #[track_caller]
    pub fn to<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{}: {} {e}: {}", self.what, self.status, self.text()))
    }

    /// The error's code.
    #[track_caller]
    pub fn code(&self) -> String {
        let json = self.json();
        let code = json["code"].as_str().or_else(|| json["error_code"].as_str());
        code.unwrap_or_default().to_owned()
    }

    /// A header as text, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }
}
