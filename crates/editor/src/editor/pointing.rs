//! What the pointer is over, and looking around with it.

use super::gesture::{CLICK, Gesture};
use super::{Cursor, Editor, Pointer, Tool};
use crate::hit::Hit;
use crate::viewport::STEP;
use limn_domain::{Annotation, AnnotationId, Point, Rect};

impl Editor {
    /// Alt and a click on the selected shape: the next one below at the same place.
    pub(super) fn dig(&mut self, p: &Pointer, on: AnnotationId) {
        let at = self.view.to_image(p.at);
        let mut here: Vec<&Annotation> = self
            .doc
            .near(Rect::new(at.x, at.y, 0.0, 0.0))
            .into_iter()
            .filter(|a| self.layers.can_edit(a))
            .collect();
        here.sort_by(|a, b| {
            let area = |x: &Annotation| self.doc.bounds(x.id).map_or(0.0, Rect::area);
            area(a)
                .total_cmp(&area(b))
                .then_with(|| (b.z, b.id).cmp(&(a.z, a.id)))
        });
        if let Some(i) = here.iter().position(|a| a.id == on) {
            let next = here[(i + 1) % here.len()].id;
            self.selection.set(next);
            self.epochs.selection += 1;
        }
    }

    pub(super) fn pinch(&mut self) {
        let Gesture::Pinch { a, b } = &mut self.gesture else {
            return;
        };
        let (Some(na), Some(nb)) = (self.touches.get(&a.0), self.touches.get(&b.0)) else {
            return;
        };
        let middle = |a: Point, b: Point| Point::new(f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y));
        let (old, new) = (middle(a.1, b.1), middle(*na, *nb));
        let factor = na.distance(*nb) / a.1.distance(b.1).max(1.0);
        a.1 = *na;
        b.1 = *nb;
        self.view.pan(new.x - old.x, new.y - old.y);
        self.view.zoom_at(new, factor);
        self.epochs.view += 1;
    }

    pub(super) fn look_under(&mut self, p: &Pointer) {
        let (hover, cursor) = match self.active_tool(p) {
            Tool::Pan => (None, Cursor::Grab),
            Tool::Select => match self.hit_at(p) {
                Some(Hit::Handle(id, h)) if !self.read_only => (
                    Some(Hit::Handle(id, h)),
                    Cursor::Resize(self.turned_handle(id, h)),
                ),
                Some(h @ Hit::Turn(_)) if !self.read_only => (Some(h), Cursor::Turn),
                Some(h @ (Hit::Corner(..) | Hit::Middle(..))) if !self.read_only => {
                    (Some(h), Cursor::Crosshair)
                }
                Some(h) => (Some(h), Cursor::Move),
                None => (None, Cursor::Default),
            },
            _ => (None, Cursor::Crosshair),
        };
        self.hover = hover;
        self.cursor = cursor;
    }

    /// Selects what the frame touches; a frame that is only a click selects nothing.
    pub(super) fn select_in(&mut self, frame: Rect, add: bool) {
        let tiny = frame.w.max(frame.h) * self.view.scale() < CLICK;
        if !add {
            self.selection.clear();
        }
        if !tiny {
            // Lowest first, so that what is done to the first one is done to the same one each time.
            let ids: Vec<AnnotationId> = self
                .doc
                .in_window(frame)
                .into_iter()
                .filter(|a| self.layers.can_edit(a))
                .map(|a| a.id)
                .collect();
            for id in ids {
                self.selection.add(id);
            }
        }
        self.epochs.selection += 1;
    }

    /// Zooms by one step, about the keyboard's pointer where that is shown.
    pub fn zoom_step(&mut self, inward: bool) {
        match self.aim {
            Some(aim) => self.view.zoom_at(aim.at, if inward { STEP } else { 1.0 / STEP }),
            None => self.view.step(inward),
        }
        self.epochs.view += 1;
    }

    /// The wheel: zooms at the pointer; with Shift pans sideways.
    pub fn wheel(&mut self, at: Point, dx: f64, dy: f64, shift: bool) {
        if shift {
            self.view.pan(-dx - dy, 0.0);
        } else {
            self.view.zoom_at(at, (-dy.clamp(-400.0, 400.0) * 0.0022).exp());
            if dx.abs() > dy.abs() {
                self.view.pan(-dx, 0.0);
            }
        }
        self.epochs.view += 1;
    }
}
