//! S3 and what speaks like it: lists (version 2) and reads, path or host style. Google's XML API is among them.

use crate::files::{Entry, Files, Listing, PAGE, Reading, is_plain};
use crate::http::{Ask, Http, body, encode, encode_path, host, text};
use crate::sigv4::Signer;
use crate::xml::{Step, each, first, seconds, steps};
use crate::{ConnectError, Result};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED, RANGE};
use reqwest::{Method, Response, StatusCode, Url};
use std::time::{SystemTime, UNIX_EPOCH};

pub struct S3 {
    pub http: Http,
    /// Scheme and host of the endpoint.
    pub endpoint: Url,
    pub bucket: String,
    /// Without slashes at its ends.
    pub prefix: String,
    /// The bucket is part of the host name.
    pub by_host: bool,
    /// None reads as anybody.
    pub signer: Option<Signer>,
    /// `S3` or `Google Cloud Storage`, for messages.
    pub name: &'static str,
}

impl S3 {
    pub(crate) fn url(&self, key: &str, query: &[(&str, &str)]) -> Result<Url> {
        let wrong = || ConnectError::Setting("endpoint", "Bucket and endpoint make no address.".to_owned());
        let mut url = self.endpoint.clone();
        let mut path = url.path().trim_end_matches('/').to_owned();
        if self.by_host {
            let host = format!("{}.{}", self.bucket, url.host_str().unwrap_or_default());
            url.set_host(Some(&host)).map_err(|_| wrong())?;
        } else {
            path = format!("{path}/{}", encode(&self.bucket));
        }
        url.set_path(&format!("{path}/{}", encode_path(key)));
        if !query.is_empty() {
            let query: Vec<String> = query.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect();
            url.set_query(Some(&query.join("&")));
        }
        Ok(url)
    }

    pub(crate) fn key(&self, path: &str) -> String {
        match (self.prefix.is_empty(), path.is_empty()) {
            (true, _) => path.to_owned(),
            (false, true) => self.prefix.clone(),
            (false, false) => format!("{}/{path}", self.prefix),
        }
    }

    async fn ask(&self, method: Method, url: Url, from: u64) -> Result<Response> {
        let mut ask = Ask::new(method, url);
        if from > 0 {
            ask.headers.insert(RANGE, range(from)?);
        }
        if let Some(signer) = &self.signer {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs();
            signer.sign(
                ask.method.as_str(),
                &ask.url,
                &mut ask.headers,
                now.try_into().unwrap_or(0),
            );
        }
        self.http.send(ask).await
    }

    async fn page(&self, folder: &str, page: Option<&str>, deep: bool) -> Result<Listing> {
        let mut prefix = self.key(folder);
        if !prefix.is_empty() {
            prefix.push('/');
        }
        let size = PAGE.to_string();
        let mut query = vec![("list-type", "2"), ("max-keys", &size)];
        if let Some(page) = page {
            query.push(("continuation-token", page));
        }
        if !deep {
            query.push(("delimiter", "/"));
        }
        query.push(("prefix", &prefix));
        let url = self.url("", &query)?;
        let response = self.ask(Method::GET, url.clone(), 0).await?;
        if !response.status().is_success() {
            return Err(self.failure(&url, response, None).await);
        }
        let text = text(&url, response).await?;
        let steps = steps(&text, &host(&url))?;
        if !steps
            .iter()
            .any(|s| matches!(s, Step::Begin(n) if n == "ListBucketResult"))
        {
            return Err(ConnectError::Wrong(format!(
                "{} answers, but not as {} does; check the endpoint.",
                host(&url),
                self.name
            )));
        }
        let own = if self.prefix.is_empty() {
            String::new()
        } else {
            format!("{}/", self.prefix)
        };
        let mut entries = Vec::new();
        for object in each(&steps, "Contents") {
            let Some(path) = first(object, "Key").and_then(|k| k.strip_prefix(&own)) else {
                continue;
            };
            // Keys that end with a slash stand for folders.
            if !is_plain(path) {
                continue;
            }
            let size = first(object, "Size").and_then(|s| s.parse().ok());
            entries.push(Entry {
                path: path.to_owned(),
                is_folder: false,
                size,
                modified: first(object, "LastModified").and_then(seconds),
                tag: first(object, "ETag")
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned(),
            });
        }
        for folder in each(&steps, "CommonPrefixes") {
            let path = first(folder, "Prefix")
                .and_then(|k| k.strip_prefix(&own))
                .map(|k| k.trim_end_matches('/'));
            entries.extend(path.filter(|p| is_plain(p)).map(Entry::folder));
        }
        let more = first(&steps, "IsTruncated") == Some("true");
        let next = first(&steps, "NextContinuationToken")
            .filter(|_| more)
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
        let size = text(CONTENT_LENGTH).and_then(|s| s.parse().ok());
        Entry {
            path: path.to_owned(),
            is_folder: false,
            size,
            modified: text(LAST_MODIFIED).and_then(seconds),
            tag: text(ETAG).unwrap_or_default().trim_matches('"').to_owned(),
        }
    }

