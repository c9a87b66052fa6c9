//! What is known of the point under the pointer, and pictures of some points where few are in view.

use super::super::super::shape::{file_url, thumb_url};
use super::Board;
use crate::ui::{Button, ButtonSize, debounce};
use leptos::prelude::*;
use limn_domain::map::{OTHERS, WITHOUT};
use std::collections::BTreeMap;
use std::time::Duration;

/// A pointer that only passes asks for nothing.
const PAUSE: Duration = Duration::from_millis(70);
/// The view rests, and pictures come.
const REST: Duration = Duration::from_millis(220);
/// From this size of the map on, and with so many points in view at most.
const ZOOM: f64 = 2.5;
const FEW: usize = 1_500;
/// The side of the squares of the screen that have a picture each, in pixels.
const SQUARE: f64 = 112.0;
/// Pixels between a point and its card.
const GAP: f64 = 14.0;

/// The ring around the point that is looked at, and its card.
#[component]
pub fn Over(board: Board) -> impl IntoView {
    let mut ask = debounce(PAUSE, move |point: u32| board.name(&[point]));
    Effect::new(move |_| {
        if let Some(point) = board.over.get() {
            ask(point);
        }
    });
    let spot = Memo::new(move |_| {
        let at = board
            .over
            .get()
            .and_then(|p| board.points.with(|all| all.at(p)))?;
        Some(board.camera.get().to_screen(at))
    });
    let path = Memo::new(move |_| board.over.get().and_then(|p| board.path(p)));
    let id = board.e.version;
    let ring = move || {
        spot.get()
            .map_or_else(String::new, |(x, y)| format!("left:{x:.1}px;top:{y:.1}px"))
    };
    let place = move || {
        let Some((x, y)) = spot.get() else {
            return String::new();
        };
        // Towards the middle, where there is room.
        let (w, h) = board.camera.with(|c| c.screen());
        let across = if x > w / 2.0 {
            format!("right:{:.1}px", w - x + GAP)
        } else {
            format!("left:{:.1}px", x + GAP)
        };
        let down = if y > h / 2.0 {
            format!("bottom:{:.1}px", h - y + GAP)
        } else {
            format!("top:{:.1}px", y + GAP)
        };
        format!("{across};{down}")
    };
    let value = move || {
        let point = board.over.get()?;
        board.points.with(|all| {
            let color = all.color(point);
            let named = usize::from(color)
                .checked_sub(1)
                .and_then(|n| all.head.legend.get(n));
            match (named, color) {
                _ if all.head.label.is_empty() => None,
                (Some(v), _) => Some(format!("{}: {}", all.head.label, v.value)),
                (None, OTHERS) => Some(format!("{}: another value", all.head.label)),
                (None, WITHOUT) => Some(format!("Without {}", all.head.label.to_lowercase())),
                _ => None,
            }
        })
    };
    let is_selected = move || {
        let point = board.over.get();
        point.is_some_and(|p| board.selected.with(|s| s.binary_search(&p).is_ok()))
    };
    view! {
        <Show when=move || spot.get().is_some()>
            <i class="map__ring" style=ring></i>
            <div class="map__card" class:is-pinned=move || board.pinned.get() style=place role="status">
                {move || path.get().map(|path| {
                    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
                    let (src, href) = (thumb_url(id, &path), file_url(id, &path));
                    view! {
                        <img class="map__picture" src=src alt="" decoding="async" draggable="false"/>
                        <b class="map__name" title=path>{name}</b>
                        {move || board.pinned.get().then(|| {
                            let href = href.clone();
                            view! {
                                // A press here is none on the map.
                                <span class="row" on:pointerdown=|ev| ev.stop_propagation() on:pointerup=|ev| ev.stop_propagation()>
                                    <a class="link" href=href rel="external">"Open"</a>
                                    <Button size=ButtonSize::Small on_click=move || {
                                        if let Some(point) = board.over.get_untracked() {
                                            board.toggle(point);
                                        }
                                    }>
                                        {move || if is_selected() { "Deselect" } else { "Select" }}
                                    </Button>
                                </span>
                            }
                        })}
                    }
                })}
                {move || value().map(|text| view! { <span class="faint">{text}</span> })}
            </div>
        </Show>
    }
}

/// Rows of the points that have a picture: one in each square of the screen.
fn chosen(board: Board) -> Vec<u32> {
    let camera = board.camera.get_untracked();
    let hidden = board.hidden.get_untracked();
    if camera.zoom() < ZOOM {
        return Vec::new();
    }
    board.points.with_untracked(|all| {
        let lit: Vec<u32> = all
            .within(camera.window())
            .filter(|p| all.is_lit(*p, hidden))
            .take(FEW + 1)
            .collect();
        if lit.len() > FEW {
            return Vec::new();
        }
        let mut squares: BTreeMap<(i64, i64), (f64, u32)> = BTreeMap::new();
        for point in lit {
            let (Some(at), Some(row)) = (all.at(point), all.row(point)) else {
                continue;
            };
            let (x, y) = camera.to_screen(at);
            let (left, top) = ((x / SQUARE).floor(), (y / SQUARE).floor());
            let far = (x / SQUARE - left - 0.5).hypot(y / SQUARE - top - 0.5);
            let best = squares.entry((left as i64, top as i64)).or_insert((far, row));
            if far < best.0 {
                *best = (far, row);
            }
        }
        squares.into_values().map(|(_, row)| row).collect()
    })
}

/// Pictures of some of the points.
#[component]
pub fn Thumbs(board: Board) -> impl IntoView {
    let rows = RwSignal::new(Vec::<u32>::new());
    let mut choose = debounce(REST, move |()| {
        let wanted = chosen(board);
        let all = board.points.get_untracked();
        let points: Vec<u32> = wanted.iter().filter_map(|row| all.of_row(*row)).collect();
        board.name(&points);
        rows.set(wanted);
    });
    Effect::new(move |_| {
        board.points.track();
        board.camera.track();
        board.hidden.track();
        choose(());
    });
    let id = board.e.version;
    view! {
        <div class="map__thumbs" aria-hidden="true">
            <For each=move || rows.get() key=|row| *row let:row>
                {
                    let path = Memo::new(move |_| board.names.with(|n| n.path(row).cloned()));
                    let place = move || {
                        let at = board.points.with(|all| all.of_row(row).and_then(|p| all.at(p)));
                        at.map_or_else(
                            || "display:none".to_owned(),
                            |at| {
                                let (x, y) = board.camera.get().to_screen(at);
                                format!("left:{x:.1}px;top:{y:.1}px")
                            },
                        )
                    };
                    move || path.get().map(|path| view! {
                        <img class="map__thumb" src=thumb_url(id, &path) alt="" decoding="async" draggable="false" style=place/>
                    })
                }
            </For>
        </div>
    }
}
