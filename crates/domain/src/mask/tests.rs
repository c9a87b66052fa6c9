use super::*;
use crate::polygon::{Vertex, mend};
use proptest::prelude::*;

mod limits;

/// Width, height, counts, compressed counts, area, box: made with COCO's own C code.
type Golden = (u32, u32, &'static [u64], &'static str, u64, [f64; 4]);

const RUNS: &[Golden] = &[
    (5, 4, &[20], "d0", 0, [0.0; 4]),
    (5, 4, &[0, 20], "0d0", 20, [0.0, 0.0, 5.0, 4.0]),
    (5, 4, &[0, 1, 19], "01c0", 1, [0.0, 0.0, 1.0, 1.0]),
    (
        5,
        4,
        &[5, 3, 1, 1, 1, 1, 1, 3, 4],
        "531N00023",
        8,
        [1.0, 1.0, 3.0, 3.0],
    ),
    (
        5,
        5,
        &[2, 1, 3, 3, 1, 5, 1, 3, 3, 1, 2],
        "2132N20N2NO",
        13,
        [0.0, 0.0, 5.0, 5.0],
    ),
    (5, 4, &[3, 1, 12, 1, 3], "31<0G", 2, [0.0, 0.0, 5.0, 4.0]),
    (6, 5, &[6, 2, 3, 2, 3, 2, 12], "6230009", 6, [1.0, 1.0, 3.0, 2.0]),
    (20, 20, &[0, 400], "0`<", 400, [0.0, 0.0, 20.0, 20.0]),
    (
        100,
        100,
        &[0, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 9191],
        r"09k2000000000000000\l8",
        81,
        [0.0, 0.0, 9.0, 9.0],
    ),
    (
        400_021,
        1,
        &[0, 1, 100_000, 5, 99_999, 7, 100_001, 5, 100_000, 3],
        "01PeQ34O22NON",
        21,
        [0.0, 0.0, 400_021.0, 1.0],
    ),
];

/// A polygon's width and height of the image, corners, compressed counts and area: made with COCO's own C code.
#[rustfmt::skip]
const POLYGONS: &[(u32, u32, &[Vertex], &str, u64)] = &[
    (6, 5, &[[1.0, 1.0], [4.0, 1.0], [4.0, 3.0], [1.0, 3.0]], "6230009", 6),
    (20, 20, &[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]], "0::00000000000000000X6", 100),
    (100, 100, &[[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]], r"09k2000000000000000\l8", 81),
    (82, 35, &[[29.0, 29.4], [53.2, 3.962209], [71.212528, 19.0], [1.1, 14.3], [75.14032, 6.0], [11.378928, 4.0], [80.0, 7.3], [78.7, 30.53]], r"g31R1000000000O10000000000000000O2O00000HM@3`0M@3`0M@3`0M@3`0M@3g01000000^OL54JM63IN73GO81G081F1:OE2;ND3<MC4=LB5>80BB79DJ4N88DJ3O97DI3196DI22:5DI13;4DI04<3D2;NEH07;1EG18:1HO82GN90EH19:1FO:0G090EG09;0E2;NE2;1EL;4FK:5GJ94JK65KJ56KK45MJ36NI27OH180G091FO:1FO;<00000001O000000B]2", 931),
    (43, 28, &[[37.7, 5.1], [41.562265, 8.37], [17.8, 7.39], [13.0, 16.69], [2.84, 22.918506], [29.9, 13.5], [2.0, 26.58]], r"Z31f10\N0f0020XO0e01[OOe01ZOOf01ZO0e01[ONf04ON[ONd06NO^OKa09NOAH?9AG?8AHa06@J`06@J`05@Ka05_OKa04_OLb03_OMa034O[ONb024O100Oh10YN0O1O11O1O00a1", 152),
    (54, 5, &[[42.54, 2.0], [24.5, 3.1], [6.4, 4.648277], [18.6, 4.46], [42.0, 2.95], [46.0, 2.0], [11.26, 4.59]], r"\11400000\10dN000:0F000000000000040;0A0000000`1", 21),
    (38, 72, &[[11.87, 22.0], [23.82, 71.8], [27.0, 71.042336]], r"hk01Z2100O1O1O2N100O1O1O100OO1L4Mcf0", 85),
    (7, 33, &[[4.16, 15.036948], [1.0, 26.45], [5.9, 32.4], [4.412795, 3.51881], [3.0, 27.88], [1.0, 32.20825], [6.72, 15.81], [3.3, 3.7]], r"j12k06]OI41J23O5500F1<I0", 47),
    (83, 66, &[[28.0, 32.46], [5.24, 46.0], [63.05, 36.91], [69.32, 50.8], [79.42, 43.0], [39.37, 21.51], [38.42, 22.96], [61.23967, 23.1], [72.202634, 64.42]], r"i=1Q20O00100O100O1O10O0100O1O100O010O1O100O1000O101O1O1O001N2O001O1O^O0b00`N0`11O1^ONRO3m0MSO3m0NRO3m0MSO4l0MRO4n0LRO5m0LRO5m0KSO6l0KSO5m0LRO5m0KRO7m0JRO7m0ISO7m0JRO7m0ISO8l0ISO7m0ISO8l0IRO9n0FRO;Q1BnN>V1^OkNb0\1OK@hN>X1FfN9Z18ODgN0Y11iNKW14nNIR15SOHl07a0O0O2N1O2N10n6", 749),
    (69, 21, &[[67.6, 17.569026], [20.0, 15.113416], [11.856046, 6.36], [50.0, 4.107576], [43.1, 4.6], [44.0, 20.7], [11.4, 2.3]], r"R81a00A1>OB2=OB2>MB4=3O10HD7:IF7:IG69JH5<01O0010IMJ36MK25NL140K050LO41LO41MN33LM4370FM23NM24MM23NM23NN13NM23NN<0K15O01O0001O0000001O00001O0000001O000000[10^O", 255),
    (64, 27, &[[2.282083, 9.0], [37.8, 19.39], [0.042279, 25.706878], [55.45, 26.04], [6.07, 25.68], [61.3, 11.32], [29.9, 16.090316]], r"_21j000000<020B0>0i00^N0;0g10gM090U10TO0\O0=0C0d00J060ZO0a00_O0b00]O0c00]O0c00\O1d00[OOf01ZOOe02[ONe040N[ONe02[ONe022O10O10O1000000O10O1000O100000j00VO000a5", 86),
];

