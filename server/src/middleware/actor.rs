//! Who makes the request: the owner of the API token, the session's person, or nobody.

use super::csrf::has_bearer;
use crate::error::Failure;
use crate::session;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use limn_domain::Code;
use limn_services::Actor;
use tower_sessions::Session;

/// Puts the [`Actor`] into the request's extensions. A token that does not stand is refused, never passed over.
pub async fn resolve(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let actor = if has_bearer(request.headers()) {
        match bearer(request.headers()) {
            Ok(secret) => state
                .services
                .auth
                .token_actor(secret)
                .await
                .map_err(Failure::from),
            Err(e) => Err(e),
        }
    } else {
        match request.extensions().get::<Session>().cloned() {
            Some(session) => session::actor(&state, &session).await,
            None => Ok(Actor::Anonymous),
        }
    };
    match actor {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(e) => e.into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Failure> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split_once(' '))
        .map(|(_, secret)| secret.trim())
        .filter(|secret| !secret.is_empty() && secret.len() <= 200)
        .ok_or_else(|| {
            Failure::new(
                Code::SignInRequired,
                "The Authorization header holds no API token; write it as `Bearer limn_...`.",
            )
        })
}
