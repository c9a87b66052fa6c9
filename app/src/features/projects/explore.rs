//! `/projects/:id/explore`: the items of a project by what is known of them.

mod acts;
mod behind;
mod make;
mod results;

use super::api;
use super::layout::{ProjectCtx, use_project};
use crate::explore::{
    Filters, Frame, Indexing, Order, Tools, Views, follow_question, found, in_address, use_first,
    use_question, use_views,
};
use crate::ui::{Button, Card, EmptyState, Glyph, IconButton, Select, Skeleton, use_toasts};
use acts::Acts;
use behind::Behind;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::ItemId;
use limn_domain::authz::Action;
use limn_domain::explore::{ExploreFilter, ExploreQuery};
use limn_domain::item::ItemWithAnnotations;
use limn_domain::item_explore::{ItemChoice, ItemsAnswer, ItemsFound};
use limn_domain::job::Job;
use results::Results;
use std::collections::BTreeSet;
use std::sync::Arc;

type Row = Arc<ItemWithAnnotations>;

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Explorer {
    ctx: ProjectCtx,
    /// What the address says.
    query: Memo<ExploreQuery>,
    change: Callback<ExploreQuery>,
    /// The first page with its counts.
    page: RwSignal<ItemsFound>,
    /// The filter that it answers: another one than the address says while an answer is awaited, or did not come.
    answered: RwSignal<ExploreFilter>,
    /// All items that are shown.
    rows: RwSignal<Vec<Row>>,
    /// The job that takes in what has changed, while that is much.
    job: RwSignal<Option<Job>>,
    /// Goes up when the same question has another answer.
    again: RwSignal<u32>,
    selected: RwSignal<BTreeSet<ItemId>>,
}

impl Explorer {
    fn new(
        ctx: ProjectCtx,
        query: Memo<ExploreQuery>,
        change: Callback<ExploreQuery>,
        answered: ExploreFilter,
        mut page: ItemsFound,
        job: Option<Job>,
    ) -> Self {
        Self {
            ctx,
            query,
            change,
            rows: RwSignal::new(rows_of(&mut page)),
            page: RwSignal::new(page),
            answered: RwSignal::new(answered),
            job: RwSignal::new(job),
            again: RwSignal::new(0),
            selected: RwSignal::default(),
        }
    }

    fn show(&self, question: ExploreQuery, mut page: ItemsFound, job: Option<Job>) {
        self.answered.set(question.filter);
        self.rows.set(rows_of(&mut page));
        self.page.set(page);
        // One that is being followed does.
        if job.is_none() || self.job.with_untracked(Option::is_none) {
            self.job.set(job);
        }
    }

    /// Asks once more, if the page is still there.
    fn ask_again(&self) {
        self.again.try_update(|n| *n += 1);
    }

    fn filters(&self) -> Filters {
        let page = self.page;
        Filters {
            query: self.query,
            change: self.change,
            facets: Memo::new(move |_| page.with(|p| p.facets.clone())),
            columns: Memo::new(move |_| page.with(|p| p.columns.clone())),
        }
    }

    /// What an action is about: those selected, or all that were found, which are those that are counted.
    fn choice(&self) -> ItemChoice {
        ItemChoice {
            filter: self.answered.get_untracked(),
            items: self.selected.with_untracked(|s| s.iter().copied().collect()),
        }
    }

    /// How many that are.
    fn chosen(&self) -> i64 {
        match self.selected.with(BTreeSet::len) {
            0 => self.page.with(|p| p.matched),
            n => n as i64,
        }
    }
}

fn rows_of(page: &mut ItemsFound) -> Vec<Row> {
    std::mem::take(&mut page.rows).into_iter().map(Arc::new).collect()
}

