//! The table of an experiment's runs: columns, filter, order, pages, live. All of it stands in the address.

use super::columns::ColumnPicker;
use super::groups::{GroupPicker, Groups};
use super::parts::{FirstRun, StatusChip, at};
use super::{api, url};
use crate::data::{use_load, use_mutation};
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Card, ConfirmDialog, EmptyState, ErrorView, Glyph, Icon, IconButton, NotFound,
    Notice, PageHead, RelativeTime, Select, Skeleton, TextInput, Tone, use_toasts,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};
use limn_domain::RunId;
use limn_domain::authz::Action;
use limn_domain::filter;
use limn_domain::run::table::{Column, RunRow, RunRows, RunsQuery};
use limn_domain::run::{Experiment, ExperimentId, RunStatus, View};
use std::time::Duration;

/// Between two looks at runs that are under way.
const LOOK: Duration = Duration::from_secs(3);

/// `/experiments/:id`
#[component]
pub fn RunsPage() -> impl IntoView {
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|p| p.get_str("id").and_then(|s| s.parse::<ExperimentId>().ok())));
    move || match id.get() {
        Some(id) => view! { <Of id/> }.into_any(),
        None => view! { <NotFound/> }.into_any(),
    }
}

#[component]
fn Of(id: ExperimentId) -> impl IntoView {
    let experiment = use_load(move || id, api::experiment_get);
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=4/> }>
            {move || Suspend::new(async move {
                match experiment.await {
                    Ok(e) => view! { <Page e/> }.into_any(),
                    Err(error) if error.code == limn_domain::Code::NotFound => view! { <NotFound/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || experiment.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Page(e: Experiment) -> impl IntoView {
    let id = e.id;
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(|p| url::from_params(id, |name| p.get(name))));
    let navigate = use_navigate();
    let change = Callback::new(move |q: RunsQuery| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&format!("/experiments/{id}{}", url::to_search(&q)), options);
    });
    let rows = use_load(move || query.get(), api::run_list);
    let kept_name = StoredValue::new(e.name.clone());
    let grouped = Memo::new(move |_| query.with(|q| q.group.is_some()));
    let chosen = RwSignal::new(Vec::<RunId>::new());
    let columns = RwSignal::new(Vec::<Column>::new());
    let again = Callback::new(move |()| rows.refetch());
    let name = e.name.clone();
    let crumbs = vec![
        ("Experiments".to_owned(), "/experiments".to_owned()),
        (name.clone(), String::new()),
    ];
    let sub = format!(
        "{}, created {}",
        fmt::counted(e.runs, "run", "runs"),
        e.created_at.date()
    );
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title=name.clone() sub=ViewFn::from(move || sub.clone())>
            <Picked id chosen query again/>
        </PageHead>
        {e.deleted_at.is_some().then(|| view! { <Notice tone=Tone::Warn>"This experiment lies in the bin; restore it in the list of experiments to log to it."</Notice> })}
        <Toolbar id query change columns/>
        <Show when=move || grouped.get()><Groups query change chosen columns/></Show>
        <Show when=move || !grouped.get()><Transition fallback=|| view! { <Card><Skeleton lines=8/></Card> }>
            {
                move || {
                    let name = kept_name.get_value();
                    Suspend::new(async move {
                        match rows.await {
                            Ok(page) if page.total == 0 => view! { <Nothing query change name/> }.into_any(),
                            Ok(page) => view! { <Rows page query change chosen columns again/> }.into_any(),
                            Err(error) => match error.for_field("filter").or(error.for_field("order_by")).map(str::to_owned) {
                                Some(why) => view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any(),
                                None => view! { <ErrorView error retry=move || rows.refetch()/> }.into_any(),
                            },
                        }
                    })
                }
            }
        </Transition></Show>
    }
}

/// What can be done with the runs that are ticked.
#[component]
fn Picked(
    id: ExperimentId,
    chosen: RwSignal<Vec<RunId>>,
    query: Memo<RunsQuery>,
    again: Callback<()>,
) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let done = move |text: &'static str| {
        move |()| {
            toasts.ok(text);
            chosen.set(Vec::new());
            again.run(());
        }
    };
    let bin = use_mutation(
        |runs: Vec<RunId>| api::run_set_deleted(runs, true),
        done("Put into the bin."),
    );
    let restore = use_mutation(
        |runs: Vec<RunId>| api::run_set_deleted(runs, false),
        done("Restored."),
    );
    let purging = RwSignal::new(false);
    let purge = use_mutation(api::run_purge, move |()| {
        purging.set(false);
        done("Deleted for good.")(());
    });
    let n = move || chosen.with(Vec::len);
    let in_bin = Memo::new(move |_| query.with(|q| q.view == View::Deleted));
    let compare = Signal::derive(move || {
        let ids: Vec<String> = chosen.with(|c| c.iter().map(|r| r.hex()).collect());
        format!("/experiments/{id}/compare?runs={}", ids.join(","))
    });
    view! {
        <Show when=move || n() != 0>
            <span class="faint">{move || format!("{} ticked", n())}</span>
            {move || (n() >= 2).then(|| view! { <Button icon=Glyph::Layers href=compare>"Compare"</Button> })}
            {move || session.may(Action::LogRuns).then(|| if in_bin.get() {
                view! {
                    <Button icon=Glyph::Undo loading=restore.pending on_click=move || restore.run(chosen.get_untracked())>"Restore"</Button>
                    {session.may(Action::PurgeRuns).then(|| view! {
                        <Button variant=crate::ui::Variant::Danger icon=Glyph::Trash on_click=move || purging.set(true)>"Delete for good"</Button>
                    })}
                }.into_any()
            } else {
                view! { <Button icon=Glyph::Trash loading=bin.pending on_click=move || bin.run(chosen.get_untracked())>"Bin"</Button> }.into_any()
            })}
        </Show>
        <ConfirmDialog
            open=purging
            title=Signal::derive(move || format!("Delete {} for good?", fmt::counted(n() as i64, "run", "runs")))
            text="Metrics and files go, and nobody can bring them back."
            confirm="Delete for good"
            pending=purge.pending
            error=purge.error
            on_confirm=Callback::new(move |()| purge.run(chosen.get_untracked()))
        />
    }
}

