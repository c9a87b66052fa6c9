//! A run at a glance: latest metrics, parameters, what it read and made, tags.

use super::api::RunDetail;
use super::code::{CodeCard, is_told};
use super::metrics::{MoreBelow, use_metrics};
use super::parts::{KeyValues, StatusChip, at};
use super::run::{RunCtx, use_run};
use crate::fmt;
use crate::ui::{Card, Chip, Glyph, Icon, RelativeTime, Table, TextInput, Tone};
use leptos::prelude::*;
use limn_domain::run::{CONTEXT_TAG, LoggedStatus, ModelUse, NOTE_TAG};

/// Metrics that are listed at first, and at a time; at most as many as come with the page.
const LISTED: usize = 50;
/// More than so many are worth a search.
const SEARCHED: usize = 12;

/// `/runs/:id`
#[component]
pub fn OverviewTab() -> impl IntoView {
    let ctx = use_run();
    let note = Memo::new(move |_| ctx.detail.with(|d| d.note_html.clone()));
    // What came of it, above the rest; and apart from it, as the metrics with what is typed there are: the rest is made anew with every figure.
    view! {
        <super::trained::Report ctx/>
        <div class="overview">
            <div class="overview__col">
                {move || {
                    let note = note.get();
                    (!note.trim().is_empty()).then(|| view! { <Card title="Notes"><div class="prose" inner_html=note></div></Card> })
                }}
                <Metrics ctx/>
                {move || {
                    let d = ctx.detail.get();
                    view! {
                        <Inputs d=d.clone()/>
                        <Models d/>
                    }
                }}
            </div>
            <div class="overview__col">
                {move || {
                    let d = ctx.detail.get();
                    let params: Vec<(String, String)> = d.run.data.params.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                    let (own, theirs): (Vec<_>, Vec<_>) = d
                        .run
                        .data
                        .tags
                        .iter()
                        .filter(|(k, _)| *k != NOTE_TAG)
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .partition(|(k, _)| !k.starts_with("mlflow."));
                    let theirs: Vec<_> = theirs.into_iter().filter(|(k, _)| !is_told(k)).collect();
                    view! {
                        <Facts d/>
                        <KeyValues title="Parameters" rows=params nothing="None were logged."/>
                        <KeyValues title="Tags" rows=own nothing="None were set."/>
                        {(!theirs.is_empty()).then(|| view! { <KeyValues title="Set by the client" rows=theirs nothing=""/> })}
                    }
                }}
            </div>
        </div>
        <CodeCard ctx/>
    }
}

#[component]
fn Facts(d: RunDetail) -> impl IntoView {
    let info = d.run.info.clone();
    view! {
        <Card title="About">
            <dl class="facts">
                <dt>"Status"</dt><dd><StatusChip status=info.status/></dd>
                <dt>"Started"</dt><dd><RelativeTime at=at(info.start_ms)/></dd>
                {info.end_ms.map(|end| view! { <dt>"Took"</dt><dd>{fmt::lasted(info.start_ms, end)}</dd> })}
                <dt>"By"</dt><dd>{info.user_name.clone()}</dd>
                <dt>"Run"</dt><dd><code class="runs__id">{info.id.hex()}</code></dd>
            </dl>
        </Card>
    }
}

