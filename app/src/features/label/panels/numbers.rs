//! The exact numbers of the selected object, to read and to type; of keypoints, how well each is seen.

use super::selected::Shown;
use crate::features::label::desk::{Desk, px};
use leptos::prelude::*;
use limn_domain::{Annotation, AnnotationId, Keypoint, Rect, Shape, TurnedRect, Visibility};

/// Where the selected object is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// More than one object.
    Several,
    /// Characters of a document.
    Span(u32, u32),
    Upright(Rect),
    Turned(TurnedRect),
    Keypoints(Vec<Keypoint>),
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceKind {
    Several,
    Span,
    Upright,
    Turned,
    Keypoints,
}

impl Place {
    pub fn of(a: &Annotation) -> Self {
        match &a.shape {
            Shape::RotatedBox { rect } | Shape::Ellipse { rect } => Self::Turned(*rect),
            Shape::Keypoints { keypoints } => Self::Keypoints(keypoints.clone()),
            Shape::Span { start, end } => Self::Span(*start, *end),
            shape => Self::Upright(shape.bounds().unwrap_or_default()),
        }
    }

    pub const fn kind(&self) -> PlaceKind {
        match self {
            Self::Several => PlaceKind::Several,
            Self::Span(..) => PlaceKind::Span,
            Self::Upright(_) => PlaceKind::Upright,
            Self::Turned(_) => PlaceKind::Turned,
            Self::Keypoints(_) => PlaceKind::Keypoints,
        }
    }
}

/// The fields for a kind of place. They keep theirs while their numbers change.
#[component]
pub(super) fn Numbers(now: Memo<Option<Shown>>, kind: PlaceKind) -> impl IntoView {
    match kind {
        PlaceKind::Several => ().into_any(),
        PlaceKind::Span => {
            let place = move || {
                now.with(|n| match n.as_ref().map(|n| &n.place) {
                    Some(Place::Span(start, end)) => format!("Characters {start} to {end}"),
                    _ => String::new(),
                })
            };
            view! { <p class="faint num label-span-place">{place}</p> }.into_any()
        }
        PlaceKind::Upright => view! {
            <div class="label-numbers">
                <UprightNumber now name="x" get=|r| r.x set=|r, v| Rect { x: v, ..r }/>
                <UprightNumber now name="y" get=|r| r.y set=|r, v| Rect { y: v, ..r }/>
                <UprightNumber now name="w" get=|r| r.w set=|r, v| Rect { w: v, ..r }/>
                <UprightNumber now name="h" get=|r| r.h set=|r, v| Rect { h: v, ..r }/>
            </div>
        }
        .into_any(),
        PlaceKind::Turned => view! {
            <div class="label-numbers">
                <TurnedNumber now name="cx" unit="pixels" get=|r| r.cx set=|r, v| TurnedRect { cx: v, ..r }/>
                <TurnedNumber now name="cy" unit="pixels" get=|r| r.cy set=|r, v| TurnedRect { cy: v, ..r }/>
                <TurnedNumber now name="w" unit="pixels" get=|r| r.w set=|r, v| TurnedRect { w: v, ..r }/>
                <TurnedNumber now name="h" unit="pixels" get=|r| r.h set=|r, v| TurnedRect { h: v, ..r }/>
                <TurnedNumber now name="angle" unit="degrees" get=|r| r.angle set=|r, v| TurnedRect { angle: v, ..r }/>
            </div>
        }
        .into_any(),
        PlaceKind::Keypoints => view! { <Joints now/> }.into_any(),
    }
}

#[component]
fn UprightNumber(
    now: Memo<Option<Shown>>,
    name: &'static str,
    get: fn(Rect) -> f64,
    set: fn(Rect, f64) -> Rect,
) -> impl IntoView {
    let desk: Desk = expect_context();
    let target = move |n: &Option<Shown>| match n.as_ref()?.place {
        Place::Upright(rect) => Some((*n.as_ref()?.ids.first()?, rect)),
        _ => None,
    };
    let value = Memo::new(move |_| now.with(|n| target(n).map(|(_, r)| get(r))));
    let change = move |v: f64| {
        if let Some((id, rect)) = now.with_untracked(target) {
            desk.edit(|e| e.set_rect(id, set(rect, v)));
        }
    };
    view! { <Number name unit="pixels" value change/> }
}

