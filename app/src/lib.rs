//! Limn's pages and server functions, by feature.
//!
//! Compiled twice: `ssr` renders on the server, `hydrate` runs in the browser.
#![recursion_limit = "256"]

#[cfg(feature = "ssr")]
pub mod context;
pub mod data;
pub mod error;
pub mod fmt;
pub mod session;
pub mod ui;

use leptos::prelude::*;
use leptos_meta::{provide_meta_context, MetaTags, Title};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body><App/></body>
        </html>
    }
}

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title text="Limn"/>
        <Router>
            <Routes fallback=|| "Not found">
                <Route path=path!("/") view=Hello/>
            </Routes>
        </Router>
    }
}

#[component]
fn Hello() -> impl IntoView {
    let (count, set_count) = signal(0);
    view! { <button on:click=move |_| set_count.update(|n| *n += 1)>"Count " {count}</button> }
}
