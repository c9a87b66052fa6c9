//! What the registry's protocol has no word for: where aliases went, going back, files with their digests.

use super::extract::{Caller, Id, Ids, Json, Query};
use super::versions::archive;
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use limn_domain::Timestamp;
use limn_domain::model::{ModelAlias, ModelAliasMove, ModelFile};
use limn_services::Services;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(alias_moves))
        .routes(routes!(alias))
        .routes(routes!(roll_back))
        .routes(routes!(files))
}

/// Routes whose bodies are streams.
pub fn streams() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(zip))
}

/// List where the aliases of a model went
///
/// Newest first. A move without a number is the alias's removal.
#[utoipa::path(get, path = "/models/{model_name}/alias-moves", tag = "models", responses((status = 200, description = "Moves", body = Vec<ModelAliasMove>)))]
async fn alias_moves(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(name): Id<String>,
) -> Api<Json<Vec<ModelAliasMove>>> {
    Ok(Json(services.models.alias_moves(&actor, &name).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct At {
    /// A time such as `2026-01-31T12:00:00Z`; now when it is left out.
    at: Option<Timestamp>,
}

/// Which version an alias pointed to at a time.
#[derive(Debug, Serialize, ToSchema)]
struct AliasAt {
    /// Nothing when the alias did not exist then.
    alias: Option<ModelAlias>,
    /// When it had come to point there, and who did it.
    since: Option<Timestamp>,
    by_name: Option<String>,
}

/// Get which version an alias pointed to
///
/// At a time that is asked for, or now. The version may be deleted since.
#[utoipa::path(get, path = "/models/{model_name}/aliases/{model_alias}", tag = "models", params(At), responses((status = 200, description = "The version then", body = AliasAt)))]
async fn alias(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(name, alias): Ids<String, String>,
    Query(query): Query<At>,
) -> Api<Json<AliasAt>> {
    let at = query.at.unwrap_or_else(|| services.context.now());
    let found = services.models.alias_at(&actor, &name, &alias, at).await?;
    Ok(Json(match found {
        None => AliasAt {
            alias: None,
            since: None,
            by_name: None,
        },
        Some(m) => AliasAt {
            alias: m.number.map(|number| ModelAlias { name: m.name, number }),
            since: Some(m.at),
            by_name: Some(m.by_name),
        },
    }))
}

/// Point an alias back
///
/// To the version it pointed to before the present one. Answers where it points now.
#[utoipa::path(post, path = "/models/{model_name}/aliases/{model_alias}/rollback", tag = "models", responses((status = 200, description = "Moved", body = ModelAlias)))]
async fn roll_back(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(name, alias): Ids<String, String>,
) -> Api<Json<ModelAlias>> {
    let number = services.models.roll_back(&actor, &name, &alias).await?;
    Ok(Json(ModelAlias { name: alias, number }))
}

/// List the files of a version of a model
///
/// With their digests, by path.
#[utoipa::path(get, path = "/models/{model_name}/versions/{number}/files", tag = "models", responses((status = 200, description = "Files", body = Vec<ModelFile>)))]
async fn files(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(name, number): Ids<String, i64>,
) -> Api<Json<Vec<ModelFile>>> {
    Ok(Json(services.models.version_files(&actor, &name, number).await?))
}

/// Download all files of a version of a model as a zip
#[utoipa::path(get, path = "/models/{model_name}/versions/{number}/zip", tag = "models", responses((status = 200, description = "The archive", content_type = "application/zip", body = String)))]
async fn zip(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(name, number): Ids<String, i64>,
) -> Api<Response> {
    let (_, place) = services.models.place(&actor, &name, number).await?;
    let pieces = services.artifacts.zip(&actor, place.owner, &place.path).await?;
    Ok(archive(pieces, &format!("{name}-v{number}.zip")))
}
