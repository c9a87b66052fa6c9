//! The public API, `/api/v1`: one file a noun. A handler takes a request apart, calls one use case and answers; the
//! same text describes it in the OpenAPI document, so that no route can miss it.

pub mod activities;
pub mod annotations;
pub mod assets;
pub mod assist;
pub mod catalogue;
pub mod categories;
pub mod datasets;
pub mod datastores;
pub mod docs;
pub mod exports;
pub mod extract;
pub mod imports;
pub mod invitations;
pub mod item_explore;
pub mod items;
pub mod jobs;
pub mod me;
pub mod members;
pub mod models;
pub mod profiles;
pub mod projects;
pub mod queue;
pub mod runs;
pub mod search;
pub mod sources;
mod spec;
pub mod tokens;
pub mod trainings;
pub mod uploads;
pub mod users;
pub mod versions;

use crate::error::Failure;
use crate::middleware::limit;
use crate::state::AppState;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn;
use http::StatusCode;
use limn_domain::Code;
use utoipa_axum::router::OpenApiRouter;

/// Where the API lives.
pub const PREFIX: &str = "/api/v1";

/// An answer to a `POST` that made something.
pub type Made<T> = (StatusCode, extract::Json<T>);

/// Something was made: 201.
pub const fn made<T>(value: T) -> Made<T> {
    (StatusCode::CREATED, extract::Json(value))
}

/// A job was queued: 202.
pub const fn accepted<T>(value: T) -> Made<T> {
    (StatusCode::ACCEPTED, extract::Json(value))
}

/// Adds the shape of a job's result, which no operation names, to the description.
fn describe<T: utoipa::ToSchema>(spec: &mut utoipa::openapi::OpenApi) {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    let components = spec.components.get_or_insert_default();
    components.schemas.extend(schemas);
}

/// The routes and their description.
pub fn router() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let ordinary = OpenApiRouter::new()
        .merge(me::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(tokens::router())
        .merge(projects::router())
        .merge(members::router())
        .merge(categories::router())
        .merge(items::router())
        .merge(item_explore::router())
        .merge(annotations::router())
        .merge(queue::router())
        .merge(uploads::router())
        .merge(imports::router())
        .merge(exports::router())
        .merge(jobs::router())
        .merge(activities::router())
        .merge(search::router())
        .merge(datasets::router())
        .merge(catalogue::router())
        .merge(datastores::router())
        .merge(sources::router())
        .merge(profiles::router())
        .merge(assist::router())
        .merge(versions::router())
        .merge(runs::router())
        .merge(models::router())
        .merge(trainings::router())
        .layer(DefaultBodyLimit::max(limit::BODY_BYTES))
        .layer(from_fn(limit::time));
    let streams = OpenApiRouter::new()
        .merge(items::streams())
        .merge(uploads::streams())
        .merge(assets::streams())
        .merge(exports::streams())
        .merge(versions::streams())
        .merge(runs::streams())
        .merge(models::streams())
        .layer(DefaultBodyLimit::disable());
    let (router, spec) = OpenApiRouter::with_openapi(spec::base())
        .nest(PREFIX, ordinary.merge(streams))
        .split_for_parts();
    let router = router
        .merge(docs::router())
        .method_not_allowed_fallback(wrong_method);
    (router, spec::finish(spec))
}

async fn wrong_method(request: Request) -> (StatusCode, axum::Json<limn_domain::ApiError>) {
    let Failure(error) = Failure::new(
        Code::BadRequest,
        format!(
            "{} does not work here; the methods are at /api/docs.",
            request.method().as_str().chars().take(20).collect::<String>()
        ),
    );
    (StatusCode::METHOD_NOT_ALLOWED, axum::Json(error))
}
