//! Azure Blob Storage, and Data Lake Gen2 through the same door: lists and reads, by account key or SAS.

use crate::files::{Entry, Files, Listing, PAGE, Reading, is_plain};
use crate::http::{Ask, Http, body, encode, encode_path, host, text};
use crate::s3::{check_range, range};
use crate::xml::{each, first, seconds, steps};
use crate::{ConnectError, Result, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, RANGE};
use reqwest::{Method, Response, StatusCode, Url};
use sha2::Sha256;

const VERSION: &str = "2021-08-06";

pub enum Auth {
    Nobody,
    /// The account key, decoded.
    Key(Vec<u8>),
    /// What follows the question mark.
    Sas(Secret),
}

pub struct Azure {
    pub http: Http,
    pub endpoint: Url,
    pub account: String,
    pub container: String,
    /// Without slashes at its ends.
    pub prefix: String,
    pub auth: Auth,
}

/// An account key as the portal shows it.
pub fn key(text: &Secret) -> Result<Auth> {
    let bytes = STANDARD.decode(text.reveal().trim()).map_err(|_| {
        ConnectError::Setting(
            "account_key",
            "An account key is base64; copy it whole.".to_owned(),
        )
    })?;
    Ok(Auth::Key(bytes))
}

impl Azure {
    fn url(&self, blob: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.endpoint.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let blob = if blob.is_empty() {
            String::new()
        } else {
            format!("/{}", encode_path(blob))
        };
        url.set_path(&format!("{base}/{}{blob}", encode(&self.container)));
        let mut parts: Vec<String> = query.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect();
        if let Auth::Sas(sas) = &self.auth {
            parts.push(sas.reveal().trim().trim_start_matches('?').to_owned());
        }
        if !parts.is_empty() {
            url.set_query(Some(&parts.join("&")));
        }
        url
    }

