//! Taking hold of a shape: its corners, its grips, the one that turns it.

use super::gesture::Gesture;
use super::{Editor, Tool};
use crate::command::Command;
use crate::hit::{Handle, Shown};
use crate::shape::{self, Corner, turned_rect, with_turned_rect};
use crate::snap::MIN_SIDE;
use limn_domain::polygon;
use limn_domain::turned::normal_angle;
use limn_domain::{AnnotationId, Point, Shape, ShapeKind, TurnedRect, Visibility};

/// Screen pixels between a box and the grip that turns it.
const TURN_GRIP: f64 = 26.0;
/// Corners in view of which each shows its grip; more would hide the outline.
const MANY: usize = 400;
/// Of more only those show that are this close to the pointer, in screen pixels.
const NEAR: f64 = 60.0;
/// Degrees to which a turn snaps while Shift is held.
const TURN_STEP: f64 = 15.0;

/// The box with one of its grips at `to`; the opposite side or corner stays where it is. `keep_ratio` holds the ratio of
/// the sides for corners. Dragged beyond the opposite side it turns over.
pub(super) fn stretched(rect: TurnedRect, handle: Handle, to: Point, keep_ratio: bool) -> TurnedRect {
    let own = rect.to_own(to);
    let (sx, sy) = handle.sides();
    let along = |s: i8, half: f64, v: f64| match s {
        0 => (-half, half),
        s if s < 0 => (v, half),
        _ => (-half, v),
    };
    let ((mut x0, mut x1), (mut y0, mut y1)) =
        (along(sx, rect.w / 2.0, own.x), along(sy, rect.h / 2.0, own.y));
    if keep_ratio && sx != 0 && sy != 0 && rect.w > 0.0 && rect.h > 0.0 {
        let f = ((x1 - x0).abs() / rect.w).max((y1 - y0).abs() / rect.h);
        let sign = |v: f64| if v < 0.0 { -1.0 } else { 1.0 };
        let (w, h) = (sign(x1 - x0) * rect.w * f, sign(y1 - y0) * rect.h * f);
        if sx < 0 {
            x0 = x1 - w;
        } else {
            x1 = x0 + w;
        }
        if sy < 0 {
            y0 = y1 - h;
        } else {
            y1 = y0 + h;
        }
    }
    let center = rect.to_image(Point::new(f64::midpoint(x0, x1), f64::midpoint(y0, y1)));
    TurnedRect {
        cx: center.x,
        cy: center.y,
        w: (x1 - x0).abs().max(MIN_SIDE),
        h: (y1 - y0).abs().max(MIN_SIDE),
        angle: rect.angle,
    }
}

/// The box with longer or shorter sides; the corner that is top left before turning stays where it is.
pub(super) fn grown(rect: TurnedRect, dw: f64, dh: f64) -> TurnedRect {
    let (w, h) = ((rect.w + dw).max(MIN_SIDE), (rect.h + dh).max(MIN_SIDE));
    let center = rect.to_image(Point::new((w - rect.w) / 2.0, (h - rect.h) / 2.0));
    TurnedRect {
        cx: center.x,
        cy: center.y,
        w,
        h,
        angle: rect.angle,
    }
}

/// The angle at which the grip above the box points at `to`: in tenths of a degree, upright when close to it; in steps
/// with Shift, as it comes with Alt.
pub(super) fn turned(rect: TurnedRect, to: Point, steps: bool, free: bool) -> f64 {
    let (dx, dy) = (to.x - rect.cx, to.y - rect.cy);
    if dx == 0.0 && dy == 0.0 {
        return rect.angle;
    }
    let angle = dy.atan2(dx).to_degrees() + 90.0;
    let angle = if free {
        angle
    } else if steps {
        (angle / TURN_STEP).round() * TURN_STEP
    } else {
        let upright = (angle / 90.0).round() * 90.0;
        if (angle - upright).abs() < 1.0 {
            upright
        } else {
            (angle * 10.0).round() / 10.0
        }
    };
    normal_angle(angle)
}

