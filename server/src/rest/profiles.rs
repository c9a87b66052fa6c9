//! Profiles of versions.

use super::extract::{Caller, Id, Ids, Json, Query};
use super::{Made, accepted};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use limn_domain::VersionId;
use limn_domain::job::Job;
use limn_domain::profile::{Drift, VersionProfile};
use limn_services::Services;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(profile, start_profile))
        .routes(routes!(statistics))
        .routes(routes!(profile_page))
        .routes(routes!(drift))
}

/// Get the profile of a version
///
/// Figures of all its rows, images and documents, or how far the job is that computes them.
#[utoipa::path(get, path = "/versions/{version_id}/profile", tag = "versions", responses((status = 200, description = "The profile, once there is one", body = VersionProfile)))]
async fn profile(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Json<VersionProfile>> {
    Ok(Json(services.profiles.get(&actor, version).await?))
}

/// Compute the profile of a version
///
/// Registering a version does so by itself. Files that were profiled before, in any version, are not read again.
#[utoipa::path(post, path = "/versions/{version_id}/profile", tag = "versions", responses((status = 202, description = "Queued", body = Job)))]
async fn start_profile(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Made<Job>> {
    Ok(accepted(services.profiles.start(&actor, version).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Table {
    /// Which of the profile's tables, from 0.
    #[serde(default)]
    table: usize,
}

/// Get statistics in Hugging Face's shape
///
/// As the dataset viewer's `/statistics` writes them, always of all rows: `partial` is false.
#[utoipa::path(get, path = "/versions/{version_id}/statistics", tag = "versions", params(Table), responses((status = 200, description = "`num_examples`, `statistics` by column, `partial`", body = serde_json::Value)))]
async fn statistics(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(query): Query<Table>,
) -> Api<Json<serde_json::Value>> {
    Ok(Json(
        services.profiles.statistics(&actor, version, query.table).await?,
    ))
}

/// Download the profile as a page
///
/// One HTML file that needs nothing else.
#[utoipa::path(get, path = "/versions/{version_id}/profile.html", tag = "versions", responses((status = 200, description = "The page", content_type = "text/html", body = String)))]
async fn profile_page(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Response> {
    let (page, name) = services.profiles.report(&actor, version).await?;
    let mut response = page.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    if let Ok(value) = HeaderValue::from_str(&crate::ranges::disposition(&name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Compare the distributions of two versions
///
/// From the first to the second: Kolmogorov-Smirnov and population stability of numbers, chi-squared of categories,
/// figures of images and documents. Both need a profile.
#[utoipa::path(get, path = "/versions/{version_id}/drift/{other_version_id}", tag = "versions", responses((status = 200, description = "The most different first", body = Drift)))]
async fn drift(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(before, after): Ids<VersionId, VersionId>,
) -> Api<Json<Drift>> {
    Ok(Json(services.profiles.drift(&actor, before, after).await?))
}
