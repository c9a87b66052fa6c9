//! The labeling queue.

use super::annotations::status;
use super::extract::{Caller, Id, Json, Optional, Query};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::annotation::SaveOutcome;
use limn_domain::item::Item;
use limn_domain::queue::{Heartbeat, QueueState, QueueSummary, Skip, Submit, Taken, WorkItem};
use limn_domain::{ItemId, Page, ProjectId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(mine))
        .routes(routes!(state))
        .routes(routes!(take))
        .routes(routes!(heartbeat))
        .routes(routes!(release))
        .routes(routes!(history))
        .routes(routes!(open))
        .routes(routes!(submit))
        .routes(routes!(skip))
}

/// Projects with work for me
#[utoipa::path(get, path = "/queue", tag = "queue", responses((status = 200, description = "Projects", body = Vec<QueueSummary>)))]
async fn mine(State(services): State<Services>, Caller(actor): Caller) -> Api<Json<Vec<QueueSummary>>> {
    Ok(Json(services.queue.mine(&actor).await?))
}

/// The state of a project's queue
#[utoipa::path(get, path = "/projects/{project_id}/queue", tag = "queue", responses((status = 200, description = "Counts", body = QueueState)))]
async fn state(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<QueueState>> {
    Ok(Json(services.queue.state(&actor, project).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(default)]
struct Take {
    /// Items to hold in all, 1 to 128.
    count: i64,
}

impl Default for Take {
    fn default() -> Self {
        Self { count: 1 }
    }
}

/// Take items
///
/// Those in hand first, then fresh ones, leased to the caller. Two people never get the same item.
#[utoipa::path(post, path = "/projects/{project_id}/queue/take", tag = "queue", request_body = Take, responses((status = 200, description = "Items with their labels", body = Taken)))]
async fn take(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Optional(input): Optional<Take>,
) -> Api<Json<Taken>> {
    Ok(Json(services.queue.take(&actor, project, input.count).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct Held {
    items: Vec<ItemId>,
}

/// Keep leases alive
#[utoipa::path(post, path = "/projects/{project_id}/queue/heartbeat", tag = "queue", request_body = Held, responses((status = 200, description = "Which leases stand", body = Heartbeat)))]
async fn heartbeat(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<Held>,
) -> Api<Json<Heartbeat>> {
    Ok(Json(
        services.queue.heartbeat(&actor, project, input.items).await?,
    ))
}

/// Give items back
#[utoipa::path(post, path = "/projects/{project_id}/queue/release", tag = "queue", request_body = Held, responses((status = 204, description = "Given back")))]
async fn release(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<Held>,
) -> Api<StatusCode> {
    services.queue.release(&actor, project, input.items).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct History {
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What I submitted or skipped
///
/// Newest first.
#[utoipa::path(get, path = "/projects/{project_id}/queue/history", tag = "queue", params(History), responses((status = 200, description = "Items", body = Page<Item>)))]
async fn history(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Query(query): Query<History>,
) -> Api<Json<Page<Item>>> {
    Ok(Json(services.queue.history(&actor, project, query.cursor).await?))
}

/// Open an item
///
/// To look at or to correct; leases it when it is to do and nobody else holds it.
#[utoipa::path(post, path = "/items/{item_id}/open", tag = "queue", responses((status = 200, description = "The item with its labels", body = WorkItem)))]
async fn open(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
) -> Api<Json<WorkItem>> {
    Ok(Json(services.queue.open(&actor, item).await?))
}

/// Submit an item
///
/// A last change can ride along. When the revision has moved on, nothing is written and the answer is 409.
#[utoipa::path(post, path = "/items/{item_id}/submit", tag = "queue", request_body = Submit, responses(
    (status = 200, description = "Submitted", body = SaveOutcome),
    (status = 409, description = "Somebody else saved in between", body = SaveOutcome),
))]
async fn submit(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
    Json(input): Json<Submit>,
) -> Api<(StatusCode, Json<SaveOutcome>)> {
    let outcome = services.queue.submit(&actor, item, input).await?;
    Ok((status(&outcome), Json(outcome)))
}

/// Skip an item
#[utoipa::path(post, path = "/items/{item_id}/skip", tag = "queue", request_body = Skip, responses((status = 204, description = "Skipped")))]
async fn skip(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
    Optional(input): Optional<Skip>,
) -> Api<StatusCode> {
    services.queue.skip(&actor, item, input).await?;
    Ok(StatusCode::NO_CONTENT)
}