    /// What a refusal means. The store's own words come last.
    async fn failure(&self, url: &Url, response: Response, path: Option<&str>) -> ConnectError {
        let what = path.map_or(("list", "s3:ListBucket"), |_| ("read", "s3:GetObject"));
        self.refusal(url, response, path, what).await
    }

    /// The same of a request that needs a permission to do something.
    pub(crate) async fn refusal(
        &self,
        url: &Url,
        response: Response,
        path: Option<&str>,
        (doing, permission): (&str, &str),
    ) -> ConnectError {
        let status = response.status();
        let region = response
            .headers()
            .get("x-amz-bucket-region")
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned);
        let said = text(url, response).await.unwrap_or_default();
        let steps = steps(&said, "").unwrap_or_default();
        let code = first(&steps, "Code").unwrap_or_default().to_owned();
        let said = first(&steps, "Message")
            .map_or_else(String::new, |m| format!(" ({} says: {})", host(url), tame(m)));
        let bucket = &self.bucket;
        match (status, code.as_str()) {
            (_, "NoSuchBucket") => {
                ConnectError::NotFound(format!("There is no bucket `{bucket}` at {}{said}.", host(url)))
            }
            (_, "InvalidAccessKeyId") => {
                ConnectError::Denied(format!("The access key id is not known there{said}."))
            }
            (_, "SignatureDoesNotMatch") => {
                ConnectError::Denied(format!("The secret access key is wrong{said}."))
            }
            (_, "ExpiredToken" | "TokenRefreshRequired") => ConnectError::Denied(format!(
                "The session token has expired; rotate the credentials{said}."
            )),
            (_, "RequestTimeTooSkewed") => {
                ConnectError::Denied(format!("This server's clock is wrong{said}."))
            }
            (
                _,
                "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException",
            ) => {
                let hint = region
                    .or_else(|| first(&steps, "Region").map(str::to_owned))
                    .map_or_else(
                        || "another region or endpoint".to_owned(),
                        |r| format!("the region `{}`", tame(&r)),
                    );
                ConnectError::Setting("region", format!("The bucket is in {hint}{said}."))
            }
            (StatusCode::NOT_FOUND, _) => match path {
                Some(path) => {
                    ConnectError::NotFound(format!("There is no `{path}` in the bucket `{bucket}`."))
                }
                None => {
                    ConnectError::NotFound(format!("There is no bucket `{bucket}` at {}{said}.", host(url)))
                }
            },
            (_, "InvalidObjectState") => ConnectError::Forbidden(format!(
                "`{}` lies in an archive, out of which it has to be restored first{said}.",
                path.unwrap_or_default()
            )),
            (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED, _) => {
                let what = match (path, &self.signer) {
                    (_, None) => format!("The bucket `{bucket}` is not public: give an access key"),
                    (Some(path), Some(_)) => {
                        format!("The key is valid but may not {doing} `{path}`: it needs {permission}")
                    }
                    (None, Some(_)) => {
                        format!(
                            "The key is valid but may not {doing} the bucket `{bucket}`: it needs {permission}"
                        )
                    }
                };
                let text = format!("{what}{said}.");
                // Policies may go by key.
                if path.is_some() {
                    ConnectError::Forbidden(text)
                } else {
                    ConnectError::Denied(text)
                }
            }
            (s, _) if s.is_redirection() => ConnectError::Setting(
                "endpoint",
                format!(
                    "{} sends on elsewhere; check region and endpoint{said}.",
                    host(url)
                ),
            ),
            (s, _) if s.is_server_error() || s == StatusCode::TOO_MANY_REQUESTS => {
                ConnectError::Unreachable(format!("{} has trouble of its own ({s}){said}.", host(url)))
            }
            (s, _) => ConnectError::Wrong(format!("{} answered {s}{said}.", host(url))),
        }
    }
}