#[component]
fn Metrics(ctx: RunCtx) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let limit = RwSignal::new(LISTED);
    let found = use_metrics(ctx, false, text, limit);
    let any = Memo::new(move |_| ctx.detail.with(|d| d.metrics.total > 0));
    let many = Memo::new(move |_| ctx.detail.with(|d| d.metrics.total > SEARCHED));
    let rows = move || {
        found
            .metrics
            .with(|m| m.as_ref().map_or_else(Vec::new, |m| m.rows.clone()))
    };
    let none = move || {
        found
            .metrics
            .with(|m| m.as_ref().is_some_and(|m| m.rows.is_empty()))
    };
    view! {
        <Show
            when=move || any.get()
            fallback=|| view! { <Card title="Metrics"><p class="muted">"None were logged."</p></Card> }
        >
            <Card flush=true title="Metrics">
                <Show when=move || many.get()>
                    <div class="toolbar toolbar--in-card"><div class="toolbar__search"><TextInput value=text kind="search" icon=Glyph::Search placeholder="Search metrics" label="Search metrics"/></div></div>
                </Show>
                <Table label="Metrics" columns=vec!["Metric", "Latest", "Step", "Points"]>
                    {move || rows().into_iter().map(|(m, points)| {
                        let to = format!("{}?q={}", ctx.href("/charts"), fmt::encode(&m.key));
                        view! {
                            <tr>
                                <td data-label="Metric"><a class="link" href=to>{m.key}</a></td>
                                <td data-label="Latest"><b>{fmt::measured(m.last.value)}</b></td>
                                <td data-label="Step">{fmt::count(m.last.step)}</td>
                                <td data-label="Points">{fmt::count(points)}</td>
                            </tr>
                        }
                    }).collect_view()}
                </Table>
                <Show when=none><p class="muted pad">"No metric matches."</p></Show>
                <MoreBelow of=found limit page=LISTED pad=true/>
            </Card>
        </Show>
    }
}

#[component]
fn Inputs(d: RunDetail) -> impl IntoView {
    let rows = d
        .run
        .inputs
        .iter()
        .map(|i| {
            let ours = i.version_id.and_then(|id| d.datasets.iter().find(|v| v.id == id).cloned());
            let name = match ours {
                Some(v) => view! {
                    <a class="link run-data" href=format!("/data/{}/files?version={}", v.dataset_id, v.number)>
                        <Icon glyph=Glyph::Data size=14/>{format!("{}, version {}", v.dataset, v.number)}
                    </a>
                }
                .into_any(),
                None => i.name.clone().into_any(),
            };
            let context = i.tags.get(CONTEXT_TAG).cloned().unwrap_or_default();
            view! {
                <tr>
                    <td data-label="Data">{name}</td>
                    <td data-label="For">{context}</td>
                    <td data-label="Digest"><code title=i.digest.clone()>{i.digest.chars().take(12).collect::<String>()}</code></td>
                    <td data-label="Source" class="runs__source" title=i.source.clone()>{i.source_type.clone()}</td>
                </tr>
            }
        })
        .collect_view();
    (!d.run.inputs.is_empty()).then(|| {
        view! { <Card flush=true title="Data it read"><Table label="Data it read" columns=vec!["Data", "For", "Digest", "Source"]>{rows}</Table></Card> }
    })
}

#[component]
fn Models(d: RunDetail) -> impl IntoView {
    let made = d.run.models.iter().filter(|m| m.role == ModelUse::Output).count();
    if d.logged.is_empty() && d.versions.is_empty() && made == 0 {
        return ().into_any();
    }
    let versions = d
        .versions
        .into_iter()
        .map(|v| {
            let href = format!("/models/{}/versions/{}", fmt::encode(&v.model_name), v.number);
            view! {
                <li>
                    <Icon glyph=Glyph::Cube size=14/>
                    <a class="link" href=href>{format!("{}, version {}", v.model_name, v.number)}</a>
                    {v.aliases.into_iter().map(|a| view! { <Chip tone=Tone::Accent>{a}</Chip> }).collect_view()}
                </li>
            }
        })
        .collect_view();
    let logged = d
        .logged
        .into_iter()
        .map(|m| {
            let (tone, word) = match m.status {
                LoggedStatus::Ready => (Tone::Ok, "Ready"),
                LoggedStatus::Pending => (Tone::Neutral, "Pending"),
                LoggedStatus::Failed => (Tone::Bad, "Failed"),
            };
            view! { <li><Icon glyph=Glyph::Flask size=14/><span>{m.name}</span><code>{m.id.tag()}</code><Chip tone>{word}</Chip></li> }
        })
        .collect_view();
    view! { <Card title="Models it made"><ul class="run-models">{versions}{logged}</ul></Card> }.into_any()
}
