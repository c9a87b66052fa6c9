//! The pointer that keys move.

use super::Desk;
use leptos::prelude::*;
use limn_editor::{Mods, Tool};

impl Desk {
    /// Whether the keyboard's pointer is shown.
    pub fn is_aiming(self) -> bool {
        self.read(|s| s.editor.aim().is_some()).unwrap_or(false)
    }

    /// A key while the keyboard's pointer is shown: arrows move it, Space clicks, Enter with Shift or Alt too (where Alt and
    /// Space are the window's). `on_control`: the focus has its own use for both. Says whether the key was the pointer's.
    pub fn aim_key(self, code: &str, mods: Mods, repeat: bool, on_control: bool) -> bool {
        // Of the screen, not of the picture: closer in, the steps are finer.
        let step = if mods.shift { 10.0 } else { 1.0 };
        let (dx, dy) = match code {
            "ArrowLeft" => (-step, 0.0),
            "ArrowRight" => (step, 0.0),
            "ArrowUp" => (0.0, -step),
            "ArrowDown" => (0.0, step),
            "Space" if !on_control => return self.click_aim(mods, repeat),
            "Enter" | "NumpadEnter" if !on_control && !mods.ctrl && (mods.shift || mods.alt) => {
                return self.click_aim(mods, repeat);
            }
            _ => return false,
        };
        // With Ctrl they resize the selection.
        !mods.ctrl && self.edit(|e| e.move_aim(dx, dy, mods.alt)).unwrap_or(false)
    }

    fn click_aim(self, mods: Mods, repeat: bool) -> bool {
        let mods = self.or_several(mods);
        repeat || self.edit(|e| e.click_aim(mods)).unwrap_or(false)
    }

    /// Presses the keyboard's pointer and holds it down, or lets it go. Says whether it is shown.
    pub fn hold_aim(self, mods: Mods) -> bool {
        let mods = self.or_several(mods);
        self.edit(|e| e.press_aim(mods)).unwrap_or(false)
    }

    /// While several are picked a click adds, as with Shift.
    pub fn or_several(self, mods: Mods) -> Mods {
        let adds = self.several.get_untracked() && self.read(|s| s.editor.tool()) == Some(Tool::Select);
        Mods {
            shift: mods.shift || adds,
            ..mods
        }
    }
}
