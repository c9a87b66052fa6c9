//! Turned boxes, ellipses, lines, points and keypoints of a file in the frame of the picture.

use super::{Fit, Placed, SLACK};
use limn_domain::polygon::{self, Vertex};
use limn_domain::{Keypoint, Point, Shape, TurnedRect};

impl Fit {
    pub(super) fn place_other(&self, shape: &Shape) -> Placed {
        match shape {
            Shape::RotatedBox { rect } => self.place_turned(*rect, |rect| Shape::RotatedBox { rect }),
            Shape::Ellipse { rect } => self.place_turned(*rect, |rect| Shape::Ellipse { rect }),
            Shape::Polyline { points } => self.place_line(points),
            Shape::Points { points } => self.place_points(points, 1, |points| Shape::Points { points }),
            Shape::Keypoints { keypoints } => self.place_keypoints(keypoints),
            Shape::Whole => Placed::Whole,
            // Places in a text have no frame.
            Shape::Span { .. } => Placed::Other {
                shape: shape.clone(),
                fixed: None,
            },
            Shape::Track { keyframes } => self.place_track(keyframes),
            Shape::Box { rect } => self.place(&crate::ImportedShape::Box(*rect)),
            Shape::Polygon { .. } | Shape::Mask { .. } => Placed::Refused(
                "bad_outline",
                "an outline stands where another shape was expected",
            ),
        }
    }

    fn place_turned(&self, rect: TurnedRect, shape: impl Fn(TurnedRect) -> Shape) -> Placed {
        if !rect.is_finite() {
            return NOT_A_NUMBER;
        }
        if rect.w <= 0.0 || rect.h <= 0.0 {
            return Placed::Refused(
                "box_empty",
                "the box has no area; width and height must be above 0",
            );
        }
        let rect = if self.is_plain() {
            rect.normal()
        } else {
            // The centre and the middles of two sides tell the box in the other frame.
            let own = |x: f64, y: f64| self.map_point(rect.to_image(Point::new(x, y)));
            let (c, x, y) = (own(0.0, 0.0), own(rect.w / 2.0, 0.0), own(0.0, rect.h / 2.0));
            TurnedRect {
                cx: c.x,
                cy: c.y,
                w: 2.0 * c.distance(x),
                h: 2.0 * c.distance(y),
                angle: (x.y - c.y).atan2(x.x - c.x).to_degrees(),
            }
            .normal()
        };
        let shape = shape(rect);
        match polygon::mend(&shape.region(0.1).unwrap_or_default(), self.actual) {
            Ok(_) => Placed::Other { shape, fixed: None },
            Err(polygon::Fault::NotFinite) => NOT_A_NUMBER,
            Err(_) => Placed::Refused("box_outside", "the box lies outside the image"),
        }
    }

    /// Corners as the turned box they are, or as the smallest one around them; upright ones as a box.
    pub(super) fn place_corners(&self, corners: &[Vertex; 4]) -> Placed {
        let [a, b, c, d] = corners.map(|[x, y]| self.map_point(Point::new(x, y)));
        if [a, b, c, d].iter().any(|p| !(p.x.is_finite() && p.y.is_finite())) {
            return NOT_A_NUMBER;
        }
        let middle = |p: Point, q: Point| Point::new(f64::midpoint(p.x, q.x), f64::midpoint(p.y, q.y));
        let skew = (a.distance(c) - b.distance(d))
            .abs()
            .max(middle(a, c).distance(middle(b, d)));
        let rect = if skew <= RIGHT_ANGLED {
            let (cx, cy) = ((a.x + b.x + c.x + d.x) / 4.0, (a.y + b.y + c.y + d.y) / 4.0);
            TurnedRect {
                cx,
                cy,
                w: f64::midpoint(a.distance(b), d.distance(c)),
                h: f64::midpoint(a.distance(d), b.distance(c)),
                // Of both long sides together.
                angle: (b.y - a.y + c.y - d.y).atan2(b.x - a.x + c.x - d.x).to_degrees(),
            }
        } else {
            smallest(&[a, b, c, d])
        };
        let upright = rect.angle.to_radians().sin().abs() * rect.w.max(rect.h);
        if rect.angle.abs() < 90.0 && upright < UPRIGHT {
            let upright = TurnedRect { angle: 0.0, ..rect };
            return Fit {
                how: super::How::Scale(1.0, 1.0),
                ..*self
            }
            .place(&crate::ImportedShape::Box(upright.bounds()));
        }
        Fit {
            how: super::How::Scale(1.0, 1.0),
            ..*self
        }
        .place_turned(rect, |rect| Shape::RotatedBox { rect })
    }

    /// A point in the picture's frame, and whether it was moved onto the image.
    fn point_inside(&self, x: f64, y: f64) -> Option<(Vertex, bool)> {
        let p = self.map_point(Point::new(x, y));
        if !(p.x.is_finite() && p.y.is_finite()) {
            return None;
        }
        let inside = [
            p.x.clamp(0.0, self.actual.width),
            p.y.clamp(0.0, self.actual.height),
        ];
        let moved = (inside[0] - p.x).abs().max((inside[1] - p.y).abs()) > SLACK;
        Some((inside, moved))
    }

