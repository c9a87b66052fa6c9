//! Our geometry against the `geo` crate's. Its 0.28 sweeps with code of its own; later versions cut with the library that ours
//! uses.
#![allow(clippy::unwrap_used, reason = "tests")]

use geo::{Area as _, BooleanOps as _, BoundingRect as _, Contains as _, EuclideanDistance as _};
use limn_domain::polygon::{self, Combine, Part, Ring};
use limn_domain::{Point, Rect, Size, TurnedRect};
use proptest::prelude::*;

const IMAGE: Size = Size {
    width: 100.0,
    height: 100.0,
};

fn line(ring: &[[f64; 2]]) -> geo::LineString<f64> {
    ring.iter().map(|v| (v[0], v[1])).collect()
}

fn theirs(parts: &[Part]) -> geo::MultiPolygon<f64> {
    let part = |p: &Part| {
        let holes = p.iter().skip(1).map(|h| line(h)).collect();
        geo::Polygon::new(line(&p[0]), holes)
    };
    geo::MultiPolygon::new(parts.iter().map(part).collect())
}

/// A ring around a centre whose sides never cross, whatever its corners.
fn star() -> impl Strategy<Value = Ring> {
    (
        20.0..80.0_f64,
        20.0..80.0_f64,
        prop::collection::vec(2.0..19.0_f64, 3..24),
        0.0..std::f64::consts::TAU,
    )
        .prop_map(|(cx, cy, radii, turn)| {
            let n = radii.len() as f64;
            radii
                .into_iter()
                .zip(0_u32..)
                .map(|(r, i)| {
                    let a = turn + std::f64::consts::TAU * f64::from(i) / n;
                    [cx + r * a.cos(), cy + r * a.sin()]
                })
                .collect()
        })
}

/// One or two rings, the second cut out of the first or another part, whatever mending makes of it.
fn outline() -> impl Strategy<Value = Vec<Part>> {
    (star(), prop::option::of(star())).prop_map(|(ring, other)| {
        let first = vec![vec![ring]];
        match other {
            Some(other) => polygon::combine(&first, &[vec![other]], Combine::Subtract),
            None => first,
        }
    })
}

fn boxed() -> impl Strategy<Value = Rect> {
    (0.0..80.0_f64, 0.0..80.0_f64, 0.5..20.0_f64, 0.5..20.0_f64)
        .prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
}

fn their_rect(r: Rect) -> geo::Polygon<f64> {
    geo::Rect::new((r.x, r.y), (r.right(), r.bottom())).to_polygon()
}

/// Within a part of the whole; both cut at rounded places.
fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(b.abs()) + 1e-4
}

