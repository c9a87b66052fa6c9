//! A version of a dataset of what was found.

use super::super::api;
use super::Explorer;
use crate::data::{use_form, use_load};
use crate::fmt;
use crate::job::{JobProgress, follow};
use crate::session::use_session;
use crate::ui::{
    Button, Choice, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, Notice, RadioCards, Select,
    TextInput, Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::authz::{Action, allowed};
use limn_domain::dataset::{DatasetKind, NewDataset, NewVersion, VersionOutcome, VersionSource};
use limn_domain::job::Job;
use limn_domain::{ApiError, DatasetId};

const NEW: &str = "new";
const OLD: &str = "old";

#[component]
pub fn MakeDialog(e: Explorer, open: RwSignal<bool>) -> impl IntoView {
    let job = RwSignal::new(None::<Job>);
    view! {
        <Dialog
            open
            title="Version of these items"
            description="Versions of datasets never change: they hold the items and their labels as they are now."
            on_close=move || job.set(None)
        >
            <Show when=move || job.with(Option::is_none) fallback=move || view! { <Made job open/> }>
                <Form e job open/>
            </Show>
        </Dialog>
    }
}

#[component]
fn Form(e: Explorer, job: RwSignal<Option<Job>>, open: RwSignal<bool>) -> impl IntoView {
    let may_create = use_session().may(Action::CreateDataset);
    let into = RwSignal::new(if may_create { NEW } else { OLD }.to_owned());
    let (name, note, old) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    // What the dialog speaks of stays while it is open.
    let (choice, items) = untrack(|| (e.choice(), e.chosen()));
    let choice = StoredValue::new(choice);
    let is_text = e.ctx.project.with_untracked(|p| p.summary.task.is_text());
    let kind = if is_text {
        DatasetKind::Text
    } else {
        DatasetKind::Images
    };
    let datasets = use_load(|| (), |()| api::explore_datasets());
    let options = Signal::derive(move || {
        let mut all = vec![(String::new(), "Choose a dataset".to_owned())];
        if let Some(Ok(list)) = datasets.get() {
            let fit = list
                .into_iter()
                .filter(|d| d.kind == kind && allowed(d.my_role, Action::AddVersions));
            all.extend(fit.map(|d| (d.id.to_string(), d.name)));
        }
        all
    });
    let start = use_form(
        move |()| async move {
            let dataset = if into.get_untracked() == OLD {
                let chosen = old.get_untracked().parse::<DatasetId>();
                chosen.map_err(|_| ApiError::field("dataset", "Choose the dataset that it goes into."))?
            } else {
                let input = NewDataset {
                    name: name.get_untracked(),
                    kind,
                    ..NewDataset::default()
                };
                api::explore_new_dataset(input).await?.summary.id
            };
            let choice = choice.get_value();
            let input = NewVersion {
                source: VersionSource::Found {
                    project_id: e.ctx.id,
                    filter: choice.filter,
                    items: choice.items,
                },
                note: note.get_untracked(),
            };
            api::explore_register(dataset, input).await
        },
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, Callback::new(|_| ()));
        },
    );
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            start.run(());
        }>
            <DialogBody>
                <p>{format!("{} with their labels.", fmt::counted(items, "item", "items"))}</p>
                <FormError error=start.error fields=&["name", "dataset"]/>
                {may_create.then(|| view! {
                    <RadioCards
                        value=into
                        name="explore-into"
                        label="Into"
                        choices=vec![
                            Choice::new(NEW, "A new dataset", "With these items alone; the lineage leads back here"),
                            Choice::new(OLD, "A dataset that is there", "As its newest version"),
                        ]
                    />
                })}
                <Show
                    when=move || into.with(|i| i == NEW)
                    fallback=move || view! {
                        <Suspense>
                            <Field name="dataset" id="explore-dataset" label="Dataset" errors=start.error>
                                <Select value=old options/>
                            </Field>
                        </Suspense>
                    }
                >
                    <Field name="name" id="explore-name" label="Name" errors=start.error>
                        <TextInput value=name autocomplete="off"/>
                    </Field>
                </Show>
                <Field name="note" id="explore-note" label="What is new" errors=start.error hint="For people; may stay empty.">
                    <TextInput value=note autocomplete="off"/>
                </Field>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary icon=Glyph::Check submit=true loading=start.pending>"Register"</Button>
            </DialogFoot>
        </form>
    }
}

/// What became of the registration.
fn outcome(job: &Job) -> Result<VersionOutcome, String> {
    let found = job.result.clone().and_then(|r| serde_json::from_value(r).ok());
    found.ok_or_else(|| {
        job.error
            .clone()
            .unwrap_or_else(|| "The registration was cancelled; nothing was registered.".to_owned())
    })
}

#[component]
fn Made(job: RwSignal<Option<Job>>, open: RwSignal<bool>) -> impl IntoView {
    let ended = Memo::new(move |_| job.with(|j| j.as_ref().filter(|j| j.state.is_final()).map(outcome)));
    view! {
        <DialogBody>
            {move || match ended.get() {
                None => view! {
                    <JobProgress job=job.into()/>
                    <p class="faint">"You can close this; the registration goes on."</p>
                }
                .into_any(),
                Some(Ok(o)) => {
                    let files = fmt::counted(o.files, "file", "files");
                    let text = if o.is_new {
                        format!("Version {} holds {files}. ", o.number)
                    } else {
                        format!("Version {} has this very content already. ", o.number)
                    };
                    view! {
                        <Notice tone=Tone::Ok>
                            {text}<a class="link" href=format!("/data/{}", o.dataset_id)>"See the dataset"</a>
                        </Notice>
                    }
                    .into_any()
                }
                Some(Err(why)) => view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any(),
            }}
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Primary on_click=move || open.set(false)>"Done"</Button>
        </DialogFoot>
    }
}
