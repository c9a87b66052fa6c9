//! What goes with the tool in hand: a hint, the bar of what is being drawn, the brush's settings.

use crate::features::label::desk::Desk;
use crate::ui::{Button, ButtonSize, Glyph, Icon, Variant};
use leptos::prelude::*;
use limn_domain::ShapeKind;
use limn_domain::mask::Tip;
use limn_domain::project::Task;
use limn_editor::{Action, Brush, Editor, Purpose, Tool};

/// What the tool waits for.
pub(super) fn hint(e: &Editor) -> Option<String> {
    if e.is_read_only() {
        return None;
    }
    if e.relating().is_some() {
        return Some("Pick the object that it relates to; Esc leaves it".to_owned());
    }
    if e.tool().draws() && e.category().is_none() {
        return Some("Pick a category first".to_owned());
    }
    let kind = e
        .selection()
        .single()
        .and_then(|id| e.doc().get(id))
        .map(|a| a.shape.shape_kind());
    let text = match e.tool() {
        Tool::Select if e.edits_corners() => {
            "Drag a corner, or the middle of a side; Alt and a click removes a corner; Esc ends it"
        }
        Tool::Polygon => outline_hint(e, matches!(kind, Some(ShapeKind::Polygon | ShapeKind::Mask))),
        Tool::Brush | Tool::Eraser => brush_hint(e, kind),
        Tool::Keypoints => return keypoint_hint(e),
        Tool::Polyline if e.outline().is_some() => "Enter or a double click ends the line",
        Tool::Polyline => "Click the corners of the line, or drag along it",
        Tool::RotatedBox => match e.outline().map(|o| o.points.len()) {
            None => "Click where a side of the box begins",
            Some(1) => "Click where that side ends",
            Some(_) => "Click how far the box reaches",
        },
        Tool::ExtremeBox => {
            let left = 4 - e.outline().map_or(0, |o| o.points.len()).min(3);
            return Some(format!(
                "Click the topmost, bottommost, leftmost and rightmost points of the object: {left} to go"
            ));
        }
        Tool::Slice if !matches!(kind, Some(ShapeKind::Polygon | ShapeKind::Mask)) => {
            "Select the outline or mask to slice first (Ctrl and a click)"
        }
        Tool::Slice if e.outline().is_some() => "Enter or a double click slices along the line",
        Tool::Slice => "Draw a line across the selected object",
        Tool::Points if kind == Some(ShapeKind::Points) => "Click a point; Shift adds to the selected ones",
        Tool::Points => "Click a point",
        tool if tool.is_smart() => super::smart::hint(e),
        _ => return None,
    };
    Some(text.to_owned())
}

fn outline_hint(e: &Editor, selected: bool) -> &'static str {
    match e.outline() {
        Some(o) if o.points.len() < 3 => "Next corner; Backspace takes one back",
        Some(o) => match o.purpose {
            Purpose::Draw => "Enter or a click on the first corner closes the outline",
            Purpose::Add(_) => "Enter closes it and adds it to the selected object",
            Purpose::Cut(_) => "Enter closes it and cuts it out of the selected object",
        },
        None if e.doc().task() == Task::Semantic => "Click the corners, or drag: what it encloses is painted",
        None if matches!(e.intent(), Some(Purpose::Add(_))) => {
            "Draw what is to be added to the selected object"
        }
        None if matches!(e.intent(), Some(Purpose::Cut(_))) => {
            "Draw what is to be cut out of the selected object"
        }
        None if selected => "Click corners or drag; Shift adds to the selected object, Alt cuts out of it",
        None => "Click the corners, or drag along the outline",
    }
}

fn brush_hint(e: &Editor, kind: Option<ShapeKind>) -> &'static str {
    let paintable = matches!(kind, Some(ShapeKind::Mask | ShapeKind::Polygon));
    match (e.tool(), e.doc().task() == Task::Semantic) {
        (Tool::Brush, true) => "Paints the category; what lies below gives way, unless it is locked",
        (Tool::Brush, false) if paintable => "Adds to the selected object; Shift begins another one",
        (Tool::Brush, false) => "Begins a new object",
        (_, _) if paintable => "Erases from the selected object",
        _ => "Erases from every object under it",
    }
}

fn keypoint_hint(e: &Editor) -> Option<String> {
    let Some(skeleton) = e.skeleton() else {
        let text = "This category has no skeleton; a manager can give it one on the categories page";
        return Some(text.to_owned());
    };
    let next = e.outline().map_or(0, |o| o.points.len());
    let name = &skeleton.keypoints.get(next)?.name;
    Some(match e.outline() {
        None => format!("Click {name}, or drag the whole figure into place"),
        Some(_) => format!("Click {name}; Alt when it is hidden, U when it is not in the picture"),
    })
}

