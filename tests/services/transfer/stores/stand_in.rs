//! A bucket of this process that speaks S3 as far as is asked here, and can be made to misbehave.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
pub struct Bucket {
    pub files: BTreeMap<String, Vec<u8>>,
    /// The key that is accepted.
    pub key: String,
    /// Whole files that were sent.
    pub reads: Vec<String>,
    /// Answers 503 from so many reads on.
    pub dies_after: Option<usize>,
    /// Another key is the one from so many reads on.
    pub rotates_after: Option<(usize, String)>,
    /// Files that the key may not read.
    pub forbidden: BTreeSet<String>,
    /// The key may read no file from so many reads on.
    pub forbids_after: Option<usize>,
    /// Sends this file cut off in the middle, so many times.
    pub cut: Option<(String, usize)>,
    /// Sends this file a byte at a time, and never its end.
    pub trickles: Option<String>,
    /// Replaces this file while it is sent, so many times.
    pub changes: Option<(String, usize)>,
}

pub type Shared = Arc<Mutex<Bucket>>;

/// Serves a bucket `photos`; answers its address.
pub async fn serve(bucket: Shared) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(
        async move { axum::serve(listener, Router::new().fallback(answer).with_state(bucket)).await },
    );
    format!("http://{at}")
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).unwrap()
}

async fn answer(State(bucket): State<Shared>, request: Request) -> Response {
    let mut b = bucket.lock().unwrap();
    let by = request
        .headers()
        .get("authorization")
        .map(|a| a.to_str().unwrap().to_owned())
        .unwrap_or_default();
    if b.dies_after.is_some_and(|n| b.reads.len() >= n) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if let Some((n, key)) = b.rotates_after.clone()
        && b.reads.len() >= n
    {
        b.key = key;
    }
    if !by.contains(&format!("Credential={}/", b.key)) {
        let body = "<Error><Code>InvalidAccessKeyId</Code><Message>who is that</Message></Error>";
        return (StatusCode::FORBIDDEN, body).into_response();
    }
    let path = decode(request.uri().path());
    let key = path
        .strip_prefix("/photos")
        .unwrap_or_default()
        .trim_start_matches('/')
        .to_owned();
    let query = request.uri().query().unwrap_or_default();
    if query.contains("list-type") {
        let prefix = query
            .split('&')
            .find_map(|p| p.strip_prefix("prefix="))
            .map(decode)
            .unwrap_or_default();
        let contents: Vec<String> = b
            .files
            .iter()
            .filter(|(k, _)| k.starts_with(&prefix))
            .map(|(k, v)| {
                format!(
                    "<Contents><Key>{k}</Key><ETag>\"{}\"</ETag><Size>{}</Size></Contents>",
                    tag(v),
                    v.len()
                )
            })
            .collect();
        let contents = contents.concat();
        return format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")
            .into_response();
    }
    if b.forbidden.contains(&key) || b.forbids_after.is_some_and(|n| b.reads.len() >= n) {
        let body = "<Error><Code>AccessDenied</Code><Message>not this one</Message></Error>";
        return (StatusCode::FORBIDDEN, body).into_response();
    }
    let Some(bytes) = b.files.get(&key).cloned() else {
        return (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response();
    };
    let etag = [("etag", format!("\"{}\"", tag(&bytes)))];
    let range = request
        .headers()
        .get("range")
        .map(|r| r.to_str().unwrap().to_owned());
    let from: usize = range.as_ref().map_or(0, |r| {
        r.trim_start_matches("bytes=")
            .trim_end_matches('-')
            .parse()
            .unwrap()
    });
    let status = if range.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    if request.method() == "HEAD" {
        return (status, etag, bytes).into_response();
    }
    let replaced = matches!(&b.changes, Some((name, times)) if *name == key && *times > 0);
    if replaced {
        // A byte more, behind the end of what it is.
        b.files.entry(key.clone()).or_default().push(b'+');
        let left = b.changes.take().map(|(name, times)| (name, times - 1));
        b.changes = left;
    }
    let cut = matches!(&b.cut, Some((name, times)) if *name == key && *times > 0);
    if cut {
        let left = b.cut.take().map(|(name, times)| (name, times - 1));
        b.cut = left;
    }
    if cut || replaced {
        // The connection breaks before the end.
        let half = bytes[from..from + (bytes.len() - from) / 2].to_vec();
        let parts: Vec<Result<Vec<u8>, std::io::Error>> = vec![Ok(half), Err(std::io::Error::other("cut"))];
        // Not before the first half is on its way: of an answer that breaks at once not even the head is sent.
        let parts = futures::stream::iter(parts).then(async |part| {
            if part.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            part
        });
        let body = axum::body::Body::from_stream(parts);
        return (
            status,
            etag,
            [("content-length", (bytes.len() - from).to_string())],
            body,
        )
            .into_response();
    }
    if b.trickles.as_ref() == Some(&key) {
        let parts = futures::stream::repeat(()).then(async |()| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, std::io::Error>(vec![0_u8])
        });
        return (status, etag, axum::body::Body::from_stream(parts)).into_response();
    }
    b.reads.push(key);
    (status, etag, bytes[from..].to_vec()).into_response()
}

fn tag(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}
