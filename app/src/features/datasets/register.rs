//! The dialog that registers a version.

use super::api;
use super::layout::DatasetCtx;
use super::source::{Outcome, Source, SourceFields, outcome};
use crate::data::use_form;
use crate::job::{Watch, follow};
use crate::ui::{Button, Dialog, DialogBody, DialogFoot, FormError, Glyph, Notice, Tone, Variant};
use leptos::prelude::*;
use limn_domain::dataset::NewVersion;
use limn_domain::job::Job;

#[component]
pub fn RegisterDialog(ctx: DatasetCtx) -> impl IntoView {
    let open = ctx.register_open;
    let job = RwSignal::new(None::<Job>);
    view! {
        <Dialog
            open
            title="Register a version"
            description="A version is what its source is at one moment. It never changes afterwards."
            on_close=move || job.set(None)
        >
            <Show when=move || job.with(Option::is_none) fallback=move || view! { <Running ctx job/> }>
                <Form ctx job/>
            </Show>
        </Dialog>
    }
}

#[component]
fn Form(ctx: DatasetCtx, job: RwSignal<Option<Job>>) -> impl IntoView {
    let source = Source::new(None);
    let start = use_form(
        move |()| async move {
            let made_of = source.take(ctx.versions.get_untracked()).await?;
            let input = NewVersion {
                source: made_of,
                note: source.note.get_untracked(),
            };
            api::dataset_register(ctx.id, input).await
        },
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, Callback::new(move |_| ctx.reload()));
        },
    );
    let kind = Signal::derive(move || ctx.dataset.with(|d| d.summary.kind));
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                start.run(());
            }
        >
            <DialogBody>
                <SourceFields source kind versions=Signal::derive(move || ctx.options())/>
                <FormError error=start.error/>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || ctx.register_open.set(false)>"Close"</Button>
                <Button
                    variant=Variant::Primary
                    icon=Glyph::Check
                    submit=true
                    loading=start.pending
                    disabled=Signal::derive(move || !source.is_ready())
                >
                    "Register"
                </Button>
            </DialogFoot>
        </form>
    }
}

#[component]
fn Running(ctx: DatasetCtx, job: RwSignal<Option<Job>>) -> impl IntoView {
    let ended = Memo::new(move |_| job.with(|j| j.as_ref().filter(|j| j.state.is_final()).map(outcome)));
    let href = move || job.with(|j| j.as_ref().map(|j| format!("/jobs/{}", j.id)).unwrap_or_default());
    view! {
        <DialogBody>
            {move || match ended.get() {
                None => view! { <Watch job/> }.into_any(),
                Some(Ok(o)) => view! { <Outcome outcome=o/> }.into_any(),
                Some(Err(why)) => view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any(),
            }}
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Quiet href=Signal::derive(href)>"Job and log"</Button>
            <Button variant=Variant::Primary on_click=move || ctx.register_open.set(false)>"Done"</Button>
        </DialogFoot>
    }
}
