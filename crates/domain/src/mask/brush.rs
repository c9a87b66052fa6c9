//! What a brush paints: a tip of whole pixels, put down on every pixel of the way it is drawn.

use super::spans::{Span, Spans};
use super::{Mask, dimensions};
use crate::geometry::{Point, Size};
use serde::{Deserialize, Serialize};

/// Most pixels across a tip.
pub const TIP_MAX: u32 = 2_000;

/// The form of a brush's tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tip {
    #[default]
    Round,
    Square,
}

/// Columns of a tip as (column, first row, row after the last), relative to the pixel it is put on. A tip of odd size is
/// centred on that pixel, one of even size reaches a pixel further to the left and up.
fn columns(size: u32, tip: Tip) -> Vec<(i64, i64, i64)> {
    let size = i64::from(size.clamp(1, TIP_MAX));
    let first = -(size / 2);
    let square = move |x: i64| (x, first, first + size);
    let middle = if size % 2 == 0 { 0.5 } else { 0.0 };
    // A pixel belongs to the disc when its centre does; a hair less than the radius keeps small discs round.
    let reach = (size * size - 1) as f64 / 4.0;
    (first..first + size)
        .filter_map(|x| {
            if tip == Tip::Square || size <= 2 {
                return Some(square(x));
            }
            let dx = x as f64 + middle;
            let rest = reach - dx * dx;
            let mut rows = (first..first + size).filter(|y| {
                let dy = *y as f64 + middle;
                dy * dy < rest
            });
            let top = rows.next()?;
            Some((x, top, rows.next_back().unwrap_or(top) + 1))
        })
        .collect()
}

/// The pixel a tip is put on: for odd sizes the one that holds the point, for even ones that of the corner nearest to it.
fn place(p: Point, size: u32) -> Option<(i64, i64)> {
    let shift = if size.is_multiple_of(2) { 0.5 } else { 0.0 };
    let (x, y) = ((p.x + shift).floor(), (p.y + shift).floor());
    (x.abs() < 1e7 && y.abs() < 1e7).then_some((x as i64, y as i64))
}

