//! Boxes and ellipses turned about their centre.

use crate::geometry::{Point, Rect};
use crate::polygon::Ring;
use serde::{Deserialize, Serialize};

/// A rectangle turned about its centre, in image pixels. An ellipse is described by the one that encloses it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TurnedRect {
    /// The centre.
    pub cx: f64,
    pub cy: f64,
    /// Full length of the sides before turning; above 0.
    pub w: f64,
    pub h: f64,
    /// Degrees clockwise as seen on the screen (from x towards y), above -180 and at most 180.
    pub angle: f64,
}

/// The same direction, above -180 and at most 180 degrees.
pub fn normal_angle(degrees: f64) -> f64 {
    // What is so already keeps its last digit.
    if degrees > -180.0 && degrees <= 180.0 {
        return degrees;
    }
    let turned = degrees.rem_euclid(360.0);
    if turned > 180.0 { turned - 360.0 } else { turned }
}

impl TurnedRect {
    /// A box that is not turned.
    pub fn upright(r: Rect) -> Self {
        let c = r.center();
        Self {
            cx: c.x,
            cy: c.y,
            w: r.w,
            h: r.h,
            angle: 0.0,
        }
    }

    pub const fn center(self) -> Point {
        Point::new(self.cx, self.cy)
    }

    pub fn area(self) -> f64 {
        self.w * self.h
    }

    pub fn is_finite(self) -> bool {
        [self.cx, self.cy, self.w, self.h, self.angle]
            .iter()
            .all(|v| v.is_finite())
    }

    /// Cosine and sine of the angle; exact for quarter turns.
    fn turn(self) -> (f64, f64) {
        let a = normal_angle(self.angle);
        if a == 0.0 {
            (1.0, 0.0)
        } else if a == 90.0 {
            (0.0, 1.0)
        } else if a == 180.0 {
            (-1.0, 0.0)
        } else if a == -90.0 {
            (0.0, -1.0)
        } else {
            let r = a.to_radians();
            (r.cos(), r.sin())
        }
    }

    /// From the box's own frame (origin at its centre, x along `w`) to the image's.
    pub fn to_image(self, own: Point) -> Point {
        let (cos, sin) = self.turn();
        Point::new(
            self.cx + own.x * cos - own.y * sin,
            self.cy + own.x * sin + own.y * cos,
        )
    }

    /// From the image's frame to the box's own.
    pub fn to_own(self, p: Point) -> Point {
        let (cos, sin) = self.turn();
        let (dx, dy) = (p.x - self.cx, p.y - self.cy);
        Point::new(dx * cos + dy * sin, dy * cos - dx * sin)
    }

    /// The corners: those that are top left, top right, bottom right and bottom left before turning.
    pub fn corners(self) -> [Point; 4] {
        let (x, y) = (self.w / 2.0, self.h / 2.0);
        [(-x, -y), (x, -y), (x, y), (-x, y)].map(|(x, y)| self.to_image(Point::new(x, y)))
    }

    /// The upright box that encloses the turned one.
    pub fn bounds(self) -> Rect {
        let (cos, sin) = self.turn();
        self.enclosed(
            self.w.mul_add(cos.abs(), self.h * sin.abs()),
            self.w.mul_add(sin.abs(), self.h * cos.abs()),
        )
    }

    /// The upright box that encloses the ellipse within.
    pub fn ellipse_bounds(self) -> Rect {
        let (cos, sin) = self.turn();
        self.enclosed(
            (self.w * cos).hypot(self.h * sin),
            (self.w * sin).hypot(self.h * cos),
        )
    }

    fn enclosed(self, w: f64, h: f64) -> Rect {
        Rect::new(self.cx - w / 2.0, self.cy - h / 2.0, w, h)
    }

    /// Whether a point lies in the turned box.
    pub fn contains(self, p: Point) -> bool {
        let own = self.to_own(p);
        own.x.abs() <= self.w / 2.0 && own.y.abs() <= self.h / 2.0
    }

    /// Whether a point lies in the ellipse within.
    pub fn ellipse_contains(self, p: Point) -> bool {
        let own = self.to_own(p);
        (2.0 * own.x / self.w).hypot(2.0 * own.y / self.h) <= 1.0
    }

    /// The ellipse within as a polygon that lies nowhere more than `tolerance` pixels inside it, from its rightmost point
    /// before turning on.
    pub fn ellipse_ring(self, tolerance: f64) -> Ring {
        let radius = self.w.max(self.h) / 2.0;
        let step = 2.0 * (1.0 - (tolerance / radius).clamp(1e-6, 0.5)).acos();
        let n = (std::f64::consts::TAU / step).ceil().clamp(8.0, 720.0) as u32;
        (0..n)
            .map(|i| {
                let a = std::f64::consts::TAU * f64::from(i) / f64::from(n);
                let p = self.to_image(Point::new(self.w / 2.0 * a.cos(), self.h / 2.0 * a.sin()));
                [p.x, p.y]
            })
            .collect()
    }

    /// The same figure with an angle above -180 and at most 180.
    #[must_use]
    pub fn normal(self) -> Self {
        Self {
            angle: normal_angle(self.angle),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polygon;
    use proptest::prelude::*;

    #[test]
    fn quarter_turns_are_exact() {
        let r = TurnedRect {
            cx: 10.0,
            cy: 20.0,
            w: 8.0,
            h: 4.0,
            angle: 90.0,
        };
        assert_eq!(r.bounds(), Rect::new(8.0, 16.0, 4.0, 8.0));
        // Clockwise on the screen: the top left corner goes to the top right.
        assert_eq!(r.corners()[0], Point::new(12.0, 16.0));
        assert_eq!(normal_angle(270.0), -90.0);
        assert_eq!(normal_angle(-180.0), 180.0);
        assert_eq!(
            TurnedRect::upright(Rect::new(1.0, 2.0, 3.0, 4.0)).bounds(),
            Rect::new(1.0, 2.0, 3.0, 4.0)
        );
    }

    proptest! {
        #[test]
        fn bounds_touch_what_they_enclose(
            cx in -50.0..50.0f64, cy in -50.0..50.0f64, w in 0.5..80.0f64, h in 0.5..80.0f64, angle in -360.0..360.0f64,
        ) {
            let r = TurnedRect { cx, cy, w, h, angle };
            let corners: Vec<[f64; 2]> = r.corners().map(|p| [p.x, p.y]).to_vec();
            let (b, want) = (r.bounds(), polygon::bounds(&[vec![corners]]));
            for (a, e) in [(b.x, want.x), (b.y, want.y), (b.w, want.w), (b.h, want.h)] {
                prop_assert!((a - e).abs() < 1e-9);
            }
            let ring = r.ellipse_ring(0.001);
            let (b, want) = (r.ellipse_bounds(), polygon::bounds(&[vec![ring.clone()]]));
            for (a, e) in [(b.x, want.x), (b.y, want.y), (b.w, want.w), (b.h, want.h)] {
                prop_assert!((a - e).abs() < 0.02, "{a} {e}");
            }
            for v in ring {
                let p = Point::new(v[0], v[1]);
                prop_assert!(r.contains(Point::new(f64::midpoint(p.x, cx), f64::midpoint(p.y, cy))));
                let own = r.to_image(r.to_own(p));
                prop_assert!(own.distance(p) < 1e-9);
            }
        }
    }
}
