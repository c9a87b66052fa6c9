//! Pages that a first visit seldom opens, in modules of their own: the browser fetches one when it first shows a
//! page of it.
//!
//! A page from the server names its module twice: in `Link` headers, so that the files come along with the rest, and
//! in its body, so that the module is there before the page is hydrated. (Hydrating while it is on its way would
//! let signals change under markup that is not taken over yet.)
//!
//! Few modules on purpose: code that several share becomes one more file for each combination.

use crate::features::{account, gallery, jobs, label, people, projects};
use leptos::prelude::*;
use leptos_router::LazyRoute;

macro_rules! lazy_pages {
    ($(#[$doc:meta])* $load:ident, $preload:ident, $which:ident { $($route:ident => $page:path,)* }) => {
        #[derive(Clone, Copy)]
        enum $which {
            $($route,)*
        }

        $(#[$doc])*
        #[leptos::lazy]
        fn $load(which: $which) -> AnyView {
            let page = match which {
                $($which::$route => $page().into_any(),)*
            };
            view! {
                {page}
                <Mark module=stringify!($load)/>
            }
            .into_any()
        }

        $(
            pub struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    $load($which::$route).await
                }

                async fn preload() {
                    #[cfg(target_arch = "wasm32")]
                    $preload().await;
                }
            }
        )*
    };
}

/// Says which module the page is in.
#[component]
fn Mark(module: &'static str) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::context::will_need(module);
    view! { <template data-page-module=module></template> }
}

/// Fetches the module of the page that the document shows, if it is in one.
#[cfg(feature = "hydrate")]
pub async fn fetch_shown() {
    let shown = document()
        .query_selector("template[data-page-module]")
        .ok()
        .flatten()
        .and_then(|mark| mark.get_attribute("data-page-module"));
    #[cfg(target_arch = "wasm32")]
    match shown.as_deref() {
        Some("desk") => __preload_desk().await,
        Some("manage") => __preload_manage().await,
        Some("office") => __preload_office().await,
        _ => {}
    }
    #[cfg(not(target_arch = "wasm32"))]
    drop(shown);
}

lazy_pages! {
    /// The canvas and all around it.
    desk, __preload_desk, Desk {
        Label => label::LabelPage,
    }
}

lazy_pages! {
    /// Making and keeping a project.
    manage, __preload_manage, Manage {
        NewProject => projects::NewProjectPage,
        Items => projects::ItemsTab,
        Categories => projects::CategoriesTab,
        Members => projects::MembersTab,
        Instructions => projects::InstructionsTab,
        Settings => projects::SettingsTab,
    }
}

lazy_pages! {
    /// The workspace and one's own account.
    office, __preload_office, Office {
        Account => account::AccountPage,
        People => people::PeoplePage,
        Jobs => jobs::JobsPage,
        Job => jobs::JobPage,
        Gallery => gallery::GalleryPage,
    }
}
