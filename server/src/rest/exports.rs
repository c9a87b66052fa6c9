//! Exports.

use super::extract::{Caller, Id, Optional};
use super::{Made, accepted};
use crate::error::Api;
use crate::ranges::{Asked, Content, Sending, send};
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use limn_domain::export::ExportResult;
use limn_domain::item_explore::ProjectExport;
use limn_domain::job::Job;
use limn_domain::{JobId, ProjectId};
use limn_services::Services;
use std::time::UNIX_EPOCH;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new().routes(routes!(start));
    super::describe::<ExportResult>(router.get_openapi_mut());
    router
}

/// Routes whose bodies are streams.
pub fn streams() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(download))
}

/// Export a project
///
/// A job; its result is an `ExportResult` with the file's address and digest. The same content gives the same bytes. `only`
/// leaves out all but the items that are named, or that pass a filter of the explorer.
#[utoipa::path(post, path = "/projects/{project_id}/exports", tag = "exports", request_body = ProjectExport, responses((status = 202, description = "Queued", body = Job)))]
async fn start(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Optional(input): Optional<ProjectExport>,
) -> Api<Made<Job>> {
    Ok(accepted(services.exports.start_of(&actor, project, input).await?))
}

/// Download an export
///
/// Ranges work, so that a broken download can go on.
#[utoipa::path(get, path = "/exports/{job_id}/file", tag = "exports", responses((status = 200, description = "The file", content_type = "application/octet-stream", body = String)))]
async fn download(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(job): Id<JobId>,
    asked: Asked,
) -> Api<Response> {
    let (path, name) = services.exports.file(&actor, job).await?;
    let meta = tokio::fs::metadata(&path).await?;
    let changed = meta
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let etag = format!("{job}-{}-{}", meta.len(), changed.unwrap_or_default().as_micros());
    let media_type = mime_guess::from_path(&name).first_or_octet_stream();
    let how = Sending {
        media_type: media_type.as_ref(),
        etag: &etag,
        attachment: Some(&name),
        cache: "private, no-cache",
    };
    let content = Content::File {
        path,
        len: meta.len(),
    };
    send(content, how, &asked).await
}