/// What a finger can do about what is being drawn corner by corner; keys and double clicks do the same.
#[component]
pub fn OutlineBar() -> impl IntoView {
    let desk: Desk = expect_context();
    // Corners set, the fewest it takes, and what they are of.
    let state = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| s.editor.outline().map(|o| (o.points.len(), o.least(), o.tool)))
            .flatten()
    });
    let corners = move || state.get().map(|s| s.0);
    let keypoints = move || state.get().is_some_and(|s| s.2 == Tool::Keypoints);
    let end = move || match state.get().map(|s| s.2) {
        Some(Tool::Keypoints | Tool::Polyline | Tool::RotatedBox | Tool::ExtremeBox) => "Done",
        Some(Tool::Slice) => "Slice",
        _ => "Close",
    };
    let text = move || {
        let n = corners().unwrap_or(0) as i64;
        if keypoints() {
            crate::fmt::counted(n, "keypoint", "keypoints")
        } else {
            crate::fmt::counted(n, "corner", "corners")
        }
    };
    view! {
        <Show when=move || corners().is_some()>
            <div class="label-assist" role="group" aria-label="Outline being drawn" data-testid="outline-bar">
                <span class="label-assist__text num">{text}</span>
                <Show when=keypoints>
                    <Button
                        size=ButtonSize::Small
                        kbd="U"
                        on_click=move || {
                            desk.act(Action::LeaveOut);
                        }
                    >
                        "Not in the picture"
                    </Button>
                </Show>
                <Button
                    variant=Variant::Primary
                    size=ButtonSize::Small
                    kbd="Enter"
                    disabled=Signal::derive(move || state.get().is_none_or(|(n, least, _)| n < least))
                    on_click=move || {
                        desk.edit(Editor::finish_outline);
                    }
                >
                    {end}
                </Button>
                <Button
                    variant=Variant::Quiet
                    size=ButtonSize::Small
                    kbd="\u{232b}"
                    on_click=move || {
                        desk.edit(Editor::outline_back);
                    }
                >
                    "Back"
                </Button>
                <Button
                    variant=Variant::Quiet
                    size=ButtonSize::Small
                    kbd="Esc"
                    on_click=move || {
                        desk.edit(Editor::cancel);
                    }
                >
                    "Drop"
                </Button>
            </div>
        </Show>
    }
}

/// Size and form of the brush.
#[component]
pub fn BrushBar() -> impl IntoView {
    let desk: Desk = expect_context();
    let brush = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| {
            let e = &s.editor;
            (e.tool().paints() && !e.is_read_only()).then(|| e.brush())
        })
        .flatten()
    });
    let now = move || brush.get().unwrap_or_default();
    let set = move |change: fn(&mut Brush)| {
        desk.edit(|e| {
            let mut brush = e.brush();
            change(&mut brush);
            e.set_brush(brush);
        });
    };
    let tip = move |tip: Tip, name: &'static str, change: fn(&mut Brush)| {
        view! {
            <button
                class="label-tip"
                class:is-on=move || now().tip == tip
                class:label-tip--square=move || tip == Tip::Square
                type="button"
                aria-pressed=move || if now().tip == tip { "true" } else { "false" }
                aria-label=name
                title=name
                on:click=move |_| set(change)
            ></button>
        }
    };
    view! {
        <Show when=move || brush.get().is_some()>
            <div class="label-brush" role="group" aria-label="Brush" data-testid="brush-bar">
                <label class="label-brush__size">
                    <span class="sr-only">"Size of the brush in pixels"</span>
                    <Icon glyph=Glyph::Brush size=16/>
                    // Half of the slider is for small brushes.
                    <input
                        type="range"
                        min="0"
                        max="100"
                        aria-label="Size of the brush"
                        prop:value=move || slider_of(now().size).to_string()
                        on:input=move |ev| {
                            if let Ok(v) = event_target_value(&ev).parse::<f64>() {
                                desk.edit(|e| {
                                    let brush = e.brush();
                                    e.set_brush(Brush { size: size_of(v), ..brush });
                                });
                            }
                        }
                    />
                    <output class="num" data-testid="brush-size">{move || format!("{} px", now().size)}</output>
                </label>
                {tip(Tip::Round, "Round brush", |b| b.tip = Tip::Round)}
                {tip(Tip::Square, "Square brush", |b| b.tip = Tip::Square)}
                <Show when=move || desk.task() != Task::Semantic>
                    <label class="label-brush__takes">
                        <input
                            type="checkbox"
                            prop:checked=move || now().takes
                            on:change=move |_| set(|b| b.takes = !b.takes)
                        />
                        "Take from others"
                    </label>
                </Show>
            </div>
        </Show>
    }
}

/// Largest brush of the slider; keys and the wheel go further.
const SLIDER_MAX: f64 = 400.0;

/// 0 to 100 for a size: quadratic, so that small sizes have room.
fn slider_of(size: u32) -> u32 {
    (((f64::from(size) - 1.0) / (SLIDER_MAX - 1.0))
        .clamp(0.0, 1.0)
        .sqrt()
        * 100.0)
        .round() as u32
}

fn size_of(slider: f64) -> u32 {
    let t = (slider / 100.0).clamp(0.0, 1.0);
    (1.0 + t * t * (SLIDER_MAX - 1.0)).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slider_reaches_from_one_pixel_to_its_end() {
        assert_eq!((size_of(0.0), size_of(100.0), size_of(900.0)), (1, 400, 400));
        assert_eq!((slider_of(1), slider_of(400), slider_of(2_000)), (0, 100, 100));
        for v in 0..=100 {
            let near = f64::from(slider_of(size_of(f64::from(v)))) - f64::from(v);
            assert!(near.abs() <= 5.0);
        }
    }
}
