//! `/projects/:id/explore`: the items of a project by what is known of them.

mod acts;
mod indexing;
mod make;
mod results;
mod views;

use super::api;
use super::layout::{ProjectCtx, use_project};
use crate::data::use_load;
use crate::explore::{Active, Facets, Filters, Views, edit};
use crate::fmt;
use crate::ui::{
    Button, Card, EmptyState, ErrorView, Glyph, Icon, IconButton, Select, Skeleton, TextInput, debounce,
    use_toasts,
};
use acts::Acts;
use indexing::{Behind, Indexing};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::ItemId;
use limn_domain::explore::{BY_PATH, ExploreQuery, ROWS_MAX};
use limn_domain::item::ItemWithAnnotations;
use limn_domain::item_explore::{ItemChoice, ItemsAnswer, ItemsFound};
use limn_domain::job::Job;
use results::Results;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use views::views;

const TYPING_PAUSE: Duration = Duration::from_millis(250);
/// Items of a page.
const PAGE: i64 = 60;

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
        mut page: ItemsFound,
        job: Option<Job>,
    ) -> Self {
        Self {
            ctx,
            query,
            change,
            rows: RwSignal::new(rows_of(&mut page)),
            page: RwSignal::new(page),
            job: RwSignal::new(job),
            again: RwSignal::new(0),
            selected: RwSignal::default(),
        }
    }

    fn show(&self, mut page: ItemsFound, job: Option<Job>) {
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

    /// What an action is about: those selected, or all that were found.
    fn choice(&self) -> ItemChoice {
        ItemChoice {
            filter: self.query.with_untracked(|q| q.filter.clone()),
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
    let params = use_query_map();
    let query = Memo::new(move |_| {
        params
            .with(|p| p.get("q"))
            .and_then(|text| serde_json::from_str::<ExploreQuery>(&text).ok())
            .unwrap_or_default()
    });
    let navigate = use_navigate();
    let change = Callback::new(move |query: ExploreQuery| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        let mut to = ctx.href("/explore");
        if query != ExploreQuery::default() {
            let text = serde_json::to_string(&query).unwrap_or_default();
            to = format!("{to}?q={}", fmt::encode(&text));
        }
        navigate(&to, options);
    });
    // What is asked in the place of a question that cannot be answered.
    let instead = RwSignal::new(None::<ExploreQuery>);
    let first = use_load(
        move || instead.get(),
        move |q| api::explore_items(ctx.id, asked(q.unwrap_or_else(|| query.get_untracked()))),
    );
    view! {
        <Suspense fallback=move || view! { <Card><Skeleton lines=8/></Card> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(ItemsAnswer { page: Some(page), job }) => {
                        let e = Explorer::new(ctx, query, change, page, job);
                        view! { <Page e/> }.into_any()
                    }
                    Ok(ItemsAnswer { job: Some(job), .. }) => {
                        let again = Callback::new(move |()| first.refetch());
                        view! { <Indexing job again/> }.into_any()
                    }
                    Ok(_) => ().into_any(),
                    Err(error) => {
                        let reset = move || {
                            change.run(ExploreQuery::default());
                            instead.set(Some(ExploreQuery::default()));
                        };
                        view! {
                            <ErrorView error retry=move || first.refetch()/>
                            <p class="data-more"><Button on_click=reset>"Clear all filters"</Button></p>
                        }
                        .into_any()
                    }
                }
            })}
        </Suspense>
    }
}

fn asked(query: ExploreQuery) -> ExploreQuery {
    ExploreQuery {
        offset: 0,
        limit: Some(PAGE),
        rows_only: false,
        ..query
    }
}

/// Asks again when the question or its answer is another.
fn follow_question(e: Explorer, busy: RwSignal<bool>) {
    let toasts = use_toasts();
    // Only the newest question's answer is shown.
    let turn = StoredValue::new(0_u64);
    Effect::new(move |before: Option<(ExploreQuery, u32)>| {
        let now = (e.query.get(), e.again.get());
        if let Some(before) = before.filter(|b| *b != now) {
            turn.update_value(|t| *t += 1);
            let mine = turn.get_value();
            busy.set(true);
            let mut wanted = asked(now.0.clone());
            if before.0 == now.0 {
                // What somebody has scrolled to stays where it is.
                let shown = e.rows.with_untracked(Vec::len) as i64;
                wanted.limit = Some(shown.clamp(PAGE, ROWS_MAX));
            }
            spawn_local(async move {
                let answer = api::explore_items(e.ctx.id, wanted).await;
                if turn.try_get_value() != Some(mine) {
                    return;
                }
                busy.set(false);
                match answer {
                    Ok(ItemsAnswer {
                        page: Some(page),
                        job,
                    }) => e.show(page, job),
                    Ok(ItemsAnswer { job, .. }) => {
                        toasts.info("The project is being indexed again; what is shown is from before.");
                        e.job.set(job);
                    }
                    Err(error) => toasts.error(&error),
                }
            });
        }
        now
    });
    // Files came in, or something was done to many items.
    Effect::new(move |before: Option<u32>| {
        let now = e.ctx.uploader.version.get();
        if before.is_some_and(|b| b != now) {
            e.ask_again();
        }
        now
    });
}

