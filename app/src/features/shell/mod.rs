//! The frame around every page: navigation, palette, job tray, and what lies over pages.

pub mod api;
mod drawer;
mod frame;
mod help;
mod nav;
mod offline;
mod palette;
mod sign_in_again;
mod tray;

pub use frame::{FullScreen, Lost, Studio};
pub use palette::use_palette;
pub use tray::progress_text;

use crate::session::use_session;
use leptos::prelude::*;

/// Provides what opens the overlays, once for the whole app.
pub(crate) fn provide() {
    palette::provide_palette();
    help::provide_help();
}

/// What lies over every page.
#[component]
pub fn Overlays() -> impl IntoView {
    let signed_in = use_session().me.get_untracked().is_some();
    view! {
        {signed_in.then(|| view! { <palette::Palette/><help::HelpOverlay/><sign_in_again::SignInAgain/> })}
        <offline::OfflineNotice/>
        <crate::ui::ToastHost/>
    }
}
