//! The labels of an item.

use super::extract::{Caller, Id, Json};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::ItemId;
use limn_domain::annotation::{ItemAnnotations, SaveChange, SaveOutcome};
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get, save))
}

/// The status of a save: 200, or 409 when somebody else saved in between.
pub(super) fn status(outcome: &SaveOutcome) -> StatusCode {
    match outcome {
        SaveOutcome::Saved { .. } => StatusCode::OK,
        SaveOutcome::Conflict { .. } => StatusCode::CONFLICT,
    }
}

/// Get the labels of an item
#[utoipa::path(get, path = "/items/{item_id}/annotations", tag = "annotations", responses((status = 200, description = "Labels and revision", body = ItemAnnotations)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
) -> Api<Json<ItemAnnotations>> {
    Ok(Json(services.annotations.get(&actor, item).await?))
}

/// Save one edit
///
/// Durable when answered. Sending the same `change_id` again is answered as the first time. When `base_revision` is no
/// longer the newest, nothing is written and the answer is 409 with what is there now.
#[utoipa::path(put, path = "/items/{item_id}/annotations", tag = "annotations", request_body = SaveChange, responses(
    (status = 200, description = "Saved", body = SaveOutcome),
    (status = 409, description = "Somebody else saved in between", body = SaveOutcome),
))]
async fn save(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
    Json(change): Json<SaveChange>,
) -> Api<(StatusCode, Json<SaveOutcome>)> {
    let outcome = services.annotations.save(&actor, item, change).await?;
    Ok((status(&outcome), Json(outcome)))
}
