//! Polygons with holes and several parts, in image pixels.
//!
//! A polygon is a list of parts; a part is its outer ring followed by the rings of its holes; a ring is a list of
//! vertices, not closed (the last is joined to the first). It is the layout of `MultiPolygon` coordinates in GeoJSON
//! (RFC 7946, 3.1.7) without the repeated last vertex; rings may turn either way. What is inside is decided by the
//! even-odd rule over all rings.

mod stroke;

use crate::geometry::{Point, Rect, Size};
use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::simplify::SimplifyShape;
use i_overlay::float::single::SingleFloatOverlay;
use i_overlay::float::slice::FloatSlice;

pub use stroke::stroked;

/// `[x, y]` of a corner.
pub type Vertex = [f64; 2];
/// At least three vertices.
pub type Ring = Vec<Vertex>;
/// An outer ring, then its holes.
pub type Part = Vec<Ring>;

/// Most vertices of one polygon.
pub const VERTICES_MAX: usize = 50_000;
/// Most crossings of sides that are mended: each can make another part.
pub const CROSSINGS_MAX: usize = 10_000;
/// A ring that encloses less than this many square pixels is nothing.
pub const AREA_MIN: f64 = 1e-3;

/// How far, in pixels, a corner may lie outside the image and still count as on its border: what rounding in other tools leaves.
pub const SLACK: f64 = 0.01;

/// Pixels by which sides may reach beyond each other because coordinates are rounded.
const ROUNDING: f64 = 1e-6;

/// What two polygons become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    Union,
    /// What is in the first and not in the second.
    Subtract,
    Intersect,
}

/// What stands in the way of a polygon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("holds a number that is not finite")]
    NotFinite,
    #[error("needs at least three corners")]
    TooFew,
    #[error("has more than {VERTICES_MAX} corners")]
    TooMany,
    #[error("crosses itself more than {CROSSINGS_MAX} times")]
    Tangled,
    #[error("has no area")]
    NoArea,
    #[error("lies outside the image")]
    Outside,
}

/// What was mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mended {
    /// Sides crossed, or parts overlapped: the outline of what they cover was taken.
    pub crossing: bool,
    /// What reached beyond the image was cut.
    pub clipped: bool,
}

/// The corners of all rings.
pub fn vertices(parts: &[Part]) -> impl Iterator<Item = Point> {
    parts.iter().flatten().flatten().map(|v| Point::new(v[0], v[1]))
}

/// The enclosing box; empty for a polygon without corners.
pub fn bounds(parts: &[Part]) -> Rect {
    let (mut lo, mut hi) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for v in parts.iter().flatten().flatten() {
        for i in 0..2 {
            lo[i] = lo[i].min(v[i]);
            hi[i] = hi[i].max(v[i]);
        }
    }
    if lo[0] > hi[0] {
        return Rect::default();
    }
    Rect::new(lo[0], lo[1], hi[0] - lo[0], hi[1] - lo[1])
}

/// Twice the signed area is the sum of the cross products (the shoelace formula), here relative to the first corner so
/// that large coordinates do not eat the digits.
pub fn ring_area(ring: &[Vertex]) -> f64 {
    let Some(o) = ring.first() else { return 0.0 };
    let twice: f64 = ring
        .windows(2)
        .map(|w| (w[0][0] - o[0]) * (w[1][1] - o[1]) - (w[1][0] - o[0]) * (w[0][1] - o[1]))
        .sum();
    (twice / 2.0).abs()
}

/// Area in square pixels of a polygon whose rings do not cross: outer rings less holes.
pub fn area(parts: &[Part]) -> f64 {
    parts
        .iter()
        .map(|part| {
            let mut rings = part.iter().map(|r| ring_area(r));
            rings.next().unwrap_or(0.0) - rings.sum::<f64>()
        })
        .sum()
}

/// Whether a point lies inside, by the even-odd rule.
pub fn contains(parts: &[Part], p: Point) -> bool {
    let mut inside = false;
    for (a, b) in edges(parts) {
        if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
            inside = !inside;
        }
    }
    inside
}

/// Every side as its two ends.
pub fn edges(parts: &[Part]) -> impl Iterator<Item = (Point, Point)> {
    parts.iter().flatten().flat_map(|ring| {
        (0..ring.len()).map(|i| {
            let (a, b) = (ring[i], ring[(i + 1) % ring.len()]);
            (Point::new(a[0], a[1]), Point::new(b[0], b[1]))
        })
    })
}

