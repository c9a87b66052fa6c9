//! Looking through the items of a project.

use super::extract::{Caller, Id, Ids, Json, Optional};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::explore::{ExploreQuery, NewView};
use limn_domain::item_explore::{ItemView, ItemsAnswer};
use limn_domain::{ProjectId, ViewId};
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(explore))
        .routes(routes!(views, save_view))
        .routes(routes!(delete_view))
}

/// Look through the items of a project
///
/// Filters by values, numbers and parts of names, with how many items have each value; all that was saved until then is
/// counted. While the project is indexed for the first time the answer is the job that does it; where very much has changed
/// at once, the page as it was (`behind`, `as_of`) and the job that takes it in.
#[utoipa::path(post, path = "/projects/{project_id}/explore", tag = "items", request_body = ExploreQuery, responses((status = 200, description = "A page, a job, or both", body = ItemsAnswer)))]
async fn explore(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Optional(query): Optional<ExploreQuery>,
) -> Api<Json<ItemsAnswer>> {
    Ok(Json(services.explore.items(&actor, project, query).await?))
}

/// List a project's saved views
#[utoipa::path(get, path = "/projects/{project_id}/explore/views", tag = "items", responses((status = 200, description = "By name", body = Vec<ItemView>)))]
async fn views(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Vec<ItemView>>> {
    Ok(Json(services.explore.item_views(&actor, project).await?))
}

/// Save a view of a project
///
/// One of the same name is replaced.
#[utoipa::path(post, path = "/projects/{project_id}/explore/views", tag = "items", request_body = NewView, responses((status = 200, description = "All views", body = Vec<ItemView>)))]
async fn save_view(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<NewView>,
) -> Api<Json<Vec<ItemView>>> {
    Ok(Json(
        services.explore.save_item_view(&actor, project, input).await?,
    ))
}

/// Delete a view of a project
#[utoipa::path(delete, path = "/projects/{project_id}/explore/views/{item_view_id}", tag = "items", responses((status = 200, description = "Those that are left", body = Vec<ItemView>)))]
async fn delete_view(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(project, view): Ids<ProjectId, ViewId>,
) -> Api<Json<Vec<ItemView>>> {
    Ok(Json(
        services.explore.delete_item_view(&actor, project, view).await?,
    ))
}
