//! A place to drop files on, with buttons for those who would rather choose.

use super::files::{self, Dropped, Picked};
use crate::ui::{Button, Glyph, Icon};
use leptos::html;
use leptos::prelude::*;

/// What the picker offers for pictures.
/// The same with videos.
pub const PICTURES_AND_VIDEOS: &str =
    "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff,video/*,.mkv,.avi,.zip";

pub const PICTURES: &str = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff,.zip";

#[component]
pub fn DropZone(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    /// What the picker offers, as in `accept`.
    #[prop(default = PICTURES)]
    accept: &'static str,
    /// Also offers whole folders.
    #[prop(default = true)]
    folders: bool,
    #[prop(optional)] small: bool,
    on_drop: Callback<Vec<Dropped>>,
    on_pick: Callback<Vec<Picked>>,
) -> impl IntoView {
    let over = RwSignal::new(0_i32);
    view! {
        <div
            class="drop-zone"
            class:drop-zone--small=small
            class:is-over=move || { over.get() > 0 }
            on:dragenter=move |ev| {
                if files::carries_files(ev.data_transfer().as_ref()) {
                    ev.prevent_default();
                    over.update(|n| *n += 1);
                }
            }
            on:dragover=move |ev| ev.prevent_default()
            on:dragleave=move |_| over.update(|n| *n = (*n - 1).max(0))
            on:drop=move |ev| {
                ev.prevent_default();
                ev.stop_propagation();
                over.set(0);
                if let Some(transfer) = ev.data_transfer() {
                    on_drop.run(files::dropped(&transfer));
                }
            }
        >
            <Icon glyph=Glyph::Upload size=28/>
            <p class="drop-zone__title">{title}</p>
            <p>{text}</p>
            <div class="drop-zone__actions">
                <FileButton label="Choose files" accept on_pick/>
                {folders.then(|| view! { <FileButton label="Choose a folder" folder=true on_pick/> })}
            </div>
        </div>
    }
}

/// A button that opens the browser's file picker.
#[component]
pub fn FileButton(
    #[prop(into)] label: String,
    /// What the picker offers, as in `accept`.
    #[prop(default = "")]
    accept: &'static str,
    /// Chooses a folder with everything in it.
    #[prop(optional)]
    folder: bool,
    on_pick: Callback<Vec<Picked>>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    if folder {
        // No attribute of standard HTML, so the view macro does not know it.
        Effect::new(move |_| {
            if let Some(input) = input.get() {
                let _ = input.set_attribute("webkitdirectory", "");
            }
        });
    }
    let glyph = if folder { Glyph::FolderUp } else { Glyph::File };
    view! {
        <Button
            icon=glyph
            on_click=move || {
                if let Some(input) = input.get_untracked() {
                    input.click();
                }
            }
        >
            {label}
        </Button>
        <input
            node_ref=input
            type="file"
            hidden
            multiple
            accept=(!accept.is_empty()).then_some(accept)
            on:change=move |_| {
                if let Some(input) = input.get_untracked() {
                    let picked = files::chosen(input.files());
                    // Choosing the same file again is a change again.
                    input.set_value("");
                    on_pick.run(picked);
                }
            }
        />
    }
}
