//! Outlines and masks of single objects as they are learned from, and back.

use super::areas;
use super::port::{Cutout, Truth};
use super::survey::boxed;
use limn_domain::polygon::{self, Vertex};
use limn_domain::{Mask, Shape, Size};

/// Places along a side of an object that is learned from, at most.
const PLACES: f64 = 64.0;
/// Of ellipses, in pixels.
const TOLERANCE: f64 = 0.25;
/// How far an outline may be from the steps of its places, in places; less of objects of a few.
const STRAIGHT: (f64, f64) = (0.3, 0.75);
/// A part of an object, or a hole in it, that is smaller than one of so many parts of it is a speck, which nobody would have drawn.
const SPECK: u64 = 25;

/// What of its box an outline or a mask covers. `None` of other shapes, and of those outside the picture.
pub(crate) fn cutout(shape: &Shape, (width, height): (u32, u32), category: usize) -> Option<Cutout> {
    if !areas::is_area(shape) {
        return None;
    }
    let at = boxed(shape, (width, height), category)?;
    let [x, y, w, h] = [at.x, at.y, at.width, at.height].map(f64::from);
    let (x, w) = (x * f64::from(width), w * f64::from(width));
    let (y, h) = (y * f64::from(height), h * f64::from(height));
    let side = |pixels: f64| pixels.round().clamp(1.0, PLACES);
    let (columns, rows) = (side(w), side(h));
    let n = (columns as usize, rows as usize);
    let mut places = vec![0_u8; n.0 * n.1];
    if let Shape::Mask { mask } = shape {
        areas::sampled(mask, (x, y), (columns / w, rows / h), n, |at| places[at] = 1);
    } else {
        let to = |[px, py]: Vertex| [(px - x) * columns / w, (py - y) * rows / h];
        let size = Size {
            width: columns,
            height: rows,
        };
        let small = polygon::mapped(&shape.region(TOLERANCE)?, to);
        if let Some(mask) = Mask::from_polygon(&small, size) {
            areas::sampled(&mask, (0.0, 0.0), (1.0, 1.0), n, |at| places[at] = 1);
        }
    }
    // One that is thinner than a place is there nevertheless.
    Some(Cutout::new(at, n.0, n.1, &places).unwrap_or_else(|| Cutout::whole(at)))
}

/// What the objects of a picture teach.
pub(crate) fn objects(cut: impl Iterator<Item = Cutout>) -> Truth {
    let (boxes, outlines) = cut.map(|c| (c.at, c)).unzip();
    Truth::Objects { boxes, outlines }
}