/// The pixels of the straight way from one to another, both included (Bresenham 1965).
fn way(from: (i64, i64), to: (i64, i64)) -> Vec<(i64, i64)> {
    let (dx, dy) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
    let (sx, sy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
    let (mut x, mut y, mut error) = (from.0, from.1, dx + dy);
    let mut out = vec![from];
    while (x, y) != to {
        let twice = 2 * error;
        if twice >= dy {
            error += dy;
            x += sx;
        }
        if twice <= dx {
            error += dx;
            y += sy;
        }
        out.push((x, y));
    }
    out
}

impl Mask {
    /// What a brush of `size` pixels across paints when it is drawn along `points` (image pixels), cut to the image.
    /// `None` when that is nothing.
    pub fn stroke(points: &[Point], size: u32, tip: Tip, image: Size) -> Option<Self> {
        let (width, height) = dimensions(image)?;
        let (width, height) = (i64::from(width), i64::from(height));
        let size = size.clamp(1, TIP_MAX);
        let stops: Vec<(i64, i64)> = points.iter().filter_map(|p| place(*p, size)).collect();
        let mut stamps: Vec<(i64, i64)> = match stops.as_slice() {
            [] => return None,
            [one] => vec![*one],
            [..] => stops.windows(2).flat_map(|w| way(w[0], w[1])).collect(),
        };
        // Far outside nothing of the tip reaches the image.
        let reach = i64::from(size);
        stamps.retain(|(x, y)| (-reach..width + reach).contains(x) && (-reach..height + reach).contains(y));
        let tip = columns(size, tip);
        let mut pieces: Vec<(u32, u32, u32)> = Vec::with_capacity(stamps.len() * tip.len());
        for (x, y) in stamps {
            for (dx, top, bottom) in &tip {
                let (column, top, bottom) = (x + dx, (y + top).max(0), (y + bottom).min(height));
                if (0..width).contains(&column) && top < bottom {
                    pieces.push((column as u32, top as u32, bottom as u32));
                }
            }
        }
        pieces.sort_unstable();
        let mut spans = Spans::new();
        for (x, top, bottom) in pieces {
            match spans.last_mut() {
                Some(s) if s.x == x && top <= s.bottom => s.bottom = s.bottom.max(bottom),
                _ => spans.push(Span { x, top, bottom }),
            }
        }
        Self::from_spans(&spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IMAGE: Size = Size {
        width: 40.0,
        height: 30.0,
    };

    fn art(size: u32, tip: Tip) -> Vec<String> {
        let at = Point::new(20.0, 15.0);
        let mask = Mask::stroke(&[at], size, tip, IMAGE).unwrap();
        let pixels = mask.pixels().unwrap();
        pixels
            .chunks(mask.width as usize)
            .map(|row| row.iter().map(|p| if *p == 1 { '#' } else { '.' }).collect())
            .collect()
    }

    #[test]
    fn tips_are_round_or_square_to_the_pixel() {
        assert_eq!(art(1, Tip::Round), ["#"]);
        assert_eq!(art(2, Tip::Round), ["##", "##"]);
        assert_eq!(art(3, Tip::Round), [".#.", "###", ".#."]);
        assert_eq!(art(4, Tip::Round), [".##.", "####", "####", ".##."]);
        assert_eq!(art(5, Tip::Round), [".###.", "#####", "#####", "#####", ".###."]);
        assert_eq!(art(3, Tip::Square), ["###", "###", "###"]);
    }

    #[test]
    fn one_pixel_is_the_one_under_the_pointer() {
        for (x, y) in [(0.0, 0.0), (0.99, 29.99), (39.5, 7.5)] {
            let mask = Mask::stroke(&[Point::new(x, y)], 1, Tip::Round, IMAGE).unwrap();
            assert_eq!((mask.x, mask.y, mask.area()), (x as u32, y as u32, 1));
        }
        // On the corner between four pixels, two across cover all four.
        let mask = Mask::stroke(&[Point::new(10.0, 10.0)], 2, Tip::Square, IMAGE).unwrap();
        assert_eq!((mask.x, mask.y, mask.width, mask.height), (9, 9, 2, 2));
    }

    #[test]
    fn strokes_have_no_gaps_and_stay_in_the_image() {
        let line = [Point::new(2.5, 2.5), Point::new(30.5, 20.5)];
        let thin = Mask::stroke(&line, 1, Tip::Round, IMAGE).unwrap();
        assert_eq!(thin.area(), 29);
        assert_eq!(
            thin.to_polygon().len(),
            29 - 1 - 9,
            "touching at corners only, or joined"
        );
        let out = [Point::new(-50.0, 15.0), Point::new(90.0, 15.0)];
        let through = Mask::stroke(&out, 3, Tip::Square, IMAGE).unwrap();
        assert_eq!((through.width, through.height, through.area()), (40, 3, 120));
        assert!(Mask::stroke(&[Point::new(-9.0, 3.0)], 5, Tip::Round, IMAGE).is_none());
        assert!(Mask::stroke(&[Point::new(f64::NAN, 3.0)], 5, Tip::Round, IMAGE).is_none());
        assert!(Mask::stroke(&[], 5, Tip::Round, IMAGE).is_none());
    }

    proptest! {
        /// A stroke is the union of its stamps, whatever the way it is cut into pieces.
        #[test]
        fn pieces_add_up(
            xs in proptest::collection::vec((-5.0..45.0f64, -5.0..35.0f64), 2..6), size in 1u32..12, square: bool,
        ) {
            let points: Vec<Point> = xs.iter().map(|(x, y)| Point::new(*x, *y)).collect();
            let tip = if square { Tip::Square } else { Tip::Round };
            let whole = Mask::stroke(&points, size, tip, IMAGE);
            let mut parts: Option<Mask> = None;
            for w in points.windows(2) {
                let piece = Mask::stroke(w, size, tip, IMAGE);
                parts = match (parts, piece) {
                    (Some(a), Some(b)) => a.union(&b),
                    (a, b) => a.or(b),
                };
            }
            prop_assert_eq!(&whole, &parts);
            if let Some(mask) = whole {
                prop_assert!(mask.check(IMAGE).is_ok());
            }
        }
    }
}
