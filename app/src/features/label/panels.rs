//! What surrounds the stage.

mod categories;
mod film;
mod hud;
mod objects;
mod rail;
mod selected;
mod side;
mod top;

pub use film::Film;
pub use hud::{Hud, LightPanel, OutlineBar, Suggestions};
pub use rail::Rail;
pub use side::Side;
pub use top::TopBar;

use super::desk::Desk;
use leptos::prelude::*;
use limn_editor::Action;

/// The key of an action as printed on it, for the button that does the same.
fn key_of(desk: Desk, action: Action) -> String {
    desk.keymap
        .with_value(|k| k.key(action).map(|c| c.caps().join(" ")))
        .unwrap_or_default()
}
