//! Limn's pages and server functions, by feature.
//!
//! Compiled twice: `ssr` renders on the server, `hydrate` runs in the browser. Nothing here knows the database or the
//! stores of bytes: server functions parse, call one service method and map the result.
#![recursion_limit = "512"]

#[cfg(feature = "ssr")]
pub mod context;
pub mod data;
pub mod error;
pub mod explore;
pub mod features;
pub mod fmt;
mod handle;
pub mod job;
pub mod pages;
pub mod pulse;
pub mod session;
pub mod ui;
pub mod upload;

use features::{auth, home, projects, queue, shell};
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use leptos_meta::MetaTags;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

/// The document around the app. The theme comes from a cookie, so that the first paint is right.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = session::theme_of_request();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.as_str()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="preload" href="/fonts/inter-latin.woff2" r#as="font" type="font/woff2" crossorigin="anonymous"/>
                <leptos_meta::HashedStylesheet options=options.clone() id="leptos"/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The whole app: what every page shares, and the route table.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    session::provide_session();
    ui::provide();
    pulse::provide_pulse();
    shell::provide();
    let title = |t: String| {
        if t.is_empty() {
            "Limn".to_owned()
        } else {
            format!("{t} \u{b7} Limn")
        }
    };
    view! {
        <Title formatter=title/>
        <Router>
            <Pages/>
            <shell::Overlays/>
        </Router>
    }
}

/// The route table. Pages render whole on the server: the status is right, and nothing flickers in afterwards.
#[component]
fn Pages() -> impl IntoView {
    view! {
        <Routes fallback=shell::Lost>
            <Route path=path!("/sign-in") view=auth::SignInPage ssr=SsrMode::Async/>
            <Route path=path!("/setup") view=auth::SetupPage ssr=SsrMode::Async/>
            <Route path=path!("/invite") view=auth::InvitePage ssr=SsrMode::Async/>
            // Full screen, outside the studio's frame.
            <ParentRoute path=path!("") view=shell::FullScreen ssr=SsrMode::Async>
                <Route path=path!("/projects/:id/label/:item?") view={Lazy::<pages::Label>::new()} ssr=SsrMode::Async/>
            </ParentRoute>
            <ParentRoute path=path!("") view=shell::Studio ssr=SsrMode::Async>
                <Route path=path!("/") view=home::HomePage ssr=SsrMode::Async/>
                <Route path=path!("/queue") view=queue::QueuePage ssr=SsrMode::Async/>
                <Route path=path!("/projects") view=projects::ProjectsPage ssr=SsrMode::Async/>
                <Route path=path!("/projects/new") view={Lazy::<pages::NewProject>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("/projects/:id") view={Lazy::<pages::Project>::new()} ssr=SsrMode::Async>
                    <Route path=path!("") view={Lazy::<pages::Overview>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/items") view={Lazy::<pages::Items>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/items/:item/similar") view={Lazy::<pages::Alike>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/explore") view={Lazy::<pages::ExploreItems>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/categories") view={Lazy::<pages::Categories>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/sources") view={Lazy::<pages::Sources>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/assist") view={Lazy::<pages::Assist>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/members") view={Lazy::<pages::Members>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/instructions") view={Lazy::<pages::Instructions>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings") view={Lazy::<pages::Settings>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("/data") view={Lazy::<pages::Datasets>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/data/new") view={Lazy::<pages::NewDataset>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/data/catalogue") view={Lazy::<pages::OpenDatasets>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/data/catalogue/:slug") view={Lazy::<pages::OpenDataset>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("/data/:id") view={Lazy::<pages::Dataset>::new()} ssr=SsrMode::Async>
                    <Route path=path!("") view={Lazy::<pages::Versions>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/files") view={Lazy::<pages::Files>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/explore") view={Lazy::<pages::Explore>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/profile") view={Lazy::<pages::Profile>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/compare") view={Lazy::<pages::Compare>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/lineage") view={Lazy::<pages::Lineage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/consume") view={Lazy::<pages::Consume>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings") view={Lazy::<pages::DatasetSettings>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("/experiments") view={Lazy::<pages::Experiments>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/experiments/:id") view={Lazy::<pages::Runs>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/experiments/:id/compare") view={Lazy::<pages::CompareRuns>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("/runs/:id") view={Lazy::<pages::Run>::new()} ssr=SsrMode::Async>
                    <Route path=path!("") view={Lazy::<pages::RunOverview>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/charts") view={Lazy::<pages::RunCharts>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/system") view={Lazy::<pages::RunSystem>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/files") view={Lazy::<pages::RunFiles>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("/train") view={Lazy::<pages::Train>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/models") view={Lazy::<pages::Models>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/models/:model_name") view={Lazy::<pages::Model>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/models/:model_name/versions/:number") view={Lazy::<pages::ModelVersion>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/datastores") view={Lazy::<pages::Datastores>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/datastores/new") view={Lazy::<pages::NewDatastore>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/datastores/:id") view={Lazy::<pages::Datastore>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/account") view={Lazy::<pages::Account>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/people") view={Lazy::<pages::People>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/jobs") view={Lazy::<pages::Jobs>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/jobs/:id") view={Lazy::<pages::Job>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/ui") view={Lazy::<pages::Gallery>::new()} ssr=SsrMode::Async/>
            </ParentRoute>
        </Routes>
    }
}
