//! The page of the document: its blocks, the caret, choosing and marking by pointer and keyboard.

use super::bar::{ChosenBar, TextBar};
use super::load;
use super::paint::{Painter, ids_at};
use super::{Loaded, dom};
use crate::features::label::desk::Desk;
use crate::ui::{Button, EmptyState, Glyph, Variant};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

/// Space kept free above and below a place that is brought into view, in CSS pixels.
const MARGIN: f64 = 80.0;

#[component]
pub fn TextStage() -> impl IntoView {
    let desk: Desk = expect_context();
    let reading = desk.reading;
    load::follow(desk, reading);
    let spans = move || desk.task().marks_objects();
    let retry = move || {
        if let Some(id) = desk.current.get_untracked() {
            load::open(desk, reading, id);
        }
    };
    let failed = Memo::new(move |_| {
        reading.loaded.with(|l| match l {
            Loaded::Failed(why) => Some(why.clone()),
            _ => None,
        })
    });
    view! {
        <div class="label-text" class:label-text--spans=spans>
            <TextBar/>
            <Page/>
            {move || failed.get().map(|why| view! {
                <div class="label__cover">
                    <EmptyState glyph=Glyph::Warning title="The text is not here" text=why>
                        <Button variant=Variant::Primary icon=Glyph::Refresh on_click=retry>"Try again"</Button>
                    </EmptyState>
                </div>
            })}
            <Show when=spans>
                <ChosenBar/>
            </Show>
        </div>
    }
}

#[component]
fn Page() -> impl IntoView {
    let desk: Desk = expect_context();
    let reading = desk.reading;
    let scroll = NodeRef::<html::Div>::new();
    let page = NodeRef::<html::Div>::new();
    let caret = NodeRef::<html::I>::new();
    let painter = StoredValue::new_local(Painter::default());
    // A mouse button is held: what is chosen is not final.
    let pulling = StoredValue::new(false);
    let clicked = StoredValue::new(0_u32);
    let last_touch = StoredValue::new(false);
    let spans = move || desk.task().marks_objects();

    Effect::new(move |_| {
        desk.doc_tick.track();
        desk.selection_tick.track();
        desk.look_tick.track();
        desk.categories.track();
        let (Some(page), Some(text)) = (page.get(), reading.text()) else {
            return;
        };
        painter.update_value(|p| p.paint(&page, &text, desk));
    });
    // Another document begins at its top.
    Effect::new(move |_| {
        reading.loaded.track();
        if let Some(el) = scroll.get_untracked() {
            el.set_scroll_top(0);
        }
    });
    Effect::new(move |_| {
        let (n, start, end) = reading.goal.get();
        if n > 0 {
            bring(scroll, page, desk, (start, end), 3);
        }
    });
    // Spans of the one that is pointed at, here or in the list.
    Effect::new(move |before: Option<Option<limn_domain::AnnotationId>>| {
        let now = reading.hover.get();
        for (id, on) in [(before.flatten(), false), (now, true)] {
            if let Some(id) = id {
                light(&id.to_string(), on);
            }
        }
        now
    });

    let place_caret = move || {
        let (Some(page), Some(el)) = (page.get_untracked(), caret.get_untracked()) else {
            return;
        };
        show_caret(desk, &page, &el);
    };
    let listener = document_listener("selectionchange", move || {
        let (Some(el), Some(text)) = (page.get_untracked(), reading.text_now()) else {
            return;
        };
        let now = dom::chosen(&el, &text).filter(|(a, b)| a < b);
        if !pulling.get_value() && desk.task_now().marks_objects() && reading.chosen.get_untracked() != now {
            reading.chosen.set(now);
        }
        place_caret();
    });
    on_cleanup(listener);

    let on_up = move |ev: MouseEvent| {
        pulling.set_value(false);
        if ev.button() != 0 || !spans() {
            return;
        }
        let (Some(el), Some(text)) = (page.get_untracked(), reading.text_now()) else {
            return;
        };
        let Some((start, end)) = dom::chosen(&el, &text) else {
            return;
        };
        match ev.detail() {
            // The second click of two: the word, by Unicode's rules and not by this browser's.
            2 => {
                if let Some((start, end)) = text.word_at(clicked.get_value()) {
                    desk.mark_span(start, end);
                }
            }
            0 | 1 if start < end => {
                if last_touch.get_value() {
                    // A finger chooses, the bar marks.
                    reading.chosen.set(Some((start, end)));
                } else {
                    desk.mark_span(start, end);
                }
            }
            0 | 1 => {
                clicked.set_value(start);
                let run = ev
                    .target()
                    .and_then(|t| t.dyn_into::<Element>().ok())
                    .and_then(|t| t.closest("[data-ids]").ok().flatten());
                let ids = run.map(|r| ids_at(&r)).unwrap_or_default();
                desk.pick_span(&ids, ev.ctrl_key() || ev.meta_key());
            }
            _ => {}
        }
    };
    let on_over = move |ev: MouseEvent| {
        let run = ev
            .target()
            .and_then(|t| t.dyn_into::<Element>().ok())
            .and_then(|t| t.closest("[data-ids]").ok().flatten());
        let id = run.and_then(|r| ids_at(&r).last().copied());
        if reading.hover.get_untracked() != id {
            reading.hover.set(id);
        }
    };
    // A button let go outside of the page ends the pull too.
    let up = window_event_listener(leptos::ev::mouseup, move |_| {
        if pulling.get_value() {
            pulling.set_value(false);
            let (Some(el), Some(text)) = (page.get_untracked(), reading.text_now()) else {
                return;
            };
            if let Some((start, end)) = dom::chosen(&el, &text).filter(|(a, b)| a < b) {
                desk.mark_span(start, end);
            }
        }
    });
    on_cleanup(move || up.remove());
    view! {
        <div class="label-text__scroll" node_ref=scroll>
            <div class="label-text__sheet">
                <div
                    node_ref=page
                    class="label-text__page"
                    role="textbox"
                    aria-multiline="true"
                    aria-readonly="true"
                    aria-label="Text of the document"
                    tabindex="0"
                    spellcheck="false"
                    on:pointerdown=move |ev| last_touch.set_value(ev.pointer_type() == "touch")
                    on:mousedown=move |ev| {
                        if ev.button() == 0 && spans() && !last_touch.get_value() {
                            pulling.set_value(true);
                            reading.chosen.set(None);
                        }
                    }
                    on:mouseup=on_up
                    on:mouseover=on_over
                    on:mouseleave=move |_| reading.hover.set(None)
                    on:keydown=move |ev| {
                        if spans() {
                            move_caret(&ev, desk, page, scroll);
                        }
                    }
                    on:focus=move |_| place_caret()
                    on:blur=move |_| place_caret()
                ></div>
                <i class="label-text__caret" node_ref=caret hidden="hidden" aria-hidden="true"></i>
            </div>
        </div>
    }
}

