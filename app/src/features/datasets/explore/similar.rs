//! Files in the order of how much they look like one of them.

use super::Explorer;
use crate::job::{Watch, use_followed};
use crate::ui::{ButtonSize, Card, Glyph, IconButton, use_hotkey_when, use_toasts};
use leptos::prelude::*;
use limn_domain::job::{Job, JobState};
use std::collections::BTreeSet;

/// The picture that the key is about: under the pointer or with the focus, else the one that is selected.
fn target(e: Explorer) -> Option<String> {
    let chosen = e.selected.with_untracked(|s: &BTreeSet<String>| {
        let first = s.first().filter(|_| s.len() == 1);
        first.cloned()
    });
    let path = e.at.get_untracked().or(chosen)?;
    let is_picture =
        |rows: &Vec<limn_domain::dataset::Entry>| rows.iter().any(|r| r.path == path && r.width > 0);
    e.rows.with_untracked(is_picture).then_some(path)
}

/// `s`: those similar to the picture in view.
pub fn use_similar_key(e: Explorer) {
    use_hotkey_when(
        "s",
        "Files similar to the one under the pointer",
        move || target(e).is_some(),
        move || {
            if let Some(path) = target(e) {
                e.like(Some(path));
            }
        },
    );
}

/// Says that pictures are being looked at, how far that is, and asks again when it is done.
#[component]
pub fn Looking(e: Explorer) -> impl IntoView {
    let toasts = use_toasts();
    let ended = Callback::new(move |job: Job| {
        e.looking.set(None);
        if job.state == JobState::Succeeded {
            e.ask_again();
            return;
        }
        let why = job.error.unwrap_or_else(|| "It was stopped.".to_owned());
        toasts.fail(format!("The pictures could not be compared. {why}"));
        e.like(None);
    });
    let id = use_followed(e.looking, ended);
    view! {
        <Show when=move || id.get().is_some()>
            <Card>
                <p>"The pictures are being looked at, once. Then those most alike come first."</p>
                <Watch job=e.looking/>
            </Card>
        </Show>
    }
}

/// Orders the files by how much they are like this one.
#[component]
pub fn Like(e: Explorer, path: String) -> impl IntoView {
    let label = format!("Similar to {path}");
    view! {
        <IconButton
            glyph=Glyph::Images
            label
            size=ButtonSize::Small
            class="explore__like"
            on_click=move || e.like(Some(path.clone()))
        />
    }
}

/// How far a file is from the one that all are to be like.
#[component]
pub fn Distance(e: Explorer, path: String) -> impl IntoView {
    let far = Memo::new(move |_| e.distances.with(|d| d.get(&path).copied()));
    move || {
        far.get().map(|d| {
            view! { <span class="explore__far" title="Distance: 0 is the same, 1 the most there is">{format!("{d:.3}")}</span> }
        })
    }
}
