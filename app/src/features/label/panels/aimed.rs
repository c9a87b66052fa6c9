//! What the keyboard's pointer tells a screen reader: where it is, and what lies under it.

use super::objects::ordinal;
use crate::features::label::desk::Desk;
use leptos::prelude::*;
use std::time::Duration;

/// How long the pointer has to rest before it is told: while it moves the voice would never come to the end.
const REST: Duration = Duration::from_millis(250);

fn told(desk: Desk) -> Option<String> {
    let (at, under, pressed) = desk
        .read(|s| {
            let aim = s.editor.aim()?;
            Some((s.editor.pointer()?, s.editor.under_aim(), aim.is_pressed()))
        })
        .flatten()?;
    let under = under.and_then(|(id, grip)| Some((ordinal(desk, id)?, grip)));
    let under = match under {
        Some((name, true)) => format!("grip of {name}"),
        Some((name, false)) => name,
        None => "no object".to_owned(),
    };
    let held = if pressed { ", held down" } else { "" };
    Some(format!("x {:.0}, y {:.0}, {under}{held}", at.x, at.y))
}

#[component]
pub fn Aimed() -> impl IntoView {
    let desk: Desk = expect_context();
    let text = RwSignal::new(String::new());
    let rest = StoredValue::new(0_u32);
    Effect::new(move |_| {
        desk.look_tick.track();
        desk.view_tick.track();
        desk.doc_tick.track();
        desk.current.track();
        let now = rest.get_value().wrapping_add(1);
        rest.set_value(now);
        if !desk.is_aiming() {
            if !text.with_untracked(String::is_empty) {
                text.set(String::new());
            }
            return;
        }
        let tell = move || {
            if rest.try_get_value() != Some(now) {
                return;
            }
            let Some(said) = told(desk) else {
                return;
            };
            let first = text.with_untracked(String::is_empty);
            text.set(if first { format!("Pointer at {said}") } else { said });
        };
        set_timeout(tell, REST);
    });
    view! {
        <p class="sr-only" role="status" aria-live="polite" aria-atomic="true" data-testid="aimed">
            {move || text.get()}
        </p>
    }
}
