//! The versions of a dataset, what they are called, and what can be done with each.

use super::acts::{Act, Acts};
use super::api;
use super::layout::{DatasetCtx, NoVersion, use_dataset};
use crate::data::use_load;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Card, Chip, CopyButton, ErrorView, Glyph, Menu, MenuItem, MenuLine, ProgressBar, RelativeTime, Segment,
    Skeleton, Table, Tone,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::dataset::{AliasMove, DatasetKind, LATEST, Split, Version};

/// `/data/:id`
#[component]
pub fn VersionsTab() -> impl IntoView {
    let ctx = use_dataset();
    let act = RwSignal::new(None::<(Act, Version)>);
    view! {
        <div class="overview">
            <div class="overview__col">
                <Show when=move || !ctx.versions.with(Vec::is_empty) fallback=move || view! { <NoVersion ctx/> }>
                    <Card flush=true>
                        <Table label="Versions" columns=vec!["Version", "Files", "Splits", "Digest", "Registered", ""]>
                            <For each=move || ctx.versions.get() key=|v| (v.id, v.aliases.clone()) let:v><Row ctx v act/></For>
                        </Table>
                    </Card>
                </Show>
            </div>
            <div class="overview__col">
                <About ctx/>
                <Latest ctx/>
                <Moves ctx/>
            </div>
        </div>
        <Acts ctx act/>
    }
}

#[component]
fn Row(ctx: DatasetCtx, v: Version, act: RwSignal<Option<(Act, Version)>>) -> impl IntoView {
    let session = use_session();
    let kind = ctx.dataset.with_untracked(|d| d.summary.kind);
    let labels = matches!(kind, DatasetKind::Images | DatasetKind::Text);
    let is_split = v.counts.splits[1..].iter().any(|n| *n > 0);
    let tones = [Tone::Neutral, Tone::Accent, Tone::Ok, Tone::Warn];
    let segments: Vec<Segment> = Split::ALL
        .into_iter()
        .zip(tones)
        .map(|(s, tone)| Segment::new(v.counts.splits[s.index()], tone, s.label()))
        .collect();
    let splits = format!(
        "{} / {} / {}",
        fmt::count(v.counts.splits[1]),
        fmt::count(v.counts.splits[2]),
        fmt::count(v.counts.splits[3])
    );
    let this = StoredValue::new(v.clone());
    let set = move |a: Act| act.set(Some((a, this.get_value())));
    let files = ctx.href(&format!("/files?version={}", v.number));
    let zip = format!("/api/v1/versions/{}/zip", v.id);
    let digest = v.digest.to_string();
    view! {
        <tr>
            <td data-label="Version">
                <span class="data-version">
                    <a class="link" href=files><b>{format!("Version {}", v.number)}</b></a>
                    {v.aliases.clone().into_iter().map(|a| view! {
                        <Chip tone=if a == LATEST { Tone::Neutral } else { Tone::Accent }>{a}</Chip>
                    }).collect_view()}
                    {(!v.note.is_empty()).then(|| view! { <span class="faint">{v.note.clone()}</span> })}
                </span>
            </td>
            <td data-label="Files">
                <span>
                    {fmt::count(v.files)}
                    <span class="faint data-sub">
                        {if v.counts.labels > 0 {
                            format!("{}, {}", fmt::bytes(v.bytes), fmt::counted(v.counts.labels, "label", "labels"))
                        } else {
                            fmt::bytes(v.bytes)
                        }}
                    </span>
                </span>
            </td>
            <td data-label="Splits">
                {if is_split {
                    view! {
                        <span class="data-splits" title="Train / validation / test">
                            <ProgressBar label="Splits" segments total=v.files/>
                            <span class="faint">{splits}</span>
                        </span>
                    }.into_any()
                } else {
                    view! { <span class="faint">"None"</span> }.into_any()
                }}
            </td>
            <td data-label="Digest">
                <span class="data-digest"><code title=digest.clone()>{digest.chars().take(12).collect::<String>()}</code><CopyButton text=digest.clone()/></span>
            </td>
            <td data-label="Registered">
                <span>
                    <RelativeTime at=v.created_at/>
                    <span class="faint data-sub">{v.created_by_name.clone().unwrap_or_default()}</span>
                </span>
            </td>
            <td class="table__actions">
                <Menu id=format!("version-{}", v.number) label=format!("Actions of version {}", v.number) trigger_class="btn btn--icon btn--quiet" end=true>
                    {labels.then(|| view! { <MenuItem icon=Glyph::Download on_click=move || set(Act::Export)>"Export"</MenuItem> })}
                    <MenuItem icon=Glyph::Archive href=zip.clone() external=true>"Files as a zip"</MenuItem>
                    <MenuItem icon=Glyph::Plug on_click=move || set(Act::Places)>"Where its files lie"</MenuItem>
                    {move || ctx.may(Action::AddVersions).then(|| view! {
                        <MenuItem icon=Glyph::Slice on_click=move || set(Act::Splits)>"Make splits"</MenuItem>
                        <MenuItem icon=Glyph::Flag on_click=move || set(Act::Alias)>"Aliases"</MenuItem>
                    })}
                    {(kind == DatasetKind::Images && v.counts.labels > 0).then(|| view! {
                        <MenuItem icon=Glyph::Flask href=format!("/train?version={}", v.id)>"Train a model"</MenuItem>
                    })}
                    {move || (labels && session.may(Action::CreateProject)).then(|| view! {
                        <MenuItem icon=Glyph::Tag on_click=move || set(Act::Project)>"New labeling project"</MenuItem>
                    })}
                    {move || ctx.may(Action::ManageDataset).then(|| view! {
                        <MenuLine/>
                        <MenuItem icon=Glyph::Trash on_click=move || set(Act::Delete)>"Delete"</MenuItem>
                    })}
                </Menu>
            </td>
        </tr>
    }
}

