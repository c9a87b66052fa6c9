//! Whether the process lives, whether it can serve, and what it counts.

use crate::error::Api;
use crate::rest::extract::Caller;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use limn_domain::Action;
use limn_domain::job::JobState;
use limn_services::{Actor, authz};
use serde_json::json;

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers and its schema is current; 503 otherwise and while shutting down.
pub async fn ready(State(state): State<AppState>) -> Response {
    let (status, reason) = if state.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down")
    } else {
        match state.services.context.db.is_current().await {
            Ok(true) => (StatusCode::OK, "ready"),
            Ok(false) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database's schema is not current; run `limn migrate`",
            ),
            Err(e) => {
                tracing::warn!(error = %e, "not ready");
                (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
            }
        }
    };
    (status, Json(json!({ "status": reason }))).into_response()
}

/// `GET /metrics`: for admins, by session or API token, because route names and counts tell about the work.
pub async fn metrics(State(state): State<AppState>, Caller(actor): Caller) -> Api<Response> {
    authz::require(&actor, Action::SeeServer)?;
    let active = state
        .services
        .jobs
        .list(&Actor::System, None, true, None, Some(200))
        .await?
        .rows;
    let count = |wanted| active.iter().filter(|j| j.state == wanted).count() as i64;
    let up = state.services.context.db.is_current().await.unwrap_or(false);
    let text = state.metrics.render(&[
        (
            "limn_jobs_queued",
            "Jobs waiting, at most 200.",
            count(JobState::Queued),
        ),
        (
            "limn_jobs_running",
            "Jobs running, at most 200.",
            count(JobState::Running),
        ),
        (
            "limn_database_up",
            "Whether the database answers and is current.",
            i64::from(up),
        ),
    ]);
    Ok((
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response())
}
