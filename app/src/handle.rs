//! Handles of the whole app that are found where no context reaches: work that ends after its page is gone runs under
//! an owner that is gone as well.

use leptos::prelude::{expect_context, provide_context, use_context};
use std::cell::Cell;
use std::thread::LocalKey;

/// The browser's one copy. The server has many apps at once and keeps none.
pub(crate) type Kept<T> = LocalKey<Cell<Option<T>>>;

/// Provides a handle for the whole app.
pub(crate) fn provide<T: Copy + Send + Sync + 'static>(kept: &'static Kept<T>, handle: T) {
    provide_context(handle);
    if cfg!(feature = "hydrate") {
        kept.set(Some(handle));
    }
}

/// The app's handle.
pub(crate) fn find<T: Copy + Send + Sync + 'static>(kept: &'static Kept<T>) -> T {
    use_context()
        .or_else(|| kept.get())
        .unwrap_or_else(expect_context)
}
