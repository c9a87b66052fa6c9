//! How good found boxes and objects are: COCO's average precision and recall, as `pycocotools.cocoeval` computes them.

use std::collections::{BTreeMap, BTreeSet};

/// A box that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    pub image: u64,
    pub category: u64,
    /// x, y, width, height in pixels.
    pub rect: [f64; 4],
    /// Pixels it counts as, for small, medium and large.
    pub area: f64,
    /// Stands for many: found ones inside it are neither right nor wrong.
    pub crowd: bool,
}

/// A box that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub image: u64,
    pub category: u64,
    pub rect: [f64; 4],
    /// 0..=1; a higher one is judged first.
    pub score: f64,
}

/// COCO's twelve figures, 0..=1 each; `None` where there is nothing to find.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Precision {
    /// Mean over intersections of 0.50 to 0.95.
    pub ap: Option<f64>,
    pub ap50: Option<f64>,
    pub ap75: Option<f64>,
    pub ap_small: Option<f64>,
    pub ap_medium: Option<f64>,
    pub ap_large: Option<f64>,
    /// Recall with one, ten and a hundred boxes an image.
    pub ar1: Option<f64>,
    pub ar10: Option<f64>,
    pub ar100: Option<f64>,
    pub ar_small: Option<f64>,
    pub ar_medium: Option<f64>,
    pub ar_large: Option<f64>,
}

const STEPS: usize = 10;
const RECALLS: usize = 101;
/// Boxes an image that are looked at.
const MOST: [usize; 3] = [1, 10, 100];
/// Areas in pixels: all, small, medium, large.
const AREAS: [[f64; 2]; 4] = [[0.0, 1e10], [0.0, 1024.0], [1024.0, 9216.0], [9216.0, 1e10]];

/// Intersections from which on a box counts as found, as numpy's `linspace` has them.
fn overlap(step: usize) -> f64 {
    if step == STEPS - 1 {
        0.95
    } else {
        step as f64 * ((0.95 - 0.5) / (STEPS - 1) as f64) + 0.5
    }
}

/// Judges what was found in all images.
pub fn average_precision(truths: &[Truth], found: &[Found]) -> Precision {
    let mut of: BTreeMap<(u64, u64), Both<'_>> = BTreeMap::new();
    for t in truths {
        of.entry((t.category, t.image)).or_default().0.push(t);
    }
    for f in found {
        of.entry((f.category, f.image)).or_default().1.push(f);
    }
    figures(&of.into_iter().map(|(at, both)| (at, Cell::of(both))).collect())
}

/// What is there, and what was found.
type Both<'a> = (Vec<&'a Truth>, Vec<&'a Found>);

/// The same of what is no box, by category and image.
pub(crate) fn figures(cells: &BTreeMap<(u64, u64), Cell>) -> Precision {
    let categories: BTreeSet<u64> = cells.keys().map(|(category, _)| *category).collect();
    let mut sums = Sums::default();
    for category in categories {
        let of: Vec<&Cell> = cells
            .range((category, 0)..=(category, u64::MAX))
            .map(|(_, c)| c)
            .collect();
        for (a, area) in AREAS.iter().enumerate() {
            let judged: Vec<Judgement> = of.iter().map(|c| c.judge(*area)).collect();
            for (m, most) in MOST.iter().enumerate() {
                for step in 0..STEPS {
                    if let Some((precision, recall)) = accumulate(&judged, step, *most) {
                        sums.add(a, m, step, precision, recall);
                    }
                }
            }
        }
    }
    sums.figures()
}

/// What was found of one category in one image, beside what is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cell {
    /// The area of each that is there, and whether it stands for many.
    pub truths: Vec<(f64, bool)>,
    /// Score and area of each found one, the surest first; 100 at most.
    pub found: Vec<(f64, f64)>,
    /// What each found one shares with each that is there: intersection over union, 0..=1.
    pub overlaps: Vec<Vec<f64>>,
}

/// What is said of those found in one image, of one category.
struct Judgement {
    scores: Vec<f64>,
    /// By step: right, or neither right nor wrong.
    matched: Vec<Vec<bool>>,
    ignored: Vec<Vec<bool>>,
    /// Boxes to be found.
    wanted: usize,
}

impl Cell {
    fn of((truths, mut found): Both<'_>) -> Self {
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(MOST[2]);
        let with = |f: &Found| -> Vec<f64> {
            let each = truths.iter();
            each.map(|t| share(f.rect, t.rect, t.crowd)).collect()
        };
        let overlaps = found.iter().map(|f| with(f)).collect();
        Self {
            truths: truths.iter().map(|t| (t.area, t.crowd)).collect(),
            found: found.iter().map(|f| (f.score, f.rect[2] * f.rect[3])).collect(),
            overlaps,
        }
    }

