//! Bytes with conditions and ranges: `If-None-Match`, `If-Range`, `Range`. Downloads of what lies in an object store are sent
//! on to it, where the configuration says so.

use crate::error::Api;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use limn_services::media::{MediaBody, Remote};
use limn_services::versions::{Downloadable, Pieces};
use limn_storage::StoredBlob;
use limn_storage::objects::Shown;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::SeekFrom;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// What to send.
pub enum Content {
    Bytes(Bytes),
    File {
        path: PathBuf,
        len: u64,
    },
    /// In the object store.
    Blob(StoredBlob),
    /// In a datastore.
    Remote(Remote),
    /// Made while it is read.
    Made {
        of: Box<Downloadable>,
        len: u64,
    },
}

impl From<MediaBody> for Content {
    fn from(body: MediaBody) -> Self {
        match body {
            MediaBody::Bytes(b) => Self::Bytes(b),
            MediaBody::File { path, len } => Self::File { path, len },
            MediaBody::Blob(blob) => Self::Blob(blob),
            MediaBody::Remote(remote) => Self::Remote(remote),
        }
    }
}

/// How to send it.
#[derive(Debug)]
pub struct Sending<'a> {
    pub media_type: &'a str,
    /// Without quotes; names the content.
    pub etag: &'a str,
    /// Offered under this name as a download, when set.
    pub attachment: Option<&'a str>,
    pub cache: &'static str,
}

/// What a client says of what it wants: `GET` or `HEAD`, with conditions and ranges.
#[derive(Debug, Clone)]
pub struct Asked {
    method: Method,
    headers: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            method: parts.method.clone(),
            headers: parts.headers.clone(),
        })
    }
}

/// The answer to a `GET` or `HEAD` of these bytes: 200, 206, 304 or 416; 307 to a `GET` that the object store answers.
pub async fn send(content: Content, how: Sending<'_>, asked: &Asked) -> Api<Response> {
    let request = &asked.headers;
    let etag = format!("\"{}\"", how.etag);
    let len = match &content {
        Content::Bytes(b) => b.len() as u64,
        Content::File { len, .. } | Content::Made { len, .. } => *len,
        Content::Blob(blob) => blob.len,
        Content::Remote(remote) => remote.size(),
    };
    let content = match content {
        // Answered here, and without the bytes: a link is signed for `GET`, and the store refuses any other method.
        Content::Blob(_) if asked.method == Method::HEAD => Content::Bytes(Bytes::new()),
        content => content,
    };
    let mut response = if matches_tag(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if let Some(link) = link(&content, &how) {
        return Ok(sent_on(&link));
    } else {
        match wanted(asked, &etag, len) {
            Wanted::All => body(content, 0, len).await?.into_response(),
            Wanted::Part { start, end } => {
                let mut part = body(content, start, end - start + 1).await?.into_response();
                *part.status_mut() = StatusCode::PARTIAL_CONTENT;
                insert(
                    &mut part,
                    header::CONTENT_RANGE,
                    &format!("bytes {start}-{end}/{len}"),
                );
                part
            }
            Wanted::Nothing => {
                let mut none = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
                insert(&mut none, header::CONTENT_RANGE, &format!("bytes */{len}"));
                return Ok(none);
            }
        }
    };
    insert(&mut response, header::ETAG, &etag);
    insert(&mut response, header::CONTENT_TYPE, how.media_type);
    insert(&mut response, header::ACCEPT_RANGES, "bytes");
    insert(&mut response, header::CACHE_CONTROL, how.cache);
    // Whatever the bytes are, opened on their own they run nothing and reach nothing.
    insert(
        &mut response,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox; frame-ancestors 'none'",
    );
    if let Some(name) = how.attachment {
        insert(&mut response, header::CONTENT_DISPOSITION, &disposition(name));
    }
    Ok(response)
}

/// Where a download can be had without us. What is shown in a page stays here: pages load nothing from elsewhere.
fn link(content: &Content, how: &Sending<'_>) -> Option<String> {
    let (Content::Blob(blob), Some(name)) = (content, how.attachment) else {
        return None;
    };
    blob.link(&Shown {
        media_type: how.media_type.to_owned(),
        disposition: disposition(name),
    })
}

/// Sends a client on to the object store. The address is a permission, so nobody keeps it.
fn sent_on(link: &str) -> Response {
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    insert(&mut response, header::LOCATION, link);
    insert(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

fn insert(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

async fn body(content: Content, start: u64, len: u64) -> Api<Response> {
    let body = match content {
        Content::Bytes(b) => {
            let end = (start + len).min(b.len() as u64) as usize;
            Body::from(b.slice((start as usize).min(end)..end))
        }
        Content::File { path, .. } => {
            let mut file = tokio::fs::File::open(&path).await?;
            if start > 0 {
                file.seek(SeekFrom::Start(start)).await?;
            }
            Body::from_stream(ReaderStream::with_capacity(file.take(len), 128 << 10))
        }
        Content::Blob(blob) => {
            let pieces = blob.pieces(start..start + len).await;
            Body::from_stream(pieces.map_err(|e| limn_services::Error::Internal(e.into()))?)
        }
        Content::Remote(remote) => stream(remote.pieces(start..start + len).await?),
        // Nothing is made before it is read: the answer to a HEAD has no body.
        Content::Made { of, .. } => {
            let mut pieces = None;
            Body::from_stream(futures::stream::poll_fn(move |cx| {
                let pieces = pieces.get_or_insert_with(|| of.pieces(Some(start..start + len)));
                pieces.poll_recv(cx)
            }))
        }
    };
    let mut response = body.into_response();
    insert(&mut response, header::CONTENT_LENGTH, &len.to_string());
    Ok(response)
}

/// A body of what is made while it is read.
pub fn stream(mut pieces: Pieces) -> Body {
    Body::from_stream(futures::stream::poll_fn(move |cx| pieces.poll_recv(cx)))
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// Both ends belong to it.
    Part {
        start: u64,
        end: u64,
    },
    Nothing,
}

fn matches_tag(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .map(|t| t.trim().trim_start_matches("W/"))
                .any(|t| t == etag || t == "*")
        })
}

/// One range is honoured; several, or anything we cannot read, get everything, as HTTP allows. Of a `HEAD` it means
/// nothing: ranges are defined for `GET` alone (RFC 9110, section 14.2).
fn wanted(asked: &Asked, etag: &str, len: u64) -> Wanted {
    let headers = &asked.headers;
    let changed = headers
        .get(header::IF_RANGE)
        .is_some_and(|v| v.to_str().unwrap_or_default() != etag);
    let range = headers
        .get(header::RANGE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("bytes="))
        .filter(|v| asked.method == Method::GET && !v.contains(','));
    let Some((first, last)) = range.filter(|_| !changed).and_then(|r| r.split_once('-')) else {
        return Wanted::All;
    };
    let (start, end) = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(start), Ok(end)) if start <= end => (start, end.min(len.saturating_sub(1))),
        (Ok(start), Err(_)) if last.trim().is_empty() => (start, len.saturating_sub(1)),
        (Err(_), Ok(suffix)) if first.trim().is_empty() && suffix > 0 => {
            (len.saturating_sub(suffix), len.saturating_sub(1))
        }
        (Err(_), Ok(0)) if first.trim().is_empty() => return Wanted::Nothing,
        _ => return Wanted::All,
    };
    if start >= len {
        Wanted::Nothing
    } else {
        Wanted::Part { start, end }
    }
}

