//! How often a classifier is right.

use crate::nets::learn::Judgement;
use crate::nets::plan::Design;
use crate::nets::threshold;
use limn_services::training::port::{Prediction, TrainTask};

/// Worth showing where nothing is known; and where several categories are possible, one is said from here on.
pub(in crate::nets) const THRESHOLD: f32 = 0.5;

/// Judges what was said of pictures by the categories that are right for each.
pub(in crate::nets) fn judge(right: &[&[usize]], said: &[Prediction], design: &Design) -> Judgement {
    let nothing = Vec::new();
    let said: Vec<&[f32]> = said
        .iter()
        .map(|p| match p {
            Prediction::Categories(list) => list.as_slice(),
            Prediction::Boxes(_) | Prediction::Pixels { .. } => nothing.as_slice(),
        })
        .collect();
    let threshold = (0..design.categories)
        .map(|c| {
            let scored: Vec<(f32, bool)> = said
                .iter()
                .zip(right)
                .map(|(p, r)| (p[c], r.contains(&c)))
                .collect();
            let wanted = scored.iter().filter(|s| s.1).count();
            threshold::best(scored, wanted).map_or(THRESHOLD, |(at, _)| at)
        })
        .collect();
    if design.task == TrainTask::Classification {
        single(right, &said, design.categories, threshold)
    } else {
        several(right, &said, design.categories, threshold)
    }
}

fn mean(of: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = of.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn named(list: [(&str, Option<f64>); 2]) -> Vec<(String, f64)> {
    let known = list
        .into_iter()
        .filter_map(|(name, v)| Some((name.to_owned(), v?)));
    known.collect()
}

/// The likeliest category of a picture is what was said.
fn single(right: &[&[usize]], said: &[&[f32]], categories: usize, threshold: Vec<f32>) -> Judgement {
    let mut confusion = vec![vec![0_u64; categories]; categories];
    for (r, p) in right.iter().zip(said) {
        let likeliest = p.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        if let (Some(r), Some((c, _))) = (r.first(), likeliest) {
            confusion[*r][c] += 1;
        }
    }
    let recall: Vec<Option<f64>> = confusion
        .iter()
        .enumerate()
        .map(|(c, row)| {
            let all: u64 = row.iter().sum();
            (all > 0).then(|| row[c] as f64 / all as f64)
        })
        .collect();
    let (all, hit): (u64, u64) = confusion.iter().enumerate().fold((0, 0), |(all, hit), (c, row)| {
        (all + row.iter().sum::<u64>(), hit + row[c])
    });
    Judgement {
        figures: named([
            ("accuracy", (all > 0).then(|| hit as f64 / all as f64)),
            ("balanced_accuracy", mean(&recall)),
        ]),
        by_category: recall,
        confusion,
        threshold,
    }
}

/// Every category from [`THRESHOLD`] on is said: thresholds chosen on the same pictures would flatter.
fn several(right: &[&[usize]], said: &[&[f32]], categories: usize, threshold: Vec<f32>) -> Judgement {
    let all_right = |r: &[usize], p: &[f32]| (0..categories).all(|c| (p[c] >= THRESHOLD) == r.contains(&c));
    let hit = right.iter().zip(said).filter(|(r, p)| all_right(r, p)).count();
    let f1: Vec<Option<f64>> = (0..categories)
        .map(|c| {
            let pairs = || {
                right
                    .iter()
                    .zip(said)
                    .map(|(r, p)| (r.contains(&c), p[c] >= THRESHOLD))
            };
            let wanted = pairs().filter(|(r, _)| *r).count();
            let said = pairs().filter(|(_, s)| *s).count();
            let both = pairs().filter(|(r, s)| *r && *s).count();
            (wanted > 0).then(|| threshold::f1(both, said, wanted))
        })
        .collect();
    Judgement {
        figures: named([
            (
                "accuracy",
                (!right.is_empty()).then(|| hit as f64 / right.len() as f64),
            ),
            ("macro_f1", mean(&f1)),
        ]),
        by_category: f1,
        confusion: Vec::new(),
        threshold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(task: TrainTask) -> Design {
        Design {
            task,
            categories: 3,
            width: 16,
            height: 16,
            backbone: None,
        }
    }

    fn said(rows: &[[f32; 3]]) -> Vec<Prediction> {
        rows.iter().map(|r| Prediction::Categories(r.to_vec())).collect()
    }

    #[test]
    fn one_category_a_picture() {
        let rows = said(&[[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]]);
        let j = judge(
            &[&[0], &[1], &[1], &[1]],
            &rows,
            &design(TrainTask::Classification),
        );
        assert_eq!(j.confusion, [[1, 0, 0], [1, 2, 0], [0, 0, 0]]);
        assert_eq!(j.figures[0], ("accuracy".to_owned(), 0.75));
        assert!((j.figures[1].1 - f64::midpoint(1.0, 2.0 / 3.0)).abs() < 1e-9);
        assert_eq!(j.by_category[2], None);
        assert!(j.threshold[0] > 0.6 && j.threshold[0] < 0.8 && j.threshold[2] == THRESHOLD);
    }

    #[test]
    fn several_categories_a_picture() {
        let rows = said(&[[0.8, 0.6, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.1]]);
        let j = judge(&[&[0, 1], &[0, 1], &[]], &rows, &design(TrainTask::Multilabel));
        assert!((j.figures[0].1 - 2.0 / 3.0).abs() < 1e-9);
        assert!(
            (j.figures[1].1 - f64::midpoint(1.0, 2.0 / 3.0)).abs() < 1e-9,
            "{:?}",
            j.figures
        );
        assert!(j.confusion.is_empty() && j.by_category[2].is_none());
    }
}
