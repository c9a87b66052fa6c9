//! A bucket of our own, to write to: the one place here that does. The configuration names it, so that it may lie in any
//! network, unlike the datastores that people name.

use crate::http::{Ask, Http, body, host, text};
use crate::s3::S3;
use crate::sigv4::{Link, Signer, digest};
use crate::xml::{each, first, seconds, steps};
use crate::{ConnectError, Guard, Network, Result, Secret};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use rand::RngCore as _;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode, Url};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::AsyncReadExt as _;

/// Files of more bytes go in parts of so many, or larger ones where there would be too many of them.
const PART: u64 = 16 << 20;
const PARTS_MAX: u64 = 9_000;
/// Longest that a part may take to be sent and acknowledged; 16 MiB by a line of half a megabit a second. Well below how long blobs are
/// held that are being put.
const SENDING: Duration = Duration::from_mins(5);
/// Objects of a page.
const PAGE: &str = "1000";
/// Bytes of no type: what a browser finds at an object's address it keeps, and shows nothing of it.
const OCTETS: &str = "application/octet-stream";

/// Where a bucket is, and who we are there.
#[derive(Debug, Clone, Default)]
pub struct BucketSettings {
    /// Scheme and host; those of AWS when empty.
    pub endpoint: String,
    /// The same as browsers reach it; as above when empty.
    pub public_endpoint: String,
    pub region: String,
    pub bucket: String,
    /// Before every key.
    pub prefix: String,
    /// The bucket is in the path of addresses and not in the host name.
    pub path_style: bool,
    pub access_key_id: Secret,
    pub secret_access_key: Secret,
    pub session_token: Secret,
    /// Seconds that links are good for; none are given out when absent.
    pub link_seconds: Option<u32>,
}

/// Bytes to write.
#[derive(Debug, Clone)]
pub enum Content {
    Bytes(Bytes),
    File(PathBuf),
}

/// An object of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    /// Seconds since it was written, by the store's own clock.
    pub age: u64,
}

/// Keys are below the prefix. Cheap to clone.
#[derive(Clone)]
pub struct Bucket(std::sync::Arc<Inner>);

struct Inner {
    s3: S3,
    /// For requests with a body.
    sending: Http,
    signer: Signer,
    /// Like `s3`, at the address for browsers.
    public: S3,
    link_seconds: Option<u32>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bucket({})", self.0.s3.bucket)
    }
}

