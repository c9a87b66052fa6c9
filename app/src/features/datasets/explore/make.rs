//! A version of what was found.

use super::super::api;
use super::super::source::{Outcome, outcome};
use super::Explorer;
use crate::data::use_form;
use crate::fmt;
use crate::job::{Watch, follow};
use crate::ui::{
    Button, Choice, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, Notice, RadioCards, TextInput,
    Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::dataset::{NewDataset, NewVersion, VersionSource};
use limn_domain::job::Job;
use std::collections::BTreeSet;

const OWN: &str = "own";
const NEW: &str = "new";

#[component]
pub fn MakeDialog(e: Explorer, open: RwSignal<bool>) -> impl IntoView {
    let job = RwSignal::new(None::<Job>);
    view! {
        <Dialog open title="New version of these files" on_close=move || job.set(None)>
            <Show when=move || job.with(Option::is_none) fallback=move || view! { <Made job open/> }>
                <Form e job open/>
            </Show>
        </Dialog>
    }
}

#[component]
fn Form(e: Explorer, job: RwSignal<Option<Job>>, open: RwSignal<bool>) -> impl IntoView {
    let into = RwSignal::new(NEW.to_owned());
    let name = RwSignal::new(String::new());
    let note = RwSignal::new(String::new());
    let start = use_form(
        move |()| async move {
            let dataset = if into.get_untracked() == OWN {
                e.ctx.id
            } else {
                let input = NewDataset {
                    name: name.get_untracked(),
                    kind: e.ctx.dataset.with_untracked(|d| d.summary.kind),
                    licence: e.ctx.dataset.with_untracked(|d| d.summary.licence.clone()),
                    ..NewDataset::default()
                };
                api::dataset_create(input).await?.summary.id
            };
            let input = NewVersion {
                source: VersionSource::Selection {
                    version_id: e.version,
                    filter: e.answered.get_untracked(),
                    paths: e.selected.get_untracked().into_iter().collect(),
                },
                note: note.get_untracked(),
            };
            api::dataset_register(dataset, input).await
        },
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, Callback::new(move |_| e.ctx.reload()));
        },
    );
    let what = move || match e.selected.with(BTreeSet::len) {
        0 => format!(
            "{} that pass the filters.",
            fmt::counted(e.page.with(|p| p.matched), "file", "files")
        ),
        n => format!("{} that you selected.", fmt::counted(n as i64, "file", "files")),
    };
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            start.run(());
        }>
            <DialogBody>
                <p>{what}</p>
                <FormError error=start.error fields=&["name"]/>
                <RadioCards
                    value=into
                    name="explore-into"
                    label="Into"
                    choices=vec![
                        Choice::new(NEW, "A new dataset", "With these files alone; the lineage leads back here"),
                        Choice::new(OWN, "This dataset", "As its newest version"),
                    ]
                />
                <Show when=move || into.with(|i| i == NEW)>
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

#[component]
fn Made(job: RwSignal<Option<Job>>, open: RwSignal<bool>) -> impl IntoView {
    let ended = Memo::new(move |_| job.with(|j| j.as_ref().filter(|j| j.state.is_final()).map(outcome)));
    view! {
        <DialogBody>
            {move || match ended.get() {
                None => view! { <Watch job/> }.into_any(),
                Some(Ok(o)) => view! { <Outcome outcome=o/> }.into_any(),
                Some(Err(why)) => view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any(),
            }}
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Primary on_click=move || open.set(false)>"Done"</Button>
        </DialogFoot>
    }
}
