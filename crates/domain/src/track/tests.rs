use super::*;
use crate::keypoint::{Keypoint, Visibility};
use crate::turned::TurnedRect;
use crate::{Point, Rect};
use proptest::prelude::*;

const FRAMES: u32 = 40;

fn shape() -> impl Strategy<Value = Shape> {
    let n = || {
        (
            0.0..100.0_f64,
            0.0..100.0_f64,
            1.0..50.0_f64,
            1.0..50.0_f64,
            -179.0..180.0_f64,
        )
    };
    let turned = |(cx, cy, w, h, angle)| TurnedRect { cx, cy, w, h, angle };
    let points = |len: std::ops::Range<usize>| prop::collection::vec([0.0..100.0_f64, 0.0..100.0_f64], len);
    prop_oneof![
        4 => n().prop_map(|(x, y, w, h, _)| Shape::Box { rect: Rect::new(x, y, w, h) }),
        2 => n().prop_map(move |v| Shape::RotatedBox { rect: turned(v) }),
        1 => n().prop_map(move |v| Shape::Ellipse { rect: turned(v) }),
        1 => points(2..4).prop_map(|points| Shape::Polyline { points }),
        1 => points(1..3).prop_map(|points| Shape::Points { points }),
        1 => points(3..5).prop_map(|ring| Shape::Polygon { parts: vec![vec![ring]] }),
        1 => points(2..3).prop_map(|list| Shape::Keypoints {
            keypoints: list.into_iter().map(|[x, y]| Keypoint::new(Point::new(x, y), Visibility::Visible)).collect()
        }),
    ]
}

/// A track that passes [`check`].
fn track() -> impl Strategy<Value = Vec<Keyframe>> {
    let one = (0..FRAMES, shape(), any::<bool>(), any::<bool>());
    prop::collection::vec(one, 1..8).prop_map(|list| {
        let mut out = Vec::new();
        for (frame, shape, outside, occluded) in list {
            put(
                &mut out,
                Keyframe {
                    frame,
                    shape,
                    outside,
                    occluded,
                },
            );
        }
        out[0].outside = false;
        out
    })
}

fn numbers(shape: &Shape) -> Vec<f64> {
    match shape {
        Shape::Box { rect } => vec![rect.x, rect.y, rect.w, rect.h],
        Shape::RotatedBox { rect } | Shape::Ellipse { rect } => {
            let a = rect.angle.to_radians();
            vec![rect.cx, rect.cy, rect.w, rect.h, a.cos(), a.sin()]
        }
        Shape::Polyline { points } | Shape::Points { points } => points.iter().flatten().copied().collect(),
        Shape::Polygon { parts } => parts.iter().flatten().flatten().flatten().copied().collect(),
        Shape::Keypoints { keypoints } => keypoints.iter().flat_map(|k| [k.x, k.y]).collect(),
        _ => Vec::new(),
    }
}

/// Boxes between a box and a turned one are turned by nothing: the same to the eye.
fn upright(shape: &Shape) -> Shape {
    match shape {
        Shape::Box { rect } => Shape::RotatedBox {
            rect: TurnedRect::upright(*rect),
        },
        other => other.clone(),
    }
}

fn same(a: Option<&Seen>, b: Option<&Seen>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            let (p, q) = (upright(&a.shape), upright(&b.shape));
            let (m, n) = (numbers(&p), numbers(&q));
            a.occluded == b.occluded
                && p.shape_kind() == q.shape_kind()
                && m.len() == n.len()
                && m.iter().zip(&n).all(|(m, n)| (m - n).abs() < 1e-6)
        }
        _ => false,
    }
}

