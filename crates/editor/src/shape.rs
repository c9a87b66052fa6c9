//! Shapes moved, stretched and reshaped, whatever their kind.

use limn_domain::polygon::{self, Part, Ring};
use limn_domain::{Point, Rect, Shape};

/// A corner of a polygon: part, ring of the part, place in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Corner {
    pub part: usize,
    pub ring: usize,
    pub at: usize,
}

/// The shape with `to` for its enclosing box; `None` when it cannot be: labels of whole images have none, and masks
/// only move, by whole pixels.
pub fn placed(shape: &Shape, to: Rect) -> Option<Shape> {
    if !to.is_finite() {
        return None;
    }
    match shape {
        Shape::Whole => None,
        Shape::Box { .. } => Some(Shape::Box { rect: to }),
        Shape::Polygon { parts } => {
            let from = polygon::bounds(parts);
            // Moving keeps the shape to the last digit; dividing by its size would not.
            let same = (from.w - to.w).abs() < 1e-9 && (from.h - to.h).abs() < 1e-9;
            let parts = if same {
                polygon::shifted(parts, to.x - from.x, to.y - from.y)
            } else {
                polygon::stretched(parts, from, to)
            };
            Some(Shape::Polygon { parts })
        }
        Shape::Mask { mask } => {
            let same =
                (f64::from(mask.width) - to.w).abs() < 0.5 && (f64::from(mask.height) - to.h).abs() < 0.5;
            same.then(|| {
                let mut mask = mask.clone();
                mask.x = to.x.round().max(0.0) as u32;
                mask.y = to.y.round().max(0.0) as u32;
                Shape::Mask { mask }
            })
        }
    }
}

/// Where a corner is.
pub fn corner(parts: &[Part], c: Corner) -> Option<Point> {
    let v = parts.get(c.part)?.get(c.ring)?.get(c.at)?;
    Some(Point::new(v[0], v[1]))
}

/// Every corner with its place.
pub fn corners(parts: &[Part]) -> impl Iterator<Item = (Corner, Point)> {
    parts.iter().enumerate().flat_map(|(part, p)| {
        p.iter().enumerate().flat_map(move |(ring, r)| {
            r.iter()
                .enumerate()
                .map(move |(at, v)| (Corner { part, ring, at }, Point::new(v[0], v[1])))
        })
    })
}

/// The middle of the side that begins at each corner, with the length of the side.
pub fn middles(parts: &[Part]) -> impl Iterator<Item = (Corner, Point, f64)> {
    corners(parts).map(|(c, a)| {
        let ring = &parts[c.part][c.ring];
        let v = ring[(c.at + 1) % ring.len()];
        let b = Point::new(v[0], v[1]);
        let middle = Point::new(f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y));
        (c, middle, a.distance(b))
    })
}

pub fn set_corner(parts: &mut [Part], c: Corner, to: Point) {
    if let Some(v) = parts
        .get_mut(c.part)
        .and_then(|p| p.get_mut(c.ring))
        .and_then(|r| r.get_mut(c.at))
    {
        *v = [to.x, to.y];
    }
}

/// Adds a corner on the side that begins at `c`; answers its place.
pub fn insert_corner(parts: &mut [Part], c: Corner, to: Point) -> Option<Corner> {
    let ring: &mut Ring = parts.get_mut(c.part)?.get_mut(c.ring)?;
    let at = (c.at + 1).min(ring.len());
    ring.insert(at, [to.x, to.y]);
    Some(Corner { at, ..c })
}

/// Takes a corner away. Of a triangle it takes the whole ring: a hole is filled, a part goes. `None` when nothing would
/// be left.
pub fn without_corner(parts: &[Part], c: Corner) -> Option<Vec<Part>> {
    let mut parts = parts.to_vec();
    let part = parts.get_mut(c.part)?;
    let ring = part.get_mut(c.ring)?;
    if ring.len() > 3 {
        if c.at < ring.len() {
            ring.remove(c.at);
        }
    } else if c.ring > 0 {
        part.remove(c.ring);
    } else {
        parts.remove(c.part);
    }
    (!parts.is_empty()).then_some(parts)
}

/// How far a point is from the outline (never less than 0), and whether it is inside.
pub fn place_of(shape: &Shape, p: Point) -> (f64, bool) {
    match shape {
        Shape::Whole => (f64::INFINITY, false),
        Shape::Box { rect } => (crate::hit::edge_distance(*rect, p), rect.contains(p)),
        Shape::Polygon { parts } => (polygon::edge_distance(parts, p), polygon::contains(parts, p)),
        Shape::Mask { mask } => {
            let inside = mask.contains(p);
            (f64::INFINITY, inside)
        }
    }
}
