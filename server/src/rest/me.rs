//! The person behind the request, and browser sessions.

use super::extract::{Caller, Json};
use crate::error::{Api, Failure};
use crate::middleware::Client;
use crate::session;
use crate::state::AppState;
use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use limn_domain::Code;
use limn_domain::user::{ChangePassword, Me, SignIn};
use limn_services::{Actor, Services};
use serde::Deserialize;
use tower_sessions::Session;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get, rename))
        .routes(routes!(change_password))
        .routes(routes!(sign_in, sign_out))
}

/// Who am I
///
/// The person of the session or the owner of the token.
#[utoipa::path(get, path = "/me", tag = "me", responses((status = 200, description = "You", body = Me)))]
async fn get(Caller(actor): Caller) -> Api<Json<Me>> {
    Ok(Json(actor.me()?.clone()))
}

#[derive(Debug, Deserialize, ToSchema)]
struct Rename {
    /// 1 to 120 characters.
    name: String,
}

/// Change the own name
#[utoipa::path(patch, path = "/me", tag = "me", request_body = Rename, responses((status = 200, description = "You", body = Me)))]
async fn rename(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<Rename>,
) -> Api<Json<Me>> {
    Ok(Json(services.auth.rename(&actor, &input.name).await?))
}

/// Change the own password
///
/// Ends all other sessions.
#[utoipa::path(post, path = "/me/password", tag = "me", request_body = ChangePassword, responses((status = 204, description = "Changed")))]
async fn change_password(
    State(services): State<Services>,
    Caller(actor): Caller,
    Extension(session): Extension<Session>,
    Json(input): Json<ChangePassword>,
) -> Api<StatusCode> {
    let epoch = services.auth.change_password(&actor, input).await?;
    if let Actor::User(me) = &actor {
        session::sign_in(&session, me, epoch).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Sign in
///
/// For browsers: answers with a session cookie. Programs use an API token instead.
#[utoipa::path(post, path = "/session", tag = "me", security(()), request_body = SignIn, responses((status = 200, description = "Signed in", body = Me)))]
async fn sign_in(
    State(services): State<Services>,
    Extension(client): Extension<Client>,
    Extension(session): Extension<Session>,
    Caller(actor): Caller,
    Json(input): Json<SignIn>,
) -> Api<Json<Me>> {
    if matches!(actor, Actor::Token { .. }) {
        return Err(Failure::new(
            Code::WrongState,
            "Sign in without an Authorization header.",
        ));
    }
    let (me, epoch) = services.auth.sign_in(&client.ip.to_string(), input).await?;
    session::sign_in(&session, &me, epoch).await?;
    Ok(Json(me))
}

/// Sign out
#[utoipa::path(delete, path = "/session", tag = "me", responses((status = 204, description = "Signed out")))]
async fn sign_out(Extension(session): Extension<Session>) -> Api<StatusCode> {
    session::sign_out(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}
