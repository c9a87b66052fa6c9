//! Resumable uploads: create, append from an offset, use in an import.

use super::extract::{Caller, Id, Json, stream};
use super::{Made, made};
use crate::error::{Api, Failure};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limn_domain::UploadId;
use limn_domain::upload::{NewUpload, Upload};
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Bytes received so far; a `PATCH` says with it where its body belongs.
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(get, delete))
}

/// Routes whose bodies are streams.
pub fn streams() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(append))
}

/// The state as JSON and, for clients that only look at headers, as headers.
fn answer(upload: Upload) -> Response {
    let pairs = [(OFFSET, upload.received), (LENGTH, upload.size)];
    let mut response = Json(upload).into_response();
    for (name, value) in pairs {
        response.headers_mut().insert(name, HeaderValue::from(value));
    }
    response
}

/// Announce a file
#[utoipa::path(post, path = "/uploads", tag = "uploads", request_body = NewUpload, responses((status = 201, description = "Send the bytes with PATCH", body = Upload)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<NewUpload>,
) -> Api<Made<Upload>> {
    Ok(made(services.uploads.create(&actor, input).await?))
}

/// How much has arrived
///
/// Also by `HEAD`, in the headers `Upload-Offset` and `Upload-Length`.
#[utoipa::path(get, path = "/uploads/{upload_id}", tag = "uploads", responses((status = 200, description = "The state", body = Upload)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(upload): Id<UploadId>,
) -> Api<Response> {
    Ok(answer(services.uploads.get(&actor, upload).await?))
}

/// Append bytes
///
/// What arrived before a broken connection is kept: ask for the state and go on from there. 409 when `Upload-Offset` is
/// not what has been received.
#[utoipa::path(patch, path = "/uploads/{upload_id}", tag = "uploads",
    params(("Upload-Offset" = i64, Header, description = "Where the body belongs: the bytes received so far")),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, description = "The state now", body = Upload)))]
async fn append(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(upload): Id<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Api<Response> {
    let offset = headers
        .get(OFFSET)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<i64>().ok())
        .filter(|n| *n >= 0)
        .ok_or_else(|| {
            Failure(limn_domain::ApiError::field(
                "Upload-Offset",
                "Send the header Upload-Offset with the number of bytes received so far.",
            ))
        })?;
    Ok(answer(
        services
            .uploads
            .append(&actor, upload, offset, stream(body))
            .await?,
    ))
}

/// Drop an upload
#[utoipa::path(delete, path = "/uploads/{upload_id}", tag = "uploads", responses((status = 204, description = "Dropped")))]
async fn delete(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(upload): Id<UploadId>,
) -> Api<StatusCode> {
    services.uploads.delete(&actor, upload).await?;
    Ok(StatusCode::NO_CONTENT)
}
