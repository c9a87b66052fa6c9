//! What every handler can reach.

use crate::config::Config;
use crate::front::Site;
use crate::metrics::Metrics;
use axum::extract::FromRef;
use limn_app::context::PageModules;
use limn_services::Services;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub services: Services,
    pub config: Arc<Config>,
    pub site: Site,
    /// None before the front end is built.
    pub page_modules: Option<Arc<PageModules>>,
    pub leptos: leptos::config::LeptosOptions,
    pub metrics: Metrics,
    /// The API's description, as JSON.
    pub openapi: Arc<utoipa::openapi::OpenApi>,
    /// The object store that pages may put parts of uploads into, if there is one.
    pub store_origin: Option<Arc<str>>,
    /// What answers S3 clients.
    pub s3: s3s::service::S3Service,
    stopping: Arc<AtomicBool>,
}

impl AppState {
    pub fn new(services: Services, config: Arc<Config>, openapi: Arc<utoipa::openapi::OpenApi>) -> Self {
        let site = Site::find(&config);
        let leptos = site.leptos_options(&config);
        let from_pages = config.bucket.as_ref().is_some_and(|b| b.browser_uploads);
        let origin = services.uploads.store_origin().filter(|_| from_pages);
        Self {
            store_origin: origin.map(Arc::from),
            s3: crate::s3::service(&services),
            services,
            config,
            page_modules: site.page_modules().map(Arc::new),
            site,
            leptos,
            metrics: Metrics::default(),
            openapi,
            stopping: Arc::default(),
        }
    }

    /// From here on `/readyz` says no, so that a balancer sends nothing more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

impl FromRef<AppState> for Services {
    fn from_ref(state: &AppState) -> Self {
        state.services.clone()
    }
}

impl FromRef<AppState> for leptos::config::LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
