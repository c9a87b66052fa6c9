//! Who makes the request: the owner of the API token, the session's person, or nobody.

use super::csrf::has_bearer;
use crate::error::Failure;
use crate::session;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use http::{HeaderMap, header};
use limn_domain::Code;
use limn_services::Actor;
use limn_services::auth::TOKEN_PREFIX;
use tower_sessions::Session;

/// Puts the [`Actor`] into the request's extensions. A token that does not stand is refused, never passed over.
pub async fn resolve(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let given = if has_bearer(request.headers()) {
        Some(bearer(request.headers()))
    } else {
        basic(request.headers()).map(Ok)
    };
    let actor = if let Some(given) = given {
        match given {
            Ok(secret) => state
                .services
                .auth
                .token_actor(&secret)
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

fn bearer(headers: &HeaderMap) -> Result<String, Failure> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split_once(' '))
        .and_then(|(_, secret)| readable(secret))
        .ok_or_else(|| {
            Failure::new(
                Code::SignInRequired,
                "The Authorization header holds no API token; write it as `Bearer limn_...`.",
            )
        })
}

/// The token as the password of HTTP's basic authentication, for programs that know nothing else; the name is free. Any other
/// password is for somebody else, such as a proxy before us that hands the header on.
fn basic(headers: &HeaderMap) -> Option<String> {
    let (scheme, text) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (_, password) = decoded.split_once(':')?;
    readable(password).filter(|p| p.starts_with(TOKEN_PREFIX))
}

fn readable(secret: &str) -> Option<String> {
    Some(secret.trim())
        .filter(|s| !s.is_empty() && s.len() <= 200)
        .map(str::to_owned)
}
