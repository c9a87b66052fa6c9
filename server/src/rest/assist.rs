//! The assist of projects.

use super::extract::{Caller, Id, Json, Query};
use super::{Made, accepted};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::assist::{Assist, SimilarItem, UpdateAssist};
use limn_domain::job::Job;
use limn_domain::smart::{Clicks, Segmented, Sight};
use limn_domain::{ItemId, ProjectId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get, update))
        .routes(routes!(train))
        .routes(routes!(similar))
        .routes(routes!(look))
        .routes(routes!(segment))
}

/// Get the assist of a project
///
/// Its settings, what it does, what it says of the items to do, and how good its latest model is.
#[utoipa::path(get, path = "/projects/{project_id}/assist", tag = "assist", responses((status = 200, description = "The assist", body = Assist)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Assist>> {
    Ok(Json(services.assist.get(&actor, project).await?))
}

/// Change the assist of a project
///
/// Turning it on starts a job that looks at the pictures or documents; turning it off takes its proposals back. Absent fields stay.
#[utoipa::path(patch, path = "/projects/{project_id}/assist", tag = "assist", request_body = UpdateAssist, responses((status = 200, description = "The assist", body = Assist)))]
async fn update(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<UpdateAssist>,
) -> Api<Json<Assist>> {
    Ok(Json(services.assist.update(&actor, project, input).await?))
}

/// Train now
///
/// While a job of the assist runs or waits, that one is answered.
#[utoipa::path(post, path = "/projects/{project_id}/assist/train", tag = "assist", responses((status = 202, description = "Queued", body = Job)))]
async fn train(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Made<Job>> {
    Ok(accepted(services.assist.train(&actor, project).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Similar {
    /// How many, 1 to 100.
    #[serde(default = "twenty")]
    limit: i64,
}

const fn twenty() -> i64 {
    20
}

/// List items that look alike
///
/// Of the same project, the most alike first; copies have a similarity of 1. The assist must have looked at the pictures.
#[utoipa::path(get, path = "/items/{item_id}/similar", tag = "assist", params(Similar), responses((status = 200, description = "Items", body = Vec<SimilarItem>)))]
async fn similar(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
    Query(query): Query<Similar>,
) -> Api<Json<Vec<SimilarItem>>> {
    Ok(Json(services.assist.similar(&actor, item, query.limit).await?))
}

/// Have an item's picture looked at
///
/// By the network that finds objects by clicks, ahead of the first one. Takes seconds; says how far it is. What is not asked about for 20 seconds is
/// given up.
#[utoipa::path(post, path = "/items/{item_id}/segment/look", tag = "assist", responses((status = 200, description = "How far it is", body = Sight)))]
async fn look(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
) -> Api<Json<Sight>> {
    Ok(Json(services.segments.look(&actor, item).await?))
}

/// Find an object by clicks
///
/// In the item's picture, by clicks on it and beside it, and by a box around it, in the item's pixels. The project's settings of the assist name the
/// network. Waits until the picture was looked at. Nothing is stored: the mask is COCO's run lengths over a window of the picture, as labels have it.
#[utoipa::path(post, path = "/items/{item_id}/segment", tag = "assist", request_body = Clicks, responses((status = 200, description = "What was found", body = Segmented)))]
async fn segment(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
    Json(clicks): Json<Clicks>,
) -> Api<Json<Segmented>> {
    Ok(Json(services.segments.segment(&actor, item, clicks).await?))
}
