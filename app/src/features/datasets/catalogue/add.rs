//! Adding a record: the form, the job under way, what came of it.

use crate::data::use_form;
use crate::features::datasets::api;
use crate::features::datasets::source::Outcome;
use crate::fmt;
use crate::job::{Watch, follow};
use crate::ui::{Button, Card, Checkbox, Field, FormError, Glyph, Notice, TextInput, Tone, Variant};
use leptos::prelude::*;
use limn_domain::catalogue::{AddDataset, CatalogueOutcome};
use limn_domain::dataset::Visibility;
use limn_domain::job::{Job, JobState};

/// What became of the job.
fn outcome(job: &Job) -> Result<CatalogueOutcome, String> {
    match job.state {
        JobState::Succeeded => job
            .result
            .clone()
            .and_then(|r| serde_json::from_value(r).ok())
            .ok_or_else(|| "The job ended without a dataset; its log says why.".to_owned()),
        JobState::Cancelled => Err("It was cancelled; nothing was registered.".to_owned()),
        _ => Err(job
            .error
            .clone()
            .unwrap_or_else(|| "It failed; the job's log says why.".to_owned())),
    }
}

#[component]
pub fn AddCard(slug: String, name: String, bytes: Option<i64>, again: Callback<()>) -> impl IntoView {
    let job = RwSignal::new(None::<Job>);
    // The form stays while there is no job, and the job's bar while it changes.
    let idle = Memo::new(move |_| job.with(Option::is_none));
    view! {
        <Card title="Add to the studio">
            {move || {
                let (slug, name) = (slug.clone(), name.clone());
                if idle.get() {
                    view! { <Form slug name bytes job/> }.into_any()
                } else {
                    view! { <Running job again/> }.into_any()
                }
            }}
        </Card>
    }
}

#[component]
fn Form(slug: String, name: String, bytes: Option<i64>, job: RwSignal<Option<Job>>) -> impl IntoView {
    let called = RwSignal::new(name);
    let shared = RwSignal::new(false);
    let slug = StoredValue::new(slug);
    let start = use_form(
        move |()| {
            let input = AddDataset {
                name: Some(called.get_untracked()),
                visibility: if shared.get_untracked() {
                    Visibility::Studio
                } else {
                    Visibility::Private
                },
            };
            api::catalogue_add(slug.get_value(), input)
        },
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, Callback::new(|_| {}));
        },
    );
    view! {
        <form
            class="data-form"
            on:submit=move |ev| {
                ev.prevent_default();
                start.run(());
            }
        >
            <Field name="name" label="Name" errors=start.error hint="Of the dataset here. One that was made of this record gets a new version, if anything has changed.">
                <TextInput value=called autocomplete="off" required=true/>
            </Field>
            <Checkbox checked=shared label="Everybody with an account may read it" hint="Otherwise only its members see that it exists"/>
            <FormError error=start.error fields=&["name"]/>
            <p>
                <Button
                    variant=Variant::Primary
                    icon=Glyph::Download
                    submit=true
                    loading=start.pending
                    disabled=Signal::derive(move || called.with(|n| n.trim().is_empty()))
                >
                    {bytes.map_or_else(|| "Add".to_owned(), |b| format!("Add, fetching {}", fmt::bytes(b)))}
                </Button>
            </p>
        </form>
    }
}

#[component]
fn Running(job: RwSignal<Option<Job>>, again: Callback<()>) -> impl IntoView {
    let ended = Memo::new(move |_| job.with(|j| j.as_ref().filter(|j| j.state.is_final()).map(outcome)));
    let log = move || job.with(|j| j.as_ref().map(|j| format!("/jobs/{}", j.id)).unwrap_or_default());
    view! {
        {move || match ended.get() {
            None => view! { <Watch job/> }.into_any(),
            Some(Ok(o)) => view! { <Done o/> }.into_any(),
            Some(Err(why)) => view! {
                <div class="data-form">
                    <Notice tone=Tone::Bad>{why}</Notice>
                    <p class="open-buttons">
                        <Button icon=Glyph::Refresh on_click=move || { job.set(None); again.run(()); }>"Try again"</Button>
                        <Button variant=Variant::Quiet href=Signal::derive(log)>"Job and log"</Button>
                    </p>
                </div>
            }.into_any(),
        }}
    }
}

#[component]
fn Done(o: CatalogueOutcome) -> impl IntoView {
    let href = format!("/data/{}", o.version.dataset_id);
    let verified = o.fetched.iter().filter(|f| f.verified).count();
    let checked = match o.fetched.len() {
        n if n == verified => "All files have the digests that are published.".to_owned(),
        n => format!(
            "{verified} of {n} files could be checked against a published digest; what was fetched is in the job's log."
        ),
    };
    view! {
        <div class="data-form">
            <Outcome outcome=o.version/>
            <p class="muted">{checked}</p>
            <p><Button variant=Variant::Primary icon=Glyph::Data href=href>"Open the dataset"</Button></p>
        </div>
    }
}
