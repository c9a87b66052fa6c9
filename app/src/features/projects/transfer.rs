//! Bytes in and out of a project from the browser: upload, import, export.

mod columns;
pub mod drop_zone;
pub mod export;
pub mod files;
pub use crate::upload::http;
pub mod import;
pub mod panel;
pub mod progress;
pub use crate::upload::resumable;
pub mod sequence;
pub mod uploader;

use leptos::ev;
use leptos::prelude::*;
use std::cell::Cell;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// From now on, asks before the page is left in the middle of an upload.
fn leave_guard() {
    if !GUARDED.replace(true) {
        // For good: the handle is dropped without removing the listener.
        let _ = window_event_listener(ev::beforeunload, |e| {
            if uploader::any_active() {
                e.prevent_default();
                e.set_return_value("An upload is running.");
            }
        });
    }
}