#[component]
fn About(ctx: DatasetCtx) -> impl IntoView {
    view! {
        <Card title="About">
            {move || ctx.dataset.with(|d| if d.summary.description.trim().is_empty() {
                view! { <p class="muted">{d.summary.kind.describe()}"."</p> }.into_any()
            } else {
                view! { <div class="prose" inner_html=d.description_html.clone()></div> }.into_any()
            })}
            <dl class="facts data-facts">
                <dt>"Owner"</dt>
                <dd>{move || ctx.dataset.with(|d| d.summary.owner_name.clone().unwrap_or_else(|| "Nobody".to_owned()))}</dd>
                <dt>"Created"</dt>
                <dd><RelativeTime at=Signal::derive(move || ctx.dataset.with(|d| d.summary.created_at))/></dd>
                <dt>"Your role"</dt>
                <dd>{move || ctx.dataset.with(|d| d.summary.my_role.label())}</dd>
            </dl>
        </Card>
    }
}

/// The categories of the newest version.
#[component]
fn Latest(ctx: DatasetCtx) -> impl IntoView {
    let rows = Memo::new(move |_| {
        let mut rows = ctx
            .versions
            .with(|v| v.first().map(|v| v.counts.categories.clone()).unwrap_or_default());
        rows.sort_by_key(|c| std::cmp::Reverse(c.labels));
        rows.truncate(12);
        rows
    });
    view! {
        <Show when=move || !rows.with(Vec::is_empty)>
            <Card title="Labels of the newest version">
                <crate::ui::BarList
                    label="Labels by category"
                    rows=Signal::derive(move || rows.get().into_iter().map(|c| crate::ui::BarRow {
                        href: Some(ctx.href(&format!("/files?category={}", super::shape::encode(&c.path)))),
                        label: c.path,
                        value: c.labels,
                        color: c.color,
                    }).collect::<Vec<_>>())
                />
            </Card>
        </Show>
    }
}

/// Where the aliases went.
#[component]
fn Moves(ctx: DatasetCtx) -> impl IntoView {
    // Read again whenever an alias has moved.
    let aliases = Memo::new(move |_| {
        ctx.versions
            .with(|v| v.iter().map(|v| v.aliases.clone()).collect::<Vec<_>>())
    });
    let moves = use_load(move || aliases.get(), move |_| api::dataset_alias_moves(ctx.id));
    view! {
        <Transition fallback=|| view! { <Skeleton lines=2/> }>
            {move || Suspend::new(async move {
                match moves.await {
                    Ok(list) if list.is_empty() => ().into_any(),
                    Ok(list) => view! { <MoveList list/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || moves.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn MoveList(list: Vec<AliasMove>) -> impl IntoView {
    view! {
        <Card title="Aliases over time">
            <ul class="data-moves">
                {list.into_iter().take(20).map(|m| view! {
                    <li>
                        <b>{m.name}</b>
                        {m.number.map_or_else(|| " removed".to_owned(), |n| format!(" to version {n}"))}
                        <span class="faint">" by "{m.by_name}", "<RelativeTime at=m.at/></span>
                    </li>
                }).collect_view()}
            </ul>
        </Card>
    }
}
