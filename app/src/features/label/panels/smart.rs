//! What goes with the smart tools: their settings, what is proposed, and what to do about it.

use crate::features::label::desk::Desk;
use crate::features::label::segmenting::{Segmenting, Stage};
use crate::features::label::vision::{Eye, Vision};
use crate::ui::{Button, ButtonSize, Glyph, Icon, Variant};
use leptos::prelude::*;
use limn_domain::ShapeKind;
use limn_domain::project::Task;
use limn_domain::smart::{GRAIN_MAX, GRAIN_MIN, TOLERANCE_MAX};
use limn_editor::{Editor, Proposal, Purpose, SmartSettings, Tool};

/// What the smart tool waits for.
pub(super) fn hint(e: &Editor) -> &'static str {
    let under_way = e.proposal().is_some();
    let selected = e.doc().task() != Task::Semantic
        && e.selection()
            .single()
            .and_then(|id| e.doc().get(id))
            .is_some_and(|a| matches!(a.shape.shape_kind(), ShapeKind::Polygon | ShapeKind::Mask));
    match (e.tool(), under_way) {
        (Tool::Cut, true) => "Click or stroke what is missing; with Alt what is too much; Enter accepts",
        (Tool::Wand, true) => {
            "Drag sideways or press [ ] for the tolerance; Alt and a click excludes; Enter accepts"
        }
        (Tool::Superpixels, true) => "Drag over what else is of it; Alt takes away; Enter accepts",
        (Tool::Scissors, true) => "Click along the edge; Backspace takes a corner back; Enter closes",
        (Tool::Segment, true) => "Click what is missing; with Alt what is too much; Enter accepts",
        (_, false) if selected => {
            "Shift adds to the selected object, Alt takes from it; without, a new object begins"
        }
        (Tool::Cut, false) => "Drag a box around the object",
        (Tool::Segment, false) => "Click the object, or drag a box around it",
        (Tool::Wand, false) => "Click the object; drag sideways for the tolerance",
        (Tool::Superpixels, false) => "Drag over the object",
        _ => "Click where the outline begins; it follows the edges",
    }
}

/// The settings of the tool in hand, and the proposal.
#[component]
pub fn SmartBar() -> impl IntoView {
    let desk: Desk = expect_context();
    let vision: Vision = expect_context();
    let tool = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| s.editor.tool())
            .filter(|t| t.is_smart() && !desk.read(|s| s.editor.is_read_only()).unwrap_or(true))
    });
    view! {
        <Show when=move || tool.get().is_some()>
            {move || match vision.eye.get() {
                _ if tool.get().is_some_and(Tool::asks_server) => view! { <Clicking/> }.into_any(),
                Eye::Failed => view! { <Failed/> }.into_any(),
                Eye::Open => view! { <Settings tool=tool.get().unwrap_or_default()/> }.into_any(),
                Eye::Closed | Eye::Loading => {
                    view! {
                        <div class="label-brush" role="status" data-testid="smart-loading">
                            <Icon glyph=Glyph::Spark size=16/>
                            "Loading the smart tools"
                        </div>
                    }
                    .into_any()
                }
            }}
            <Verdict/>
        </Show>
    }
}

/// How far the network is that answers clicks.
#[component]
fn Clicking() -> impl IntoView {
    let segmenting: Segmenting = expect_context();
    let waits = |text: String| {
        view! {
            <div class="label-brush" role="status" data-testid="segment-looking">
                <Icon glyph=Glyph::Click size=16/>
                <span class="num">{text}</span>
            </div>
        }
        .into_any()
    };
    move || match segmenting.stage.get() {
        Stage::Idle | Stage::Waiting => waits("The picture waits to be looked at".to_owned()),
        Stage::Looking(share) => waits(format!("Looking at the picture, {:.0} %", share * 100.0)),
        Stage::Ready => view! { <Settings tool=Tool::Segment/> }.into_any(),
        Stage::Failed(why) => view! {
            <div class="label-brush label-smart__said" role="alert" data-testid="segment-failed">
                <Icon glyph=Glyph::Warning size=16/>
                <span>{why}</span>
                <Button size=ButtonSize::Small on_click=move || segmenting.again()>"Try again"</Button>
            </div>
        }
        .into_any(),
    }
}

/// The tools could not be loaded, or broke down.
#[component]
fn Failed() -> impl IntoView {
    let vision: Vision = expect_context();
    view! {
        <div class="label-brush" role="alert" data-testid="smart-failed">
            <Icon glyph=Glyph::Warning size=16/>
            "The smart tools do not answer. Everything else works."
            <Button size=ButtonSize::Small on_click=move || vision.open()>"Try again"</Button>
        </div>
    }
}

