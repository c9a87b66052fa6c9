//! People, for admins.

use super::extract::{Caller, Id, Json};
use super::{Made, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use limn_domain::user::{NewUser, UpdateUser, User};
use limn_domain::{Role, UserId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(update))
}

/// List people
#[utoipa::path(get, path = "/users", tag = "users", responses((status = 200, description = "Everybody", body = Vec<User>)))]
async fn list(State(services): State<Services>, Caller(actor): Caller) -> Api<Json<Vec<User>>> {
    Ok(Json(services.users.list(&actor).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct CreateUser {
    #[serde(flatten)]
    user: NewUser,
    role: Role,
}

/// Create an account
///
/// An invitation is usually better: the person chooses the password.
#[utoipa::path(post, path = "/users", tag = "users", request_body = CreateUser, responses((status = 201, description = "Created", body = User)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<CreateUser>,
) -> Api<Made<User>> {
    Ok(made(services.users.create(&actor, input.user, input.role).await?))
}

/// Change name or role, disable or enable
///
/// Disabling ends sessions and tokens at once. The last enabled admin stays one.
#[utoipa::path(patch, path = "/users/{user_id}", tag = "users", request_body = UpdateUser, responses((status = 200, description = "Changed", body = User)))]
async fn update(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(user): Id<UserId>,
    Json(input): Json<UpdateUser>,
) -> Api<Json<User>> {
    Ok(Json(services.users.update(&actor, user, input).await?))
}
