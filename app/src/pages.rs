//! Pages that a first visit seldom opens, in modules of their own: the browser fetches one when it first shows a
//! page of it.
//!
//! A page from the server names its module twice: in `Link` headers, so that the files come along with the rest, and
//! in its body, so that the module is there before the page is hydrated. (Hydrating while it is on its way would
//! let signals change under markup that is not taken over yet.)
//!
//! Few modules on purpose: code that several share becomes one more file for each combination.

use crate::features::{
    account, datasets, datastores, experiments, gallery, jobs, label, models, people, projects, training,
};
use crate::ui::{Button, Glyph, Icon, Variant};
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::LazyRoute;

macro_rules! lazy_pages {
    ($(#[$doc:meta])* $load:ident, $preload:ident, $which:ident { $($route:ident => $page:path,)* }) => {
        #[derive(Clone, Copy)]
        enum $which {
            $($route,)*
        }

        $(#[$doc])*
        #[wasm_split($load, wasm_split_path = leptos::wasm_split, preload($preload), fallible)]
        fn $load(which: $which) -> Result<AnyView, SplitLoaderError> {
            let page = match which {
                $($which::$route => $page().into_any(),)*
            };
            let whole = view! {
                {page}
                <Mark module=stringify!($load)/>
            };
            Ok(whole.into_any())
        }

        $(
            pub struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    match $load($which::$route).await {
                        Ok(page) => page,
                        Err(_) => view! { <Missing/> }.into_any(),
                    }
                }

                async fn preload() {
                    // What fails now is tried again, and shown, when the page is.
                    let _ = $preload().await;
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

/// Stands for a page whose module did not come: there is no network, or the server is newer than this tab and no
/// longer has the files that go with it. Loading the document again mends both.
#[component]
fn Missing() -> impl IntoView {
    let reload = move || {
        let _ = location().reload();
    };
    view! {
        <leptos_meta::Title text="Not loaded"/>
        <div class="empty empty--page" role="alert">
            <span class="empty__icon"><Icon glyph=Glyph::WifiOff size=22/></span>
            <h1 class="empty__title">"This page could not be loaded"</h1>
            <p class="empty__text">
                "You may be offline, or Limn was upgraded while this tab was open. What you made is kept; load the page again."
            </p>
            <div class="empty__actions">
                <Button variant=Variant::Primary icon=Glyph::Refresh on_click=reload>"Load again"</Button>
            </div>
        </div>
    }
}

/// Fetches the module of the page that the document shows, if it is in one. When it does not come, the page says so
/// and stays as the server wrote it: false.
#[cfg(feature = "hydrate")]
pub async fn fetch_shown() -> bool {
    let shown = document()
        .query_selector("template[data-page-module]")
        .ok()
        .flatten()
        .and_then(|mark| mark.get_attribute("data-page-module"));
    let came = match shown.as_deref() {
        Some("desk") => __preload_desk().await.is_ok(),
        Some("manage") => __preload_manage().await.is_ok(),
        Some("data") => __preload_data().await.is_ok(),
        Some("track") => __preload_track().await.is_ok(),
        Some("office") => __preload_office().await.is_ok(),
        _ => true,
    };
    if !came && let Some(body) = document().body() {
        let bar = "<p class=\"offline is-on\" role=\"alert\"><span>This page did not load completely.</span> \
                   <a class=\"link\" href=\"\">Load again</a></p>";
        let _ = body.insert_adjacent_html("beforeend", bar);
    }
    came
}

lazy_pages! {
    /// The canvas and all around it.
    desk, __preload_desk, Desk {
        Label => label::LabelPage,
    }
}

lazy_pages! {
    /// Making and keeping a project: all its pages, with what goes into it and comes out of it.
    manage, __preload_manage, Manage {
        NewProject => projects::NewProjectPage,
        Project => projects::ProjectLayout,
        Overview => projects::OverviewTab,
        Items => projects::ItemsTab,
        Alike => projects::AlikeTab,
        ExploreItems => projects::ExploreTab,
        Categories => projects::CategoriesTab,
        Assist => projects::AssistTab,
        Members => projects::MembersTab,
        Sources => projects::SourcesTab,
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

lazy_pages! {
    /// Datasets and their versions, and datastores.
    data, __preload_data, Data {
        Datasets => datasets::DatasetsPage,
        NewDataset => datasets::NewDatasetPage,
        OpenDatasets => datasets::OpenDatasetsPage,
        OpenDataset => datasets::RecordPage,
        Dataset => datasets::DatasetLayout,
        Versions => datasets::VersionsTab,
        Files => datasets::FilesTab,
        Explore => datasets::ExploreTab,
        Profile => datasets::ProfileTab,
        Compare => datasets::CompareTab,
        Lineage => datasets::LineageTab,
        Consume => datasets::ConsumeTab,
        DatasetSettings => datasets::SettingsTab,
        Datastores => datastores::DatastoresPage,
        NewDatastore => datastores::NewDatastorePage,
        Datastore => datastores::DatastorePage,
    }
}

lazy_pages! {
    /// Experiments, runs and registered models.
    track, __preload_track, Track {
        Experiments => experiments::ExperimentsPage,
        Runs => experiments::RunsPage,
        CompareRuns => experiments::ComparePage,
        Run => experiments::RunLayout,
        RunOverview => experiments::OverviewTab,
        RunCharts => experiments::ChartsTab,
        RunSystem => experiments::SystemTab,
        RunFiles => experiments::FilesTab,
        Train => training::TrainPage,
        Models => models::ModelsPage,
        Model => models::ModelPage,
        ModelVersion => models::VersionPage,
    }
}
