//! An import's report: what was taken, fixed and refused, by file and line.

use crate::fmt;
use crate::ui::{
    Button, ButtonSize, Card, Chip, EmptyState, Glyph, Notice, Select, Stat, Table, TextInput, Tone,
};
use leptos::prelude::*;
use limn_domain::import::{ImportReport, ReportEntry, Severity};

/// Rows shown at first, and more with each press.
const STEP: usize = 100;

const fn severity(s: Severity) -> (&'static str, &'static str, Tone) {
    match s {
        Severity::Note => ("note", "Note", Tone::Neutral),
        Severity::Fixed => ("fixed", "Fixed", Tone::Warn),
        Severity::Refused => ("refused", "Refused", Tone::Bad),
    }
}

#[component]
pub fn Report(report: ImportReport) -> impl IntoView {
    let stat = |label: &'static str, n: i64, sub: String| view! { <Stat label value=fmt::count(n) sub/> };
    view! {
        <div class="stats">
            {stat("Items added", report.items_added, format!("{} were there already", fmt::count(report.items_unchanged)))}
            {stat("Annotations added", report.annotations_added, format!("{} new", fmt::counted(report.categories_added, "category", "categories")))}
            {stat("Fixed", report.fixed, "taken after a repair".to_owned())}
            {stat("Refused", report.refused, "left out".to_owned())}
        </div>
        <Findings report/>
    }
}

#[component]
fn Findings(report: ImportReport) -> impl IntoView {
    if report.entries.is_empty() {
        return view! {
            <Card>
                <EmptyState glyph=Glyph::CheckCircle title="Nothing to report" text="Everything in the import was taken as it is."/>
            </Card>
        }
        .into_any();
    }
    let kind = RwSignal::new(String::new());
    let text = RwSignal::new(String::new());
    let limit = RwSignal::new(STEP);
    let total = report.entries.len();
    let truncated = report.truncated;
    let entries = StoredValue::new(report.entries);
    let matching = Memo::new(move |_| {
        let (kind, needle) = (kind.get(), text.with(|t| t.trim().to_lowercase()));
        entries.with_value(|all| {
            all.iter()
                .filter(|e| kind.is_empty() || severity(e.severity).0 == kind)
                .filter(|e| {
                    needle.is_empty()
                        || e.file.to_lowercase().contains(&needle)
                        || e.message.to_lowercase().contains(&needle)
                        || e.code.contains(&needle)
                        || e.record
                            .as_ref()
                            .is_some_and(|r| r.to_lowercase().contains(&needle))
                })
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let kinds: Vec<(String, String)> = std::iter::once((String::new(), "All findings".to_owned()))
        .chain([Severity::Refused, Severity::Fixed, Severity::Note].map(|s| {
            let n = entries.with_value(|all| all.iter().filter(|e| e.severity == s).count());
            (severity(s).0.to_owned(), format!("{} ({n})", severity(s).1))
        }))
        .collect();
    view! {
        <Card title="Findings" flush=true>
            <div class="toolbar toolbar--in-card">
                <div class="toolbar__search">
                    <TextInput value=text kind="search" icon=Glyph::Search placeholder="File, record or message" label="Search findings"/>
                </div>
                <Select value=kind options=kinds label="Kind of finding"/>
            </div>
            {truncated
                .then(|| {
                    view! {
                        <div class="pad-x">
                            <Notice>{format!("The first {} findings are listed; the counts above are complete.", fmt::count(total as i64))}</Notice>
                        </div>
                    }
                })}
            <Table label="Findings" columns=vec!["Finding", "Where", "What"]>
                <For each=move || matching.with(|m| m.iter().take(limit.get()).cloned().enumerate().collect::<Vec<_>>()) key=|(i, e)| (*i, e.code.clone(), e.file.clone(), e.line) let:row>
                    <Finding entry=row.1.clone()/>
                </For>
            </Table>
            <Show when=move || matching.with(Vec::is_empty)>
                <p class="pad muted">"No finding matches."</p>
            </Show>
            <Show when=move || limit.get() < matching.with(Vec::len)>
                <div class="more">
                    <Button size=ButtonSize::Small on_click=move || limit.update(|l| *l += STEP)>"Show more"</Button>
                </div>
            </Show>
        </Card>
    }
    .into_any()
}

#[component]
fn Finding(entry: ReportEntry) -> impl IntoView {
    let (_, label, tone) = severity(entry.severity);
    let place = match entry.line {
        Some(line) => format!("{}:{line}", entry.file),
        None => entry.file,
    };
    view! {
        <tr>
            <td data-label="Finding"><Chip tone>{label}</Chip></td>
            <td data-label="Where">
                <div>
                    <span class="mono break">{place}</span>
                    {entry.record.map(|r| view! { <p class="faint mono break">{r}</p> })}
                </div>
            </td>
            <td data-label="What"><div><span>{entry.message}</span><p class="faint mono">{entry.code}</p></div></td>
        </tr>
    }
}
