//! How gestures end without effect: taken away by the system, dropped, or none to begin with.

use super::gesture::Gesture;
use super::{Aim, Editor};

impl Editor {
    /// The pointer was taken away (a system gesture, a lost capture): the gesture ends without effect.
    pub fn pointer_cancel(&mut self, id: i32) {
        self.touches.remove(&id);
        if self.pen.is_some_and(|pen| pen != id) {
            // The hand beside the pen, as the browser found out too.
            return;
        }
        self.pen = None;
        self.outline_release();
        self.smart_unpress();
        self.gesture = Gesture::Idle;
        self.epochs.look += 1;
    }

    /// The annotations are others than before: a drag of a shape ends without effect, since it holds on to what was; what is
    /// being drawn goes on.
    pub(super) fn keep_drawing(&mut self) {
        self.relating = self.relating.filter(|id| self.doc.contains(*id));
        match &mut self.gesture {
            Gesture::Paint(stroke) => stroke.target = stroke.target.filter(|id| self.doc.contains(*id)),
            Gesture::Idle
            | Gesture::Pan { .. }
            | Gesture::Pinch { .. }
            | Gesture::Smart(_)
            | Gesture::Marquee { .. }
            | Gesture::Draw { .. } => {}
            Gesture::Trace(_) => {
                self.gesture = Gesture::Idle;
                self.outline_release();
            }
            Gesture::Press { .. }
            | Gesture::Move { .. }
            | Gesture::Resize { .. }
            | Gesture::Stretch { .. }
            | Gesture::Turn { .. }
            | Gesture::Reshape { .. } => self.gesture = Gesture::Idle,
        }
        self.outline_goes_on();
        self.smart_goes_on();
        self.epochs.look += 1;
    }

    /// What a press has begun is none: a second finger came, or the pen.
    pub(super) fn unpress(&mut self) {
        self.smart_unpress();
        if let Gesture::Trace(before) = std::mem::replace(&mut self.gesture, Gesture::Idle) {
            self.outline_unpress(*before);
        }
    }

    /// The pointer left the canvas. The keyboard's stays.
    pub fn pointer_leave(&mut self) {
        if !self.is_busy() && self.aim.is_none() {
            self.pointer = None;
            self.hover = None;
            self.epochs.look += 1;
        }
    }

    /// Ends a gesture or an outline without effect; says whether there was one.
    pub fn cancel(&mut self) -> bool {
        let was = self.is_busy() || self.relating.is_some();
        self.relating = None;
        self.gesture = Gesture::Idle;
        self.placing = None;
        self.outline = None;
        self.aim = self.aim.map(Aim::lifted);
        self.drop_smart();
        if was {
            self.epochs.look += 1;
        }
        was
    }
}
