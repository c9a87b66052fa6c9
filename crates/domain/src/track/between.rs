//! Shapes between two keyframes.

use crate::annotation::Shape;
use crate::geometry::Rect;
use crate::keypoint::Keypoint;
use crate::polygon::{Part, Vertex};
use crate::turned::{TurnedRect, normal_angle};

/// The shape a share (0 to 1) of the way from `a` to `b`. Where the two are not alike `a` stays.
pub fn between(a: &Shape, b: &Shape, share: f64) -> Shape {
    if share <= 0.0 {
        return a.clone();
    }
    let along = |x: f64, y: f64| x + (y - x) * share;
    let point = |p: &Vertex, q: &Vertex| [along(p[0], q[0]), along(p[1], q[1])];
    let line =
        |p: &[Vertex], q: &[Vertex]| -> Vec<Vertex> { p.iter().zip(q).map(|(p, q)| point(p, q)).collect() };
    let found = match (a, b) {
        (Shape::Box { rect: p }, Shape::Box { rect: q }) => Some(Shape::Box {
            rect: Rect::new(along(p.x, q.x), along(p.y, q.y), along(p.w, q.w), along(p.h, q.h)),
        }),
        (Shape::Ellipse { rect: p }, Shape::Ellipse { rect: q }) => Some(Shape::Ellipse {
            rect: turned(*p, *q, share),
        }),
        (Shape::Box { .. } | Shape::RotatedBox { .. }, Shape::Box { .. } | Shape::RotatedBox { .. }) => {
            let rect = |s: &Shape| match s {
                Shape::RotatedBox { rect } => Some(*rect),
                Shape::Box { rect } => Some(TurnedRect::upright(*rect)),
                _ => None,
            };
            rect(a).zip(rect(b)).map(|(p, q)| Shape::RotatedBox {
                rect: turned(p, q, share),
            })
        }
        (Shape::Polyline { points: p }, Shape::Polyline { points: q }) if p.len() == q.len() => {
            Some(Shape::Polyline { points: line(p, q) })
        }
        (Shape::Points { points: p }, Shape::Points { points: q }) if p.len() == q.len() => {
            Some(Shape::Points { points: line(p, q) })
        }
        (Shape::Polygon { parts: p }, Shape::Polygon { parts: q }) if alike(p, q) => {
            let parts = p
                .iter()
                .zip(q)
                .map(|(p, q)| p.iter().zip(q).map(|(p, q)| line(p, q)).collect());
            Some(Shape::Polygon {
                parts: parts.collect(),
            })
        }
        (Shape::Keypoints { keypoints: p }, Shape::Keypoints { keypoints: q }) if p.len() == q.len() => {
            Some(Shape::Keypoints {
                keypoints: p.iter().zip(q).map(|(p, q)| keypoint(*p, *q, &along)).collect(),
            })
        }
        _ => None,
    };
    found.unwrap_or_else(|| a.clone())
}

/// A keypoint that only one of the two has stays where the earlier one has it.
fn keypoint(p: Keypoint, q: Keypoint, along: &impl Fn(f64, f64) -> f64) -> Keypoint {
    if p.at().is_some() && q.at().is_some() {
        Keypoint {
            x: along(p.x, q.x),
            y: along(p.y, q.y),
            ..p
        }
    } else {
        p
    }
}

/// The shorter way round.
fn turned(p: TurnedRect, q: TurnedRect, share: f64) -> TurnedRect {
    let along = |x: f64, y: f64| x + (y - x) * share;
    let way = (q.angle - p.angle + 180.0).rem_euclid(360.0) - 180.0;
    TurnedRect {
        cx: along(p.cx, q.cx),
        cy: along(p.cy, q.cy),
        w: along(p.w, q.w),
        h: along(p.h, q.h),
        angle: normal_angle(p.angle + way * share),
    }
}

/// As many parts, rings and corners.
fn alike(p: &[Part], q: &[Part]) -> bool {
    let rings = |a: &Part, b: &Part| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.len() == b.len());
    p.len() == q.len() && p.iter().zip(q).all(|(a, b)| rings(a, b))
}