    async fn ask(&self, method: Method, url: Url, from: u64) -> Result<Response> {
        let mut ask = Ask::new(method, url);
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        for (name, value) in [("x-ms-date", date.as_str()), ("x-ms-version", VERSION)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                ask.headers.insert(HeaderName::from_static(name), value);
            }
        }
        if from > 0 {
            ask.headers.insert(RANGE, range(from)?);
        }
        if let Auth::Key(key) = &self.auth {
            let signature = self.signature(&ask, key, &date);
            let value = format!("SharedKey {}:{signature}", self.account);
            if let Ok(value) = HeaderValue::from_str(&value) {
                ask.headers.insert(AUTHORIZATION, value);
            }
        }
        self.http.send(ask).await
    }

    /// "Authorize with Shared Key" of the documents of Azure Storage.
    fn signature(&self, ask: &Ask, key: &[u8], date: &str) -> String {
        let range = ask
            .headers
            .get(RANGE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let mut query: Vec<(String, String)> = ask
            .url
            .query_pairs()
            .map(|(k, v)| (k.to_lowercase(), v.into_owned()))
            .collect();
        query.sort();
        let query: Vec<String> = query.into_iter().map(|(k, v)| format!("\n{k}:{v}")).collect();
        let query = query.concat();
        let text = format!(
            "{}\n\n\n\n\n\n\n\n\n\n\n{range}\nx-ms-date:{date}\nx-ms-version:{VERSION}\n/{}{}{query}",
            ask.method,
            self.account,
            ask.url.path()
        );
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    fn key(&self, path: &str) -> String {
        match (self.prefix.is_empty(), path.is_empty()) {
            (true, _) => path.to_owned(),
            (false, true) => self.prefix.clone(),
            (false, false) => format!("{}/{path}", self.prefix),
        }
    }

    async fn page(&self, folder: &str, page: Option<&str>, deep: bool) -> Result<Listing> {
        let mut prefix = self.key(folder);
        if !prefix.is_empty() {
            prefix.push('/');
        }
        let size = PAGE.to_string();
        let mut query = vec![("restype", "container"), ("comp", "list"), ("maxresults", &size)];
        if !prefix.is_empty() {
            query.push(("prefix", &prefix));
        }
        if !deep {
            query.push(("delimiter", "/"));
        }
        if let Some(page) = page {
            query.push(("marker", page));
        }
        let url = self.url("", &query);
        let response = self.ask(Method::GET, url.clone(), 0).await?;
        if !response.status().is_success() {
            return Err(self.failure(&url, &response, None));
        }
        let text = text(&url, response).await?;
        let steps = steps(text.trim_start_matches('\u{feff}'), &host(&url))?;
        let own = if self.prefix.is_empty() {
            String::new()
        } else {
            format!("{}/", self.prefix)
        };
        let mut entries = Vec::new();
        for blob in each(&steps, "Blob") {
            let Some(path) = first(blob, "Name").and_then(|k| k.strip_prefix(&own)) else {
                continue;
            };
            // Data Lake lists its folders as empty blobs.
            if !is_plain(path) || first(blob, "ResourceType") == Some("directory") {
                continue;
            }
            entries.push(Entry {
                path: path.to_owned(),
                is_folder: false,
                size: first(blob, "Content-Length").and_then(|s| s.parse().ok()),
                modified: first(blob, "Last-Modified").and_then(seconds),
                tag: first(blob, "Etag")
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned(),
            });
        }
        for folder in each(&steps, "BlobPrefix") {
            let path = first(folder, "Name")
                .and_then(|k| k.strip_prefix(&own))
                .map(|k| k.trim_end_matches('/'));
            entries.extend(path.filter(|p| is_plain(p)).map(Entry::folder));
        }
        let next = first(&steps, "NextMarker")
            .filter(|m| !m.is_empty())
            .map(str::to_owned);
        Ok(Listing { entries, next })
    }

    fn entry(path: &str, response: &Response) -> Entry {
        let text = |name| {
            response
                .headers()
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
        };
        Entry {
            path: path.to_owned(),
            is_folder: false,
            size: text(CONTENT_LENGTH).and_then(|s| s.parse().ok()),
            modified: text(LAST_MODIFIED).and_then(seconds),
            tag: text(ETAG).unwrap_or_default().trim_matches('"').to_owned(),
        }
    }

    fn failure(&self, url: &Url, response: &Response, path: Option<&str>) -> ConnectError {
        let status = response.status();
        let code = response
            .headers()
            .get("x-ms-error-code")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let said = if code.is_empty() {
            String::new()
        } else {
            format!(" ({} says: {code})", host(url))
        };
        let container = &self.container;
        match (status, code) {
            (_, "ContainerNotFound") => ConnectError::NotFound(format!(
                "There is no container `{container}` at {}{said}.",
                host(url)
            )),
            (_, "AuthenticationFailed") => ConnectError::Denied(format!(
                "Account key or SAS token are wrong, or have expired{said}."
            )),
            (_, "AuthorizationPermissionMismatch" | "InsufficientAccountPermissions") => {
                let what = if path.is_some() { "read (r)" } else { "list (l)" };
                ConnectError::Denied(format!(
                    "The credentials are valid but may not {what} in `{container}`{said}."
                ))
            }
            (_, "InvalidAuthenticationInfo") => {
                ConnectError::Denied(format!("The credentials cannot be read{said}."))
            }
            (StatusCode::NOT_FOUND, _) => match path {
                Some(path) => {
                    ConnectError::NotFound(format!("There is no `{path}` in the container `{container}`."))
                }
                None => ConnectError::NotFound(format!(
                    "There is no container `{container}`, or it is not public{said}."
                )),
            },
            (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED | StatusCode::CONFLICT, _) => {
                let what = if matches!(self.auth, Auth::Nobody) {
                    "The container is not public: give an account key or a SAS token"
                } else {
                    "The credentials are not accepted"
                };
                ConnectError::Denied(format!("{what}{said}."))
            }
            (s, _) if s.is_server_error() || s == StatusCode::TOO_MANY_REQUESTS => {
                ConnectError::Unreachable(format!("{} has trouble of its own ({s}){said}.", host(url)))
            }
            (s, _) => ConnectError::Wrong(format!("{} answered {s}{said}.", host(url))),
        }
    }
}

#[async_trait::async_trait]
impl Files for Azure {
    async fn list(&self, folder: &str, page: Option<&str>) -> Result<Listing> {
        self.page(folder, page, false).await
    }

    async fn list_deep(&self, folder: &str, page: Option<&str>) -> Option<Result<Listing>> {
        Some(self.page(folder, page, true).await)
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        let url = self.url(&self.key(path), &[]);
        let response = self.ask(Method::HEAD, url.clone(), 0).await?;
        if response.status().is_success() {
            return Ok(Self::entry(path, &response));
        }
        Err(self.failure(&url, &response, Some(path)))
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        let url = self.url(&self.key(path), &[]);
        let response = self.ask(Method::GET, url.clone(), from).await?;
        if !response.status().is_success() {
            return Err(self.failure(&url, &response, Some(path)));
        }
        check_range(from, &response, &host(&url))?;
        let mut entry = Self::entry(path, &response);
        entry.size = entry.size.map(|s| s + from);
        Ok(Reading {
            entry,
            body: body(url, response),
        })
    }
}