fn seen_alike(a: &[Keyframe], b: &[Keyframe]) -> Result<(), TestCaseError> {
    for f in 0..FRAMES {
        let (x, y) = (at(a, f), at(b, f));
        prop_assert!(
            same(x.as_ref(), y.as_ref()),
            "frame {f}: {x:?} and {y:?}\n{a:?}\n{b:?}"
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn keyframes_are_seen_to_the_last_digit(t in track()) {
        prop_assert_eq!(check(&t, FRAMES), Ok(()));
        for k in &t {
            let seen = at(&t, k.frame);
            prop_assert_eq!(seen.is_none(), k.outside);
            if let Some(seen) = seen {
                prop_assert_eq!(&seen.shape, &k.shape);
                prop_assert!(seen.is_key);
                prop_assert_eq!(seen.occluded, k.occluded);
            }
        }
        prop_assert!((0..t[0].frame).all(|f| at(&t, f).is_none()));
    }

    #[test]
    fn what_lies_between_two_boxes_is_on_the_way(a in any::<[u8; 4]>(), b in any::<[u8; 4]>(), n in 1..19_u32) {
        let rect = |v: [u8; 4]| {
            let [x, y, w, h] = v.map(f64::from);
            Shape::Box { rect: Rect::new(x, y, w + 1.0, h + 1.0) }
        };
        let t = vec![Keyframe::new(0, rect(a)), Keyframe::new(20, rect(b))];
        let seen = at(&t, n).unwrap();
        prop_assert!(!seen.is_key);
        let (p, q) = (numbers(&t[0].shape), numbers(&t[1].shape));
        for (v, (p, q)) in numbers(&seen.shape).into_iter().zip(p.into_iter().zip(q)) {
            prop_assert!((v - (p + (q - p) * f64::from(n) / 20.0)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_turn_takes_the_shorter_way(a in -179.0..180.0_f64, b in -179.0..180.0_f64, share in 0.0..1.0_f64) {
        let rect = |angle| Shape::RotatedBox { rect: TurnedRect { cx: 5.0, cy: 5.0, w: 4.0, h: 2.0, angle } };
        let Shape::RotatedBox { rect: r } = between(&rect(a), &rect(b), share) else { panic!() };
        let gap = |x: f64, y: f64| ((x - y + 180.0).rem_euclid(360.0) - 180.0).abs();
        prop_assert!((gap(a, r.angle) + gap(r.angle, b) - gap(a, b)).abs() < 1e-6);
        prop_assert!(r.angle > -180.0 && r.angle <= 180.0);
    }

    #[test]
    fn fixing_changes_nothing_that_is_seen(t in track(), f in 0..FRAMES) {
        let mut fixed = t.clone();
        fix(&mut fixed, f);
        prop_assert_eq!(check(&fixed, FRAMES), Ok(()));
        seen_alike(&t, &fixed)?;
    }

    #[test]
    fn split_and_merged_is_seen_as_before(t in track(), f in 0..FRAMES) {
        let Some((a, b)) = split(&t, f) else { return Ok(()) };
        prop_assert_eq!(check(&a, FRAMES), Ok(()));
        prop_assert_eq!(check(&b, FRAMES), Ok(()));
        prop_assert!((f..FRAMES).all(|f| at(&a, f).is_none()));
        prop_assert!((0..f).all(|f| at(&b, f).is_none()));
        let one = merge(&b, &a, FRAMES).unwrap();
        prop_assert_eq!(check(&one, FRAMES), Ok(()));
        seen_alike(&t, &one)?;
    }

    #[test]
    fn merged_tracks_are_seen_as_they_were(a in track(), b in track()) {
        let both = (0..FRAMES).find(|f| at(&a, *f).is_some() && at(&b, *f).is_some());
        match merge(&a, &b, FRAMES) {
            Err(frame) => prop_assert!(at(&a, frame).is_some() && at(&b, frame).is_some()),
            Ok(one) => {
                prop_assert_eq!(both, None);
                prop_assert_eq!(check(&one, FRAMES), Ok(()));
                for f in 0..FRAMES {
                    let was = at(&a, f).or_else(|| at(&b, f));
                    prop_assert!(same(was.as_ref(), at(&one, f).as_ref()), "frame {}: {:?} {:?}", f, was, one);
                }
            }
        }
    }

    #[test]
    fn outside_there_and_back_leaves_the_rest_alone(t in track(), f in 0..FRAMES) {
        let mut gone = t.clone();
        if at(&t, f).is_none() || !set_outside(&mut gone, f, true) {
            return Ok(());
        }
        prop_assert_eq!(check(&gone, FRAMES), Ok(()));
        let next = neighbour(&t, f, true).unwrap_or(FRAMES);
        for g in 0..FRAMES {
            let want = if (f..next).contains(&g) { None } else { at(&t, g) };
            prop_assert!(same(at(&gone, g).as_ref(), want.as_ref()), "frame {}", g);
        }
    }

    #[test]
    fn spans_say_where_it_is(t in track()) {
        let list = spans(&t, FRAMES);
        prop_assert!(list.windows(2).all(|w| w[0].1 < w[1].0));
        for f in 0..FRAMES {
            let there = list.iter().any(|(from, to)| (*from..*to).contains(&f));
            prop_assert_eq!(there, at(&t, f).is_some());
        }
    }

    #[test]
    fn removing_a_keyframe_leaves_a_track(t in track(), f in 0..FRAMES) {
        let mut less = t.clone();
        if remove(&mut less, f) {
            prop_assert_eq!(check(&less, FRAMES), Ok(()));
            prop_assert!(!is_key(&less, f));
        } else {
            prop_assert_eq!(less, t);
        }
    }

    #[test]
    fn only_one_frame_is_left(t in track(), f in 0..FRAMES) {
        if let Some(one) = only(&t, f, FRAMES) {
            prop_assert_eq!(check(&one, FRAMES), Ok(()));
            for g in 0..FRAMES {
                prop_assert_eq!(at(&one, g).is_some(), g == f);
            }
        }
    }

    #[test]
    fn json_keeps_every_digit(t in track()) {
        let shape = Shape::Track { keyframes: t };
        let json = serde_json::to_string(&shape).unwrap();
        prop_assert_eq!(serde_json::from_str::<Shape>(&json).unwrap(), shape);
    }
}

#[test]
fn what_is_no_track_is_named() {
    let b = || Shape::Box {
        rect: Rect::new(1.0, 1.0, 2.0, 2.0),
    };
    let gone = |frame| Keyframe {
        outside: true,
        ..Keyframe::new(frame, b())
    };
    assert_eq!(check(&[], 5), Err(Fault::Empty));
    assert_eq!(check(&[gone(0)], 5), Err(Fault::NeverThere));
    assert_eq!(
        check(&[gone(0), Keyframe::new(1, b())], 5),
        Err(Fault::BeginsOutside)
    );
    let beyond = check(&[Keyframe::new(5, b())], 5).unwrap_err();
    assert_eq!(
        format!("keyframes{beyond}"),
        "keyframes[0].frame is 5, beyond the last frame of the video (4)"
    );
    let twice = [Keyframe::new(1, b()), Keyframe::new(1, b())];
    assert_eq!(check(&twice, 5), Err(Fault::NotAscending { at: 1, frame: 1 }));
    let nested = Shape::Track {
        keyframes: vec![Keyframe::new(0, b())],
    };
    assert!(matches!(
        check(&[Keyframe::new(0, nested)], 5),
        Err(Fault::Kind { .. })
    ));
    assert!(matches!(
        check(&[Keyframe::new(0, Shape::Whole)], 5),
        Err(Fault::Kind { .. })
    ));
}