impl Bucket {
    /// Sends nothing yet.
    pub fn open(settings: &BucketSettings) -> Result<Self> {
        let region = if settings.region.is_empty() {
            "us-east-1"
        } else {
            settings.region.as_str()
        };
        let endpoint = if settings.endpoint.is_empty() {
            format!("https://s3.{region}.amazonaws.com")
        } else {
            settings.endpoint.clone()
        };
        let public = if settings.public_endpoint.is_empty() {
            endpoint.as_str()
        } else {
            settings.public_endpoint.as_str()
        };
        let everywhere = ["0.0.0.0/0", "::/0"].map(str::parse::<Network>);
        let networks = everywhere.into_iter().flatten().collect();
        let guard = Guard::new(networks);
        let http = Http::new(guard.clone())?;
        let signer = Signer {
            key_id: settings.access_key_id.reveal().to_owned(),
            secret: settings.secret_access_key.clone(),
            session_token: settings.session_token.clone(),
            region: region.to_owned(),
        };
        let at = |key: &'static str, endpoint: &str| -> Result<S3> {
            Ok(S3 {
                http: http.clone(),
                endpoint: crate::open::url(key, endpoint)?,
                bucket: settings.bucket.clone(),
                prefix: settings.prefix.trim_matches('/').to_owned(),
                by_host: !settings.path_style,
                signer: Some(signer.clone()),
                name: "S3",
            })
        };
        Ok(Self(std::sync::Arc::new(Inner {
            s3: at("endpoint", &endpoint)?,
            public: at("public_endpoint", public)?,
            sending: Http::sending(guard, SENDING)?,
            signer,
            link_seconds: settings.link_seconds,
        })))
    }

    /// Writes, reads, lists and removes a small object. Errors say what is wrong with the settings or the permissions.
    pub async fn probe(&self) -> Result<()> {
        let mut random = [0; 16];
        rand::rng().fill_bytes(&mut random);
        let (key, bytes) = (
            format!("probe/{}", hex::encode(random)),
            Bytes::from(hex::encode(random)),
        );
        self.put(&key, Content::Bytes(bytes.clone())).await?;
        let mut found = Vec::new();
        let mut pieces = self.read(&key, 0..u64::MAX).await?;
        while let Some(piece) = pieces.next().await {
            found.extend_from_slice(&piece?);
        }
        self.list("probe/", None).await?;
        self.delete(&key).await?;
        if found == bytes {
            return Ok(());
        }
        Err(ConnectError::Wrong(format!(
            "{} gives back other bytes than were written.",
            host(&self.0.s3.endpoint)
        )))
    }

    /// Writes an object: whole, or not at all. A large file goes in parts, which the store puts together at the end.
    pub async fn put(&self, key: &str, content: Content) -> Result<()> {
        let (path, len) = match content {
            Content::Bytes(bytes) => return self.put_whole(key, bytes).await,
            Content::File(path) => {
                let meta = tokio::fs::metadata(&path).await.map_err(|e| disk(&path, &e))?;
                (path, meta.len())
            }
        };
        if len > PART {
            return self.put_parts(key, &path, len).await;
        }
        let bytes = tokio::fs::read(&path).await.map_err(|e| disk(&path, &e))?;
        self.put_whole(key, Bytes::from(bytes)).await
    }

    async fn put_whole(&self, key: &str, bytes: Bytes) -> Result<()> {
        let (url, response) = self.ask(Method::PUT, key, &[], Some(bytes), None).await?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(self.refused(&url, response, key, WRITE).await)
    }

    async fn put_parts(&self, key: &str, path: &Path, len: u64) -> Result<()> {
        let (url, response) = self
            .ask(Method::POST, key, &[("uploads", "")], None, None)
            .await?;
        if !response.status().is_success() {
            return Err(self.refused(&url, response, key, WRITE).await);
        }
        let said = text(&url, response).await?;
        let steps = steps(&said, &host(&url))?;
        let upload = first(&steps, "UploadId")
            .ok_or_else(|| ConnectError::Wrong(format!("{} begins no upload in parts.", host(&url))))?;
        let done = self.send_parts(key, path, len, upload).await;
        if done.is_err() {
            // Else the store keeps what has come, and counts it.
            let dropped = self
                .ask(Method::DELETE, key, &[("uploadId", upload)], None, None)
                .await;
            if let Err(e) = dropped {
                tracing::warn!(key, error = %e, "what was sent of an object is left in the store");
            }
        }
        done
    }

    async fn send_parts(&self, key: &str, path: &Path, len: u64, upload: &str) -> Result<()> {
        let part = PART.max(len.div_ceil(PARTS_MAX));
        let mut file = tokio::fs::File::open(path).await.map_err(|e| disk(path, &e))?;
        let mut list =
            String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        let (mut number, mut left) = (0_u64, len);
        while left > 0 {
            number += 1;
            let mut bytes = Vec::new();
            let read = (&mut file).take(part).read_to_end(&mut bytes).await;
            let read = read.map_err(|e| disk(path, &e))? as u64;
            if read == 0 {
                return Err(ConnectError::Changed(format!(
                    "`{}` became shorter.",
                    path.display()
                )));
            }
            left = left.saturating_sub(read);
            let count = number.to_string();
            let query = [("partNumber", count.as_str()), ("uploadId", upload)];
            let (url, response) = self
                .ask(Method::PUT, key, &query, Some(Bytes::from(bytes)), None)
                .await?;
            if !response.status().is_success() {
                return Err(self.refused(&url, response, key, WRITE).await);
            }
            let tag = header(&response, ETAG).trim_matches('"');
            let _ = write!(
                list,
                "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{tag}&quot;</ETag></Part>"
            );
        }
        list.push_str("</CompleteMultipartUpload>");
        let query = [("uploadId", upload)];
        let (url, response) = self
            .ask(Method::POST, key, &query, Some(Bytes::from(list)), None)
            .await?;
        if !response.status().is_success() {
            return Err(self.refused(&url, response, key, WRITE).await);
        }
        // The answer begins before the parts are together, so that it may say 200 and then that it failed.
        let said = text(&url, response).await?;
        if said.contains("<CompleteMultipartUploadResult") {
            return Ok(());
        }
        Err(ConnectError::Unreachable(format!(
            "{} did not put an object together.",
            host(&url)
        )))
    }

    /// Size and tag of an object; `None` when it is not there.
    pub async fn stat(&self, key: &str) -> Result<Option<(u64, String)>> {
        let (url, response) = self.ask(Method::HEAD, key, &[], None, None).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            s if s.is_success() => {
                let len = header(&response, CONTENT_LENGTH).parse().map_err(|_| {
                    ConnectError::Wrong(format!("{} does not say how large an object is.", host(&url)))
                })?;
                Ok(Some((len, header(&response, ETAG).trim_matches('"').to_owned())))
            }
            _ => Err(self.refused(&url, response, key, READ).await),
        }
    }

    /// A range of an object's bytes, fewer at its end. Errors: `NotFound`.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        let whole = range.start == 0 && range.end == u64::MAX;
        if range.is_empty() {
            return Ok(futures::stream::empty().boxed());
        }
        let asked = if range.end == u64::MAX {
            format!("bytes={}-", range.start)
        } else {
            format!("bytes={}-{}", range.start, range.end - 1)
        };
        let asked = (!whole).then_some(asked);
        let (url, response) = self.ask(Method::GET, key, &[], None, asked.as_deref()).await?;
        match response.status() {
            // Behind the end there is nothing.
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(futures::stream::empty().boxed()),
            StatusCode::OK if !whole => Err(ConnectError::Wrong(format!(
                "{} does not send parts of objects.",
                host(&url)
            ))),
            s if s.is_success() => Ok(body(url, response)),
            _ => Err(self.refused(&url, response, key, READ).await),
        }
    }

    /// Removes an object; nothing happens when it is not there.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let (url, response) = self.ask(Method::DELETE, key, &[], None, None).await?;
        if response.status().is_success() || response.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(self
            .refused(&url, response, key, ("delete", "s3:DeleteObject"))
            .await)
    }

    /// The objects whose keys begin so, and where the next page begins.
    pub async fn list(&self, prefix: &str, page: Option<&str>) -> Result<(Vec<Object>, Option<String>)> {
        let own = self.0.s3.key("");
        let own = if own.is_empty() { own } else { format!("{own}/") };
        let prefix = format!("{own}{prefix}");
        let mut query = vec![("list-type", "2"), ("max-keys", PAGE)];
        if let Some(page) = page {
            query.push(("continuation-token", page));
        }
        query.push(("prefix", &prefix));
        let url = self.0.s3.url("", &query)?;
        let response = self.send(Method::GET, url.clone(), None, None).await?;
        if !response.status().is_success() {
            let what = ("list", "s3:ListBucket");
            return Err(self.0.s3.refusal(&url, response, None, what).await);
        }
        let now = seconds(header(&response, DATE)).unwrap_or_else(now);
        let said = text(&url, response).await?;
        let steps = steps(&said, &host(&url))?;
        let mut objects = Vec::new();
        for object in each(&steps, "Contents") {
            let Some(key) = first(object, "Key").and_then(|k| k.strip_prefix(&own)) else {
                continue;
            };
            // One without a time is as good as new: it stays.
            let written = first(object, "LastModified").and_then(seconds).unwrap_or(now);
            objects.push(Object {
                key: key.to_owned(),
                age: u64::try_from(now - written).unwrap_or(0),
            });
        }
        let more = first(&steps, "IsTruncated") == Some("true");
        let next = first(&steps, "NextContinuationToken")
            .filter(|_| more)
            .map(str::to_owned);
        Ok((objects, next))
    }

    /// An address where whoever has it can read this one object for a while, told that it is `media_type` and how to take
    /// it; `None` where links are switched off.
    pub fn link(&self, key: &str, media_type: &str, disposition: &str) -> Option<String> {
        let seconds = self.0.link_seconds?;
        let url = self.0.public.url(&self.0.public.key(key), &[]).ok()?;
        let query = [
            ("response-content-type", media_type),
            ("response-content-disposition", disposition),
        ];
        let link = Link {
            seconds,
            query: &query,
        };
        Some(self.0.signer.link(&url, &link, now()).into())
    }

    /// An address where whoever has it can put this one object, of exactly `len` bytes, for a while; `None` where links are
    /// switched off.
    pub fn upload_link(&self, key: &str, len: u64) -> Option<String> {
        let seconds = self.0.link_seconds?;
        let url = self.0.public.url(&self.0.public.key(key), &[]).ok()?;
        Some(self.0.signer.upload_link(&url, len, seconds, now()).into())
    }

    async fn ask(
        &self,
        method: Method,
        key: &str,
        query: &[(&str, &str)],
        body: Option<Bytes>,
        range: Option<&str>,
    ) -> Result<(Url, Response)> {
        let url = self.0.s3.url(&self.0.s3.key(key), query)?;
        let response = self.send(method, url.clone(), body, range).await?;
        Ok((url, response))
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<Bytes>,
        range: Option<&str>,
    ) -> Result<Response> {
        let mut headers = HeaderMap::new();
        if let Some(range) = range {
            let range = HeaderValue::from_str(range)
                .map_err(|_| ConnectError::Wrong("A range is wrong.".to_owned()))?;
            headers.insert(RANGE, range);
        }
        // Some stores want the length of a body that is empty too.
        let body = body.or_else(|| (method == Method::POST).then(Bytes::new));
        let sum = match body.clone() {
            None => digest(b""),
            Some(bytes) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(OCTETS));
                tokio::task::spawn_blocking(move || digest(&bytes))
                    .await
                    .map_err(|_| {
                        ConnectError::Wrong("The digest of a request was not worked out.".to_owned())
                    })?
            }
        };
        let signer = &self.0.signer;
        signer.sign_body(method.as_str(), &url, &mut headers, &sum, now());
        let mut ask = Ask::new(method, url);
        ask.headers = headers;
        ask.body = body;
        let http = if ask.body.is_some() {
            &self.0.sending
        } else {
            &self.0.s3.http
        };
        http.send(ask).await
    }

    async fn refused(&self, url: &Url, response: Response, key: &str, what: (&str, &str)) -> ConnectError {
        let key = self.0.s3.key(key);
        self.0.s3.refusal(url, response, Some(&key), what).await
    }
}

const WRITE: (&str, &str) = ("write", "s3:PutObject");
const READ: (&str, &str) = ("read", "s3:GetObject");

fn header(response: &Response, name: HeaderName) -> &str {
    let value = response.headers().get(name);
    value.and_then(|v| v.to_str().ok()).unwrap_or_default()
}

fn disk(path: &Path, e: &std::io::Error) -> ConnectError {
    ConnectError::Wrong(format!("`{}` cannot be read: {e}.", path.display()))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(0)
}
