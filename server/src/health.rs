//! Whether the process lives, whether it can serve, and what it counts.

use crate::error::Api;
use crate::rest::extract::Caller;
use crate::state::AppState;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use limn_domain::Action;
use limn_domain::job::JobState;
use limn_services::{Actor, Services, authz};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers and its schema is current; 503 otherwise and while shutting down.
pub async fn ready(State(state): State<AppState>) -> Response {
    readiness(&state.services, state.is_stopping()).await
}

/// The two of a process that runs jobs only.
pub fn of_worker(services: Services, stop: CancellationToken) -> Router {
    let ready = move || {
        let (services, stop) = (services.clone(), stop.clone());
        async move { readiness(&services, stop.is_cancelled()).await }
    };
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
}

async fn readiness(services: &Services, is_stopping: bool) -> Response {
    let (status, reason) = if is_stopping {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down")
    } else {
        match services.context.db.is_current().await {
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
