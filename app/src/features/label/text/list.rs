//! The spans of the document in the order of its text. Only the rows in view are on the page.

use crate::features::label::desk::Desk;
use crate::ui::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;
use limn_domain::{AnnotationId, Source};

/// Height of a row in CSS pixels; the style sheet agrees.
const ROW: f64 = 28.0;
/// Characters of a span that are shown.
const QUOTE: usize = 60;

#[derive(Debug, Clone, PartialEq)]
struct Row {
    id: AnnotationId,
    at: usize,
    quote: String,
    category: String,
    color: String,
    start: u32,
    end: u32,
    proposal: bool,
}

/// The rows from `from` on, and how many there are. `query`: words of the category or the text.
fn rows(desk: Desk, query: &str, from: usize, count: usize) -> (usize, Vec<Row>) {
    let Some(text) = desk.reading.text() else {
        return (0, Vec::new());
    };
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    desk.read(|s| {
        let (mut out, mut all) = (Vec::new(), 0);
        for (a, start, end) in s.editor.spans() {
            let place = (from..from + count).contains(&all);
            if words.is_empty() && !place {
                all += 1;
                continue;
            }
            let (category, color) = desk.category_of(a.category_id);
            let slice = text.slice(start, end.min(text.length()));
            let hay = || format!("{category} {slice}").to_lowercase();
            if !words.is_empty() && {
                let hay = hay();
                !words.iter().all(|w| hay.contains(w.as_str()))
            } {
                continue;
            }
            if place {
                let mut quote: String = slice.chars().take(QUOTE).collect();
                if slice.chars().nth(QUOTE).is_some() {
                    quote.push('…');
                }
                out.push(Row {
                    id: a.id,
                    at: all,
                    quote: quote.split_whitespace().collect::<Vec<_>>().join(" "),
                    category,
                    color,
                    start,
                    end,
                    proposal: a.source == Source::Prelabel,
                });
            }
            all += 1;
        }
        (all, out)
    })
    .unwrap_or_default()
}

#[component]
pub fn Spans() -> impl IntoView {
    let desk: Desk = expect_context();
    let list = NodeRef::<html::Div>::new();
    let query = RwSignal::new(String::new());
    let scroll = RwSignal::new((0.0_f64, 600.0_f64));
    let shown = Memo::new(move |_| {
        desk.doc_tick.track();
        desk.current.track();
        desk.categories.track();
        let (top, height) = scroll.get();
        let from = ((top / ROW).floor() as usize).saturating_sub(6);
        query.with(|q| rows(desk, q, from, (height / ROW).ceil() as usize + 12))
    });
    let measure = move || {
        if let Some(el) = list.get_untracked() {
            let now = (f64::from(el.scroll_top()), f64::from(el.client_height()).max(ROW));
            if scroll.get_untracked() != now {
                scroll.set(now);
            }
        }
    };
    Effect::new(move |_| {
        list.track();
        desk.current.track();
        request_animation_frame(measure);
    });
    // The selected row comes into view.
    Effect::new(move |_| {
        desk.selection_tick.track();
        let at = desk.read(|s| {
            let id = s.editor.selection().primary()?;
            s.editor.spans().iter().position(|(a, ..)| a.id == id)
        });
        if let (Some(Some(at)), Some(el)) = (at, list.get_untracked()) {
            let (top, height) = (f64::from(el.scroll_top()), f64::from(el.client_height()));
            let y = at as f64 * ROW;
            if y < top {
                el.set_scroll_top(y as i32);
            } else if y + ROW > top + height {
                el.set_scroll_top((y + ROW - height) as i32);
            }
        }
    });
    let total = move || shown.with(|s| s.0);
    view! {
        <section class="label-objects" aria-label="Spans">
            <div class="label-head">
                <h2 class="grow">"Spans"</h2>
                <input
                    class="input label-spans__filter"
                    type="search"
                    placeholder="Filter"
                    aria-label="Filter spans by category or text"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || query.get()
                    on:input=move |ev| query.set(event_target_value(&ev))
                />
                <span class="faint num" data-testid="object-count">{move || crate::fmt::count(total() as i64)}</span>
            </div>
            <div class="label-objects__scroll" node_ref=list on:scroll=move |_| measure()>
                <ul class="label-objects__list" aria-label="Spans" style:height=move || format!("{}px", total() as f64 * ROW)>
                    <For each=move || shown.with(|s| s.1.clone()) key=|r| (r.id, r.at, r.quote.clone(), r.color.clone(), (r.start, r.end), r.proposal) let:r>
                        <Line row=r total/>
                    </For>
                </ul>
                <Show when=move || total() == 0 && desk.current.get().is_some()>
                    <p class="label-none">
                        {move || if query.with(String::is_empty) {
                            "No spans yet. Double-click a word, or drag over some text."
                        } else {
                            "No span has these words."
                        }}
                    </p>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn Line(row: Row, total: impl Fn() -> usize + Send + Sync + 'static) -> impl IntoView {
    let desk: Desk = expect_context();
    let id = row.id;
    let on = move || {
        desk.selection_tick.track();
        desk.doc_tick.track();
        desk.read(|s| s.editor.selection().contains(id)).unwrap_or(false)
    };
    let lit = move || desk.reading.hover.get() == Some(id);
    let place = format!("{}–{}", row.start, row.end);
    let spoken = format!(
        "{}, {}, characters {} to {}{}",
        row.quote,
        row.category,
        row.start,
        row.end,
        if row.proposal { ", suggestion" } else { "" }
    );
    let name = row.quote.clone();
    let title = format!("{}, {place}", row.category);
    view! {
        <li
            class="label-object"
            class:is-on=on
            class:is-lit=lit
            style:top=format!("{}px", row.at as f64 * ROW)
            style:--swatch=row.color.clone()
            aria-setsize=move || total().to_string()
            aria-posinset=(row.at + 1).to_string()
            on:mouseenter=move |_| desk.reading.hover.set(Some(id))
            on:mouseleave=move |_| desk.reading.hover.set(None)
        >
            <button
                class="label-object__pick"
                type="button"
                data-testid="object"
                data-id=id.to_string()
                data-place=place.clone()
                aria-label=spoken
                aria-pressed=move || if on() { "true" } else { "false" }
                title=title
                on:click=move |ev| {
                    desk.edit(|e| e.select(id, ev.shift_key() || ev.ctrl_key() || ev.meta_key()));
                    desk.reveal_span(id);
                }
            >
                <i class="swatch" class:swatch--dash=row.proposal></i>
                <span class="label-cat__name" dir="auto">{row.quote}</span>
                <span class="faint label-object__of">{row.category}</span>
            </button>
            <span class="label-acts">
                <button
                    class="label-act"
                    type="button"
                    aria-label=format!("Delete {name}")
                    title="Delete"
                    on:click=move |_| {
                        desk.edit(|e| e.delete(id));
                    }
                >
                    <Icon glyph=Glyph::Trash size=14/>
                </button>
            </span>
        </li>
    }
}
