//! Resumable uploads: create, append from an offset or put parts into the object store, use in an import.

use super::extract::{Caller, Id, Json, stream};
use super::{Made, made};
use crate::error::{Api, Failure};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limn_domain::UploadId;
use limn_domain::upload::{NewUpload, Upload, UploadParts};
use limn_services::{Actor, Services};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Bytes received so far; a `PATCH` says with it where its body belongs.
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(get, delete))
        .routes(routes!(parts))
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

/// A browser learns only where the configuration says so that the bucket takes parts from pages.
fn told(state: &AppState, actor: &Actor, mut upload: Upload) -> Upload {
    let is_page = !matches!(actor, Actor::Token { .. });
    upload.direct &= !is_page || state.store_origin.is_some();
    upload
}

/// Announce a file
///
/// Where the answer says `direct`, its parts may be put straight into the object store; see `/uploads/{upload_id}/parts`.
#[utoipa::path(post, path = "/uploads", tag = "uploads", request_body = NewUpload, responses((status = 201, description = "Send the bytes with PATCH", body = Upload)))]
async fn create(
    State(state): State<AppState>,
    Caller(actor): Caller,
    Json(input): Json<NewUpload>,
) -> Api<Made<Upload>> {
    let upload = state.services.uploads.create(&actor, input).await?;
    Ok(made(told(&state, &actor, upload)))
}

/// How much has arrived
///
/// Also by `HEAD`, in the headers `Upload-Offset` and `Upload-Length`.
#[utoipa::path(get, path = "/uploads/{upload_id}", tag = "uploads", responses((status = 200, description = "The state", body = Upload)))]
async fn get(
    State(state): State<AppState>,
    Caller(actor): Caller,
    Id(upload): Id<UploadId>,
) -> Api<Response> {
    let upload = state.services.uploads.get(&actor, upload).await?;
    Ok(answer(told(&state, &actor, upload)))
}

/// Put parts straight into the object store
///
/// Counts the parts that have arrived in the store, in order, and answers addresses for the next ones, each good for one `PUT` of
/// exactly so many bytes within a quarter of an hour. Put some or all of them, in any order and several at once, and ask
/// again, until no parts are left. An empty list before everything was received means that bytes go to this server: send
/// the rest with `PATCH`. 400 when a part in the store has another length; it is removed.
#[utoipa::path(post, path = "/uploads/{upload_id}/parts", tag = "uploads", responses((status = 200, description = "The state, and where the next parts go", body = UploadParts)))]
async fn parts(
    State(state): State<AppState>,
    Caller(actor): Caller,
    Id(upload): Id<UploadId>,
) -> Api<Json<UploadParts>> {
    let mut found = state.services.uploads.parts(&actor, upload).await?;
    found.upload = told(&state, &actor, found.upload);
    if !found.upload.direct {
        found.parts.clear();
    }
    Ok(Json(found))
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
    State(state): State<AppState>,
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
    let sent = state
        .services
        .uploads
        .append(&actor, upload, offset, stream(body));
    Ok(answer(told(&state, &actor, sent.await?)))
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