/// Listens on the document; the returned function ends it.
fn document_listener(event: &'static str, f: impl Fn() + 'static) -> impl Fn() + Send + Sync + 'static {
    let f = wasm_bindgen::closure::Closure::<dyn Fn()>::new(f);
    let _ = document().add_event_listener_with_callback(event, f.as_ref().unchecked_ref());
    let f = StoredValue::new_local(Some(f));
    move || {
        if let Some(f) = f.try_update_value(Option::take).flatten() {
            let _ = document().remove_event_listener_with_callback(event, f.as_ref().unchecked_ref());
        }
    }
}

/// Lights up the runs of a span, or no more.
fn light(id: &str, on: bool) {
    let Ok(runs) = document().query_selector_all(&format!(".label-text__page [data-ids~='{id}']")) else {
        return;
    };
    for n in 0..runs.length() {
        if let Some(run) = runs.get(n).and_then(|r| r.dyn_into::<Element>().ok()) {
            let _ = run.class_list().toggle_with_force("is-hover", on);
        }
    }
}

/// Shows the caret where the keyboard is, while the page has the focus and nothing is chosen.
fn show_caret(desk: Desk, page: &HtmlElement, caret: &HtmlElement) {
    let focused = document().active_element().as_ref() == Some(page.as_ref());
    let rect = desk.reading.text_now().filter(|_| focused).and_then(|text| {
        let (start, end) = dom::chosen(page, &text)?;
        if start != end {
            return None;
        }
        // A caret between two lines has no place of its own: that of what stands behind it.
        let range = dom::range(page, &text, start, start)?;
        let rect = range.get_bounding_client_rect();
        if rect.height() > 0.0 {
            return Some((rect.left(), rect.top(), rect.height()));
        }
        let on = text.step(start, true);
        let rect = dom::range(page, &text, start, on)?.get_bounding_client_rect();
        (rect.height() > 0.0).then(|| (rect.left(), rect.top(), rect.height()))
    });
    let Some((left, top, height)) = rect else {
        caret.set_hidden(true);
        return;
    };
    let frame = page.get_bounding_client_rect();
    let style = caret.style();
    for (name, value) in [
        ("left", left - frame.left()),
        ("top", top - frame.top()),
        ("height", height),
    ] {
        let _ = style.set_property(name, &format!("{value}px"));
    }
    caret.set_hidden(false);
}

