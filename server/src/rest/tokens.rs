//! The caller's API tokens.

use super::extract::{Caller, Id, Json};
use super::{Made, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::TokenId;
use limn_domain::token::{CreatedToken, NewToken, Token};
use limn_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// List the own tokens
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses((status = 200, description = "Without their secrets", body = Vec<Token>)))]
async fn list(State(services): State<Services>, Caller(actor): Caller) -> Api<Json<Vec<Token>>> {
    Ok(Json(services.tokens.list(&actor).await?))
}

/// Create a token
///
/// The answer holds the secret, this once only.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = NewToken, responses((status = 201, description = "Created", body = CreatedToken)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<NewToken>,
) -> Api<Made<CreatedToken>> {
    Ok(made(services.tokens.create(&actor, input).await?))
}

/// Revoke a token
#[utoipa::path(delete, path = "/tokens/{token_id}", tag = "tokens", responses((status = 204, description = "Revoked")))]
async fn revoke(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(token): Id<TokenId>,
) -> Api<StatusCode> {
    services.tokens.revoke(&actor, token).await?;
    Ok(StatusCode::NO_CONTENT)
}