#[component]
fn Page(e: Explorer) -> impl IntoView {
    let busy = RwSignal::new(false);
    let (of, views) = (e.filters(), views(e));
    follow_question(e, busy);
    let as_table = RwSignal::new("grid".to_owned());
    let shows = RwSignal::new(false);
    let count = move || {
        e.page.with(|p| {
            let all = fmt::counted(p.total, "item", "items");
            if p.matched == p.total {
                all
            } else {
                format!("{} of {all}", fmt::count(p.matched))
            }
        })
    };
    let any = Memo::new(move |_| e.page.with(|p| p.matched > 0));
    let empty = Memo::new(move |_| e.page.with(|p| p.total == 0));
    view! {
        <div class="toolbar">
            <Search e/>
            <Order e/>
            <Select
                value=as_table
                options=vec![("grid".to_owned(), "Grid".to_owned()), ("table".to_owned(), "Table".to_owned())]
                label="Show as"
            />
            <Views of views/>
            <IconButton glyph=Glyph::Refresh label="Count again" on_click=move || e.ask_again()/>
        </div>
        <div class="explore" class:is-open=move || shows.get()>
            <aside class="explore__side" aria-label="Filters">
                <button type="button" class="btn explore__toggle" aria-expanded=move || shows.get().to_string() on:click=move |_| shows.update(|s| *s = !*s)>
                    <Icon glyph=Glyph::Filter/>"Filters"
                </button>
                <div class="explore__filters"><Facets of/></div>
            </aside>
            <div class="explore__main" aria-busy=move || busy.get().to_string()>
                <div class="explore__head">
                    <p class="explore__count" role="status">{count}</p>
                    <Active of/>
                    <span class="grow"></span>
                    <Show when=move || any.get()><Acts e/></Show>
                </div>
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
            </div>
        </div>
    }
}

/// Part of a name, asked for when typing pauses.
#[component]
fn Search(e: Explorer) -> impl IntoView {
    let text = RwSignal::new(e.query.with_untracked(|q| q.filter.text.clone()));
    Effect::new(move |_| {
        let now = e.query.with(|q| q.filter.text.clone());
        if text.with_untracked(|t| t.trim() != now) {
            text.set(now);
        }
    });
    let mut search = debounce(TYPING_PAUSE, move |typed: String| {
        edit(e.query, e.change, |f| typed.trim().clone_into(&mut f.text));
    });
    Effect::new(move |before: Option<String>| {
        let now = text.get();
        if before.is_some_and(|b| b != now) {
            search(now.clone());
        }
        now
    });
    let is_text = e.ctx.project.with_untracked(|p| p.summary.task.is_text());
    let label = if is_text {
        "Part of a name or text"
    } else {
        "Part of a name"
    };
    view! {
        <div class="toolbar__search">
            <TextInput value=text icon=Glyph::Search placeholder=label label=label/>
        </div>
    }
}

#[component]
fn Order(e: Explorer) -> impl IntoView {
    let sort = RwSignal::new(e.query.with_untracked(sort_text));
    Effect::new(move |_| {
        let now = e.query.with(sort_text);
        if sort.with_untracked(|s| *s != now) {
            sort.set(now);
        }
    });
    Effect::new(move |before: Option<String>| {
        let now = sort.get();
        if before.is_some_and(|b| b != now) {
            let (column, down) = now.split_once(' ').unwrap_or((BY_PATH, "up"));
            let mut q = e.query.get_untracked();
            q.sort = (column != BY_PATH).then(|| column.to_owned());
            q.descending = down == "down";
            if q != e.query.get_untracked() {
                e.change.run(q);
            }
        }
        now
    });
    let sorts = Signal::derive(move || {
        let mut all = vec![
            ("path up".to_owned(), "By name".to_owned()),
            ("path down".to_owned(), "By name, last first".to_owned()),
        ];
        e.page.with(|p| {
            for c in &p.columns {
                let (most, least) = if c.unit == limn_domain::item_explore::DAYS {
                    ("latest first", "earliest first")
                } else {
                    ("most first", "least first")
                };
                all.push((format!("{} down", c.name), format!("{}, {most}", c.label)));
                all.push((format!("{} up", c.name), format!("{}, {least}", c.label)));
            }
        });
        let now = e.query.with(sort_text);
        // One that is set stays one of them.
        if !all.iter().any(|(v, _)| *v == now) {
            all.push((now.clone(), now));
        }
        all
    });
    view! { <Select value=sort options=sorts label="Order"/> }
}

fn sort_text(q: &ExploreQuery) -> String {
    let column = q.sort.as_deref().unwrap_or(BY_PATH);
    format!("{column} {}", if q.descending { "down" } else { "up" })
}
