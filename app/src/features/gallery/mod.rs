//! `/ui`: all of the design system on one page, in development builds.

#[cfg(debug_assertions)]
mod page;
#[cfg(debug_assertions)]
pub use page::GalleryPage;

/// Shipped builds have no gallery.
#[cfg(not(debug_assertions))]
#[leptos::component]
pub fn GalleryPage() -> impl leptos::IntoView {
    leptos::view! { <crate::ui::NotFound/> }
}
