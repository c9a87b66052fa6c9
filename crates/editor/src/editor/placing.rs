//! Boxes and ellipses told by a drag or by two clicks. Between the clicks one may pan and zoom, with fingers too.

use super::gesture::{CLICK, Gesture};
use super::{Editor, Pointer, Tool};
use crate::snap::{MIN_SIDE, drawn};
use limn_domain::{AnnotationId, Point, Rect, Shape, TurnedRect};

/// The first click is done, the second is to come. It is no gesture: those that move the view come in between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placing {
    from: Point,
    /// As far as the pointer was seen.
    rect: Rect,
}

impl Editor {
    /// The box being drawn.
    pub fn draft(&self) -> Option<Rect> {
        self.gesture.draft().or_else(|| self.placing.map(|p| p.rect))
    }

    /// The first of two clicks that tell a box, while the second is awaited.
    pub fn first_corner(&self) -> Option<Point> {
        self.placing.map(|p| p.from)
    }

    /// A press begins a box: at its first corner, or, with a finger that comes back to tell the second, at the one that was told.
    pub(super) fn draw_press(&mut self, p: &Pointer) {
        let from = match self.placing {
            Some(placing) => placing.from,
            None => self.snap(p.mods.alt).point(self.view.to_image(p.at)),
        };
        self.gesture = Gesture::Draw {
            from,
            pressed: p.at,
            rect: Rect::new(from.x, from.y, 0.0, 0.0),
        };
        if self.placing.is_some() {
            self.track_draw(p);
        }
    }

    /// The second click, at its press.
    pub(super) fn place(&mut self, p: &Pointer) {
        self.draw_press(p);
        self.placing = None;
        self.finish_draw();
    }

    /// The press is over that began at `from`: a click is the first of two, a drag or a second click tells the box.
    pub(super) fn draw_release(&mut self, p: &Pointer, from: Point, pressed: Point, rect: Rect) {
        let clicked = pressed.distance(p.at) < CLICK;
        let first = self.placing.take().is_none();
        if clicked && first && self.tool == Tool::Keypoints {
            // A click sets the first keypoint; a drag puts the whole skeleton into the frame.
            let (reach, _) = self.reach(p.kind);
            self.outline_press(p, reach);
            self.outline_release();
        } else if clicked && first {
            self.placing = Some(Placing { from, rect });
        } else {
            self.gesture = Gesture::Draw { from, pressed, rect };
            self.track_draw(p);
            self.finish_draw();
        }
    }

    /// The pointer moves between the two clicks.
    pub(super) fn track_placing(&mut self, p: &Pointer) {
        if let Some(Placing { from, .. }) = self.placing {
            let rect = self.reaching(from, p);
            self.placing = Some(Placing { from, rect });
        }
    }

    pub(super) fn track_draw(&mut self, p: &Pointer) {
        let Gesture::Draw { from, .. } = self.gesture else {
            return;
        };
        let to = self.reaching(from, p);
        if let Gesture::Draw { rect, .. } = &mut self.gesture {
            *rect = to;
        }
    }

    /// The box from a corner to the pointer.
    fn reaching(&self, from: Point, p: &Pointer) -> Rect {
        // Alt draws from the centre, so it cannot also switch snapping off here.
        let snap = self.snap(false);
        drawn(from, self.view.to_image(p.at), p.mods.shift, p.mods.alt, snap)
    }

    fn finish_draw(&mut self) {
        let Gesture::Draw { rect, .. } = std::mem::replace(&mut self.gesture, Gesture::Idle) else {
            return;
        };
        if rect.w < MIN_SIDE || rect.h < MIN_SIDE {
            return;
        }
        match self.tool {
            Tool::Ellipse => {
                let rect = TurnedRect::upright(rect);
                self.add_shape(Shape::Ellipse { rect });
            }
            Tool::Keypoints => {
                if let Some(skeleton) = self.skeleton() {
                    let keypoints = skeleton.placed(rect);
                    self.add_shape(Shape::Keypoints { keypoints });
                }
            }
            _ => {
                self.last_size = (rect.w, rect.h);
                self.add_box(rect);
            }
        }
    }

    /// Adds a box of the current category on top and selects it. Nothing happens without a category.
    pub fn add_box(&mut self, rect: Rect) -> Option<AnnotationId> {
        self.add_shape(Shape::Box { rect })
    }
}
