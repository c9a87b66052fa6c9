//! The bar above: where I am, whether my work is safe, and what ends the item.

use super::key_of;
use crate::features::label::desk::{Desk, Mark, Modal, SaveState};
use crate::ui::{Button, Glyph, Icon, IconButton, Variant};
use leptos::prelude::*;
use limn_editor::Action;

#[component]
pub fn TopBar() -> impl IntoView {
    let desk: Desk = expect_context();
    let name = move || {
        desk.project
            .with(|p| p.as_ref().map(|p| p.summary.name.clone()).unwrap_or_default())
    };
    let item = move || {
        desk.current.track();
        desk.read(|s| s.item.name.clone()).unwrap_or_default()
    };
    let undo = Signal::derive(move || {
        desk.doc_tick.track();
        let what = desk.read(|s| s.editor.history().can_undo()).flatten();
        what.map(|k| format!("Undo {}", k.label()))
    });
    let redo = Signal::derive(move || {
        desk.doc_tick.track();
        let what = desk.read(|s| s.editor.history().can_redo()).flatten();
        what.map(|k| format!("Redo {}", k.label()))
    });
    let none = Signal::derive(move || desk.current.get().is_none());
    let no_skip = Signal::derive(move || {
        let now = desk.current.get();
        desk.film
            .with(|f| !f.iter().any(|f| Some(f.id) == now && f.mark == Mark::Todo))
    });
    let back = format!("/projects/{}", desk.project_id);
    view! {
        <header class="label__top">
            <IconButton glyph=Glyph::ChevronLeft label="Back to the project" href=back/>
            <h1 class="label__names">
                <span class="label__project">{name}</span>
                <span class="label__item" data-testid="item-name">{item}</span>
            </h1>
            <Place/>
            <span class="grow"></span>
            <SaveLine/>
            <Show when=move || desk.has_grid()>
                <IconButton
                    glyph=Glyph::Grid
                    label=Signal::derive(move || if desk.in_grid() { "One item at a time" } else { "Several items at once" }.to_owned())
                    on_click=move || { desk.act(Action::Grid); }
                />
            </Show>
            <span class="label__undo">
                <IconButton
                    glyph=Glyph::Undo
                    label=Signal::derive(move || undo.get().unwrap_or_else(|| "Undo".to_owned()))
                    disabled=Signal::derive(move || undo.get().is_none())
                    on_click=move || desk.undo()
                />
                <IconButton
                    glyph=Glyph::Redo
                    label=Signal::derive(move || redo.get().unwrap_or_else(|| "Redo".to_owned()))
                    disabled=Signal::derive(move || redo.get().is_none())
                    on_click=move || desk.redo()
                />
            </span>
            <Button
                variant=Variant::Quiet
                class="label__skip"
                kbd=key_of(desk, Action::Skip)
                disabled=no_skip
                on_click=move || desk.ask_skip()
            >
                "Skip"
            </Button>
            <Button class="label__guide" on_click=move || desk.modal.set(Some(Modal::Instructions))>"Instructions"</Button>
            <span class="label__guide-small">
                <IconButton
                    glyph=Glyph::Book
                    label="Instructions"
                    on_click=move || desk.modal.set(Some(Modal::Instructions))
                />
            </span>
            <span class="label__keys">
                <IconButton glyph=Glyph::Keyboard label="Keys (?)" on_click=move || desk.modal.set(Some(Modal::Keys))/>
            </span>
            <Button
                variant=Variant::Primary
                class="label__submit"
                kbd=key_of(desk, Action::Submit)
                disabled=none
                on_click=move || desk.submit()
            >
                "Submit"
            </Button>
        </header>
    }
}

/// Where the open item is in the queue.
#[component]
fn Place() -> impl IntoView {
    let desk: Desk = expect_context();
    let text = move || {
        let now = desk.current.get()?;
        let mark = desk
            .film
            .with(|f| f.iter().find(|f| f.id == now).map(|f| f.mark))?;
        if mark != Mark::Todo {
            let mut label = mark.label().to_owned();
            label[..1].make_ascii_uppercase();
            return Some(label);
        }
        let before = desk.film.with(|f| {
            f.iter()
                .take_while(|f| f.id != now)
                .filter(|f| matches!(f.mark, Mark::Todo | Mark::Sent))
                .count()
        });
        let q = desk.queue.get()?;
        let place = (q.total - q.todo + 1 + before as i64).clamp(1, q.total.max(1));
        Some(format!(
            "{} of {}",
            crate::fmt::count(place),
            crate::fmt::count(q.total)
        ))
    };
    view! { {move || text().map(|t| view! { <span class="chip label__place" data-testid="place">{t}</span> })} }
}

/// Whether the work has reached the server.
#[component]
fn SaveLine() -> impl IntoView {
    let desk: Desk = expect_context();
    let state = Memo::new(move |_| {
        desk.save_tick.track();
        desk.current.track();
        let others = desk.waiting_elsewhere();
        (desk.read(|s| s.state.clone()), others)
    });
    let tone = move || {
        state.with(|(s, others)| match s {
            None | Some(SaveState::Saved) if *others == 0 => "ok",
            None | Some(SaveState::Saved | SaveState::Waiting | SaveState::Sending) => "busy",
            Some(SaveState::Offline | SaveState::SignedOut | SaveState::Conflict) => "warn",
            Some(SaveState::Taken(_) | SaveState::Refused(_)) => "bad",
        })
    };
    let text = move || {
        state.with(|(s, others)| {
            let own = match s {
                None | Some(SaveState::Saved) if *others > 0 => "Saving",
                None | Some(SaveState::Saved) => "Saved",
                Some(SaveState::Waiting | SaveState::Sending) => "Saving",
                Some(SaveState::Offline) => "Offline, kept here",
                Some(SaveState::SignedOut) => "Signed out, kept here",
                Some(SaveState::Conflict) => "Conflict",
                Some(SaveState::Taken(_)) => "Held by somebody else",
                Some(SaveState::Refused(_)) => "Not saved",
            };
            match *others {
                0 => own.to_owned(),
                n => format!("{own}, {n} more to send"),
            }
        })
    };
    let modal = move || {
        state.with(|(s, _)| match s {
            Some(SaveState::Conflict) => Some(Modal::Merge),
            Some(SaveState::Taken(_) | SaveState::Refused(_)) => Some(Modal::Trouble),
            _ => None,
        })
    };
    view! {
        <span class="label__save" data-tone=tone data-testid="save-state" role="status">
            <i class="dot"></i>
            <span class="label__save-text">{text}</span>
        </span>
        <Show when=move || modal().is_some()>
            <button class="btn btn--sm" type="button" on:click=move |_| desk.modal.set(modal())>
                <Icon glyph=Glyph::Warning size=14/>
                "Look"
            </button>
        </Show>
    }
}
