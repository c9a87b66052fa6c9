//! Labeling projects.

use super::extract::{Caller, Id, Json, Query};
use super::{Made, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::ProjectId;
use limn_domain::project::{NewProject, Project, ProjectSummary, UpdateProject};
use limn_services::Services;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(find))
        .routes(routes!(sample))
        .routes(routes!(get, update, delete))
        .routes(routes!(preview))
}

/// List projects
///
/// Those the caller is a member of (all, for an admin), latest change first.
#[utoipa::path(get, path = "/projects", tag = "projects", responses((status = 200, description = "Projects", body = Vec<ProjectSummary>)))]
async fn list(State(services): State<Services>, Caller(actor): Caller) -> Api<Json<Vec<ProjectSummary>>> {
    Ok(Json(services.projects.list(&actor).await?))
}

/// Create a project
///
/// The caller becomes its manager.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = NewProject, responses((status = 201, description = "Created", body = Project)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<NewProject>,
) -> Api<Made<Project>> {
    Ok(made(services.projects.create(&actor, input).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Find {
    /// The project's name, regardless of case, or its id.
    name: String,
}

/// Find a project by name
#[utoipa::path(get, path = "/projects/find", tag = "projects", params(Find), responses((status = 200, description = "The project", body = Project)))]
async fn find(
    State(services): State<Services>,
    Caller(actor): Caller,
    Query(query): Query<Find>,
) -> Api<Json<Project>> {
    Ok(Json(services.projects.find(&actor, &query.name).await?))
}

/// Create a sample project
///
/// Its pictures are drawn, and partly labeled, by a job.
#[utoipa::path(post, path = "/projects/sample", tag = "projects", responses((status = 201, description = "Created", body = Project)))]
async fn sample(State(services): State<Services>, Caller(actor): Caller) -> Api<Made<Project>> {
    Ok(made(services.sample.create(&actor).await?))
}

/// Get a project
#[utoipa::path(get, path = "/projects/{project_id}", tag = "projects", responses((status = 200, description = "The project", body = Project)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Project>> {
    Ok(Json(services.projects.get(&actor, project).await?))
}

/// Change a project
#[utoipa::path(patch, path = "/projects/{project_id}", tag = "projects", request_body = UpdateProject, responses((status = 200, description = "Changed", body = Project)))]
async fn update(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<UpdateProject>,
) -> Api<Json<Project>> {
    Ok(Json(services.projects.update(&actor, project, input).await?))
}

/// Delete a project
///
/// With its items, labels and jobs.
#[utoipa::path(delete, path = "/projects/{project_id}", tag = "projects", responses((status = 204, description = "Deleted")))]
async fn delete(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<StatusCode> {
    services.projects.delete(&actor, project).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, ToSchema)]
struct Markdown {
    text: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Html {
    /// Sanitised; safe to insert into a page.
    html: String,
}

/// Preview instructions
///
/// Markdown as the label page will show it.
#[utoipa::path(post, path = "/instructions/preview", tag = "projects", request_body = Markdown, responses((status = 200, description = "As HTML", body = Html)))]
async fn preview(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<Markdown>,
) -> Api<Json<Html>> {
    let html = services.projects.render_markdown(&actor, &input.text).await?;
    Ok(Json(Html { html }))
}
