//! Outlines and masks as a category for every pixel of a small picture, and back.

use super::port::PixelMap;
use limn_domain::training::{ModelCategory, PredictedArea, PredictedRle};
use limn_domain::{Mask, Shape, Size, polygon};
use std::collections::BTreeMap;

/// Longer side of the maps that are learned from, in pixels.
const SIDE: u32 = 384;
/// Of ellipses.
const TOLERANCE: f64 = 0.25;
/// Largest side of a picture whose answer is given in its own pixels.
const ANSWER_MAX: usize = 4_096;

/// Whether it says of pixels what they are. Boxes do not: they hold what is around the object too.
pub(crate) const fn is_area(shape: &Shape) -> bool {
    matches!(
        shape,
        Shape::Polygon { .. } | Shape::Mask { .. } | Shape::Ellipse { .. }
    )
}

/// Draws areas over each other, the first lowest, at a size of at most 384 pixels a side. Categories are numbers below
/// [`PixelMap::CATEGORIES_MAX`]; others are left out.
pub(crate) fn pixels(areas: &[(usize, Shape)], (width, height): (u32, u32)) -> PixelMap {
    let by = (f64::from(SIDE) / f64::from(width.max(height).max(1))).min(1.0);
    let to = |n: u32| ((f64::from(n) * by).round() as usize).max(1);
    let (w, h) = (to(width), to(height));
    let mut out = vec![PixelMap::NOTHING; w * h];
    let scale = (
        w as f64 / f64::from(width.max(1)),
        h as f64 / f64::from(height.max(1)),
    );
    for (category, shape) in areas {
        let Some(category) = u8::try_from(*category)
            .ok()
            .filter(|c| usize::from(*c) < PixelMap::CATEGORIES_MAX)
        else {
            continue;
        };
        if let Shape::Mask { mask } = shape {
            sampled(mask, (0.0, 0.0), scale, (w, h), |at| out[at] = category);
            continue;
        }
        let Some(parts) = shape.region(TOLERANCE) else {
            continue;
        };
        let small = polygon::mapped(&parts, |[x, y]| [x * scale.0, y * scale.1]);
        let size = Size {
            width: w as f64,
            height: h as f64,
        };
        if let Some(mask) = Mask::from_polygon(&small, size) {
            sampled(&mask, (0.0, 0.0), (1.0, 1.0), (w, h), |at| out[at] = category);
        }
    }
    PixelMap::new(w, h, &out)
}

/// The small pixels whose middles lie in a mask; `from` is where they begin, and `scale` how many of them are one pixel.
pub(super) fn sampled(
    mask: &Mask,
    from: (f64, f64),
    scale: (f64, f64),
    (w, h): (usize, usize),
    mut each: impl FnMut(usize),
) {
    let Some(bitmap) = mask.pixels() else { return };
    let mut window = mask.window();
    (window.x, window.y) = (window.x - from.0, window.y - from.1);
    let first = |from: f64, by: f64| ((from * by - 0.5).ceil().max(0.0)) as usize;
    let end = |to: f64, by: f64, side: usize| (((to * by - 0.5).ceil().max(0.0)) as usize).min(side);
    let (x0, x1) = (first(window.x, scale.0), end(window.x + window.w, scale.0, w));
    let (y0, y1) = (first(window.y, scale.1), end(window.y + window.h, scale.1, h));
    for y in y0..y1 {
        let row = ((y as f64 + 0.5) / scale.1 - window.y) as usize;
        for x in x0..x1 {
            let column = ((x as f64 + 0.5) / scale.0 - window.x) as usize;
            let at = row * mask.width as usize + column;
            if column < mask.width as usize && bitmap.get(at).is_some_and(|v| *v != 0) {
                each(y * w + x);
            }
        }
    }
}

/// The size at which a picture of this one is answered: its own, unless that is too large.
pub(crate) fn answered((width, height): (u32, u32)) -> (usize, usize) {
    let by = (ANSWER_MAX as f64 / f64::from(width.max(height).max(1))).min(1.0);
    let to = |n: u32| ((f64::from(n) * by).round() as usize).max(1);
    (to(width), to(height))
}

/// The masks of those categories of a map that are wanted, in the pixels of a picture of `width` x `height`, each of which is what the map has under
/// its middle. They are made column by column as masks are written, so that no picture is too large.
pub(crate) fn masks(
    map: &PixelMap,
    wanted: impl Fn(usize) -> bool,
    (width, height): (u32, u32),
) -> BTreeMap<usize, Mask> {
    let of = map.pixels();
    let (side, full) = (u64::from(height), u64::from(width) * u64::from(height));
    // The first row of the picture that lies on a row of the map, or below it.
    let rows = map.height.max(1) as u64;
    let down: Vec<u64> = (0..=rows)
        .map(|row| (2 * side * row).saturating_sub(rows).div_ceil(2 * rows).min(side))
        .collect();
    // Where runs of each begin and end, in turn.
    let mut ends_of: Vec<Option<Vec<u64>>> = vec![None; PixelMap::CATEGORIES_MAX];
    for category in map.categories() {
        if let Some(ends) = ends_of.get_mut(category).filter(|_| wanted(category)) {
            *ends = Some(Vec::new());
        }
    }
    for x in 0..u64::from(width) {
        let column = ((2 * x + 1) * map.width as u64 / (2 * u64::from(width))) as usize;
        let class = |row: usize| of.get(row * map.width + column).copied();
        let mut row = 0;
        while row < map.height {
            let (from, is) = (row, class(row));
            while row < map.height && class(row) == is {
                row += 1;
            }
            let (top, bottom) = (x * side + down[from], x * side + down[row]);
            let ends = is.and_then(|v| ends_of.get_mut(usize::from(v))?.as_mut());
            if let Some(ends) = ends.filter(|_| top < bottom) {
                // A run that ended at the foot of the last column goes on at the head of this one.
                if ends.last() == Some(&top) {
                    ends.pop();
                } else {
                    ends.push(top);
                }
                ends.push(bottom);
            }
        }
    }
    let found = ends_of.into_iter().enumerate().filter_map(|(category, ends)| {
        let mut at = 0;
        let ends = ends?.into_iter().chain([full]);
        let runs: Vec<u64> = ends.map(|end| end - std::mem::replace(&mut at, end)).collect();
        Some((category, Mask::from_runs(width, height, &runs).ok()?))
    });
    found.collect()
}

