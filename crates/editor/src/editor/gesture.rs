//! Pointers: one state machine for mouse, pen and touch. A drag changes the document once, when it ends.

use super::{Button, Editor, Pointer, PointerKind, Tool};
use crate::command::Command;
use crate::hit::{Handle, Hit, hit};
use crate::shape::{self, Corner, placed};
use crate::snap::{MIN_SIDE, clamp_shift, drawn, resized};
use limn_domain::polygon::Part;
use limn_domain::{Annotation, AnnotationId, Point, Rect, Shape};

/// Screen pixels a pointer may travel and still have clicked.
const CLICK: f64 = 4.0;

/// What the pointer should look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    Default,
    Crosshair,
    Grab,
    Grabbing,
    Move,
    /// A grip, by the edges it moves.
    Resize(Handle),
}

impl Cursor {
    /// The CSS keyword.
    pub const fn css(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Crosshair => "crosshair",
            Self::Grab => "grab",
            Self::Grabbing => "grabbing",
            Self::Move => "move",
            Self::Resize(h) => match h.sides() {
                (0, _) => "ns-resize",
                (_, 0) => "ew-resize",
                (a, b) if a == b => "nwse-resize",
                _ => "nesw-resize",
            },
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Gesture {
    Idle,
    Pan {
        last: Point,
    },
    Pinch {
        a: (i32, Point),
        b: (i32, Point),
    },
    /// Pressed on a shape; becomes a move when the pointer travels.
    Press {
        at: Point,
        on: AnnotationId,
        /// The click narrows the selection to this shape when it ends without travel.
        narrow: bool,
    },
    Move {
        from: Point,
        boxes: Vec<(AnnotationId, Rect)>,
        shift: (f64, f64),
    },
    Resize {
        id: AnnotationId,
        handle: Handle,
        rect: Rect,
        /// From the pointer to the grip, so that the grip does not jump.
        grip: Point,
        now: Rect,
    },
    /// A corner of a polygon on its way.
    Reshape {
        id: AnnotationId,
        corner: Corner,
        parts: Vec<Part>,
        /// From the pointer to the corner, so that the corner does not jump.
        grip: Point,
        moved: bool,
    },
    /// A press with the polygon tool, until it is released.
    Trace,
    Marquee {
        from: Point,
        rect: Rect,
        add: bool,
    },
    Draw {
        from: Point,
        pressed: Point,
        rect: Rect,
        /// The first click is done, the second is to come.
        placing: bool,
    },
}

impl Gesture {
    pub(super) fn preview(&self, a: &Annotation) -> Option<Shape> {
        match self {
            Self::Resize { id, now, .. } if *id == a.id => placed(&a.shape, *now),
            Self::Move { boxes, shift, .. } => boxes
                .iter()
                .find(|(i, _)| *i == a.id)
                .and_then(|(_, r)| placed(&a.shape, Rect::new(r.x + shift.0, r.y + shift.1, r.w, r.h))),
            Self::Reshape { id, parts, .. } if *id == a.id => Some(Shape::Polygon { parts: parts.clone() }),
            _ => None,
        }
    }

    pub(super) fn draft(&self) -> Option<Rect> {
        match self {
            Self::Draw { rect, .. } => Some(*rect),
            _ => None,
        }
    }

    pub(super) const fn marquee(&self) -> Option<Rect> {
        match self {
            Self::Marquee { rect, .. } => Some(*rect),
            _ => None,
        }
    }
}

impl Editor {
    fn reach(&self, kind: PointerKind) -> (f64, f64) {
        let (reach, slack) = match kind {
            PointerKind::Touch => (22.0, 10.0),
            PointerKind::Pen => (11.0, 6.0),
            PointerKind::Mouse => (7.0, 4.0),
        };
        (reach / self.view.scale(), slack / self.view.scale())
    }

    fn hit_at(&self, p: &Pointer) -> Option<Hit> {
        let (reach, slack) = self.reach(p.kind);
        hit(
            &self.doc,
            &self.layers,
            self.selection.single(),
            self.view.to_image(p.at),
            reach,
            slack,
        )
    }

    /// The tool that a press would use now.
    fn active_tool(&self, p: &Pointer) -> Tool {
        if self.hold_pan || p.button == Button::Middle {
            Tool::Pan
        } else if self.tool.draws() && (p.mods.ctrl || self.read_only) {
            Tool::Select
        } else {
            self.tool
        }
    }

    pub fn pointer_down(&mut self, p: Pointer) {
        self.history.seal();
        self.epochs.look += 1;
        if p.kind == PointerKind::Touch {
            self.touches.insert(p.id, p.at);
            if self.touches.len() == 2 {
                let mut t = self.touches.iter().map(|(id, at)| (*id, *at));
                if let (Some(a), Some(b)) = (t.next(), t.next()) {
                    self.gesture = Gesture::Pinch { a, b };
                }
                return;
            }
            if self.touches.len() > 2 {
                return;
            }
        }
        if p.button == Button::Secondary {
            return;
        }
        let at = self.view.to_image(p.at);
        self.pointer = Some(at);
        if let Gesture::Draw { placing: true, .. } = self.gesture
            && p.button == Button::Primary
            && !self.hold_pan
        {
            self.track_draw(&p);
            self.finish_draw();
            return;
        }
        match self.active_tool(&p) {
            Tool::Pan => {
                // A box being placed by clicks survives a look around.
                if !matches!(self.gesture, Gesture::Draw { placing: true, .. }) {
                    self.gesture = Gesture::Pan { last: p.at };
                    self.cursor = Cursor::Grabbing;
                }
            }
            Tool::Box => {
                let from = self.snap(p.mods.alt).point(at);
                self.gesture = Gesture::Draw {
                    from,
                    pressed: p.at,
                    rect: Rect::new(from.x, from.y, 0.0, 0.0),
                    placing: false,
                };
            }
            Tool::Polygon => {
                let (reach, _) = self.reach(p.kind);
                self.outline_press(&p, reach * 1.5);
                self.gesture = Gesture::Trace;
            }
            Tool::Select => self.press(&p, at),
        }
    }

    /// A press on a corner of the selected polygon, or on the middle of a side, where it makes a new one. With Alt the
    /// corner goes.
    fn press_corner(&mut self, id: AnnotationId, corner: Corner, at: Point, middle: bool, alt: bool) {
        let Some(Shape::Polygon { parts }) = self.doc.get(id).map(|a| &a.shape) else {
            return;
        };
        if alt && !middle {
            if let Some(parts) = shape::without_corner(parts, corner) {
                self.reshape(id, parts);
            }
            return;
        }
        let mut parts = parts.clone();
        let corner = if middle {
            shape::insert_corner(&mut parts, corner, at)
        } else {
            Some(corner)
        };
        let Some((corner, to)) = corner.and_then(|c| Some((c, shape::corner(&parts, c)?))) else {
            return;
        };
        self.gesture = Gesture::Reshape {
            id,
            corner,
            parts,
            grip: Point::new(to.x - at.x, to.y - at.y),
            moved: false,
        };
    }

    fn press(&mut self, p: &Pointer, at: Point) {
        match self.hit_at(p) {
            Some(Hit::Handle(id, handle)) if !self.read_only => {
                if let Some(rect) = self.doc.bounds(id) {
                    let g = handle.at(rect);
                    self.gesture = Gesture::Resize {
                        id,
                        handle,
                        rect,
                        grip: Point::new(g.x - at.x, g.y - at.y),
                        now: rect,
                    };
                }
            }
            Some(Hit::Corner(id, c)) if !self.read_only => self.press_corner(id, c, at, false, p.mods.alt),
            Some(Hit::Middle(id, c)) if !self.read_only => self.press_corner(id, c, at, true, p.mods.alt),
            Some(h) => {
                let id = h.id();
                let was = self.selection.contains(id);
                if p.mods.shift {
                    self.selection.toggle(id);
                } else if !was {
                    self.selection.set(id);
                }
                self.epochs.selection += 1;
                if self.selection.contains(id) {
                    self.gesture = Gesture::Press {
                        at: p.at,
                        on: id,
                        narrow: was && !p.mods.shift,
                    };
                }
            }
            None if p.kind == PointerKind::Touch => self.gesture = Gesture::Pan { last: p.at },
            None => {
                self.gesture = Gesture::Marquee {
                    from: at,
                    rect: Rect::new(at.x, at.y, 0.0, 0.0),
                    add: p.mods.shift,
                };
            }
        }
    }

    pub fn pointer_move(&mut self, p: Pointer) {
        let at = self.view.to_image(p.at);
        self.pointer = Some(at);
        if p.kind == PointerKind::Touch
            && let Some(t) = self.touches.get_mut(&p.id)
        {
            *t = p.at;
        }
        let snap = self.snap(p.mods.alt);
        if self.outline.is_some() {
            let (reach, _) = self.reach(p.kind);
            self.outline_move(&p, reach * 1.5);
        }
        match &mut self.gesture {
            Gesture::Idle => {
                let look = (self.hover, self.cursor);
                self.look_under(&p);
                if look != (self.hover, self.cursor) || self.tool.draws() {
                    self.epochs.look += 1;
                }
                return;
            }
            Gesture::Pan { last } => {
                let (dx, dy) = (p.at.x - last.x, p.at.y - last.y);
                *last = p.at;
                self.view.pan(dx, dy);
                self.epochs.view += 1;
            }
            Gesture::Pinch { .. } => self.pinch(),
            Gesture::Press { at: pressed, .. } => {
                let pressed = *pressed;
                if pressed.distance(p.at) >= CLICK && !self.read_only {
                    let from = self.view.to_image(pressed);
                    let boxes: Vec<_> = self
                        .selection
                        .iter()
                        .filter_map(|id| self.doc.get(id))
                        .filter(|a| self.layers.can_edit(a))
                        .filter_map(|a| self.doc.bounds(a.id).map(|r| (a.id, r)))
                        .collect();
                    self.gesture = Gesture::Move {
                        from,
                        boxes,
                        shift: (0.0, 0.0),
                    };
                    self.cursor = Cursor::Move;
                    self.pointer_move(p);
                }
            }
            Gesture::Move { from, boxes, shift } => {
                let (mut dx, mut dy) = (at.x - from.x, at.y - from.y);
                if p.mods.shift {
                    if dx.abs() > dy.abs() {
                        dy = 0.0;
                    } else {
                        dx = 0.0;
                    }
                }
                if !snap.free {
                    // Whole pixels where they are visible, tenths elsewhere: sizes stay, places get short numbers.
                    let unit = if snap.scale >= crate::snap::PIXEL_SCALE {
                        1.0
                    } else {
                        10.0
                    };
                    dx = (dx * unit).round() / unit;
                    dy = (dy * unit).round() / unit;
                }
                *shift = clamp_shift(boxes.iter().map(|b| b.1), dx, dy, snap.image);
            }
            Gesture::Resize {
                handle,
                rect,
                grip,
                now,
                ..
            } => {
                let to = Point::new(at.x + grip.x, at.y + grip.y);
                *now = resized(*rect, *handle, to, p.mods.shift, snap);
            }
            Gesture::Reshape {
                corner,
                parts,
                grip,
                moved,
                ..
            } => {
                let to = snap.point(Point::new(at.x + grip.x, at.y + grip.y));
                shape::set_corner(parts, *corner, to);
                *moved = true;
            }
            Gesture::Trace => {}
            Gesture::Marquee { from, rect, .. } => *rect = Rect::from_corners(*from, at),
            Gesture::Draw { .. } => self.track_draw(&p),
        }
        self.epochs.look += 1;
    }

    fn track_draw(&mut self, p: &Pointer) {
        let at = self.view.to_image(p.at);
        // Alt draws from the centre, so it cannot also switch snapping off here.
        let snap = self.snap(false);
        if let Gesture::Draw { from, rect, .. } = &mut self.gesture {
            *rect = drawn(*from, at, p.mods.shift, p.mods.alt, snap);
        }
    }

    pub fn pointer_up(&mut self, p: Pointer) {
        self.touches.remove(&p.id);
        self.epochs.look += 1;
        match std::mem::replace(&mut self.gesture, Gesture::Idle) {
            Gesture::Idle | Gesture::Pan { .. } => {}
            Gesture::Pinch { a, b } => {
                // The other finger goes on as a pan.
                let rest = [a.0, b.0].into_iter().find(|id| *id != p.id);
                if let Some(at) = rest.and_then(|id| self.touches.get(&id)) {
                    self.gesture = Gesture::Pan { last: *at };
                }
            }
            Gesture::Press { on, narrow, .. } => {
                if narrow && self.selection.len() > 1 {
                    self.selection.set(on);
                    self.epochs.selection += 1;
                } else if narrow && p.mods.alt {
                    self.dig(&p, on);
                }
            }
            Gesture::Move { boxes, shift, .. } => {
                if shift != (0.0, 0.0) {
                    let to = boxes
                        .into_iter()
                        .map(|(id, r)| (id, Rect::new(r.x + shift.0, r.y + shift.1, r.w, r.h)));
                    self.run(Command::Move(to.collect()));
                }
            }
            Gesture::Resize { id, now, rect, .. } => {
                if now != rect {
                    self.last_size = (now.w, now.h);
                    self.run(Command::Resize(id, now));
                }
            }
            Gesture::Reshape { id, parts, moved, .. } => {
                if moved {
                    self.reshape(id, parts);
                }
            }
            Gesture::Trace => self.outline_release(),
            Gesture::Marquee { rect, add, .. } => self.select_in(rect, add),
            Gesture::Draw {
                from,
                pressed,
                rect,
                placing,
            } => {
                self.gesture = Gesture::Draw {
                    from,
                    pressed,
                    rect,
                    placing,
                };
                if placing {
                    // The release of a pan by middle mouse or held key.
                } else if pressed.distance(p.at) < CLICK {
                    self.gesture = Gesture::Draw {
                        from,
                        pressed,
                        rect,
                        placing: true,
                    };
                } else {
                    self.track_draw(&p);
                    self.finish_draw();
                }
            }
        }
        self.look_under(&p);
    }

    /// Alt and a click on the selected shape: the next one below at the same place.
    fn dig(&mut self, p: &Pointer, on: AnnotationId) {
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

    /// The pointer was taken away (a system gesture, a lost capture): the gesture ends without effect.
    pub fn pointer_cancel(&mut self, id: i32) {
        self.touches.remove(&id);
        self.outline_release();
        self.gesture = Gesture::Idle;
        self.epochs.look += 1;
    }

    /// The pointer left the canvas.
    pub fn pointer_leave(&mut self) {
        if !self.is_busy() {
            self.pointer = None;
            self.hover = None;
            self.epochs.look += 1;
        }
    }

    /// Ends a gesture or an outline without effect; says whether there was one.
    pub fn cancel(&mut self) -> bool {
        let was = self.is_busy();
        self.gesture = Gesture::Idle;
        self.outline = None;
        if was {
            self.epochs.look += 1;
        }
        was
    }

    fn pinch(&mut self) {
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

    fn look_under(&mut self, p: &Pointer) {
        let (hover, cursor) = match self.active_tool(p) {
            Tool::Pan => (None, Cursor::Grab),
            Tool::Box | Tool::Polygon => (None, Cursor::Crosshair),
            Tool::Select => match self.hit_at(p) {
                Some(Hit::Handle(id, h)) if !self.read_only => (Some(Hit::Handle(id, h)), Cursor::Resize(h)),
                Some(h @ (Hit::Corner(..) | Hit::Middle(..))) if !self.read_only => {
                    (Some(h), Cursor::Crosshair)
                }
                Some(h) => (Some(h), Cursor::Move),
                None => (None, Cursor::Default),
            },
        };
        self.hover = hover;
        self.cursor = cursor;
    }

    /// Selects what the frame touches; a frame that is only a click selects nothing.
    fn select_in(&mut self, frame: Rect, add: bool) {
        let tiny = frame.w.max(frame.h) * self.view.scale() < CLICK;
        if !add {
            self.selection.clear();
        }
        if !tiny {
            let ids: Vec<AnnotationId> = self
                .doc
                .near(frame)
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

    fn finish_draw(&mut self) {
        let Gesture::Draw { rect, .. } = std::mem::replace(&mut self.gesture, Gesture::Idle) else {
            return;
        };
        if rect.w >= MIN_SIDE && rect.h >= MIN_SIDE {
            self.last_size = (rect.w, rect.h);
            self.add_box(rect);
        }
    }

    /// Adds a box of the current category on top and selects it. Nothing happens without a category.
    pub fn add_box(&mut self, rect: Rect) -> Option<AnnotationId> {
        self.add_shape(Shape::Box { rect })
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
