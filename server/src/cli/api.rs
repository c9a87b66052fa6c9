//! A client of the API, for the commands.

use super::Remote;
use anyhow::{Context as _, Result, anyhow, bail};
use limn_domain::ApiError;
use limn_domain::project::Project;
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::Duration;

/// Attempts at a request that fails for a passing reason.
const ATTEMPTS: u32 = 6;
/// Longest to wait for a server that says how long it is busy.
const BUSY: Duration = Duration::from_mins(1);
/// Longest that nothing comes from a server. Until an answer begins it counts from when the request begins to be sent.
const SILENCE: Duration = Duration::from_mins(2);
/// Bytes a second of the slowest line that bodies are sent by.
const SLOWEST: u64 = 16 << 10;

/// A connection to a server. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// For requests with bodies that may take long, each of which says how long.
    sending: reqwest::Client,
    silence: Duration,
    base: Url,
    token: String,
}

/// A refusal by the server.
#[derive(Debug)]
pub struct Refused {
    pub status: StatusCode,
    pub error: Option<ApiError>,
    pub request_id: Option<String>,
    /// How long to wait before asking again, if the server says so (`Retry-After` in seconds).
    pub retry_after: Option<Duration>,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(e) => f.write_str(&e.message)?,
            None => write!(f, "the server answered {}", self.status)?,
        }
        for field in self.error.iter().flat_map(|e| &e.fields).skip(1) {
            write!(f, "\n  {}: {}", field.field, field.message)?;
        }
        match &self.request_id {
            Some(id) if self.status.is_server_error() => write!(f, " (request id {id})"),
            _ => Ok(()),
        }
    }
}

impl Client {
    pub fn new(remote: &Remote) -> Result<Self> {
        Self::patient(remote, SILENCE)
    }

    fn patient(remote: &Remote, silence: Duration) -> Result<Self> {
        let base: Url = remote.url.trim_end_matches('/').parse().with_context(|| {
            format!(
                "LIMN_URL `{}` is no address; write it as http://host:port",
                remote.url
            )
        })?;
        match base.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => bail!(
                "this `limn` was built without TLS: use a release build (`cargo xtask build --release`), or http:// on a \
                 network you trust"
            ),
            other => bail!("LIMN_URL starts with {other}:; it must start with http:// or https://"),
        }
        if remote.token.is_empty() {
            bail!(
                "no API token: set LIMN_TOKEN. Make one on your account page, or on the server with \
                 `limn admin create-token --email ... --name ...`."
            );
        }
        // The first one in the process stays; a second call says so and that is fine.
        #[cfg(feature = "tls")]
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("limn/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_secs(10))
        };
        let http = builder().read_timeout(silence).build();
        Ok(Self {
            http: http.context("cannot make an HTTP client")?,
            sending: builder().build().context("cannot make an HTTP client")?,
            silence,
            base,
            token: remote.token.clone(),
        })
    }

    fn url(&self, path: &str) -> Result<Url> {
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        url.parse().with_context(|| format!("{url} is no address"))
    }

    /// A request to a path below the server's address.
    pub fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let url = self.url(path)?;
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    /// The same with a body of so many bytes, which has the time that a slow line takes for it.
    pub fn sending(&self, method: Method, path: &str, len: u64) -> Result<RequestBuilder> {
        let url = self.url(path)?;
        Ok(self.with_body(method, url, len).bearer_auth(&self.token))
    }

    fn with_body(&self, method: Method, url: Url, len: u64) -> RequestBuilder {
        let time = self.silence + Duration::from_secs(len / SLOWEST);
        let request = self.sending.request(method, url).timeout(time);
        request.header("content-length", len)
    }

    /// Sends a request; anything but success is an error.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|e| self.unreachable(e))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let header = |name: &'static str| response.headers().get(name).and_then(|v| v.to_str().ok());
        let request_id = header("x-request-id").map(str::to_owned);
        let retry_after = header("retry-after").and_then(seconds);
        let text = response.text().await.unwrap_or_default();
        Err(anyhow!(Refused {
            status,
            error: serde_json::from_str(&text).ok(),
            request_id,
            retry_after,
        }))
    }

    /// Puts bytes at an address that the server gave, which is somebody else's: without the token.
    pub async fn put_outside(&self, url: &str, len: u64, body: Body) -> Result<()> {
        let url: Url = url.parse().context("the server gave an address that is none")?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let request = self.with_body(Method::PUT, url, len).body(body);
        // The address is as good as a password for a while: it is in no message.
        let response = request
            .send()
            .await
            .map_err(|e| anyhow::Error::new(e.without_url()).context(format!("cannot reach {host}")))?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(anyhow!(Refused {
            status: response.status(),
            error: None,
            request_id: None,
            retry_after: None,
        }))
    }

    fn unreachable(&self, e: reqwest::Error) -> anyhow::Error {
        let what = if e.is_connect() {
            format!(
                "cannot reach {}; is the server running, and is LIMN_URL right?",
                self.base
            )
        } else if e.is_timeout() {
            format!("{} did not answer in time", self.base)
        } else {
            format!("the connection to {} broke", self.base)
        };
        anyhow::Error::new(e).context(what)
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let response = self.send(request).await?;
        response
            .json()
            .await
            .context("the server's answer cannot be read; does its version fit this `limn`?")
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        retry(async || self.json(self.request(Method::GET, path)?).await).await
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.json(self.request(Method::POST, path)?.json(body)).await
    }

    /// A project by name or id.
    pub async fn project(&self, name_or_id: &str) -> Result<Project> {
        let path = format!("/api/v1/projects/find?name={}", encode(name_or_id));
        self.get(&path)
            .await
            .map_err(|e| match e.downcast_ref::<Refused>() {
                Some(r) if r.status == StatusCode::NOT_FOUND => anyhow!(
                    "there is no project `{name_or_id}`, or you are not a member; see `limn projects list`"
                ),
                _ => e,
            })
    }
}

