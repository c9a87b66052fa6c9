//! Background jobs.

use super::extract::{Caller, Id, Json, Query};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::job::{Job, JobLogLine};
use limn_domain::{JobId, Page, ProjectId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(log))
        .routes(routes!(cancel))
        .routes(routes!(retry))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// Only of this project.
    project_id: Option<ProjectId>,
    /// Only queued and running ones.
    #[serde(default)]
    active: bool,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows a page.
    limit: Option<i64>,
}

/// List jobs
///
/// Own ones and those of own projects, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobQuery), responses((status = 200, description = "Jobs", body = Page<Job>)))]
async fn list(
    State(services): State<Services>,
    Caller(actor): Caller,
    Query(q): Query<JobQuery>,
) -> Api<Json<Page<Job>>> {
    Ok(Json(
        services
            .jobs
            .list(&actor, q.project_id, q.active, q.cursor, q.limit)
            .await?,
    ))
}

/// Get a job
#[utoipa::path(get, path = "/jobs/{job_id}", tag = "jobs", responses((status = 200, description = "State, progress, result", body = Job)))]
async fn get(State(services): State<Services>, Caller(actor): Caller, Id(job): Id<JobId>) -> Api<Json<Job>> {
    Ok(Json(services.jobs.get(&actor, job).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    /// Lines seen already.
    #[serde(default)]
    after: i64,
}

/// Read a job's log
///
/// At most 1,000 lines.
#[utoipa::path(get, path = "/jobs/{job_id}/log", tag = "jobs", params(LogQuery), responses((status = 200, description = "Lines", body = Vec<JobLogLine>)))]
async fn log(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(job): Id<JobId>,
    Query(query): Query<LogQuery>,
) -> Api<Json<Vec<JobLogLine>>> {
    Ok(Json(services.jobs.log(&actor, job, query.after).await?))
}

/// Cancel a job
#[utoipa::path(post, path = "/jobs/{job_id}/cancel", tag = "jobs", responses((status = 200, description = "The job", body = Job)))]
async fn cancel(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(job): Id<JobId>,
) -> Api<Json<Job>> {
    Ok(Json(services.jobs.cancel(&actor, job).await?))
}

/// Run a failed or cancelled job again
#[utoipa::path(post, path = "/jobs/{job_id}/retry", tag = "jobs", responses((status = 200, description = "The job", body = Job)))]
async fn retry(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(job): Id<JobId>,
) -> Api<Json<Job>> {
    Ok(Json(services.jobs.retry(&actor, job).await?))
}
