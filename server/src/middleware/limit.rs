//! Bounds on ordinary requests: how large, how long. Uploads and downloads are streams and bounded where they go.

use crate::error::Failure;
use axum::body::Body;
use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use http::header;
use limn_domain::Code;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Largest ordinary body, in bytes: JSON, and forms of the pages.
pub const BODY_BYTES: usize = 16 << 20;
/// Longest an ordinary request may take to answer.
const ANSWER: Duration = Duration::from_mins(1);

/// Refuses bodies over [`BODY_BYTES`], also those whose length is not announced.
pub async fn body(request: Request, next: Next) -> Response {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<u64>().ok())
        .unwrap_or_else(|| request.body().size_hint().lower());
    if announced > BODY_BYTES as u64 {
        return too_large().into_response();
    }
    // Whoever reads the body only sees it break off; the answer is put right afterwards.
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    let limited = request.map(|body| {
        let mut left = BODY_BYTES;
        Body::from_stream(body.into_data_stream().map(move |piece| {
            let piece = piece?;
            left = left.checked_sub(piece.len()).ok_or_else(|| {
                told.store(true, Ordering::Relaxed);
                axum::Error::new("the body is too large")
            })?;
            Ok::<_, axum::Error>(piece)
        }))
    });
    let response = next.run(limited).await;
    if over.load(Ordering::Relaxed) {
        return too_large().into_response();
    }
    response
}

/// Gives up on a request that is not answered in time.
pub async fn time(request: Request, next: Next) -> Response {
    if let Ok(response) = tokio::time::timeout(ANSWER, next.run(request)).await {
        return response;
    }
    tracing::error!("gave up on a request after {} s", ANSWER.as_secs());
    Failure::new(
        Code::Unavailable,
        "The server took too long to answer. Try again in a moment.",
    )
    .into_response()
}

/// A body over the limit.
pub fn too_large() -> Failure {
    Failure::new(
        Code::TooLarge,
        format!(
            "The request is larger than {} MB; send it in smaller parts.",
            BODY_BYTES >> 20
        ),
    )
}
