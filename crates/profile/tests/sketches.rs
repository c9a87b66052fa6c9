//! The stated errors of sketches hold, and parts merge to what the whole gives.

mod support;

use limn_profile::sketch::{Distinct, Frequent, Kll, Moments, RowHashes, Spread};
use proptest::prelude::*;
use support::Dice;

fn shapes(n: usize, seed: u64) -> Vec<(&'static str, Vec<f64>)> {
    let mut dice = Dice(seed);
    vec![
        ("uniform", (0..n).map(|_| dice.unit()).collect()),
        ("normal", (0..n).map(|_| dice.normal()).collect()),
        ("heavy", (0..n).map(|_| (6.0 * dice.normal()).exp()).collect()),
        ("rising", (0..n).map(|i| i as f64).collect()),
        ("falling", (0..n).rev().map(|i| i as f64).collect()),
        ("ties", (0..n).map(|_| (dice.unit() * 40.0).floor()).collect()),
    ]
}

/// The largest distance between the sketch's ranks and the true ones, as a share.
fn rank_error(sketch: &Kll, values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mut below = 0u64;
    let mut worst: f64 = 0.0;
    for (x, weight) in sketch.weighted() {
        below += weight;
        let truth = sorted.partition_point(|v| *v <= x) as f64;
        worst = worst.max((below as f64 - truth).abs() / n);
    }
    worst
}

#[test]
fn quantiles_are_within_the_stated_error() {
    let mut worst: Vec<f64> = Vec::new();
    for seed in 0..6 {
        for (name, values) in shapes(300_000, seed) {
            let mut whole = Kll::default();
            for x in &values {
                whole.add(*x);
            }
            let mut merged = Kll::default();
            for part in values.chunks(41_000) {
                let mut sketch = Kll::default();
                for x in part {
                    sketch.add(*x);
                }
                merged.merge(&sketch);
            }
            for sketch in [&whole, &merged] {
                let total: u64 = sketch.weighted().iter().map(|w| w.1).sum();
                assert_eq!(total, values.len() as u64, "{name}: no weight is lost");
                assert_eq!(sketch.error(), Kll::ERROR);
                worst.push(rank_error(sketch, &values));
            }
        }
    }
    worst.sort_by(f64::total_cmp);
    // The bound is for one rank, 99 times in a hundred; the worst of all ranks of a sketch may pass it a little.
    let typical = worst[worst.len() / 2];
    assert!(typical < Kll::ERROR, "median of the worst errors {typical}");
    assert!(worst[worst.len() - 1] < 2.0 * Kll::ERROR, "{worst:?}");
}

#[test]
fn quantiles_of_few_are_exact() {
    let mut sketch = Kll::default();
    (0..4000).for_each(|i| sketch.add(f64::from(i)));
    assert_eq!(sketch.error(), 0.0);
    assert_eq!(sketch.weighted().len(), 4000);
}

#[test]
fn weights_stand_for_as_many_values() {
    let mut sketch = Kll::default();
    for i in 0..2000 {
        sketch.add_weighted(f64::from(i), 1 + u64::from(i as u32 % 1000));
    }
    let expected: u64 = (0..2000).map(|i| 1 + i % 1000).sum();
    assert_eq!(sketch.weighted().iter().map(|w| w.1).sum::<u64>(), expected);
}

#[test]
fn distinct_values_are_within_three_standard_errors() {
    for n in [10, 8192, 8193, 30_000, 1_000_000] {
        let mut parts: Vec<Distinct> = (0..3).map(|_| Distinct::default()).collect();
        let mut dice = Dice(n);
        for i in 0..n {
            let hash = dice.next();
            parts[i as usize % 3].add(hash);
            // Seen again in another part.
            parts[(i as usize + 1) % 3].add(hash);
        }
        let mut whole = Distinct::default();
        for p in &parts {
            whole.merge(p);
        }
        let found = whole.estimate();
        if n <= Distinct::EXACT as u64 {
            assert_eq!((found.value, found.error), (n, 0.0));
        } else {
            let off = (found.value as f64 - n as f64).abs() / n as f64;
            assert!(off < 3.0 * Distinct::ERROR, "{n}: {off}");
            assert_eq!(found.error, Distinct::ERROR);
        }
    }
}

