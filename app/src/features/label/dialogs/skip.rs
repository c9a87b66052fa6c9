//! Skipping: why.

use super::switch;
use crate::features::label::desk::{Desk, Modal};
use crate::ui::{Button, Dialog, DialogBody, DialogFoot, DialogSize, TextArea, Variant};
use leptos::prelude::*;
use limn_domain::validate::REASON_MAX;

/// Reasons at a click.
const USUAL: [&str; 4] = [
    "Unclear image",
    "Nothing to label",
    "Not covered by the instructions",
    "Duplicate",
];

#[component]
pub fn SkipDialog() -> impl IntoView {
    let desk: Desk = expect_context();
    let open = switch(desk, Modal::Skip);
    let reason = RwSignal::new(String::new());
    Effect::new(move |_| {
        if open.get() {
            reason.set(String::new());
        }
    });
    let needed = move || {
        desk.project
            .with(|p| p.as_ref().is_some_and(|p| p.settings.skip_needs_reason))
    };
    let too_long = move || reason.with(|r| r.chars().count() > REASON_MAX);
    let blocked = Signal::derive(move || too_long() || (needed() && reason.with(|r| r.trim().is_empty())));
    let skip = move || {
        if blocked.get_untracked() {
            return;
        }
        let text = reason.get_untracked().trim().to_owned();
        open.set(false);
        desk.modal.set(None);
        desk.skip((!text.is_empty()).then_some(text));
    };
    let description = Signal::derive(move || {
        if needed() {
            "This project asks for a reason. A manager sees it and can put the item back.".to_owned()
        } else {
            "A manager sees it and can put the item back. The reason may be left out.".to_owned()
        }
    });
    view! {
        <Dialog open title="Skip this item" description size=DialogSize::Small>
            <form
                on:submit=move |ev| {
                    ev.prevent_default();
                    skip();
                }
                on:keydown=move |ev| {
                    if ev.key() == "Enter" && !ev.shift_key() && !ev.is_composing() {
                        ev.prevent_default();
                        skip();
                    }
                }
            >
                <DialogBody>
                    <div class="label-reasons" role="group" aria-label="Usual reasons">
                        {USUAL
                            .into_iter()
                            .map(|r| {
                                view! {
                                    <button
                                        class="chip"
                                        type="button"
                                        class:is-on=move || reason.with(|t| t == r)
                                        on:click=move |_| reason.set(r.to_owned())
                                    >
                                        {r}
                                    </button>
                                }
                            })
                            .collect_view()}
                    </div>
                    <TextArea value=reason rows=3 autofocus=true label="Reason" placeholder="Reason"/>
                    <Show when=too_long>
                        <p class="label-bad" role="alert">{format!("At most {REASON_MAX} characters.")}</p>
                    </Show>
                </DialogBody>
                <DialogFoot>
                    <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                    <Button variant=Variant::Primary submit=true disabled=blocked kbd="Enter">"Skip"</Button>
                </DialogFoot>
            </form>
        </Dialog>
    }
}
