//! Brings a file's boxes into the frame of the picture as it really is.

mod line;
mod other;
mod outline;
mod track;

use crate::model::{ImportedOutline, ImportedShape};
use limn_domain::polygon::Part;
use limn_domain::{Mask, Point, Rect, Shape, Size};

/// Overhang in pixels that is rounding, not worth a line in the report.
const SLACK: f64 = 0.01;

/// How the frame a file claims relates to the real picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    actual: Size,
    how: How,
    note: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Scale(f64, f64),
    /// The file speaks of the stored picture before its EXIF rotation (orientation 5 to 8).
    Turn(u8),
}

/// What became of one label.
#[derive(Debug, Clone, PartialEq)]
pub enum Placed {
    Whole,
    Box {
        rect: Rect,
        /// Stable name of the repair, if there was one: `negative_size` or `box_clipped`.
        fixed: Option<&'static str>,
    },
    Polygon {
        parts: Vec<Part>,
        /// `outline_clipped`, `outline_crossing` or `outline_part_left_out`.
        fixed: Option<&'static str>,
    },
    Mask {
        mask: Mask,
    },
    /// A shape of another kind; `fixed` is `points_clipped` when points were moved onto the image, `line_clipped` when a line was
    /// cut at its border, and `line_pieces` when that left several pieces.
    Other {
        shape: Shape,
        fixed: Option<&'static str>,
    },
    /// Left out: stable name of the reason and a sentence.
    Refused(&'static str, &'static str),
}

impl Fit {
    /// `declared` is the size the file claims, `actual` the size of the oriented image, `orientation` the EXIF
    /// orientation (1 to 8) of the stored bytes; `normalised` says that boxes run from 0 to 1.
    pub fn new(declared: Option<(f64, f64)>, actual: (f64, f64), orientation: u8, normalised: bool) -> Self {
        let actual = Size {
            width: actual.0,
            height: actual.1,
        };
        let plain = |how, note| Self { actual, how, note };
        if normalised {
            return plain(How::Scale(actual.width, actual.height), None);
        }
        let Some((w, h)) = declared.filter(|(w, h)| w.is_finite() && h.is_finite() && *w >= 1.0 && *h >= 1.0)
        else {
            return plain(How::Scale(1.0, 1.0), None);
        };
        if (w - actual.width).abs() < 0.5 && (h - actual.height).abs() < 0.5 {
            return plain(How::Scale(1.0, 1.0), None);
        }
        if (5..=8).contains(&orientation) && (w - actual.height).abs() < 0.5 && (h - actual.width).abs() < 0.5
        {
            return plain(How::Turn(orientation), Some("turned"));
        }
        let (sx, sy) = (actual.width / w, actual.height / h);
        if (sx / sy - 1.0).abs() <= 0.01 {
            plain(How::Scale(sx, sy), Some("scaled"))
        } else {
            plain(How::Scale(1.0, 1.0), Some("size_differs"))
        }
    }

