//! What the ways in look like: one card in the middle of the window.

use crate::ui::Logo;
use leptos::prelude::*;

#[component]
pub fn Frame(
    /// Also the browser's title.
    #[prop(into)]
    title: String,
    #[prop(into)] text: String,
    children: Children,
) -> impl IntoView {
    view! {
        <leptos_meta::Title text=title.clone()/>
        <main class="alone">
            <div class="way-in">
                <div class="way-in__mark">
                    <Logo size=28/>
                    <b>"Limn"</b>
                </div>
                <section class="card way-in__card">
                    <header class="way-in__head">
                        <h1>{title}</h1>
                        <p class="muted">{text}</p>
                    </header>
                    {children()}
                </section>
            </div>
        </main>
    }
}

/// Whether the page's code runs: before that a form would leave the page.
pub fn use_live() -> Signal<bool> {
    let live = RwSignal::new(false);
    Effect::new(move |_| live.set(true));
    live.into()
}

/// Opens a page as the person just signed in: a whole load, so that nothing of before remains.
pub fn enter(path: &str) {
    let _ = window().location().set_href(path);
}
