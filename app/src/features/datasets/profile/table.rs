//! One table of a version: alerts, columns, what is missing together, correlations, first rows.

use super::column::ColumnRow;
use super::{FindingsCard, figures};
use crate::fmt;
use crate::ui::{Card, Chip, EmptyState, Glyph, Matrix, Select, TextInput, Tone};
use leptos::prelude::*;
use limn_domain::profile::{Alert, AlertLevel, ColumnProfile, Correlations, MissingProfile, NamedTable};
use std::sync::Arc;

#[component]
pub fn TablePart(table: NamedTable, named: bool) -> impl IntoView {
    let p = table.profile;
    let cells = p.rows * p.columns.len() as u64;
    let about = if p.duplicates.exact { "" } else { "about " };
    let head = figures(vec![
        ("Rows", fmt::count(p.rows as i64)),
        (
            "Columns",
            fmt::count((p.columns.len() as u64 + p.columns_left_out) as i64),
        ),
        (
            "Missing cells",
            format!(
                "{} ({})",
                fmt::count(p.missing.cells as i64),
                fmt::share(p.missing.cells, cells)
            ),
        ),
        (
            "Duplicate rows",
            format!("{about}{}", fmt::count(p.duplicates.rows as i64)),
        ),
        ("Files", fmt::count(p.files as i64)),
        ("Size", fmt::bytes(p.bytes as i64)),
    ]);
    let names: Vec<String> = p.columns.iter().map(|c| c.name.clone()).collect();
    view! {
        {named.then(|| view! { <h2 class="profile-name">{table.name}</h2> })}
        <Card class="profile-head">{head}</Card>
        <Alerts alerts=p.alerts/>
        <Columns columns=p.columns rows=p.rows left_out=p.columns_left_out/>
        <Missing missing=p.missing/>
        {p.correlations.map(|c| view! { <Correlated c/> })}
        <FirstRows names rows=p.head/>
        <FindingsCard findings=p.findings/>
    }
}

#[component]
fn Alerts(alerts: Vec<Alert>) -> impl IntoView {
    (!alerts.is_empty()).then(|| {
        let title = fmt::counted(alerts.len() as i64, "alert", "alerts");
        let rows = alerts
            .into_iter()
            .map(|a| {
                let tone = if a.level == AlertLevel::Warning {
                    Tone::Warn
                } else {
                    Tone::Neutral
                };
                let word = if a.level == AlertLevel::Warning {
                    "Warning"
                } else {
                    "Note"
                };
                let columns = a
                    .columns
                    .into_iter()
                    .map(|c| view! { <code class="profile-code">{c}</code>" " })
                    .collect_view();
                view! { <li><Chip tone>{word}</Chip><span>{columns}{a.message}</span></li> }
            })
            .collect_view();
        view! { <Card title><ul class="profile-alerts">{rows}</ul></Card> }
    })
}

#[component]
fn Columns(columns: Vec<ColumnProfile>, rows: u64, left_out: u64) -> impl IntoView {
    let search = RwSignal::new(String::new());
    let kind = RwSignal::new(String::new());
    let mut kinds: Vec<&'static str> = columns.iter().map(|c| c.kind.label()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut options = vec![(String::new(), "All types".to_owned())];
    options.extend(kinds.into_iter().map(|k| (k.to_owned(), format!("Only {k}"))));
    let all: Vec<Arc<ColumnProfile>> = columns.into_iter().map(Arc::new).collect();
    let total = all.len();
    let all = StoredValue::new(all);
    let found = Memo::new(move |_| {
        let wanted = search.get().trim().to_lowercase();
        let kind = kind.get();
        all.with_value(|all| {
            all.iter()
                .filter(|c| kind.is_empty() || c.kind.label() == kind)
                .filter(|c| wanted.is_empty() || c.name.to_lowercase().contains(&wanted))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let title = Signal::derive(move || {
        let n = found.with(Vec::len);
        if n == total {
            format!("{} columns", fmt::count(total as i64))
        } else {
            format!("{n} of {total} columns")
        }
    });
    view! {
        <Card title flush=true>
            <div class="toolbar pad profile-filter">
                <div class="toolbar__search"><TextInput value=search icon=Glyph::Search placeholder="Find a column" label="Find a column"/></div>
                <Select value=kind options label="Type"/>
            </div>
            <ul class="profile-columns" aria-label="Columns">
                <For each=move || found.get() key=|c| c.name.clone() let:c><ColumnRow column=c rows/></For>
            </ul>
            <Show when=move || found.with(Vec::is_empty)>
                <EmptyState glyph=Glyph::Search title="No column matches" text="Choose another type, or search for a part of the name."/>
            </Show>
            {(left_out > 0).then(|| view! {
                <p class="pad muted">{format!("{} more are in the JSON, or beyond the limit.", fmt::counted(left_out as i64, "column", "columns"))}</p>
            })}
        </Card>
    }
}

#[component]
fn Missing(missing: MissingProfile) -> impl IntoView {
    (!missing.patterns.is_empty()).then(|| {
        let rows = missing
            .patterns
            .into_iter()
            .take(12)
            .map(|m| {
                let more = m.columns.len().saturating_sub(8);
                let columns = m.columns.into_iter().take(8).map(|c| view! { <code class="profile-code">{c}</code>" " }).collect_view();
                view! {
                    <tr>
                        <td data-label="Rows" class="num">{fmt::count(m.rows as i64)}</td>
                        <td data-label="Without a value">{columns}{(more > 0).then(|| format!("and {more} more"))}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Card title="Missing together" flush=true>
                <crate::ui::Table label="Missing together" columns=vec!["Rows", "Columns without a value"]>{rows}</crate::ui::Table>
                <p class="pad muted">
                    {format!("{} have every value.", fmt::counted(missing.complete_rows as i64, "row", "rows"))}
                </p>
            </Card>
        }
    })
}

#[component]
fn Correlated(c: Correlations) -> impl IntoView {
    let which = RwSignal::new("pearson".to_owned());
    let note = format!(
        "Over {} drawn evenly from all of them.",
        fmt::counted(c.n as i64, "row", "rows")
    );
    let c = StoredValue::new(c);
    let options = vec![
        ("pearson".to_owned(), "Pearson (linear)".to_owned()),
        ("spearman".to_owned(), "Spearman (ranks)".to_owned()),
    ];
    view! {
        <Card title="Correlations" aside=ViewFn::from(move || view! { <Select value=which options=options.clone() label="Coefficient"/> })>
            <p class="muted">{note}</p>
            {move || c.with_value(|c| {
                let values = if which.get() == "pearson" { c.pearson.clone() } else { c.spearman.clone() };
                view! { <Matrix label="Correlations" names=c.columns.clone() values/> }
            })}
        </Card>
    }
}

#[component]
fn FirstRows(names: Vec<String>, rows: Vec<Vec<Option<String>>>) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        let heads = names
            .into_iter()
            .take(60)
            .map(|n| view! { <th scope="col">{n}</th> })
            .collect_view();
        let rows = rows
            .into_iter()
            .map(|row| {
                let cells = row
                    .into_iter()
                    .map(|cell| match cell {
                        Some(text) => view! { <td title=text.clone()>{text.clone()}</td> }.into_any(),
                        None => view! { <td class="is-missing">"missing"</td> }.into_any(),
                    })
                    .collect_view();
                view! { <tr>{cells}</tr> }
            })
            .collect_view();
        view! {
            <Card title="First rows" flush=true>
                <div class="profile-rows" tabindex="0" role="region" aria-label="First rows">
                    <table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
                </div>
            </Card>
        }
    })
}
