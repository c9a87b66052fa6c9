//! Sources of projects: what they take from datastores and datasets.

use super::extract::{Caller, Id, Json};
use super::{Made, accepted, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::datastore::{AddSource, ProjectSource, SourceReport, UpdateSource};
use limn_domain::job::Job;
use limn_domain::{ProjectId, SourceId};
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, update, remove))
        .routes(routes!(refresh));
    super::describe::<SourceReport>(router.get_openapi_mut());
    router
}

/// List the sources of a project
#[utoipa::path(get, path = "/projects/{project_id}/sources", tag = "sources", responses((status = 200, description = "Sources, oldest first", body = Vec<ProjectSource>)))]
async fn list(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Vec<ProjectSource>>> {
    Ok(Json(services.sources.list(&actor, project).await?))
}

/// Take files of a datastore or a dataset into a project
///
/// Name one of the two. Of a dataset each refresh takes what differs from the version that was taken last. Begins the first refresh at once; `job_id` is its job, whose result is a `SourceReport`.
#[utoipa::path(post, path = "/projects/{project_id}/sources", tag = "sources", request_body = AddSource, responses((status = 201, description = "Added", body = ProjectSource)))]
async fn add(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<AddSource>,
) -> Api<Made<ProjectSource>> {
    Ok(made(services.sources.add(&actor, project, input).await?))
}

/// Get a source
#[utoipa::path(get, path = "/sources/{source_id}", tag = "sources", responses((status = 200, description = "The source", body = ProjectSource)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(source): Id<SourceId>,
) -> Api<Json<ProjectSource>> {
    Ok(Json(services.sources.get(&actor, source).await?))
}

/// Change the schedule of a source
#[utoipa::path(patch, path = "/sources/{source_id}", tag = "sources", request_body = UpdateSource, responses((status = 200, description = "Changed", body = ProjectSource)))]
async fn update(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(source): Id<SourceId>,
    Json(input): Json<UpdateSource>,
) -> Api<Json<ProjectSource>> {
    Ok(Json(services.sources.update(&actor, source, input).await?))
}

/// Remove a source
///
/// The items that were made of its files stay.
#[utoipa::path(delete, path = "/sources/{source_id}", tag = "sources", responses((status = 204, description = "Removed")))]
async fn remove(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(source): Id<SourceId>,
) -> Api<StatusCode> {
    services.sources.remove(&actor, source).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refresh a project from a source
///
/// New files become items; changed and vanished ones are reported. A job; its result is a `SourceReport`.
#[utoipa::path(post, path = "/sources/{source_id}/refresh", tag = "sources", responses((status = 202, description = "Queued", body = Job)))]
async fn refresh(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(source): Id<SourceId>,
) -> Api<Made<Job>> {
    Ok(accepted(services.sources.refresh(&actor, source).await?))
}