/// The same, where pieces below [`polygon::AREA_MIN`] are left out by us.
fn near_cut(a: f64, b: f64) -> bool {
    near(a, b) || (a - b).abs() <= 5.0 * polygon::AREA_MIN
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn areas_and_bounds(parts in outline()) {
        prop_assume!(!parts.is_empty());
        let geo = theirs(&parts);
        prop_assert!(near(polygon::area(&parts), geo.unsigned_area()));
        let (ours, b) = (polygon::bounds(&parts), geo.bounding_rect().unwrap());
        prop_assert_eq!((ours.x, ours.y), (b.min().x, b.min().y));
        prop_assert!(near(ours.w, b.width()) && near(ours.h, b.height()));
    }

    #[test]
    fn unions_intersections_and_differences(a in outline(), b in outline()) {
        prop_assume!(!a.is_empty() && !b.is_empty());
        let (ga, gb) = (theirs(&a), theirs(&b));
        for (how, geo) in [
            (Combine::Union, ga.union(&gb)),
            (Combine::Intersect, ga.intersection(&gb)),
            (Combine::Subtract, ga.difference(&gb)),
        ] {
            let ours = polygon::area(&polygon::combine(&a, &b, how));
            prop_assert!(near_cut(ours, geo.unsigned_area()), "{how:?}: {ours} and {}", geo.unsigned_area());
        }
    }

    #[test]
    fn intersection_over_union_of_boxes(a in boxed(), b in boxed()) {
        let (ga, gb) = (their_rect(a), their_rect(b));
        let (both, all) = (ga.intersection(&gb).unsigned_area(), ga.union(&gb).unsigned_area());
        prop_assert!((a.iou(b) - both / all).abs() < 1e-6, "{} and {}", a.iou(b), both / all);
    }

    #[test]
    fn points_inside_and_their_distance_to_the_border(parts in outline(), x in 0.0..100.0_f64, y in 0.0..100.0_f64) {
        prop_assume!(!parts.is_empty());
        let geo = theirs(&parts);
        let p = geo::Point::new(x, y);
        let border = geo
            .iter()
            .flat_map(|g| std::iter::once(g.exterior()).chain(g.interiors()))
            .map(|ring| p.euclidean_distance(ring))
            .fold(f64::MAX, f64::min);
        prop_assert!(near(polygon::edge_distance(&parts, Point::new(x, y)), border));
        // On the border itself each may say what it likes.
        if border > 1e-6 {
            prop_assert_eq!(polygon::contains(&parts, Point::new(x, y)), geo.contains(&p));
        }
    }

    #[test]
    fn mending_keeps_what_lies_in_the_image(ring in star(), dx in -60.0..60.0_f64, dy in -60.0..60.0_f64) {
        let moved = polygon::mapped(&[vec![ring]], |[x, y]| [x + dx, y + dy]);
        let image = geo::Rect::new((0.0, 0.0), (IMAGE.width, IMAGE.height)).to_polygon();
        let want = theirs(&moved).intersection(&geo::MultiPolygon::new(vec![image])).unsigned_area();
        match polygon::mend(&moved, IMAGE) {
            Ok((mended, cut)) => {
                let (ours, b) = (polygon::area(&mended), polygon::bounds(&moved));
                // Corners just outside are moved, not cut off, which turns their sides a little.
                let moved_by = if cut.clipped { 0.0 } else { polygon::SLACK * 2.0 * (b.w + b.h) };
                prop_assert!(near_cut(ours, want) || (ours - want).abs() <= moved_by, "{ours} and {want}");
            }
            Err(_) => prop_assert!(want < 0.1, "refused with {want} inside"),
        }
    }

    /// What lies at most [`polygon::SLACK`] outside keeps its corners, and no more of it than that is moved.
    #[test]
    fn a_corner_just_outside_is_moved_to_the_border(ring in star(), out in 0.0..polygon::SLACK) {
        let b = polygon::bounds(&[vec![ring.clone()]]);
        let dy = IMAGE.height + out - b.bottom();
        let moved = polygon::mapped(&[vec![ring]], |[x, y]| [x, y + dy]);
        let (mended, cut) = polygon::mend(&moved, IMAGE).unwrap();
        prop_assert!(!cut.clipped);
        prop_assert_eq!(mended[0][0].len(), moved[0][0].len());
        for (a, b) in mended[0][0].iter().zip(&moved[0][0]) {
            prop_assert!(a[1] <= IMAGE.height && a[0] == b[0] && (a[1] - b[1]).abs() <= polygon::SLACK + 1e-9);
        }
    }

    #[test]
    fn turned_boxes(r in boxed(), angle in -180.0..180.0_f64) {
        let turned = TurnedRect { angle, ..TurnedRect::upright(r) };
        let corners: Ring = turned.corners().map(|p| [p.x, p.y]).to_vec();
        let geo = geo::Polygon::new(line(&corners), vec![]);
        prop_assert!(near(r.area(), geo.unsigned_area()));
        let b = geo.bounding_rect().unwrap();
        let ours = turned.bounds();
        prop_assert!(near(ours.x, b.min().x) && near(ours.y, b.min().y) && near(ours.w, b.width()) && near(ours.h, b.height()));
    }
}
