//! What a round brush paints on a polygon: the way it is drawn, as wide as the brush, with its corners where they were.

use super::{Part, Vertex, rounded};
use crate::geometry::Point;
use i_overlay::mesh::stroke::offset::StrokeOffset;
use i_overlay::mesh::style::{LineCap, LineJoin, StrokeStyle};

/// How far the sides of a brush's round end lie inside its circle at most, in image pixels.
const ROUNDNESS: f64 = 0.1;

/// The outline of a line along `points` that is `width` pixels wide, with round ends. Empty when it has no area.
pub fn stroked(points: &[Point], width: f64) -> Vec<Part> {
    let radius = width / 2.0;
    if !(radius > 0.0 && radius < 1e6) {
        return Vec::new();
    }
    // The chord of an angle lies r * (1 - cos(angle / 2)) inside the arc.
    let angle = 2.0 * (1.0 - (ROUNDNESS / radius).min(0.3)).acos();
    let mut path: Vec<Vertex> = points
        .iter()
        .filter(|p| p.x.is_finite() && p.y.is_finite() && p.x.abs() < 1e7 && p.y.abs() < 1e7)
        .map(|p| [p.x, p.y])
        .collect();
    path.dedup();
    let Some(first) = path.first().copied() else {
        return Vec::new();
    };
    if path.len() == 1 {
        let n = (std::f64::consts::TAU / angle).ceil().max(8.0) as u32;
        let at = |i: u32| {
            let turn = std::f64::consts::TAU * f64::from(i) / f64::from(n);
            [first[0] + radius * turn.cos(), first[1] + radius * turn.sin()]
        };
        return rounded(&[vec![(0..n).map(at).collect()]]);
    }
    let style = StrokeStyle::new(width)
        .line_join(LineJoin::Round(angle))
        .start_cap(LineCap::Round(angle))
        .end_cap(LineCap::Round(angle));
    rounded(&path.stroke_as::<i64>(style, false))
}

#[cfg(test)]
mod tests {
    use super::super::{area, bounds, contains, edge_distance};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_click_is_a_disc_and_a_line_is_a_capsule() {
        let disc = stroked(&[Point::new(10.0, 20.0)], 8.0);
        let full = std::f64::consts::PI * 16.0;
        assert!(area(&disc) > full * 0.96 && area(&disc) <= full);
        let b = bounds(&disc);
        assert!((b.center().x - 10.0).abs() < 0.1 && (b.center().y - 20.0).abs() < 0.1);
        let line = stroked(&[Point::new(10.0, 20.0), Point::new(40.0, 20.0)], 8.0);
        let full = full + 30.0 * 8.0;
        assert!((area(&line) - full).abs() < 2.5, "{} of {full}", area(&line));
        assert!(stroked(&[], 8.0).is_empty());
        assert!(stroked(&[Point::new(f64::NAN, 1.0)], 8.0).is_empty());
        assert!(stroked(&[Point::new(1.0, 1.0)], 0.0).is_empty());
    }

    proptest! {
        #[test]
        fn points_near_the_line_are_inside(
            way in proptest::collection::vec((0.0..200.0f64, 0.0..200.0f64), 1..8), width in 1.0..60.0f64, at in 0.0..1.0f64, turn in 0.0..6.3f64,
        ) {
            let points: Vec<Point> = way.iter().map(|(x, y)| Point::new(*x, *y)).collect();
            let parts = stroked(&points, width);
            prop_assert!(!parts.is_empty());
            for w in points.windows(2) {
                let p = Point::new(w[0].x + (w[1].x - w[0].x) * at, w[0].y + (w[1].y - w[0].y) * at);
                let near = Point::new(p.x + turn.cos() * width * 0.4, p.y + turn.sin() * width * 0.4);
                prop_assert!(contains(&parts, near) || edge_distance(&parts, near) < 0.2, "{near:?} is outside");
                let far = width / 2.0 + 0.05;
                let b = bounds(&parts);
                prop_assert!(b.x >= points.iter().map(|p| p.x).fold(f64::MAX, f64::min) - far);
            }
        }
    }
}