/// `/projects/:id/explore?q={...}`
#[component]
pub fn ExploreTab() -> impl IntoView {
    let ctx = use_project();
    let query = use_question();
    let navigate = use_navigate();
    let change = Callback::new(move |query: ExploreQuery| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        let mut to = ctx.href("/explore");
        if let Some(q) = in_address(&query) {
            to = format!("{to}?{q}");
        }
        navigate(&to, options);
    });
    let first = use_first(query, change, move |q| api::explore_items(ctx.id, q));
    view! {
        <Suspense fallback=move || view! { <Card><Skeleton lines=8/></Card> }>
            {move || Suspend::new(async move {
                match first.answer.await {
                    Ok(ItemsAnswer { page: Some(page), job }) => {
                        let question = first.question();
                        let e = Explorer::new(ctx, query, change, question.filter, page, job);
                        view! { <Page e/> }.into_any()
                    }
                    Ok(ItemsAnswer { job: Some(job), .. }) => {
                        let again = first.again();
                        let then = "Filters and counts are there when that is done, and follow every change from then on.";
                        view! { <Indexing job what="project" then again/> }.into_any()
                    }
                    Ok(_) => ().into_any(),
                    Err(error) => first.failed(error),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Page(e: Explorer) -> impl IntoView {
    let of = e.filters();
    let views = use_views(
        move || api::explore_views(e.ctx.id),
        move |input| api::explore_save_view(e.ctx.id, input),
        move |view| api::explore_delete_view(e.ctx.id, view),
        untrack(|| e.ctx.may(Action::ManageProject)),
        "everybody who may see the project",
    );
    let toasts = use_toasts();
    let busy = follow_question(
        e.query,
        e.again,
        move || e.rows.with_untracked(Vec::len),
        move |query| api::explore_items(e.ctx.id, query),
        move |question, answer: ItemsAnswer| {
            if let Some(page) = answer.page {
                e.show(question, page, answer.job);
            } else {
                toasts.info("The project is being indexed again; what is shown is from before.");
                e.job.set(answer.job);
            }
        },
    );
    // Files came in, or something was done to many items.
    Effect::new(move |before: Option<u32>| {
        let now = e.ctx.uploader.version.get();
        if before.is_some_and(|b| b != now) {
            e.ask_again();
        }
        now
    });
    let as_table = RwSignal::new("grid".to_owned());
    let count = Signal::derive(move || e.page.with(|p| found(p.matched, p.total, "item", "items")));
    let any = Memo::new(move |_| e.page.with(|p| p.matched > 0));
    let empty = Memo::new(move |_| e.page.with(|p| p.total == 0));
    let is_text = e.ctx.project.with_untracked(|p| p.summary.task.is_text());
    let label = if is_text {
        "Part of a name or text"
    } else {
        "Part of a name"
    };
    let acts = ViewFn::from(move || view! { <Show when=move || any.get()><Acts e/></Show> });
    view! {
        <Tools of label>
            <Order of first="By name"/>
            <Select
                value=as_table
                options=vec![("grid".to_owned(), "Grid".to_owned()), ("table".to_owned(), "Table".to_owned())]
                label="Show as"
            />
            <Views of views/>
            <IconButton glyph=Glyph::Refresh label="Count again" on_click=move || e.ask_again()/>
        </Tools>
        <Frame of busy count acts>
            <Behind e/>
            <Show
                when=move || any.get()
                fallback=move || view! {
                    <Card>
                        <Show
                            when=move || empty.get()
                            fallback=move || view! {
                                <EmptyState glyph=Glyph::Search title="No item passes" text="Take a filter away, or widen its bounds.">
                                    <Button on_click=move || e.change.run(ExploreQuery::default())>"Clear all filters"</Button>
                                </EmptyState>
                            }
                        >
                            <EmptyState glyph=Glyph::Search title="Nothing to look through yet" text="Here you find items by category, state, who labeled them, attributes and more. Add some first.">
                                <Button href=e.ctx.href("/items")>"Go to the items"</Button>
                            </EmptyState>
                        </Show>
                    </Card>
                }
            >
                <Results e as_table=Signal::derive(move || as_table.with(|v| v == "table"))/>
            </Show>
        </Frame>
    }
}
