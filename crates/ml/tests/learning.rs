//! What the engine learns, how it says no, and that its promises hold.

use limn_domain::CategoryId;
use limn_domain::assist::Basis;
use limn_ml::{
    Encoder, Example, Head, Matrix, MlError, Picture, Rng, Task, Trained, Tree, Word, by_cluster, cosine,
    kmeans, margin, most_useful, passes, symmetric_eigen, temperature, train, verdict,
};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const GO: &(dyn Fn() -> bool + Sync) = &|| false;

fn categories(n: usize) -> Vec<CategoryId> {
    (0..n).map(|_| CategoryId::new()).collect()
}

/// A circle (0), a square (1) or a triangle (2) somewhere, of some size and colour, on a noisy ground.
fn shape(kind: usize, rng: &mut Rng) -> Picture {
    let side = 40;
    let mut rgb = vec![0_u8; side * side * 3];
    let (cx, cy) = (15.0 + rng.unit() * 10.0, 15.0 + rng.unit() * 10.0);
    let r = 8.0 + rng.unit() * 4.0;
    let (fore, ground) = (150.0 + rng.unit() * 100.0, rng.unit() * 60.0);
    for y in 0..side {
        for x in 0..side {
            let (dx, dy) = (x as f64 - cx, y as f64 - cy);
            let inside = match kind {
                0 => dx * dx + dy * dy < r * r,
                1 => dx.abs() < r * 0.85 && dy.abs() < r * 0.85,
                _ => dy < r * 0.8 && dy > -r && dx.abs() < (dy + r) * 0.6,
            };
            let v = if inside { fore } else { ground } + rng.normal() * 12.0;
            rgb[(y * side + x) * 3..][..3].fill(v.clamp(0.0, 255.0) as u8);
        }
    }
    Picture::new(side, side, rgb).expect("the bytes fit")
}

fn shapes(n: usize, seed: u64) -> (Vec<Picture>, Vec<usize>) {
    let mut rng = Rng::new(seed);
    (0..n)
        .map(|_| {
            let kind = rng.below(3);
            (shape(kind, &mut rng), kind)
        })
        .unzip()
}

/// Gaussian blobs, one a class, that overlap a little.
fn blobs(n: usize, classes: usize, spread: f64, seed: u64) -> (Vec<Vec<f32>>, Vec<usize>) {
    let mut rng = Rng::new(seed);
    let centres: Vec<Vec<f64>> = (0..classes)
        .map(|_| (0..12).map(|_| rng.normal()).collect())
        .collect();
    (0..n)
        .map(|_| {
            let c = rng.below(classes);
            let x = centres[c].iter().map(|m| (m + rng.normal() * spread) as f32);
            (x.collect::<Vec<f32>>(), c)
        })
        .unzip()
}

fn example(features: &[f32], class: usize, holdout: bool) -> Example {
    Example {
        features: features.to_vec(),
        classes: vec![class],
        holdout,
        unseen: true,
    }
}

fn trained(examples: &[Example], classes: usize, multi: bool) -> Result<Trained, MlError> {
    let task = Task {
        examples,
        categories: &categories(classes),
        tree: &Tree::flat(classes),
        multi,
        accuracy: 0.95,
        seed: 1,
    };
    train(&task, GO)
}

