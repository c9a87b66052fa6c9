//! Points of a shape that can be taken hold of one by one.

use limn_domain::polygon::{Part, Ring, Vertex};
use limn_domain::{Point, Shape, Visibility};

/// A corner of a polygon: part, ring of the part, place in the ring. A point of a line, of points or of a skeleton is in
/// part and ring 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Corner {
    pub part: usize,
    pub ring: usize,
    pub at: usize,
}

impl Corner {
    /// The `at`th point of a shape that is a list of points.
    pub const fn of(at: usize) -> Self {
        Self { part: 0, ring: 0, at }
    }
}

const fn point(v: Vertex) -> Point {
    Point::new(v[0], v[1])
}

/// Every corner of a polygon with its place.
pub fn corners(parts: &[Part]) -> impl Iterator<Item = (Corner, Point)> {
    parts.iter().enumerate().flat_map(|(part, p)| {
        p.iter().enumerate().flat_map(move |(ring, r)| {
            r.iter()
                .enumerate()
                .map(move |(at, v)| (Corner { part, ring, at }, point(*v)))
        })
    })
}

/// The middle of the side of a polygon that begins at each corner, with the length of the side.
pub fn middles(parts: &[Part]) -> impl Iterator<Item = (Corner, Point, f64)> {
    corners(parts).map(|(c, a)| {
        let ring = &parts[c.part][c.ring];
        let b = point(ring[(c.at + 1) % ring.len()]);
        (c, middle(a, b), a.distance(b))
    })
}

const fn middle(a: Point, b: Point) -> Point {
    Point::new(f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y))
}

/// Every point of the shape that can be taken hold of.
pub fn vertices(shape: &Shape) -> Vec<(Corner, Point)> {
    match shape {
        Shape::Polygon { parts } => corners(parts).collect(),
        Shape::Polyline { points } | Shape::Points { points } => points
            .iter()
            .enumerate()
            .map(|(at, v)| (Corner::of(at), point(*v)))
            .collect(),
        Shape::Keypoints { keypoints } => keypoints
            .iter()
            .enumerate()
            .filter_map(|(at, k)| Some((Corner::of(at), k.at()?)))
            .collect(),
        _ => Vec::new(),
    }
}

/// The sides another point can be pulled out of: the point they begin at, their middle, their length.
pub fn sides(shape: &Shape) -> Vec<(Corner, Point, f64)> {
    match shape {
        Shape::Polygon { parts } => middles(parts).collect(),
        Shape::Polyline { points } => points
            .windows(2)
            .enumerate()
            .map(|(at, w)| {
                let (a, b) = (point(w[0]), point(w[1]));
                (Corner::of(at), middle(a, b), a.distance(b))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Where a point of the shape is.
pub(crate) fn vertex(shape: &Shape, c: Corner) -> Option<Point> {
    match shape {
        Shape::Polygon { parts } => parts.get(c.part)?.get(c.ring)?.get(c.at).map(|v| point(*v)),
        Shape::Polyline { points } | Shape::Points { points } => points.get(c.at).map(|v| point(*v)),
        Shape::Keypoints { keypoints } => keypoints.get(c.at)?.at(),
        _ => None,
    }
}

/// Moves a point. A keypoint that was not labeled is visible from then on.
pub fn set_vertex(shape: &mut Shape, c: Corner, to: Point) {
    match shape {
        Shape::Polygon { parts } => {
            if let Some(v) = parts
                .get_mut(c.part)
                .and_then(|p| p.get_mut(c.ring))
                .and_then(|r| r.get_mut(c.at))
            {
                *v = [to.x, to.y];
            }
        }
        Shape::Polyline { points } | Shape::Points { points } => {
            if let Some(v) = points.get_mut(c.at) {
                *v = [to.x, to.y];
            }
        }
        Shape::Keypoints { keypoints } => {
            if let Some(k) = keypoints.get_mut(c.at) {
                (k.x, k.y) = (to.x, to.y);
                if k.visibility == Visibility::Absent {
                    k.visibility = Visibility::Visible;
                }
            }
        }
        _ => {}
    }
}

/// Adds a point on the side that begins at `c`; answers its place.
pub fn insert_vertex(shape: &mut Shape, c: Corner, to: Point) -> Option<Corner> {
    let list: &mut Ring = match shape {
        Shape::Polygon { parts } => parts.get_mut(c.part)?.get_mut(c.ring)?,
        Shape::Polyline { points } => points,
        _ => return None,
    };
    let at = (c.at + 1).min(list.len());
    list.insert(at, [to.x, to.y]);
    Some(Corner { at, ..c })
}

/// The shape without one of its points. Of a triangle the whole ring goes: a hole is filled, a part goes. A keypoint
/// becomes one that is not labeled. `None` when nothing would be left.
pub fn without_vertex(shape: &Shape, c: Corner) -> Option<Shape> {
    let mut shape = shape.clone();
    match &mut shape {
        Shape::Polygon { parts } => {
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
            (!parts.is_empty()).then_some(shape)
        }
        Shape::Polyline { points } if points.len() > 2 && c.at < points.len() => {
            points.remove(c.at);
            Some(shape)
        }
        Shape::Points { points } if points.len() > 1 && c.at < points.len() => {
            points.remove(c.at);
            Some(shape)
        }
        Shape::Keypoints { keypoints } => {
            *keypoints.get_mut(c.at)? = limn_domain::Keypoint::default();
            keypoints.iter().any(|k| k.at().is_some()).then_some(shape)
        }
        _ => None,
    }
}
