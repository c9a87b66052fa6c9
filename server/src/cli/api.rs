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

/// A connection to a server. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
}

/// A refusal by the server.
#[derive(Debug)]
pub struct Refused {
    pub status: StatusCode,
    pub error: Option<ApiError>,
    pub request_id: Option<String>,
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
        let http = reqwest::Client::builder()
            .user_agent(concat!("limn/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_mins(2))
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self {
            http,
            base,
            token: remote.token.clone(),
        })
    }

    /// A request to a path below the server's address.
    pub fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let url: Url = url.parse().with_context(|| format!("{url} is no address"))?;
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    /// Sends a request; anything but success is an error.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|e| self.unreachable(e))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let request_id = response
            .headers()
            .get("x-request-id")
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned);
        let text = response.text().await.unwrap_or_default();
        Err(anyhow!(Refused {
            status,
            error: serde_json::from_str(&text).ok(),
            request_id,
        }))
    }

    /// Puts bytes at an address that the server gave, which is somebody else's: without the token.
    pub async fn put_outside(&self, url: &str, len: i64, body: Body) -> Result<()> {
        let url: Url = url.parse().context("the server gave an address that is none")?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let request = self.http.put(url).header("content-length", len).body(body);
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

/// Runs `work` until it succeeds, is refused, or has failed too often; waits longer every time.
pub async fn retry<T>(work: impl AsyncFn() -> Result<T>) -> Result<T> {
    let mut attempt = 1;
    loop {
        match work().await {
            Err(e) if attempt < ATTEMPTS && is_passing(&e) => {
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
                attempt += 1;
            }
            result => return result,
        }
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
