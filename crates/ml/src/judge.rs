//! How good a model is, and from which confidence on its word is good enough.

use crate::head::{Classes, probabilities};
use crate::tree::Tree;
use limn_domain::CategoryId;
use limn_domain::assist::{Basis, Bin, CategoryFigures, Confusion, Figures, Share, wilson};
use std::collections::BTreeMap;

/// A threshold must be met by the lower end of a one-sided 80 % interval: so sure is one that it is met.
const SURE: f64 = 0.841_621;
/// Judged items of a category from which it has a threshold of its own.
const OWN: usize = 15;
/// Items of the holdout from which the figures are measured on it.
pub const HOLDOUT_MIN: usize = 40;
const BINS: usize = 10;

/// An item with what a model that never saw its label says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What people say.
    pub is: Classes,
    /// What the model says.
    pub said: Classes,
    /// How sure it is of all of that, 0..=1.
    pub confidence: f32,
    /// Of one class an item: what is said, then all above it in the tree, with how sure the model is of each.
    pub ways: Vec<(usize, f32)>,
    /// Of the holdout.
    pub holdout: bool,
}

impl Judged {
    /// `is` with all that lies above it.
    pub fn new(is: Classes, word: Word, holdout: bool) -> Self {
        let Word {
            said,
            confidence,
            ways,
        } = word;
        Self {
            is,
            said,
            confidence,
            ways,
            holdout,
        }
    }

    /// Of one class an item: whether what is said holds, be it less exact than what is; of several: whether it is the same.
    fn right(&self) -> bool {
        let holds = self.said.iter().all(|c| self.is.contains(c));
        holds && (!self.ways.is_empty() || self.is.len() == self.said.len())
    }

    /// What would be proposed and whether that is right; `None`: nothing.
    fn proposal(&self, thresholds: &[Option<f32>]) -> Option<(Classes, bool)> {
        if self.ways.is_empty() {
            return passes(&self.said, self.confidence, thresholds)
                .then(|| (self.said.clone(), self.right()));
        }
        let (class, _) = exactest(&self.ways, thresholds)?;
        Some((vec![class], self.is.contains(&class)))
    }

    /// Whether the model took it for the class or one below it.
    fn reaches(&self, class: usize) -> bool {
        if self.ways.is_empty() {
            self.said.contains(&class)
        } else {
            self.ways.iter().any(|(c, _)| *c == class)
        }
    }
}

/// What a model says of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The most probable class; of several an item all those more probable than not, with all above them.
    pub said: Classes,
    /// How sure that is: the least of their certainties.
    pub confidence: f32,
    /// Of one class an item: that class, then all above it, with the probability of each or one below it.
    pub ways: Vec<(usize, f32)>,
}

impl Word {
    /// From the probabilities of the classes alone.
    pub fn of(p: &[f32], multi: bool, tree: &Tree) -> Self {
        let (said, confidence) = verdict(p, multi);
        if multi {
            return Self {
                said: tree.closed(&said),
                confidence,
                ways: Vec::new(),
            };
        }
        let sums = tree.sums(p);
        let ways = said
            .iter()
            .flat_map(|c| tree.path(*c))
            .map(|c| (c, sums[c]))
            .collect();
        Self {
            said,
            confidence,
            ways,
        }
    }

    /// What is sure enough to be proposed, and how sure it is: of one class an item the most exact that is.
    pub fn proposal(&self, thresholds: &[Option<f32>]) -> Option<(Classes, f32)> {
        if self.ways.is_empty() {
            return passes(&self.said, self.confidence, thresholds)
                .then(|| (self.said.clone(), self.confidence));
        }
        exactest(&self.ways, thresholds).map(|(c, sure)| (vec![c], sure))
    }
}

/// The first that is sure enough.
fn exactest(ways: &[(usize, f32)], thresholds: &[Option<f32>]) -> Option<(usize, f32)> {
    let sure = |(c, p): &&(usize, f32)| thresholds[*c].is_some_and(|t| *p >= t);
    ways.iter().find(sure).copied()
}

/// The most probable class, or all those more probable than not, and how sure that is: the least of their certainties.
pub fn verdict(p: &[f32], multi: bool) -> (Classes, f32) {
    if multi {
        let said = (0..p.len()).filter(|c| p[*c] >= 0.5).collect();
        let sure = p.iter().map(|v| v.max(1.0 - v)).fold(1.0, f32::min);
        return (said, sure);
    }
    match p.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) {
        Some((c, v)) => (vec![c], *v),
        None => (Vec::new(), 0.0),
    }
}

