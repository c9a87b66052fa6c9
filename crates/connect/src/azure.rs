//! Azure Storage by account key or SAS: what its blobs, Data Lake and file shares have in common.

mod blob;
mod lake;
mod share;

use crate::files::{Entry, Files, Reading};
use crate::http::{Ask, Http, body, decode, encode, encode_path, host};
use crate::s3::{check_range, range, tame};
use crate::xml::seconds;
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

/// Which door of an account is asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Blob,
    Lake,
    Share,
}

impl Service {
    /// The part of the host's name.
    pub const fn host(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Lake => "dfs",
            Self::Share => "file",
        }
    }

    /// What it calls the thing that files are in.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Blob => "container",
            Self::Lake => "file system",
            Self::Share => "file share",
        }
    }
}

/// Where to ask, as whom, and what in.
pub struct Account {
    pub http: Http,
    pub endpoint: Url,
    pub account: String,
    pub service: Service,
    /// The container, file system or share.
    pub root: String,
    /// Without slashes at its ends.
    pub prefix: String,
    pub auth: Auth,
}

/// The store that an account opens.
pub fn store(account: Account) -> Box<dyn Files> {
    match account.service {
        Service::Blob => Box::new(blob::Blobs(account)),
        Service::Lake => Box::new(lake::Lake(account)),
        Service::Share => Box::new(share::Share(account)),
    }
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

impl Account {
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.endpoint.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let path = if path.is_empty() {
            String::new()
        } else {
            format!("/{}", encode_path(path))
        };
        url.set_path(&format!("{base}/{}{path}", encode(&self.root)));
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
            if let Ok(mut value) = HeaderValue::from_str(&value) {
                value.set_sensitive(true);
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

    /// The whole path of something in the datastore.
    fn whole(&self, path: &str) -> String {
        match (self.prefix.is_empty(), path.is_empty()) {
            (true, _) => path.to_owned(),
            (false, true) => self.prefix.clone(),
            (false, false) => format!("{}/{path}", self.prefix),
        }
    }

    fn entry(path: &str, response: &Response) -> Entry {
        let text = |name: HeaderName| {
            response
                .headers()
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
        };
        Entry {
            path: path.to_owned(),
            is_folder: text(HeaderName::from_static("x-ms-resource-type")) == Some("directory"),
            size: text(CONTENT_LENGTH).and_then(|s| s.parse().ok()),
            modified: text(LAST_MODIFIED).and_then(seconds),
            tag: text(ETAG).unwrap_or_default().trim_matches('"').to_owned(),
        }
    }

    /// When the SAS ended, if it has.
    fn expired(&self) -> Option<String> {
        let Auth::Sas(sas) = &self.auth else { return None };
        let sas = sas.reveal().trim().trim_start_matches('?');
        let end = sas.split('&').find_map(|part| part.strip_prefix("se="))?;
        let end = decode(end)?;
        // Seconds, and the time of day, may be left out.
        let at = seconds(&end)
            .or_else(|| seconds(&end.replace('Z', ":00Z")))
            .or_else(|| seconds(&format!("{end}T00:00:00Z")))?;
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
        (at <= now.timestamp()).then_some(end)
    }

    /// What a refusal means. The store's own word comes last.
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
            format!(" ({} says: {})", host(url), tame(code))
        };
        let (noun, root) = (self.service.noun(), &self.root);
        match (status, code) {
            (_, "ContainerNotFound" | "FilesystemNotFound" | "ShareNotFound") => {
                ConnectError::NotFound(format!("There is no {noun} `{root}` at {}{said}.", host(url)))
            }
            (_, "AuthenticationFailed") => ConnectError::Denied(match self.expired() {
                Some(end) => {
                    format!("The SAS token has expired ({end}); rotate the credentials{said}.")
                }
                None => format!("Account key or SAS token are wrong, or have expired{said}."),
            }),
            (_, "AuthorizationPermissionMismatch" | "InsufficientAccountPermissions") => {
                match path {
                    // Access lists of a Data Lake go by file.
                    Some(path) => ConnectError::Forbidden(format!(
                        "The credentials are valid but may not read (r) `{path}` in `{root}`{said}."
                    )),
                    None => ConnectError::Denied(format!(
                        "The credentials are valid but may not list (l) in `{root}`{said}."
                    )),
                }
            }
            (_, "AuthorizationResourceTypeMismatch" | "AuthorizationServiceMismatch") => {
                ConnectError::Denied(format!(
                    "The SAS token is one for something else; make one for the {noun} `{root}`, with read and list{said}."
                ))
            }
            (_, "AuthorizationFailure" | "AuthorizationSourceIPMismatch") => ConnectError::Denied(format!(
                "The credentials are not accepted, or the storage account's firewall, or the addresses of the SAS token, leave \
                 this server out{said}."
            )),
            (_, "AuthorizationProtocolMismatch" | "AccountRequiresHttps") => {
                ConnectError::Denied(format!("The storage account is reached by https:// alone{said}."))
            }
            (_, "InvalidAuthenticationInfo") => {
                ConnectError::Denied(format!("The credentials cannot be read{said}."))
            }
            (_, "ResourceTypeMismatch") => ConnectError::NotFound(format!(
                "`{}` in the {noun} `{root}` is a folder where a file is meant, or a file where a folder is{said}.",
                path.unwrap_or_default()
            )),
            (_, "BlobArchived" | "BlobBeingRehydrated") => ConnectError::Forbidden(format!(
                "`{}` lies in the archive tier, out of which it has to be moved first{said}.",
                path.unwrap_or_default()
            )),
            (StatusCode::NOT_FOUND, _) => match path {
                Some(path) => ConnectError::NotFound(format!("There is no `{path}` in the {noun} `{root}`.")),
                None => {
                    ConnectError::NotFound(format!("There is no {noun} `{root}`, or it is not public{said}."))
                }
            },
            (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED | StatusCode::CONFLICT, _) => {
                let what = if matches!(self.auth, Auth::Nobody) {
                    format!("The {noun} is not public: give an account key or a SAS token")
                } else {
                    "The credentials are not accepted".to_owned()
                };
                ConnectError::Denied(format!("{what}{said}."))
            }
            (s, _) if s.is_server_error() || s == StatusCode::TOO_MANY_REQUESTS => {
                ConnectError::Unreachable(format!("{} has trouble of its own ({s}){said}.", host(url)))
            }
            (s, _) => ConnectError::Wrong(format!("{} answered {s}{said}.", host(url))),
        }
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        let url = self.url(&self.whole(path), &[]);
        let response = self.ask(Method::HEAD, url.clone(), 0).await?;
        if response.status().is_success() {
            return Ok(Self::entry(path, &response));
        }
        Err(self.failure(&url, &response, Some(path)))
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        let url = self.url(&self.whole(path), &[]);
        let response = self.ask(Method::GET, url.clone(), from).await?;
        if !response.status().is_success() {
            return Err(self.failure(&url, &response, Some(path)));
        }
        let mut entry = Self::entry(path, &response);
        if entry.is_folder {
            return Err(ConnectError::NotFound(format!(
                "`{path}` in the {} `{}` is a folder and no file.",
                self.service.noun(),
                self.root
            )));
        }
        check_range(from, &response, &host(&url))?;
        entry.size = entry.size.map(|s| s.saturating_add(from));
        Ok(Reading {
            entry,
            after: None,
            body: body(url, response),
        })
    }
}