    /// Points, each moved onto the image.
    pub(super) fn place_points(
        &self,
        points: &[Vertex],
        least: usize,
        shape: impl Fn(Vec<Vertex>) -> Shape,
    ) -> Placed {
        if points.len() < least {
            return Placed::Refused("too_few_points", "the line needs at least two points");
        }
        if points.len() > polygon::VERTICES_MAX {
            return Placed::Refused("too_many_points", "the line has more than 50,000 points");
        }
        let mut clipped = false;
        let mut out = Vec::with_capacity(points.len());
        for [x, y] in points {
            let Some((v, moved)) = self.point_inside(*x, *y) else {
                return NOT_A_NUMBER;
            };
            clipped |= moved;
            out.push(v);
        }
        Placed::Other {
            shape: shape(out),
            fixed: clipped.then_some("points_clipped"),
        }
    }

    fn place_keypoints(&self, keypoints: &[Keypoint]) -> Placed {
        let mut clipped = false;
        let mut out = Vec::with_capacity(keypoints.len());
        for k in keypoints {
            let Some(at) = k.at() else {
                out.push(Keypoint::default());
                continue;
            };
            let Some(([x, y], moved)) = self.point_inside(at.x, at.y) else {
                return NOT_A_NUMBER;
            };
            clipped |= moved;
            out.push(Keypoint::new(Point::new(x, y), k.visibility));
        }
        if out.iter().all(|k| k.at().is_none()) {
            return Placed::Refused("no_keypoints", "none of its keypoints is labeled");
        }
        Placed::Other {
            shape: Shape::Keypoints { keypoints: out },
            fixed: clipped.then_some("points_clipped"),
        }
    }
}

/// The turned box of the smallest area around points: one of its sides lies along two of them.
fn smallest(points: &[Point; 4]) -> TurnedRect {
    let mut best = TurnedRect::default();
    let mut least = f64::INFINITY;
    for (n, p) in points.iter().enumerate() {
        for q in &points[n + 1..] {
            let angle = (q.y - p.y).atan2(q.x - p.x).to_degrees();
            let frame = TurnedRect {
                angle,
                ..TurnedRect::default()
            };
            let own = points.map(|p| frame.to_own(p));
            let (mut low, mut high) = (own[0], own[0]);
            for o in own {
                low = Point::new(low.x.min(o.x), low.y.min(o.y));
                high = Point::new(high.x.max(o.x), high.y.max(o.y));
            }
            let (w, h) = (high.x - low.x, high.y - low.y);
            if w * h < least {
                let c = frame.to_image(Point::new(
                    f64::midpoint(low.x, high.x),
                    f64::midpoint(low.y, high.y),
                ));
                least = w * h;
                best = TurnedRect {
                    cx: c.x,
                    cy: c.y,
                    w,
                    h,
                    angle,
                };
            }
        }
    }
    best
}

/// Corners this far from a right-angled box, in pixels, are one whose numbers were rounded.
const RIGHT_ANGLED: f64 = 0.01;
/// How far the ends of a side may be apart in pixels for a box that is not turned.
const UPRIGHT: f64 = 1e-4;

const NOT_A_NUMBER: Placed = Placed::Refused("not_a_number", "a coordinate is not a finite number");

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::{Rect, Visibility};

    #[test]
    fn turned_boxes_are_turned_and_scaled_with_the_picture() {
        let rect = TurnedRect {
            cx: 30.0,
            cy: 20.0,
            w: 20.0,
            h: 8.0,
            angle: 30.0,
        };
        let place = |f: Fit| match f.place_other(&Shape::RotatedBox { rect }) {
            Placed::Other {
                shape: Shape::RotatedBox { rect },
                ..
            } => rect,
            other => panic!("{other:?}"),
        };
        assert_eq!(place(Fit::new(None, (100.0, 50.0), 1, false)), rect);
        let double = place(Fit::new(Some((100.0, 50.0)), (200.0, 100.0), 1, false));
        assert!((double.w - 40.0).abs() < 1e-9 && (double.angle - 30.0).abs() < 1e-9);
        // Stored 100 x 50, shown 50 x 100 after a quarter turn clockwise.
        let turned = place(Fit::new(Some((100.0, 50.0)), (50.0, 100.0), 6, false));
        assert!((turned.cx - 30.0).abs() < 1e-9 && (turned.cy - 30.0).abs() < 1e-9);
        assert!((turned.angle - 120.0).abs() < 1e-9 && (turned.w - 20.0).abs() < 1e-9);
        let far = Shape::RotatedBox {
            rect: TurnedRect { cx: 500.0, ..rect },
        };
        let fit = Fit::new(None, (100.0, 50.0), 1, false);
        assert!(matches!(fit.place_other(&far), Placed::Refused("box_outside", _)));
    }

    #[test]
    fn points_come_onto_the_image_and_unlabeled_ones_have_no_place() {
        let fit = Fit::new(None, (100.0, 50.0), 1, false);
        let keypoints = vec![
            Keypoint::new(Point::new(120.0, 20.0), Visibility::Hidden),
            Keypoint::default(),
        ];
        let Placed::Other { shape, fixed } = fit.place_other(&Shape::Keypoints { keypoints }) else {
            panic!()
        };
        assert_eq!(fixed, Some("points_clipped"));
        assert_eq!(shape.bounds(), Some(Rect::new(100.0, 20.0, 0.0, 0.0)));
        let none = Shape::Keypoints {
            keypoints: vec![Keypoint::default()],
        };
        assert!(matches!(
            fit.place_other(&none),
            Placed::Refused("no_keypoints", _)
        ));
        let short = Shape::Polyline {
            points: vec![[1.0, 1.0]],
        };
        assert!(matches!(
            fit.place_other(&short),
            Placed::Refused("too_few_points", _)
        ));
        let wrong = Shape::Points {
            points: vec![[f64::NAN, 1.0]],
        };
        assert!(matches!(
            fit.place_other(&wrong),
            Placed::Refused("not_a_number", _)
        ));
    }
}
