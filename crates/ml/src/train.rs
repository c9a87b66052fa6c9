//! From labels to a model that knows how good it is.

use crate::error::{MlError, Result, Stop, check};
use crate::head::{Classes, Examples, Head, probabilities};
use crate::judge::{Judged, Report, Word, temperature, thresholds};
use crate::linear::Matrix;
use crate::rng::Rng;
use crate::tree::Tree;
use limn_domain::CategoryId;
use limn_domain::assist::Figures;

/// Labeled items below which nothing is trained.
pub const LABELS_MIN: usize = 10;
/// Parts of the labels; each is judged by a model of the others.
const FOLDS: usize = 5;
/// Strengths of the ridge that are tried.
const RIDGES: [f32; 4] = [0.003, 0.03, 0.3, 3.0];
/// Above so many examples cross-validation looks at a random part of them.
const CROSS_MAX: usize = 2_000;

/// A labeled item.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    pub features: Vec<f32>,
    pub classes: Classes,
    /// Never trained on.
    pub holdout: bool,
    /// Whether it may be judged by: its label was made without a proposal in view.
    pub unseen: bool,
}

/// What to train.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    pub examples: &'a [Example],
    pub categories: &'a [CategoryId],
    /// Which of them lie below which.
    pub tree: &'a Tree,
    /// Any number of categories an item.
    pub multi: bool,
    /// Accuracy that proposals must have.
    pub accuracy: f64,
    pub seed: u64,
}

/// A head with what is known of it.
#[derive(Debug, Clone)]
pub struct Trained {
    pub head: Head,
    /// From which confidence on each class is proposed.
    pub thresholds: Vec<Option<f32>>,
    pub figures: Figures,
}

/// Trains and judges. Errors: `Refused` with what is missing.
pub fn train(task: &Task<'_>, stop: Stop<'_>) -> Result<Trained> {
    let classes = task.categories.len();
    let known = |e: &&Example| e.classes.iter().all(|c| *c < classes) && (task.multi || e.classes.len() == 1);
    let learn: Vec<&Example> = task
        .examples
        .iter()
        .filter(known)
        .filter(|e| !e.holdout)
        .collect();
    let held: Vec<&Example> = task
        .examples
        .iter()
        .filter(known)
        .filter(|e| e.holdout && e.unseen)
        .collect();
    refuse(&learn, classes, task.multi)?;
    // With any number of categories an item those above are labels like others; with one, they are what it means.
    let labeled = |e: &Example| {
        if task.multi {
            task.tree.closed(&e.classes)
        } else {
            e.classes.clone()
        }
    };
    let x = Matrix::of(&learn.iter().map(|e| e.features.clone()).collect::<Vec<_>>());
    let y: Vec<Classes> = learn.iter().map(|e| labeled(e)).collect();
    let data = Examples {
        features: &x,
        labels: &y,
        classes,
        multi: task.multi,
    };
    let (ridge, crossed) = cross(data, task.seed, stop)?;
    let judged_by: Vec<(Vec<f32>, Classes)> =
        crossed.iter().map(|(i, z)| (z.clone(), y[*i].clone())).collect();
    let heat = temperature(&judged_by, task.multi);
    let head = Head::fit(data, ridge, stop)?.with_temperature(heat);
    let judge = |e: &Example, logits: &[f32]| {
        let word = Word::of(&probabilities(logits, heat, task.multi), task.multi, task.tree);
        Judged::new(task.tree.closed(&e.classes), word, e.holdout)
    };
    let crossed = crossed.iter().filter(|(i, _)| learn[*i].unseen);
    let mut judged: Vec<Judged> = crossed.map(|(i, z)| judge(learn[*i], z)).collect();
    judged.extend(held.iter().map(|e| judge(e, &head.logits(&e.features))));
    let thresholds = thresholds(&judged, task.tree, task.multi, task.accuracy);
    let mut trained = vec![0_i64; classes];
    for c in learn.iter().flat_map(|e| task.tree.closed(&e.classes)) {
        trained[c] += 1;
    }
    let figures = Report {
        categories: task.categories,
        tree: task.tree,
        judged: &judged,
        thresholds: &thresholds,
        trained: &trained,
        trained_on: learn.len(),
    }
    .figures();
    Ok(Trained {
        head,
        thresholds,
        figures,
    })
}

/// What cannot be learned from is said so.
fn refuse(learn: &[&Example], classes: usize, multi: bool) -> Result<()> {
    let n = learn.len();
    if n < LABELS_MIN {
        return Err(MlError::refused(format!(
            "{n} labeled {} so far; the model begins at {LABELS_MIN}, besides those held out to measure it.",
            if n == 1 { "item" } else { "items" }
        )));
    }
    let mut count = vec![0_usize; classes];
    for c in learn.iter().flat_map(|e| &e.classes) {
        count[*c] += 1;
    }
    let told = if multi {
        count.iter().filter(|c| **c > 0 && **c < n).count() > 0
    } else {
        count.iter().filter(|c| **c > 0).count() > 1
    };
    if !told {
        return Err(MlError::refused(if multi {
            "All labeled items have the same categories. Label some that differ; the model then learns to tell them apart."
        } else {
            "All labels so far are of one category. Label some items of another one; the model then learns to tell them apart."
        }));
    }
    let first = &learn[0].features;
    if first.is_empty() || learn.iter().all(|e| &e.features == first) {
        return Err(MlError::refused(
            "All labeled pictures look the same to the model, so it cannot tell them apart. Label by hand, or add other pictures.",
        ));
    }
    Ok(())
}

/// Examples by index, with the logits of a head that was trained without them.
type Crossed = Vec<(usize, Vec<f32>)>;

/// The best ridge, and for each example (by index) the logits of a head that was trained without its part.
fn cross(data: Examples<'_>, seed: u64, stop: Stop<'_>) -> Result<(f32, Crossed)> {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let mut order = rng.sample(data.features.rows, CROSS_MAX);
    // By class, then dealt out, so that every part has some of each.
    order.sort_by_key(|i| data.labels[*i].first().copied());
    let mut best: Option<(f64, f32, Crossed)> = None;
    for ridge in RIDGES {
        check(stop)?;
        let (mut loss, mut all) = (0.0, Vec::with_capacity(order.len()));
        for fold in 0..FOLDS {
            let (mut rows, mut labels, mut out) = (Vec::new(), Vec::new(), Vec::new());
            for (at, i) in order.iter().enumerate() {
                if at % FOLDS == fold {
                    out.push(*i);
                } else {
                    rows.push(data.features.row(*i).to_vec());
                    labels.push(data.labels[*i].clone());
                }
            }
            let features = Matrix::of(&rows);
            let part = Examples {
                features: &features,
                labels: &labels,
                ..data
            };
            let head = Head::fit(part, ridge, stop)?;
            for i in out {
                let logits = head.logits(data.features.row(i));
                let p = probabilities(&logits, 1.0, data.multi);
                loss += p
                    .iter()
                    .enumerate()
                    .filter(|(c, _)| data.multi || data.labels[i].first() == Some(c))
                    .map(|(c, v)| {
                        let v = if data.labels[i].contains(&c) { *v } else { 1.0 - v };
                        -f64::from(v.max(1e-4)).ln()
                    })
                    .sum::<f64>();
                all.push((i, logits));
            }
        }
        if best.as_ref().is_none_or(|b| loss < b.0) {
            best = Some((loss, ridge, all));
        }
    }
    best.map(|(_, ridge, all)| (ridge, all))
        .ok_or_else(|| MlError::refused("There is nothing to learn from."))
}
