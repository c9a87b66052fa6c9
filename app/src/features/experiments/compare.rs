//! Several runs side by side: what differs in their parameters, their metrics, and their lines in one chart.

use super::api;
use super::charts::{Charts, Look, LookBar, SHOWN};
use super::parallel::Parallel;
use super::parts::StatusChip;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{
    Breadcrumbs, Card, Checkbox, EmptyState, ErrorView, Glyph, PageHead, Skeleton, series_style,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use limn_domain::RunId;
use limn_domain::run::{ExperimentId, Run};
use std::collections::BTreeSet;

/// `/experiments/:id/compare?runs=a,b`
#[component]
pub fn ComparePage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let experiment = move || params.with(|p| p.get("id").unwrap_or_default());
    let number = Memo::new(move |_| experiment().parse::<ExperimentId>().ok());
    let ids = Memo::new(move |_| {
        query.with(|q| {
            let text = q.get("runs").unwrap_or_default();
            text.split(',')
                .filter_map(|t| t.parse::<RunId>().ok())
                .take(100)
                .collect::<Vec<_>>()
        })
    });
    let runs = use_load(move || ids.get(), api::run_some);
    let crumbs = Signal::derive(move || {
        vec![
            ("Experiments".to_owned(), "/experiments".to_owned()),
            ("Runs".to_owned(), format!("/experiments/{}", experiment())),
            ("Compare".to_owned(), String::new()),
        ]
    });
    let look = Look::from_address(&["runs", "axes"]);
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title="Compare runs"/>
        <Transition fallback=|| view! { <Card><Skeleton lines=8/></Card> }>
            {move || Suspend::new(async move {
                match runs.await {
                    Ok(all) if all.is_empty() => view! {
                        <Card><EmptyState glyph=Glyph::Layers title="No run chosen" text="Tick runs in the table of an experiment and press Compare."/></Card>
                    }.into_any(),
                    Ok(all) => view! { <Sides all look experiment=number.get_untracked()/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || runs.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Sides(all: Vec<Run>, look: Look, experiment: Option<ExperimentId>) -> impl IntoView {
    let only = RwSignal::new(true);
    let param_keys: BTreeSet<String> = all.iter().flat_map(|r| r.data.params.keys().cloned()).collect();
    let metric_keys: BTreeSet<String> = all
        .iter()
        .flat_map(|r| r.data.metrics.iter().map(|m| m.key.clone()))
        .collect();
    let params: Vec<(String, Vec<Option<String>>)> = param_keys
        .into_iter()
        .map(|k| {
            let row = all.iter().map(|r| r.data.params.get(&k).cloned()).collect();
            (k, row)
        })
        .collect();
    let metrics: Vec<(String, Vec<Option<String>>)> = metric_keys
        .iter()
        .map(|k| {
            let of = |r: &Run| {
                r.data
                    .metrics
                    .iter()
                    .find(|m| m.key == *k)
                    .map(|m| fmt::measured(m.last.value))
            };
            (k.clone(), all.iter().map(of).collect())
        })
        .collect();
    let named: Vec<(RunId, String)> = all.iter().map(|r| (r.info.id, r.info.name.clone())).collect();
    let runs = StoredValue::new(all);
    let heads = move || {
        runs.with_value(|all| {
            all.iter()
                .enumerate()
                .map(|(i, r)| view! {
                    <th scope="col">
                        <a class="link compare__head" href=format!("/runs/{}", r.info.id.hex()) style=series_style(i)><i></i>{r.info.name.clone()}</a>
                    </th>
                })
                .collect_view()
        })
    };
    let statuses = runs.with_value(|all| {
        all.iter()
            .map(|r| view! { <td data-label=r.info.name.clone()><StatusChip status=r.info.status/></td> })
            .collect_view()
    });
    let lasted = runs.with_value(|all| {
        all.iter()
            .map(|r| view! { <td data-label=r.info.name.clone()>{r.info.end_ms.map_or_else(|| "\u{2013}".to_owned(), |end| fmt::lasted(r.info.start_ms, end))}</td> })
            .collect_view()
    });
    let names = StoredValue::new(named.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>());
    let keys: Vec<String> = metric_keys.into_iter().collect();
    let of = Signal::derive(move || {
        let wanted = look.text.get().trim().to_lowercase();
        let most = (200 / named.len().max(1)).clamp(1, SHOWN);
        keys.iter()
            .filter(|k| k.to_lowercase().contains(&wanted))
            .take(most)
            .map(|k| (k.clone(), named.clone()))
            .collect::<Vec<_>>()
    });
    let change = Memo::new(|_| 0_i64);
    view! {
        <Card flush=true title="Side by side" aside=ViewFn::from(move || view! { <Checkbox checked=only label="Only what differs"/> })>
            <div class="table-wrap runs__wrap" tabindex="0" role="region" aria-label="Runs side by side">
                <table class="table compare" aria-label="Runs side by side">
                    <thead><tr><th scope="col"><span class="sr-only">"What"</span></th>{heads}</tr></thead>
                    <tbody>
                        <tr><th scope="row">"Status"</th>{statuses}</tr>
                        <tr><th scope="row">"Duration"</th>{lasted}</tr>
                        <Rows title="Parameters" rows=params names only/>
                        <Rows title="Metrics" rows=metrics names only/>
                    </tbody>
                </table>
            </div>
        </Card>
        {experiment.map(|experiment| view! { <Parallel experiment runs/> })}
        <h2 class="section-head">"Metrics over time"</h2>
        <LookBar look/>
        <Charts look of change/>
    }
}

#[component]
fn Rows(
    title: &'static str,
    rows: Vec<(String, Vec<Option<String>>)>,
    /// Of the runs, in the order of the values.
    names: StoredValue<Vec<String>>,
    only: RwSignal<bool>,
) -> impl IntoView {
    let rows = StoredValue::new(rows);
    view! {
        <tr class="compare__group"><th scope="rowgroup" colspan="999">{title}</th></tr>
        {move || rows.with_value(|rows| {
            let shown: Vec<_> = rows
                .iter()
                .map(|(k, values)| (k, values, values.iter().any(|v| *v != values[0])))
                .filter(|(_, _, differs)| *differs || !only.get())
                .collect();
            if shown.is_empty() {
                return view! { <tr><td colspan="999" class="faint">"Nothing differs."</td></tr> }.into_any();
            }
            shown
                .into_iter()
                .map(|(k, values, differs)| view! {
                    <tr class:compare__differs=differs>
                        <th scope="row" title=k.clone()>{k.clone()}</th>
                        {values.iter().zip(names.get_value()).map(|(v, name)| view! {
                            <td data-label=name title=v.clone().unwrap_or_default()>{v.clone().unwrap_or_else(|| "\u{2013}".to_owned())}</td>
                        }).collect_view()}
                    </tr>
                })
                .collect_view()
                .into_any()
        })}
    }
}