/// A found object in the pixels of a picture, as an outline with few corners or as a mask of what that encloses. `None` of one that covers
/// nothing of the picture.
pub(crate) fn shape(found: &Cutout, (width, height): (u32, u32), as_mask: bool) -> Option<Shape> {
    let side = |n: usize| u32::try_from(n).ok();
    let (columns, rows) = (side(found.columns)?, side(found.rows)?);
    let mask = Mask::from_pixels(0, 0, columns, rows, &found.places())?;
    let least = mask.area() / SPECK;
    let tidy = mask.without_specks(least + 1).without_holes(least);
    let steps = tidy.to_polygon();
    let size = Size {
        width: f64::from(width),
        height: f64::from(height),
    };
    let along = |v: f64, from: f32, share: f32, n: u32, side: f64| {
        let at = (f64::from(from) + v / f64::from(n) * f64::from(share)) * side;
        (at.clamp(0.0, side) * 100.0).round() / 100.0
    };
    let at = &found.at;
    let to = |[x, y]: Vertex| {
        [
            along(x, at.x, at.width, columns, size.width),
            along(y, at.y, at.height, rows, size.height),
        ]
    };
    let tolerance = (f64::from(columns.min(rows)) / 40.0).clamp(STRAIGHT.0, STRAIGHT.1);
    // Straight sides may meet where steps do not.
    let mended = [tolerance, 0.0].into_iter().find_map(|tolerance| {
        let parts = polygon::mapped(&polygon::simplified(&steps, tolerance), to);
        polygon::mend(&parts, size).ok()
    });
    let (parts, _) = mended?;
    if !as_mask {
        return Some(Shape::Polygon { parts });
    }
    Some(Shape::Mask {
        mask: Mask::from_polygon(&parts, size)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::port::NetBox;

    /// A triangle with its right angle at the bottom left.
    fn triangle(x: f64, y: f64, side: f64) -> Shape {
        Shape::Polygon {
            parts: vec![vec![vec![[x, y], [x + side, y + side], [x, y + side]]]],
        }
    }

    fn overlap(a: &Mask, b: &Mask) -> f64 {
        let both = a.intersect(b).map_or(0, |m| m.area());
        both as f64 / (a.area() + b.area() - both) as f64
    }

    fn mask_of(shape: &Shape, size: Size) -> Mask {
        match shape {
            Shape::Mask { mask } => mask.clone(),
            Shape::Polygon { parts } => Mask::from_polygon(parts, size).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn outlines_and_masks_come_back_as_either() {
        let size = Size {
            width: 400.0,
            height: 300.0,
        };
        let drawn = triangle(100.0, 50.0, 200.0);
        let mask = mask_of(&drawn, size);
        let painted = Shape::Mask { mask: mask.clone() };
        for shape_of in [&drawn, &painted] {
            let c = cutout(shape_of, (400, 300), 3).unwrap();
            assert_eq!((c.at.category, c.columns, c.rows), (3, 64, 64));
            assert!((c.at.x - 0.25).abs() < 1e-3 && (c.at.width - 0.5).abs() < 1e-2);
            let n: usize = c.places().iter().map(|v| usize::from(*v)).sum();
            assert!((1_900..2_200).contains(&n), "half of it: {n}");
            assert!(c.contains(0.3, 0.7) && !c.contains(0.7, 0.3));
            for as_mask in [false, true] {
                let back = shape(&c, (400, 300), as_mask).unwrap();
                assert_eq!(matches!(back, Shape::Mask { .. }), as_mask);
                assert!(overlap(&mask_of(&back, size), &mask) > 0.95);
                if let Shape::Polygon { parts } = &back {
                    // Saved as it is.
                    assert_eq!(polygon::mend(parts, size).unwrap().0, *parts);
                    assert!(parts[0][0].len() < 20, "{parts:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_small_thin_or_none_of_it() {
        // Of few pixels each is a place.
        let small = cutout(&triangle(10.0, 10.0, 4.0), (400, 300), 0).unwrap();
        assert_eq!((small.columns, small.rows), (4, 4));
        let thin = Shape::Polygon {
            parts: vec![vec![vec![[0.0, 0.0], [300.0, 299.9], [300.0, 300.0]]]],
        };
        assert!(cutout(&thin, (400, 300), 0).is_some());
        let line = Shape::Polyline {
            points: vec![[0.0, 0.0], [9.0, 9.0]],
        };
        assert_eq!(cutout(&line, (400, 300), 0), None);
        assert_eq!(cutout(&triangle(500.0, 10.0, 4.0), (400, 300), 0), None);
        // Specks go, and what is beyond the picture.
        let mut places = vec![0_u8; 100];
        for (n, v) in places.iter_mut().enumerate() {
            *v = u8::from(n % 10 < 6 && n / 10 < 6);
        }
        (places[14], places[99]) = (0, 1);
        let at = NetBox {
            category: 0,
            x: 0.9,
            y: 0.0,
            width: 0.2,
            height: 0.2,
        };
        let found = Cutout::new(at, 10, 10, &places).unwrap();
        let Some(Shape::Mask { mask }) = shape(&found, (100, 100), true) else {
            panic!("a mask")
        };
        assert_eq!((mask.x, mask.y, mask.width, mask.height), (90, 0, 10, 12));
        assert_eq!(mask.area(), 120);
    }
}
