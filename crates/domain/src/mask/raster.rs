//! Polygons into pixels exactly as COCO does it (`rleFrPoly` in `maskApi.c` of github.com/cocodataset/cocoapi, Dollár
//! and Lin 2014, simplified BSD licence), so that our areas and masks are those that every COCO tool computes.

use super::spans::{runs_of_toggles, spans_of};
use super::{Mask, SIDE_MAX, dimensions};
use crate::geometry::Size;
use crate::polygon::{Part, Vertex};

/// The corners are rounded to fifths of a pixel.
const SCALE: f64 = 5.0;
/// Most points walked along the outline of one polygon, five for every pixel of its length; an outline as long as 13
/// million pixels is no object.
const STEPS_MAX: u64 = 1 << 26;

/// The outline of one ring in fifths of pixels, point by point, and what its columns begin and end at.
struct Walk {
    width: u32,
    height: u32,
    last: Option<(i32, i32)>,
    toggles: Vec<u64>,
}

impl Walk {
    /// One point of the outline. A step to the side may cross the middle of a column; then the mask begins or ends there.
    fn point(&mut self, u: i32, v: i32) {
        let Some((lu, lv)) = self.last.replace((u, v)) else {
            return;
        };
        if u == lu {
            return;
        }
        // The middle lies between 5x + 2 and 5x + 3; this is `xd` being a whole number.
        let at = if u < lu { u } else { u - 1 };
        if at < 2 || (at - 2) % 5 != 0 || at / 5 >= self.width as i32 {
            return;
        }
        let row = ((f64::from(v.min(lv)) + 0.5) / SCALE - 0.5)
            .clamp(0.0, f64::from(self.height))
            .ceil();
        self.toggles
            .push(u64::from(at as u32 / 5) * u64::from(self.height) + row as u64);
    }

    fn side(&mut self, from: (i32, i32), to: (i32, i32)) {
        let (dx, dy) = ((to.0 - from.0).abs(), (to.1 - from.1).abs());
        let wide = dx >= dy;
        let flip = if wide { from.0 > to.0 } else { from.1 > to.1 };
        let ((xs, ys), (xe, ye)) = if flip { (to, from) } else { (from, to) };
        // A side of no length divides by zero: NaN, and a row that is never looked at.
        let slope = if wide {
            f64::from(ye - ys) / f64::from(dx)
        } else {
            f64::from(xe - xs) / f64::from(dy)
        };
        // Conversions cut towards zero, as in C.
        let along = |start: i32, t: i32| (f64::from(start) + slope * f64::from(t) + 0.5) as i32;
        let length = if wide { dx } else { dy };
        for d in 0..=length {
            let t = if flip { length - d } else { d };
            if wide {
                self.point(t + xs, along(ys, t));
            } else {
                self.point(along(xs, t), t + ys);
            }
        }
    }
}

/// Where a ring's mask begins and ends along the columns of the image, ascending, none twice. `None` when it is too long;
/// `steps` are what is left of [`STEPS_MAX`].
fn toggles(ring: &[Vertex], width: u32, height: u32, steps: &mut u64) -> Option<Vec<u64>> {
    if width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX {
        return None;
    }
    // Within a quarter of the range of i32, so that differences fit.
    let fifths =
        |v: f64| Some((SCALE * v + 0.5) as i32).filter(|i| v.is_finite() && i.unsigned_abs() <= 1 << 29);
    let points = ring
        .iter()
        .map(|[x, y]| Some((fifths(*x)?, fifths(*y)?)))
        .collect::<Option<Vec<_>>>()?;
    let mut walk = Walk {
        width,
        height,
        last: None,
        toggles: Vec::new(),
    };
    let closed = points.iter().skip(1).chain(points.first());
    for (from, to) in points.iter().zip(closed) {
        let length = (to.0 - from.0).abs().max((to.1 - from.1).abs()) + 1;
        *steps = steps.checked_sub(length.unsigned_abs().into())?;
        walk.side(*from, *to);
    }
    walk.toggles.sort_unstable();
    Some(odd(&walk.toggles))
}

/// What is there an odd number of times in a sorted list: beginning and ending in one place is nothing.
fn odd(sorted: &[u64]) -> Vec<u64> {
    let same = sorted.chunk_by(|a, b| a == b);
    same.filter(|c| c.len() % 2 == 1)
        .filter_map(|c| c.first().copied())
        .collect()
}

/// The runs of one ring over an image of `width` by `height` pixels. `None` when the image is empty or larger than
/// [`SIDE_MAX`] a side, a coordinate is not finite or beyond 10^8, or the outline is longer than 13 million pixels.
pub fn rasterise(ring: &[Vertex], width: u32, height: u32) -> Option<Vec<u64>> {
    let toggles = toggles(ring, width, height, &mut { STEPS_MAX })?;
    Some(runs_of_toggles(&toggles, u64::from(width) * u64::from(height)))
}

impl Mask {
    /// The pixels of a polygon by the even-odd rule over its rings. `None` when there are none, or [`rasterise`] refuses.
    pub fn from_polygon(parts: &[Part], image: Size) -> Option<Self> {
        let (width, height) = dimensions(image)?;
        let (mut all, mut steps) = (Vec::new(), STEPS_MAX);
        for ring in parts.iter().flatten() {
            all.extend(toggles(ring, width, height, &mut steps)?);
        }
        all.sort_unstable();
        Self::from_spans(&spans_of(odd(&all), [0, 0, width, height]))
    }

    /// The pixels that at least one of the rings covers, as COCO reads a list of polygons. `None` when there are none, or
    /// [`rasterise`] refuses.
    pub fn from_rings<'a>(rings: impl IntoIterator<Item = &'a [Vertex]>, image: Size) -> Option<Self> {
        let (width, height) = dimensions(image)?;
        let (mut all, mut steps) = (Vec::new(), STEPS_MAX);
        for ring in rings {
            let own = toggles(ring, width, height, &mut steps)?;
            all.extend(own.into_iter().zip([1_i32, -1].into_iter().cycle()));
        }
        // Of what meets in one place, beginnings come first: touching rings have no seam.
        all.sort_unstable_by_key(|(at, step)| (*at, -step));
        let mut depth = 0;
        let edges = all.into_iter().filter_map(|(at, step)| {
            let was = depth > 0;
            depth += step;
            (was != (depth > 0)).then_some(at)
        });
        Self::from_spans(&spans_of(edges, [0, 0, width, height]))
    }
}
