//! What surrounds the stage.

mod aimed;
mod categories;
mod described;
mod drawing;
mod film;
mod hud;
mod linked;
mod looks;
mod menus;
mod numbers;
mod objects;
mod rail;
mod selected;
mod side;
mod smart;
mod timeline;
mod top;

pub use aimed::Aimed;
pub use drawing::{BrushBar, OutlineBar};
pub use film::Film;
pub use hud::{Hud, Suggestions};
pub use looks::{ColorLegend, LookPanel, Minimap};
pub use rail::Rail;
pub use side::Side;
pub use smart::SmartBar;
pub use timeline::Timeline;
pub use top::TopBar;

use super::desk::Desk;
use leptos::prelude::*;
use limn_editor::Action;

/// What has the focus while keys mean the item: the canvas, or the document's page.
pub const STAGE: &str = ".label__canvas, .label-text__page";

/// The key of an action as printed on it, for the button that does the same.
fn key_of(desk: Desk, action: Action) -> String {
    desk.keymap
        .with(|k| k.key(action, desk.is_video()).map(|c| c.caps().join(" ")))
        .unwrap_or_default()
}