/// The point of the segment from `a` to `b` nearest to `p`.
pub fn nearest_on(a: Point, b: Point, p: Point) -> Point {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let len = dx * dx + dy * dy;
    let t = if len > 0.0 {
        (((p.x - a.x) * dx + (p.y - a.y) * dy) / len).clamp(0.0, 1.0)
    } else {
        0.0
    };
    Point::new(a.x + t * dx, a.y + t * dy)
}

/// Distance from a point to the nearest side.
pub fn edge_distance(parts: &[Part], p: Point) -> f64 {
    edges(parts)
        .map(|(a, b)| nearest_on(a, b, p).distance(p))
        .fold(f64::INFINITY, f64::min)
}

/// The polygon with every corner mapped.
pub fn mapped(parts: &[Part], f: impl Fn(Vertex) -> Vertex) -> Vec<Part> {
    let ring = |r: &Ring| r.iter().map(|v| f(*v)).collect();
    parts.iter().map(|p| p.iter().map(ring).collect()).collect()
}

/// Corners that are there twice in a row, and a last one that repeats the first, say nothing.
fn without_repeats(ring: &[Vertex]) -> Ring {
    let mut out: Ring = Vec::with_capacity(ring.len());
    for v in ring {
        if out.last() != Some(v) {
            out.push(*v);
        }
    }
    while out.len() > 1 && out.first() == out.last() {
        out.pop();
    }
    out
}

/// How often sides of the polygon cross, within or between rings, counted to just beyond [`CROSSINGS_MAX`]. Sweeps over the sides sorted by their left
/// end, so that sides far apart are never compared.
fn crossings(parts: &[Part]) -> usize {
    struct Side {
        a: Point,
        b: Point,
        ring: usize,
        at: usize,
        len: usize,
    }
    let mut sides = Vec::new();
    for (n, ring) in parts.iter().flatten().enumerate() {
        for i in 0..ring.len() {
            let (a, b) = (ring[i], ring[(i + 1) % ring.len()]);
            sides.push(Side {
                a: Point::new(a[0], a[1]),
                b: Point::new(b[0], b[1]),
                ring: n,
                at: i,
                len: ring.len(),
            });
        }
    }
    let left = |s: &Side| s.a.x.min(s.b.x);
    sides.sort_by(|s, t| left(s).total_cmp(&left(t)));
    let turn = |a: Point, b: Point, c: Point| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    let mut found = 0;
    for (i, s) in sides.iter().enumerate() {
        let right = s.a.x.max(s.b.x);
        for t in sides[i + 1..].iter().take_while(|t| left(t) <= right) {
            let next = s.ring == t.ring && ((s.at + 1) % s.len == t.at || (t.at + 1) % s.len == s.at);
            let (d1, d2) = (turn(s.a, s.b, t.a), turn(s.a, s.b, t.b));
            let (d3, d4) = (turn(t.a, t.b, s.a), turn(t.a, t.b, s.b));
            if next {
                // Neighbours share a corner; they must not fold back onto each other.
                let shared = if s.b == t.a { s.b } else { s.a };
                let (p, q) = (
                    if s.a == shared { s.b } else { s.a },
                    if t.a == shared { t.b } else { t.a },
                );
                let ahead = (p.x - shared.x) * (q.x - shared.x) + (p.y - shared.y) * (q.y - shared.y);
                found += usize::from(turn(shared, p, q) == 0.0 && ahead > 0.0);
                continue;
            }
            // Sides may touch: only what reaches beyond the other by more than rounding crosses it.
            let (len_s, len_t) = (s.a.distance(s.b), t.a.distance(t.b));
            let beyond = |d: f64, len: f64| d.abs() > ROUNDING * len;
            let apart = |d: f64, e: f64, len: f64| (d > 0.0) != (e > 0.0) && beyond(d, len) && beyond(e, len);
            if apart(d1, d2, len_s) && apart(d3, d4, len_t) {
                found += 1;
                if found > CROSSINGS_MAX {
                    return found;
                }
            }
        }
    }
    found
}

