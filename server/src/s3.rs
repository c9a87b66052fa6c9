//! The S3 endpoint, read-only: datasets as buckets (`limn_services::objects`), for clients that speak S3.
//!
//! It has no address of its own: a request that is signed as S3 clients sign (AWS Signature Version 4) is for it, whatever
//! its path. No browser signs so.

mod answers;

use crate::state::AppState;
use answers::Answers;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};
use limn_services::Services;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::NameValidation;
use s3s::{S3Result, s3_error};

/// Answers S3 clients; hands everybody else on.
pub async fn clients(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !is_signed(&request) {
        return next.run(request).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return reads_only();
    }
    // Nothing that reads has a body.
    let request = request.map(|_| s3s::Body::empty());
    match state.s3.call(request).await {
        Ok(response) => response.map(Body::new),
        Err(e) => {
            tracing::warn!(error = ?e, "an S3 request was not answered");
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}

/// What answers them.
pub fn service(services: &Services) -> S3Service {
    let mut builder = S3ServiceBuilder::new(Answers(services.clone()));
    builder.set_auth(Tokens(services.clone()));
    builder.set_validation(Names);
    builder.build()
}

fn is_signed(request: &Request) -> bool {
    let header = request.headers().get(header::AUTHORIZATION);
    header.is_some_and(|v| v.as_bytes().starts_with(b"AWS4-HMAC-SHA256"))
        || request
            .uri()
            .query()
            .is_some_and(|q| q.split('&').any(|p| p.starts_with("X-Amz-Signature=")))
}

fn reads_only() -> Response {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>MethodNotAllowed</Code><Message>Versions of datasets \
                never change; register a new one in Limn.</Message></Error>";
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, text).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// Secrets of tokens.
struct Tokens(Services);

#[async_trait::async_trait]
impl S3Auth for Tokens {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.0.auth.s3_secret(access_key).await {
            Ok(secret) => Ok(SecretKey::from(secret)),
            Err(limn_services::Error::Api(e)) => Err(s3_error!(InvalidAccessKeyId, "{}", e.message)),
            Err(e) => Err(answers::failure(e)),
        }
    }
}

/// Also `dataset@version`.
struct Names;

impl NameValidation for Names {
    fn validate_bucket_name(&self, name: &str) -> bool {
        !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\0'])
    }
}
