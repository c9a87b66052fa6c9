//! All routes in one router; `main` serves it, tests call it.

use crate::config::Config;
use crate::error::Failure;
use crate::middleware::{Nonce, actor, client, csrf, headers, limit, trace};
use crate::state::AppState;
use crate::{health, media, mlflow, rest, s3, session};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::request::Parts;
use http::{Method, StatusCode};
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes as _};
use limn_app::context::PageModules;
use limn_domain::Code;
use limn_services::{Actor, Services};
use std::sync::{Arc, OnceLock};

/// The state and the whole application over it.
pub fn build(services: Services, config: Config) -> (AppState, Router) {
    let (api, openapi) = rest::router();
    let state = AppState::new(services, Arc::new(config), Arc::new(openapi));
    let router = assemble(&state, api);
    (state, router)
}

/// The whole application.
pub fn build_router(services: Services, config: Config) -> Router {
    build(services, config).1
}

/// Middleware runs from the bottom of this list to its top.
fn assemble(state: &AppState, api: Router<AppState>) -> Router {
    let sessions = session::layer(
        &state.config,
        state.services.context.db.clone(),
        state.services.context.clock.clone(),
    );
    let personal = Router::new()
        .merge(api)
        .merge(media::router())
        .merge(mlflow::router())
        .merge(pages(state))
        .route("/metrics", get(health::metrics))
        .fallback(not_a_route)
        .layer(from_fn_with_state(state.clone(), actor::resolve))
        .layer(from_fn(csrf::same_origin))
        .layer(sessions)
        .layer(from_fn_with_state(state.clone(), static_files))
        .layer(from_fn(mlflow::reshape));
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(personal)
        .layer(from_fn_with_state(state.clone(), s3::clients))
        .layer(from_fn_with_state(state.clone(), client::client))
        .layer(from_fn_with_state(state.clone(), headers::security_headers))
        .layer(from_fn_with_state(state.clone(), trace::trace))
        .with_state(state.clone())
}

/// The pages and their server functions.
fn pages(state: &AppState) -> Router<AppState> {
    let options = state.leptos.clone();
    Router::new()
        .leptos_routes_with_context(
            state,
            page_routes(&state.services),
            page_context(&state.services, state.page_modules.clone()),
            move || limn_app::shell(options.clone()),
        )
        .layer(from_fn(limit::body))
        .layer(from_fn(limit::time))
}

/// The pages' routes, which the app itself lists, once in a process: while it lists them Leptos holds back
/// every resource in the process, and a page that another server of it renders meanwhile would never end.
fn page_routes(services: &Services) -> Vec<AxumRouteListing> {
    static ROUTES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();
    ROUTES
        .get_or_init(|| {
            let context = page_context(services, None);
            leptos_axum::generate_route_list_with_exclusions_and_ssg_and_context(limn_app::App, None, context)
                .0
        })
        .clone()
}

/// What pages and server functions alike find in their context.
fn page_context(
    services: &Services,
    modules: Option<Arc<PageModules>>,
) -> impl Fn() + Clone + Send + Sync + 'static + use<> {
    let services = services.clone();
    move || {
        if let Some(modules) = &modules {
            provide_context(Arc::clone(modules));
        }
        let parts = use_context::<Parts>();
        let extensions = parts.as_ref().map(|p| &p.extensions);
        if let Some(Nonce(nonce)) = extensions.and_then(|e| e.get::<Nonce>()) {
            provide_context(leptos::nonce::Nonce::from_value(Arc::clone(nonce)));
        }
        let actor = extensions.and_then(|e| e.get::<Actor>()).cloned();
        limn_app::context::provide(services.clone(), actor.unwrap_or(Actor::Anonymous));
    }
}

/// Files of the front end, for whatever no route takes. They need no session.
async fn static_files(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    if readable
        && request.extensions().get::<MatchedPath>().is_none()
        && let Some(response) = state.site.serve(request.uri().path(), request.headers()).await
    {
        return response;
    }
    next.run(request).await
}

/// Nothing there: JSON for programs, the app's own page for people.
async fn not_a_route(State(state): State<AppState>, request: Request<Body>) -> Response {
    let path = request.uri().path();
    let for_programs = ["/api/", "/ui/", "/media/", "/pkg/"]
        .iter()
        .any(|p| path.starts_with(p));
    if for_programs || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Failure::new(
            Code::NotFound,
            format!(
                "There is nothing at {} {}; the API is described at /api/docs.",
                request.method(),
                path.chars().take(200).collect::<String>()
            ),
        )
        .into_response();
    }
    let options = state.leptos.clone();
    let context = page_context(&state.services, state.page_modules.clone());
    let render =
        leptos_axum::render_app_async_with_context(context, move || limn_app::shell(options.clone()));
    let mut response = render(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// Path and method of every server function the pages have.
pub fn server_functions() -> impl Iterator<Item = (&'static str, Method)> {
    server_fn::axum::server_fn_paths()
}

/// Path of every page, with parameters in braces.
pub fn page_paths(services: &Services) -> Vec<String> {
    page_routes(services)
        .iter()
        .map(|r| r.path().to_owned())
        .collect()
}
