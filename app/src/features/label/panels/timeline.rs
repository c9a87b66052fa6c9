//! Below the picture of a video: playing and stepping, a bar of its frames, and a lane for each track.

mod controls;
mod lanes;

use crate::features::label::desk::Desk;
use controls::Controls;
use lanes::Lanes;
use leptos::html;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

/// A time as people read it: minutes, seconds, thousandths.
pub(super) fn clock(us: i64) -> String {
    let ms = us / 1_000;
    format!("{}:{:02}.{:03}", ms / 60_000, ms / 1_000 % 60, ms % 1_000)
}

/// Where the middle of a frame is along the bar, as a share of it.
fn share(frame: u32, frames: u32) -> f64 {
    (f64::from(frame) + 0.5) / f64::from(frames.max(1))
}

#[component]
pub fn Timeline() -> impl IntoView {
    let desk: Desk = expect_context();
    let at = move || {
        let (frame, frames) = desk.frame().unwrap_or((0, 1));
        format!("{:.5}", share(frame, frames))
    };
    view! {
        <section class="label-time" aria-label="Timeline" style=("--at", at) data-testid="timeline">
            <Controls/>
            <div class="label-time__body">
                <Ruler/>
                <Lanes/>
                <i class="label-time__head" aria-hidden="true"></i>
            </div>
        </section>
    }
}

/// Frames between two numbers on the bar, so that there are about ten.
fn step(frames: u32) -> u32 {
    let want = f64::from(frames) / 10.0;
    let power = 10_f64.powf(want.max(1.0).log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0]
        .map(|k| k * power)
        .into_iter()
        .find(|s| *s >= want);
    (nice.unwrap_or(power * 10.0) as u32).max(1)
}

/// The bar of all frames: press or drag to go there.
#[component]
fn Ruler() -> impl IntoView {
    let desk: Desk = expect_context();
    let bar = NodeRef::<html::Div>::new();
    let held = RwSignal::new(false);
    let go = move |ev: &PointerEvent| {
        let (Some(el), Some((_, frames))) = (bar.get_untracked(), desk.frame_now()) else {
            return;
        };
        let r = el.get_bounding_client_rect();
        let share = ((f64::from(ev.client_x()) - r.left()) / r.width().max(1.0)).clamp(0.0, 0.999_999);
        desk.go_to_frame((share * f64::from(frames)) as u32);
    };
    let keys = move |ev: KeyboardEvent| {
        let by = match ev.key().as_str() {
            "ArrowLeft" | "ArrowDown" => -1,
            "ArrowRight" | "ArrowUp" => 1,
            "PageDown" => -10,
            "PageUp" => 10,
            "Home" => i64::MIN,
            "End" => i64::MAX,
            _ => return,
        };
        ev.prevent_default();
        ev.stop_propagation();
        desk.playing.set(false);
        desk.edit(|e| e.step_frames(by));
    };
    let frames = Memo::new(move |_| desk.frame().map_or(1, |f| f.1));
    let marks = move || {
        let n = frames.get();
        (0..n)
            .step_by(step(n) as usize)
            .map(|f| {
                let left = format!("left: {:.3}%", share(f, n) * 100.0);
                view! { <span class="label-time__mark num" style=left>{f}</span> }
            })
            .collect_view()
    };
    view! {
        <div class="label-time__row">
            <span class="label-time__name label-time__name--none"></span>
            <div
                class="label-time__ruler"
                node_ref=bar
                role="slider"
                tabindex="0"
                aria-label="Frame"
                aria-valuemin="0"
                aria-valuemax=move || (frames.get() - 1).to_string()
                aria-valuenow=move || desk.frame().map_or(0, |f| f.0).to_string()
                aria-valuetext=move || {
                    let frame = desk.frame().map_or(0, |f| f.0);
                    format!("frame {frame}, {}", clock(desk.time_of(frame)))
                }
                on:keydown=keys
                on:pointerdown=move |ev: PointerEvent| {
                    if let Some(el) = bar.get_untracked() {
                        let _ = el.set_pointer_capture(ev.pointer_id());
                    }
                    held.set(true);
                    go(&ev);
                }
                on:pointermove=move |ev: PointerEvent| {
                    if held.get_untracked() {
                        go(&ev);
                    }
                }
                on:pointerup=move |_| held.set(false)
                on:pointercancel=move |_| held.set(false)
            >
                {marks}
            </div>
        </div>
    }
}