#[component]
fn TurnedNumber(
    now: Memo<Option<Shown>>,
    name: &'static str,
    unit: &'static str,
    get: fn(TurnedRect) -> f64,
    set: fn(TurnedRect, f64) -> TurnedRect,
) -> impl IntoView {
    let desk: Desk = expect_context();
    let target = move |n: &Option<Shown>| match n.as_ref()?.place {
        Place::Turned(rect) => Some((*n.as_ref()?.ids.first()?, rect)),
        _ => None,
    };
    let value = Memo::new(move |_| now.with(|n| target(n).map(|(_, r)| get(r))));
    let change = move |v: f64| {
        if let Some((id, rect)) = now.with_untracked(target) {
            desk.edit(|e| e.set_turned(id, set(rect, v)));
        }
    };
    view! { <Number name unit value change/> }
}

#[component]
fn Number(
    name: &'static str,
    unit: &'static str,
    value: Memo<Option<f64>>,
    change: impl Fn(f64) + Copy + 'static,
) -> impl IntoView {
    let refused = RwSignal::new(0_u32);
    let typed = move |text: String| {
        if let Ok(v) = text.trim().replace(',', ".").parse::<f64>()
            && v.is_finite()
        {
            change(v);
        }
        // Shows the stored number again where the typed one was clipped or refused.
        refused.update(|n| *n += 1);
    };
    view! {
        <label class="label-field">
            <span>{if name == "angle" { "\u{2220}" } else { name }}</span>
            <input
                class="input num"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-label=format!("{name} in {unit}")
                prop:value=move || {
                    refused.track();
                    value.get().map(px).unwrap_or_default()
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

/// The keypoints by name, each with how well it is seen.
#[component]
fn Joints(now: Memo<Option<Shown>>) -> impl IntoView {
    let desk: Desk = expect_context();
    let list = Memo::new(move |_| {
        now.with(|n| {
            let n = n.as_ref()?;
            let Place::Keypoints(list) = &n.place else {
                return None;
            };
            let id: AnnotationId = *n.ids.first()?;
            let names = desk.read(|s| {
                let a = s.editor.doc().get(id)?;
                let skeleton = s.editor.skeleton_of(a.category_id)?;
                Some(
                    skeleton
                        .keypoints
                        .iter()
                        .map(|k| k.name.clone())
                        .collect::<Vec<_>>(),
                )
            });
            let names = names.flatten().unwrap_or_default();
            let rows = list.iter().enumerate().map(|(i, k)| {
                let name = names
                    .get(i)
                    .cloned()
                    .unwrap_or_else(|| format!("Keypoint {}", i + 1));
                (i, name, k.visibility)
            });
            Some((id, rows.collect::<Vec<_>>()))
        })
    });
    const STATES: [(Visibility, &str, &str); 3] = [
        (Visibility::Visible, "Seen", "2"),
        (Visibility::Hidden, "Hidden", "1"),
        (Visibility::Absent, "Not there", "0"),
    ];
    view! {
        <ul class="label-joints" aria-label="Keypoints">
            <For
                each=move || list.get().map(|l| l.1).unwrap_or_default()
                key=|row| (row.0, row.1.clone(), row.2 as u8)
                let:row
            >
                <li>
                    <span class="grow" title=row.1.clone()>{row.1.clone()}</span>
                    <select
                        class="input"
                        aria-label=format!("How {} is seen", row.1)
                        on:change=move |ev| {
                            let value = event_target_value(&ev);
                            let state = STATES.iter().find(|s| s.2 == value).map(|s| s.0);
                            if let (Some(state), Some(id)) = (state, list.with_untracked(|l| l.as_ref().map(|l| l.0))) {
                                desk.edit(|e| e.set_visibility(id, row.0, state));
                            }
                        }
                    >
                        {STATES
                            .into_iter()
                            .map(|(state, text, value)| view! { <option value=value selected=state == row.2>{text}</option> })
                            .collect_view()}
                    </select>
                </li>
            </For>
        </ul>
    }
}
