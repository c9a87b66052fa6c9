//! Two versions side by side.

use super::api;
use super::layout::{NoVersion, use_dataset};
use super::shape::file_url;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{
    Button, Card, Chip, EmptyState, ErrorView, Glyph, IconButton, Notice, Select, Skeleton, Stat, Table, Tone,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::VersionId;
use limn_domain::dataset::{DiffKind, DiffQuery, DiffRow, DiffSummary, Entry};

/// `/data/:id/compare`
#[component]
pub fn CompareTab() -> impl IntoView {
    let ctx = use_dataset();
    let pair = ctx.versions.with_untracked(|v| {
        let number = |n: usize| {
            v.get(n)
                .or(v.first())
                .map_or_else(String::new, |v| v.number.to_string())
        };
        (number(1), number(0))
    });
    let old = RwSignal::new(pair.0);
    let new = RwSignal::new(pair.1);
    let swap = move || {
        let (a, b) = (old.get_untracked(), new.get_untracked());
        old.set(b);
        new.set(a);
    };
    let chosen = Memo::new(move |_| {
        let (a, b) = (ctx.version(&old.get())?, ctx.version(&new.get())?);
        Some((a.id, b.id))
    });
    view! {
        <Show when=move || ctx.versions.with(|v| !v.is_empty()) fallback=move || view! { <NoVersion ctx/> }>
            <div class="toolbar">
                <Select value=old options=Signal::derive(move || ctx.options()) label="From"/>
                <IconButton glyph=Glyph::ArrowRight label="Swap the two" on_click=swap/>
                <Select value=new options=Signal::derive(move || ctx.options()) label="To"/>
            </div>
            {move || chosen.get().map(|(a, b)| view! { <Between old=a new=b/> })}
        </Show>
    }
}

#[component]
fn Between(old: VersionId, new: VersionId) -> impl IntoView {
    let kind = RwSignal::new(String::new());
    let diff = use_load(move || (old, new), |(a, b)| api::version_diff(a, b));
    view! {
        <Transition fallback=|| view! { <Skeleton lines=4/> }>
            {move || Suspend::new(async move {
                match diff.await {
                    Ok(d) if d.is_empty() => view! {
                        <Card><EmptyState glyph=Glyph::CheckCircle title="The same" text="Both are this very content, to the byte."/></Card>
                    }
                    .into_any(),
                    Ok(d) => view! { <Summary d kind/> <Files old new kind/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || diff.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Summary(d: DiffSummary, kind: RwSignal<String>) -> impl IntoView {
    let stats = DiffKind::ALL
        .into_iter()
        .filter(|k| !matches!(k, DiffKind::Other) || d.other > 0)
        .map(|k| view! { <Stat label=k.label() value=fmt::count(d.count(k))/> })
        .collect_view();
    let mut options = vec![(String::new(), "Every difference".to_owned())];
    options.extend(DiffKind::ALL.into_iter().filter(|k| d.count(*k) > 0).map(|k| {
        (
            k.as_str().to_owned(),
            format!("{} ({})", k.label(), fmt::count(d.count(k))),
        )
    }));
    let names = |list: &[String]| list.join(", ");
    let categories: Vec<String> = [
        ("added", &d.categories_added),
        ("removed", &d.categories_removed),
        ("changed", &d.categories_changed),
    ]
    .into_iter()
    .filter(|(_, l)| !l.is_empty())
    .map(|(what, l)| format!("Categories {what}: {}", names(l)))
    .collect();
    view! {
        <div class="data-stats">
            {stats}
            <Stat label="Unchanged" value=fmt::count(d.unchanged)/>
        </div>
        {(!categories.is_empty()).then(|| view! {
            <Notice><ul class="plain-list">{categories.into_iter().map(|c| view! { <li>{c}</li> }).collect_view()}</ul></Notice>
        })}
        <div class="toolbar"><Select value=kind options label="Show"/></div>
    }
}

#[component]
fn Files(old: VersionId, new: VersionId, kind: RwSignal<String>) -> impl IntoView {
    let query = Memo::new(move |_| DiffQuery {
        kind: kind.with(|k| DiffKind::ALL.into_iter().find(|d| d.as_str() == k)),
        cursor: None,
        limit: Some(100),
    });
    let page = use_load(move || query.get(), move |q| api::version_diff_files(old, new, q));
    view! {
        <Card flush=true>
            <Transition fallback=|| view! { <div class="pad"><Skeleton lines=4/></div> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(p) if p.rows.is_empty() => view! { <p class="pad muted">"No file differs; only the categories or their settings do."</p> }.into_any(),
                        Ok(p) => view! { <Rows old new query rows=p.rows next=p.next/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || page.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
    }
}

#[component]
fn Rows(
    old: VersionId,
    new: VersionId,
    query: Memo<DiffQuery>,
    rows: Vec<DiffRow>,
    next: Option<String>,
) -> impl IntoView {
    let rows = RwSignal::new(rows);
    let next = RwSignal::new(next);
    let busy = RwSignal::new(false);
    let more = move || {
        busy.set(true);
        let wanted = DiffQuery {
            cursor: next.get_untracked(),
            ..query.get_untracked()
        };
        spawn_local(async move {
            if let Ok(p) = api::version_diff_files(old, new, wanted).await {
                rows.try_update(|r| r.extend(p.rows));
                next.try_set(p.next);
            }
            busy.try_set(false);
        });
    };
    view! {
        <Table label="Files that differ" columns=vec!["File", "What", "Before", "After"]>
            <For each=move || rows.get() key=|r| r.path.clone() let:r><Row old new r/></For>
        </Table>
        {move || next.with(Option::is_some).then(|| view! { <p class="data-more pad"><Button loading=busy on_click=more>"Show more"</Button></p> })}
    }
}

const fn tone(kind: DiffKind) -> Tone {
    match kind {
        DiffKind::Added => Tone::Ok,
        DiffKind::Removed => Tone::Bad,
        DiffKind::Content | DiffKind::Labels => Tone::Warn,
        DiffKind::Split | DiffKind::Other => Tone::Neutral,
    }
}

#[component]
fn Row(old: VersionId, new: VersionId, r: DiffRow) -> impl IntoView {
    let href = match &r.change.new {
        Some(_) => file_url(new, &r.path),
        None => file_url(old, &r.path),
    };
    let kinds = r.kinds.clone();
    view! {
        <tr>
            <td data-label="File"><a class="link data-path" href=href rel="external">{r.path.clone()}</a></td>
            <td data-label="What"><span class="data-chips">{kinds.into_iter().map(|k| view! { <Chip tone=tone(k)>{k.label()}</Chip> }).collect_view()}</span></td>
            <td data-label="Before">{r.change.old.as_ref().map(words)}</td>
            <td data-label="After">{r.change.new.as_ref().map(words)}</td>
        </tr>
    }
}

/// A file in words: its labels, its split, its size.
fn words(e: &Entry) -> String {
    let mut parts: Vec<String> = e.categories.iter().map(|(c, n)| format!("{c} {n}")).collect();
    if e.labels_digest.is_some() && parts.is_empty() {
        parts.push("attributes".to_owned());
    }
    if !e.split.is_none() {
        parts.push(e.split.label().to_lowercase());
    }
    parts.push(fmt::bytes(e.size));
    parts.join(", ")
}
