//! Search over everything the caller may see.

use super::extract::{Caller, Json, Query};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_services::Services;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Part of a name, regardless of case.
    text: String,
}

/// Something found.
#[derive(Debug, Serialize, ToSchema)]
struct SearchHit {
    /// `project`, `dataset` or `item`.
    kind: String,
    title: String,
    detail: String,
    /// Path of its page.
    href: String,
}

/// Search projects, datasets and items by name
///
/// Best first, at most 20.
#[utoipa::path(get, path = "/search", tag = "search", params(SearchQuery), responses((status = 200, description = "What was found", body = Vec<SearchHit>)))]
async fn find(
    State(services): State<Services>,
    Caller(actor): Caller,
    Query(query): Query<SearchQuery>,
) -> Api<Json<Vec<SearchHit>>> {
    let hits = services.search.find(&actor, &query.text).await?;
    let hits = hits.into_iter().map(|h| SearchHit {
        kind: h.kind,
        title: h.title,
        detail: h.detail,
        href: h.href,
    });
    Ok(Json(hits.collect()))
}