/// `bytes=N-`.
pub fn range(from: u64) -> Result<HeaderValue> {
    HeaderValue::from_str(&format!("bytes={from}-"))
        .map_err(|_| ConnectError::Wrong("A range is wrong.".to_owned()))
}

/// A store that ignores ranges would give the beginning again; one that gives another part, bytes that do not fit.
pub fn check_range(from: u64, response: &Response, who: &str) -> Result<()> {
    is_part(from, response.status(), response.headers(), who)
}

fn is_part(from: u64, status: StatusCode, headers: &HeaderMap, who: &str) -> Result<()> {
    if from == 0 {
        return Ok(());
    }
    if status != StatusCode::PARTIAL_CONTENT {
        return Err(ConnectError::Wrong(format!(
            "{who} does not send parts of files."
        )));
    }
    match starts_at(headers) {
        Some(at) if at != from => Err(ConnectError::Wrong(format!(
            "{who} sends another part of a file than the one that was asked for."
        ))),
        _ => Ok(()),
    }
}

/// Where a partial answer begins: `bytes 5-9/10`.
pub fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    text.trim()
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .trim()
        .parse()
        .ok()
}

/// A text of a store for a message: short, on one line.
pub fn tame(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}

#[async_trait::async_trait]
impl Files for S3 {
    async fn list(&self, folder: &str, page: Option<&str>) -> Result<Listing> {
        self.page(folder, page, false).await
    }

    async fn list_deep(&self, folder: &str, page: Option<&str>) -> Option<Result<Listing>> {
        Some(self.page(folder, page, true).await)
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        let url = self.url(&self.key(path), &[])?;
        let response = self.ask(Method::HEAD, url.clone(), 0).await?;
        if response.status().is_success() {
            return Ok(Self::entry(path, &response));
        }
        Err(self.failure(&url, response, Some(path)).await)
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        let url = self.url(&self.key(path), &[])?;
        let response = self.ask(Method::GET, url.clone(), from).await?;
        if !response.status().is_success() {
            return Err(self.failure(&url, response, Some(path)).await);
        }
        check_range(from, &response, &host(&url))?;
        let mut entry = Self::entry(path, &response);
        entry.size = entry.size.map(|s| s.saturating_add(from));
        Ok(Reading {
            entry,
            after: None,
            body: body(url, response),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_one_that_was_asked_for() {
        let with = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, range.parse().unwrap());
            headers
        };
        let part = |from, status, headers: &HeaderMap| is_part(from, status, headers, "x").is_ok();
        let (ok, some) = (StatusCode::OK, StatusCode::PARTIAL_CONTENT);
        assert!(part(0, ok, &HeaderMap::new()));
        assert!(part(5, some, &with("bytes 5-9/10")));
        assert!(part(5, some, &HeaderMap::new()), "some do not say");
        assert!(!part(5, ok, &HeaderMap::new()));
        assert!(!part(5, some, &with("bytes 0-9/10")));
    }

    #[test]
    fn what_a_store_says_is_short_and_on_one_line() {
        let said = tame(&format!("a\nb\u{1b}[31m{}", "c".repeat(10_000)));
        assert!(
            said.starts_with("a b [31mc") && said.chars().count() == 200,
            "{said}"
        );
    }
}
