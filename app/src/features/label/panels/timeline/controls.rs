//! Playing, stepping, and what is done to the selected tracks on the frame in view.

use super::clock;
use crate::features::label::desk::{Desk, SPEEDS};
use crate::features::label::panels::key_of;
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use limn_editor::{Action as A, Editor};

#[component]
pub fn Controls() -> impl IntoView {
    let desk: Desk = expect_context();
    let playing = move || desk.playing.get();
    view! {
        <div class="label-time__bar">
            <div class="label-time__group">
                <Step action=A::FirstFrame glyph=Glyph::First name="First frame" more=true/>
                <Step action=A::FramesBack glyph=Glyph::ChevronsLeft name="Ten frames back"/>
                <Step action=A::FramePrevious glyph=Glyph::ChevronLeft name="Previous frame"/>
                <button
                    class="label-time__play"
                    type="button"
                    aria-label=move || if playing() { "Stop, key Space" } else { "Play, key Space" }
                    aria-pressed=move || if playing() { "true" } else { "false" }
                    on:click=move |_| desk.toggle_play()
                >
                    {move || view! { <Icon glyph=if playing() { Glyph::Pause } else { Glyph::Play } size=16/> }}
                </button>
                <Step action=A::FrameNext glyph=Glyph::ChevronRight name="Next frame"/>
                <Step action=A::FramesOn glyph=Glyph::ChevronsRight name="Ten frames on"/>
                <Step action=A::LastFrame glyph=Glyph::Last name="Last frame" more=true/>
            </div>
            <Place/>
            <Speed/>
            <span class="label-time__space"></span>
            <div class="label-time__group label-time__group--object">
                <Step action=A::KeyframePrevious glyph=Glyph::KeyframeBack name="Previous keyframe"/>
                <Mark action=A::Keyframe glyph=Glyph::Keyframe name="Keyframe" on=Editor::is_on_keyframe/>
                <Step action=A::KeyframeNext glyph=Glyph::KeyframeOn name="Next keyframe"/>
            </div>
            <div class="label-time__group label-time__group--object">
                <Mark action=A::Outside glyph=Glyph::Outside name="Outside from here" on=is_outside/>
                <Mark action=A::Occluded glyph=Glyph::Occluded name="Occluded from here" on=Editor::is_occluded/>
                <Step action=A::OnlyHere glyph=Glyph::OnlyHere name="Only on this frame" more=true/>
                <Step action=A::SplitTrack glyph=Glyph::Slice name="Split the track here" more=true/>
                <Step action=A::MergeTracks glyph=Glyph::Merge name="Merge the two selected tracks" more=true/>
            </div>
        </div>
    }
}

fn is_outside(e: &Editor) -> bool {
    !e.selection().is_empty() && !e.is_inside()
}

/// A button for an action. `more`: left out where there is little room.
#[component]
fn Step(action: A, glyph: Glyph, name: &'static str, #[prop(optional)] more: bool) -> impl IntoView {
    let desk: Desk = expect_context();
    view! {
        <button
            class="label-time__step tip"
            class:label-time__step--more=more
            type="button"
            aria-label=move || format!("{name}, key {}", key_of(desk, action))
            data-tip=move || format!("{name} ({})", key_of(desk, action))
            on:click=move |_| {
                desk.act(action);
            }
        >
            <Icon glyph size=16/>
        </button>
    }
}

/// The same, which shows how things stand for the selection on this frame.
#[component]
fn Mark(action: A, glyph: Glyph, name: &'static str, on: fn(&Editor) -> bool) -> impl IntoView {
    let desk: Desk = expect_context();
    let is_on = Memo::new(move |_| {
        desk.frame_tick.track();
        desk.doc_tick.track();
        desk.selection_tick.track();
        desk.current.track();
        desk.read(|s| on(&s.editor)).unwrap_or(false)
    });
    view! {
        <button
            class="label-time__step tip"
            class:is-on=move || is_on.get()
            type="button"
            aria-pressed=move || if is_on.get() { "true" } else { "false" }
            aria-label=move || format!("{name}, key {}", key_of(desk, action))
            data-tip=move || format!("{name} ({})", key_of(desk, action))
            on:click=move |_| {
                desk.act(action);
            }
        >
            <Icon glyph size=16/>
        </button>
    }
}

/// Which frame, of how many, and when it is shown.
#[component]
fn Place() -> impl IntoView {
    let desk: Desk = expect_context();
    let frame = move || desk.frame().map_or(0, |f| f.0);
    let last = move || desk.frame().map_or(0, |f| f.1.saturating_sub(1));
    view! {
        <div class="label-time__place">
            <input
                class="label-time__number num"
                type="number"
                min="0"
                max=move || last().to_string()
                aria-label="Frame number"
                prop:value=move || frame().to_string()
                on:change=move |ev| {
                    match event_target_value(&ev).trim().parse::<u32>() {
                        Ok(n) => desk.go_to_frame(n),
                        // Back to what it was.
                        Err(_) => desk.frame_tick.update(|n| *n += 1),
                    }
                }
            />
            <span class="num label-time__of">{move || format!("/ {}", last())}</span>
            <span class="num label-time__clock" data-testid="clock">{move || clock(desk.time_of(frame()))}</span>
        </div>
    }
}

#[component]
fn Speed() -> impl IntoView {
    let desk: Desk = expect_context();
    let options = move || {
        let now = desk.speed.get();
        SPEEDS
            .into_iter()
            .map(|s| {
                let on = s.to_bits() == now.to_bits();
                view! { <option value=s.to_string() selected=on>{format!("{s}\u{d7}")}</option> }
            })
            .collect_view()
    };
    view! {
        <select
            class="label-time__speed num"
            aria-label="Speed"
            prop:value=move || desk.speed.get().to_string()
            on:change=move |ev| {
                if let Ok(s) = event_target_value(&ev).parse::<f64>() {
                    desk.speed.set(s);
                }
            }
        >
            {options}
        </select>
    }
}
