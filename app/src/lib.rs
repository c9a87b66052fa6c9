//! Limn's pages and server functions, by feature.
//!
//! Compiled twice: `ssr` renders on the server, `hydrate` runs in the browser. Nothing here knows the database or the
//! stores of bytes: server functions parse, call one service method and map the result.
#![recursion_limit = "512"]

#[cfg(feature = "ssr")]
pub mod context;
pub mod data;
pub mod error;
pub mod features;
pub mod fmt;
mod handle;
pub mod pages;
pub mod pulse;
pub mod session;
pub mod ui;

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
                <ParentRoute path=path!("/projects/:id") view=projects::ProjectLayout ssr=SsrMode::Async>
                    <Route path=path!("") view=projects::OverviewTab ssr=SsrMode::Async/>
                    <Route path=path!("/items") view={Lazy::<pages::Items>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/categories") view={Lazy::<pages::Categories>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/members") view={Lazy::<pages::Members>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/instructions") view={Lazy::<pages::Instructions>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings") view={Lazy::<pages::Settings>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("/account") view={Lazy::<pages::Account>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/people") view={Lazy::<pages::People>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/jobs") view={Lazy::<pages::Jobs>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/jobs/:id") view={Lazy::<pages::Job>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/ui") view={Lazy::<pages::Gallery>::new()} ssr=SsrMode::Async/>
            </ParentRoute>
        </Routes>
    }
}
