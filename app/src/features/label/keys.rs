//! The keyboard of the label page: physical keys to actions, out of the way of typing, dialogs, menus and controls.

use super::desk::Desk;
use super::panels::STAGE;
use crate::ui::{is_overlaid, is_typing};
use leptos::ev;
use leptos::prelude::*;
use limn_editor::{Action, Mods};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, KeyboardEvent};

/// Longest press that is a tap, in milliseconds.
const TAP: f64 = 300.0;
/// What arrows move while it has the focus.
const SLIDER: &str = "input[type=range], [role=slider]";
/// Controls that give the focus back after a click.
const CLICKED: &str = ".label button, .label a, .label input[type=range], .label [role=slider]";

fn in_dialog() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

fn focused() -> Option<Element> {
    document().active_element()
}

/// Whether the focus is on a control that has its own use for Enter and Space.
fn on_control() -> bool {
    focused().is_some_and(|el| {
        el.matches("button, a[href], summary, input, select, textarea")
            .unwrap_or(false)
    })
}

/// Whether the focus is on a slider that this key moves.
fn slides(ev: &KeyboardEvent) -> bool {
    let moves = ev.code().starts_with("Arrow")
        || matches!(ev.code().as_str(), "Home" | "End" | "PageUp" | "PageDown");
    let on_slider = || focused().is_some_and(|el| el.matches(SLIDER).unwrap_or(false));
    moves && !ev.ctrl_key() && !ev.meta_key() && !ev.alt_key() && on_slider()
}

/// Whether the focus is in the panel that says how things are shown.
fn in_looks() -> bool {
    focused().is_some_and(|el| el.closest(".label-light").ok().flatten().is_some())
}

/// Whether the focus is where Tab may go through the objects: the canvas, or nowhere.
fn on_canvas() -> bool {
    focused().is_none_or(|el| el.tag_name() == "BODY" || el.matches(STAGE).unwrap_or(false))
}

fn focus_stage() {
    let stage = document().query_selector(STAGE).ok().flatten();
    if let Some(stage) = stage.and_then(|s| s.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = stage.focus();
    }
}

/// Listens on the window ahead of everybody else. The returned closure ends it.
fn capture(event: &'static str, f: impl FnMut(KeyboardEvent) + 'static) -> impl Fn() + Send + Sync + 'static {
    let f = Closure::<dyn FnMut(KeyboardEvent)>::new(f);
    let _ = window().add_event_listener_with_callback_and_bool(event, f.as_ref().unchecked_ref(), true);
    let f = StoredValue::new_local(Some(f));
    move || {
        if let Some(f) = f.try_update_value(Option::take).flatten() {
            let _ = window().remove_event_listener_with_callback_and_bool(
                event,
                f.as_ref().unchecked_ref(),
                true,
            );
        }
    }
}

/// Listens while the page is shown.
pub fn listen(desk: Desk) {
    // After Escape with nothing to cancel, Tab leaves the canvas like any other control.
    let free_tab = StoredValue::new(false);
    // When Space went down, and where the view was then.
    let pressed = StoredValue::new(None::<(f64, limn_domain::Point)>);
    // In the capture phase: before the studio's own keys.
    let down = capture("keydown", move |ev: KeyboardEvent| {
        // What is open over the page has all keys: Escape closes it and nothing else, arrows and Enter choose in it.
        if ev.default_prevented() || ev.is_composing() || is_overlaid() {
            return;
        }
        desk.note_activity();
        let mods = Mods {
            ctrl: ev.ctrl_key() || ev.meta_key(),
            shift: ev.shift_key(),
            alt: ev.alt_key(),
        };
        if is_typing(&ev) || slides(&ev) {
            return;
        }
        let aiming = desk.is_aiming();
        if aiming && desk.aim_key(&ev.code(), mods, ev.repeat(), on_control()) {
            ev.prevent_default();
            return;
        }
        if ev.code() == "Space" && !mods.ctrl && !on_control() && !desk.task_now().is_text() {
            ev.prevent_default();
            if desk.toggle_focused() {
                return;
            }
            if !ev.repeat() {
                let at = desk.read(|s| s.editor.view().offset()).unwrap_or_default();
                pressed.set_value(Some((js_sys::Date::now(), at)));
            }
            desk.edit(|e| e.hold_pan(true));
            return;
        }
        let bound = |mods| {
            desk.keymap
                .with_untracked(|k| k.action(&ev.code(), &ev.key(), mods, desk.is_video_now()))
        };
        let Some(action) = bound(mods) else {
            // The key that holds the pointer down does so with modifiers, as a mouse's button would.
            let holds = aiming && bound(Mods::default()) == Some(Action::HoldPointer);
            if holds && (ev.repeat() || desk.hold_aim(mods)) {
                ev.prevent_default();
            }
            return;
        };
        if action == Action::Escape && in_looks() {
            desk.show_light.set(false);
            focus_stage();
            ev.prevent_default();
            return;
        }
        let theirs = match action {
            Action::Submit => !mods.ctrl && on_control(),
            Action::CycleNext | Action::CyclePrevious => !on_canvas() || free_tab.get_value(),
            // One press, one effect.
            Action::Skip
            | Action::Help
            | Action::Instructions
            | Action::AcceptAll
            | Action::RejectAll
            | Action::KeyPointer
            | Action::HoldPointer => ev.repeat(),
            _ => false,
        };
        let repeated_submit = action == Action::Submit && ev.repeat();
        if theirs || repeated_submit {
            return;
        }
        let done = desk.act(action);
        if action == Action::Escape {
            free_tab.set_value(!done);
        } else {
            free_tab.set_value(false);
        }
        if action == Action::KeyPointer && desk.is_aiming() {
            // Space clicks with it, and not the button that was used last.
            focus_stage();
        }
        if done {
            ev.prevent_default();
        }
    });
    let up = window_event_listener(ev::keyup, move |ev: KeyboardEvent| {
        if ev.code() == "Space" {
            desk.edit(|e| e.hold_pan(false));
            // A short press plays a video; held, with the pointer, it pans.
            let at = desk.read(|s| s.editor.view().offset()).unwrap_or_default();
            let tap = pressed.try_update_value(Option::take).flatten();
            if tap.is_some_and(|(since, was)| js_sys::Date::now() - since < TAP && was == at) {
                desk.toggle_play();
            }
        }
    });
    let blur = window_event_listener_untyped("blur", move |_| {
        desk.edit(|e| e.hold_pan(false));
    });
    // A control that was clicked with the pointer gives the focus back, so that keys mean the canvas again.
    let click = window_event_listener(ev::click, move |ev| {
        let control = ev
            .target()
            .and_then(|t| t.dyn_into::<Element>().ok())
            .and_then(|el| el.closest(CLICKED).ok().flatten());
        let typing = || {
            focused().is_some_and(|el| {
                el.matches("input:not([type=range]), textarea, select")
                    .unwrap_or(false)
            })
        };
        if ev.detail() > 0 && control.is_some() && !in_dialog() && !typing() {
            focus_stage();
        }
    });
    on_cleanup(move || {
        down();
        for l in [up, blur, click] {
            l.remove();
        }
    });
}
