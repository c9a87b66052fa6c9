use super::*;
use proptest::prelude::*;

const IMAGE: Size = Size {
    width: 100.0,
    height: 80.0,
};

fn square(x: f64, y: f64, side: f64) -> Ring {
    vec![[x, y], [x + side, y], [x + side, y + side], [x, y + side]]
}

#[test]
fn a_good_polygon_keeps_its_numbers() {
    let parts = vec![
        vec![square(10.1, 10.2, 30.0), square(15.3, 15.3, 5.0)],
        vec![square(50.7, 10.0, 20.0)],
    ];
    let (kept, mended) = mend(&parts, IMAGE).unwrap();
    assert_eq!(kept, parts);
    assert_eq!(mended, Mended::default());
    assert!((area(&kept) - (900.0 - 25.0 + 400.0)).abs() < 1e-9);
    assert!(contains(&kept, Point::new(12.0, 12.0)));
    assert!(!contains(&kept, Point::new(17.0, 17.0)), "in the hole");
    assert!(contains(&kept, Point::new(60.0, 20.0)), "in the second part");
}

#[test]
fn what_is_wrong_is_mended_or_named() {
    // A bow tie becomes its two triangles.
    let bow = vec![vec![vec![[0.0, 0.0], [10.0, 10.0], [10.0, 0.0], [0.0, 10.0]]]];
    let (two, mended) = mend(&bow, IMAGE).unwrap();
    assert!(mended.crossing && two.len() == 2, "{two:?}");
    assert!((area(&two) - 50.0).abs() < 1e-6);
    // What reaches out is cut.
    let (cut, mended) = mend(&[vec![square(90.0, 70.0, 20.0)]], IMAGE).unwrap();
    assert!(mended.clipped);
    assert!((area(&cut) - 100.0).abs() < 1e-6, "{cut:?}");
    // A closing corner and repeats go; two corners are no polygon.
    let closed = vec![vec![vec![
        [1.0, 1.0],
        [5.0, 1.0],
        [5.0, 1.0],
        [5.0, 5.0],
        [1.0, 1.0],
    ]]];
    assert_eq!(mend(&closed, IMAGE).unwrap().0[0][0].len(), 3);
    let fault = |ring: Ring| mend(&[vec![ring]], IMAGE).unwrap_err();
    assert_eq!(fault(vec![[1.0, 1.0], [5.0, 1.0]]), Fault::TooFew);
    assert_eq!(fault(vec![[1.0, 1.0], [5.0, 1.0], [3.0, 1.0]]), Fault::NoArea);
    assert_eq!(fault(square(200.0, 1.0, 5.0)), Fault::Outside);
    assert_eq!(
        fault(vec![[f64::NAN, 1.0], [5.0, 1.0], [3.0, 4.0]]),
        Fault::NotFinite
    );
    assert_eq!(mend(&[], IMAGE).unwrap_err(), Fault::TooFew);
    assert_eq!(fault(vec![[1.0, 1.0]; VERTICES_MAX + 1]), Fault::TooMany);
}

#[test]
fn a_part_inside_another_is_a_hole_and_a_hole_outside_is_a_part() {
    let (inside, mended) = mend(
        &[vec![square(0.0, 0.0, 30.0)], vec![square(10.0, 10.0, 10.0)]],
        IMAGE,
    )
    .unwrap();
    assert!(mended.crossing);
    assert_eq!((inside.len(), inside[0].len()), (1, 2));
    let (outside, _) = mend(&[vec![square(0.0, 0.0, 10.0), square(20.0, 20.0, 10.0)]], IMAGE).unwrap();
    assert_eq!(outside.len(), 2);
    // Squares that share a side or a corner are good as they are.
    let beside = vec![
        vec![square(0.0, 0.0, 10.0)],
        vec![square(10.0, 0.0, 10.0)],
        vec![square(20.0, 10.0, 10.0)],
    ];
    assert_eq!(mend(&beside, IMAGE).unwrap(), (beside, Mended::default()));
}

/// One ring of thousands of corners, all sides across each other, took seconds and a gigabyte to mend.
#[test]
fn a_tangle_is_refused() {
    let at = |i: usize, n: usize| (i * n % 4_001) as f64;
    let ring: Ring = (0..4_001)
        .map(|i| [at(i, 1_777) * 0.02 + 5.0, at(i, 2_311) * 0.015 + 5.0])
        .collect();
    assert_eq!(mend(&[vec![ring]], IMAGE).unwrap_err(), Fault::Tangled);
}

