//! The audit log.

use super::extract::{Caller, Json, Query};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::activity::Activity;
use limn_domain::{Page, ProjectId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ActivityQuery {
    /// Only of this project.
    project_id: Option<ProjectId>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows a page.
    limit: Option<i64>,
}

/// What happened
///
/// Newest first.
#[utoipa::path(get, path = "/activities", tag = "activities", params(ActivityQuery), responses((status = 200, description = "Who did what", body = Page<Activity>)))]
async fn list(
    State(services): State<Services>,
    Caller(actor): Caller,
    Query(q): Query<ActivityQuery>,
) -> Api<Json<Page<Activity>>> {
    Ok(Json(
        services
            .activities
            .list(&actor, q.project_id, q.cursor, q.limit)
            .await?,
    ))
}