/// The polygon as it can be kept: at least three corners a ring, no sides that cross, inside the image, with an area.
/// One that is so already keeps its numbers to the last digit. Corners up to [`SLACK`] outside the image are moved to its border
/// instead of being cut off, so that the polygon keeps its corners.
pub fn mend(parts: &[Part], image: Size) -> Result<(Vec<Part>, Mended), Fault> {
    let all: usize = parts.iter().flatten().map(Vec::len).sum();
    if all > VERTICES_MAX {
        return Err(Fault::TooMany);
    }
    if !parts
        .iter()
        .flatten()
        .flatten()
        .flatten()
        .all(|v| v.is_finite() && v.abs() < 1e9)
    {
        return Err(Fault::NotFinite);
    }
    let mut some = false;
    let mut clean: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        let mut rings = part.iter().map(|r| without_repeats(r));
        let Some(outer) = rings.next().filter(|r| r.len() >= 3) else {
            continue;
        };
        some = true;
        let kept = std::iter::once(outer).chain(rings.filter(|r| r.len() >= 3 && ring_area(r) >= AREA_MIN));
        clean.push(kept.collect());
    }
    if !some {
        return Err(Fault::TooFew);
    }
    let mut mended = Mended::default();
    let crossings = crossings(&clean);
    if crossings > CROSSINGS_MAX {
        return Err(Fault::Tangled);
    }
    if crossings > 0 || strays(&clean) {
        mended.crossing = true;
        clean = rounded(&clean.simplify_shape_as::<i64>(FillRule::EvenOdd));
    }
    let b = bounds(&clean);
    if b.x < -SLACK || b.y < -SLACK || b.right() > image.width + SLACK || b.bottom() > image.height + SLACK {
        mended.clipped = true;
        let frame = vec![vec![vec![
            [0.0, 0.0],
            [image.width, 0.0],
            [image.width, image.height],
            [0.0, image.height],
        ]]];
        let had = area(&clean) >= AREA_MIN;
        clean = combine(&clean, &frame, Combine::Intersect);
        if clean.is_empty() {
            return Err(if had { Fault::Outside } else { Fault::NoArea });
        }
    } else if b.x < 0.0 || b.y < 0.0 || b.right() > image.width || b.bottom() > image.height {
        clean = mapped(&clean, |[x, y]| {
            [x.clamp(0.0, image.width), y.clamp(0.0, image.height)]
        });
    }
    clean.retain(|p| p.first().is_some_and(|r| ring_area(r) >= AREA_MIN));
    if clean.is_empty() || area(&clean) < AREA_MIN {
        return Err(Fault::NoArea);
    }
    if clean.iter().flatten().map(Vec::len).sum::<usize>() > VERTICES_MAX {
        return Err(Fault::TooMany);
    }
    Ok((clean, mended))
}

/// Whether some hole does not lie in its outer ring, or some part lies inside another. (Sides do not cross: one corner
/// that lies on neither border tells.)
fn strays(parts: &[Part]) -> bool {
    let outer = |part: &Part| part.first().map(|r| [vec![r.clone()]]);
    let within = |ring: &Ring, of: &[Part]| {
        let inner = ring.iter().map(|v| Point::new(v[0], v[1]));
        inner
            .filter(|p| edge_distance(of, *p) > ROUNDING)
            .map(|p| contains(of, p))
            .next()
    };
    let boxes: Vec<Rect> = parts.iter().map(|p| bounds(std::slice::from_ref(p))).collect();
    parts.iter().enumerate().any(|(i, part)| {
        let Some(own) = outer(part) else { return true };
        part.iter().skip(1).any(|hole| within(hole, &own) == Some(false))
            || parts.iter().enumerate().any(|(j, other)| {
                i != j
                    && boxes[i].intersects(boxes[j])
                    && within(&part[0], std::slice::from_ref(other)) == Some(true)
            })
    })
}

/// Union, difference or intersection. Empty when nothing is left.
pub fn combine(a: &[Part], b: &[Part], how: Combine) -> Vec<Part> {
    let rule = match how {
        Combine::Union => OverlayRule::Union,
        Combine::Subtract => OverlayRule::Difference,
        Combine::Intersect => OverlayRule::Intersect,
    };
    let (a, b) = (a.to_vec(), b.to_vec());
    let mut out = rounded(&a.overlay_as::<i64>(&b, rule, FillRule::EvenOdd));
    out.retain(|p| p.first().is_some_and(|r| ring_area(r) >= AREA_MIN));
    out
}