/// Whether trying again may help: the connection broke, or the server is busy or restarting.
pub fn is_passing(e: &anyhow::Error) -> bool {
    if let Some(r) = e.downcast_ref::<Refused>() {
        return matches!(r.status.as_u16(), 429 | 502 | 503 | 504);
    }
    e.downcast_ref::<reqwest::Error>()
        .is_some_and(|e| !e.is_builder() && !e.is_decode())
        || e.chain().any(|c| {
            c.downcast_ref::<reqwest::Error>()
                .is_some_and(|e| !e.is_builder() && !e.is_decode())
        })
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

/// How long to wait before the next attempt at what has failed `attempt` times; `None` when it is given up. Longer every time, and
/// as long as the server asks for, within reason.
pub fn pause(e: &anyhow::Error, attempt: u32) -> Option<Duration> {
    if attempt >= ATTEMPTS || !is_passing(e) {
        return None;
    }
    let asked = e.downcast_ref::<Refused>().and_then(|r| r.retry_after);
    let own = Duration::from_millis(200 << attempt);
    Some(asked.map_or(own, |asked| own.max(asked.min(BUSY))))
}

/// Runs `work` until it succeeds, is refused, or has failed too often.
pub async fn retry<T>(work: impl AsyncFn() -> Result<T>) -> Result<T> {
    let mut attempt = 1;
    loop {
        let e = match work().await {
            Ok(done) => return Ok(done),
            Err(e) => e,
        };
        let Some(pause) = pause(&e, attempt) else {
            return Err(e);
        };
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

/// Percent-encodes a query value.
pub fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A server that answers so.
    pub async fn serve(router: axum::Router) -> Remote {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Remote {
            url,
            token: "limn_test".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_server_is_given_the_time_that_it_asks_for() {
        let wait = async |status: u16, after: Option<&'static str>| {
            let answer = move || async move {
                let mut answer = axum::response::Response::new(axum::body::Body::empty());
                *answer.status_mut() = StatusCode::from_u16(status).unwrap();
                if let Some(after) = after {
                    let after = reqwest::header::HeaderValue::from_static(after);
                    answer.headers_mut().insert("retry-after", after);
                }
                answer
            };
            let client = Client::new(&serve(axum::Router::new().fallback(answer)).await).unwrap();
            let request = client.request(Method::GET, "/").unwrap();
            let refused = client.send(request).await.unwrap_err();
            [1, 5, 6].map(|attempt| pause(&refused, attempt).map(|p| p.as_millis()))
        };
        assert_eq!(wait(503, None).await, [Some(400), Some(6_400), None]);
        assert_eq!(wait(429, Some("3")).await, [Some(3_000), Some(6_400), None]);
        assert_eq!(wait(503, Some("86400")).await, [Some(60_000), Some(60_000), None]);
        assert_eq!(
            wait(503, Some("Wed, 21 Oct 2015 07:28:00 GMT")).await[0],
            Some(400)
        );
        assert_eq!(wait(404, Some("3")).await, [None; 3]);
    }

    #[tokio::test]
    async fn a_body_that_takes_long_is_no_silence() {
        let slow = axum::Router::new().fallback(|_: bytes::Bytes| async {
            tokio::time::sleep(Duration::from_millis(300)).await;
        });
        let remote = serve(slow).await;
        let client = Client::patient(&remote, Duration::from_millis(60)).unwrap();
        let long = vec![1; 4 * SLOWEST as usize];
        let put = |bytes: Vec<u8>| {
            let (client, url) = (client.clone(), format!("{}/part", remote.url));
            async move {
                let len = bytes.len() as u64;
                client.put_outside(&url, len, Body::from(bytes)).await
            }
        };
        put(long.clone()).await.unwrap();
        let request = client
            .sending(Method::PATCH, "/upload", long.len() as u64)
            .unwrap();
        client.send(request.body(long)).await.unwrap();
        // A server that says nothing is still given up.
        let silent = put(vec![1]).await.unwrap_err();
        assert!(is_passing(&silent), "{silent:?}");
    }
}
