//! The API's description: as OpenAPI for programs, as a page for people. The page needs no script and nothing from
//! elsewhere.

mod page;
mod schema;

use crate::state::AppState;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, header};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/docs", get(docs))
        .route("/api/docs/style.css", get(async || style()))
}

/// `GET /api/v1/openapi.json`
async fn openapi(State(state): State<AppState>) -> Response {
    Json(state.openapi.as_ref()).into_response()
}

/// `GET /api/docs`
async fn docs(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let spec = serde_json::to_value(state.openapi.as_ref()).unwrap_or_default();
    Html(page::render(&spec, theme(&headers))).into_response()
}

/// `GET /api/docs/style.css`
fn style() -> impl IntoResponse {
    (
        [
            (header::CONTENT_TYPE, "text/css; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=3600"),
        ],
        include_str!("docs/style.css"),
    )
}

/// The theme chosen in the studio.
fn theme(headers: &HeaderMap) -> &'static str {
    let cookies = headers
        .get(header::COOKIE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let chosen = cookies
        .split(';')
        .find_map(|c| c.trim().strip_prefix("limn_theme="));
    match chosen {
        Some("dark") => "dark",
        Some("light") => "light",
        _ => "system",
    }
}
