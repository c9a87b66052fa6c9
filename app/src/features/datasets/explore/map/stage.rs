//! The canvas, and what pointers and keys do on it.

use super::camera::Camera;
use super::card::{Over, Thumbs};
use super::paint::use_painter;
use super::{Board, STEP, Tool};
use crate::fmt;
use crate::ui::on_resize;
use leptos::html;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent, WheelEvent};

/// Pixels around a pointer in which a point is meant.
const NEAR: f64 = 9.0;
const NEAR_TOUCH: f64 = 22.0;
/// The same around the middle of the view, for keys.
const NEAR_KEYS: f64 = 80.0;
/// Pixels that a pointer may move in a click.
const STILL: f64 = 4.0;
/// Pixels between two corners of an outline.
const CORNER: f64 = 4.0;
/// Pixels that an arrow moves the map by.
const ARROW: f64 = 60.0;
/// How much a turn of the wheel by one pixel zooms.
const WHEEL: f64 = 0.0018;

type At = (f64, f64);

/// What is going on between pressing and letting go.
#[derive(Debug, Clone, Default)]
enum Gesture {
    #[default]
    None,
    /// The map is dragged, unless it stays a click.
    Drag {
        from: At,
        last: At,
        moves: bool,
    },
    Outline {
        corners: Vec<At>,
        takes_out: bool,
    },
    Rectangle {
        from: At,
        takes_out: bool,
    },
    Pinch,
}

/// What the pointers are doing.
#[derive(Clone, Copy)]
struct Hands {
    board: Board,
    /// Pointers that are down, and where.
    fingers: StoredValue<Vec<(i32, At)>>,
    gesture: StoredValue<Gesture>,
    /// The area that is being drawn.
    outline: RwSignal<Vec<At>>,
}

impl Hands {
    fn new(board: Board) -> Self {
        Self {
            board,
            fingers: StoredValue::new(Vec::new()),
            gesture: StoredValue::new(Gesture::None),
            outline: RwSignal::new(Vec::new()),
        }
    }

    fn down(self, ev: &PointerEvent, at: At) {
        let id = ev.pointer_id();
        self.fingers.update_value(|f| {
            f.retain(|(other, _)| *other != id);
            f.push((id, at));
        });
        let takes_out = ev.alt_key();
        let tool = self.board.tool.get_untracked();
        let gesture = if self.fingers.with_value(Vec::len) > 1 {
            Gesture::Pinch
        } else if tool == Tool::Rectangle {
            Gesture::Rectangle { from: at, takes_out }
        } else if tool == Tool::Lasso || ev.shift_key() {
            Gesture::Outline {
                corners: vec![at],
                takes_out,
            }
        } else {
            Gesture::Drag {
                from: at,
                last: at,
                moves: false,
            }
        };
        self.outline.set(Vec::new());
        self.gesture.set_value(gesture);
    }

    fn moved(self, ev: &PointerEvent, at: At) {
        let before = self.fingers.get_value();
        if !before.iter().any(|(id, _)| *id == ev.pointer_id()) {
            if ev.pointer_type() != "touch" {
                self.hover(at);
            }
            return;
        }
        self.fingers.update_value(|f| {
            for (id, place) in f {
                if *id == ev.pointer_id() {
                    *place = at;
                }
            }
        });
        match self.gesture.get_value() {
            Gesture::Drag { from, last, moves } => {
                let moves = moves || apart(from, at) > STILL;
                if moves {
                    let by = (at.0 - last.0, at.1 - last.1);
                    self.board.camera.update(|c| *c = c.dragged(by));
                }
                let last = if moves { at } else { last };
                self.gesture.set_value(Gesture::Drag { from, last, moves });
            }
            Gesture::Outline {
                mut corners,
                takes_out,
            } => {
                if corners.last().is_none_or(|last| apart(*last, at) >= CORNER) {
                    corners.push(at);
                    self.outline.set(corners.clone());
                    self.gesture.set_value(Gesture::Outline { corners, takes_out });
                }
            }
            Gesture::Rectangle { from, .. } => self.outline.set(rectangle(from, at)),
            Gesture::Pinch => self.pinch(&before),
            Gesture::None => {}
        }
    }

