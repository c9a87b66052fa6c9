//! The filmstrip: what I did, the open item, what comes next.

use crate::features::label::desk::{Desk, Frame};
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

#[component]
pub fn Film() -> impl IntoView {
    let desk: Desk = expect_context();
    Effect::new(move |_| {
        desk.film.track();
        if let Some(id) = desk.current.get() {
            request_animation_frame(move || {
                let frame = document()
                    .query_selector(&format!("[data-frame='{id}']"))
                    .ok()
                    .flatten();
                if let Some(frame) = frame {
                    let options = ScrollIntoViewOptions::new();
                    options.set_inline(ScrollLogicalPosition::Center);
                    options.set_block(ScrollLogicalPosition::Nearest);
                    frame.scroll_into_view_with_scroll_into_view_options(&options);
                }
            });
        }
    });
    view! {
        <footer class="label__film">
            <button class="label-film__step" type="button" aria-label="Previous item, key A" on:click=move |_| desk.step(false)>
                <Icon glyph=Glyph::ChevronLeft/>
            </button>
            <ol class="label-film" aria-label="Items">
                <For each=move || desk.film.get() key=|f| (f.id, f.mark.as_str()) let:f>
                    <Picture frame=f/>
                </For>
            </ol>
            <button class="label-film__step" type="button" aria-label="Next item, key D" on:click=move |_| desk.step(true)>
                <Icon glyph=Glyph::ChevronRight/>
            </button>
        </footer>
    }
}

#[component]
fn Picture(frame: Frame) -> impl IntoView {
    let desk: Desk = expect_context();
    let id = frame.id;
    let is_text = desk.task_now().is_text();
    let on = move || desk.current.get() == Some(id);
    view! {
        <li>
            <button
                class="label-film__frame"
                type="button"
                class:is-on=on
                data-frame=id.to_string()
                data-mark=frame.mark.as_str()
                aria-current=move || on().then_some("true")
                aria-label=format!("{}, {}", frame.name, frame.mark.label())
                title=frame.name.clone()
                on:click=move |_| desk.go(id)
            >
                {if is_text {
                    let base = frame.name.rsplit('/').next().unwrap_or(&frame.name).to_owned();
                    view! { <span class="label-film__doc"><Icon glyph=Glyph::File size=14/><span>{base}</span></span> }.into_any()
                } else {
                    view! {
                        <img src=move || desk.thumb_of(id) alt="" loading="lazy" decoding="async" draggable="false"/>
                    }
                    .into_any()
                }}
                <i class="label-film__mark"></i>
            </button>
        </li>
    }
}
