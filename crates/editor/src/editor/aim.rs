//! A pointer that keys move. What it does are the very events of a mouse, so that every tool works with it.

use super::gesture::Gesture;
use super::{Button, Editor, Mods, Pointer, PointerKind, Tool};
use crate::hit::Hit;
use limn_domain::{AnnotationId, Point, Rect};

/// As browsers number events that no device made.
const ID: i32 = -1;
/// The view goes along when the pointer comes this close to its edge, in screen pixels.
const EDGE: f64 = 32.0;

/// The keyboard's pointer while it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// Where it is, in screen pixels from the canvas's top left.
    pub at: Point,
    /// The modifiers it was pressed with, as long as it is held down.
    held: Option<Mods>,
}

impl Aim {
    /// Whether it is held down.
    pub const fn is_pressed(&self) -> bool {
        self.held.is_some()
    }

    /// The same, not held down.
    #[must_use]
    pub(super) const fn lifted(self) -> Self {
        Self { held: None, ..self }
    }
}

/// How far the view goes along one axis when the pointer at `at` makes a step: by what the step reaches into the margin, and
/// only until the end of the image (`start` and `end`, on the screen) has come into view.
fn follow(at: f64, step: f64, length: f64, (start, end): (f64, f64)) -> f64 {
    let edge = EDGE.min(length / 4.0);
    let to = at + step;
    if step < 0.0 && to < edge {
        (edge - to).min(-step).min(edge - start).max(0.0)
    } else if step > 0.0 && to > length - edge {
        (length - edge - to).max(-step).max(length - edge - end).min(0.0)
    } else {
        0.0
    }
}

const fn event(at: Point, mods: Mods) -> Pointer {
    Pointer {
        id: ID,
        kind: PointerKind::Mouse,
        at,
        button: Button::Primary,
        mods,
    }
}

impl Editor {
    /// The keyboard's pointer, while it is shown.
    pub const fn aim(&self) -> Option<Aim> {
        self.aim
    }

    /// Shows the keyboard's pointer in the middle of the selection where that is in view, else of the view; or takes it away.
    /// While something is dragged with another pointer nothing happens.
    pub fn toggle_aim(&mut self) {
        if self.hide_aim() || !matches!(self.gesture, Gesture::Idle) {
            return;
        }
        let screen = self.view.screen();
        let middle = Point::new(screen.width / 2.0, screen.height / 2.0);
        let at = self
            .selected_rect()
            .map(Rect::center)
            .filter(|p| self.view.sees(*p))
            .map_or(middle, |p| self.view.to_screen(p));
        let at = Point::new(at.x.round(), at.y.round());
        self.aim = Some(Aim { at, held: None });
        self.pointer_move(event(at, Mods::default()));
        self.epochs.look += 1;
    }

    /// Takes the keyboard's pointer away; what it holds is let go where it is. Says whether it was shown.
    pub fn hide_aim(&mut self) -> bool {
        let Some(aim) = self.aim.take() else {
            return false;
        };
        if let Some(mods) = aim.held {
            self.pointer_up(event(aim.at, mods));
        }
        self.pointer_leave();
        self.epochs.look += 1;
        true
    }

    /// Moves the keyboard's pointer by screen pixels; near the edge of the view that goes along. `alt` is held as well. Says
    /// whether the pointer is shown.
    pub fn move_aim(&mut self, dx: f64, dy: f64, alt: bool) -> bool {
        let Some(aim) = self.aim else {
            return false;
        };
        let (screen, size) = (self.view.screen(), self.doc.size());
        let mut along = (0.0, 0.0);
        // The hand moves the view itself.
        if !matches!(self.gesture, Gesture::Pan { .. }) {
            let image = self
                .view
                .rect_to_screen(Rect::new(0.0, 0.0, size.width, size.height));
            along = (
                follow(aim.at.x, dx, screen.width, (image.x, image.right())),
                follow(aim.at.y, dy, screen.height, (image.y, image.bottom())),
            );
        }
        if along != (0.0, 0.0) {
            let before = self.view.offset();
            self.view.pan(along.0, along.1);
            let after = self.view.offset();
            along = (after.x - before.x, after.y - before.y);
            self.gesture.carry(along.0, along.1);
            self.epochs.view += 1;
        }
        let at = Point::new(
            (aim.at.x + dx + along.0).clamp(0.0, screen.width.max(0.0)),
            (aim.at.y + dy + along.1).clamp(0.0, screen.height.max(0.0)),
        );
        self.aim = Some(Aim { at, ..aim });
        let held = aim.held.unwrap_or_default();
        let mods = Mods {
            alt: alt || held.alt,
            ..held
        };
        self.pointer_move(event(at, mods));
        self.epochs.look += 1;
        true
    }

    /// Presses the keyboard's pointer and holds it down, with these modifiers until it is let go; pressed again it is let go.
    /// Says whether the pointer is shown.
    pub fn press_aim(&mut self, mods: Mods) -> bool {
        let Some(aim) = self.aim else {
            return false;
        };
        if let Some(held) = aim.held {
            self.aim = Some(aim.lifted());
            self.pointer_up(event(
                aim.at,
                Mods {
                    ctrl: held.ctrl || mods.ctrl,
                    shift: held.shift || mods.shift,
                    alt: held.alt || mods.alt,
                },
            ));
        } else {
            self.aim = Some(Aim {
                held: Some(mods),
                ..aim
            });
            let p = event(aim.at, mods);
            // The view may be another one since the last move.
            self.pointer_move(p);
            self.pointer_down(p);
            if matches!(self.gesture, Gesture::Idle) {
                // It has begun nothing that could be dragged.
                self.aim = Some(aim);
                self.pointer_up(p);
            }
        }
        self.epochs.look += 1;
        true
    }

    /// Clicks with the keyboard's pointer; one that is held down is let go. Says whether the pointer is shown.
    pub fn click_aim(&mut self, mods: Mods) -> bool {
        if !self.press_aim(mods) {
            return false;
        }
        if self.aim.is_some_and(|a| a.is_pressed()) {
            self.press_aim(mods);
        }
        true
    }

    /// What lies under the keyboard's pointer, and whether that is a grip of the selected shape.
    pub fn under_aim(&self) -> Option<(AnnotationId, bool)> {
        let hit = self.hit_at(&event(self.aim?.at, Mods::default()))?;
        let grip = self.tool == Tool::Select && !matches!(hit, Hit::Edge(_) | Hit::Inside(_));
        Some((hit.id(), grip))
    }
}
