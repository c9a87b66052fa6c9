//! Says when the browser has no network.

use crate::ui::{Glyph, Icon};
use leptos::ev;
use leptos::prelude::*;

#[component]
pub fn OfflineNotice() -> impl IntoView {
    let offline = RwSignal::new(false);
    Effect::new(move |_| {
        offline.set(!window().navigator().on_line());
        // Kept for the life of the page.
        let _ = window_event_listener(ev::offline, move |_| offline.set(true));
        let _ = window_event_listener(ev::online, move |_| offline.set(false));
    });
    view! {
        <div class="offline" role="status" class:is-on=move || offline.get()>
            {move || {
                offline
                    .get()
                    .then(|| view! { <Icon glyph=Glyph::WifiOff/><span>"No network. Waiting for it to come back."</span> })
            }}
        </div>
    }
}
