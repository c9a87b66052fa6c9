//! The table of runs by the values of a parameter: means of a group's metrics, and its runs where one opens it.

use super::api;
use super::parts::{StatusChip, at};
use crate::data::use_load;
use crate::fmt;
use crate::ui::{Card, EmptyState, ErrorView, Glyph, Icon, Notice, RelativeTime, Select, Skeleton, Tone};
use leptos::prelude::*;
use limn_domain::RunId;
use limn_domain::filter::Entity;
use limn_domain::run::ExperimentId;
use limn_domain::run::table::{Column, GroupCell, GroupedRuns, RunGroup, RunRow, RunsQuery, Within};

/// Runs of a group shown at once.
const RUNS: i64 = 20;

/// Chooses what to group by: a parameter.
#[component]
pub fn GroupPicker(
    experiment: ExperimentId,
    query: Memo<RunsQuery>,
    change: Callback<RunsQuery>,
) -> impl IntoView {
    let keys = use_load(move || experiment, |e| api::run_keys(vec![e]));
    let value = RwSignal::new(String::new());
    Effect::new(move |_| value.set(query.with(|q| q.group.as_ref().map(Column::code).unwrap_or_default())));
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let params = keys.await.map(|k| k.1).unwrap_or_default();
                let of = |key: String| Column { entity: Entity::Param, key };
                let now = query.with_untracked(|q| q.group.clone());
                let mut all: Vec<Column> = params.into_iter().map(of).collect();
                // One that is gone, or a tag from a link, is still what the table shows.
                all.extend(now.filter(|n| !all.contains(n)));
                let mut options = vec![(String::new(), "Not grouped".to_owned())];
                options.extend(all.iter().map(|c| (c.code(), format!("By {}", c.key))));
                (options.len() > 1).then(|| view! {
                    <Select
                        value
                        options
                        label="Group by"
                        on_change=move |v: String| change.run(RunsQuery {
                            group: Column::parse(&v),
                            offset: 0,
                            ..query.get_untracked()
                        })
                    />
                })
            })}
        </Transition>
    }
}

/// The groups that match.
#[component]
pub fn Groups(
    query: Memo<RunsQuery>,
    change: Callback<RunsQuery>,
    chosen: RwSignal<Vec<RunId>>,
    columns: RwSignal<Vec<Column>>,
) -> impl IntoView {
    let groups = use_load(move || query.get(), api::run_groups);
    view! {
        <Transition fallback=|| view! { <Card><Skeleton lines=8/></Card> }>
            {move || Suspend::new(async move {
                match groups.await {
                    Ok(found) if found.groups.is_empty() => view! {
                        <Card><EmptyState glyph=Glyph::Filter title="No run matches" text="Change the filter, or look into the bin."/></Card>
                    }
                    .into_any(),
                    Ok(found) => view! { <Table found query change chosen columns/> }.into_any(),
                    Err(error) => match error.for_field("filter").or(error.for_field("order_by")).map(str::to_owned) {
                        Some(why) => view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any(),
                        None => view! { <ErrorView error retry=move || groups.refetch()/> }.into_any(),
                    },
                }
            })}
        </Transition>
    }
}

#[component]
fn Table(
    found: GroupedRuns,
    query: Memo<RunsQuery>,
    change: Callback<RunsQuery>,
    chosen: RwSignal<Vec<RunId>>,
    columns: RwSignal<Vec<Column>>,
) -> impl IntoView {
    columns.set(found.columns.clone());
    let by = query.with_untracked(|q| q.group.as_ref().map(|c| c.key.clone()).unwrap_or_default());
    let head = move |c: &Column| {
        let (name, text, sorts) = (c.name(), c.key.clone(), c.entity == Entity::Metric);
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
                ..query.get_untracked()
            });
        };
        if !sorts {
            return view! { <th scope="col">{text}</th> }.into_any();
        }
        view! {
            <th scope="col" aria-sort=move || way.get().map(|up| if up { "ascending" } else { "descending" })>
                <button type="button" class="runs__sort" title=format!("Mean of {text}") on:click=flip>
                    <span>{text.clone()}</span>
                    {move || way.get().map(|up| view! { <Icon glyph=if up { Glyph::ChevronUp } else { Glyph::ChevronDown } size=12/> })}
                </button>
            </th>
        }
        .into_any()
    };
    let heads = found.columns.iter().map(head).collect_view();
    let (n, runs) = (
        found.groups.len() as i64,
        found.groups.iter().map(|g| g.runs).sum::<i64>(),
    );
    let more = found.more;
    let columns = StoredValue::new(found.columns);
    view! {
        <Card flush=true class="runs">
            <div class="table-wrap runs__wrap" tabindex="0" role="region" aria-label="Groups of runs">
                <table class="table runs-groups" aria-label="Groups of runs">
                    <thead>
                        <tr>
                            <th scope="col">{by}</th>
                            <th scope="col" class="runs-groups__n">"Runs"</th>
                            {heads}
                        </tr>
                    </thead>
                    {found.groups.into_iter().map(|g| view! { <Group g query change chosen columns/> }).collect_view()}
                </table>
            </div>
        </Card>
        <div class="runs__foot">
            <span class="faint">
                {if more {
                    format!("The {} largest groups; a filter shows others", fmt::count(n))
                } else {
                    format!("{} of {}; metrics are means, with the least and the greatest", fmt::counted(n, "group", "groups"), fmt::counted(runs, "run", "runs"))
                }}
            </span>
        </div>
    }
}

