//! Keeping boxes on the image and on sensible coordinates.

use crate::hit::Handle;
use limn_domain::{Point, Rect, Size};

/// From this scale on, coordinates snap to whole pixels (the grid is visible then).
pub const PIXEL_SCALE: f64 = 4.0;
/// The sides of a new box are at least this long, in image pixels.
pub const MIN_SIDE: f64 = 1.0;

/// How pointer positions become coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snap {
    pub image: Size,
    /// Screen pixels per image pixel.
    pub scale: f64,
    /// Snapping is switched off while Alt is held.
    pub free: bool,
}

impl Snap {
    /// The coordinate for one axis: on the image, on its border when close to it, on a whole pixel when zoomed in.
    fn axis(self, v: f64, max: f64) -> f64 {
        let v = if v.is_finite() { v.clamp(0.0, max) } else { 0.0 };
        if self.free {
            return v;
        }
        let near = 4.0 / self.scale;
        if v <= near.min(1.0) {
            return 0.0;
        }
        if max - v <= near.min(1.0) {
            return max;
        }
        if self.scale >= PIXEL_SCALE {
            v.round().clamp(0.0, max)
        } else {
            ((v * 10.0).round() / 10.0).clamp(0.0, max)
        }
    }

    pub fn point(self, p: Point) -> Point {
        Point::new(
            self.axis(p.x, self.image.width),
            self.axis(p.y, self.image.height),
        )
    }
}

/// The box between two corners; `square` makes the sides equal, `centered` takes the first corner for the centre.
/// Stays on the image.
pub fn drawn(from: Point, to: Point, square: bool, centered: bool, snap: Snap) -> Rect {
    let a = snap.point(from);
    let mut b = snap.point(to);
    if square {
        let side = (b.x - a.x).abs().max((b.y - a.y).abs());
        let sign = |v: f64| if v < 0.0 { -1.0 } else { 1.0 };
        b = Point::new(a.x + sign(b.x - a.x) * side, a.y + sign(b.y - a.y) * side);
    }
    let rect = if centered {
        let mirror = Point::new(2.0 * a.x - b.x, 2.0 * a.y - b.y);
        Rect::from_corners(mirror, b)
    } else {
        Rect::from_corners(a, b)
    };
    rect.clipped(snap.image)
}

/// The shift nearest to `dx`, `dy` that keeps every box on the image. A box that reaches beyond it already may only
/// come closer.
pub fn clamp_shift(boxes: impl Iterator<Item = Rect>, dx: f64, dy: f64, image: Size) -> (f64, f64) {
    let (mut lo_x, mut hi_x, mut lo_y, mut hi_y) = (f64::MIN, f64::MAX, f64::MIN, f64::MAX);
    for r in boxes {
        lo_x = lo_x.max((-r.x).min(0.0));
        hi_x = hi_x.min((image.width - r.right()).max(0.0));
        lo_y = lo_y.max((-r.y).min(0.0));
        hi_y = hi_y.min((image.height - r.bottom()).max(0.0));
    }
    (dx.clamp(lo_x, hi_x.max(lo_x)), dy.clamp(lo_y, hi_y.max(lo_y)))
}

/// `rect` with the grip dragged to `to`. Dragging beyond the opposite side turns the box over; `keep_ratio` holds the
/// ratio of the sides for corners. No side falls under [`MIN_SIDE`] (or under what the image allows).
pub fn resized(rect: Rect, handle: Handle, to: Point, keep_ratio: bool, snap: Snap) -> Rect {
    let to = snap.point(to);
    let (sx, sy) = handle.sides();
    let (mut x0, mut x1) = (rect.x, rect.right());
    let (mut y0, mut y1) = (rect.y, rect.bottom());
    match sx {
        -1 => x0 = to.x,
        1 => x1 = to.x,
        _ => {}
    }
    match sy {
        -1 => y0 = to.y,
        1 => y1 = to.y,
        _ => {}
    }
    if keep_ratio && sx != 0 && sy != 0 && rect.w > 0.0 && rect.h > 0.0 {
        let f = ((x1 - x0).abs() / rect.w).max((y1 - y0).abs() / rect.h);
        let (w, h) = (rect.w * f, rect.h * f);
        let sign = |v: f64| if v < 0.0 { -1.0 } else { 1.0 };
        if sx < 0 {
            x0 = x1 - sign(x1 - x0) * w;
        } else {
            x1 = x0 + sign(x1 - x0) * w;
        }
        if sy < 0 {
            y0 = y1 - sign(y1 - y0) * h;
        } else {
            y1 = y0 + sign(y1 - y0) * h;
        }
    }
    let mut r = Rect::from_corners(Point::new(x0, y0), Point::new(x1, y1));
    if keep_ratio {
        r = r.clipped(snap.image);
    }
    if r.w < MIN_SIDE && sx != 0 {
        r.w = MIN_SIDE.min(snap.image.width);
        r.x = r.x.min(snap.image.width - r.w).max(0.0);
    }
    if r.h < MIN_SIDE && sy != 0 {
        r.h = MIN_SIDE.min(snap.image.height);
        r.y = r.y.min(snap.image.height - r.h).max(0.0);
    }
    r
}