#[test]
fn frequent_values_are_low_by_no_more_than_stated() {
    let mut dice = Dice(5);
    let mut truth = std::collections::HashMap::new();
    let mut parts: Vec<Frequent<u64>> = (0..4).map(|_| Frequent::default()).collect();
    for i in 0..400_000 {
        // A third are one of few; the rest hardly ever come twice.
        let value = if i % 3 == 0 {
            dice.next() % 20
        } else {
            dice.next() % 10_000_000
        };
        *truth.entry(value).or_insert(0u64) += 1;
        parts[i % 4].add(value.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1, || value);
    }
    let mut whole = Frequent::default();
    for p in &parts {
        whole.merge(p);
    }
    assert!(whole.low_by() > 0);
    for (value, count) in whole.ranked() {
        let real = truth[value];
        assert!(
            count <= real && real <= count + whole.low_by(),
            "{value}: {count} of {real}"
        );
    }
    let listed: Vec<u64> = whole.ranked().iter().take(20).map(|(v, _)| **v).collect();
    assert!((0..20).all(|v| listed.contains(&v)), "{listed:?}");
}

#[test]
fn duplicate_rows_are_counted_or_extrapolated() {
    let mut few = RowHashes::default();
    for i in 0..1000u64 {
        few.add((i % 900).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
    assert_eq!((few.duplicates().rows, few.duplicates().exact), (100, true));
    let mut dice = Dice(9);
    let (mut a, mut b) = (RowHashes::default(), RowHashes::default());
    for i in 0..400_000 {
        let hash = dice.next();
        a.add(hash);
        if i % 10 == 0 {
            b.add(hash);
        }
    }
    a.merge(&b);
    let found = a.duplicates();
    assert!(!found.exact);
    // 40,000 of 440,000; a sample of 32,768 or more gives that within a few percent.
    assert!((found.rows as f64 - 40_000.0).abs() < 2500.0, "{found:?}");
}

#[test]
fn gaps_are_found_within_the_width() {
    let (mut a, mut b) = (Spread::default(), Spread::default());
    for i in 0..20_000i64 {
        a.add(i * 1000, 1);
        b.add(50_000_000 + i * 977, 1);
    }
    a.merge(&b);
    let (from, to) = a.longest_gap().expect("there is one");
    assert!(
        (from - 19_999_000).abs() <= a.width() && (to - 50_000_000).abs() <= a.width(),
        "{from} {to} {}",
        a.width()
    );
}

fn naive(values: &[f64]) -> [f64; 4] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let power = |k| values.iter().map(|x| (x - mean).powi(k)).sum::<f64>();
    [mean, power(2), power(3), power(4)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn moments_merge(values in prop::collection::vec(-1e3..1e3f64, 1..400), cut in 0usize..400, offset in prop_oneof![Just(0.0), Just(1e6)]) {
        let values: Vec<f64> = values.iter().map(|x| x + offset).collect();
        let cut = cut.min(values.len());
        let (mut a, mut b, mut whole) = (Moments::default(), Moments::default(), Moments::default());
        values[..cut].iter().for_each(|x| a.add(*x));
        values[cut..].iter().for_each(|x| b.add(*x));
        for x in &values {
 whole.add(*x);
 }
        a.merge(&b);
        let [mean, m2, m3, m4] = naive(&values);
        let scale = (m2 / values.len() as f64).sqrt() + 1e-3;
        for m in [&a, &whole] {
            prop_assert_eq!(m.n, values.len() as u64);
            prop_assert!((m.mean().unwrap() - mean).abs() <= 1e-9 * mean.abs().max(1.0));
            let n = values.len() as f64;
            prop_assert!((m.m2 - m2).abs() <= 1e-6 * n * scale.powi(2), "{} {}", m.m2, m2);
            prop_assert!((m.m3 - m3).abs() <= 1e-6 * n * scale.powi(3) + 1e-3, "{} {}", m.m3, m3);
            prop_assert!((m.m4 - m4).abs() <= 1e-6 * n * scale.powi(4) + 1e-2, "{} {}", m.m4, m4);
        }
    }

    #[test]
    fn repeated_values_count_as_often(values in prop::collection::vec((-50..50i32, 1u64..40), 1..60)) {
        let (mut weighted, mut single) = (Moments::default(), Moments::default());
        for (x, n) in &values {
            weighted.add_weighted(f64::from(*x), *n);
            (0..*n).for_each(|_| single.add(f64::from(*x)));
        }
        prop_assert_eq!(weighted.n, single.n);
        prop_assert!((weighted.m2 - single.m2).abs() <= 1e-7 * (1.0 + single.m2));
        prop_assert!((weighted.m4 - single.m4).abs() <= 1e-7 * (1.0 + single.m4));
        prop_assert_eq!((weighted.min, weighted.max), (single.min, single.max));
    }
}
