//! What the tracking protocol has no word for: runs and experiments deleted for good, all files of a run at once.

use super::extract::{Caller, Id, Query};
use super::versions::archive;
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use limn_domain::RunId;
use limn_domain::run::ExperimentId;
use limn_services::Services;
use limn_services::artifacts::Owner;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(purge))
        .routes(routes!(purge_experiment))
}

/// Routes whose bodies are streams.
pub fn streams() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(zip))
}

/// Delete a run for good
///
/// One that lies in the bin, with its metrics and files. 409 while versions of models came from it. Everything else about
/// runs is done through the tracking protocol, at `/api/2.0/mlflow`.
#[utoipa::path(delete, path = "/runs/{run_id}", tag = "runs", responses((status = 204, description = "Deleted")))]
async fn purge(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(run): Id<RunId>,
) -> Api<StatusCode> {
    services.runs.purge(&actor, run).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete an experiment for good
///
/// One that lies in the bin, with its runs. 409 while versions of models came from them.
#[utoipa::path(delete, path = "/experiments/{experiment_id}", tag = "runs",
    params(("experiment_id" = i64, Path, description = "The experiment's number")),
    responses((status = 204, description = "Deleted")))]
async fn purge_experiment(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(experiment): Id<ExperimentId>,
) -> Api<StatusCode> {
    services.experiments.purge(&actor, experiment).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Zip {
    /// Only what lies in this folder.
    #[serde(default)]
    path: String,
}

/// Download all files of a run as a zip
#[utoipa::path(get, path = "/runs/{run_id}/zip", tag = "runs", params(Zip), responses((status = 200, description = "The archive", content_type = "application/zip", body = String)))]
async fn zip(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(run): Id<RunId>,
    Query(query): Query<Zip>,
) -> Api<Response> {
    let pieces = services
        .artifacts
        .zip(&actor, Owner::Run(run), &query.path)
        .await?;
    Ok(archive(pieces, &format!("run-{}.zip", run.hex())))
}
