//! Open datasets: the catalogue's list, and one record of it.

mod add;
mod record;

pub use record::CataloguePage as RecordPage;

use super::api;
use super::list::glyph;
use crate::data::use_load;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Button, Chip, EmptyState, ErrorView, Glyph, Icon, Notice, PageHead, Select, SkeletonCards, Tab, Tabs,
    TextInput, Tone,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::catalogue::{CatalogueEntry, CatalogueTask, DigestState};
use limn_domain::dataset::DatasetKind;

/// The tabs above the list of datasets and the catalogue, for those who may make datasets.
#[component]
pub fn DataTabs() -> impl IntoView {
    let session = use_session();
    move || {
        session.may(Action::CreateDataset).then(|| {
            view! {
                <Tabs label="Data">
                    <Tab href="/data" exact=true>"Datasets"</Tab>
                    <Tab href="/data/catalogue">"Open datasets"</Tab>
                </Tabs>
            }
        })
    }
}

/// `/data/catalogue`
#[component]
pub fn OpenDatasetsPage() -> impl IntoView {
    let session = use_session();
    view! {
        <PageHead
            title="Open datasets"
            sub=ViewFn::from(|| "Well-known datasets, fetched from their publishers, checked, and made ready to explore and train with.")
        />
        <Show
            when=move || session.may(Action::CreateDataset)
            fallback=|| view! { <Notice>"Only managers and admins add open datasets. Ask one of them."</Notice> }
        >
            <DataTabs/>
            <Loaded/>
        </Show>
    }
}

#[component]
fn Loaded() -> impl IntoView {
    let records = use_load(|| (), |()| api::catalogue_list());
    view! {
        <Suspense fallback=|| view! { <SkeletonCards count=6/> }>
            {move || Suspend::new(async move {
                match records.await {
                    Ok(list) if list.is_empty() => view! { <Nothing/> }.into_any(),
                    Ok(list) => view! { <Records list/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || records.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="card">
            <EmptyState
                glyph=Glyph::Book
                title="The catalogue is empty"
                text="The file that this server reads its catalogue from has no records. An admin of the server can change that."
            />
        </div>
    }
}

/// Whether a record has every word that is looked for.
fn has(e: &CatalogueEntry, text: &str) -> bool {
    let all = format!(
        "{} {} {} {} {} {}",
        e.slug,
        e.name,
        e.summary,
        e.tags.join(" "),
        e.task.label(),
        e.licence.name
    )
    .to_lowercase();
    text.to_lowercase()
        .split_whitespace()
        .all(|word| all.contains(word))
}

#[component]
fn Records(list: Vec<CatalogueEntry>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let kind = RwSignal::new(String::new());
    let task = RwSignal::new(String::new());
    let offered: Vec<CatalogueTask> = CatalogueTask::ALL
        .into_iter()
        .filter(|t| list.iter().any(|e| e.task == *t))
        .collect();
    let all = StoredValue::new(list);
    let shown = Memo::new(move |_| {
        let (text, kind, task) = (text.get(), kind.get(), task.get());
        all.with_value(|list| {
            list.iter()
                .filter(|e| kind.is_empty() || e.kind.as_str() == kind)
                .filter(|e| task.is_empty() || e.task.as_str() == task)
                .filter(|e| has(e, &text))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let clear = move || {
        text.set(String::new());
        kind.set(String::new());
        task.set(String::new());
    };
    let kinds = vec![
        (String::new(), "Every kind".to_owned()),
        (
            DatasetKind::Images.as_str().to_owned(),
            DatasetKind::Images.label().to_owned(),
        ),
        (
            DatasetKind::Tabular.as_str().to_owned(),
            DatasetKind::Tabular.label().to_owned(),
        ),
    ];
    let tasks: Vec<(String, String)> = std::iter::once((String::new(), "Every task".to_owned()))
        .chain(
            offered
                .into_iter()
                .map(|t| (t.as_str().to_owned(), t.label().to_owned())),
        )
        .collect();
    view! {
        <div class="toolbar">
            <div class="toolbar__search">
                <TextInput value=text kind="search" icon=Glyph::Search placeholder="Search names, tags, licences" label="Search open datasets"/>
            </div>
            <Select value=kind options=kinds label="Kind"/>
            <Select value=task options=tasks label="Task"/>
            <span class="muted" role="status">{move || fmt::counted(shown.with(Vec::len) as i64, "dataset", "datasets")}</span>
        </div>
        <Show
            when=move || !shown.with(Vec::is_empty)
            fallback=move || view! {
                <div class="card">
                    <EmptyState glyph=Glyph::Search title="No open dataset matches" text="Try another word, or clear the filters.">
                        <Button on_click=clear>"Clear the filters"</Button>
                    </EmptyState>
                </div>
            }
        >
            <ul class="project-cards">
                <For each=move || shown.get() key=|e| e.slug.clone() let:e><RecordCard e/></For>
            </ul>
        </Show>
    }
}

#[component]
fn RecordCard(e: CatalogueEntry) -> impl IntoView {
    view! {
        <li class="card project-card">
            <div class="project-card__head">
                <span class="project-card__icon"><Icon glyph=glyph(e.kind) size=18/></span>
                <div class="grow">
                    <h2 class="project-card__name"><a href=format!("/data/catalogue/{}", e.slug)>{e.name}</a></h2>
                    <p class="project-card__task">{e.task.label()}</p>
                </div>
                {(!e.added.is_empty()).then(|| view! { <Chip tone=Tone::Ok icon=Glyph::Check>"Added"</Chip> })}
            </div>
            <p class="project-card__text">{e.summary}</p>
            <p class="open-licence"><Icon glyph=Glyph::Shield size=13/><span class="sr-only">"Licence: "</span><span>{e.licence.name}</span></p>
            <div class="project-card__foot">
                <span>{e.bytes.map_or_else(|| "Size not stated".to_owned(), fmt::bytes)}</span>
                <DigestNote state=e.digests/>
            </div>
        </li>
    }
}

/// Whether the files can be checked against what is published.
#[component]
fn DigestNote(state: DigestState) -> impl IntoView {
    let (class, glyph, text) = match state {
        DigestState::All => ("open-digest is-known", Glyph::CheckCircle, "Digest known"),
        DigestState::Some => ("open-digest", Glyph::Info, "Digest of some files"),
        DigestState::None => ("open-digest", Glyph::Info, "No digest published"),
    };
    view! { <span class=class><Icon glyph size=13/>{text}</span> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::catalogue::Licence;

    #[test]
    fn every_word_counts() {
        let e = CatalogueEntry {
            slug: "mnist".into(),
            name: "MNIST".into(),
            summary: "70,000 handwritten digits".into(),
            kind: DatasetKind::Images,
            task: CatalogueTask::ImageClassification,
            tags: vec!["benchmark".into()],
            licence: Licence {
                name: "CC-BY-SA-3.0".into(),
                url: None,
            },
            bytes: None,
            files: 4,
            digests: DigestState::All,
            added: Vec::new(),
        };
        for good in ["", "mnist", "Digits BENCH", "cc-by-sa", "classification"] {
            assert!(has(&e, good), "{good}");
        }
        assert!(!has(&e, "digits photos"));
    }
}