fn image(width: u32, height: u32) -> Size {
    Size {
        width: f64::from(width),
        height: f64::from(height),
    }
}

#[test]
fn counts_and_their_text_agree_with_the_reference() {
    for (width, height, counts, text, area, [x, y, w, h]) in RUNS {
        assert_eq!(decode_counts(text).as_deref(), Some(*counts), "{text}");
        assert_eq!(encode_counts(counts), *text);
        let bounds = (*area > 0).then_some(Rect::new(*x, *y, *w, *h));
        assert_eq!(counts_bounds(counts, u64::from(*height)), bounds);
        if *width > SIDE_MAX {
            continue;
        }
        let mask = Mask::from_runs(*width, *height, counts);
        if *area == 0 {
            assert_eq!(mask, Err(MaskFault::Empty));
            continue;
        }
        let mask = mask.unwrap();
        assert_eq!(mask.window(), Rect::new(*x, *y, *w, *h));
        assert_eq!(mask.area(), *area);
        assert_eq!(mask.full_counts(*width, *height), *counts);
    }
}

#[test]
fn polygons_cover_the_pixels_of_the_reference() {
    for (width, height, ring, text, area) in POLYGONS {
        let mask = Mask::from_polygon(&[vec![ring.to_vec()]], image(*width, *height)).unwrap();
        assert_eq!(
            encode_counts(&mask.full_counts(*width, *height)),
            *text,
            "{ring:?}"
        );
        assert_eq!(mask.area(), *area);
    }
}

#[test]
fn what_is_no_mask_is_named() {
    assert_eq!(
        Mask::from_runs(4, 5, &[3, 4]),
        Err(MaskFault::Image {
            covered: 7,
            pixels: 20
        })
    );
    assert_eq!(Mask::from_runs(4, 5, &[20]), Err(MaskFault::Empty));
    assert_eq!(Mask::from_runs(0, 5, &[]), Err(MaskFault::Empty));
    let mask = |counts: &str| Mask {
        x: 1,
        y: 1,
        width: 3,
        height: 2,
        counts: counts.to_owned(),
    };
    let check = |m: Mask| m.check(image(4, 4));
    assert_eq!(check(mask("06")), Ok(()));
    assert_eq!(
        check(mask("05")),
        Err(MaskFault::Window {
            covered: 5,
            pixels: 6
        })
    );
    assert_eq!(check(mask("6")), Err(MaskFault::Empty));
    assert_eq!(check(mask("\u{7f}")), Err(MaskFault::Unreadable));
    assert_eq!(check(Mask { x: 2, ..mask("06") }), Err(MaskFault::Outside));
    let max = Mask {
        x: u32::MAX,
        y: u32::MAX,
        width: u32::MAX,
        height: u32::MAX,
        counts: "0".to_owned(),
    };
    assert!(max.check(image(4, 4)).is_err() && max.pixels().is_none() && max.to_polygon().is_empty());
}

