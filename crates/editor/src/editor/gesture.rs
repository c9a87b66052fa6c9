//! Pointers: one state machine for mouse, pen and touch. A drag changes the document once, when it ends.

use super::brush::Stroke;
use super::outline::Before;
use super::smart::Hand;
use super::{Button, Editor, Pointer, PointerKind, Tool};
use crate::command::Command;
use crate::hit::{Handle, Hit, grip, hit};
use crate::shape::{self, Corner, placed};
use crate::snap::{clamp_shift, resized};
use limn_domain::{Annotation, AnnotationId, Point, Rect, Shape, TurnedRect};

/// Screen pixels a pointer may travel and still have clicked.
pub(super) const CLICK: f64 = 4.0;

/// What the pointer should look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    Default,
    Crosshair,
    Grab,
    Grabbing,
    Move,
    /// The grip that turns a shape.
    Turn,
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
            Self::Turn => "alias",
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
        /// By their ids: each one that is drawn is looked up.
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
    /// A grip of a turned box or ellipse; `of` is the shape as it was.
    Stretch {
        id: AnnotationId,
        handle: Handle,
        of: Shape,
        rect: TurnedRect,
        grip: Point,
        now: TurnedRect,
    },
    /// A box or ellipse being turned.
    Turn {
        id: AnnotationId,
        of: Shape,
        now: TurnedRect,
    },
    /// A point of a shape on its way.
    Reshape {
        id: AnnotationId,
        corner: Corner,
        shape: Shape,
        /// From the pointer to the corner, so that the corner does not jump.
        grip: Point,
        moved: bool,
    },
    /// A press with a tool that sets corners, until it is released.
    Trace(Box<Before>),
    /// A press with a smart tool, until it is released.
    Smart(Hand),
    /// The brush or the eraser is down.
    Paint(Stroke),
    Marquee {
        from: Point,
        rect: Rect,
        add: bool,
    },
    Draw {
        from: Point,
        pressed: Point,
        rect: Rect,
    },
}

impl Gesture {
    pub(super) fn preview(&self, a: &Annotation) -> Option<Shape> {
        match self {
            Self::Resize { id, now, .. } if *id == a.id => placed(&a.shape, *now),
            Self::Move { boxes, shift, .. } => {
                let at = boxes.binary_search_by_key(&a.id, |b| b.0).ok()?;
                let (_, r) = boxes.get(at)?;
                placed(&a.shape, Rect::new(r.x + shift.0, r.y + shift.1, r.w, r.h))
            }
            Self::Reshape { id, shape, .. } if *id == a.id => Some(shape.clone()),
            Self::Stretch { id, of, now, .. } | Self::Turn { id, of, now } if *id == a.id => {
                shape::with_turned_rect(of, *now)
            }
            _ => None,
        }
    }

    pub(super) fn draft(&self) -> Option<Rect> {
        match self {
            Self::Draw { rect, .. } => Some(*rect),
            _ => None,
        }
    }

    pub(super) const fn stroke(&self) -> Option<&Stroke> {
        match self {
            Self::Paint(stroke) => Some(stroke),
            _ => None,
        }
    }

    /// The view went by screen pixels beneath a pointer that is down: places on the screen go with it.
    pub(super) fn carry(&mut self, dx: f64, dy: f64) {
        let place = match self {
            Self::Press { at, .. } => at,
            Self::Draw { pressed, .. } | Self::Smart(Hand::Frame { pressed, .. }) => pressed,
            Self::Smart(Hand::Tolerance { x, .. }) => {
                *x += dx;
                return;
            }
            _ => return,
        };
        *place = Point::new(place.x + dx, place.y + dy);
    }

    pub(super) const fn marquee(&self) -> Option<Rect> {
        match self {
            Self::Marquee { rect, .. } => Some(*rect),
            _ => None,
        }
    }
}

impl Editor {
    pub(super) fn reach(&self, kind: PointerKind) -> (f64, f64) {
        let (reach, slack) = match kind {
            PointerKind::Touch => (22.0, 10.0),
            PointerKind::Pen => (11.0, 6.0),
            PointerKind::Mouse => (7.0, 4.0),
        };
        (reach / self.view.scale(), slack / self.view.scale())
    }

    pub(super) fn hit_at(&self, p: &Pointer) -> Option<Hit> {
        let (reach, slack) = self.reach(p.kind);
        let at = self.view.to_image(p.at);
        let single = self.selection.single().and_then(|id| self.doc.get(id));
        let grip = single.filter(|a| self.layers.can_edit(a)).and_then(|a| {
            let shape = self.corners_of(a).unwrap_or(&a.shape);
            grip(a.id, shape, at, reach, self.turn_out(), self.grips_shown(shape))
        });
        grip.or_else(|| hit(&self.doc, &self.layers, at, slack))
    }