#[component]
fn Toolbar(
    id: ExperimentId,
    query: Memo<RunsQuery>,
    change: Callback<RunsQuery>,
    columns: RwSignal<Vec<Column>>,
) -> impl IntoView {
    let text = RwSignal::new(query.with_untracked(|q| q.filter.clone()));
    let view_as = RwSignal::new(if query.with_untracked(|q| q.view == View::Deleted) {
        "bin".to_owned()
    } else {
        String::new()
    });
    let with = move |f: &dyn Fn(&mut RunsQuery)| {
        let mut q = query.get_untracked();
        q.offset = 0;
        f(&mut q);
        change.run(q);
    };
    // A mistake is told while one types, not only when it is sent.
    let mistake = Memo::new(move |_| filter::RUNS.parse(&text.get()).err());
    let apply = move || {
        if mistake.with_untracked(Option::is_none) {
            with(&|q| q.filter = text.get_untracked());
        }
    };
    view! {
        <form class="toolbar" on:submit=move |ev| {
            ev.prevent_default();
            apply();
        }>
            <div class="toolbar__search runs-filter">
                <TextInput value=text icon=Glyph::Filter mono=true label="Filter" placeholder="metrics.loss < 0.5 and params.lr = '0.1'"/>
            </div>
            <Button submit=true disabled=Signal::derive(move || mistake.with(Option::is_some))>"Apply"</Button>
            <Select
                value=view_as
                options=vec![(String::new(), "Active".to_owned()), ("bin".to_owned(), "In the bin".to_owned())]
                label="Which runs"
                on_change=move |v: String| with(&|q| q.view = if v == "bin" { View::Deleted } else { View::Active })
            />
            <GroupPicker experiment=id query change/>
            <ColumnPicker experiment=id columns=columns.into() on_change=Callback::new(move |c: Vec<Column>| with(&|q| q.columns.clone_from(&c)))/>
        </form>
        {move || mistake.get().map(|why| view! { <p class="runs-mistake" role="alert">{why}</p> })}
    }
}

#[component]
fn Nothing(query: Memo<RunsQuery>, change: Callback<RunsQuery>, name: String) -> impl IntoView {
    let (filtered, bin) = query.with_untracked(|q| (!q.filter.trim().is_empty(), q.view == View::Deleted));
    if filtered {
        return view! {
            <Card>
                <EmptyState glyph=Glyph::Filter title="No run matches" text="Metrics, parameters and tags need their prefix, texts their quotes.">
                    <Button on_click=move || change.run(RunsQuery { filter: String::new(), offset: 0, ..query.get_untracked() })>"Clear the filter"</Button>
                </EmptyState>
            </Card>
        }
        .into_any();
    }
    if bin {
        return view! { <Card><EmptyState glyph=Glyph::Trash title="The bin is empty" text="Deleted runs lie here until an admin deletes them for good."/></Card> }
            .into_any();
    }
    view! {
        <Card>
            <EmptyState glyph=Glyph::Flask title="No run yet" text="Log one from any script that uses the MLflow client."/>
            <FirstRun experiment=name/>
        </Card>
    }
    .into_any()
}

