//! Saving has stopped: why, and the ways on. The work stays in the browser until one of them is taken.

use super::switch;
use crate::features::label::desk::{Desk, Modal, SaveState};
use crate::ui::{Button, ConfirmDialog, Dialog, DialogBody, DialogFoot, Glyph, Variant};
use leptos::prelude::*;

#[component]
pub fn TroubleDialog() -> impl IntoView {
    let desk: Desk = expect_context();
    let open = switch(desk, Modal::Trouble);
    let sure = RwSignal::new(false);
    let state = Memo::new(move |_| {
        desk.save_tick.track();
        desk.current.track();
        desk.read(|s| s.state.clone()).unwrap_or(SaveState::Saved)
    });
    let title = Signal::derive(move || {
        match state.get() {
            SaveState::Taken(_) => "Somebody else holds this item",
            _ => "This could not be saved",
        }
        .to_owned()
    });
    let message = move || match state.get() {
        SaveState::Taken(m) | SaveState::Refused(m) => m,
        _ => "Everything is saved now.".to_owned(),
    };
    let close = move || {
        open.set(false);
        desk.modal.set(None);
    };
    view! {
        <Dialog open title>
            <DialogBody>
                <p>{message}</p>
                <p class="muted">
                    "Your work is kept in this browser. You can try again, which merges it with what is there now, take it away as a file, or drop it."
                </p>
            </DialogBody>
            <DialogFoot>
                <Button
                    variant=Variant::Danger
                    on_click=move || {
                        close();
                        sure.set(true);
                    }
                >
                    "Drop my work"
                </Button>
                <span class="grow"></span>
                <Button icon=Glyph::Download on_click=move || download(desk)>"Take as a file"</Button>
                <Button
                    variant=Variant::Primary
                    on_click=move || {
                        close();
                        desk.try_again();
                    }
                >
                    "Try again"
                </Button>
            </DialogFoot>
        </Dialog>
        <ConfirmDialog
            open=sure
            title="Drop my work on this item?"
            text="What you drew here since the last save is thrown away, and the item is shown as the server has it."
            confirm="Drop it"
            on_confirm=Callback::new(move |()| {
                sure.set(false);
                desk.discard();
            })
        />
    }
}

fn download(desk: Desk) {
    let Some((name, text)) = desk.export_work() else {
        return;
    };
    let parts = js_sys::Array::of1(&text.into());
    let Ok(blob) = web_sys::Blob::new_with_str_sequence(&parts) else {
        return;
    };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else {
        return;
    };
    let link = document().create_element("a").ok();
    if let Some(link) = link.and_then(|l| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(l).ok()) {
        let _ = link.set_attribute("href", &url);
        let _ = link.set_attribute("download", &name);
        link.click();
    }
    let _ = web_sys::Url::revoke_object_url(&url);
}
