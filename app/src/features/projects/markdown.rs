//! Writing Markdown with a preview beside it; pictures come in by paste and drop.

use super::api;
use super::items::filter::encode;
use super::local::LocalValue;
use super::transfer::http::{self, Cancel};
use crate::ui::{Glyph, Icon, IconButton, debounce, use_toasts};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::{ApiError, ProjectId};
use std::time::Duration;
use web_sys::File;

const TYPING_PAUSE: Duration = Duration::from_millis(300);

/// Pictures of a guide whose project does not exist yet, by the address they have in the text meanwhile.
pub type Waiting = LocalValue<Vec<(String, File)>>;

/// Where pictures go.
#[derive(Clone, Copy)]
pub enum Pictures {
    /// To the project, at once.
    Project(ProjectId),
    /// Kept until the project exists.
    Later(Waiting),
}

/// Text at the left, the page it makes at the right; one or the other on a phone.
#[component]
pub fn MarkdownEditor(
    value: RwSignal<String>,
    /// The text as the server rendered it, so that the preview is there at once.
    #[prop(optional, into)]
    html: String,
    pictures: Pictures,
    #[prop(into)] label: String,
    #[prop(default = 18)] rows: u32,
) -> impl IntoView {
    let preview = RwSignal::new(html);
    let reading = RwSignal::new(false);
    let busy = RwSignal::new(0_i32);
    let area = NodeRef::<html::Textarea>::new();
    let toasts = use_toasts();
    let turn = StoredValue::new(0_u32);
    let mut render = debounce(TYPING_PAUSE, move |text: String| {
        let mine = turn.get_value() + 1;
        turn.set_value(mine);
        spawn_local(async move {
            let answer = api::project_render_markdown(text).await;
            // A later text may have been answered first.
            if turn.try_get_value() == Some(mine)
                && let Ok(html) = answer
            {
                preview.try_set(html);
            }
        });
    });
    Effect::new(move |before: Option<String>| {
        let now = value.get();
        let fresh = before.is_none() && preview.with_untracked(String::is_empty) && !now.is_empty();
        if fresh || before.is_some_and(|b| b != now) {
            render(now.clone());
        }
        now
    });
    let insert = move |text: &str| {
        if let Some(area) = area.get_untracked() {
            let _ = area.set_range_text(text);
            value.set(area.value());
        }
    };
    let take = move |file: File| {
        let name = file.name();
        match pictures {
            Pictures::Later(waiting) => {
                let place = waiting.with(|w| format!("picture-{}", w.len() + 1));
                insert(&format!("![{name}]({place})\n"));
                waiting.update(|w| w.push((place, file)));
            }
            Pictures::Project(project) => {
                busy.update(|n| *n += 1);
                spawn_local(async move {
                    match send_picture(project, &file).await {
                        Ok(path) => insert(&format!("![{name}]({path})\n")),
                        Err(e) => toasts.fail(format!("{name}: {}", e.message)),
                    }
                    busy.try_update(|n| *n -= 1);
                });
            }
        }
    };
    let wrap = move |before: &'static str, after: &'static str| {
        let Some(area) = area.get_untracked() else { return };
        let start = area.selection_start().ok().flatten().unwrap_or(0);
        let end = area.selection_end().ok().flatten().unwrap_or(start);
        // Positions count UTF-16 units, as JavaScript's strings do.
        let units: Vec<u16> = area.value().encode_utf16().collect();
        let inside = units
            .get(start as usize..end as usize)
            .map(String::from_utf16_lossy)
            .unwrap_or_default();
        let _ = area.set_range_text(&format!("{before}{inside}{after}"));
        value.set(area.value());
        let _ = area.focus();
    };
    view! {
        <div class="md" class:is-reading=move || reading.get()>
            <div class="md__bar">
                <div class="md__tools" role="toolbar" aria-label="Format">
                    <button type="button" class="btn btn--quiet btn--sm" on:click=move |_| wrap("## ", "")>"Heading"</button>
                    <button type="button" class="btn btn--quiet btn--sm" on:click=move |_| wrap("**", "**")><b>"Bold"</b></button>
                    <IconButton glyph=Glyph::List label="List" size=crate::ui::ButtonSize::Small on_click=move || wrap("\n- ", "")/>
                    <IconButton glyph=Glyph::Link label="Link" size=crate::ui::ButtonSize::Small on_click=move || wrap("[", "](https://)")/>
                    <PictureButton on_pick=Callback::new(move |files: Vec<File>| files.into_iter().for_each(take))/>
                    <span class="faint" role="status">{move || (busy.get() > 0).then_some("Uploading the picture")}</span>
                </div>
                <div class="items-seg md__switch" role="group" aria-label="Show">
                    <button type="button" aria-pressed=move || if reading.get() { "false" } else { "true" } on:click=move |_| reading.set(false)>"Write"</button>
                    <button type="button" aria-pressed=move || if reading.get() { "true" } else { "false" } on:click=move |_| reading.set(true)>"Preview"</button>
                </div>
            </div>
            <textarea
                node_ref=area
                class="md__text mono"
                aria-label=label
                rows=rows.to_string()
                spellcheck="true"
                prop:value=move || value.get()
                on:input=move |ev| value.set(event_target_value(&ev))
                on:paste=move |ev| {
                    let pasted = pictures_of(ev.clipboard_data());
                    if !pasted.is_empty() {
                        ev.prevent_default();
                        pasted.into_iter().for_each(take);
                    }
                }
                on:drop=move |ev| {
                    let dropped = pictures_of(ev.data_transfer());
                    if !dropped.is_empty() {
                        ev.prevent_default();
                        ev.stop_propagation();
                        dropped.into_iter().for_each(take);
                    }
                }
            >
                {value.get_untracked()}
            </textarea>
            <div class="md__preview prose" aria-label="Preview" role="region" tabindex="0" inner_html=move || preview.get()></div>
            <p class="md__hint faint"><Icon glyph=Glyph::Info size=14/>"Markdown. Paste or drop pictures into the text."</p>
        </div>
    }
}