/// What a network says of pixels, in those of a picture of `width` x `height`. Pictures of more than 4,096 pixels a side are answered at that size.
pub(super) fn told(
    map: &PixelMap,
    sure: &[f32],
    categories: &[ModelCategory],
    (width, height): (u32, u32),
    least: f64,
) -> Vec<PredictedArea> {
    let (w, h) = answered((width, height));
    let whole = map.scaled(w, h);
    let (w, h) = (w as u32, h as u32);
    let mut out: Vec<PredictedArea> = map
        .categories()
        .into_iter()
        .filter_map(|c| {
            let score = f64::from(sure.get(c).copied().unwrap_or(0.0));
            let own: Vec<u8> = whole.iter().map(|v| u8::from(usize::from(*v) == c)).collect();
            let mask = Mask::from_pixels(0, 0, w, h, &own).filter(|_| score >= least)?;
            Some(PredictedArea {
                category: categories.get(c)?.name.clone(),
                score,
                area: mask.area(),
                segmentation: PredictedRle {
                    size: [i64::from(h), i64::from(w)],
                    counts: mask.full_text(w, h),
                },
            })
        })
        .collect();
    out.sort_by_key(|a| std::cmp::Reverse(a.area));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64) -> Shape {
        Shape::Polygon {
            parts: vec![vec![vec![
                [x, y],
                [x + side, y],
                [x + side, y + side],
                [x, y + side],
            ]]],
        }
    }

    #[test]
    fn areas_lie_over_each_other_where_they_are() {
        // 768 x 384 pixels become 384 x 192.
        let mask = Mask::from_pixels(400, 100, 100, 100, &vec![1; 10_000]).unwrap();
        let areas = [
            (0, square(0.0, 0.0, 200.0)),
            (1, square(100.0, 100.0, 200.0)),
            (2, Shape::Mask { mask }),
        ];
        let map = pixels(&areas, (768, 384));
        assert_eq!((map.width, map.height), (384, 192));
        let of = map.pixels();
        let at = |x: usize, y: usize| of[y * 384 + x];
        assert_eq!((at(10, 10), at(60, 60), at(120, 120)), (0, 1, 1));
        assert_eq!(
            (at(220, 70), at(199, 70), at(380, 190)),
            (2, PixelMap::NOTHING, PixelMap::NOTHING)
        );
        let count = |c: u8| {
            map.counts()
                .filter(|(of, _)| *of == Some(c.into()))
                .map(|(_, n)| n)
                .sum::<u64>()
        };
        assert_eq!((count(0), count(1), count(2)), (7_500, 10_000, 2_500));
    }

    #[test]
    fn masks_are_what_the_map_says_at_any_size() {
        let n = PixelMap::NOTHING;
        let of = [0, 0, 1, n, 2, 0, 1, 1, n, 2, 0, 0];
        let map = PixelMap::new(4, 3, &of);
        for (width, height) in [(4, 3), (8, 6), (40, 31), (3, 2), (1, 1), (5, 300)] {
            let all = masks(&map, |c| c != 2, (width, height));
            let (w, h) = (width as usize, height as usize);
            let whole = map.scaled(w, h);
            for category in 0..3 {
                let own: Vec<u8> = whole
                    .iter()
                    .map(|v| u8::from(usize::from(*v) == category))
                    .collect();
                let wanted = Mask::from_pixels(0, 0, width, height, &own).filter(|_| category != 2);
                assert_eq!(
                    all.get(&category),
                    wanted.as_ref(),
                    "{category} at {width} x {height}"
                );
            }
        }
        // Everything, and a picture that no bitmap would be made of.
        let one = PixelMap::new(2, 2, &[1; 4]);
        let all = masks(&one, |_| true, (90_000, 80_000));
        assert_eq!((all.len(), all[&1].area()), (1, 7_200_000_000));
        assert_eq!(answered((90_000, 45_000)), (4_096, 2_048));
        assert_eq!(answered((640, 480)), (640, 480));
    }

    #[test]
    fn answers_are_in_the_pictures_own_pixels() {
        let n = PixelMap::NOTHING;
        let map = PixelMap::new(4, 2, &[0, 0, 1, n, 0, 0, 1, n]);
        let named = ["road", "sky"].map(|name| ModelCategory {
            name: name.to_owned(),
            color: String::new(),
            threshold: 0.5,
        });
        let all = told(&map, &[0.9, 0.4], &named, (40, 20), 0.0);
        let areas: Vec<_> = all.iter().map(|a| (a.category.as_str(), a.area)).collect();
        assert_eq!(areas, [("road", 400), ("sky", 200)]);
        assert_eq!(all[0].segmentation.size, [20, 40]);
        assert_eq!(told(&map, &[0.9, 0.4], &named, (40, 20), 0.5).len(), 1);
    }
}
