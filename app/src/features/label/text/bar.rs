//! Above the text its length and the search; below it, while something is chosen, the categories to mark it with.

use super::act::page;
use super::dom;
use crate::features::label::desk::Desk;
use crate::ui::{Button, ButtonSize, Glyph, IconButton, Kbd};
use leptos::prelude::*;
use limn_domain::text::{HITS_MAX, find};

#[component]
pub fn TextBar() -> impl IntoView {
    let desk: Desk = expect_context();
    let reading = desk.reading;
    let length = move || {
        reading
            .text()
            .map(|t| crate::fmt::counted(i64::from(t.length()), "character", "characters"))
    };
    let relating = move || {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| s.editor.relating().is_some()).unwrap_or(false)
    };
    view! {
        <div class="label-text__bar">
            <Show
                when=move || reading.finding.get()
                fallback=move || view! {
                    <span class="faint num" data-testid="text-length">
                        {move || if relating() {
                            Some("Pick the span that it relates to; Esc leaves it".to_owned())
                        } else {
                            length()
                        }}
                    </span>
                    <IconButton
                        glyph=Glyph::Search
                        size=ButtonSize::Small
                        label="Find in the text (Ctrl F)"
                        on_click=move || {
                            desk.act(limn_editor::Action::FindText);
                        }
                    />
                    <span class="grow"></span>
                }
            >
                <Find/>
            </Show>
        </div>
    }
}

/// The search: goes from place to place, each chosen, so that a key marks it; or marks them all.
#[component]
fn Find() -> impl IntoView {
    let desk: Desk = expect_context();
    let reading = desk.reading;
    let query = RwSignal::new(String::new());
    let hits = Memo::new(move |_| {
        let text = reading.text();
        text.map(|t| query.with(|q| find(t.as_str(), q)))
            .unwrap_or_default()
    });
    let at = RwSignal::new(None::<usize>);
    Effect::new(move |_| {
        hits.track();
        at.set(None);
    });
    let go = move |forward: bool| {
        let n = hits.with_untracked(Vec::len);
        if n == 0 {
            return;
        }
        let next = match (at.get_untracked(), forward) {
            (None, true) => 0,
            (None, false) => n - 1,
            (Some(i), true) => (i + 1) % n,
            (Some(i), false) => (i + n - 1) % n,
        };
        at.set(Some(next));
        let place = hits.with_untracked(|h| h.get(next).copied());
        if let (Some((start, end)), Some(page), Some(text)) = (place, page(), reading.text_now()) {
            dom::choose(&page, &text, start, end);
            reading.reveal(start, end);
        }
    };
    let close = move || {
        reading.finding.set(false);
        focus_page();
    };
    let count = move || {
        let n = hits.with(Vec::len);
        let more = if n >= HITS_MAX { "+" } else { "" };
        if query.with(String::is_empty) {
            String::new()
        } else if n == 0 {
            "Not found".to_owned()
        } else if let Some(i) = at.get() {
            format!(
                "{} of {}{more}",
                crate::fmt::count(i as i64 + 1),
                crate::fmt::count(n as i64)
            )
        } else {
            format!("{}{more} found", crate::fmt::count(n as i64))
        }
    };
    let none = Signal::derive(move || hits.with(Vec::is_empty));
    let spans = move || desk.task().marks_objects();
    let category = move || {
        desk.category
            .get()
            .map(|id| desk.category_of(id).0)
            .unwrap_or_default()
    };
    view! {
        <input
            class="input label-text__field"
            type="search"
            placeholder="Find in the text"
            aria-label="Find in the text"
            autocomplete="off"
            spellcheck="false"
            prop:value=move || query.get()
            on:input=move |ev| query.set(event_target_value(&ev))
            on:keydown=move |ev| match ev.key().as_str() {
                "Enter" => {
                    ev.prevent_default();
                    go(!ev.shift_key());
                }
                "Escape" => {
                    ev.prevent_default();
                    ev.stop_propagation();
                    close();
                }
                _ => {}
            }
        />
        <span class="faint num label-text__count" role="status">{count}</span>
        <IconButton glyph=Glyph::ChevronUp size=ButtonSize::Small label="Previous place (Shift Enter)" disabled=none on_click=move || go(false)/>
        <IconButton glyph=Glyph::ChevronDown size=ButtonSize::Small label="Next place (Enter)" disabled=none on_click=move || go(true)/>
        <Show when=spans>
            <Button
                size=ButtonSize::Small
                disabled=none
                on_click=move || {
                    let n = desk.mark_all(&hits.get_untracked());
                    desk.unchoose();
                    let name = desk.category.get_untracked().map(|id| desk.category_of(id).0).unwrap_or_default();
                    desk.toasts.info(match n {
                        0 => format!("All of them are marked as {name} already."),
                        n => format!("{} marked as {name}. Undo takes them back together.", crate::fmt::counted(n as i64, "place", "places")),
                    });
                }
            >
                {move || format!("Mark all as {}", category())}
            </Button>
        </Show>
        <span class="grow"></span>
        <IconButton glyph=Glyph::X size=ButtonSize::Small label="Close the search (Esc)" on_click=close/>
    }
}

pub fn focus_page() {
    let page = page().and_then(|p| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(p).ok());
    if let Some(page) = page {
        let _ = page.focus();
    }
}

/// What is chosen waits for a category: by its key, by a click, or with the one in hand by Enter.
#[component]
pub fn ChosenBar() -> impl IntoView {
    let desk: Desk = expect_context();
    let reading = desk.reading;
    let may = Memo::new(move |_| {
        desk.current.track();
        desk.read(|s| !s.editor.is_read_only()).unwrap_or(false)
    });
    let shown = Memo::new(move |_| reading.chosen.with(Option::is_some) && may.get());
    let quote = move || {
        let (start, end) = reading.chosen.get()?;
        let text = reading.text()?;
        let all = text.slice(start, end);
        let mut out: String = all.chars().take(40).collect();
        if all.chars().nth(40).is_some() {
            out.push('…');
        }
        Some(out)
    };
    view! {
        <Show when=move || shown.get()>
            <div class="label-text__chosen" role="group" aria-label="Mark what is chosen" data-testid="chosen">
                <span class="label-text__quote" dir="auto">{quote}</span>
                <div class="label-text__choices">
                    <For each=move || desk.categories.get() key=|c| (c.category.id, c.category.name.clone(), c.color.clone(), c.key) let:c>
                        <button
                            class="label-text__choice"
                            type="button"
                            style:--swatch=c.color.clone()
                            // The choice must not go before the click arrives.
                            on:pointerdown=move |ev| ev.prevent_default()
                            on:mousedown=move |ev| ev.prevent_default()
                            on:click=move |_| {
                                desk.pick_for_chosen(c.category.id);
                            }
                        >
                            <i class="swatch"></i>
                            <span>{c.category.name.clone()}</span>
                            {c.key.map(|k| view! { <Kbd>{k.to_string()}</Kbd> })}
                        </button>
                    </For>
                </div>
            </div>
        </Show>
    }
}
