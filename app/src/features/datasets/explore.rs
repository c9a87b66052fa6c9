//! `/data/:id/explore`: the files of a version by what is known of them.

mod make;
mod map;
mod results;
mod similar;
mod tags;
mod views;

use super::api;
use super::layout::{DatasetCtx, NoVersion, use_dataset};
use super::profile::Running;
use super::shape::encode;
use crate::data::use_load;
use crate::explore::{Active, Facets, Filters, Views, edit};
use crate::fmt;
use crate::pulse::use_pulse;
use crate::ui::{
    Button, Card, EmptyState, ErrorView, Glyph, Icon, Notice, Select, Skeleton, TextInput, Tone, debounce,
    use_hotkey_when, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::VersionId;
use limn_domain::authz::Action;
use limn_domain::dataset::{Entry, Version};
use limn_domain::explore::{BY_PATH, ExploreAnswer, ExploreFilter, ExplorePage, ExploreQuery, ROWS_MAX};
use limn_domain::job::{Job, JobState};
use make::MakeDialog;
use map::MapView;
use results::Results;
use similar::{Looking, use_similar_key};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tags::TagDialog;
use views::views;

const TYPING_PAUSE: Duration = Duration::from_millis(250);
/// Files of a page.
const PAGE: i64 = 60;
/// The order of likeness, in the list of orders.
const BY_LIKENESS: &str = "like";
/// The ways to show files.
const GRID: &str = "grid";
const TABLE: &str = "table";
const MAP: &str = "map";

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Explorer {
    ctx: DatasetCtx,
    version: VersionId,
    /// What the address says.
    query: Memo<ExploreQuery>,
    change: Callback<ExploreQuery>,
    /// The first page with its counts.
    page: RwSignal<ExplorePage>,
    /// All files that are shown.
    rows: RwSignal<Vec<Entry>>,
    /// Their tags, by path.
    tags: RwSignal<BTreeMap<String, Vec<String>>>,
    /// How far they are from the one that they are to be like, by path.
    distances: RwSignal<BTreeMap<String, f32>>,
    /// The job that looks at the pictures, while they cannot be compared.
    looking: RwSignal<Option<Job>>,
    /// The file under the pointer, or with the focus.
    at: RwSignal<Option<String>>,
    /// Goes up when the same question has another answer.
    again: RwSignal<u32>,
    /// Paths that are selected.
    selected: RwSignal<BTreeSet<String>>,
    /// `grid`, `table` or `map`.
    show: RwSignal<String>,
    /// The facet that gives the map its colours, where somebody has chosen one.
    color: RwSignal<String>,
}

impl Explorer {
    /// Shows a first page; `job` is what looks at the pictures for it.
    fn show(&self, page: ExplorePage, job: Option<Job>) {
        self.rows.set(page.rows.clone());
        self.tags.set(page.tags.clone());
        self.distances.set(page.distances.clone());
        self.page.set(page);
        // One that is being followed does for all questions.
        if job.is_none() || self.looking.with_untracked(Option::is_none) {
            self.looking.set(job);
        }
    }

    /// Puts those first that are like a file, or goes back to the other order.
    fn like(&self, path: Option<String>) {
        let query = ExploreQuery {
            like: path,
            ..self.query.get_untracked()
        };
        self.change.run(query);
    }

    /// Asks once more, if the page is still there.
    fn ask_again(&self) {
        self.again.try_update(|n| *n += 1);
    }

    fn filter(&self, f: impl FnOnce(&mut ExploreFilter)) {
        edit(self.query, self.change, f);
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
}

/// `/data/:id/explore?version=3&q={...}&view=map&color=split`
#[component]
pub fn ExploreTab() -> impl IntoView {
    let ctx = use_dataset();
    let params = use_query_map();
    let version = Memo::new(move |_| ctx.version(&params.with(|p| p.get("version")).unwrap_or_default()));
    let query = Memo::new(move |_| {
        params
            .with(|p| p.get("q"))
            .and_then(|text| serde_json::from_str::<ExploreQuery>(&text).ok())
            .unwrap_or_default()
    });
    let navigate = use_navigate();
    let named = |name: &str| params.with_untracked(|p| p.get(name)).unwrap_or_default();
    let show = RwSignal::new(shown_as(named("view")));
    let color = RwSignal::new(named("color"));
    let number = RwSignal::new(
        version
            .get_untracked()
            .map_or_else(String::new, |v| v.number.to_string()),
    );
    let go = Callback::new(move |(number, query): (String, ExploreQuery)| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        let mut to = format!("{}?version={number}", ctx.href("/explore"));
        if query != ExploreQuery::default() {
            let text = serde_json::to_string(&query).unwrap_or_default();
            to = format!("{to}&q={}", encode(&text));
        }
        let (view, color) = (show.get_untracked(), color.get_untracked());
        if view != GRID {
            to = format!("{to}&view={view}");
        }
        if !color.is_empty() {
            to = format!("{to}&color={}", encode(&color));
        }
        navigate(&to, options);
    });
    let change = Callback::new(move |q: ExploreQuery| go.run((number.get_untracked(), q)));
    Effect::new(move |before: Option<String>| {
        let now = number.get();
        if before.is_some_and(|b| b != now) {
            go.run((now.clone(), query.get_untracked()));
        }
        now
    });
    Effect::new(move |before: Option<(String, String)>| {
        let now = (show.get(), color.get());
        if before.is_some_and(|b| b != now) {
            change.run(query.get_untracked());
        }
        now
    });
    let id = Memo::new(move |_| version.with(|v| v.as_ref().map(|v| v.id)));
    view! {
        <Show when=move || id.get().is_some() fallback=move || view! { <NoVersion ctx/> }>
            {move || {
                id.track();
                version.get_untracked().map(|v| view! { <OfVersion ctx v number query change show color/> })
            }}
        </Show>
    }
}

#[component]
fn OfVersion(
    ctx: DatasetCtx,
    v: Version,
    number: RwSignal<String>,
    query: Memo<ExploreQuery>,
    change: Callback<ExploreQuery>,
    show: RwSignal<String>,
    color: RwSignal<String>,
) -> impl IntoView {
    let id = v.id;
    let pulse = use_pulse();
    let waits = RwSignal::new(true);
    let first = use_load(
        // While it is indexed, again whenever some job has ended.
        move || waits.get().then(|| pulse.finished.get()),
        move |_| api::version_explore(id, asked(query.get_untracked())),
    );
    view! {
        <Suspense fallback=move || view! { <Card><Skeleton lines=8/></Card> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(ExploreAnswer { page: Some(page), job }) => {
                        waits.try_set(false);
                        let e = Explorer {
                            ctx,
                            version: id,
                            query,
                            change,
                            rows: RwSignal::new(page.rows.clone()),
                            tags: RwSignal::new(page.tags.clone()),
                            distances: RwSignal::new(page.distances.clone()),
                            looking: RwSignal::new(job),
                            at: RwSignal::new(None),
                            page: RwSignal::new(page),
                            again: RwSignal::new(0),
                            selected: RwSignal::default(),
                            show,
                            color,
                        };
                        view! { <Page e number/> }.into_any()
                    }
                    Ok(ExploreAnswer { job: Some(job), .. }) if matches!(job.state, JobState::Failed | JobState::Cancelled) => view! {
                        <Notice tone=Tone::Bad>
                            "The version could not be indexed. "{job.error.clone()}" "
                            <a class="link" href=format!("/jobs/{}", job.id)>"See the job"</a>
                        </Notice>
                    }
                    .into_any(),
                    Ok(ExploreAnswer { job: Some(job), .. }) => view! {
                        <Notice>"The version is being indexed, once. Filters and counts are there when that is done."</Notice>
                        <Running job label="Index"/>
                    }
                    .into_any(),
                    Ok(_) => ().into_any(),
                    Err(error) => {
                        let reset = move || change.run(ExploreQuery::default());
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

#[component]
fn Page(e: Explorer, number: RwSignal<String>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let (of, views) = (e.filters(), views(e));
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
                let answer = api::version_explore(e.version, wanted).await;
                if turn.try_get_value() != Some(mine) {
                    return;
                }
                busy.set(false);
                match answer {
                    Ok(ExploreAnswer {
                        page: Some(page),
                        job,
                    }) => e.show(page, job),
                    Ok(_) => toasts.info("The version is being indexed again; try once more in a moment."),
                    Err(error) => toasts.error(&error),
                }
            });
        }
        now
    });
    let text = RwSignal::new(e.query.with_untracked(|q| q.filter.text.clone()));
    Effect::new(move |_| {
        let now = e.query.with(|q| q.filter.text.clone());
        if text.with_untracked(|t| t.trim() != now) {
            text.set(now);
        }
    });
    let mut search = debounce(TYPING_PAUSE, move |typed: String| {
        e.filter(|f| typed.trim().clone_into(&mut f.text));
    });
    Effect::new(move |before: Option<String>| {
        let now = text.get();
        if before.is_some_and(|b| b != now) {
            search(now.clone());
        }
        now
    });
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
            if column == BY_LIKENESS {
                return now;
            }
            let mut q = e.query.get_untracked();
            q.like = None;
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
            ("path up".to_owned(), "By path".to_owned()),
            ("path down".to_owned(), "By path, last first".to_owned()),
        ];
        e.page.with(|p| {
            for c in &p.columns {
                all.push((format!("{} down", c.name), format!("{}, most first", c.label)));
                all.push((format!("{} up", c.name), format!("{}, least first", c.label)));
            }
        });
        let now = e.query.with(sort_text);
        if e.query.with(|q| q.like.is_some()) {
            all.insert(0, (now.clone(), "Most alike first".to_owned()));
        }
        // One that is set stays one of them.
        if !all.iter().any(|(v, _)| *v == now) {
            all.push((now.clone(), now));
        }
        all
    });
    let is_map = Memo::new(move |_| e.show.with(|v| v == MAP));
    let making = RwSignal::new(false);
    let tagging = RwSignal::new(false);
    let may_tag = e.ctx.may(Action::AddVersions);
    use_hotkey_when(
        "t",
        "Tag the selected files, or all that were found",
        move || may_tag && e.page.with_untracked(|p| p.matched > 0),
        move || tagging.set(true),
    );
    use_similar_key(e);
    let shows = RwSignal::new(false);
    let count = move || {
        e.page.with(|p| {
            if p.matched == p.total {
                fmt::counted(p.total, "file", "files")
            } else {
                format!(
                    "{} of {}",
                    fmt::count(p.matched),
                    fmt::counted(p.total, "file", "files")
                )
            }
        })
    };
    view! {
        <div class="toolbar">
            <Select value=number options=Signal::derive(move || e.ctx.options()) label="Version"/>
            <div class="toolbar__search">
                <TextInput value=text icon=Glyph::Search placeholder="Part of a path" label="Part of a path"/>
            </div>
            <Select value=sort options=sorts label="Order"/>
            <Select
                value=e.show
                options=vec![
                    (GRID.to_owned(), "Grid".to_owned()),
                    (TABLE.to_owned(), "Table".to_owned()),
                    (MAP.to_owned(), "Map".to_owned()),
                ]
                label="Show as"
            />
            <Views of views/>
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
                    <Show when=move || may_tag && e.page.with(|p| p.matched > 0)>
                        <Button icon=Glyph::Tag kbd="T" on_click=move || tagging.set(true)>
                            {move || match e.selected.with(BTreeSet::len) {
                                0 => "Tag these".to_owned(),
                                n => format!("Tag {n} selected"),
                            }}
                        </Button>
                    </Show>
                    <Show when=move || e.page.with(|p| p.matched > 0)>
                        <Button icon=Glyph::Plus on_click=move || making.set(true)>
                            {move || match e.selected.with(BTreeSet::len) {
                                0 => "New version of these".to_owned(),
                                n => format!("New version of {n} selected"),
                            }}
                        </Button>
                    </Show>
                </div>
                <Looking e/>
                <Show when=move || is_map.get()><MapView e/></Show>
                <Show
                    when=move || is_map.get() || e.page.with(|p| p.matched > 0)
                    fallback=move || view! {
                        <Card>
                            <EmptyState glyph=Glyph::Search title="No file passes" text="Take a filter away, or widen its bounds.">
                                <Button on_click=move || e.change.run(ExploreQuery::default())>"Clear all filters"</Button>
                            </EmptyState>
                        </Card>
                    }
                >
                    <Show when=move || !is_map.get()>
                        <Results e as_table=Signal::derive(move || e.show.with(|v| v == TABLE))/>
                    </Show>
                </Show>
            </div>
        </div>
        <MakeDialog e open=making/>
        <TagDialog e open=tagging/>
    }
}

/// One of the ways to show files; the grid for anything else.
fn shown_as(view: String) -> String {
    if view == TABLE || view == MAP {
        view
    } else {
        GRID.to_owned()
    }
}

fn sort_text(q: &ExploreQuery) -> String {
    if q.like.is_some() {
        return format!("{BY_LIKENESS} up");
    }
    let column = q.sort.as_deref().unwrap_or(BY_PATH);
    format!("{column} {}", if q.descending { "down" } else { "up" })
}
