//! Servers that speak as the real ones do, as far as is asked here.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

type Texts = BTreeMap<String, String>;

/// A server with files, and what it was asked.
#[derive(Clone, Default)]
pub struct Shop {
    pub files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    pub asked: Arc<AtomicUsize>,
    /// Answers 503 to so many requests.
    pub busy: Arc<AtomicUsize>,
}

fn query(request: &Request) -> Texts {
    let decode = |s: &str| limn_connect::http::decode(&s.replace('+', " ")).unwrap();
    request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|p| p.split_once('='))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

fn send(bytes: &[u8], headers: &HeaderMap) -> Response {
    let from = headers.get("range").and_then(|r| {
        r.to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    });
    let status = if from.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let etag = format!(
        "\"{}\"",
        bytes.len() * 31 + usize::from(*bytes.first().unwrap_or(&0))
    );
    (status, [("etag", etag)], bytes[from.unwrap_or(0)..].to_vec()).into_response()
}

/// S3 with a bucket `photos`, a key `good` and a page size of two.
pub async fn s3(State(shop): State<Shop>, request: Request) -> Response {
    shop.asked.fetch_add(1, Ordering::SeqCst);
    if shop
        .busy
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
        .is_ok()
    {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let error = |status: StatusCode, code: &str| {
        (
            status,
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said so</Message></Error>"),
        )
            .into_response()
    };
    let by = request
        .headers()
        .get("authorization")
        .and_then(|a| a.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let key = by
        .split("Credential=")
        .nth(1)
        .and_then(|c| c.split('/').next())
        .unwrap_or_default();
    match key {
        "good" => {}
        "nolist" if query(&request).contains_key("list-type") => {
            return error(StatusCode::FORBIDDEN, "AccessDenied");
        }
        "noread" if !query(&request).contains_key("list-type") => {
            return error(StatusCode::FORBIDDEN, "AccessDenied");
        }
        "archived" if !query(&request).contains_key("list-type") => {
            return error(StatusCode::FORBIDDEN, "InvalidObjectState");
        }
        "nolist" | "noread" | "archived" => {}
        "wrong" => return error(StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
        _ => return error(StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
    }
    let path = limn_connect::http::decode(request.uri().path()).unwrap();
    let Some(key) = path.strip_prefix("/photos") else {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let key = key.trim_start_matches('/');
    let files = shop.files.lock().unwrap();
    let asked = query(&request);
    if asked.contains_key("list-type") {
        let prefix = asked.get("prefix").cloned().unwrap_or_default();
        let after = asked.get("continuation-token").cloned().unwrap_or_default();
        let mut keys: Vec<&String> = files
            .keys()
            .filter(|k| k.starts_with(&prefix) && **k > after)
            .collect();
        let mut folders = std::collections::BTreeSet::new();
        if asked.contains_key("delimiter") {
            keys.retain(|k| match k[prefix.len()..].split_once('/') {
                Some((folder, _)) => {
                    folders.insert(format!("{prefix}{folder}/"));
                    false
                }
                None => true,
            });
        }
        let more = keys.len() > 2;
        keys.truncate(2);
        let next = keys.last().map(|k| (*k).clone()).unwrap_or_default();
        let escape = |k: &str| k.replace('&', "&amp;");
        let contents: String = keys
            .iter()
            .map(|k| format!("<Contents><Key>{}</Key><LastModified>2024-02-01T10:00:00.000Z</LastModified><ETag>&quot;e{}&quot;</ETag><Size>{}</Size></Contents>", escape(k), files[*k].len(), files[*k].len()))
            .chain(folders.iter().map(|f| format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escape(f))))
            .collect();
        return format!(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>{more}</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>{contents}</ListBucketResult>"
        )
        .into_response();
    }
    match files.get(key) {
        Some(bytes) => send(bytes, request.headers()),
        None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
    }
}

/// A web folder, page by page as Python's server writes them.
pub async fn site(State(shop): State<Shop>, request: Request) -> Response {
    shop.asked.fetch_add(1, Ordering::SeqCst);
    let path = limn_connect::http::decode(request.uri().path()).unwrap();
    if path.starts_with("/locked")
        && request
            .headers()
            .get("authorization")
            .is_none_or(|a| a != "Basic dXNlcjpwYXNz")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let files = shop.files.lock().unwrap();
    if let Some(bytes) = files.get(&path) {
        return send(bytes, request.headers());
    }
    if !path.ends_with('/') {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut names = std::collections::BTreeSet::new();
    for key in files.keys().filter_map(|k| k.strip_prefix(&path)) {
        names.insert(
            key.split_once('/')
                .map_or(key.to_owned(), |(folder, _)| format!("{folder}/")),
        );
    }
    let links: Vec<String> = names
        .iter()
        .map(|n| format!("<a href=\"{}\">{n}</a>", limn_connect::http::encode_path(n)))
        .collect();
    let links = links.concat();
    let extra = "<a href=\"../\">up</a><a href=\"/elsewhere/x.png\">x</a><a href=\"http://example.org/y.png\">y</a><a href=\"?C=N\">sort</a>";
    (
        [("content-type", "text/html")],
        format!("<html>{links}{extra}</html>"),
    )
        .into_response()
}

pub async fn dav(State(shop): State<Shop>, request: Request) -> Response {
    let path = limn_connect::http::decode(request.uri().path()).unwrap();
    if request.method().as_str() != "PROPFIND" {
        return match shop.files.lock().unwrap().get(&path) {
            Some(bytes) => send(bytes, request.headers()),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let files = shop.files.lock().unwrap();
    let item = |href: &str, size: Option<usize>| {
        let href = limn_connect::http::encode_path(href);
        let prop = size.map_or_else(|| "<D:resourcetype><D:collection/></D:resourcetype>".to_owned(), |s| {
            format!("<D:resourcetype/><D:getcontentlength>{s}</D:getcontentlength><D:getetag>\"t{s}\"</D:getetag><D:getlastmodified>Thu, 01 Feb 2024 10:00:00 GMT</D:getlastmodified>")
        });
        format!(
            "<D:response><D:href>{href}</D:href><D:propstat><D:prop>{prop}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )
    };
    let inside = if let Some(bytes) = files.get(path.trim_end_matches('/')) {
        item(path.trim_end_matches('/'), Some(bytes.len()))
    } else {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let mut out = item(&folder, None);
        let mut folders = std::collections::BTreeSet::new();
        for (key, bytes) in files.iter().filter(|(k, _)| k.starts_with(&folder)) {
            match key[folder.len()..].split_once('/') {
                Some((sub, _)) => {
                    folders.insert(format!("{folder}{sub}/"));
                }
                None => out.push_str(&item(key, Some(bytes.len()))),
            }
        }
        out.extend(folders.iter().map(|f| item(f, None)));
        out
    };
    let body = format!("<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\">{inside}</D:multistatus>");
    (StatusCode::MULTI_STATUS, body).into_response()
}
