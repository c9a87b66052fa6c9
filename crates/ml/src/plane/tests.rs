use super::*;
use std::cell::Cell;

const DIMS: usize = 128;
/// Neighbours that are compared.
const K: usize = 10;

/// Three rings far from each other, a little blurred: `n` rows of each in turn.
fn rings(n: usize) -> Vec<u8> {
    let mut rng = Rng::new(7);
    let mut centre = || -> Vec<f64> { (0..DIMS).map(|_| 60.0 + 130.0 * rng.unit()).collect() };
    let centres = [centre(), centre(), centre()];
    let mut rng = Rng::new(8);
    let phases: Vec<f64> = (0..DIMS).map(|_| rng.unit() * std::f64::consts::TAU).collect();
    let mut bytes = Vec::with_capacity(3 * n * DIMS);
    for row in 0..3 * n {
        let turn = rng.unit() * std::f64::consts::TAU;
        for (middle, phase) in centres[row % 3].iter().zip(&phases) {
            let value = middle + 30.0 * (turn + phase).cos() + 1.5 * rng.normal();
            bytes.push(value.clamp(0.0, 255.0).round() as u8);
        }
    }
    bytes
}

fn lay(bytes: &[u8], landmarks: usize) -> Vec<[f32; 2]> {
    let rows: Vec<u32> = (0..bytes.len() / DIMS).map(|r| r as u32).collect();
    let things = Things {
        bytes,
        dims: DIMS,
        rows: &rows,
    };
    over(&things, landmarks, 1, &|_| (), &|| false).expect("it is laid out")
}

/// The `K` nearest others of each row.
fn nearest(rows: &Matrix) -> Vec<Vec<u32>> {
    let near = among(rows, K, &|| false).expect("nobody stops it");
    near.of.chunks_exact(near.k).map(<[u32]>::to_vec).collect()
}

/// How many of the nearest in the plane are nearest indeed, and how many are of the same ring.
fn kept(bytes: &[u8], at: &[[f32; 2]]) -> (f64, f64) {
    let n = at.len();
    let all: Vec<f32> = bytes.iter().map(|b| f32::from(*b)).collect();
    let truth = nearest(&Matrix {
        rows: n,
        cols: DIMS,
        values: all,
    });
    // Of a size at which single precision tells them apart.
    let flat = at.iter().flatten().map(|v| v * 1_000.0).collect();
    let seen = nearest(&Matrix {
        rows: n,
        cols: 2,
        values: flat,
    });
    let (mut right, mut same) = (0, 0);
    for (row, (truth, seen)) in truth.iter().zip(&seen).enumerate() {
        right += seen.iter().filter(|s| truth.contains(s)).count();
        same += seen.iter().filter(|s| **s as usize % 3 == row % 3).count();
    }
    let of = (n * K) as f64;
    (right as f64 / of, same as f64 / of)
}

#[test]
fn alike_things_lie_together_and_others_apart() {
    let bytes = rings(200);
    let at = lay(&bytes, LANDMARKS);
    assert_eq!(at.len(), 600);
    assert!(at.iter().flatten().all(|v| (0.0..=1.0).contains(v)));
    let (right, same) = kept(&bytes, &at);
    // By chance 0.017 and 0.33.
    assert!(right > 0.7 && same > 0.99, "{right} {same}");
    assert_eq!(lay(&bytes, LANDMARKS), at, "the same again");
}

#[test]
fn what_is_no_landmark_lies_beside_those_it_is_like() {
    let bytes = rings(200);
    let at = lay(&bytes, 150);
    let (right, same) = kept(&bytes, &at);
    assert!(right > 0.5 && same > 0.97, "{right} {same}");
    assert_eq!(lay(&bytes, 150), at, "the same again");
}

#[test]
fn few_things_and_copies_have_places_too() {
    assert!(lay(&[], LANDMARKS).is_empty());
    assert_eq!(lay(&[9; DIMS], LANDMARKS), [[0.5_f32, 0.5]]);
    for n in [2, 3, 40] {
        for landmarks in [1, 2, LANDMARKS] {
            // All the same, and all different.
            let copies = lay(&vec![200; n * DIMS], landmarks);
            let others: Vec<u8> = (0..n * DIMS).map(|at| (at / DIMS * 5) as u8).collect();
            for at in [copies, lay(&others, landmarks)] {
                assert_eq!(at.len(), n);
                assert!(at.iter().flatten().all(|v| (0.0..=1.0).contains(v)), "{at:?}");
            }
        }
    }
}

#[test]
fn rows_that_are_not_meant_do_not_count() {
    let bytes = rings(20);
    let rows: Vec<u32> = (0..60).filter(|r| r % 2 == 0).collect();
    let picked: Vec<u8> = bytes.chunks_exact(DIMS).step_by(2).flatten().copied().collect();
    let things = Things {
        bytes: &bytes,
        dims: DIMS,
        rows: &rows,
    };
    let some = plane(&things, 1, &|_| (), &|| false).expect("it is laid out");
    assert_eq!(some, lay(&picked, LANDMARKS));
    let short = Things {
        rows: &[60],
        ..things
    };
    assert!(matches!(
        plane(&short, 1, &|_| (), &|| false),
        Err(MlError::Broken(_))
    ));
}

#[test]
fn it_says_how_far_it_is_and_stops_when_told() {
    let bytes = rings(50);
    let rows: Vec<u32> = (0..150).collect();
    let things = Things {
        bytes: &bytes,
        dims: DIMS,
        rows: &rows,
    };
    let last = Cell::new(0.0_f32);
    let tell = |share: f32| {
        assert!(share >= last.get(), "it goes forward");
        last.set(share);
    };
    over(&things, 60, 1, &tell, &|| false).expect("it is laid out");
    assert!((last.get() - 1.0).abs() < 1e-6);
    assert_eq!(over(&things, 60, 1, &|_| (), &|| true), Err(MlError::Stopped));
}
