//! Two people changed the same object: mine or theirs, object by object.

use super::switch;
use crate::features::label::desk::{Desk, Modal, px};
use crate::ui::{Button, Dialog, DialogBody, DialogFoot, DialogSize, Variant};
use leptos::prelude::*;
use limn_domain::{Annotation, AnnotationId, Shape};
use limn_editor::{Conflict, Side};
use std::collections::HashMap;

/// One side of a conflict in words.
fn words(desk: Desk, side: Option<&Annotation>, base: Option<&Annotation>) -> String {
    let Some(a) = side else {
        return "deleted".to_owned();
    };
    let category = desk.category_of(a.category_id).0;
    match (&a.shape, base) {
        (Shape::Whole, _) => category,
        (Shape::Polygon { parts }, _) => {
            let corners: usize = parts.iter().flatten().map(Vec::len).sum();
            format!("{category}, an outline of {corners} corners")
        }
        (Shape::Mask { mask }, _) => format!(
            "{category}, a mask of {} \u{d7} {} pixels",
            mask.width, mask.height
        ),
        (Shape::Box { rect: r }, _) => format!(
            "{category} at {}, {}, {} \u{d7} {}",
            px(r.x),
            px(r.y),
            px(r.w),
            px(r.h)
        ),
        (shape, _) => {
            let r = shape.bounds().unwrap_or_default();
            format!(
                "{category}, a {} at {}, {}",
                shape.shape_kind().label(),
                px(r.x),
                px(r.y)
            )
        }
    }
}

#[component]
pub fn MergeDialog() -> impl IntoView {
    let desk: Desk = expect_context();
    let open = switch(desk, Modal::Merge);
    let choices: RwSignal<HashMap<AnnotationId, Side>> = RwSignal::new(HashMap::new());
    let found = Memo::new(move |_| {
        desk.doc_tick.track();
        desk.save_tick.track();
        desk.current.track();
        open.track();
        desk.read(|s| (s.editor.conflicts().clone(), s.theirs.clone()))
            .unwrap_or_default()
    });
    let who = Signal::derive(move || found.with(|f| f.1.clone()));
    let all = move |side: Side| {
        let map = found.with_untracked(|f| f.0.iter().map(|c| (c.id, side)).collect());
        choices.set(map);
    };
    let save = move || {
        let decided = choices.get_untracked();
        open.set(false);
        desk.modal.set(None);
        desk.decide(&decided);
        choices.set(HashMap::new());
    };
    let text = Signal::derive(move || {
        let n = found.with(|f| f.0.len());
        format!(
            "{} and you changed {} differently at the same time. Everything else is merged. Nothing is lost until you decide.",
            who.get(),
            if n == 1 {
                "one object".to_owned()
            } else {
                format!("{n} objects")
            }
        )
    });
    view! {
        <Dialog open title="Whose version stands?" description=text size=DialogSize::Large>
            <DialogBody>
                <div class="label-merge__all">
                    <Button on_click=move || all(Side::Mine)>"All mine"</Button>
                    <Button on_click=move || all(Side::Theirs)>"All theirs"</Button>
                </div>
                <ul class="label-merge">
                    <For each=move || found.with(|f| f.0.clone()) key=|c| c.id let:c>
                        <Choice conflict=c choices who/>
                    </For>
                </ul>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Decide later"</Button>
                <Button variant=Variant::Primary on_click=save>"Save the decision"</Button>
            </DialogFoot>
        </Dialog>
    }
}

#[component]
fn Choice(
    conflict: Conflict,
    choices: RwSignal<HashMap<AnnotationId, Side>>,
    #[prop(into)] who: Signal<String>,
) -> impl IntoView {
    let desk: Desk = expect_context();
    let id = conflict.id;
    let base = conflict.base.as_ref();
    let name = format!("conflict-{id}");
    let mine = words(desk, conflict.mine.as_ref(), base);
    let theirs = words(desk, conflict.theirs.as_ref(), base);
    let before = base.map(|b| format!("Before: {}", words(desk, Some(b), None)));
    let chosen = move || choices.with(|c| c.get(&id).copied().unwrap_or(Side::Mine));
    let option = move |side: Side, name: String, title: Signal<String>, text: String| {
        view! {
            <label class="label-merge__side" class:is-on=move || chosen() == side>
                <input
                    type="radio"
                    name=name
                    prop:checked=move || chosen() == side
                    on:change=move |_| {
                        choices.update(|c| {
                            c.insert(id, side);
                        });
                    }
                />
                <span>
                    <b>{move || title.get()}</b>
                    <span class="num">{text}</span>
                </span>
            </label>
        }
    };
    view! {
        <li class="label-merge__row">
            {before.map(|b| view! { <p class="faint num">{b}</p> })}
            <div class="label-merge__sides" role="radiogroup" aria-label="Whose version">
                {option(Side::Mine, name.clone(), Signal::stored("Mine".to_owned()), mine)}
                {option(Side::Theirs, name, who, theirs)}
            </div>
        </li>
    }
}
