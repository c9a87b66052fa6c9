//! The request id, the log line, the counters, and the net under panics.

use crate::error::Failure;
use crate::state::AppState;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue};
use limn_domain::ApiError;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tracing::Instrument as _;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id (never the client's own), runs it, logs and counts it. A panic becomes a 500 that tells
/// nothing; its text is in the log under the id.
pub async fn trace(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let header = HeaderValue::from_str(&id).ok();
    if let Some(value) = header.clone() {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |m| m.as_str().to_owned());
    let span = tracing::info_span!("request", id = %id, method = %method, path = %path);
    let started = Instant::now();
    let running = state.metrics.enter();
    let mut response = async {
        let result = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = result.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<&str>()
                .map(|s| (*s).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            tracing::error!(panic = %text, "a request panicked");
            Failure(ApiError::internal()).into_response()
        });
        let status = response.status().as_u16();
        let ms = started.elapsed().as_secs_f64() * 1e3;
        if status >= 500 {
            tracing::warn!(status, ms, "answered");
        } else {
            tracing::debug!(status, ms, "answered");
        }
        response
    }
    .instrument(span)
    .await;
    drop(running);
    state.metrics.observe(
        method_label(&method),
        &route,
        response.status().as_u16(),
        started.elapsed(),
    );
    if let Some(value) = header {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Methods are free text in HTTP; labels are not.
fn method_label(method: &http::Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "other",
    }
}
