//! The browser's entry point: starts the pages of `limn-app` on server-rendered HTML. Nothing else lives here.

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        if !limn_app::pages::fetch_shown().await {
            return;
        }
        leptos::mount::hydrate_body(limn_app::App);
        // Scripts that drive the page wait for this mark: a click before it is lost.
        if let Some(html) = leptos::prelude::document().document_element() {
            let _ = html.set_attribute("data-hydrated", "");
        }
    });
}
