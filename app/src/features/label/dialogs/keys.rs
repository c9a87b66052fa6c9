//! `?`: every key of the label page, made from the keymap itself.

use super::switch;
use crate::features::label::desk::{Desk, Modal};
use crate::ui::{Dialog, DialogBody, DialogSize};
use leptos::prelude::*;
use limn_editor::keymap::{Chord, Group, HelpLine};

#[component]
pub fn KeysDialog() -> impl IntoView {
    let desk: Desk = expect_context();
    let open = switch(desk, Modal::Keys);
    let groups = move || {
        let lines = desk.keymap.with_value(|k| k.help(desk.task()));
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
                view! {
                    <section class="label-help__group">
                        <h3>{group.label()}</h3>
                        <dl>{lines.into_iter().map(line).collect_view()}</dl>
                    </section>
                }
            })
            .collect_view()
    };
    view! {
        <Dialog open title="Keys" description="Physical keys: they stay in place on every keyboard layout." size=DialogSize::Large>
            <DialogBody>
                <div class="label-scroll" role="region" tabindex="0" aria-label="All keys">
                    <div class="label-help">{groups}</div>
                </div>
            </DialogBody>
        </Dialog>
    }
}

fn line(l: HelpLine) -> impl IntoView {
    let last = l.keys.len().saturating_sub(1);
    let keys = l
        .keys
        .into_iter()
        .enumerate()
        .map(|(i, chord)| view! { {caps(&chord)} {(i < last).then_some(view! { <span class="faint">"or"</span> })} })
        .collect_view();
    view! {
        <div class="label-help__line">
            <dt>{l.label}</dt>
            <dd>{keys}</dd>
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