    /// `turned`, `scaled` or `size_differs` when the claimed size is not the real one.
    pub const fn note(&self) -> Option<&'static str> {
        self.note
    }

    /// The label in the frame of the oriented image: corners in order, inside the image, with an area.
    pub fn place(&self, shape: &ImportedShape) -> Placed {
        let rect = match shape {
            ImportedShape::Whole => return Placed::Whole,
            ImportedShape::Box(rect) => *rect,
            ImportedShape::Outline(outline) => {
                return match &**outline {
                    ImportedOutline::Polygons(rings) => self.place_polygons(rings),
                    ImportedOutline::Parts(parts) => self.place_parts(parts),
                    ImportedOutline::Mask { mask, size } => self.place_mask(mask, *size),
                };
            }
            ImportedShape::Corners(corners) => return self.place_corners(corners),
            ImportedShape::Other(shape) => return self.place_other(shape),
        };
        if !rect.is_finite() {
            return Placed::Refused("not_a_number", "a coordinate is not a finite number");
        }
        let negative = rect.w < 0.0 || rect.h < 0.0;
        let rect = if negative {
            Rect::from_corners(
                Point::new(rect.x, rect.y),
                Point::new(rect.right(), rect.bottom()),
            )
        } else {
            rect
        };
        if rect.w == 0.0 || rect.h == 0.0 {
            return Placed::Refused(
                "box_empty",
                "the box has no area; width and height must be above 0",
            );
        }
        let rect = self.map(rect);
        if !rect.is_finite() {
            return Placed::Refused("not_a_number", "a coordinate is not a finite number");
        }
        let over = (-rect.x)
            .max(-rect.y)
            .max(rect.right() - self.actual.width)
            .max(rect.bottom() - self.actual.height);
        // Only boxes that leave the image are recomputed: the others keep their numbers to the last digit.
        let inside = if over > 0.0 {
            rect.clipped(self.actual)
        } else {
            rect
        };
        if inside.w <= 0.0 || inside.h <= 0.0 {
            return Placed::Refused("box_outside", "the box lies outside the image");
        }
        let fixed = if over > SLACK {
            Some("box_clipped")
        } else {
            negative.then_some("negative_size")
        };
        Placed::Box { rect: inside, fixed }
    }

    /// The frames are one.
    fn is_plain(&self) -> bool {
        self.how == How::Scale(1.0, 1.0)
    }

    fn map_point(&self, p: Point) -> Point {
        let (w, h) = (self.actual.width, self.actual.height);
        match self.how {
            How::Scale(sx, sy) => Point::new(p.x * sx, p.y * sy),
            How::Turn(5) => Point::new(p.y, p.x),
            How::Turn(6) => Point::new(w - p.y, p.x),
            How::Turn(7) => Point::new(w - p.y, h - p.x),
            How::Turn(_) => Point::new(p.y, h - p.x),
        }
    }

    fn map(&self, r: Rect) -> Rect {
        match self.how {
            How::Scale(..) if self.is_plain() => r,
            How::Scale(sx, sy) => Rect::new(r.x * sx, r.y * sy, r.w * sx, r.h * sy),
            How::Turn(_) => Rect::from_corners(
                self.map_point(Point::new(r.x, r.y)),
                self.map_point(Point::new(r.right(), r.bottom())),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fit(declared: Option<(f64, f64)>, actual: (f64, f64)) -> Fit {
        Fit::new(declared, actual, 1, false)
    }

    fn boxed(f: Fit, x: f64, y: f64, w: f64, h: f64) -> Placed {
        f.place(&ImportedShape::Box(Rect::new(x, y, w, h)))
    }

    #[test]
    fn keeps_clips_refuses() {
        let f = fit(None, (100.0, 50.0));
        assert_eq!(
            boxed(f, 0.1, 0.2, 0.2, 0.4),
            Placed::Box {
                rect: Rect::new(0.1, 0.2, 0.2, 0.4),
                fixed: None
            }
        );
        assert_eq!(
            boxed(f, -5.0, 10.0, 20.0, 100.0),
            Placed::Box {
                rect: Rect::new(0.0, 10.0, 15.0, 40.0),
                fixed: Some("box_clipped")
            }
        );
        assert_eq!(
            boxed(f, 20.0, 20.0, -10.0, -5.0),
            Placed::Box {
                rect: Rect::new(10.0, 15.0, 10.0, 5.0),
                fixed: Some("negative_size")
            }
        );
        assert!(matches!(
            boxed(f, 200.0, 0.0, 5.0, 5.0),
            Placed::Refused("box_outside", _)
        ));
        assert!(matches!(
            boxed(f, 2.0, 0.0, 0.0, 5.0),
            Placed::Refused("box_empty", _)
        ));
        assert!(matches!(
            boxed(f, f64::NAN, 0.0, 1.0, 5.0),
            Placed::Refused("not_a_number", _)
        ));
        assert!(matches!(
            boxed(f, f64::MAX, 0.0, f64::MAX, 5.0),
            Placed::Refused(..)
        ));
    }

    #[test]
    fn scales_and_turns() {
        let half = fit(Some((200.0, 100.0)), (100.0, 50.0));
        assert_eq!(half.note(), Some("scaled"));
        assert_eq!(
            boxed(half, 20.0, 20.0, 40.0, 40.0),
            Placed::Box {
                rect: Rect::new(10.0, 10.0, 20.0, 20.0),
                fixed: None
            }
        );
        assert_eq!(
            fit(Some((77.0, 100.0)), (100.0, 50.0)).note(),
            Some("size_differs")
        );
        // Stored 100 x 50, shown 50 x 100: the top left corner of the stored picture goes to the top right.
        let turned = Fit::new(Some((100.0, 50.0)), (50.0, 100.0), 6, false);
        assert_eq!(turned.note(), Some("turned"));
        assert_eq!(
            boxed(turned, 0.0, 0.0, 30.0, 10.0),
            Placed::Box {
                rect: Rect::new(40.0, 0.0, 10.0, 30.0),
                fixed: None
            }
        );
        let turned = Fit::new(Some((100.0, 50.0)), (50.0, 100.0), 8, false);
        assert_eq!(
            boxed(turned, 0.0, 0.0, 30.0, 10.0),
            Placed::Box {
                rect: Rect::new(0.0, 70.0, 10.0, 30.0),
                fixed: None
            }
        );
        let unit = Fit::new(None, (8000.0, 4000.0), 1, true);
        assert_eq!(
            boxed(unit, 0.5, 0.25, 0.25, 0.25),
            Placed::Box {
                rect: Rect::new(4000.0, 1000.0, 2000.0, 1000.0),
                fixed: None
            }
        );
    }

    proptest! {
        #[test]
        fn whatever_is_placed_lies_inside(
            x in proptest::num::f64::ANY, y in proptest::num::f64::ANY, w in proptest::num::f64::ANY, h in proptest::num::f64::ANY,
            dw in proptest::option::of(0.0..1e6f64), aw in 1.0..5000.0f64, ah in 1.0..5000.0f64, o in 0u8..10, n: bool,
        ) {
            let f = Fit::new(dw.map(|d| (d, ah)), (aw, ah), o, n);
            if let Placed::Box { rect, .. } = boxed(f, x, y, w, h) {
                prop_assert!(rect.w > 0.0 && rect.h > 0.0 && rect.x >= 0.0 && rect.y >= 0.0);
                prop_assert!(rect.right() <= aw * (1.0 + 1e-12) && rect.bottom() <= ah * (1.0 + 1e-12));
            }
        }
    }
}
