//! `?`: every key of the label page, made from the keymap itself; a click on one changes it.

use super::switch;
use crate::features::label::desk::{Desk, Modal};
use crate::ui::{Button, Dialog, DialogBody, DialogFoot, DialogSize, Glyph, IconButton, Variant};
use leptos::prelude::*;
use limn_editor::Action;
use limn_editor::keymap::{Chord, Group, HelpLine, Overrides};
use wasm_bindgen::JsCast;

#[component]
pub fn KeysDialog() -> impl IntoView {
    let desk: Desk = expect_context();
    let open = switch(desk, Modal::Keys);
    // The action whose new key is awaited, and why the last one did not do.
    let listening = RwSignal::new(None::<Action>);
    let refused = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        open.track();
        listening.set(None);
        refused.set(None);
    });
    let take = move |ev: web_sys::KeyboardEvent| {
        let Some(action) = listening.get_untracked() else {
            return;
        };
        ev.prevent_default();
        ev.stop_propagation();
        match ev.code().as_str() {
            "Escape" => {
                listening.set(None);
                refused.set(None);
            }
            code if code.starts_with("Shift")
                || code.starts_with("Control")
                || code.starts_with("Alt")
                || code.starts_with("Meta") => {}
            code => {
                let chord = Chord {
                    code: code.to_owned(),
                    ctrl: ev.ctrl_key() || ev.meta_key(),
                    shift: ev.shift_key(),
                    alt: ev.alt_key(),
                };
                let keys = desk.own_keys.with_untracked(|k| k.with(action, vec![chord]));
                match desk.set_own_keys(keys) {
                    Ok(()) => {
                        listening.set(None);
                        refused.set(None);
                    }
                    Err(why) => refused.set(Some(why)),
                }
            }
        }
    };
    let groups = move || {
        let mut lines = desk.keymap.with(|k| k.help(desk.task()));
        if desk.segmenter.with(Option::is_none) {
            lines.retain(|l| l.action != Some(Action::SegmentTool));
        }
        Group::ALL
            .into_iter()
            .map(|g| {
                (
                    g,
                    lines.iter().filter(|l| l.group == g).cloned().collect::<Vec<_>>(),
                )
            })
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(group, lines)| {
                let lines = lines
                    .into_iter()
                    .map(|l| line(desk, listening, refused, l))
                    .collect_view();
                view! {
                    <section class="label-help__group">
                        <h3>{group.label()}</h3>
                        <dl>{lines}</dl>
                    </section>
                }
            })
            .collect_view()
    };
    view! {
        <Dialog
            open
            title="Keys"
            description="Physical keys: they stay in place on every keyboard layout. Click a key to choose another one."
            size=DialogSize::Large
        >
            <DialogBody>
                <div class="label-scroll" role="region" tabindex="0" aria-label="All keys" on:keydown=take>
                    <div class="label-help">{groups}</div>
                </div>
                <p class="field__error" role="alert">{move || refused.get()}</p>
            </DialogBody>
            <DialogFoot>
                <Show when=move || !desk.own_keys.with(Overrides::is_empty)>
                    <Button
                        variant=Variant::Quiet
                        on_click=move || {
                            let _ = desk.set_own_keys(Overrides::default());
                        }
                    >
                        "All default keys"
                    </Button>
                </Show>
                <span class="grow"></span>
                <Button on_click=move || open.set(false)>"Close"</Button>
            </DialogFoot>
        </Dialog>
    }
}

fn line(
    desk: Desk,
    listening: RwSignal<Option<Action>>,
    refused: RwSignal<Option<String>>,
    l: HelpLine,
) -> impl IntoView {
    let last = l.keys.len().saturating_sub(1);
    let keys = l
        .keys
        .iter()
        .enumerate()
        .map(|(i, chord)| view! { {caps(chord)} {(i < last).then_some(view! { <span class="faint">"or"</span> })} })
        .collect_view();
    let shown = match l.action {
        None => keys.into_any(),
        Some(action) => {
            let awaits = move || listening.get() == Some(action);
            let own = move || desk.own_keys.with(|k| k.has(action));
            view! {
                <Show when=own>
                    <IconButton
                        glyph=Glyph::Undo
                        label=format!("The default key of: {}", l.label)
                        on_click=move || {
                            let keys = desk.own_keys.with_untracked(|k| k.without(action));
                            refused.set(desk.set_own_keys(keys).err());
                        }
                    />
                </Show>
                <button
                    type="button"
                    class="label-help__keys"
                    class:is-on=awaits
                    aria-label=format!("Change the key of: {}", l.label)
                    on:click=move |ev| {
                        refused.set(None);
                        listening.set(Some(action));
                        // Safari does not focus a clicked button; its keys are wanted.
                        if let Some(el) = ev.current_target().and_then(|t| t.dyn_into::<web_sys::HtmlElement>().ok()) {
                            let _ = el.focus();
                        }
                    }
                >
                    <Show when=awaits>"Press a key"</Show>
                    <span class:sr-only=awaits>{keys}</span>
                </button>
            }
            .into_any()
        }
    };
    view! {
        <div class="label-help__line">
            <dt>{l.label}</dt>
            <dd>{shown}</dd>
        </div>
    }
}

fn caps(chord: &Chord) -> impl IntoView + use<> {
    let caps: Vec<_> = chord
        .caps()
        .into_iter()
        .map(|c| view! { <kbd class="kbd">{c}</kbd> })
        .collect();
    view! { <span class="label-help__chord">{caps}</span> }
}