#[test]
fn holes_and_parts_come_and_go_by_combining() {
    let a = vec![vec![square(0.0, 0.0, 30.0)]];
    let b = vec![vec![square(10.0, 10.0, 10.0)]];
    let ring = combine(&a, &b, Combine::Subtract);
    assert_eq!((ring.len(), ring[0].len()), (1, 2), "one part with a hole");
    assert!((area(&ring) - 800.0).abs() < 1e-6);
    assert!((area(&combine(&ring, &b, Combine::Union)) - 900.0).abs() < 1e-6);
    assert!(combine(&ring, &b, Combine::Intersect).is_empty());
    let apart = combine(&b, &[vec![square(50.0, 50.0, 5.0)]], Combine::Union);
    assert_eq!(apart.len(), 2);
}

#[test]
fn simplifying_keeps_within_the_tolerance() {
    let circle: Ring = (0..400)
        .map(|i| {
            let a = f64::from(i) / 400.0 * std::f64::consts::TAU;
            [50.0 + 30.0 * a.cos(), 40.0 + 30.0 * a.sin()]
        })
        .collect();
    let parts = vec![vec![circle.clone()]];
    let few = simplified(&parts, 0.5);
    assert!(few[0][0].len() < 40);
    for v in circle {
        assert!(edge_distance(&few, Point::new(v[0], v[1])) <= 0.5 + 1e-9);
    }
}

fn rings() -> impl Strategy<Value = Vec<Part>> {
    let vertex = (-20.0..120.0_f64, -20.0..100.0_f64).prop_map(|(x, y)| [x, y]);
    let ring = proptest::collection::vec(vertex, 0..9);
    let part = proptest::collection::vec(ring, 0..3);
    proptest::collection::vec(part, 0..4)
}

proptest! {
    /// Whatever comes in, what is kept needs no mending again, lies in the image and has an area.
    #[test]
    fn mended_is_good(parts in rings()) {
        if let Ok((kept, _)) = mend(&parts, IMAGE) {
            let b = bounds(&kept);
            prop_assert!(b.x >= -1e-6 && b.y >= -1e-6 && b.right() <= 100.0 + 1e-6 && b.bottom() <= 80.0 + 1e-6);
            prop_assert!(area(&kept) > 0.0);
            let (again, mended) = mend(&kept, IMAGE).unwrap();
            prop_assert_eq!(again, kept);
            prop_assert_eq!(mended, Mended::default());
        }
    }

    /// The three ways to combine add up: |a| + |b| = |a or b| + |a and b|, |a less b| = |a| - |a and b|.
    #[test]
    fn areas_add_up(a in rings(), b in rings()) {
        let (Ok((a, _)), Ok((b, _))) = (mend(&a, IMAGE), mend(&b, IMAGE)) else { return Ok(()) };
        let both = area(&combine(&a, &b, Combine::Intersect));
        let either = area(&combine(&a, &b, Combine::Union));
        let less = area(&combine(&a, &b, Combine::Subtract));
        prop_assert!((area(&a) + area(&b) - both - either).abs() < 0.05, "{} {} {both} {either}", area(&a), area(&b));
        prop_assert!((area(&a) - both - less).abs() < 0.05);
    }
}

#[test]
fn a_line_slices_what_it_crosses() {
    let square = |x: f64| vec![vec![[x, 0.0], [x + 10.0, 0.0], [x + 10.0, 10.0], [x, 10.0]]];
    let cut = |parts: &[Part], line: &[[f64; 2]]| {
        let line: Vec<Point> = line.iter().map(|v| Point::new(v[0], v[1])).collect();
        sliced(parts, &line)
    };
    let pieces = cut(&[square(0.0), square(20.0)], &[[3.0, -5.0], [3.0, 15.0]]);
    assert_eq!(pieces.len(), 2);
    // The larger piece keeps the part that was not touched.
    assert_eq!((area(&pieces[0]), area(&pieces[1])), (170.0, 30.0));
    assert_eq!(pieces[0][1], square(20.0));
    // A line that ends inside, or misses, cuts nothing.
    for line in [[[3.0, -5.0], [3.0, 5.0]], [[50.0, 0.0], [60.0, 9.0]]] {
        assert_eq!(cut(&[square(0.0)], &line), [vec![square(0.0)]]);
    }
    // Through a hole: the ring falls into two.
    let ring = vec![
        square(0.0)[0].clone(),
        vec![[4.0, 4.0], [6.0, 4.0], [6.0, 6.0], [4.0, 6.0]],
    ];
    let pieces = cut(&[ring], &[[5.0, -1.0], [5.0, 11.0]]);
    assert_eq!(pieces.len(), 2);
    assert!((area(&pieces[0]) - 48.0).abs() < 1e-6 && (area(&pieces[1]) - 48.0).abs() < 1e-6);
}
