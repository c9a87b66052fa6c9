//! All datasets the person may see.

use super::api;
use super::catalogue::DataTabs;
use crate::data::use_load;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Button, Chip, EmptyState, ErrorView, Glyph, Icon, PageHead, RelativeTime, Select, SkeletonCards,
    TextInput, Variant,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::authz::Action;
use limn_domain::dataset::{DatasetKind, DatasetQuery, DatasetSummary, Visibility};

/// The icon of a kind.
pub fn glyph(kind: DatasetKind) -> Glyph {
    match kind {
        DatasetKind::Images => Glyph::Images,
        DatasetKind::Tabular => Glyph::Grid,
        DatasetKind::Text => Glyph::Book,
        DatasetKind::Files => Glyph::File,
    }
}

/// `/data`
#[component]
pub fn DatasetsPage() -> impl IntoView {
    let session = use_session();
    let text = RwSignal::new(String::new());
    let kind = RwSignal::new(String::new());
    let tag = RwSignal::new(String::new());
    let filtered = Memo::new(move |_| {
        text.with(|t| !t.trim().is_empty()) || kind.with(|k| !k.is_empty()) || tag.with(|t| !t.is_empty())
    });
    let query = Memo::new(move |_| DatasetQuery {
        text: Some(text.get()).filter(|t| !t.trim().is_empty()),
        kind: kind.get().parse().ok(),
        tag: Some(tag.get()).filter(|t| !t.is_empty()),
        cursor: None,
        limit: None,
    });
    let datasets = use_load(move || query.get(), api::dataset_list);
    let kinds: Vec<(String, String)> = std::iter::once((String::new(), "Every kind".to_owned()))
        .chain(DatasetKind::ALL.map(|k| (k.as_str().to_owned(), k.label().to_owned())))
        .collect();
    view! {
        <PageHead title="Data" sub=ViewFn::from(|| "Datasets with versions that never change: what was trained on can be had again, byte for byte.")>
            {move || session.may(Action::CreateDataset).then(|| view! {
                <Button variant=Variant::Primary icon=Glyph::Plus href="/data/new">"New dataset"</Button>
            })}
        </PageHead>
        <DataTabs/>
        <div class="toolbar">
            <div class="toolbar__search">
                <TextInput value=text kind="search" icon=Glyph::Search placeholder="Search names and tags" label="Search datasets"/>
            </div>
            <Select value=kind options=kinds label="Kind"/>
            {move || {
                let t = tag.get();
                (!t.is_empty()).then(|| view! {
                    <Button icon=Glyph::X on_click=move || tag.set(String::new())>{format!("Tag {t}")}</Button>
                })
            }}
        </div>
        <Transition fallback=|| view! { <SkeletonCards count=3/> }>
            {move || Suspend::new(async move {
                match datasets.await {
                    Ok(page) if page.rows.is_empty() => view! { <Nothing filtered text kind tag/> }.into_any(),
                    Ok(page) => view! { <List rows=page.rows next=page.next query tag/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || datasets.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Nothing(
    filtered: Memo<bool>,
    text: RwSignal<String>,
    kind: RwSignal<String>,
    tag: RwSignal<String>,
) -> impl IntoView {
    let session = use_session();
    move || {
        if filtered.get_untracked() {
            return view! {
                <div class="card">
                    <EmptyState glyph=Glyph::Search title="No dataset matches" text="Try another word, or clear the filters.">
                        <Button on_click=move || {
                            text.set(String::new());
                            kind.set(String::new());
                            tag.set(String::new());
                        }>"Clear the filters"</Button>
                    </EmptyState>
                </div>
            }
            .into_any();
        }
        let may = session.may(Action::CreateDataset);
        view! {
            <div class="card">
                <EmptyState
                    glyph=Glyph::Data
                    title=if may { "Your first dataset" } else { "No datasets for you yet" }
                    text=if may {
                        "Freeze a labeling project, or upload files. Each version gets a number and a digest, and stays what it is."
                    } else {
                        "Ask a dataset's manager to add you as a member."
                    }
                >
                    {may.then(|| view! { <Button variant=Variant::Primary icon=Glyph::Plus href="/data/new">"New dataset"</Button> })}
                </EmptyState>
            </div>
        }
        .into_any()
    }
}

#[component]
fn List(
    rows: Vec<DatasetSummary>,
    next: Option<String>,
    query: Memo<DatasetQuery>,
    tag: RwSignal<String>,
) -> impl IntoView {
    let rows = RwSignal::new(rows);
    let next = RwSignal::new(next);
    let busy = RwSignal::new(false);
    let more = move || {
        busy.set(true);
        let wanted = DatasetQuery {
            cursor: next.get_untracked(),
            ..query.get_untracked()
        };
        spawn_local(async move {
            if let Ok(page) = api::dataset_list(wanted).await {
                rows.try_update(|r| r.extend(page.rows));
                next.try_set(page.next);
            }
            busy.try_set(false);
        });
    };
    view! {
        <ul class="project-cards">
            <For each=move || rows.get() key=|d| d.id let:d><DatasetCard d tag/></For>
        </ul>
        {move || next.with(Option::is_some).then(|| view! {
            <p class="project-cards__hint"><Button loading=busy on_click=more>"Show more"</Button></p>
        })}
    }
}

#[component]
fn DatasetCard(d: DatasetSummary, tag: RwSignal<String>) -> impl IntoView {
    let facts = match d.latest_number {
        Some(n) => format!(
            "v{n}, {}, {}",
            fmt::counted(d.files, "file", "files"),
            fmt::bytes(d.bytes)
        ),
        None => "No version yet".to_owned(),
    };
    // The first line of the description that says something.
    let about = d
        .description
        .lines()
        .map(|l| l.trim_start_matches(['#', '>', '*', '-', ' ']).trim())
        .find(|l| !l.is_empty())
        .unwrap_or(d.kind.describe())
        .to_owned();
    view! {
        <li class="card project-card">
            <div class="project-card__head">
                <span class="project-card__icon"><Icon glyph=glyph(d.kind) size=18/></span>
                <div class="grow">
                    <h2 class="project-card__name"><a href=format!("/data/{}", d.id)>{d.name}</a></h2>
                    <p class="project-card__task">{d.kind.label()}{(!d.licence.is_empty()).then(|| format!(", {}", d.licence))}</p>
                </div>
                {(d.visibility == Visibility::Private).then(|| view! { <Chip icon=Glyph::Lock>"Private"</Chip> })}
            </div>
            <p class="project-card__text">{about}</p>
            {(!d.tags.is_empty()).then(|| view! {
                <p class="data-tags">
                    {d.tags.into_iter().map(|t| {
                        let set = t.clone();
                        view! { <button type="button" class="data-tag" on:click=move |_| tag.set(set.clone())>{t}</button> }
                    }).collect_view()}
                </p>
            })}
            <div class="project-card__foot">
                <span>{facts}</span>
                <span class="faint"><RelativeTime at=d.updated_at/></span>
            </div>
        </li>
    }
}