impl Editor {
    /// How far above the selected shape the grip sits that turns it, in image pixels; `None` when it does not show.
    pub fn turn_out(&self) -> Option<f64> {
        let id = self.selection.single()?;
        let a = self.doc.get(id).filter(|a| self.layers.can_edit(a))?;
        let kind = match a.shape.shape_kind() {
            ShapeKind::Box => ShapeKind::RotatedBox,
            kind @ (ShapeKind::RotatedBox | ShapeKind::Ellipse) => kind,
            _ => return None,
        };
        let shows = self.tool == Tool::Select && !self.read_only && self.doc.task().allows(kind);
        shows.then_some(TURN_GRIP / self.view.scale())
    }

    /// Which points of a shape show as grips and can be taken hold of: of an outline or a line with very many in view the nearest to the
    /// pointer, or to where a finger was lifted.
    pub fn grips_shown(&self, shape: &Shape) -> Shown {
        let count: usize = match shape {
            Shape::Polygon { parts } => parts.iter().flatten().map(Vec::len).sum(),
            Shape::Polyline { points } => points.len(),
            _ => 0,
        };
        if count <= MANY {
            return Shown::All;
        }
        let window = self.view.window();
        let all = shape::vertices(shape);
        if all.iter().filter(|(_, p)| window.contains(*p)).count() <= MANY {
            return Shown::All;
        }
        let Some(at) = self.grips_at else {
            return Shown::Nothing;
        };
        let mut reach = NEAR / self.view.scale();
        let near = all.iter().map(|(_, p)| at.distance(*p)).filter(|d| *d <= reach);
        let mut near: Vec<f64> = near.collect();
        if near.len() > MANY {
            let (_, farthest, _) = near.select_nth_unstable_by(MANY - 1, f64::total_cmp);
            reach = *farthest;
        }
        Shown::Near { at, reach }
    }

    /// Whether the grips that show go with the pointer.
    pub(super) fn grips_follow(&self) -> bool {
        let single = self.selection.single().and_then(|id| self.doc.get(id));
        self.tool == Tool::Select
            && single.is_some_and(|a| self.grips_shown(self.corners_of(a).unwrap_or(&a.shape)) != Shown::All)
    }

    pub(super) fn press_handle(&mut self, id: AnnotationId, handle: Handle, at: Point) {
        let Some(shape) = self.doc.get(id).map(|a| a.shape.clone()) else {
            return;
        };
        let Some(rect) = turned_rect(&shape) else { return };
        let to = Point::new(
            f64::from(handle.sides().0) * rect.w / 2.0,
            f64::from(handle.sides().1) * rect.h / 2.0,
        );
        let g = rect.to_image(to);
        let grip = Point::new(g.x - at.x, g.y - at.y);
        self.gesture = match shape {
            Shape::Box { rect } => Gesture::Resize {
                id,
                handle,
                rect,
                grip,
                now: rect,
            },
            of => Gesture::Stretch {
                id,
                handle,
                of,
                rect,
                grip,
                now: rect,
            },
        };
    }

    pub(super) fn press_turn(&mut self, id: AnnotationId) {
        if let Some(of) = self.doc.get(id).map(|a| a.shape.clone())
            && let Some(now) = turned_rect(&of)
        {
            self.gesture = Gesture::Turn { id, of, now };
        }
    }

