//! Waiting for a pause.

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use std::time::Duration;

/// Runs `f` when `pause` has passed without another call, unless the calling component is gone by then.
pub fn debounce<T: 'static>(pause: Duration, f: impl Fn(T) + 'static) -> impl FnMut(T) {
    let f = std::rc::Rc::new(f);
    let alive = StoredValue::new(());
    let mut waiting: Option<TimeoutHandle> = None;
    move |value| {
        if let Some(w) = waiting.take() {
            w.clear();
        }
        let f = std::rc::Rc::clone(&f);
        let call = move || {
            if alive.try_get_value().is_some() {
                f(value);
            }
        };
        waiting = set_timeout_with_handle(call, pause).ok();
    }
}
