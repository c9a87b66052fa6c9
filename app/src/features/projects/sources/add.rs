//! The form that adds a source.

use super::choices;
use crate::data::{use_form, use_load};
use crate::error::AppError;
use crate::features::projects::api;
use crate::features::projects::layout::ProjectCtx;
use crate::features::projects::transfer::sequence::{SequenceChoice, SequenceFields};
use crate::session::use_session;
use crate::ui::{
    Button, Checkbox, DialogBody, DialogFoot, ErrorView, Field, FormError, Glyph, Notice, Select,
    SkeletonCards, TextInput, Tone, Variant, use_toasts,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::dataset::{DatasetKind, DatasetSummary, LATEST, Split, Version};
use limn_domain::datastore::{AddSource, DatasetChoice, Datastore, ProjectSource};
use limn_domain::project::Media;
use limn_domain::{ApiError, DatasetId};

const DATASTORE: &str = "datastore";
const DATASET: &str = "dataset";

#[component]
pub(super) fn AddForm(
    ctx: ProjectCtx,
    open: RwSignal<bool>,
    #[prop(into)] changed: Callback<()>,
) -> impl IntoView {
    let uses_stores = use_session().may(Action::UseDatastores);
    let all = use_load(
        || (),
        move |()| async move {
            let stores = if uses_stores {
                api::source_datastores().await?
            } else {
                Vec::new()
            };
            Ok::<_, AppError>((stores, api::source_datasets().await?))
        },
    );
    view! {
        <Transition fallback=|| view! { <DialogBody><SkeletonCards count=1/></DialogBody> }>
            {move || Suspend::new(async move {
                match all.await {
                    Ok((stores, datasets)) => {
                        let stores: Vec<Datastore> = stores.into_iter().filter(|s| s.enabled && !s.kind.is_sql()).collect();
                        let media = ctx.project.with_untracked(|p| p.summary.task.media());
                        let datasets: Vec<DatasetSummary> = datasets.into_iter().filter(|d| holds(d.kind, media)).collect();
                        if stores.is_empty() && datasets.is_empty() {
                            view! {
                                <DialogBody>
                                    <Notice>"There is no datastore with files and no dataset with a version yet. An admin connects datastores under Datastores; datasets are made under Data."</Notice>
                                </DialogBody>
                            }
                            .into_any()
                        } else {
                            view! { <Fields ctx stores datasets open changed/> }.into_any()
                        }
                    }
                    Err(error) => view! { <DialogBody><ErrorView error retry=move || all.refetch()/></DialogBody> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// Whether files of such a dataset can be items.
fn holds(kind: DatasetKind, media: Media) -> bool {
    match kind {
        DatasetKind::Images => media == Media::Image,
        DatasetKind::Text => media == Media::Text,
        DatasetKind::Files => true,
        DatasetKind::Tabular => false,
    }
}

/// Which files of a dataset are wanted.
#[derive(Clone, Copy)]
struct Of {
    dataset: RwSignal<String>,
    version: RwSignal<String>,
    split: RwSignal<String>,
    with_labels: RwSignal<bool>,
}

impl Of {
    fn choice(self) -> Option<DatasetChoice> {
        Some(DatasetChoice {
            dataset_id: self.dataset.with_untracked(|d| d.parse()).ok()?,
            version: self.version.get_untracked(),
            split: self.split.with_untracked(|s| s.parse().ok()),
            with_labels: self.with_labels.get_untracked(),
        })
    }
}

#[component]
fn Fields(
    ctx: ProjectCtx,
    stores: Vec<Datastore>,
    datasets: Vec<DatasetSummary>,
    open: RwSignal<bool>,
    changed: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let both = !stores.is_empty() && !datasets.is_empty();
    let from = RwSignal::new(if stores.is_empty() { DATASET } else { DATASTORE }.to_owned());
    let of_dataset = Memo::new(move |_| from.with(|f| f == DATASET));
    let store = RwSignal::new(stores.first().map(|s| s.id.to_string()).unwrap_or_default());
    let of = Of {
        dataset: RwSignal::new(datasets.first().map(|d| d.id.to_string()).unwrap_or_default()),
        version: RwSignal::new(LATEST.to_owned()),
        split: RwSignal::new(String::new()),
        with_labels: RwSignal::new(false),
    };
    let glob = RwSignal::new(String::new());
    let every = RwSignal::new(String::new());
    let videos = ctx.project.with_untracked(|p| p.summary.task.takes_videos());
    let frames = SequenceChoice::new();
    let stores: Vec<(String, String)> = stores
        .iter()
        .map(|s| (s.id.to_string(), format!("{} ({})", s.name, s.kind.label())))
        .collect();
    let datasets: Vec<(String, String)> = datasets
        .iter()
        .map(|d| (d.id.to_string(), d.name.clone()))
        .collect();
    let id = ctx.id;
    let add = use_form(
        move |()| {
            let mut input = AddSource {
                glob: glob.get_untracked(),
                every_minutes: every.with_untracked(|e| e.parse().ok()),
                ..AddSource::default()
            };
            let missing = if of_dataset.get_untracked() {
                input.dataset = of.choice();
                input
                    .dataset
                    .is_none()
                    .then_some(("dataset.dataset_id", "Choose a dataset."))
            } else {
                input.datastore_id = store.with_untracked(|s| s.parse().ok());
                input.sequence = frames.chosen();
                input
                    .datastore_id
                    .is_none()
                    .then_some(("datastore_id", "Choose a datastore."))
            };
            async move {
                if let Some((field, why)) = missing {
                    return Err(AppError(ApiError::field(field, why)));
                }
                api::source_add(id, input).await
            }
        },
        move |s: ProjectSource| {
            open.set(false);
            changed.run(());
            let href = s.job_id.map(|j| format!("/jobs/{j}")).unwrap_or_default();
            toasts.with_link(Tone::Ok, "Taking files has begun.", "See the job", href);
        },
    );
    let sorts = StoredValue::new(vec![
        (
            DATASTORE.to_owned(),
            "A datastore: files where they live".to_owned(),
        ),
        (DATASET.to_owned(), "A dataset: files of its versions".to_owned()),
    ]);
    let (stores, datasets) = (StoredValue::new(stores), StoredValue::new(datasets));
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                add.run(());
            }
        >
            <DialogBody>
                <div class="data-form">
                    {both.then(|| view! { <Field name="from" label="Take from"><Select value=from options=sorts.get_value()/></Field> })}
                    {move || if of_dataset.get() {
                        view! {
                            <Field name="dataset.dataset_id" label="Dataset" errors=add.error>
                                <Select value=of.dataset options=datasets.get_value() on_change=Callback::new(move |_: String| of.version.set(LATEST.to_owned()))/>
                            </Field>
                            <Field name="dataset.version" label="Version" errors=add.error hint="What a refresh takes: whatever is the latest then, whatever an alias points to, or always the same">
                                <Versions of/>
                            </Field>
                            <Field name="dataset.split" label="Split" errors=add.error>
                                <Select value=of.split options=splits()/>
                            </Field>
                        }
                        .into_any()
                    } else {
                        view! {
                            <Field name="datastore_id" label="Datastore" errors=add.error>
                                <Select value=store options=stores.get_value()/>
                            </Field>
                        }
                        .into_any()
                    }}
                    <Field name="glob" label="Which files" optional=true errors=add.error hint="A folder, a file, or a pattern: street/**, *.jpg. Everything when empty">
                        <TextInput value=glob autocomplete="off" mono=true placeholder="street/**"/>
                    </Field>
                    {move || (videos && !of_dataset.get()).then(|| view! { <SequenceFields choice=frames/> })}
                    {move || of_dataset.get().then(|| view! {
                        <Checkbox checked=of.with_labels label="With labels" hint="Labels of new files come in as an import's do: their items are done. Those of categories that the project lacks are left out and reported."/>
                    })}
                    <Field name="every_minutes" label="Look for new files" errors=add.error>
                        <Select value=every options=choices()/>
                    </Field>
                    <FormError error=add.error fields=&["datastore_id", "dataset.dataset_id", "dataset.version", "glob", "every_minutes"]/>
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button
                    variant=Variant::Primary
                    icon=Glyph::Check
                    submit=true
                    loading=add.pending
                    disabled=Signal::derive(move || !of_dataset.get() && frames.problem().is_some())
                >
                    "Add and read"
                </Button>
            </DialogFoot>
        </form>
    }
}

/// The versions of the chosen dataset; until they are there, the latest.
#[component]
fn Versions(of: Of) -> impl IntoView {
    let list = use_load(
        move || of.dataset.get(),
        |id: String| async move {
            match id.parse::<DatasetId>() {
                Ok(id) => api::source_versions(id).await,
                Err(_) => Ok(Vec::new()),
            }
        },
    );
    view! {
        <Transition fallback=move || view! { <Select value=of.version options=offered(&[])/> }>
            {move || Suspend::new(async move {
                let list = list.await.unwrap_or_default();
                view! { <Select value=of.version options=offered(&list)/> }
            })}
        </Transition>
    }
}

fn offered(list: &[Version]) -> Vec<(String, String)> {
    let mut all = vec![(LATEST.to_owned(), "Always the latest".to_owned())];
    let aliases = list
        .iter()
        .flat_map(|v| v.aliases.iter().map(move |a| (a, v.number)))
        .filter(|(a, _)| *a != LATEST);
    all.extend(aliases.map(|(a, n)| (a.clone(), format!("Whatever is {a} (now version {n})"))));
    all.extend(
        list.iter()
            .map(|v| (v.number.to_string(), format!("Always version {}", v.number))),
    );
    all
}

fn splits() -> Vec<(String, String)> {
    let mut all = vec![(String::new(), "All files".to_owned())];
    all.extend(Split::ALL.map(|s| (s.as_str().to_owned(), s.label().to_owned())));
    all
}
