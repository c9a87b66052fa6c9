//! A project's items: filter, grid, bulk actions.

pub mod alike;
pub mod bulk;
pub mod filter;
pub mod grid;
pub mod pages;
pub mod selection;
pub mod thumb;
pub mod toolbar;
pub mod window;

use super::api;
use super::layout::use_project;
use crate::data::use_load;
use crate::ui::{Button, EmptyState, ErrorView, Glyph, Variant};
use grid::Grid;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::authz::Action;
use limn_domain::item::ItemQuery;
use limn_domain::project::Media;
use toolbar::Toolbar;

/// `/projects/:id/items`
#[component]
pub fn ItemsTab() -> impl IntoView {
    let ctx = use_project();
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(|p| filter::from_params(|name| p.get(name))));
    let total = RwSignal::new(None::<usize>);
    let navigate = use_navigate();
    let path = ctx.href("/items");
    let change = Callback::new(move |q: ItemQuery| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&format!("{path}{}", filter::to_search(&q)), options);
    });
    let first = use_load(
        move || query.get(),
        move |q| {
            let q = ItemQuery {
                limit: Some(pages::PAGE as i64),
                ..q
            };
            api::item_list(ctx.id, q)
        },
    );
    view! {
        <Toolbar ctx query change total/>
        <Transition fallback=BlankGrid>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(page) if page.rows.is_empty() => {
                        let again = Callback::new(move |()| first.refetch());
                        view! { <NoItems query change again/> }.into_any()
                    },
                    Ok(page) => view! { <Grid ctx query=query.get_untracked() first=page total/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || first.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn BlankGrid() -> impl IntoView {
    view! {
        <ul class="items-grid" aria-busy="true" aria-label="Loading">
            {(0..15).map(|_| view! { <grid::Blank/> }).collect_view()}
        </ul>
    }
}

#[component]
fn NoItems(query: Memo<ItemQuery>, change: Callback<ItemQuery>, again: Callback<()>) -> impl IntoView {
    let ctx = use_project();
    let media = ctx.project.with_untracked(|p| p.summary.task.media());
    // What is being sent, or brought by a job, shows by itself.
    Effect::new(move |before: Option<u32>| {
        let now = ctx.uploader.version.get();
        if before.is_some_and(|b| b != now) {
            again.run(());
        }
        now
    });
    let filtered = Memo::new(move |_| query.with(filter::is_filtered));
    view! {
        <div class="card">
            <Show
                when=move || filtered.get()
                fallback=move || view! {
                    <EmptyState
                        glyph=if media == Media::Text { Glyph::File } else { Glyph::Images }
                        title=format!("No {} yet", media.nouns().1)
                        text="Drop files or a whole folder anywhere on this page, or choose them."
                    >
                        {move || ctx.may(Action::ManageItems).then(|| view! {
                            <Button variant=Variant::Primary icon=Glyph::Upload on_click=move || ctx.upload_open.set(true)>
                                {format!("Upload {}", media.nouns().1)}
                            </Button>
                        })}
                    </EmptyState>
                }
            >
                <EmptyState glyph=Glyph::Filter title="No item matches" text="Nothing in this project fits all of these filters.">
                    <Button on_click=move || change.run(ItemQuery { sort: query.with_untracked(|q| q.sort), ..ItemQuery::default() })>
                        "Clear the filters"
                    </Button>
                </EmptyState>
            </Show>
        </div>
    }
}
