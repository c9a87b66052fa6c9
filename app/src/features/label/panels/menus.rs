//! Menus of the panel on the right: what only keys did to objects, for a mouse or a finger.

use super::key_of;
use crate::features::label::desk::Desk;
use crate::ui::{Glyph, Menu, MenuItem, MenuLine};
use leptos::prelude::*;
use limn_domain::Source;
use limn_domain::assist::can_assist;
use limn_editor::Action;

/// What can be done to the selection, in the order of the menu.
const SELECTED: [(Action, Glyph, &str); 9] = [
    (Action::Copy, Glyph::Copy, "Copy"),
    (Action::Raise, Glyph::ChevronUp, "Raise above the next"),
    (Action::Lower, Glyph::ChevronDown, "Lower below the next"),
    (Action::ToFront, Glyph::Layers, "To the front"),
    (Action::ToBack, Glyph::Layers, "To the back"),
    (Action::ZoomToSelection, Glyph::Fit, "Zoom to it"),
    (Action::HideOrPan, Glyph::EyeOff, "Hide"),
    (Action::Isolate, Glyph::Eye, "Show only it, or all again"),
    (Action::Lock, Glyph::Lock, "Lock"),
];

/// What can be done to all objects, or makes new ones.
const OBJECTS: [(Action, Glyph, &str); 3] = [
    (Action::SelectAll, Glyph::Shapes, "Select all"),
    (Action::Paste, Glyph::Copy, "Paste"),
    (
        Action::RepeatPrevious,
        Glyph::Refresh,
        "Repeat the previous item's shapes",
    ),
];

/// An entry that does what a key does.
fn entry(desk: Desk, (action, glyph, text): (Action, Glyph, &'static str)) -> impl IntoView + use<> {
    let act = move || {
        if !desk.act(action) && action == Action::Paste {
            desk.toasts.info("Nothing has been copied yet.");
        }
    };
    view! { <MenuItem icon=glyph kbd=key_of(desk, action) on_click=act>{text}</MenuItem> }
}

fn entries(desk: Desk, list: &'static [(Action, Glyph, &'static str)]) -> impl IntoView + use<> {
    let (task, video) = (desk.task(), desk.is_video());
    list.iter()
        .filter(|(action, ..)| action.is_for(task) && (!video || action.is_for_videos()))
        .map(|e| entry(desk, *e))
        .collect_view()
}

/// What else can be done to the selected objects.
#[component]
pub(super) fn SelectedMenu() -> impl IntoView {
    let desk: Desk = expect_context();
    let proposed = Memo::new(move |_| {
        desk.selection_tick.track();
        desk.doc_tick.track();
        desk.read(|s| {
            let mut picked = s
                .editor
                .selection()
                .iter()
                .filter_map(|id| s.editor.doc().get(id));
            picked.any(|a| a.source == Source::Prelabel)
        })
        .unwrap_or(false)
    });
    view! {
        <Menu id="label-selected-menu" label="More for the selection" end=true>
            {move || {
                proposed
                    .get()
                    .then(|| view! {
                        {entry(desk, (Action::AcceptSelected, Glyph::Check, "Accept the suggestion"))}
                        <MenuLine/>
                    })
            }}
            {move || entries(desk, &SELECTED)}
        </Menu>
    }
}

/// What can be done to all objects, and how they are picked.
#[component]
pub(super) fn ObjectsMenu() -> impl IntoView {
    let desk: Desk = expect_context();
    let several = Signal::derive(move || desk.several.get());
    let borders = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| s.editor.snaps_to_borders()).unwrap_or(false)
    });
    let has_borders = move || Action::Borders.is_for(desk.task());
    view! {
        <Menu id="label-objects-menu" label="More for all objects" trigger_class="label-head__find" end=true>
            <MenuItem icon=Glyph::Plus checked=several on_click=move || desk.several.update(|v| *v = !*v)>
                "Pick several by clicks"
            </MenuItem>
            {move || {
                has_borders()
                    .then(|| view! {
                        <MenuItem
                            icon=Glyph::Link
                            kbd=key_of(desk, Action::Borders)
                            checked=Signal::derive(move || borders.get())
                            on_click=move || {
                                desk.act(Action::Borders);
                            }
                        >
                            "Corners snap to other outlines"
                        </MenuItem>
                    })
            }}
            <MenuLine/>
            {move || entries(desk, &OBJECTS)}
        </Menu>
    }
}

/// What can be asked about the open item.
#[component]
pub(super) fn ItemMenu() -> impl IntoView {
    let desk: Desk = expect_context();
    // A video is not looked at.
    let alike = Memo::new(move |_| {
        let id = desk.current.get()?;
        let compares = can_assist(desk.task()) && !desk.is_video();
        compares.then(|| format!("/projects/{}/items/{id}/similar", desk.project_id))
    });
    let href = Signal::derive(move || alike.get().unwrap_or_default());
    view! {
        <Show when=move || alike.with(Option::is_some)>
            <Menu id="label-item-menu" label="More for this item" trigger_class="label-head__find" end=true>
                <MenuItem icon=Glyph::Images href=href>"Similar items"</MenuItem>
            </Menu>
        </Show>
    }
}
