//! A lane for each track: where it is there, where it is occluded, its keyframes.

use crate::features::label::desk::Desk;
use leptos::prelude::*;
use limn_domain::CategoryId;
use limn_editor::Lane;
use std::collections::HashMap;
use std::fmt::Write as _;
use web_sys::MouseEvent;

/// Lanes shown, besides those of selected tracks.
const SHOWN: usize = 100;

/// A lane as it is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    lane: Lane,
    name: String,
    color: String,
    frames: u32,
}

/// What is drawn in a lane: stretches in sight, stretches occluded, keyframes, keyframes where it leaves. One unit a frame.
fn paths(lane: &Lane) -> [String; 4] {
    let mut out = [const { String::new() }; 4];
    for (from, to, occluded) in &lane.spans {
        let _ = write!(out[usize::from(*occluded)], "M{from} 3H{to}V9H{from}z");
    }
    for (frame, outside) in &lane.keys {
        let _ = write!(out[2 + usize::from(*outside)], "M{frame}.5 1V11");
    }
    out
}

#[component]
pub fn Lanes() -> impl IntoView {
    let desk: Desk = expect_context();
    let own = RwSignal::new(false);
    // Another frame in view changes no track.
    let changes = Memo::new(move |_| {
        desk.doc_tick.track();
        desk.current.track();
        desk.read(|s| (s.item.id, s.editor.epochs().doc))
    });
    let rows = Memo::new(move |_| {
        changes.track();
        desk.selection_tick.track();
        desk.categories.track();
        desk.current.track();
        let (lanes, frames) = desk
            .read(|s| (s.editor.lanes(), s.editor.frames().unwrap_or(1)))
            .unwrap_or_default();
        // Numbers as in the list of objects.
        let mut counts: HashMap<CategoryId, usize> = HashMap::new();
        let numbers: HashMap<_, usize> = desk
            .read(|s| {
                let all = s.editor.stored().iter();
                all.map(|a| {
                    let n = counts.entry(a.category_id).or_default();
                    *n += 1;
                    (a.id, *n)
                })
                .collect()
            })
            .unwrap_or_default();
        let all = lanes.len();
        let rows: Vec<Row> = lanes
            .into_iter()
            .enumerate()
            .filter(|(n, l)| l.selected || (!own.get() && *n < SHOWN))
            .map(|(_, lane)| {
                let (category, color) = desk.category_of(lane.category);
                let name = format!("{category} {}", numbers.get(&lane.id).copied().unwrap_or(0));
                Row {
                    lane,
                    name,
                    color,
                    frames,
                }
            })
            .collect();
        (all, rows)
    });
    let empty = move || rows.with(|(all, _)| *all == 0);
    let hidden = move || {
        rows.with(|(all, rows)| {
            let left = all.saturating_sub(rows.len());
            (left > 0 && !own.get()).then(|| format!("and {left} more tracks"))
        })
    };
    view! {
        <div class="label-time__lanes" role="list" aria-label="Tracks" tabindex="-1">
            <For each=move || rows.get().1 key=|r| format!("{r:?}") let:row>
                <LaneRow row/>
            </For>
            {move || hidden().map(|text| view! { <p class="label-time__hint">{text}</p> })}
            <Show when=empty>
                <p class="label-time__hint">"Draw an object on a frame: it becomes a track. Go on some frames and move it; in between it moves by itself."</p>
            </Show>
        </div>
        <Show when=move || !empty()>
            <label class="label-time__own">
                <input
                    type="checkbox"
                    prop:checked=move || own.get()
                    on:change=move |ev| own.set(event_target_checked(&ev))
                />
                "Selected only"
            </label>
        </Show>
    }
}

#[component]
fn LaneRow(row: Row) -> impl IntoView {
    let desk: Desk = expect_context();
    let id = row.lane.id;
    let frames = row.frames;
    let [there, occluded, keys, leaves] = paths(&row.lane);
    let pick = move |ev: &MouseEvent| {
        let add = ev.shift_key() || ev.ctrl_key() || ev.meta_key();
        desk.edit(|e| e.select_track(id, add));
    };
    let go = move |ev: MouseEvent| {
        pick(&ev);
        let target = ev
            .current_target()
            .and_then(|t| wasm_bindgen::JsCast::dyn_into::<web_sys::Element>(t).ok());
        if let Some(el) = target {
            let r = el.get_bounding_client_rect();
            let share = ((f64::from(ev.client_x()) - r.left()) / r.width().max(1.0)).clamp(0.0, 0.999_999);
            desk.go_to_frame((share * f64::from(frames)) as u32);
        }
    };
    let spoken = {
        let n = row.lane.keys.len();
        let spans: Vec<String> = row
            .lane
            .spans
            .iter()
            .take(4)
            .map(|(from, to, _)| format!("{from} to {}", to - 1))
            .collect();
        format!(
            "{}, frames {}, {}",
            row.name,
            spans.join(", "),
            crate::fmt::counted(n as i64, "keyframe", "keyframes")
        )
    };
    view! {
        <div class="label-time__row" class:is-on=row.lane.selected role="listitem" data-track=id.to_string() style=format!("--lane: {}", row.color)>
            <button
                class="label-time__name"
                type="button"
                aria-label=spoken
                aria-pressed=if row.lane.selected { "true" } else { "false" }
                on:click=move |ev| {
                    pick(&ev);
                    if !(ev.shift_key() || ev.ctrl_key() || ev.meta_key()) {
                        desk.edit(|e| e.seek(id));
                    }
                }
            >
                <i></i>
                <span>{row.name}</span>
            </button>
            <svg
                class="label-time__lane"
                viewBox=format!("0 0 {frames} 12")
                preserveAspectRatio="none"
                aria-hidden="true"
                on:click=go
            >
                <path class="label-time__there" d=there/>
                <path class="label-time__occluded" d=occluded/>
                <path class="label-time__keys" d=keys vector-effect="non-scaling-stroke"/>
                <path class="label-time__leaves" d=leaves vector-effect="non-scaling-stroke"/>
            </svg>
        </div>
    }
}
