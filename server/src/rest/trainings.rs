//! Trainings on versions of datasets, and asking what came of them.

use super::extract::{Caller, Id, Ids, Json, Query, Raw};
use super::{Made, accepted};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::VersionId;
use limn_domain::training::{NewTraining, Predicted, Training, TrainingOffer};
use limn_services::Services;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(offer, start))
        .routes(routes!(predict))
}

/// Get what a version can be trained for
///
/// Pictures, labels and a suggestion for every task, and why a task is not possible.
#[utoipa::path(get, path = "/versions/{version_id}/trainings", tag = "trainings", responses((status = 200, description = "All tasks", body = TrainingOffer)))]
async fn offer(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Json<TrainingOffer>> {
    Ok(Json(services.trainings.offer(&actor, version).await?))
}

/// Train a network on a version
///
/// The run is there at once, at `/runs/{run_id}` and in the tracking protocol; the job fills it. Cancelling the job ends the run as
/// killed. What comes of it is registered as the next version of a model.
#[utoipa::path(post, path = "/versions/{version_id}/trainings", tag = "trainings", request_body = NewTraining, responses((status = 202, description = "Queued", body = Training)))]
async fn start(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Json(input): Json<NewTraining>,
) -> Api<Made<Training>> {
    Ok(accepted(services.trainings.start(&actor, version, input).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Least {
    /// Leave out what is less sure, 0..=1. Without it the confidence counts that served each category best in training.
    min_score: Option<f64>,
}

/// Ask a version of a model about a picture
///
/// The body is the file itself, 16 MB at most. For versions that a training here made.
#[utoipa::path(post, path = "/models/{model_name}/versions/{number}/predict", tag = "trainings", params(Least),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, description = "Boxes (with the pixels of the objects in them where that was learned), categories, or areas", body = Predicted)))]
async fn predict(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(name, number): Ids<String, i64>,
    Query(query): Query<Least>,
    Raw(picture): Raw,
) -> Api<Json<Predicted>> {
    Ok(Json(
        services
            .trainings
            .predict(&actor, &name, number, picture, query.min_score)
            .await?,
    ))
}
