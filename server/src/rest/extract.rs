//! Reading requests, with refusals in the public error shape that name the field at fault.

use crate::error::Failure;
use crate::middleware::limit;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt as _};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use limn_domain::{ApiError, Code};
use limn_services::Actor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::str::FromStr;
use std::time::Duration;

/// A stream that sends nothing for so long has ended.
const SILENCE: Duration = Duration::from_mins(1);

/// Whoever asks, resolved by the middleware.
#[derive(Debug, Clone)]
pub struct Caller(pub Actor);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let actor = parts.extensions.get::<Actor>().cloned();
        Ok(Self(actor.unwrap_or(Actor::Anonymous)))
    }
}

/// The id in a path with exactly one.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<S, T> FromRequestParts<S> for Id<T>
where
    S: Send + Sync,
    T: FromStr + Send,
    T::Err: std::fmt::Display,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        parse_id(&text.map(|p| p.0).unwrap_or_default()).map(Self)
    }
}

/// The two ids of a path with exactly two.
#[derive(Debug, Clone, Copy)]
pub struct Ids<A, B>(pub A, pub B);

impl<S, A, B> FromRequestParts<S> for Ids<A, B>
where
    S: Send + Sync,
    A: FromStr + Send,
    A::Err: std::fmt::Display,
    B: FromStr + Send,
    B::Err: std::fmt::Display,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = Path::<(String, String)>::from_request_parts(parts, state).await;
        let (a, b) = text.map(|p| p.0).unwrap_or_default();
        Ok(Self(parse_id(&a)?, parse_id(&b)?))
    }
}

fn parse_id<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|e: T::Err| Failure::new(Code::BadRequest, format!("The path names no such thing: {e}")))
}

/// The query string.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        if !is_utf8(parts.uri.query().unwrap_or_default()) {
            return Err(Failure::new(
                Code::BadRequest,
                "The query string is not UTF-8; rename the file, or encode the text as UTF-8.",
            ));
        }
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(q) => Ok(Self(q.0)),
            Err(e) => {
                let text = e.body_text();
                let detail = text.split_once(": ").map_or(text.as_str(), |(_, d)| d);
                let field = detail
                    .split_once(": ")
                    .map(|(field, _)| field)
                    .filter(|f| !f.contains(' '))
                    .unwrap_or("query");
                Err(Failure(ApiError::field(
                    field,
                    format!("The query string cannot be used: {detail}."),
                )))
            }
        }
    }
}

/// Whether percent-decoding gives UTF-8; what does not would silently become replacement characters.
fn is_utf8(query: &str) -> bool {
    let mut bytes = query.as_bytes().iter();
    let mut decoded = Vec::with_capacity(query.len());
    while let Some(b) = bytes.next() {
        let digits = bytes.as_slice().get(..2).filter(|_| *b == b'%');
        let byte = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        if byte.is_some() {
            bytes.nth(1);
        }
        decoded.push(byte.unwrap_or(*b));
    }
    String::from_utf8(decoded).is_ok()
}

/// A JSON body, in and out.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(Failure::new(
                Code::UnsupportedMedia,
                "Send JSON, with the header `Content-Type: application/json`.",
            ));
        }
        parse_json(&read(request, state).await?).map(Self)
    }
}

/// A JSON body that may be left out.
#[derive(Debug, Clone, Copy)]
pub struct Optional<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Optional<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = read(request, state).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        parse_json(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A body of bytes, read whole.
#[derive(Debug, Clone)]
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        read(request, state).await.map(Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state).await.map_err(|e| match e {
        BytesRejection::FailedToBufferBody(e) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            limit::too_large()
        }
        _ => Failure::new(
            Code::BadRequest,
            "The request's body did not arrive whole. Send it again.",
        ),
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads JSON; a wrong value is reported with its path (`categories[2].color`).
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let path = e.path().to_string();
        let inner = e.into_inner();
        if inner.is_data() {
            let text = inner.to_string();
            // Where in the text it stood is of no use beside the path.
            let text = text.split(" at line ").next().unwrap_or(&text);
            let field = if path == "." { "body" } else { &path };
            Failure(ApiError::field(
                field,
                format!("`{field}` cannot be used: {text}."),
            ))
        } else {
            not_json(&inner)
        }
    })?;
    json.end().map_err(|e| not_json(&e))?;
    Ok(value)
}

fn not_json(e: &serde_json::Error) -> Failure {
    Failure::new(Code::BadRequest, format!("The body is not valid JSON: {e}."))
}

/// A body as it arrives. A client that falls silent for a minute is given up.
pub fn stream(body: Body) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send {
    let body = body.into_data_stream();
    futures::stream::unfold(Some(body), |body| async {
        let mut body = body?;
        match tokio::time::timeout(SILENCE, body.next()).await {
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(body))),
            Ok(Some(Err(e))) => Some((Err(e), None)),
            Ok(None) => None,
            Err(_) => Some((Err(axum::Error::new("nothing arrived for a minute")), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::project::NewProject;

    #[test]
    fn queries_are_utf8() {
        for good in ["", "name=a.png", "name=%C3%A9%", "name=100%25", "a=%zz"] {
            assert!(is_utf8(good), "{good}");
        }
        for bad in ["name=%FF", "name=%C3", "%fe%fe"] {
            assert!(!is_utf8(bad), "{bad}");
        }
    }

    #[test]
    fn refusals_name_the_field() {
        let bad = br#"{"name": "a", "categories": [{"name": "x"}, {"name": 3}]}"#;
        let e = parse_json::<NewProject>(bad).unwrap_err().0;
        assert_eq!(e.code, Code::InvalidInput);
        assert!(e.message.contains("expected a string"), "{e:?}");
        for bad in ["", "{", "{\"name\": NaN}", "{\"name\":\"a\"} x", "\u{0}"] {
            let e = parse_json::<NewProject>(bad.as_bytes()).unwrap_err().0;
            assert_eq!(e.code, Code::BadRequest, "{bad}: {e:?}");
        }
        let e = parse_json::<NewProject>(br#"{"name": "a", "task": "juggling"}"#)
            .unwrap_err()
            .0;
        assert_eq!(e.fields[0].field, "task");
    }
}
