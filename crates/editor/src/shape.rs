//! Shapes moved, stretched and reshaped, whatever their kind.

mod vertex;

pub(crate) use vertex::vertex;
pub use vertex::{Corner, corners, insert_vertex, middles, set_vertex, sides, vertices, without_vertex};

use limn_domain::polygon::{self, Vertex};
use limn_domain::{Keypoint, Point, Rect, Shape, TurnedRect};

/// The shape with `to` for its enclosing box; `None` when it cannot be: labels of whole items and spans have none, and masks
/// only move, by whole pixels. A turned shape keeps its angle, and fills the box only as far as that allows.
pub fn placed(shape: &Shape, to: Rect) -> Option<Shape> {
    if !to.is_finite() {
        return None;
    }
    let from = shape.bounds()?;
    // Moving keeps the shape to the last digit; dividing by its size would not.
    let same = (from.w - to.w).abs() < 1e-9 && (from.h - to.h).abs() < 1e-9;
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let turned = |r: &TurnedRect| {
        let along = |len: f64, old: f64, new: f64| {
            if same || old <= 0.0 { len } else { len * new / old }
        };
        let c = to.center();
        TurnedRect {
            cx: if same { r.cx + dx } else { c.x },
            cy: if same { r.cy + dy } else { c.y },
            w: along(r.w, from.w, to.w),
            h: along(r.h, from.h, to.h),
            angle: r.angle,
        }
    };
    let point = |v: Vertex| -> Vertex {
        let along = |v: f64, a: f64, len: f64, b: f64, new: f64| {
            if len > 0.0 { b + (v - a) / len * new } else { b }
        };
        if same {
            [v[0] + dx, v[1] + dy]
        } else {
            [
                along(v[0], from.x, from.w, to.x, to.w),
                along(v[1], from.y, from.h, to.y, to.h),
            ]
        }
    };
    Some(match shape {
        Shape::Whole | Shape::Span { .. } | Shape::Track { .. } => return None,
        Shape::Box { .. } => Shape::Box { rect: to },
        Shape::Polygon { parts } => Shape::Polygon {
            parts: polygon::mapped(parts, point),
        },
        Shape::Mask { mask } => {
            let same = (from.w - to.w).abs() < 0.5 && (from.h - to.h).abs() < 0.5;
            if !same {
                return None;
            }
            let mut mask = mask.clone();
            mask.x = to.x.round().max(0.0) as u32;
            mask.y = to.y.round().max(0.0) as u32;
            Shape::Mask { mask }
        }
        Shape::RotatedBox { rect } => Shape::RotatedBox { rect: turned(rect) },
        Shape::Ellipse { rect } => Shape::Ellipse { rect: turned(rect) },
        Shape::Polyline { points } => Shape::Polyline {
            points: points.iter().map(|v| point(*v)).collect(),
        },
        Shape::Points { points } => Shape::Points {
            points: points.iter().map(|v| point(*v)).collect(),
        },
        Shape::Keypoints { keypoints } => Shape::Keypoints {
            keypoints: keypoints
                .iter()
                .map(|k| {
                    k.at().map_or(*k, |p| {
                        let [x, y] = point([p.x, p.y]);
                        Keypoint::new(Point::new(x, y), k.visibility)
                    })
                })
                .collect(),
        },
    })
}

/// The box of a shape that can be turned: boxes, rotated boxes and ellipses.
pub fn turned_rect(shape: &Shape) -> Option<TurnedRect> {
    match shape {
        Shape::Box { rect } => Some(TurnedRect::upright(*rect)),
        Shape::RotatedBox { rect } | Shape::Ellipse { rect } => Some(*rect),
        _ => None,
    }
}

/// The shape with another turned box. A box that is turned becomes a rotated one.
pub fn with_turned_rect(shape: &Shape, rect: TurnedRect) -> Option<Shape> {
    let rect = rect.normal();
    match shape {
        Shape::Box { .. } if rect.angle == 0.0 => Some(Shape::Box { rect: rect.bounds() }),
        Shape::Box { .. } | Shape::RotatedBox { .. } => Some(Shape::RotatedBox { rect }),
        Shape::Ellipse { .. } => Some(Shape::Ellipse { rect }),
        _ => None,
    }
}

/// How far a point is from the outline (never less than 0), and whether it is inside.
pub fn place_of(shape: &Shape, p: Point) -> (f64, bool) {
    let ring = |ring: &[Vertex]| {
        let parts = [vec![ring.to_vec()]];
        (polygon::edge_distance(&parts, p), polygon::contains(&parts, p))
    };
    match shape {
        Shape::Whole | Shape::Span { .. } | Shape::Track { .. } => (f64::INFINITY, false),
        Shape::Box { rect } => (crate::hit::edge_distance(*rect, p), rect.contains(p)),
        Shape::Polygon { parts } => (polygon::edge_distance(parts, p), polygon::contains(parts, p)),
        Shape::Mask { mask } => (f64::INFINITY, mask.contains(p)),
        Shape::RotatedBox { rect } => ring(&rect.corners().map(|c| [c.x, c.y])),
        Shape::Ellipse { rect } => ring(&rect.ellipse_ring(0.1)),
        Shape::Polyline { points } => {
            let near = points.windows(2).map(|w| {
                polygon::nearest_on(Point::new(w[0][0], w[0][1]), Point::new(w[1][0], w[1][1]), p).distance(p)
            });
            (near.fold(f64::INFINITY, f64::min), false)
        }
        Shape::Points { .. } | Shape::Keypoints { .. } => {
            let near = vertices(shape).into_iter().map(|(_, at)| at.distance(p));
            let inside =
                matches!(shape, Shape::Keypoints { .. }) && shape.bounds().is_some_and(|b| b.contains(p));
            (near.fold(f64::INFINITY, f64::min), inside)
        }
    }
}
