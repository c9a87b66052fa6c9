//! The selected object: its exact numbers, its category, its place in the order.

use super::described::Described;
use super::key_of;
use super::linked::Linked;
use super::menus::SelectedMenu;
use super::numbers::{Numbers, Place};
use super::objects::ordinal;
use crate::features::label::desk::{Desk, px};
use crate::features::label::look;
use crate::ui::{Button, ButtonSize, Glyph, IconButton};
use leptos::prelude::*;
use limn_domain::project::Task;
use limn_domain::{AnnotationId, CategoryId, Shape};
use limn_editor::{Action, Purpose};

/// What the panel shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub ids: Vec<AnnotationId>,
    title: String,
    category: Option<CategoryId>,
    pub place: Place,
}

fn shown(desk: Desk) -> Option<Shown> {
    desk.selection_tick.track();
    desk.doc_tick.track();
    desk.current.track();
    let (ids, single) = desk.read(|s| {
        let picked = s.editor.selection();
        let single = picked.single().and_then(|id| s.editor.doc().get(id)).cloned();
        (picked.to_vec(), single)
    })?;
    match (ids.len(), single) {
        (0, _) => None,
        (1, Some(a)) => Some(Shown {
            title: ordinal(desk, a.id).unwrap_or_default(),
            category: Some(a.category_id),
            place: Place::of(&a),
            ids,
        }),
        (n, _) => Some(Shown {
            title: format!(
                "{n} {}",
                if desk.task_now().is_text() {
                    "spans"
                } else {
                    "objects"
                }
            ),
            category: None,
            place: Place::Several,
            ids,
        }),
    }
}

#[component]
pub fn Selected() -> impl IntoView {
    let desk: Desk = expect_context();
    let now = Memo::new(move |_| shown(desk));
    // Fields keep their place while their numbers change; only another selection, or another kind, makes them anew.
    let which = Memo::new(move |_| now.with(|n| n.as_ref().map(|n| (n.ids.clone(), n.place.kind()))));
    view! {
        <Show when=move || now.with(Option::is_some)>
            <section class="label-selected" aria-label="Selected">
                <div class="label-head">
                    <h2 class="grow" data-testid="selected-title">
                        {move || now.with(|n| n.as_ref().map(|n| n.title.clone()))}
                    </h2>
                    <Show when=move || !desk.task().is_text()>
                        <IconButton glyph=Glyph::Copy label="Duplicate (Ctrl D)" on_click=move || act(desk, Action::Duplicate)/>
                        <IconButton glyph=Glyph::Layers label="To the front (Shift PgUp)" on_click=move || act(desk, Action::ToFront)/>
                        <SelectedMenu/>
                    </Show>
                    <IconButton glyph=Glyph::Trash label="Delete (Del)" on_click=move || act(desk, Action::Delete)/>
                </div>
                <label class="label-field label-field--wide">
                    <span>"Category"</span>
                    <select
                        class="input"
                        on:change=move |ev| {
                            if let Ok(id) = event_target_value(&ev).parse::<CategoryId>() {
                                desk.relabel(id);
                            }
                        }
                    >
                        {move || {
                            let current = now.with(|n| n.as_ref().and_then(|n| n.category));
                            let mixed = current.is_none().then(|| view! { <option value="" selected=true>"Several"</option> });
                            let options = desk
                                .categories
                                .with(|list| {
                                    list.iter()
                                        .map(|c| {
                                            let on = Some(c.category.id) == current;
                                            view! {
                                                <option value=c.category.id.to_string() selected=on>
                                                    {c.category.name.clone()}
                                                </option>
                                            }
                                        })
                                        .collect_view()
                                });
                            view! {
                                {mixed}
                                {options}
                            }
                        }}
                    </select>
                </label>
                <Described/>
                <OutlineActions now/>
                <Linked/>
                {move || {
                    which.get().map(|(_, kind)| view! { <Numbers now kind/> })
                }}
            </section>
        </Show>
    }
}

