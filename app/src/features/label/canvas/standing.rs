//! When shapes that stand still are drawn into their layer, and how many of them in a frame.

use super::backdrop::{self, Crowd, Part, Room};
use super::layer::Layer;
use super::paint::Painter;
use crate::features::label::desk::Sheet;
use limn_domain::{Annotation, CategoryId};
use limn_editor::Viewport;
use web_sys::CanvasRenderingContext2d as Context;

/// Milliseconds of a frame in which the script may tell a layer's canvas what shapes to draw, whatever the browser takes for it.
const SLICE: f64 = 6.0;
/// Frames for which shapes wait while all their time goes to the picture: when new tiles come without end, both have to go on.
const WAITS: u8 = 8;

/// Whether shapes are drawn into the layer of those that stand still.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Turn {
    /// Not in this frame: the picture takes its time.
    Waits,
    /// Beside the picture. How long it takes says nothing.
    Beside,
    /// The frame, from this moment on, is theirs.
    Own(f64),
    /// The next frame of a video may come before these are drawn: all of them now.
    Hurries,
}

impl Painter {
    /// Whether shapes that stand still are drawn in a frame that the picture may have taken up.
    pub(super) fn turn_of_shapes(&self, s: &Sheet, busy: bool, began: f64) -> Turn {
        let waited = self.waited.replace(0);
        if s.editor.frames().is_some() {
            Turn::Hurries
        } else if !busy {
            Turn::Own(began)
        } else if waited < WAITS {
            self.waited.set(waited + 1);
            Turn::Waits
        } else {
            Turn::Beside
        }
    }

    /// Draws on at the shapes that stand still, and shows them when all are drawn, which is work for a frame of its own unless they are
    /// few. Whether they are shown.
    pub(super) fn draw_crowd<'a>(
        &self,
        standing: &mut Layer<backdrop::Key>,
        drawing: &mut Crowd,
        s: &Sheet,
        turn: Turn,
        look: &impl Fn(&CategoryId) -> (&'a str, &'a str),
        each: &impl Fn(&Context, &Viewport, &[&Annotation], Part),
    ) -> bool {
        if turn == Turn::Waits {
            return false;
        }
        let room = if turn == Turn::Hurries {
            Room {
                units: usize::MAX,
                until: f64::INFINITY,
            }
        } else {
            Room {
                units: self.paces.borrow().units(drawing.work),
                until: js_sys::Date::now() + SLICE,
            }
        };
        let mut drawn = 0;
        if !drawing.is_done() {
            let Some(to) = standing.sketch() else {
                return false;
            };
            drawn = drawing.step(&to, s, &self.outlines, look, each, room);
            if let Turn::Own(began) = turn {
                self.paces.borrow_mut().drew(began, drawing.work, drawn);
            }
        }
        let shows = drawing.is_done() && drawn <= room.units / 2;
        if shows {
            standing.finish(drawing.key, &drawing.view);
            self.left_out.replace(std::mem::take(&mut drawing.without));
        }
        shows
    }
}