    fn judge(&self, [low, high]: [f64; 2]) -> Judgement {
        let outside = |area: f64| area < low || area > high;
        // Where each is, whether it stands for many, and whether it counts for nothing.
        let mut truths: Vec<(usize, bool, bool)> = self
            .truths
            .iter()
            .enumerate()
            .map(|(at, (area, crowd))| (at, *crowd, *crowd || outside(*area)))
            .collect();
        truths.sort_by_key(|(_, _, ignored)| *ignored);
        let (mut matched, mut ignored) = (Vec::new(), Vec::new());
        for step in 0..STEPS {
            let mut taken = vec![false; truths.len()];
            let (mut is_matched, mut is_ignored) =
                (vec![false; self.found.len()], vec![false; self.found.len()]);
            for (d, (_, area)) in self.found.iter().enumerate() {
                let mut best = overlap(step).min(1.0 - 1e-10);
                let mut at: Option<usize> = None;
                for (g, (own, crowd, skip)) in truths.iter().enumerate() {
                    if taken[g] && !crowd {
                        continue;
                    }
                    // One that counts is never given up for one that does not.
                    if at.is_some_and(|m| !truths[m].2) && *skip {
                        break;
                    }
                    let shared = self.overlaps[d][*own];
                    if shared < best {
                        continue;
                    }
                    (best, at) = (shared, Some(g));
                }
                match at {
                    Some(g) => {
                        taken[g] = true;
                        is_matched[d] = true;
                        is_ignored[d] = truths[g].2;
                    }
                    None => is_ignored[d] = outside(*area),
                }
            }
            matched.push(is_matched);
            ignored.push(is_ignored);
        }
        Judgement {
            scores: self.found.iter().map(|(score, _)| *score).collect(),
            matched,
            ignored,
            wanted: truths.iter().filter(|(_, _, skip)| !skip).count(),
        }
    }
}

/// Intersection over union; over the found box alone where the other stands for many.
fn share(found: [f64; 4], truth: [f64; 4], crowd: bool) -> f64 {
    let w = (found[0] + found[2]).min(truth[0] + truth[2]) - found[0].max(truth[0]);
    let h = (found[1] + found[3]).min(truth[1] + truth[3]) - found[1].max(truth[1]);
    if w <= 0.0 || h <= 0.0 {
        return 0.0;
    }
    let (own, other) = (found[2] * found[3], truth[2] * truth[3]);
    let both = w * h;
    both / if crowd { own } else { own + other - both }
}

/// Mean precision over the recalls, and the last recall; `None` where there is nothing to find.
fn accumulate(judged: &[Judgement], step: usize, most: usize) -> Option<(f64, f64)> {
    let wanted: usize = judged.iter().map(|j| j.wanted).sum();
    if wanted == 0 {
        return None;
    }
    let all: Vec<(f64, bool, bool)> = judged
        .iter()
        .flat_map(|j| {
            let n = j.scores.len().min(most);
            (0..n).map(move |d| (j.scores[d], j.matched[step][d], j.ignored[step][d]))
        })
        .collect();
    Some(interpolated(all, wanted))
}

/// Average precision at one overlap, of found ones with their scores and whether each is right; `None` where there is nothing to find.
pub(crate) fn precision_at(found: &[(f64, bool)], wanted: usize) -> Option<f64> {
    let all = found.iter().map(|(score, right)| (*score, *right, false));
    (wanted > 0).then(|| interpolated(all.collect(), wanted).0)
}

/// The same as [`accumulate`] from scores, whether each is right, and whether it counts for nothing.
fn interpolated(mut all: Vec<(f64, bool, bool)>, wanted: usize) -> (f64, f64) {
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut wrong) = (0.0, 0.0);
    let (mut recalls, mut precisions) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    for (_, matched, ignored) in all {
        right += f64::from(u8::from(matched && !ignored));
        wrong += f64::from(u8::from(!matched && !ignored));
        recalls.push(right / wanted as f64);
        precisions.push(right / (wrong + right + f64::EPSILON));
    }
    for i in (1..precisions.len()).rev() {
        if precisions[i] > precisions[i - 1] {
            precisions[i - 1] = precisions[i];
        }
    }
    let mut sum = 0.0;
    for r in 0..RECALLS {
        let wish = if r == RECALLS - 1 { 1.0 } else { r as f64 * 0.01 };
        let at = recalls.partition_point(|v| *v < wish);
        sum += precisions.get(at).copied().unwrap_or(0.0);
    }
    (sum / RECALLS as f64, recalls.last().copied().unwrap_or(0.0))
}

/// Sums by area, boxes an image and step, with how many categories are in them.
#[derive(Default)]
struct Sums {
    precision: [[[f64; STEPS]; 3]; 4],
    recall: [[[f64; STEPS]; 3]; 4],
    count: [[[f64; STEPS]; 3]; 4],
}

impl Sums {
    fn add(&mut self, area: usize, most: usize, step: usize, precision: f64, recall: f64) {
        self.precision[area][most][step] += precision;
        self.recall[area][most][step] += recall;
        self.count[area][most][step] += 1.0;
    }

    fn mean(
        &self,
        of: &[[[f64; STEPS]; 3]; 4],
        area: usize,
        most: usize,
        steps: std::ops::Range<usize>,
    ) -> Option<f64> {
        let n: f64 = self.count[area][most][steps.clone()].iter().sum();
        (n > 0.0).then(|| of[area][most][steps].iter().sum::<f64>() / n)
    }

    fn figures(&self) -> Precision {
        let p = |area, steps| self.mean(&self.precision, area, 2, steps);
        let r = |area, most| self.mean(&self.recall, area, most, 0..STEPS);
        Precision {
            ap: p(0, 0..STEPS),
            ap50: p(0, 0..1),
            ap75: p(0, 5..6),
            ap_small: p(1, 0..STEPS),
            ap_medium: p(2, 0..STEPS),
            ap_large: p(3, 0..STEPS),
            ar1: r(0, 0),
            ar10: r(0, 1),
            ar100: r(0, 2),
            ar_small: r(1, 2),
            ar_medium: r(2, 2),
            ar_large: r(3, 2),
        }
    }
}