/// What can be done to outlines and masks.
#[component]
fn OutlineActions(now: Memo<Option<Shown>>) -> impl IntoView {
    let desk: Desk = expect_context();
    let kinds = Memo::new(move |_| {
        desk.doc_tick.track();
        now.with(|n| {
            let ids = n.as_ref().map(|n| n.ids.clone()).unwrap_or_default();
            desk.read(|s| {
                let kind = |of: fn(&Shape) -> bool| {
                    ids.iter()
                        .filter_map(|id| s.editor.doc().get(*id))
                        .filter(|a| of(&a.shape))
                        .count()
                };
                (
                    kind(|s| matches!(s, Shape::Polygon { .. })),
                    kind(|s| matches!(s, Shape::Mask { .. })),
                )
            })
            .unwrap_or_default()
        })
    });
    let by_corners = Memo::new(move |_| {
        desk.look_tick.track();
        desk.selection_tick.track();
        desk.doc_tick.track();
        desk.read(|s| s.editor.edits_corners()).unwrap_or(false)
    });
    // Pixels of one category have no outlines of their own.
    let convertible = move || desk.task() != Task::Semantic;
    let button = move |text: &'static str, action: Action| {
        let kbd = key_of(desk, action).replace("Shift ", "\u{21e7}");
        view! {
            <Button size=ButtonSize::Small kbd=kbd on_click=move || act(desk, action)>{text}</Button>
        }
    };
    view! {
        <Show when=move || kinds.get() != (0, 0)>
            <div class="label-outline" role="group" aria-label="Outline">
                {move || {
                    let (polygons, masks) = kinds.get();
                    view! {
                        {(polygons + masks == 1 && convertible()).then(|| view! {
                            <Button size=ButtonSize::Small on_click=move || begin(desk, Purpose::Add)>"Add"</Button>
                            <Button size=ButtonSize::Small on_click=move || begin(desk, Purpose::Cut)>"Cut out"</Button>
                        })}
                        {(polygons + masks > 1).then(|| view! {
                            {button("Join", Action::Join)}
                            {button("Cut others out", Action::Subtract)}
                            {button("Intersect", Action::Intersect)}
                        })}
                        {(polygons > 0).then(|| button("Simplify", Action::Simplify))}
                        {button("Fill holes", Action::FillHoles)}
                        {button("Clean", Action::Clean)}
                        {(polygons > 0 && masks == 0).then(|| button("To mask", Action::Convert))}
                        {(masks > 0 && convertible()).then(|| button("To outline", Action::Convert))}
                        {(masks == 1 && polygons == 0 && convertible()).then(|| {
                            let kbd = key_of(desk, Action::EditCorners).replace("Shift ", "\u{21e7}");
                            // Its text alone changes, so that it keeps the focus.
                            let text = move || if by_corners.get() { "Leave corners" } else { "Edit corners" };
                            view! {
                                <Button size=ButtonSize::Small kbd=kbd on_click=move || act(desk, Action::EditCorners)>
                                    {text}
                                </Button>
                            }
                        })}
                    }
                }}
                <Show when=convertible>
                    <Tolerance/>
                </Show>
            </div>
        </Show>
    }
}

/// How far the border may move where corners are left out.
#[component]
fn Tolerance() -> impl IntoView {
    let desk: Desk = expect_context();
    let typed_anew = RwSignal::new(0_u32);
    let typed = move |text: String| {
        let text = text.trim().replace(',', ".");
        if text.is_empty() {
            desk.set_look(|l| l.tolerance = None);
        } else if let Some(v) = text.parse::<f64>().ok().and_then(look::tolerance) {
            desk.set_look(|l| l.tolerance = Some(v));
        }
        // Shows the kept number again where the typed one was bounded or refused.
        typed_anew.update(|n| *n += 1);
    };
    view! {
        <label
            class="label-field label-field--wide label-outline__tolerance"
            title="How far Simplify, To outline and Edit corners may move the border, in pixels of the picture; 0 is exact. Empty: To outline is exact, the others go by the zoom."
        >
            <span>"Tolerance"</span>
            <input
                class="input num"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                placeholder="auto"
                aria-label="Tolerance in pixels"
                prop:value=move || {
                    typed_anew.track();
                    desk.looks.get().tolerance.map(px).unwrap_or_default()
                }
                on:change=move |ev| typed(event_target_value(&ev))
                on:keydown=move |ev| {
                    if ev.key() == "Enter" || ev.key() == "Escape" {
                        ev.prevent_default();
                        let el: web_sys::HtmlElement = event_target(&ev);
                        let _ = el.blur();
                    }
                }
            />
        </label>
    }
}

/// The next outline is for the selected object.
fn begin(desk: Desk, purpose: fn(AnnotationId) -> Purpose) {
    desk.sheet_up.set(false);
    desk.edit(|e| {
        if let Some(id) = e.selection().single() {
            e.next_outline(purpose(id));
        }
    });
}

fn act(desk: Desk, action: Action) {
    desk.act(action);
}
