//! Values that exist in the browser only: files, requests under way.
//!
//! A page may be rendered on one thread of the server and dropped on another, which such values do not survive; so
//! there these hold nothing and read as the type's default.

use leptos::prelude::*;
use send_wrapper::SendWrapper;

fn fresh<T: Default>() -> Option<SendWrapper<T>> {
    cfg!(feature = "hydrate").then(|| SendWrapper::new(T::default()))
}

/// A value that pages follow.
pub struct LocalSignal<T: 'static>(RwSignal<Option<SendWrapper<T>>>);

impl<T> Clone for LocalSignal<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for LocalSignal<T> {}

impl<T: Default + 'static> LocalSignal<T> {
    /// Starts as the default.
    pub fn new() -> Self {
        Self(RwSignal::new(fresh()))
    }

    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(|v| match v {
            Some(v) => f(v),
            None => f(&T::default()),
        })
    }

    /// Changes it; nothing happens on the server or after the page is gone.
    pub fn update(&self, f: impl FnOnce(&mut T)) {
        self.0.try_update(|v| {
            if let Some(v) = v {
                f(v);
            }
        });
    }

    pub fn set(&self, value: T) {
        self.update(|v| *v = value);
    }

    pub fn get_untracked(&self) -> T
    where
        T: Clone,
    {
        self.0
            .with_untracked(|v| v.as_ref().map(|v| (**v).clone()))
            .unwrap_or_default()
    }
}

/// A value that nothing follows.
pub struct LocalValue<T: 'static>(StoredValue<Option<SendWrapper<T>>>);

impl<T> Clone for LocalValue<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for LocalValue<T> {}

impl<T: Default + 'static> LocalValue<T> {
    /// Starts as the default.
    pub fn new() -> Self {
        Self(StoredValue::new(fresh()))
    }

    fn is_held(&self) -> bool {
        self.0.try_with_value(Option::is_some) == Some(true)
    }

    /// Reads it; the default on the server and after the page is gone.
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        if !self.is_held() {
            return f(&T::default());
        }
        self.0.with_value(|v| match v {
            Some(v) => f(v),
            None => f(&T::default()),
        })
    }

    /// Changes it and hands on what `f` answers; works on a default where there is no value.
    pub fn update<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        if !self.is_held() {
            return f(&mut T::default());
        }
        let mut value = self.0.write_value();
        match &mut *value {
            Some(v) => f(v),
            None => f(&mut T::default()),
        }
    }

    pub fn set(&self, value: T) {
        self.update(|v| *v = value);
    }

    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.with(Clone::clone)
    }
}
