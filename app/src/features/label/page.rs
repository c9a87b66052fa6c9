//! The page's frame: what the server renders, and where the workspace starts in the browser.

use crate::ui::ErrorView;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use limn_domain::{ApiError, ItemId, ProjectId};

/// `/projects/:id/label` takes items from the queue, `/projects/:id/label/:item` opens one.
#[component]
pub fn LabelPage() -> impl IntoView {
    let params = use_params_map();
    let ready = RwSignal::new(false);
    // After hydration: the workspace needs the browser's database, canvas and keys.
    Effect::new(move |_| ready.set(true));
    let target = Memo::new(move |_| {
        let (project, item) = params.with(|p| (p.get("id"), p.get("item")));
        let project: Option<ProjectId> = project.and_then(|p| p.parse().ok());
        let item: Option<Result<ItemId, _>> = item.filter(|i| !i.is_empty()).map(|i| i.parse());
        match (project, item) {
            (Some(project), None) => Ok((project, None)),
            (Some(project), Some(Ok(item))) => Ok((project, Some(item))),
            (None, _) => Err(ApiError::not_found("project")),
            (_, Some(Err(_))) => Err(ApiError::not_found("item")),
        }
    });
    view! {
        <leptos_meta::Title text="Label"/>
        {move || match target.get() {
            Err(e) => view! { <main class="label-gone"><ErrorView error=crate::error::AppError(e)/></main> }.into_any(),
            Ok((project, item)) if ready.get() => workspace(project, item),
            Ok(_) => view! { <Frame/> }.into_any(),
        }}
    }
}

#[cfg(feature = "hydrate")]
fn workspace(project: ProjectId, item: Option<ItemId>) -> AnyView {
    view! { <super::workspace::Workspace project item/> }.into_any()
}

#[cfg(not(feature = "hydrate"))]
fn workspace(_: ProjectId, _: Option<ItemId>) -> AnyView {
    view! { <Frame/> }.into_any()
}

/// The empty workspace, in the places of the real one.
#[component]
pub(super) fn Frame() -> impl IntoView {
    view! {
        <main class="label" aria-busy="true" aria-label="Loading the label page">
            <header class="label__top"></header>
            <div class="label__rail"></div>
            <div class="label__stage"></div>
            <div class="label__side"></div>
            <div class="label__film"></div>
        </main>
    }
}
