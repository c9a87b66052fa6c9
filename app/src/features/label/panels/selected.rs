//! The selected object: its exact numbers, its category, its place in the order.

use super::objects::ordinal;
use crate::features::label::desk::{Desk, px};
use crate::ui::{Button, ButtonSize, Glyph, IconButton};
use leptos::prelude::*;
use limn_domain::{AnnotationId, CategoryId, Rect, Shape};
use limn_editor::{Action, Command, Purpose};

/// What the panel shows.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    ids: Vec<AnnotationId>,
    title: String,
    category: Option<CategoryId>,
    rect: Option<Rect>,
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
            rect: a.shape.bounds(),
            ids,
        }),
        (n, _) => Some(Shown {
            title: format!("{n} objects"),
            category: None,
            rect: None,
            ids,
        }),
    }
}

#[component]
pub fn Selected() -> impl IntoView {
    let desk: Desk = expect_context();
    let now = Memo::new(move |_| shown(desk));
    // Fields keep their place while their numbers change; only another selection makes them anew.
    let which = Memo::new(move |_| now.with(|n| n.as_ref().map(|n| n.ids.clone())));
    view! {
        <Show when=move || now.with(Option::is_some)>
            <section class="label-selected" aria-label="Selected">
                <div class="label-head">
                    <h2 class="grow" data-testid="selected-title">
                        {move || now.with(|n| n.as_ref().map(|n| n.title.clone()))}
                    </h2>
                    <IconButton glyph=Glyph::Copy label="Duplicate (Ctrl D)" on_click=move || act(desk, Action::Duplicate)/>
                    <IconButton glyph=Glyph::Layers label="To the front (Shift PgUp)" on_click=move || act(desk, Action::ToFront)/>
                    <IconButton glyph=Glyph::Trash label="Delete (Del)" on_click=move || act(desk, Action::Delete)/>
                </div>
                <label class="label-field label-field--wide">
                    <span>"Category"</span>
                    <select
                        class="input"
                        on:change=move |ev| {
                            if let Ok(id) = event_target_value(&ev).parse::<CategoryId>() {
                                desk.edit(|e| {
                                    let ids = e.editable();
                                    e.run(Command::Relabel(ids, id))
                                });
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
                <OutlineActions now/>
                {move || {
                    which.track();
                    let single = now.with_untracked(|n| n.as_ref().is_some_and(|n| n.rect.is_some()));
                    single
                        .then(|| {
                            view! {
                                <div class="label-numbers">
                                    <Number now name="x" get=|r| r.x set=|r, v| Rect { x: v, ..r }/>
                                    <Number now name="y" get=|r| r.y set=|r, v| Rect { y: v, ..r }/>
                                    <Number now name="w" get=|r| r.w set=|r, v| Rect { w: v, ..r }/>
                                    <Number now name="h" get=|r| r.h set=|r, v| Rect { h: v, ..r }/>
                                </div>
                            }
                        })
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
    let button = move |text: &'static str, kbd: &'static str, action: Action| {
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
                        {(polygons == 1).then(|| view! {
                            <Button size=ButtonSize::Small on_click=move || begin(desk, Purpose::Add)>"Add"</Button>
                            <Button size=ButtonSize::Small on_click=move || begin(desk, Purpose::Cut)>"Cut out"</Button>
                        })}
                        {(polygons > 1).then(|| button("Join", "J", Action::Join))}
                        {(polygons > 0).then(|| button("Simplify", "S", Action::Simplify))}
                        {(polygons > 0 && masks == 0).then(|| button("To mask", "M", Action::Convert))}
                        {(masks > 0).then(|| button("To outline", "M", Action::Convert))}
                    }
                }}
            </div>
        </Show>
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

#[component]
fn Number(
    now: Memo<Option<Shown>>,
    name: &'static str,
    get: fn(Rect) -> f64,
    set: fn(Rect, f64) -> Rect,
) -> impl IntoView {
    let desk: Desk = expect_context();
    let value = Memo::new(move |_| {
        now.with(|n| n.as_ref().and_then(|n| n.rect).map(|r| px(get(r))))
            .unwrap_or_default()
    });
    let refused = RwSignal::new(0_u32);
    let change = move |text: String| {
        let target = now.with_untracked(|n| n.as_ref().and_then(|n| Some((*n.ids.first()?, n.rect?))));
        if let (Some((id, rect)), Ok(v)) = (target, text.trim().replace(',', ".").parse::<f64>())
            && v.is_finite()
        {
            desk.edit(|e| e.set_rect(id, set(rect, v)));
        }
        // Shows the stored number again where the typed one was clipped or refused.
        refused.update(|n| *n += 1);
    };
    view! {
        <label class="label-field">
            <span>{name}</span>
            <input
                class="input num"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-label=format!("{name} in pixels")
                prop:value=move || {
                    refused.track();
                    value.get()
                }
                on:change=move |ev| change(event_target_value(&ev))
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
