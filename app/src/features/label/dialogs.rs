//! The dialogs of the label page.

mod keys;
mod merge;
mod skip;
mod trouble;

use super::desk::{Desk, Modal};
use crate::ui::{Dialog, DialogBody, DialogSize};
use leptos::prelude::*;

/// All of them; at most one shows.
#[component]
pub fn Dialogs() -> impl IntoView {
    view! {
        <skip::SkipDialog/>
        <Instructions/>
        <keys::KeysDialog/>
        <merge::MergeDialog/>
        <trouble::TroubleDialog/>
    }
}

/// The switch of one dialog, tied to the desk's.
fn switch(desk: Desk, modal: Modal) -> RwSignal<bool> {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        let on = desk.modal.get() == Some(modal);
        if open.get_untracked() != on {
            open.set(on);
        }
    });
    Effect::new(move |_| {
        if !open.get() && desk.modal.get_untracked() == Some(modal) {
            desk.modal.set(None);
        }
    });
    open
}

#[component]
fn Instructions() -> impl IntoView {
    let desk: Desk = expect_context();
    let open = switch(desk, Modal::Instructions);
    let html = move || {
        desk.project.with(|p| {
            p.as_ref()
                .map(|p| p.instructions_html.clone())
                .unwrap_or_default()
        })
    };
    view! {
        <Dialog open title="Instructions" size=DialogSize::Large>
            <DialogBody>
                <Show
                    when=move || !html().trim().is_empty()
                    fallback=|| view! { <p class="muted">"This project has no instructions yet. A manager writes them in its settings."</p> }
                >
                    // Sanitised by the server.
                    <div class="label-scroll prose" role="region" tabindex="0" aria-label="Instructions" inner_html=html></div>
                </Show>
            </DialogBody>
        </Dialog>
    }
}