fn refusal(examples: &[Example], classes: usize) -> String {
    match trained(examples, classes, false) {
        Err(MlError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn drawn_shapes_are_told_apart_after_thirty_labels() {
    let (pictures, kinds) = shapes(260, 3);
    let encoder = Encoder::fit(&pictures, 1, GO).unwrap();
    let features = encoder.embed(&pictures, GO).unwrap();
    let examples: Vec<Example> = (0..30)
        .map(|i| example(&features[i], kinds[i], i % 5 == 4))
        .collect();
    let model = trained(&examples, 3, false).unwrap();
    let right = (30..260)
        .filter(|i| verdict(&model.head.probabilities(&features[*i]), false).0 == [kinds[*i]])
        .count();
    assert!(right >= 207, "{right} of 230");
    assert_eq!(model.figures.trained_on, 24);
    assert_eq!(
        (model.figures.holdout, model.figures.basis),
        (6, Basis::CrossValidated)
    );
    assert!(model.figures.warnings[0].contains("Only 6 items of the holdout"));
    // The nearest by angle is mostly of the same kind.
    let alike = (0..100)
        .filter(|i| {
            let near = (0..260).filter(|j| j != i).max_by(|a, b| {
                cosine(&features[*i], &features[*a]).total_cmp(&cosine(&features[*i], &features[*b]))
            });
            near.is_some_and(|j| kinds[j] == kinds[*i])
        })
        .count();
    assert!(alike >= 80, "{alike} of 100");
}

#[test]
fn the_same_seed_gives_the_same_model() {
    let (pictures, kinds) = shapes(60, 5);
    let make = || {
        let encoder = Encoder::fit(&pictures, 9, GO).unwrap();
        let features = encoder.embed(&pictures, GO).unwrap();
        let examples: Vec<Example> = (0..40).map(|i| example(&features[i], kinds[i], false)).collect();
        let model = trained(&examples, 3, false).unwrap();
        (encoder.to_bytes(), model.head.to_bytes(), model.thresholds)
    };
    let (first, second) = (make(), make());
    assert!(first == second);
    let read = Encoder::from_bytes(&first.0).unwrap();
    assert_eq!(read.to_bytes(), first.0);
    assert!(Head::from_bytes(&first.1).is_ok());
}

#[test]
fn what_cannot_be_learned_from_is_refused_by_name() {
    let (x, _) = blobs(40, 2, 0.3, 1);
    let one: Vec<Example> = x.iter().map(|f| example(f, 1, false)).collect();
    assert!(refusal(&one, 2).contains("of one category"));
    let two: Vec<Example> = (0..2).map(|i| example(&x[i], i, false)).collect();
    assert!(refusal(&two, 2).starts_with("2 labeled items so far; the model begins at 10"));
    assert!(refusal(&[], 2).starts_with("0 labeled items"));
    let equal: Vec<Example> = (0..20).map(|i| example(&[0.5, 0.5], i % 2, false)).collect();
    assert!(refusal(&equal, 2).contains("look the same"));
    let blind: Vec<Example> = (0..20).map(|i| example(&[], i % 2, false)).collect();
    assert!(refusal(&blind, 2).contains("look the same"));
    assert!(matches!(Encoder::fit(&[], 1, GO), Err(MlError::Refused(why)) if why.contains("no pictures")));
    // Labels of the holdout alone teach nothing.
    let held: Vec<Example> = x
        .iter()
        .enumerate()
        .map(|(i, f)| example(f, i % 2, true))
        .collect();
    assert!(refusal(&held, 2).starts_with("0 labeled items"));
}

#[test]
fn pictures_of_one_pixel_and_equal_ones_are_described_without_a_fuss() {
    let tiny: Vec<Picture> = (0..5)
        .map(|i| Picture::new(1, 1, vec![i * 40, 10, 200]).unwrap())
        .collect();
    let equal = vec![Picture::new(20, 30, vec![77; 1800]).unwrap(); 4];
    let lone = vec![shape(1, &mut Rng::new(1))];
    for pictures in [tiny, equal, lone] {
        let encoder = Encoder::fit(&pictures, 1, GO).unwrap();
        let features = encoder.embed(&pictures, GO).unwrap();
        assert_eq!(features.len(), pictures.len());
        assert!(features.iter().flatten().all(|v| v.is_finite()));
        // Of a size it was not fitted on, too.
        let other = Picture::new(3, 500, vec![128; 4500]).unwrap();
        assert_eq!(encoder.embed(&[other], GO).unwrap()[0].len(), encoder.dims());
    }
}

#[test]
fn everything_stops_when_asked() {
    let (pictures, kinds) = shapes(80, 2);
    let encoder = Encoder::fit(&pictures, 1, GO).unwrap();
    let features = encoder.embed(&pictures, GO).unwrap();
    let examples: Vec<Example> = (0..80).map(|i| example(&features[i], kinds[i], false)).collect();
    let rows = Matrix::of(&features);
    let ids = categories(3);
    // Stops at the first, the second, the fifth question: wherever that is.
    for after in [0, 1, 4] {
        let asked = AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= after;
        assert!(matches!(Encoder::fit(&pictures, 1, &stop), Err(MlError::Stopped)));
        asked.store(0, Ordering::Relaxed);
        let task = Task {
            examples: &examples,
            categories: &ids,
            tree: &Tree::flat(ids.len()),
            multi: false,
            accuracy: 0.9,
            seed: 1,
        };
        assert!(matches!(train(&task, &stop), Err(MlError::Stopped)));
        asked.store(0, Ordering::Relaxed);
        assert!(matches!(
            kmeans(&rows, 5, &mut Rng::new(1), &stop),
            Err(MlError::Stopped)
        ));
    }
    assert!(matches!(
        encoder.embed(&pictures, &|| true),
        Err(MlError::Stopped)
    ));
}

/// Over twenty projects: of what is proposed as much is right as was promised.
#[test]
fn thresholds_keep_their_promise() {
    let (mut within, mut said, mut all_right, mut all) = (0, 0, 0_usize, 0_usize);
    for seed in 0..20 {
        let (x, y) = blobs(2_600, 5, 1.1, 100 + seed);
        let mut rng = Rng::new(seed);
        let examples: Vec<Example> = (0..300)
            .map(|i| example(&x[i], y[i], rng.below(5) == 0))
            .collect();
        let model = trained(&examples, 5, false).unwrap();
        let (mut right, mut of) = (0_usize, 0_usize);
        for i in 300..2_600 {
            let (classes, sure) = verdict(&model.head.probabilities(&x[i]), false);
            if passes(&classes, sure, &model.thresholds) {
                of += 1;
                right += usize::from(classes == [y[i]]);
            }
        }
        if of == 0 {
            continue;
        }
        said += 1;
        let share = right as f64 / of as f64;
        let promised = model.figures.proposed;
        within += usize::from((promised.low..=promised.high).contains(&share));
        (all_right, all) = (all_right + right, all + of);
    }
    assert!(said >= 18, "only {said} projects had proposals");
    // A 95 % interval misses one in twenty.
    assert!(within + 2 >= said, "{within} of {said} within");
    assert!(all_right as f64 / all as f64 >= 0.945, "{all_right} of {all}");
}

#[test]
fn several_categories_an_item_are_learned_one_by_one() {
    let mut rng = Rng::new(4);
    let mut make = |n: usize| -> Vec<Example> {
        (0..n)
            .map(|i| {
                let has: Vec<usize> = (0..3).filter(|_| rng.below(2) == 1).collect();
                let features =
                    (0..3).map(|c| f32::from(u8::from(has.contains(&c))) + rng.normal() as f32 * 0.2);
                Example {
                    features: features.collect(),
                    classes: has,
                    holdout: i % 5 == 0,
                    unseen: true,
                }
            })
            .collect()
    };
    let (known, other) = (make(250), make(200));
    let model = trained(&known, 3, true).unwrap();
    assert_eq!(model.figures.basis, Basis::Holdout);
    let right = other
        .iter()
        .filter(|e| verdict(&model.head.probabilities(&e.features), true).0 == e.classes)
        .count();
    assert!(right >= 185, "{right} of 200");
    let same: Vec<Example> = known
        .iter()
        .map(|e| Example {
            classes: vec![0, 2],
            ..e.clone()
        })
        .collect();
    assert!(
        matches!(trained(&same, 3, true), Err(MlError::Refused(why)) if why.contains("the same categories"))
    );
}

#[test]
fn a_category_without_labels_is_never_said() {
    let (x, y) = blobs(200, 2, 0.4, 8);
    let examples: Vec<Example> = (0..60).map(|i| example(&x[i], y[i], false)).collect();
    let model = trained(&examples, 4, false).unwrap();
    for f in &x {
        let p = model.head.probabilities(f);
        assert!(p[2] < 1e-6 && p[3] < 1e-6);
    }
    assert_eq!((model.thresholds[2], model.thresholds[3]), (None, None));
    assert!(
        model
            .figures
            .warnings
            .iter()
            .any(|w| w.contains("2 categories have no labels"))
    );
}

#[test]
fn labels_made_with_a_proposal_in_view_do_not_judge() {
    let (x, y) = blobs(300, 3, 0.5, 2);
    let mut examples: Vec<Example> = (0..200).map(|i| example(&x[i], y[i], i % 4 == 0)).collect();
    let of = |examples: &[Example]| trained(examples, 3, false).unwrap().figures;
    assert_eq!(of(&examples).holdout, 50);
    examples.iter_mut().take(100).for_each(|e| e.unseen = false);
    let figures = of(&examples);
    assert_eq!((figures.holdout, figures.trained_on), (25, 150));
    assert_eq!(figures.accuracy.of, 100);
}

#[test]
fn the_first_batch_is_torn_and_differs() {
    let (x, y) = blobs(600, 4, 1.0, 6);
    let examples: Vec<Example> = (0..40).map(|i| example(&x[i], y[i], false)).collect();
    let model = trained(&examples, 4, false).unwrap();
    let rest = Matrix::of(&x[40..]);
    let p: Vec<Vec<f32>> = x[40..].iter().map(|f| model.head.probabilities(f)).collect();
    let order = most_useful(&rest, &p, false, 10, 1, GO).unwrap();
    let mean = |ids: &[usize]| ids.iter().map(|i| margin(&p[*i], false)).sum::<f32>() / ids.len() as f32;
    assert!(mean(&order[..10]) < mean(&order[100..]) / 2.0);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..560).collect::<Vec<_>>());
    let (first, groups) = by_cluster(&rest, 8, true, 1, GO).unwrap();
    let distinct: std::collections::BTreeSet<usize> = first[..8].iter().map(|i| groups[*i]).collect();
    assert_eq!(distinct.len(), 8, "a first sample is of all groups");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Encoder::from_bytes(&bytes).is_err());
        prop_assert!(Head::from_bytes(&bytes).is_err());
    }

    #[test]
    fn eigenvectors_are_those_of_the_matrix(n in 1_usize..12, seed in any::<u64>()) {
        let mut rng = Rng::new(seed);
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let v = rng.normal();
                (a[i * n + j], a[j * n + i]) = (v, v);
            }
        }
        let (values, vectors) = symmetric_eigen(&a, n);
        for (value, vector) in values.iter().zip(&vectors) {
            for i in 0..n {
                let got: f64 = (0..n).map(|j| a[i * n + j] * vector[j]).sum();
                prop_assert!((got - value * vector[i]).abs() < 1e-8, "{got} {}", value * vector[i]);
            }
        }
        prop_assert!(values.windows(2).all(|w| w[0] >= w[1]));
    }

    #[test]
    fn the_temperature_never_makes_it_worse(seed in any::<u64>(), heat in 0.3_f64..6.0) {
        let mut rng = Rng::new(seed);
        let judged: Vec<(Vec<f32>, Vec<usize>)> = (0..80)
            .map(|_| {
                let is = rng.below(3);
                let z = (0..3).map(|c| (rng.normal() * heat + f64::from(u8::from(c == is)) * 2.0) as f32);
                (z.collect(), vec![is])
            })
            .collect();
        let t = temperature(&judged, false);
        prop_assert!((0.19..=10.1).contains(&t));
        let loss = |t: f32| -> f64 {
            judged
                .iter()
                .map(|(z, is)| {
                    let most = z.iter().copied().fold(f32::MIN, f32::max);
                    let sum: f32 = z.iter().map(|v| ((v - most) / t).exp()).sum();
                    -f64::from((z[is[0]] - most) / t - sum.ln())
                })
                .sum()
        };
        prop_assert!(loss(t) <= loss(1.0) + 1e-3);
    }

    #[test]
    fn clusters_hold_every_row_once(n in 0_usize..60, k in 1_usize..8, seed in any::<u64>()) {
        let mut rng = Rng::new(seed);
        let rows: Vec<Vec<f32>> = (0..n).map(|_| (0..3).map(|_| rng.below(4) as f32).collect()).collect();
        let found = kmeans(&Matrix::of(&rows), k, &mut rng, GO).unwrap();
        prop_assert_eq!(found.of.len(), n);
        prop_assert!(found.of.iter().all(|c| *c < k.min(n).max(1)));
        prop_assert!(found.distance.iter().all(|d| d.is_finite() && *d >= 0.0));
        let typical = found.typical();
        prop_assert!(typical.len() <= k.min(n));
        prop_assert!(typical.iter().all(|i| *i < n));
    }
}

