//! The tools, left of the stage.

use crate::features::label::desk::Desk;
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use limn_domain::project::Task;
use limn_editor::{Action, Tool};

#[component]
pub fn Rail() -> impl IntoView {
    let desk: Desk = expect_context();
    let boxes = move || desk.task() == Task::Detection;
    let outlines = move || desk.task() == Task::Segmentation;
    let shapes = move || desk.task().marks_objects();
    view! {
        <nav class="label__rail" aria-label="Tools">
            <Show when=shapes>
                <ToolButton tool=Tool::Select glyph=Glyph::Cursor name="Select" key="V"/>
            </Show>
            <ToolButton tool=Tool::Pan glyph=Glyph::Hand name="Hand (hold Space)" key="H"/>
            <Show when=boxes>
                <hr/>
                <ToolButton tool=Tool::Box glyph=Glyph::Box name="Box" key="R"/>
                <ActButton action=Action::Template glyph=Glyph::Copy name="Box of the last size" key="T"/>
            </Show>
            <Show when=outlines>
                <hr/>
                <ToolButton tool=Tool::Polygon glyph=Glyph::Polygon name="Outline" key="P"/>
            </Show>
            <hr/>
            <ActButton action=Action::Fit glyph=Glyph::Fit name="Fit the image" key="Z"/>
            <ActButton action=Action::ZoomIn glyph=Glyph::ZoomIn name="Zoom in" key="+"/>
            <ActButton action=Action::ZoomOut glyph=Glyph::ZoomOut name="Zoom out" key="-"/>
            <hr/>
            <Show when=shapes>
                <HideAll/>
            </Show>
            <ActButton action=Action::AdjustImage glyph=Glyph::Sun name="Brightness and contrast" key="I"/>
        </nav>
    }
}

#[component]
fn ToolButton(tool: Tool, glyph: Glyph, name: &'static str, key: &'static str) -> impl IntoView {
    let desk: Desk = expect_context();
    let on = move || {
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
    };
    view! {
        <button
            class="label-tool tip tip--right"
            type="button"
            class:is-on=on
            aria-pressed=move || if on() { "true" } else { "false" }
            aria-label=format!("{name}, key {key}")
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
fn ActButton(action: Action, glyph: Glyph, name: &'static str, key: &'static str) -> impl IntoView {
    let desk: Desk = expect_context();
    view! {
        <button
            class="label-tool tip tip--right"
            class:label-tool--more=move || action != Action::Fit
            type="button"
            aria-label=format!("{name}, key {key}")
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
    let hidden = move || {
        desk.look_tick.track();
        desk.read(|s| s.editor.layers().all_hidden).unwrap_or(false)
    };
    view! {
        <button
            class="label-tool label-tool--more tip tip--right"
            type="button"
            class:is-on=hidden
            aria-pressed=move || if hidden() { "true" } else { "false" }
            aria-label="Hide all shapes, key Shift H"
            data-tip="Hide all shapes"
            on:click=move |_| {
                desk.act(Action::HideAll);
            }
        >
            {move || view! { <Icon glyph=if hidden() { Glyph::EyeOff } else { Glyph::Eye } size=18/> }}
            <small aria-hidden="true">"\u{21e7}H"</small>
        </button>
    }
}