/// A group's line, and its runs below it while it is open.
#[component]
fn Group(
    g: RunGroup,
    query: Memo<RunsQuery>,
    change: Callback<RunsQuery>,
    chosen: RwSignal<Vec<RunId>>,
    columns: StoredValue<Vec<Column>>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let name = g.value.clone().unwrap_or_else(|| "not set".to_owned());
    let (unset, runs) = (g.value.is_none(), g.runs);
    let value = StoredValue::new(g.value);
    let cells = g
        .cells
        .iter()
        .enumerate()
        .map(|(i, cell)| {
            let label = columns.with_value(|c| c.get(i).map(|c| c.key.clone()).unwrap_or_default());
            let (text, range) = told(cell);
            let there = *cell != GroupCell::Nothing;
            view! {
                <td data-label=label class="runs__cell" class:faint=!there>
                    <span>
                        {text}
                        {range.map(|r| view! { <span class="runs-groups__range">{r}</span> })}
                    </span>
                </td>
            }
        })
        .collect_view();
    let wide = (columns.with_value(Vec::len) + 2).to_string();
    view! {
        <tbody class="runs-group" class:is-open=move || open.get()>
            <tr>
                <th scope="row" class="runs-groups__value">
                    <button
                        type="button"
                        class="runs-groups__open"
                        aria-expanded=move || if open.get() { "true" } else { "false" }
                        on:click=move |_| open.update(|o| *o = !*o)
                    >
                        {move || view! { <Icon glyph=if open.get() { Glyph::ChevronDown } else { Glyph::ChevronRight } size=14/> }}
                        <span class:faint=unset>{name.clone()}</span>
                    </button>
                </th>
                <td data-label="Runs" class="runs-groups__n num">{fmt::count(runs)}</td>
                {cells}
            </tr>
            <Show when=move || open.get()>
                <tr class="runs-groups__runs">
                    <td colspan=wide.clone()><Members value=value.get_value() runs query change chosen columns/></td>
                </tr>
            </Show>
        </tbody>
    }
}

/// A cell in words: the value, and from where to where it goes.
fn told(cell: &GroupCell) -> (String, Option<String>) {
    match cell {
        GroupCell::Nothing => ("\u{2013}".to_owned(), None),
        GroupCell::Numbers { mean, min, max } => {
            let range = (min < max).then(|| format!("{} to {}", fmt::measured(*min), fmt::measured(*max)));
            (fmt::measured(*mean), range)
        }
        GroupCell::Text(text) => (text.clone(), None),
        GroupCell::Texts(n) => (format!("{} values", fmt::count(*n)), None),
    }
}

/// The first runs of a group.
#[component]
fn Members(
    value: Option<String>,
    runs: i64,
    query: Memo<RunsQuery>,
    change: Callback<RunsQuery>,
    chosen: RwSignal<Vec<RunId>>,
    columns: StoredValue<Vec<Column>>,
) -> impl IntoView {
    let value = StoredValue::new(value);
    let asked = Memo::new(move |_| {
        let mut q = query.get();
        q.within = q.group.take().map(|column| Within {
            column,
            value: value.get_value(),
        });
        (q.offset, q.limit) = (0, RUNS);
        columns.with_value(|c| q.columns.clone_from(c));
        q
    });
    let rows = use_load(move || asked.get(), api::run_list);
    // The whole group as a table of its own: its condition in words of the filter.
    let all = move |_| {
        let mut q = query.get_untracked();
        if let Some(by) = q.group.take() {
            let clause = match value.get_value() {
                // The grammar has two kinds of quotes and no way to write one inside itself.
                Some(text) if text.contains('\'') => format!("{} = \"{text}\"", by.name()),
                Some(text) => format!("{} = '{text}'", by.name()),
                None => format!("{} IS NULL", by.name()),
            };
            let before = q.filter.trim();
            q.filter = if before.is_empty() {
                clause
            } else {
                format!("{before} and {clause}")
            };
        }
        q.offset = 0;
        change.run(q);
    };
    view! {
        <Transition fallback=|| view! { <Skeleton lines=2/> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(page) => view! {
                        <ul class="runs-members">
                            {page.rows.into_iter().map(|r| view! { <Member r chosen columns/> }).collect_view()}
                        </ul>
                        {(runs > RUNS).then(|| view! {
                            <button type="button" class="link" on:click=all>{format!("All {} as a table", fmt::counted(runs, "run", "runs"))}</button>
                        })}
                    }
                    .into_any(),
                    Err(error) => view! { <ErrorView error retry=move || rows.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Member(r: RunRow, chosen: RwSignal<Vec<RunId>>, columns: StoredValue<Vec<Column>>) -> impl IntoView {
    let id = r.info.id;
    let on = move || chosen.with(|c| c.contains(&id));
    let flip = move |_| {
        chosen.update(|c| match c.iter().position(|i| *i == id) {
            Some(at) => drop(c.remove(at)),
            None => c.push(id),
        });
    };
    let values = columns.with_value(|columns| {
        let shown = columns.iter().zip(&r.cells).filter_map(|(c, v)| Some((c.key.clone(), v.clone()?)));
        shown.map(|(key, v)| view! { <span class="runs-members__value"><i>{key}</i>" "<b class="num">{v}</b></span> }).collect_view()
    });
    view! {
        <li>
            <input type="checkbox" aria-label=format!("Tick {}", r.info.name) prop:checked=on on:change=flip/>
            <a class="link" href=format!("/runs/{}", id.hex())>{r.info.name.clone()}</a>
            <StatusChip status=r.info.status/>
            <span class="faint"><RelativeTime at=at(r.info.start_ms)/></span>
            {values}
        </li>
    }
}
