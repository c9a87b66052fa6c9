//! What the colours say, with counts; a click hides a colour or shows it again.

use super::Board;
use crate::fmt;
use leptos::prelude::*;
use limn_domain::map::{OTHERS, WITHOUT};

/// A line: the colour, what it says, and how many have it.
type Line = (u8, String, i64);

fn lines(board: Board) -> Vec<Line> {
    board.points.with(|p| {
        let head = &p.head;
        if head.label.is_empty() {
            return Vec::new();
        }
        let named = (1_u8..).zip(&head.legend);
        let mut all: Vec<Line> = named.map(|(n, v)| (n, v.value.clone(), v.count)).collect();
        if head.others > 0 {
            all.push((OTHERS, "Other values".to_owned(), head.others));
        }
        if head.without > 0 {
            all.push((WITHOUT, "Without".to_owned(), head.without));
        }
        all
    })
}

#[component]
pub fn Legend(board: Board) -> impl IntoView {
    let all = Memo::new(move |_| lines(board));
    let label = move || board.points.with(|p| p.head.label.clone());
    view! {
        <Show when=move || !all.with(Vec::is_empty)>
            <aside class="map__legend" aria-label="Colours">
                <h3 class="facet__name">{label}</h3>
                <ul class="map__colors">
                    <For each=move || all.get() key=|line| line.clone() let:line><OneColor board line/></For>
                </ul>
                <Show when=move || !board.hidden.get().is_empty()>
                    <button type="button" class="link facet__more" on:click=move |_| board.hidden.set(Default::default())>"Show all"</button>
                </Show>
            </aside>
        </Show>
    }
}

#[component]
fn OneColor(board: Board, line: Line) -> impl IntoView {
    let (color, name, count) = line;
    let is_shown = move || !board.hidden.get().has(color);
    let swatch = move || {
        let css = board.palette.with(|p| p.get(usize::from(color)).cloned());
        format!("background:{}", css.unwrap_or_default())
    };
    view! {
        <li>
            <button
                type="button"
                class="map__color"
                aria-pressed=move || is_shown().to_string()
                title=name.clone()
                on:click=move |_| board.hidden.update(|h| *h = h.toggled(color))
            >
                <i class="dot" style=swatch></i>
                <span class="facet__text">{name.clone()}</span>
                <span class="facet__count">{fmt::count(count)}</span>
            </button>
        </li>
    }
}
