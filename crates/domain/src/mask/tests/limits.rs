//! What is drawn and refused at the edges, and outlines that need no mending.

use super::*;
use crate::polygon::{Mended, area, bounds};

fn rect(x: f64, y: f64, w: f64, h: f64) -> Vec<Vertex> {
    vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
}

/// Made with COCO's own C code.
#[test]
fn more_polygons_of_the_reference() {
    let text = |ring: &[Vertex], w, h| encode_counts(&rasterise(ring, w, h).unwrap());
    assert_eq!(
        text(&[[2.5, 2.5], [17.5, 4.0], [9.25, 18.75]], 20, 20),
        "o12b02N3M2N3M2N1ON2O2M2N2N2O1Nj1"
    );
    assert_eq!(text(&rect(-5.0, -5.0, 40.0, 40.0), 20, 20), "0`<");
    // Either way round (cocoapi#658).
    let mut square = rect(0.0, 0.0, 9.0, 9.0);
    square.reverse();
    assert_eq!(text(&square, 100, 100), "09k2000000000000000\\l8");
    let large = format!("0T3l;{}PTm7", "0".repeat(197));
    assert_eq!(text(&rect(0.0, 0.0, 100.0, 100.0), 640, 480), large);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let square = rect(0.0, 0.0, 9.0, 9.0);
    assert_eq!(rasterise(&square, 0, 5), None);
    assert_eq!(rasterise(&square, SIDE_MAX + 1, 5), None);
    for far in [f64::NAN, f64::INFINITY, 1e12, -1e12, -3e257, f64::MIN] {
        assert_eq!(
            rasterise(&[[far, 0.0], [1.0, 1.0], [2.0, 0.0]], 9, 9),
            None,
            "{far}"
        );
    }
    let zigzag = [[0.0, 0.0], [1e5, 1e5]].repeat(10_000);
    assert_eq!(
        Mask::from_polygon(&[vec![zigzag]], image(SIDE_MAX, SIDE_MAX)),
        None
    );
    assert_eq!(rasterise(&[], 3, 2), Some(vec![6]));
    assert_eq!(Mask::from_polygon(&[], image(9, 9)), None);
}

#[test]
fn a_large_mask_costs_what_its_runs_do() {
    let all = Mask::from_runs(60_000, 60_000, &[0, 3_600_000_000]).unwrap();
    assert_eq!(all.to_polygon(), [vec![all.to_polygon()[0][0].clone()]]);
    assert_eq!((all.to_polygon()[0][0].len(), all.pixels()), (4, None));
    let hole = Mask::from_polygon(&[vec![rect(10.0, 10.0, 50.0, 50.0)]], image(60_000, 60_000)).unwrap();
    let rest = all.subtract(&hole).unwrap();
    assert_eq!(rest.area(), 3_600_000_000 - 2_500);
    assert_eq!(rest.union(&hole), Some(all));
    assert_eq!(rest.full_counts(5, 5), [0, 25]);
}

#[test]
fn equal_pixels_are_equal_values_once_tidied() {
    let tight = Mask::from_pixels(5, 7, 4, 3, &[0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!((tight.x, tight.y, tight.width, tight.height), (6, 7, 3, 2));
    let loose = Mask {
        x: 5,
        y: 7,
        width: 4,
        height: 3,
        counts: encode_counts(&[1, 0, 2, 2, 4, 1, 0, 0, 2]),
    };
    assert_eq!(loose.tidied(), Some(tight));
}

/// A bitmap at some place of the corner of an image.
fn placed() -> impl Strategy<Value = Option<Mask>> {
    (bitmap(), 0..9_u32, 0..9_u32).prop_map(|((w, h, p), x, y)| Mask::from_pixels(x, y, w, h, &p))
}

/// Whether each pixel of the corner is set.
fn grid(mask: Option<&Mask>) -> Vec<bool> {
    let at = |i: u32| Point::new(f64::from(i % 24) + 0.5, f64::from(i / 24) + 0.5);
    (0..24 * 24)
        .map(|i| mask.is_some_and(|m| m.contains(at(i))))
        .collect()
}

proptest! {
    #[test]
    fn a_border_is_a_sound_polygon_as_it_is(mask in placed()) {
        let Some(mask) = mask else { return Ok(()) };
        let (parts, size) = (mask.to_polygon(), image(24, 24));
        prop_assert_eq!(bounds(&parts), mask.window());
        prop_assert!((area(&parts) - mask.area() as f64).abs() < 0.1 * mask.area() as f64);
        let (kept, what) = mend(&parts, size).unwrap();
        prop_assert_eq!(what, Mended::default());
        prop_assert_eq!(kept, parts);
    }

    #[test]
    fn sets_of_masks_in_different_windows(a in placed(), b in placed()) {
        let (Some(a), Some(b)) = (a, b) else { return Ok(()) };
        let (ga, gb) = (grid(Some(&a)), grid(Some(&b)));
        let zip = |f: fn(bool, bool) -> bool| ga.iter().zip(&gb).map(|(a, b)| f(*a, *b)).collect::<Vec<_>>();
        for (got, want) in [
            (a.union(&b), zip(|a, b| a || b)),
            (a.subtract(&b), zip(|a, b| a && !b)),
            (a.intersect(&b), zip(|a, b| a && b)),
        ] {
            prop_assert_eq!(grid(got.as_ref()), want);
            prop_assert_eq!(got.as_ref().and_then(Mask::tidied), got);
        }
    }

    #[test]
    fn rings_cover_what_each_covers(
        rings in proptest::collection::vec(proptest::collection::vec([-5.0..105.0f64, -5.0..85.0f64], 3..7), 1..5),
    ) {
        let size = image(100, 80);
        let all = Mask::from_rings(rings.iter().map(Vec::as_slice), size);
        let each = rings.iter().filter_map(|r| Mask::from_rings([r.as_slice()], size));
        prop_assert_eq!(&all, &each.reduce(|a, b| a.union(&b).unwrap()));
        prop_assert!(all.is_none_or(|m| m.check(size).is_ok()));
    }

    #[test]
    fn no_text_or_number_breaks_anything(
        text in "[0-o]{0,40}", (x, y, w, h) in any::<(u32, u32, u32, u32)>(), (width, height) in (0..40_u32, 0..40_u32),
        ring in proptest::collection::vec(any::<[f64; 2]>(), 0..6),
    ) {
        let decoded = decode_counts(&text).unwrap_or_default();
        let _ = (counts_bounds(&decoded, x.into()), Mask::from_runs(w, h, &decoded));
        let _ = (Mask::from_pixels(x, y, w, h, &[1]), rasterise(&ring, width, height));
        for mask in [
            Mask { x, y, width: w, height: h, counts: text.clone() },
            Mask { x: 3, y: 4, width, height, counts: text.clone() },
        ] {
            let _ = (mask.check(image(50, 50)), mask.area(), mask.contains(Point::new(5.0, 5.0)), mask.tidied());
            let _ = (mask.to_polygon(), mask.full_counts(w, h), mask.union(&mask.clone()), mask.pixels());
        }
    }
}
