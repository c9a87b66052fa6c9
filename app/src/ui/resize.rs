//! What follows the size of an element.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;

/// Runs `changed` once an element is laid out and whenever its size has changed, as long as the owner lives that calls this: the
/// effect that found the element.
pub fn on_resize(el: &web_sys::Element, changed: impl Fn() + 'static) {
    let callback = Closure::<dyn Fn()>::new(changed);
    if let Ok(observer) = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()) {
        observer.observe(el);
        let parts = StoredValue::new_local(Some((observer, callback)));
        on_cleanup(move || {
            if let Some((observer, _callback)) = parts.try_update_value(Option::take).flatten() {
                observer.disconnect();
            }
        });
    }
}
