//! The panel on the right: categories, objects, the selected one. A sheet from below on a phone.

use super::categories::{Categories, Choices};
use super::described::AboutItem;
use super::objects::Objects;
use super::selected::Selected;
use crate::features::label::desk::Desk;
use crate::features::label::text::Spans;
use leptos::prelude::*;

#[component]
pub fn Side() -> impl IntoView {
    let desk: Desk = expect_context();
    let boxes = move || desk.task().marks_objects();
    let toggle = move || desk.sheet_up.update(|v| *v = !*v);
    view! {
        <aside class="label__side" aria-label="Categories and objects">
            <button
                class="label__grip"
                type="button"
                aria-label="Categories and objects"
                aria-expanded=move || if desk.sheet_up.get() { "true" } else { "false" }
                on:click=move |_| toggle()
            ></button>
            <Show when=move || !desk.in_grid()><AboutItem/></Show>
            <Show when=boxes fallback=|| view! { <Choices/> }>
                <Categories/>
                <Show when=move || desk.task().is_text() fallback=|| view! { <Objects/> }>
                    <Spans/>
                </Show>
                <Selected/>
            </Show>
        </aside>
    }
}