/// The pieces of a polygon along a line that crosses it, the largest first; each is a polygon of its own. What the line does
/// not touch stays with the largest. One piece when nothing was cut.
pub fn sliced(parts: &[Part], line: &[Point]) -> Vec<Vec<Part>> {
    let path: Vec<Vertex> = line
        .iter()
        .filter(|p| p.x.is_finite() && p.y.is_finite())
        .map(|p| [p.x, p.y])
        .collect();
    if path.len() < 2 {
        return vec![parts.to_vec()];
    }
    let mut pieces: Vec<Part> = rounded(&parts.to_vec().slice_by_as::<i64>(&path, FillRule::EvenOdd));
    pieces.retain(|p| p.first().is_some_and(|r| ring_area(r) >= AREA_MIN));
    if pieces.len() <= parts.len() {
        return vec![parts.to_vec()];
    }
    let own = |part: &Part| area(std::slice::from_ref(part));
    let whole = |piece: &Part| {
        let (a, b) = (own(piece), bounds(std::slice::from_ref(piece)));
        parts.iter().find(|part| {
            let c = bounds(std::slice::from_ref(part));
            let same = [b.x - c.x, b.y - c.y, b.w - c.w, b.h - c.h];
            (own(part) - a).abs() < 1e-4 * a.max(1.0) && same.iter().all(|d| d.abs() < 1e-4)
        })
    };
    let (untouched, mut cut): (Vec<Part>, Vec<Part>) = pieces.into_iter().partition(|p| whole(p).is_some());
    // As it was drawn, to the last digit.
    let untouched: Vec<Part> = untouched.iter().filter_map(|p| whole(p).cloned()).collect();
    cut.sort_by(|a, b| own(b).total_cmp(&own(a)));
    let mut out: Vec<Vec<Part>> = cut.into_iter().map(|p| vec![p]).collect();
    match out.first_mut() {
        Some(first) => first.extend(untouched),
        None => return vec![parts.to_vec()],
    }
    out
}

/// Corners that went through whole numbers and back are off in their last digits; what is below a ten-millionth of a
/// pixel says nothing.
fn rounded(parts: &[Part]) -> Vec<Part> {
    mapped(parts, |v| v.map(|c| (c * 1e7).round() / 1e7))
}

/// Fewer corners with no point of the outline moved by more than `tolerance` pixels (Ramer 1972, Douglas and Peucker
/// 1973, on each ring from its two corners that lie farthest apart). Rings that would vanish stay as they are.
pub fn simplified(parts: &[Part], tolerance: f64) -> Vec<Part> {
    parts
        .iter()
        .map(|p| p.iter().map(|r| simplified_ring(r, tolerance)).collect())
        .collect()
}

fn simplified_ring(ring: &Ring, tolerance: f64) -> Ring {
    if ring.len() <= 4 {
        return ring.clone();
    }
    let point = |i: usize| Point::new(ring[i % ring.len()][0], ring[i % ring.len()][1]);
    let far = (1..ring.len())
        .max_by(|a, b| {
            point(0)
                .distance(point(*a))
                .total_cmp(&point(0).distance(point(*b)))
        })
        .unwrap_or(0);
    let mut keep = vec![false; ring.len()];
    keep[0] = true;
    keep[far] = true;
    let mut spans = vec![(0, far), (far, ring.len())];
    while let Some((from, to)) = spans.pop() {
        let (a, b) = (point(from), point(to));
        let worst = (from + 1..to)
            .map(|i| (i, nearest_on(a, b, point(i)).distance(point(i))))
            .max_by(|x, y| x.1.total_cmp(&y.1));
        if let Some((i, d)) = worst
            && d > tolerance
        {
            keep[i] = true;
            spans.push((from, i));
            spans.push((i, to));
        }
    }
    let out: Ring = ring
        .iter()
        .zip(&keep)
        .filter(|(_, k)| **k)
        .map(|(v, _)| *v)
        .collect();
    if out.len() >= 3 && ring_area(&out) >= AREA_MIN {
        out
    } else {
        ring.clone()
    }
}

/// Without holes that enclose at most `most` square pixels.
pub fn without_holes(parts: &[Part], most: f64) -> Vec<Part> {
    let mut parts = parts.to_vec();
    for part in &mut parts {
        let mut first = true;
        part.retain(|ring| std::mem::take(&mut first) || ring_area(ring) > most);
    }
    parts
}

/// Without parts that cover less than `least` square pixels. The largest part stays in any case.
pub fn without_specks(parts: &[Part], least: f64) -> Vec<Part> {
    let own = |part: &Part| area(std::slice::from_ref(part));
    let most = parts.iter().map(own).fold(0.0, f64::max);
    parts
        .iter()
        .filter(|p| own(p) >= least.min(most))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