/// The number by which logits are divided so that the confidence is right on average: the most probable one given what was
/// judged (Guo et al. 2017), 0.2..=10.
pub fn temperature(judged: &[(Vec<f32>, Classes)], multi: bool) -> f32 {
    let loss = |log: f64| -> f64 {
        let t = log.exp() as f32;
        judged
            .iter()
            .map(|(logits, is)| {
                let p = probabilities(logits, t, multi);
                if multi {
                    let each = p.iter().enumerate().map(|(c, v)| {
                        let v = if is.contains(&c) { *v } else { 1.0 - v };
                        -f64::from(v.max(1e-7)).ln()
                    });
                    return each.sum::<f64>();
                }
                is.first().map_or(0.0, |c| -f64::from(p[*c].max(1e-7)).ln())
            })
            .sum()
    };
    // Golden section: the loss has one valley.
    let (mut low, mut high) = (0.2_f64.ln(), 10_f64.ln());
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..24 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) <= loss(b) { high = b } else { low = a }
    }
    f64::midpoint(low, high).exp() as f32
}

/// From which confidence on each class is proposed; `None`: not at all.
///
/// Of one class an item what is not sure enough to be said exactly is proposed less exactly: a class above others is judged by what none of
/// those below it takes.
pub fn thresholds(judged: &[Judged], tree: &Tree, multi: bool, accuracy: f64) -> Vec<Option<f32>> {
    let classes = tree.deepest_first();
    let shared = lowest(
        judged.iter().map(|j| (j.confidence, j.right())).collect(),
        accuracy,
    );
    if multi {
        return raised(judged, vec![shared; classes.len()], true, accuracy);
    }
    let mut own = vec![None; classes.len()];
    for c in classes {
        let reach = judged
            .iter()
            .filter_map(|j| match j.ways.iter().find(|(w, _)| *w == c) {
                Some((_, sure)) => j.proposal(&own).is_none().then(|| (*sure, j.is.contains(&c))),
                None => (j.ways.is_empty() && j.said == [c]).then(|| (j.confidence, j.right())),
            });
        let of: Vec<(f32, bool)> = reach.collect();
        own[c] = if of.len() >= OWN {
            lowest(of, accuracy)
        } else {
            // Too few to say alone: as all of them, unless these contradict.
            let above = of.iter().filter(|(sure, _)| shared.is_some_and(|t| *sure >= t));
            let (right, n) = above.fold((0_i64, 0_i64), |(r, n), (_, right)| {
                (r + i64::from(*right), n + 1)
            });
            let contradict = n >= 3 && (right as f64) < accuracy * n as f64;
            shared.filter(|_| !contradict && !of.is_empty())
        };
    }
    raised(judged, own, false, accuracy)
}

/// The lowest confidence such that those at least as sure are right often enough.
fn lowest(mut sorted: Vec<(f32, bool)>, accuracy: f64) -> Option<f32> {
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut found) = (0, None);
    for (n, (confidence, is_right)) in sorted.iter().enumerate() {
        right += i64::from(*is_right);
        // Equally sure ones stand or fall together.
        let last = sorted.get(n + 1).is_none_or(|next| next.0 < *confidence);
        if last && wilson(right, n as i64 + 1, SURE).0 >= accuracy {
            found = Some(*confidence);
        }
    }
    found
}

/// Whether a verdict is sure enough to be proposed.
pub fn passes(said: &[usize], confidence: f32, thresholds: &[Option<f32>]) -> bool {
    !said.is_empty()
        && said
            .iter()
            .all(|c| thresholds[*c].is_some_and(|t| confidence >= t))
}

/// Thresholds that the holdout alone, where it is large enough to say, does not contradict.
fn raised(
    judged: &[Judged],
    mut thresholds: Vec<Option<f32>>,
    multi: bool,
    accuracy: f64,
) -> Vec<Option<f32>> {
    let held: Vec<&Judged> = judged.iter().filter(|j| j.holdout).collect();
    for _ in 0..24 {
        let above: Vec<(Classes, bool)> = held.iter().filter_map(|j| j.proposal(&thresholds)).collect();
        let (right, of) = (above.iter().filter(|(_, right)| *right).count(), above.len());
        if of < OWN || right as f64 >= accuracy * of as f64 {
            break;
        }
        let wrong: Vec<usize> = above
            .into_iter()
            .filter(|(_, right)| !right)
            .flat_map(|(said, _)| said)
            .collect();
        for (c, t) in thresholds.iter_mut().enumerate() {
            if multi || wrong.contains(&c) {
                *t = t.map(|t| t + (1.0 - t) * 0.25);
            }
        }
    }
    thresholds
}

/// What there is to say of a model.
pub struct Report<'a> {
    pub categories: &'a [CategoryId],
    pub tree: &'a Tree,
    pub judged: &'a [Judged],
    pub thresholds: &'a [Option<f32>],
    /// Labeled items of each class, or one below it, that it was trained on, and all of them.
    pub trained: &'a [i64],
    pub trained_on: usize,
}

