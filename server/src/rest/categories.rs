//! A project's categories.

use super::extract::{Caller, Id, Json};
use super::{Made, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::category::{Category, CategoryImpact, NewCategory, UpdateCategory};
use limn_domain::{CategoryId, ProjectId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(update, remove))
        .routes(routes!(impact))
        .routes(routes!(merge))
}

/// List categories
///
/// In tree order: parents before children.
#[utoipa::path(get, path = "/projects/{project_id}/categories", tag = "categories", responses((status = 200, description = "Categories", body = Vec<Category>)))]
async fn list(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Vec<Category>>> {
    Ok(Json(services.categories.list(&actor, project).await?))
}

/// Create a category
#[utoipa::path(post, path = "/projects/{project_id}/categories", tag = "categories", request_body = NewCategory, responses((status = 201, description = "Created", body = Category)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<NewCategory>,
) -> Api<Made<Category>> {
    Ok(made(services.categories.create(&actor, project, input).await?))
}

/// Change a category
///
/// A `null` hotkey or parent takes it away; an absent one leaves it.
#[utoipa::path(patch, path = "/categories/{category_id}", tag = "categories", request_body = UpdateCategory, responses((status = 200, description = "Changed", body = Category)))]
async fn update(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(category): Id<CategoryId>,
    Json(input): Json<UpdateCategory>,
) -> Api<Json<Category>> {
    Ok(Json(services.categories.update(&actor, category, input).await?))
}

/// Remove a category
///
/// With its descendants and all their labels; ask `impact` first.
#[utoipa::path(delete, path = "/categories/{category_id}", tag = "categories", responses((status = 204, description = "Removed")))]
async fn remove(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(category): Id<CategoryId>,
) -> Api<StatusCode> {
    services.categories.remove(&actor, category).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What removing or merging would touch
#[utoipa::path(get, path = "/categories/{category_id}/impact", tag = "categories", responses((status = 200, description = "Counts", body = CategoryImpact)))]
async fn impact(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(category): Id<CategoryId>,
) -> Api<Json<CategoryImpact>> {
    Ok(Json(services.categories.impact(&actor, category).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct Merge {
    /// The category that takes the labels.
    into: CategoryId,
}

/// Merge into another category
///
/// Moves every label and removes this category.
#[utoipa::path(post, path = "/categories/{category_id}/merge", tag = "categories", request_body = Merge, responses((status = 204, description = "Merged")))]
async fn merge(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(category): Id<CategoryId>,
    Json(input): Json<Merge>,
) -> Api<StatusCode> {
    services.categories.merge(&actor, category, input.into).await?;
    Ok(StatusCode::NO_CONTENT)
}