#[test]
fn pixels_that_touch_at_a_corner_are_two_parts_and_holes_are_holes() {
    let diagonal = Mask::from_pixels(5, 7, 2, 2, &[1, 0, 0, 1]).unwrap();
    assert_eq!(diagonal.to_polygon().len(), 2);
    let ring = Mask::from_pixels(0, 0, 3, 3, &[1, 1, 1, 1, 0, 1, 1, 1, 1]).unwrap();
    let parts = ring.to_polygon();
    assert_eq!((parts.len(), parts[0].len()), (1, 2));
    assert_eq!(parts[0][0].len(), 4);
    assert!(
        ring.contains(Point::new(0.5, 0.5))
            && !ring.contains(Point::new(1.5, 1.5))
            && !ring.contains(Point::new(3.0, 1.0))
    );
}

fn bitmap() -> impl Strategy<Value = (u32, u32, Vec<u8>)> {
    (1..12_u32, 1..12_u32).prop_flat_map(|(w, h)| {
        (
            Just(w),
            Just(h),
            proptest::collection::vec(0..2_u8, (w * h) as usize),
        )
    })
}

proptest! {
    #[test]
    fn pixels_come_back((w, h, pixels) in bitmap(), x in 0..9_u32, y in 0..9_u32) {
        let Some(mask) = Mask::from_pixels(x, y, w, h, &pixels) else {
            prop_assert!(pixels.iter().all(|p| *p == 0));
            return Ok(());
        };
        prop_assert_eq!(mask.area(), pixels.iter().map(|p| u64::from(*p)).sum::<u64>());
        let (fw, fh) = (w + x + 3, h + y + 2);
        prop_assert_eq!(mask.check(image(fw, fh)), Ok(()));
        let again = Mask::from_runs(fw, fh, &mask.full_counts(fw, fh)).unwrap();
        prop_assert_eq!(&again, &mask);
        for (i, p) in pixels.iter().enumerate() {
            let (px, py) = (x + i as u32 % w, y + i as u32 / w);
            prop_assert_eq!(mask.contains(Point::new(f64::from(px) + 0.5, f64::from(py) + 0.5)), *p == 1);
        }
        let cut = mask.pixels().unwrap();
        prop_assert_eq!(Mask::from_pixels(mask.x, mask.y, mask.width, mask.height, &cut), Some(mask));
    }

    /// A mask is its border, and the border its mask; also when the border was mended for keeping.
    #[test]
    fn a_mask_and_its_border_are_one((w, h, pixels) in bitmap(), x in 0..9_u32, y in 0..9_u32) {
        let Some(mask) = Mask::from_pixels(x, y, w, h, &pixels) else { return Ok(()) };
        let size = image(w + x + 1, h + y + 1);
        let parts = mask.to_polygon();
        prop_assert_eq!(Mask::from_polygon(&parts, size), Some(mask.clone()));
        let (kept, _) = mend(&parts, size).unwrap();
        prop_assert_eq!(Mask::from_polygon(&kept, size), Some(mask));
    }

    #[test]
    fn counts_and_text_round_trip(counts in proptest::collection::vec(any::<u32>().prop_map(u64::from), 0..40)) {
        prop_assert_eq!(decode_counts(&encode_counts(&counts)), Some(counts));
    }

    #[test]
    fn nothing_breaks(text in "\\PC{0,40}", w: u32, h: u32, x: u32, counts in proptest::collection::vec(any::<u64>(), 0..9)) {
        let mask = Mask { x, y: x, width: w % 2000, height: h % 2000, counts: text };
        let _ = (mask.check(image(50, 50)), mask.pixels(), mask.to_polygon(), mask.area(), mask.contains(Point::new(3.0, 4.0)));
        let _ = (counts_bounds(&counts, u64::from(h)), mask.full_counts(3000, 3000), Mask::from_runs(w % 5000, h % 5000, &counts));
    }
}

proptest! {
    #[test]
    fn combining_is_pixel_by_pixel(a in proptest::collection::vec(0..2_u8, 48), b in proptest::collection::vec(0..2_u8, 48)) {
        let of = |p: &[u8]| Mask::from_pixels(3, 2, 8, 6, p);
        let (Some(x), Some(y)) = (of(&a), of(&b)) else { return Ok(()) };
        let each = |f: fn(u8, u8) -> u8| of(&a.iter().zip(&b).map(|(a, b)| f(*a, *b)).collect::<Vec<_>>());
        prop_assert_eq!(x.union(&y), each(|a, b| a | b));
        prop_assert_eq!(x.intersect(&y), each(|a, b| a & b));
        prop_assert_eq!(x.subtract(&y), each(|a, b| a & (1 - b)));
    }
}