impl Report<'_> {
    pub fn figures(&self) -> Figures {
        let holdout = self.judged.iter().filter(|j| j.holdout).count();
        let basis = if holdout >= HOLDOUT_MIN {
            Basis::Holdout
        } else {
            Basis::CrossValidated
        };
        let of: Vec<&Judged> = self
            .judged
            .iter()
            .filter(|j| j.holdout || basis == Basis::CrossValidated)
            .collect();
        let right = |list: &[&Judged]| list.iter().filter(|j| j.right()).count() as i64;
        let sure: Vec<(Classes, bool)> = of.iter().filter_map(|j| j.proposal(self.thresholds)).collect();
        let sure_right = sure.iter().filter(|(_, right)| *right).count() as i64;
        let (bins, calibration_error) = bins(&of);
        Figures {
            basis,
            trained_on: self.trained_on as i64,
            holdout: holdout as i64,
            accuracy: Share::new(right(&of), of.len() as i64),
            proposed: Share::new(sure_right, sure.len() as i64),
            covered: Share::new(sure.len() as i64, of.len() as i64),
            calibration_error,
            bins,
            categories: self.by_category(&of),
            map50: None,
            miou: None,
            confusions: confusions(self.categories, self.tree, &of),
            warnings: self.warnings(holdout, of.len()),
        }
    }

    fn by_category(&self, of: &[&Judged]) -> Vec<CategoryFigures> {
        let count =
            |list: &[&Judged], f: &dyn Fn(&Judged) -> bool| list.iter().filter(|j| f(j)).count() as i64;
        self.categories
            .iter()
            .enumerate()
            .map(|(c, id)| {
                let is: Vec<&Judged> = of.iter().filter(|j| j.is.contains(&c)).copied().collect();
                let said: Vec<&Judged> = of.iter().filter(|j| j.reaches(c)).copied().collect();
                let proposed = |j: &&&Judged| {
                    let of = j.proposal(self.thresholds);
                    of.is_some_and(|(said, _)| said.contains(&c))
                };
                let above: Vec<&Judged> = said.iter().filter(proposed).copied().collect();
                CategoryFigures {
                    category_id: *id,
                    trained_on: self.trained[c],
                    found: Share::new(count(&is, &|j| j.reaches(c)), is.len() as i64),
                    threshold: self.thresholds[c].map(f64::from),
                    proposed: Share::new(count(&above, &|j| j.is.contains(&c)), above.len() as i64),
                    covered: Share::new(above.len() as i64, said.len() as i64),
                    iou: None,
                    worth: None,
                }
            })
            .collect()
    }

    fn warnings(&self, holdout: usize, judged: usize) -> Vec<String> {
        let mut out = Vec::new();
        if holdout < HOLDOUT_MIN {
            out.push(format!(
                "Only {holdout} items of the holdout are labeled; below {HOLDOUT_MIN} the figures come from all {judged} labels, each judged by a model trained without it."
            ));
        }
        let few = self.trained.iter().filter(|n| **n > 0 && **n < 5).count();
        if few > 0 {
            out.push(format!(
                "{few} {} fewer than 5 labels to learn from; label more of {}.",
                if few == 1 {
                    "category has"
                } else {
                    "categories have"
                },
                if few == 1 { "it" } else { "them" }
            ));
        }
        let none = self.trained.iter().filter(|n| **n == 0).count();
        if none > 0 {
            out.push(format!(
                "{none} {} no labels to learn from yet and cannot be proposed.",
                if none == 1 {
                    "category has"
                } else {
                    "categories have"
                }
            ));
        }
        if self.thresholds.iter().all(Option::is_none) {
            out.push(
                "No confidence meets the accuracy that is asked for; nothing is proposed until there are more labels."
                    .to_owned(),
            );
        }
        out
    }
}

/// What was taken for what, most often first.
pub fn confusions(categories: &[CategoryId], tree: &Tree, of: &[&Judged]) -> Vec<Confusion> {
    let mut count: BTreeMap<(usize, usize), i64> = BTreeMap::new();
    for j in of.iter().filter(|j| !j.right()) {
        // Of several categories: what was missed, taken for what was said too much.
        let (is, said) = (tree.lowest(&j.is), tree.lowest(&j.said));
        for is in is.iter().filter(|c| !j.said.contains(c)) {
            for said in said.iter().filter(|c| !j.is.contains(c)) {
                *count.entry((*is, *said)).or_default() += 1;
            }
        }
    }
    let mut list: Vec<Confusion> = count
        .into_iter()
        .map(|((is, said), items)| Confusion {
            is: categories[is],
            taken_for: categories[said],
            items,
        })
        .collect();
    list.sort_by_key(|c| std::cmp::Reverse(c.items));
    list.truncate(100);
    list
}

/// Items in ten equal steps of confidence, and the expected calibration error.
pub fn bins(of: &[&Judged]) -> (Vec<Bin>, f64) {
    let mut groups = vec![(0.0_f64, 0_i64, 0_i64); BINS];
    for j in of {
        let b = ((j.confidence * BINS as f32) as usize).min(BINS - 1);
        groups[b].0 += f64::from(j.confidence);
        groups[b].1 += i64::from(j.right());
        groups[b].2 += 1;
    }
    let mut error = 0.0;
    let bins = groups
        .into_iter()
        .filter(|g| g.2 > 0)
        .map(|(sum, right, n)| {
            let confidence = sum / n as f64;
            error += (confidence - right as f64 / n as f64).abs() * n as f64 / of.len() as f64;
            Bin {
                confidence,
                accuracy: Share::new(right, n),
            }
        })
        .collect();
    (bins, error)
}
