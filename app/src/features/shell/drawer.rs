//! The navigation's place: beside the page on wide windows, a drawer on phones.

use super::palette::use_palette;
use crate::ui::{Glyph, Icon, Logo, is_typing};
use leptos::ev;
use leptos::html;
use leptos::prelude::*;

/// The bar on top of the page on phones.
#[component]
pub fn TopBar(drawer: RwSignal<bool>) -> impl IntoView {
    let palette = use_palette();
    view! {
        <header class="topbar">
            <button
                type="button"
                class="btn btn--quiet btn--icon"
                aria-label="Navigation"
                aria-expanded=move || if drawer.get() { "true" } else { "false" }
                aria-controls="nav"
                on:click=move |_| drawer.update(|d| *d = !*d)
            >
                <Icon glyph=Glyph::Menu size=20/>
            </button>
            <a class="topbar__mark" href="/" aria-label="Limn, start page">
                <Logo/>
                <b>"Limn"</b>
            </a>
            <span class="grow"></span>
            <button
                type="button"
                class="btn btn--quiet btn--icon"
                aria-label="Search"
                on:click=move |_| palette.open.set(true)
            >
                <Icon glyph=Glyph::Search size=20/>
            </button>
        </header>
    }
}

/// Holds the navigation.
#[component]
pub fn Drawer(drawer: RwSignal<bool>, children: Children) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let escape = StoredValue::new(None);
    Effect::new(move |_| {
        let handle = window_event_listener(ev::keydown, move |ev| {
            if ev.key() == "Escape" && drawer.get_untracked() && !is_typing(&ev) {
                drawer.set(false);
            }
        });
        escape.set_value(Some(handle));
    });
    on_cleanup(move || {
        if let Some(handle) = escape.try_update_value(Option::take).flatten() {
            handle.remove();
        }
    });
    Effect::new(move |_| {
        if drawer.get()
            && let Some(node) = node.get()
        {
            let _ = node.focus();
        }
    });
    view! {
        <div class="scrim" class:is-open=move || drawer.get() on:click=move |_| drawer.set(false)></div>
        <div class="nav-place" id="nav" tabindex="-1" node_ref=node class:is-open=move || drawer.get()>
            {children()}
        </div>
    }
}
