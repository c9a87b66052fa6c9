//! The catalogue of open datasets.

use super::extract::{Caller, Id, Json};
use super::{Made, accepted};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::catalogue::{AddDataset, CatalogueDetail, CatalogueEntry, CatalogueOutcome};
use limn_domain::job::Job;
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(add));
    super::describe::<CatalogueOutcome>(router.get_openapi_mut());
    router
}

/// List open datasets
///
/// What the catalogue has, in its order, and what was made of it already.
#[utoipa::path(get, path = "/catalogue", tag = "catalogue", responses((status = 200, description = "Records", body = Vec<CatalogueEntry>)))]
async fn list(State(services): State<Services>, Caller(actor): Caller) -> Api<Json<Vec<CatalogueEntry>>> {
    Ok(Json(services.catalogue.list(&actor).await?))
}

/// Get a record of the catalogue
///
/// With its card, its files and their digests.
#[utoipa::path(get, path = "/catalogue/{slug}", tag = "catalogue", responses((status = 200, description = "The record", body = CatalogueDetail)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(slug): Id<String>,
) -> Api<Json<CatalogueDetail>> {
    Ok(Json(services.catalogue.get(&actor, &slug).await?))
}

/// Add an open dataset
///
/// Queues a job that fetches the files, checks their digests, converts them and registers a dataset with its first
/// version. Its result is a `CatalogueOutcome`.
#[utoipa::path(post, path = "/catalogue/{slug}/add", tag = "catalogue", request_body = AddDataset, responses((status = 202, description = "The job", body = Job)))]
async fn add(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(slug): Id<String>,
    Json(input): Json<AddDataset>,
) -> Api<Made<Job>> {
    Ok(accepted(services.catalogue.add(&actor, &slug, input).await?))
}