    /// A press on a point of the selected shape, or on the middle of a side, where it makes a new one. With Alt the point
    /// goes; a keypoint is hidden or seen instead.
    pub(super) fn press_corner(
        &mut self,
        id: AnnotationId,
        corner: Corner,
        at: Point,
        middle: bool,
        alt: bool,
    ) {
        let Some(mut shape) = self.doc.get(id).map(|a| self.grip_shape(a).into_owned()) else {
            return;
        };
        if alt && !middle {
            if let Shape::Keypoints { keypoints } = &shape {
                let other = match keypoints.get(corner.at).map(|k| k.visibility) {
                    Some(Visibility::Visible) => Visibility::Hidden,
                    _ => Visibility::Visible,
                };
                self.set_visibility(id, corner.at, other);
            } else if let Some(shape) = shape::without_vertex(&shape, corner) {
                self.reshape(id, shape);
            }
            return;
        }
        let corner = if middle {
            shape::insert_vertex(&mut shape, corner, at)
        } else {
            Some(corner)
        };
        let Some((corner, to)) = corner.and_then(|c| Some((c, shape::vertex(&shape, c)?))) else {
            return;
        };
        self.gesture = Gesture::Reshape {
            id,
            corner,
            shape,
            grip: Point::new(to.x - at.x, to.y - at.y),
            moved: false,
        };
    }

    /// Says how well the `at`th keypoint is seen. One that had no place gets that of the skeleton's figure.
    pub fn set_visibility(&mut self, id: AnnotationId, at: usize, visibility: Visibility) -> bool {
        let Some(a) = self.doc.get(id).filter(|a| !self.layers.is_locked(a)) else {
            return false;
        };
        let Shape::Keypoints { keypoints } = &a.shape else {
            return false;
        };
        let mut keypoints = keypoints.clone();
        let Some(k) = keypoints.get(at).copied() else {
            return false;
        };
        let place = k.at().or_else(|| {
            let skeleton = self.skeleton_of(a.category_id)?;
            let figure = skeleton.placed(a.shape.bounds()?);
            figure.get(at)?.at()
        });
        keypoints[at] = match (visibility, place) {
            (Visibility::Absent, _) => limn_domain::Keypoint::default(),
            (v, Some(place)) => limn_domain::Keypoint::new(place, v),
            (_, None) => return false,
        };
        if keypoints.iter().all(|k| k.at().is_none()) {
            return false;
        }
        self.run(Command::Reshape(
            vec![(id, Shape::Keypoints { keypoints })],
            Vec::new(),
        ))
    }

    /// The grip as it lies on the screen: those of a turned box, or in a turned view, are turned with it.
    pub(super) fn turned_handle(&self, id: AnnotationId, handle: Handle) -> Handle {
        const ROUND: [Handle; 8] = [
            Handle::Top,
            Handle::TopRight,
            Handle::Right,
            Handle::BottomRight,
            Handle::Bottom,
            Handle::BottomLeft,
            Handle::Left,
            Handle::TopLeft,
        ];
        let angle = self
            .doc
            .get(id)
            .and_then(|a| turned_rect(&a.shape))
            .map_or(0.0, |r| r.angle);
        let steps = ((angle + self.view.turn()) / 45.0).round().rem_euclid(8.0) as usize;
        let at = ROUND.iter().position(|h| *h == handle).unwrap_or(0);
        ROUND[(at + steps) % 8]
    }

    /// Turns the selected box or ellipse to an angle in degrees, or gives it other numbers.
    pub fn set_turned(&mut self, id: AnnotationId, rect: TurnedRect) -> bool {
        if !rect.is_finite() || rect.w < MIN_SIDE || rect.h < MIN_SIDE || self.is_locked(id) {
            return false;
        }
        match self.doc.get(id).and_then(|a| with_turned_rect(&a.shape, rect)) {
            Some(shape) if self.doc.task().allows(shape.shape_kind()) && self.is_in_image(&shape) => {
                self.run(Command::Reshape(vec![(id, shape)], Vec::new()))
            }
            _ => false,
        }
    }

    /// Whether something of a turned shape lies in the image.
    pub(super) fn is_in_image(&self, shape: &Shape) -> bool {
        shape
            .region(0.1)
            .is_some_and(|parts| polygon::mend(&parts, self.doc.size()).is_ok())
    }
}
