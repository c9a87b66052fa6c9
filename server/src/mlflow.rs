//! The tracking and registry protocol of the field's Python client (MLflow), at the paths it uses, so that it works
//! unmodified: `MLFLOW_TRACKING_URI` is this server's address, `MLFLOW_TRACKING_TOKEN` an API token.
//!
//! Handlers take a request apart, call one use case and answer in the protocol's shapes (docs/adr/0015). Empty lists are
//! left out, numbers that are not finite are texts, ids are texts, and errors carry the codes clients switch on.

mod artifacts;
mod error;
mod experiments;
mod fields;
mod logged;
mod registry;
mod runs;
mod versions;
mod wire;

pub use error::reshape;

use crate::middleware::limit;
use crate::state::AppState;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{delete, get, patch, post, put};
use axum::{Json, Router};

/// The version of the protocol whose conversation this follows; clients ask for it before they use newer parts.
const PROTOCOL: &str = "3.17.2";

macro_rules! routes {
    ($(#[$doc:meta])* $list:ident, $router:ident: $($method:ident $path:literal => $handler:expr;)*) => {
        $(#[$doc])*
        pub const $list: &[(&str, &str)] = &[$((stringify!($method), $path),)*];

        fn $router() -> Router<AppState> {
            Router::new()$(.route($path, $method($handler)))*
        }
    };
}

routes! {
    /// Method and path below `/api/2.0/mlflow`, and below `/api/2.0/preview/mlflow` for old clients.
    TRACKING, tracking:
    get "/experiments/get-by-name" => experiments::by_name;
    get "/experiments/get" => experiments::get;
    post "/experiments/create" => experiments::create;
    post "/experiments/search" => experiments::search;
    get "/experiments/search" => experiments::search;
    post "/experiments/update" => experiments::update;
    post "/experiments/delete" => experiments::delete;
    post "/experiments/restore" => experiments::restore;
    post "/experiments/set-experiment-tag" => experiments::set_tag;
    post "/experiments/delete-experiment-tag" => experiments::delete_tag;
    post "/runs/create" => runs::create;
    get "/runs/get" => runs::get;
    post "/runs/update" => runs::update;
    post "/runs/delete" => runs::delete;
    post "/runs/restore" => runs::restore;
    post "/runs/search" => runs::search;
    post "/runs/log-metric" => runs::log_metric;
    post "/runs/log-parameter" => runs::log_param;
    post "/runs/log-batch" => runs::log_batch;
    post "/runs/set-tag" => runs::set_tag;
    post "/runs/delete-tag" => runs::delete_tag;
    post "/runs/log-inputs" => runs::log_inputs;
    post "/runs/outputs" => runs::log_outputs;
    post "/runs/log-model" => runs::log_model;
    get "/metrics/get-history" => runs::history;
    get "/metrics/get-history-bulk-interval" => runs::history_bulk;
    get "/artifacts/list" => artifacts::of_run;
    post "/logged-models" => logged::create;
    post "/logged-models/search" => logged::search;
    get "/logged-models/{model_id}" => logged::get;
    patch "/logged-models/{model_id}" => logged::finalize;
    delete "/logged-models/{model_id}" => logged::delete;
    post "/logged-models/{model_id}/params" => logged::log_params;
    patch "/logged-models/{model_id}/tags" => logged::set_tags;
    delete "/logged-models/{model_id}/tags/{key}" => logged::delete_tag;
    get "/logged-models/{model_id}/artifacts/directories" => artifacts::of_model;
    post "/registered-models/create" => registry::create;
    post "/registered-models/rename" => registry::rename;
    patch "/registered-models/update" => registry::update;
    delete "/registered-models/delete" => registry::delete;
    get "/registered-models/get" => registry::get;
    get "/registered-models/search" => registry::search;
    get "/registered-models/get-latest-versions" => registry::latest;
    post "/registered-models/get-latest-versions" => registry::latest;
    post "/registered-models/set-tag" => registry::set_tag;
    delete "/registered-models/delete-tag" => registry::delete_tag;
    post "/registered-models/alias" => registry::set_alias;
    delete "/registered-models/alias" => registry::delete_alias;
    get "/registered-models/alias" => registry::by_alias;
    post "/model-versions/create" => versions::create;
    patch "/model-versions/update" => versions::update;
    post "/model-versions/transition-stage" => versions::stage;
    delete "/model-versions/delete" => versions::delete;
    get "/model-versions/get" => versions::get;
    get "/model-versions/search" => versions::search;
    get "/model-versions/get-download-uri" => versions::download_uri;
    post "/model-versions/set-tag" => versions::set_tag;
    delete "/model-versions/delete-tag" => versions::delete_tag;
}

routes! {
    /// Method and path below `/api/2.0/mlflow-artifacts` whose bodies are small.
    FILES, files:
    get "/artifacts" => artifacts::list;
    get "/artifacts/{*path}" => artifacts::download;
    delete "/artifacts/{*path}" => artifacts::delete;
    post "/mpu/create/{*path}" => artifacts::create_parts;
    post "/mpu/complete/{*path}" => artifacts::complete_parts;
    post "/mpu/abort/{*path}" => artifacts::abort_parts;
}

routes! {
    /// Method and path below `/api/2.0/mlflow-artifacts` whose bodies are streams.
    STREAMS, streams:
    put "/artifacts/{*path}" => artifacts::upload;
    put "/mpu/part/{id}/{secret}/{number}" => artifacts::put_part;
}

routes! {
    /// Method and whole path of what tells clients about this server.
    ABOUT, about:
    get "/api/3.0/mlflow/server-info" => server_info;
    get "/version" => async || PROTOCOL;
    get "/health" => async || "OK";
}

/// Where the protocol lives.
pub const TRACKING_PREFIXES: [&str; 2] = ["/api/2.0/mlflow", "/api/2.0/preview/mlflow"];
pub const FILES_PREFIX: &str = "/api/2.0/mlflow-artifacts";

pub fn router() -> Router<AppState> {
    let mut ordinary = Router::new().merge(about());
    for prefix in TRACKING_PREFIXES {
        ordinary = ordinary.nest(prefix, tracking());
    }
    let ordinary = ordinary
        .nest(FILES_PREFIX, files())
        .layer(DefaultBodyLimit::max(limit::BODY_BYTES))
        .layer(from_fn(limit::time));
    ordinary.nest(FILES_PREFIX, streams().layer(DefaultBodyLimit::disable()))
}

/// Whether a path belongs to the protocol.
fn is_ours(path: &str) -> bool {
    ["/api/2.0/", "/api/3.0/"].iter().any(|p| path.starts_with(p))
}

/// What this server can do, for clients that ask before they use it.
async fn server_info() -> impl IntoResponse {
    Json(serde_json::json!({
        "store_type": "LimnStore",
        "workspaces_enabled": false,
        "trace_archival_enabled": false,
        "multipart_uploads_enabled": true,
        "multipart_downloads_enabled": false,
        "presigned_upload_run_id_supported": false,
        "presigned_upload_model_id_supported": false,
        "features_enabled": { "gateway": false },
    }))
}