/// Two groups far apart, each with three kinds that can hardly be told apart.
fn groups(n: usize, seed: u64) -> Vec<Example> {
    let mut rng = Rng::new(seed);
    (0..n)
        .map(|i| {
            let (group, kind) = (rng.below(2), rng.below(3));
            let x = (0..8).map(|d| {
                let far = if d < 4 { group as f64 * 4.0 } else { 0.0 };
                let near = if d == 4 + kind { 0.7 } else { 0.0 };
                (far + near + rng.normal()) as f32
            });
            Example {
                features: x.collect(),
                classes: vec![2 + group * 3 + kind],
                holdout: i % 5 == 0,
                unseen: true,
            }
        })
        .collect()
}

#[test]
fn what_cannot_be_said_exactly_is_said_less_exactly() {
    // 0 and 1 are the groups; 2 to 4 lie below 0, 5 to 7 below 1.
    let tree = Tree::new(&[None, None, Some(0), Some(0), Some(0), Some(1), Some(1), Some(1)]);
    let (known, other) = (groups(500, 21), groups(600, 22));
    let ids = categories(8);
    let fit = |tree: &Tree| {
        let task = Task {
            examples: &known,
            categories: &ids,
            tree,
            multi: false,
            accuracy: 0.95,
            seed: 1,
        };
        train(&task, GO).unwrap()
    };
    let proposals = |model: &Trained, tree: &Tree| {
        let (mut all, mut right) = (0, 0);
        for e in &other {
            let word = Word::of(&model.head.probabilities(&e.features), false, tree);
            if let Some((said, sure)) = word.proposal(&model.thresholds) {
                assert!((0.0..=1.001).contains(&sure));
                all += 1;
                right += usize::from(tree.closed(&e.classes).contains(&said[0]));
            }
        }
        (all, right)
    };
    let plain = fit(&Tree::flat(8));
    let (few, _) = proposals(&plain, &Tree::flat(8));
    let model = fit(&tree);
    let (many, right) = proposals(&model, &tree);
    assert!(few < 120 && many > 480, "{few} exactly, {many} by the tree");
    assert!(right as f64 >= 0.93 * f64::from(many), "{right} of {many}");
    // The groups have no labels of their own, and still figures.
    let group = &model.figures.categories[0];
    assert!(group.trained_on > 150 && group.threshold.is_some());
    assert!(group.found.value().unwrap() > 0.95, "{:?}", group.found);
    assert!(model.figures.proposed.of > 60 && model.figures.proposed.value().unwrap() >= 0.9);
    assert!(
        !model
            .figures
            .warnings
            .iter()
            .any(|w| w.contains("no labels to learn from"))
    );
}

#[test]
fn several_categories_imply_those_above_them() {
    let tree = Tree::new(&[None, Some(0), Some(0), None]);
    let ids = categories(4);
    let mut rng = Rng::new(31);
    let mut make = |n: usize| -> Vec<Example> {
        (0..n)
            .map(|i| {
                let classes: Vec<usize> = (1..4).filter(|_| rng.unit() < 0.4).collect();
                let x =
                    (1..4).map(|c| f32::from(u8::from(classes.contains(&c))) + rng.normal() as f32 * 0.15);
                Example {
                    features: x.collect(),
                    classes,
                    holdout: i % 5 == 0,
                    unseen: true,
                }
            })
            .collect()
    };
    let (known, other) = (make(300), make(200));
    let task = Task {
        examples: &known,
        categories: &ids,
        tree: &tree,
        multi: true,
        accuracy: 0.9,
        seed: 1,
    };
    let model = train(&task, GO).unwrap();
    let right = other
        .iter()
        .filter(|e| {
            let word = Word::of(&model.head.probabilities(&e.features), true, &tree);
            word.said == tree.closed(&e.classes) && tree.lowest(&word.said) == e.classes
        })
        .count();
    assert!(right >= 170, "{right} of 200");
}
