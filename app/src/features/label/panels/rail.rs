//! The tools, left of the stage.

use super::key_of;
use crate::features::label::desk::Desk;
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use limn_domain::project::Task;
use limn_editor::{Action, Tool};

/// The tools that draw, in the order of the rail: what they do, their picture and name.
const DRAWING: [(Action, Glyph, &str); 16] = [
    (Action::BoxTool, Glyph::Box, "Box"),
    (Action::RotatedBoxTool, Glyph::RotatedBox, "Rotated box"),
    (Action::ExtremeBoxTool, Glyph::Extremes, "Box by four points"),
    (Action::PolygonTool, Glyph::Polygon, "Outline"),
    (Action::BrushTool, Glyph::Brush, "Brush"),
    (Action::EraserTool, Glyph::Eraser, "Eraser"),
    (Action::WandTool, Glyph::Wand, "Magic wand"),
    (Action::CutTool, Glyph::CutOut, "Cut out an object"),
    (Action::SegmentTool, Glyph::Click, "Segment by clicks"),
    (Action::SuperpixelsTool, Glyph::Superpixels, "Superpixels"),
    (Action::ScissorsTool, Glyph::Scissors, "Scissors"),
    (Action::SliceTool, Glyph::Slice, "Slice"),
    (Action::EllipseTool, Glyph::Ellipse, "Ellipse"),
    (Action::PolylineTool, Glyph::Polyline, "Line"),
    (Action::PointsTool, Glyph::Points, "Points"),
    (Action::KeypointsTool, Glyph::Skeleton, "Keypoints"),
];

#[component]
pub fn Rail() -> impl IntoView {
    let desk: Desk = expect_context();
    let shapes = move || desk.task().marks_objects();
    let drawing = move || {
        let (task, video) = (desk.task(), desk.is_video());
        let segments = desk.segmenter.with(Option::is_some);
        DRAWING
            .into_iter()
            .filter(|(action, ..)| action.is_for(task) && (!video || action.is_for_videos()))
            .filter(|(action, ..)| segments || *action != Action::SegmentTool)
            .filter_map(|(action, glyph, name)| {
                Some(view! { <ToolButton tool=action.tool()? action glyph name/> })
            })
            .collect_view()
    };
    let template = move || desk.task() == Task::Detection;
    view! {
        <nav class="label__rail" aria-label="Tools">
            <Show when=shapes>
                <ToolButton tool=Tool::Select action=Action::SelectTool glyph=Glyph::Cursor name="Select"/>
            </Show>
            <ToolButton tool=Tool::Pan action=Action::HideOrPan glyph=Glyph::Hand name="Hand (hold Space)"/>
            <Show when=shapes>
                <hr/>
                {drawing}
            </Show>
            <Show when=template>
                <ActButton action=Action::Template glyph=Glyph::Copy name="Box of the last size"/>
            </Show>
            <hr/>
            <ActButton action=Action::Fit glyph=Glyph::Fit name="Fit the image"/>
            <ActButton action=Action::ZoomIn glyph=Glyph::ZoomIn name="Zoom in"/>
            <ActButton action=Action::ZoomOut glyph=Glyph::ZoomOut name="Zoom out"/>
            <hr/>
            <Show when=shapes>
                <HideAll/>
            </Show>
            <ActButton action=Action::AdjustImage glyph=Glyph::Sun name="How it is shown"/>
        </nav>
    }
}

#[component]
fn ToolButton(tool: Tool, action: Action, glyph: Glyph, name: &'static str) -> impl IntoView {
    let desk: Desk = expect_context();
    let spoken = move || key_of(desk, action);
    let key = move || spoken().replace("Shift ", "\u{21e7}");
    let on = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| {
            let held = s.editor.is_hold_pan();
            if held {
                tool == Tool::Pan
            } else {
                s.editor.tool() == tool
            }
        })
        .unwrap_or(false)
    });
    view! {
        <button
            class="label-tool tip tip--right"
            type="button"
            class:is-on=on
            aria-pressed=move || if on.get() { "true" } else { "false" }
            aria-label=move || format!("{name}, key {}", spoken())
            data-tip=name
            on:click=move |_| {
                desk.edit(|e| e.set_tool(tool));
            }
        >
            <Icon glyph size=18/>
            <small aria-hidden="true">{key}</small>
        </button>
    }
}

#[component]
fn ActButton(action: Action, glyph: Glyph, name: &'static str) -> impl IntoView {
    let desk: Desk = expect_context();
    let spoken = move || key_of(desk, action);
    let key = move || spoken().replace("Shift ", "\u{21e7}");
    view! {
        <button
            class="label-tool tip tip--right"
            class:label-tool--more=move || action != Action::Fit
            type="button"
            aria-label=move || format!("{name}, key {}", spoken())
            data-tip=name
            on:click=move |_| {
                desk.act(action);
            }
        >
            <Icon glyph size=18/>
            <small aria-hidden="true">{key}</small>
        </button>
    }
}

#[component]
fn HideAll() -> impl IntoView {
    let desk: Desk = expect_context();
    let hidden = Memo::new(move |_| {
        desk.look_tick.track();
        desk.read(|s| s.editor.layers().all_hidden).unwrap_or(false)
    });
    view! {
        <button
            class="label-tool label-tool--more tip tip--right"
            type="button"
            class:is-on=hidden
            aria-pressed=move || if hidden.get() { "true" } else { "false" }
            aria-label=move || format!("Hide all shapes, key {}", key_of(desk, Action::HideAll))
            data-tip="Hide all shapes"
            on:click=move |_| {
                desk.act(Action::HideAll);
            }
        >
            {move || view! { <Icon glyph=if hidden.get() { Glyph::EyeOff } else { Glyph::Eye } size=18/> }}
            <small aria-hidden="true">{move || key_of(desk, Action::HideAll).replace("Shift ", "\u{21e7}")}</small>
        </button>
    }
}