/// Arrows, Home and End move the caret, with Shift they choose; as in any text.
fn move_caret(ev: &KeyboardEvent, desk: Desk, page: NodeRef<html::Div>, scroll: NodeRef<html::Div>) {
    if ev.alt_key() {
        return;
    }
    let by_word = ev.ctrl_key() || ev.meta_key();
    let (direction, granularity) = match (ev.key().as_str(), by_word) {
        ("ArrowLeft", false) => ("left", "character"),
        ("ArrowRight", false) => ("right", "character"),
        ("ArrowLeft", true) => ("left", "word"),
        ("ArrowRight", true) => ("right", "word"),
        ("ArrowUp", false) => ("backward", "line"),
        ("ArrowDown", false) => ("forward", "line"),
        ("Home", false) => ("backward", "lineboundary"),
        ("End", false) => ("forward", "lineboundary"),
        ("Home", true) => ("backward", "documentboundary"),
        ("End", true) => ("forward", "documentboundary"),
        _ => return,
    };
    let (Some(el), Some(text), Some(selection)) =
        (page.get_untracked(), desk.reading.text_now(), dom::selection())
    else {
        return;
    };
    ev.prevent_default();
    let at = dom::caret(&el, &text);
    if at.is_none() {
        dom::choose(&el, &text, 0, 0);
    } else if granularity == "documentboundary" {
        // The browser's own would leave the page.
        let to = if direction == "forward" { text.length() } else { 0 };
        let from = anchor(&el, &text).filter(|_| ev.shift_key()).unwrap_or(to);
        dom::choose(&el, &text, from, to);
    } else {
        let alter = if ev.shift_key() { "extend" } else { "move" };
        let _ = selection.modify(alter, direction, granularity);
        // Not out of the page.
        if dom::caret(&el, &text).is_none()
            && let Some(at) = at
        {
            dom::choose(&el, &text, at, at);
        }
    }
    if let Some(to) = dom::caret(&el, &text) {
        bring(scroll, page, desk, (to, to), 2);
    }
}

fn anchor(page: &Element, text: &limn_domain::text::Text) -> Option<u32> {
    let s = dom::selection()?;
    dom::scalar(page, text, &s.anchor_node()?, s.anchor_offset())
}

/// Scrolls so that a place is in view. Its block may have to be laid out first, and then be another place than guessed:
/// tried again a few times.
fn bring(
    scroll: NodeRef<html::Div>,
    page: NodeRef<html::Div>,
    desk: Desk,
    (start, end): (u32, u32),
    again: u8,
) {
    let (Some(frame), Some(el), Some(text)) = (
        scroll.get_untracked(),
        page.get_untracked(),
        desk.reading.text_now(),
    ) else {
        return;
    };
    let Some(range) = dom::range(&el, &text, start, end.max(start)) else {
        return;
    };
    let mut rect = range.get_bounding_client_rect();
    if rect.height() == 0.0 {
        // Not laid out, or a caret at a line's end: what stands before it, else its block.
        let before = dom::range(&el, &text, text.step(start, false), start.max(1));
        rect = before.map_or_else(|| rect.clone(), |r| r.get_bounding_client_rect());
        if rect.height() == 0.0 {
            match el.children().item(text.block_of(start) as u32) {
                Some(block) => rect = block.get_bounding_client_rect(),
                None => return,
            }
        }
    }
    let view = frame.get_bounding_client_rect();
    let margin = MARGIN.min(view.height() / 4.0);
    let (above, below) = (
        rect.top() - view.top() - margin,
        rect.top()
            .max(rect.bottom().min(rect.top() + view.height() / 2.0))
            - view.bottom()
            + margin,
    );
    let far = above < -view.height() || below > view.height();
    let by = if far {
        rect.top() - view.top() - view.height() / 3.0
    } else if above < 0.0 {
        above
    } else if below > 0.0 {
        below
    } else {
        0.0
    };
    if by.abs() >= 1.0 {
        frame.set_scroll_top(frame.scroll_top() + by as i32);
    }
    if again > 0 {
        request_animation_frame(move || bring(scroll, page, desk, (start, end), again - 1));
    }
}