    /// The tool that a press would use now.
    pub(super) fn active_tool(&self, p: &Pointer) -> Tool {
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
            // The hand that holds the pen lies on the screen.
            if self.pen.is_some() {
                return;
            }
            self.touches.insert(p.id, p.at);
            if self.touches.len() == 2 {
                self.unpress();
                let mut t = self.touches.iter().map(|(id, at)| (*id, *at));
                if let (Some(a), Some(b)) = (t.next(), t.next()) {
                    self.gesture = Gesture::Pinch { a, b };
                }
                return;
            }
            if self.touches.len() > 2 {
                return;
            }
        } else {
            self.pen = (p.kind == PointerKind::Pen).then_some(p.id);
            if self.pen.is_some() && !self.touches.is_empty() {
                // It lay there before the pen came: what it began is nothing.
                self.touches.clear();
                self.unpress();
            }
        }
        if p.button == Button::Secondary {
            return;
        }
        let at = self.view.to_image(p.at);
        self.pointer = Some(at);
        // A finger may be one of two that are coming: what it tells counts when it is lifted.
        let tells = p.kind != PointerKind::Touch && p.button == Button::Primary && !self.hold_pan;
        if tells && self.placing.is_some() {
            self.place(&p);
            return;
        }
        if self.relating.is_some() && self.active_tool(&p) != Tool::Pan {
            match self.hit_at(&p) {
                Some(hit) => {
                    self.end_relation(hit.id());
                }
                None => {
                    self.cancel();
                }
            }
            return;
        }
        match self.active_tool(&p) {
            Tool::Pan => {
                self.gesture = Gesture::Pan { last: p.at };
                self.cursor = Cursor::Grabbing;
            }
            Tool::Brush | Tool::Eraser => self.paint_press(&p),
            Tool::Wand | Tool::Scissors | Tool::Superpixels | Tool::Cut | Tool::Segment => {
                self.smart_press(&p);
            }
            Tool::Box | Tool::Ellipse | Tool::Keypoints if self.outline.is_none() => self.draw_press(&p),
            Tool::Box
            | Tool::Ellipse
            | Tool::Keypoints
            | Tool::Polygon
            | Tool::Polyline
            | Tool::Slice
            | Tool::Points
            | Tool::RotatedBox
            | Tool::ExtremeBox => {
                let (reach, _) = self.reach(p.kind);
                let before = self.before_press();
                self.outline_press(&p, reach * 1.5);
                self.gesture = Gesture::Trace(Box::new(before));
            }
            Tool::Select => self.press(&p, at),
        }
    }

    fn press(&mut self, p: &Pointer, at: Point) {
        match self.hit_at(p) {
            Some(Hit::Handle(id, handle)) if !self.read_only => self.press_handle(id, handle, at),
            Some(Hit::Turn(id)) if !self.read_only => self.press_turn(id),
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
        if p.kind == PointerKind::Touch {
            // Of a hand beside the pen nothing is known.
            let Some(t) = self.touches.get_mut(&p.id) else {
                return;
            };
            *t = p.at;
        }
        let at = self.view.to_image(p.at);
        self.pointer = Some(at);
        let snap = self.snap(p.mods.alt);
        let pinches = matches!(self.gesture, Gesture::Pinch { .. });
        if !pinches {
            self.grips_at = Some(at);
        }
        if self.outline.is_some() && !pinches {
            let (reach, _) = self.reach(p.kind);
            self.outline_move(&p, reach * 1.5);
        }
        self.smart_move(&p);
        let border = match &self.gesture {
            Gesture::Reshape { id, grip, .. } if !p.mods.alt => {
                let to = Point::new(at.x + grip.x, at.y + grip.y);
                self.border_at(to, p.kind, Some(*id)).map(|b| b.point)
            }
            _ => None,
        };
        match &mut self.gesture {
            Gesture::Idle if self.placing.is_some() => self.track_placing(&p),
            Gesture::Idle => {
                let look = (self.hover, self.cursor);
                self.look_under(&p);
                if look != (self.hover, self.cursor) || self.tool.draws() || self.grips_follow() {
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
                    let mut boxes: Vec<_> = self
                        .selection
                        .iter()
                        .filter_map(|id| self.doc.get(id))
                        .filter(|a| self.layers.can_edit(a))
                        .filter_map(|a| self.doc.bounds(a.id).map(|r| (a.id, r)))
                        .collect();
                    boxes.sort_unstable_by_key(|b| b.0);
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
            Gesture::Stretch {
                handle,
                rect,
                grip,
                now,
                ..
            } => {
                let to = Point::new(at.x + grip.x, at.y + grip.y);
                *now = super::grips::stretched(*rect, *handle, to, p.mods.shift);
            }
            Gesture::Turn { now, .. } => now.angle = super::grips::turned(*now, at, p.mods.shift, p.mods.alt),
            Gesture::Reshape {
                corner,
                shape,
                grip,
                moved,
                ..
            } => {
                let to = Point::new(at.x + grip.x, at.y + grip.y);
                let border = border.filter(|_| matches!(shape, Shape::Polygon { .. }));
                shape::set_vertex(shape, *corner, border.unwrap_or_else(|| snap.point(to)));
                *moved = true;
            }
            Gesture::Trace(_) | Gesture::Smart(_) => {}
            Gesture::Paint(_) => self.paint_move(&p),
            Gesture::Marquee { from, rect, .. } => *rect = Rect::from_corners(*from, at),
            Gesture::Draw { .. } => self.track_draw(&p),
        }
        self.epochs.look += 1;
    }

    pub fn pointer_up(&mut self, p: Pointer) {
        if self.touches.remove(&p.id).is_none() && p.kind == PointerKind::Touch {
            return;
        }
        self.pen = self.pen.filter(|id| *id != p.id);
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
            Gesture::Stretch { id, of, now, .. } | Gesture::Turn { id, of, now } => {
                if of != shape::with_turned_rect(&of, now).unwrap_or_else(|| of.clone()) {
                    self.set_turned(id, now);
                }
            }
            Gesture::Reshape { id, shape, moved, .. } => {
                if moved {
                    self.reshape(id, shape);
                }
            }
            Gesture::Paint(stroke) => self.paint_release(stroke),
            Gesture::Smart(hand) => self.smart_release(hand, &p),
            Gesture::Trace(_) => self.outline_release(),
            Gesture::Marquee { rect, add, .. } => self.select_in(rect, add),
            Gesture::Draw { from, pressed, rect } => self.draw_release(&p, from, pressed, rect),
        }
        // A finger that comes back finds the grips where it was lifted.
        self.grips_at = Some(self.view.to_image(p.at));
        self.look_under(&p);
    }
}