    /// What lay under both fingers stays under them.
    fn pinch(self, before: &[(i32, At)]) {
        let now = self.fingers.get_value();
        if let ([(_, a0), (_, b0), ..], [(_, a1), (_, b1), ..]) = (before, now.as_slice()) {
            let middle = |a: &At, b: &At| (a.0.midpoint(b.0), a.1.midpoint(b.1));
            let (from, to) = (middle(a0, b0), middle(a1, b1));
            let by = apart(*a1, *b1).max(1.0) / apart(*a0, *b0).max(1.0);
            self.board
                .camera
                .update(|c| *c = c.dragged((to.0 - from.0, to.1 - from.1)).zoomed(by, to));
        }
    }

    fn up(self, ev: &PointerEvent, at: At) {
        self.fingers
            .update_value(|f| f.retain(|(id, _)| *id != ev.pointer_id()));
        let done = self.gesture.get_value();
        self.rest();
        match done {
            Gesture::Drag { moves: false, .. } => self.click(ev, at),
            Gesture::Outline { corners, takes_out } if corners.len() > 2 => {
                self.board.select(&corners, takes_out);
            }
            // Where nothing was drawn it was a click.
            Gesture::Outline { .. } => self.click(ev, at),
            Gesture::Rectangle { from, takes_out } if apart(from, at) > STILL => {
                self.board.select(&rectangle(from, at), takes_out);
            }
            Gesture::Rectangle { .. } => self.click(ev, at),
            Gesture::Drag { .. } | Gesture::Pinch | Gesture::None => {}
        }
    }

    fn rest(self) {
        self.gesture.set_value(Gesture::None);
        self.outline.set(Vec::new());
    }

    fn click(self, ev: &PointerEvent, at: At) {
        let board = self.board;
        let is_touch = ev.pointer_type() == "touch";
        let reach = if is_touch { NEAR_TOUCH } else { NEAR };
        let Some(point) = near(board, at, reach) else {
            board.pinned.set(false);
            board.over.set(None);
            return;
        };
        if ev.ctrl_key() || ev.meta_key() || ev.shift_key() {
            board.toggle(point);
        } else if is_touch {
            // There is no pointer that could rest on it first.
            board.over.set(Some(point));
            board.pinned.set(true);
        } else {
            board.open(point);
        }
    }

    fn hover(self, at: At) {
        if self.board.pinned.get_untracked() {
            return;
        }
        self.board.look_at(near(self.board, at, NEAR));
    }

    fn key(self, ev: &KeyboardEvent) -> bool {
        let board = self.board;
        if ev.ctrl_key() || ev.meta_key() || ev.alt_key() {
            return false;
        }
        let step = if ev.shift_key() { 4.0 * ARROW } else { ARROW };
        let drag = |by: At| board.camera.update(|c| *c = c.dragged(by));
        match ev.key().as_str() {
            "+" | "=" => board.zoom(STEP),
            "-" | "_" => board.zoom(1.0 / STEP),
            "0" => board.fit(),
            "ArrowLeft" => drag((step, 0.0)),
            "ArrowRight" => drag((-step, 0.0)),
            "ArrowUp" => drag((0.0, step)),
            "ArrowDown" => drag((0.0, -step)),
            " " => {
                board.select_in_view();
                return true;
            }
            "Enter" => {
                if let Some(point) = board.over.get_untracked() {
                    board.open(point);
                }
                return true;
            }
            "Escape" => {
                self.rest();
                board.pinned.set(false);
                board.over.set(None);
                return true;
            }
            _ => return false,
        }
        // The keys have a pointer too: the middle of the view.
        let (w, h) = board.camera.with_untracked(Camera::screen);
        board.pinned.set(false);
        board.look_at(near(board, (w / 2.0, h / 2.0), NEAR_KEYS));
        true
    }
}

impl Board {
    fn look_at(self, point: Option<u32>) {
        if self.over.get_untracked() != point {
            self.over.set(point);
        }
    }
}

fn apart(a: At, b: At) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

fn rectangle(a: At, b: At) -> Vec<At> {
    vec![a, (b.0, a.1), b, (a.0, b.1)]
}