#[component]
fn Rows(
    page: RunRows,
    query: Memo<RunsQuery>,
    change: Callback<RunsQuery>,
    chosen: RwSignal<Vec<RunId>>,
    columns: RwSignal<Vec<Column>>,
    again: Callback<()>,
) -> impl IntoView {
    columns.set(page.columns.clone());
    let live = page.rows.iter().any(|r| r.info.status == RunStatus::Running);
    // Runs under way are looked at again and again while somebody sees them.
    Effect::new(move |_| {
        if live {
            let timer = set_timeout_with_handle(
                move || {
                    if !document().hidden() {
                        again.run(());
                    }
                },
                LOOK,
            )
            .ok();
            on_cleanup(move || {
                if let Some(timer) = timer {
                    timer.clear();
                }
            });
        }
    });
    let ids: Vec<RunId> = page.rows.iter().map(|r| r.info.id).collect();
    let all_here = StoredValue::new(ids);
    let all_on = move || chosen.with(|c| all_here.with_value(|ids| ids.iter().all(|i| c.contains(i))));
    let flip_all = move |_| {
        let on = all_on();
        all_here.with_value(|ids| {
            chosen.update(|c| {
                c.retain(|i| !ids.contains(i));
                if !on {
                    c.extend(ids);
                }
            });
        });
    };
    let head = move |name: String, text: String| {
        let this = name.clone();
        let way = Memo::new(move |_| {
            query.with(|q| {
                let (by, way) = q.sort.rsplit_once(' ').unwrap_or((q.sort.as_str(), "ASC"));
                (by == this).then(|| way == "ASC")
            })
        });
        let flip = move |_| {
            let sort = match way.get_untracked() {
                Some(true) => String::new(),
                Some(false) => format!("{name} ASC"),
                None => format!("{name} DESC"),
            };
            change.run(RunsQuery {
                sort,
                offset: 0,
                ..query.get_untracked()
            });
        };
        view! {
            <th scope="col" aria-sort=move || way.get().map(|up| if up { "ascending" } else { "descending" })>
                <button type="button" class="runs__sort" title=text.clone() on:click=flip>
                    <span>{text.clone()}</span>
                    {move || way.get().map(|up| view! { <Icon glyph=if up { Glyph::ChevronUp } else { Glyph::ChevronDown } size=12/> })}
                </button>
            </th>
        }
    };
    let heads = page
        .columns
        .iter()
        .map(|c| head(c.name(), c.key.clone()))
        .collect_view();
    let labels: Vec<String> = page.columns.iter().map(|c| c.key.clone()).collect();
    let labels = StoredValue::new(labels);
    let total = page.total;
    let here = query.with_untracked(|q| q.offset / url::PAGE + 1);
    let pages = (total + url::PAGE - 1) / url::PAGE;
    let (is_first, is_last) = (here <= 1, here >= pages);
    let go = move |to: i64| {
        change.run(RunsQuery {
            offset: (to - 1) * url::PAGE,
            ..query.get_untracked()
        });
    };
    view! {
        <Card flush=true class="runs">
            <div class="table-wrap runs__wrap" tabindex="0" role="region" aria-label="Runs">
                <table class="table" aria-label="Runs">
                    <thead>
                        <tr>
                            <th scope="col" class="runs__tick"><input type="checkbox" aria-label="Tick all" prop:checked=all_on on:change=flip_all/></th>
                            {head("run_name".to_owned(), "Run".to_owned())}
                            {head("status".to_owned(), "Status".to_owned())}
                            {head("start_time".to_owned(), "Started".to_owned())}
                            <th scope="col">"Duration"</th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{page.rows.into_iter().map(|r| view! { <Row r chosen labels/> }).collect_view()}</tbody>
                </table>
            </div>
        </Card>
        <div class="runs__foot">
            <span class="faint">{fmt::counted(total, "run", "runs")}{live.then_some(", updated as they run")}</span>
            {(pages > 1).then(|| view! {
                <span class="runs__pages">
                    <IconButton glyph=Glyph::ChevronLeft label="Previous page" disabled=is_first on_click=move || go(here - 1)/>
                    <span>{format!("{here} of {}", fmt::count(pages))}</span>
                    <IconButton glyph=Glyph::ChevronRight label="Next page" disabled=is_last on_click=move || go(here + 1)/>
                </span>
            })}
        </div>
    }
}

#[component]
fn Row(r: RunRow, chosen: RwSignal<Vec<RunId>>, labels: StoredValue<Vec<String>>) -> impl IntoView {
    let id = r.info.id;
    let on = move || chosen.with(|c| c.contains(&id));
    let flip = move |_| {
        chosen.update(|c| match c.iter().position(|i| *i == id) {
            Some(at) => drop(c.remove(at)),
            None => c.push(id),
        });
    };
    let lasted = r
        .info
        .end_ms
        .map_or_else(String::new, |end| fmt::lasted(r.info.start_ms, end));
    let cells = r
        .cells
        .into_iter()
        .enumerate()
        .map(|(i, text)| {
            let label = labels.with_value(|l| l.get(i).cloned().unwrap_or_default());
            let there = text.is_some();
            let text = text.unwrap_or_else(|| "\u{2013}".to_owned());
            view! { <td data-label=label class="runs__cell" class:faint=!there title=text.clone()>{text.clone()}</td> }
        })
        .collect_view();
    view! {
        <tr>
            <td class="runs__tick"><input type="checkbox" aria-label=format!("Tick {}", r.info.name) prop:checked=on on:change=flip/></td>
            <td data-label="Run" class="runs__name"><a class="link" href=format!("/runs/{}", id.hex())>{r.info.name.clone()}</a></td>
            <td data-label="Status"><StatusChip status=r.info.status/></td>
            <td data-label="Started"><RelativeTime at=at(r.info.start_ms)/></td>
            <td data-label="Duration">{lasted}</td>
            {cells}
        </tr>
    }
}
