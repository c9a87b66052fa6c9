//! `/data/:id/explore`: the files of a version by what is known of them.

mod make;
mod map;
mod results;
mod similar;
mod tags;

use super::api;
use super::layout::{DatasetCtx, NoVersion, use_dataset};
use super::shape::encode;
use crate::data::use_load;
use crate::explore::{
    Filters, Frame, Indexing, Order, Tools, Views, follow_question, found, in_address, use_first,
    use_question, use_views,
};
use crate::ui::{Button, Card, EmptyState, Glyph, Select, Skeleton, use_hotkey_when, use_toasts};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::VersionId;
use limn_domain::authz::Action;
use limn_domain::dataset::{Entry, Version, VersionSchema};
use limn_domain::explore::{ExploreAnswer, ExploreFilter, ExplorePage, ExploreQuery};
use limn_domain::job::Job;
use make::MakeDialog;
use map::MapView;
use results::Results;
use similar::{Looking, use_similar_key};
use std::collections::{BTreeMap, BTreeSet};
use tags::TagDialog;

/// The ways to show files.
const GRID: &str = "grid";
const TABLE: &str = "table";
const MAP: &str = "map";

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Explorer {
    ctx: DatasetCtx,
    version: VersionId,
    /// The categories of the version with their colours; none where they could not be read.
    schema: StoredValue<Option<VersionSchema>>,
    /// What the address says.
    query: Memo<ExploreQuery>,
    change: Callback<ExploreQuery>,
    /// The first page with its counts.
    page: RwSignal<ExplorePage>,
    /// The filter that it answers: another one than the address says while an answer is awaited, or did not come.
    answered: RwSignal<ExploreFilter>,
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
    /// Shows the first page of a question; `job` is what looks at the pictures for it.
    fn show(&self, question: ExploreQuery, page: ExplorePage, job: Option<Job>) {
        self.answered.set(question.filter);
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
    let query = use_question();
    let navigate = use_navigate();
    let named = |name: &str| params.with_untracked(|p| p.get(name)).unwrap_or_default();
    let show = RwSignal::new(shown_as(named("view")));
    let color = RwSignal::new(named("color"));
    // That of the address; the list of versions follows it, and leads to another one when somebody chooses.
    let shown =
        Memo::new(move |_| version.with(|v| v.as_ref().map_or_else(String::new, |v| v.number.to_string())));
    let number = RwSignal::new(shown.get_untracked());
    let go = Callback::new(move |(number, query): (String, ExploreQuery)| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        let mut to = format!("{}?version={number}", ctx.href("/explore"));
        if let Some(q) = in_address(&query) {
            to = format!("{to}&{q}");
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
    let change = Callback::new(move |q: ExploreQuery| go.run((shown.get_untracked(), q)));
    Effect::new(move |_| {
        let now = shown.get();
        if number.with_untracked(|n| *n != now) {
            number.set(now);
        }
    });
    Effect::new(move |before: Option<String>| {
        let now = number.get();
        if before.is_some_and(|b| b != now) && now != shown.get_untracked() {
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
    let first = use_first(query, change, move |q| api::version_explore(id, q));
    // Read here, and not where it is shown: what loads within what loads must not have anything behind it.
    let schema = use_load(move || id, api::version_schema);
    view! {
        <Suspense fallback=move || view! { <Card><Skeleton lines=8/></Card> }>
            {move || Suspend::new(async move {
                let schema = schema.await.ok();
                match first.answer.await {
                    Ok(ExploreAnswer { page: Some(page), job }) => {
                        let question = first.question();
                        let e = Explorer {
                            ctx,
                            version: id,
                            schema: StoredValue::new(schema),
                            query,
                            change,
                            rows: RwSignal::new(page.rows.clone()),
                            tags: RwSignal::new(page.tags.clone()),
                            distances: RwSignal::new(page.distances.clone()),
                            looking: RwSignal::new(job),
                            at: RwSignal::new(None),
                            page: RwSignal::new(page),
                            answered: RwSignal::new(question.filter),
                            again: RwSignal::new(0),
                            selected: RwSignal::default(),
                            show,
                            color,
                        };
                        view! { <Page e number/> }.into_any()
                    }
                    Ok(ExploreAnswer { job: Some(job), .. }) => {
                        let again = first.again();
                        let then = "Filters and counts are there when that is done.";
                        view! { <Indexing job what="version" then again/> }.into_any()
                    }
                    Ok(_) => ().into_any(),
                    Err(error) => first.failed(error),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Page(e: Explorer, number: RwSignal<String>) -> impl IntoView {
    let of = e.filters();
    let may_tag = e.ctx.may(Action::AddVersions);
    let views = use_views(
        move || api::dataset_views(e.ctx.id),
        move |input| api::dataset_save_view(e.ctx.id, input),
        move |view| api::dataset_delete_view(e.ctx.id, view),
        may_tag,
        "everybody who may see the dataset",
    );
    let toasts = use_toasts();
    let busy = follow_question(
        e.query,
        e.again,
        move || e.rows.with_untracked(Vec::len),
        move |query| api::version_explore(e.version, query),
        move |question, answer: ExploreAnswer| match answer.page {
            Some(page) => e.show(question, page, answer.job),
            None => toasts.info("The version is being indexed again; try once more in a moment."),
        },
    );
    let is_map = Memo::new(move |_| e.show.with(|v| v == MAP));
    let any = Memo::new(move |_| e.page.with(|p| p.matched > 0));
    let making = RwSignal::new(false);
    let tagging = RwSignal::new(false);
    use_hotkey_when(
        "t",
        "Tag the selected files, or all that were found",
        move || may_tag && any.get_untracked(),
        move || tagging.set(true),
    );
    use_similar_key(e);
    let count = Signal::derive(move || e.page.with(|p| found(p.matched, p.total, "file", "files")));
    let acts = ViewFn::from(move || {
        view! {
            <Show when=move || may_tag && any.get()>
                <Button icon=Glyph::Tag kbd="T" on_click=move || tagging.set(true)>
                    {move || match e.selected.with(BTreeSet::len) {
                        0 => "Tag these".to_owned(),
                        n => format!("Tag {n} selected"),
                    }}
                </Button>
            </Show>
            <Show when=move || any.get()>
                <Button icon=Glyph::Plus on_click=move || making.set(true)>
                    {move || match e.selected.with(BTreeSet::len) {
                        0 => "New version of these".to_owned(),
                        n => format!("New version of {n} selected"),
                    }}
                </Button>
            </Show>
        }
    });
    view! {
        <Tools of label="Part of a path">
            <Select value=number options=Signal::derive(move || e.ctx.options()) label="Version"/>
            <Order of first="By path"/>
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
        </Tools>
        <Frame of busy count acts>
            <Looking e/>
            <Show when=move || is_map.get()><MapView e/></Show>
            <Show
                when=move || is_map.get() || any.get()
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
        </Frame>
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