/// The point that is meant by a place of the screen.
fn near(board: Board, at: At, reach: f64) -> Option<u32> {
    let camera = board.camera.get_untracked();
    let hidden = board.hidden.get_untracked();
    board
        .points
        .with_untracked(|p| p.nearest(camera.to_plane(at), reach / camera.scale(), hidden))
}

/// The camera follows the size of its stage.
fn use_size(board: Board, stage: NodeRef<html::Div>) {
    Effect::new(move |_| {
        let Some(el) = stage.get() else {
            return;
        };
        let measured = el.clone();
        let measure = move || {
            let size = (
                f64::from(measured.client_width()),
                f64::from(measured.client_height()),
            );
            board.camera.try_update(|c| *c = c.on(size));
        };
        measure();
        on_resize(&el, measure);
    });
}

/// The map itself.
#[component]
pub fn Stage(board: Board) -> impl IntoView {
    let stage = NodeRef::<html::Div>::new();
    let canvas = NodeRef::<html::Canvas>::new();
    use_size(board, stage);
    use_painter(board, canvas);
    let hands = Hands::new(board);
    // Where the stage lies in the window. Asking for it at every move would have the browser lay out the page each time.
    let corner = StoredValue::new((0.0, 0.0));
    let find = move || {
        if let Some(el) = stage.get_untracked() {
            let r = el.get_bounding_client_rect();
            corner.set_value((r.left(), r.top()));
        }
    };
    let at = move |x: i32, y: i32| {
        let (left, top) = corner.get_value();
        (f64::from(x) - left, f64::from(y) - top)
    };
    let down = move |ev: PointerEvent| {
        if ev.button() != 0 {
            return;
        }
        find();
        if let Some(el) = stage.get_untracked() {
            let _ = el.set_pointer_capture(ev.pointer_id());
            let _ = el.focus();
        }
        hands.down(&ev, at(ev.client_x(), ev.client_y()));
    };
    let wheel = move |ev: WheelEvent| {
        ev.prevent_default();
        find();
        // Lines and pages as pixels; a pinch on a trackpad comes as small steps with Ctrl.
        let unit = match ev.delta_mode() {
            1 => 16.0,
            2 => 400.0,
            _ if ev.ctrl_key() => 6.0,
            _ => 1.0,
        };
        let by = (-ev.delta_y() * unit * WHEEL).clamp(-1.0, 1.0).exp();
        let place = at(ev.client_x(), ev.client_y());
        board.camera.update(|c| *c = c.zoomed(by, place));
    };
    let label = move || {
        format!(
            "Map of {}. Arrows move it, plus and minus zoom, 0 shows all of it. Space selects what is in view, Enter opens the item in the middle.",
            board
                .points
                .with(|p| fmt::counted(p.head.placed, "item", "items"))
        )
    };
    let outline = move || {
        let corners = hands.outline.get().into_iter();
        corners
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    view! {
        <div
            class="map__stage"
            class:is-drawing=move || board.tool.get() != Tool::Move
            node_ref=stage
            tabindex="0"
            role="application"
            aria-roledescription="map"
            aria-label=label
            aria-busy=move || board.busy.get().to_string()
            data-testid="map-stage"
            on:pointerdown=down
            on:pointerenter=move |_| find()
            on:pointermove=move |ev: PointerEvent| hands.moved(&ev, at(ev.client_x(), ev.client_y()))
            on:pointerup=move |ev: PointerEvent| {
                if ev.button() == 0 {
                    hands.up(&ev, at(ev.client_x(), ev.client_y()));
                }
            }
            on:pointercancel=move |ev: PointerEvent| {
                hands.fingers.update_value(|f| f.retain(|(id, _)| *id != ev.pointer_id()));
                hands.rest();
            }
            on:pointerleave=move |_| {
                if !board.pinned.get_untracked() {
                    board.look_at(None);
                }
            }
            on:wheel=wheel
            on:keydown=move |ev: KeyboardEvent| {
                if hands.key(&ev) {
                    ev.prevent_default();
                }
            }
            on:contextmenu=move |ev| ev.prevent_default()
        >
            <canvas node_ref=canvas class="map__canvas" aria-hidden="true"></canvas>
            <Thumbs board/>
            <svg class="map__over" aria-hidden="true">
                <polygon class="map__outline" points=outline></polygon>
            </svg>
            <Over board/>
        </div>
    }
}