#[component]
fn Settings(tool: Tool) -> impl IntoView {
    let desk: Desk = expect_context();
    let now = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| s.editor.smart_settings()).unwrap_or_default()
    });
    let set = move |change: &dyn Fn(&mut SmartSettings)| {
        desk.edit(|e| {
            let mut settings = e.smart_settings();
            change(&mut settings);
            e.set_smart_settings(settings);
        });
    };
    let check = move |text: &'static str, on: fn(&SmartSettings) -> bool, flip: fn(&mut SmartSettings)| {
        let class = if text == "Take away" {
            "label-brush__takes label-smart__takes"
        } else {
            "label-brush__takes"
        };
        view! {
            <label class=class>
                <input type="checkbox" prop:checked=move || on(&now.get()) on:change=move |_| set(&flip)/>
                {text}
            </label>
        }
    };
    let slider = move || {
        match tool {
        Tool::Wand => Some(
            view! {
                <label class="label-brush__size">
                    <Icon glyph=Glyph::Wand size=16/>
                    <input
                        type="range"
                        min="0"
                        max=TOLERANCE_MAX.to_string()
                        step="0.5"
                        aria-label="Tolerance"
                        prop:value=move || now.get().tolerance.to_string()
                        on:input=move |ev| {
                            if let Ok(v) = event_target_value(&ev).parse::<f64>() {
                                set(&|s| s.tolerance = v);
                            }
                        }
                    />
                    <output class="num" data-testid="tolerance">{move || format!("{:.1}", now.get().tolerance)}</output>
                </label>
            }
            .into_any(),
        ),
        Tool::Superpixels => Some(
            view! {
                <label class="label-brush__size">
                    <Icon glyph=Glyph::Superpixels size=16/>
                    <input
                        type="range"
                        min=GRAIN_MIN.to_string()
                        max=(GRAIN_MAX / 2).to_string()
                        aria-label="Size of the superpixels"
                        prop:value=move || now.get().grain.to_string()
                        on:input=move |ev| {
                            if let Ok(v) = event_target_value(&ev).parse::<u32>() {
                                set(&|s| s.grain = v);
                            }
                        }
                    />
                    <output class="num">{move || format!("{} px", now.get().grain)}</output>
                </label>
            }
            .into_any(),
        ),
        _ => None,
    }
    };
    let both = move || desk.task().allows(ShapeKind::Polygon) && desk.task().allows(ShapeKind::Mask);
    view! {
        <div class="label-brush label-smart" role="group" aria-label="Smart tool" data-testid="smart-bar">
            {slider}
            {(tool == Tool::Wand)
                .then(|| {
                    view! {
                        {check("Smooth", |s| s.smooth, |s| s.smooth = !s.smooth)}
                        {check("Everywhere", |s| s.everywhere, |s| s.everywhere = !s.everywhere)}
                    }
                })}
            {(tool != Tool::Scissors)
                .then(|| {
                    view! {
                        {check("Take away", |s| s.exclude, |s| s.exclude = !s.exclude)}
                        <Show when=both>{check("As outline", |s| s.outline, |s| s.outline = !s.outline)}</Show>
                    }
                })}
            {(tool == Tool::Scissors).then_some("Outline along edges")}
        </div>
    }
}

/// What becomes of the proposal.
#[component]
fn Verdict() -> impl IntoView {
    let desk: Desk = expect_context();
    // What it says, and whether there is something to accept.
    let state = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| {
            let waits = s.editor.awaits_answer();
            let (text, ready, purpose) = match s.editor.proposal()? {
                Proposal::Region(r) => {
                    let area = r.mask.as_ref().map(|m| m.area() as i64);
                    let text = match area {
                        Some(n) => format!("{} px", crate::fmt::count(n)),
                        None if waits || r.scribbles.is_empty() => "Looking".to_owned(),
                        None => "Nothing found".to_owned(),
                    };
                    (text, area.is_some(), r.purpose)
                }
                Proposal::Wire(w) => {
                    let n = w.stops.len();
                    let text = crate::fmt::counted(n as i64, "corner", "corners");
                    (text, n >= 2, w.purpose)
                }
            };
            let verb = match purpose {
                Purpose::Draw => "Accept",
                Purpose::Add(_) => "Add",
                Purpose::Cut(_) => "Take away",
            };
            Some((text, ready, waits, verb))
        })
        .flatten()
    });
    view! {
        <Show when=move || state.get().is_some()>
            <div
                class="label-assist label-smart__verdict"
                role="group"
                aria-label="Proposal"
                aria-busy=move || if state.get().is_some_and(|s| s.2) { "true" } else { "false" }
                data-testid="proposal"
            >
                <span class="label-assist__text num">{move || state.get().map(|s| s.0)}</span>
                <Button
                    variant=Variant::Primary
                    size=ButtonSize::Small
                    kbd="Enter"
                    disabled=Signal::derive(move || !state.get().is_some_and(|s| s.1))
                    on_click=move || {
                        desk.edit(Editor::finish_outline);
                    }
                >
                    {move || state.get().map(|s| s.3)}
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