/// A download's name: plain ASCII for old clients, the real one for the others (RFC 6266). Only the last part of a path.
pub(crate) fn disposition(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, range: &'static str) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        wanted(&Asked { method, headers }, "\"e\"", 10)
    }

    fn range(text: &'static str) -> Wanted {
        asked(Method::GET, text)
    }

    #[test]
    fn a_head_is_of_the_whole() {
        assert_eq!(asked(Method::HEAD, "bytes=2-4"), Wanted::All);
        assert_eq!(asked(Method::HEAD, "bytes=10-"), Wanted::All);
    }

    #[test]
    fn ranges() {
        assert_eq!(range("bytes=0-0"), Wanted::Part { start: 0, end: 0 });
        assert_eq!(range("bytes=2-"), Wanted::Part { start: 2, end: 9 });
        assert_eq!(range("bytes=2-99"), Wanted::Part { start: 2, end: 9 });
        assert_eq!(range("bytes=-3"), Wanted::Part { start: 7, end: 9 });
        assert_eq!(range("bytes=-30"), Wanted::Part { start: 0, end: 9 });
        assert_eq!(range("bytes=10-"), Wanted::Nothing);
        assert_eq!(range("bytes=-0"), Wanted::Nothing);
        for odd in [
            "bytes=5-2",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "items=0-1",
            "bytes=",
            "bytes=-",
        ] {
            assert_eq!(range(odd), Wanted::All, "{odd}");
        }
    }

    #[test]
    fn download_names_cannot_leave_their_header() {
        let d = disposition("../a\"b\r\n/ré sumé.png");
        assert_eq!(
            d,
            "attachment; filename=\"r_ sum_.png\"; filename*=UTF-8''r%C3%A9%20sum%C3%A9.png"
        );
    }
}