#[component]
fn PictureButton(on_pick: Callback<Vec<File>>) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    view! {
        <IconButton
            glyph=Glyph::Image
            label="Picture"
            size=crate::ui::ButtonSize::Small
            on_click=move || {
                if let Some(input) = input.get_untracked() {
                    input.click();
                }
            }
        />
        <input
            node_ref=input
            type="file"
            hidden
            multiple
            accept="image/*"
            on:change=move |_| {
                if let Some(input) = input.get_untracked() {
                    let files = super::transfer::files::chosen(input.files());
                    input.set_value("");
                    on_pick.run(files.into_iter().map(|p| p.file).collect());
                }
            }
        />
    }
}

fn pictures_of(transfer: Option<web_sys::DataTransfer>) -> Vec<File> {
    let Some(list) = transfer.and_then(|t| t.files()) else {
        return Vec::new();
    };
    (0..list.length())
        .filter_map(|i| list.get(i))
        .filter(|f| f.type_().starts_with("image/"))
        .collect()
}

/// Stores a picture in the project and answers its address.
pub async fn send_picture(project: ProjectId, file: &File) -> Result<String, ApiError> {
    #[derive(serde::Deserialize)]
    struct Stored {
        url: String,
    }
    let url = format!("/api/v1/projects/{project}/assets?name={}", encode(&file.name()));
    let headers = [("content-type", "application/octet-stream")];
    let reply = http::send("POST", &url, &headers, Some(file), &Cancel::default(), |_| ()).await;
    reply.json::<Stored>().map(|s| s.url)
}

/// Sends the pictures that waited for their project and answers the text with their addresses in it, and what failed.
pub async fn send_waiting(project: ProjectId, text: &str, waiting: Waiting) -> (String, Vec<String>) {
    let mut text = text.to_owned();
    let mut failed = Vec::new();
    // From the end: `picture-1` begins `picture-10`.
    for (place, file) in waiting.get().into_iter().rev() {
        if !text.contains(&place) {
            continue;
        }
        match send_picture(project, &file).await {
            Ok(path) => text = text.replace(&format!("({place})"), &format!("({path})")),
            Err(e) => failed.push(format!("{}: {}", file.name(), e.message)),
        }
    }
    (text, failed)
}
