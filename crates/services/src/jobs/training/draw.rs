//! Example predictions as pictures, the worst mistakes first.

mod paint;

use super::pack::Pack;
use crate::training::port::{Cutout, EngineError, Examples as _, Net, NetBox, PixelMap, Prediction, Truth};
use crate::training::survey::Named;
use limn_domain::training::{ShownExample, TrainTask, file};
use paint::{Drawn, Kind};
use std::collections::BTreeMap;

/// Examples of a run.
const SHOWN: usize = 24;
/// Pictures that objects are cut out of to choose from: that takes some hundredths of a second each.
const CUT: usize = 500;
/// Least overlap of a box that is right, as intersection over union.
const OVERLAP: f32 = 0.5;
/// Categories of a map that are named, and the share of pixels that may be wrong in one that is right.
const AREAS_NAMED: usize = 4;
const EDGES: f32 = 0.05;

/// How a prediction did.
struct Judged {
    n: usize,
    /// 0 when all of it is right; the more and the surer the mistakes, the more.
    mistakes: f32,
    truth: String,
    said: String,
    marks: Vec<Drawn>,
    /// What is laid over the picture, where that is a map.
    map: Option<PixelMap>,
}

/// A box, or an object with its pixels.
#[derive(Clone)]
enum Mark {
    Box(NetBox),
    Object(Cutout),
}

impl Mark {
    const fn at(&self) -> &NetBox {
        match self {
            Self::Box(at) => at,
            Self::Object(cut) => &cut.at,
        }
    }

    /// Intersection over union, of pixels where both have some.
    fn overlap(&self, other: &Self) -> f32 {
        match (self, other) {
            (Self::Object(a), Self::Object(b)) => a.overlap(b),
            _ => overlap(self.at(), other.at()),
        }
    }
}

/// What a network says of the pictures held back.
pub(super) struct Said<'a> {
    pub task: TrainTask,
    pub predictions: &'a [Prediction],
    /// Cuts objects out of the boxes, where that was learned.
    pub cutter: Option<&'a dyn Net>,
    pub categories: &'a [Named],
    pub thresholds: &'a [f32],
}

/// A picture to keep with what is said of it.
pub(super) struct Example {
    pub shown: ShownExample,
    pub jpeg: Vec<u8>,
}

/// The examples of a training: the worst first, and those that are right where there are few mistakes.
pub(super) fn examples(pictures: &Pack, said: &Said<'_>) -> Result<Vec<Example>, EngineError> {
    let count = said.predictions.len().min(pictures.len());
    let every = match said.cutter {
        Some(_) => count.div_ceil(CUT).max(1),
        None => 1,
    };
    let mut all: Vec<Judged> = Vec::new();
    for n in (0..count).step_by(every) {
        all.extend(judge(n, pictures, said)?);
    }
    all.sort_by(|a, b| b.mistakes.total_cmp(&a.mistakes).then(a.n.cmp(&b.n)));
    all.truncate(SHOWN);
    all.into_iter()
        .zip(1..)
        .map(|(judged, place)| {
            let map = judged.map.as_ref().map(|m| (m, said.categories));
            let jpeg = paint::drawn(&pictures.picture(judged.n)?, &judged.marks, map)
                .map_err(|e| EngineError::Broken(format!("An example cannot be drawn: {e}.")))?;
            Ok(Example {
                shown: ShownExample {
                    file: format!("{}/{place:02}.jpg", file::EXAMPLES_DIR),
                    path: pictures.paths[judged.n].clone(),
                    truth: judged.truth,
                    said: judged.said,
                    is_right: judged.mistakes <= 0.0,
                },
                jpeg,
            })
        })
        .collect()
}

/// How the prediction of a picture did; `None` of one that has nothing to do with what is right.
fn judge(n: usize, pictures: &Pack, of: &Said<'_>) -> Result<Option<Judged>, EngineError> {
    let (categories, thresholds) = (of.categories, of.thresholds);
    Ok(Some(match (pictures.truth(n), &of.predictions[n]) {
        (Truth::Boxes(truth), Prediction::Boxes(said)) => judge_boxes(n, truth, said, categories, thresholds),
        (Truth::Objects { outlines, .. }, Prediction::Boxes(said)) => {
            let (at, scores): (Vec<NetBox>, Vec<f32>) = shown(said, thresholds).unzip();
            let cut = match of.cutter {
                Some(net) if !at.is_empty() => net.cut_out(&pictures.picture(n)?, &at)?,
                _ => at.into_iter().map(Cutout::whole).collect(),
            };
            let truth: Vec<Mark> = outlines.iter().cloned().map(Mark::Object).collect();
            let found = cut.into_iter().map(Mark::Object).zip(scores).collect();
            judge_marks(n, truth, found, categories)
        }
        (Truth::Pixels(truth), Prediction::Pixels { map, .. }) => judge_pixels(n, truth, map, categories),
        (Truth::Categories(truth), Prediction::Categories(said)) => {
            judge_categories(n, of.task, truth, said, categories, thresholds)
        }
        _ => return Ok(None),
    }))
}

fn name(categories: &[Named], n: usize) -> &str {
    categories.get(n).map_or("?", |c| c.path.as_str())
}

/// `2 cat, 1 dog`
fn counted(categories: &[Named], of: impl Iterator<Item = usize>) -> String {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for c in of {
        *counts.entry(c).or_default() += 1;
    }
    if counts.is_empty() {
        return "nothing".to_owned();
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(c, n)| format!("{n} {}", name(categories, c)))
        .collect();
    parts.join(", ")
}

/// The boxes that are sure enough.
fn shown<'a>(said: &'a [(NetBox, f32)], thresholds: &'a [f32]) -> impl Iterator<Item = (NetBox, f32)> + 'a {
    let enough = move |b: &NetBox| thresholds.get(b.category).copied().unwrap_or(0.3);
    said.iter().filter(move |(b, score)| *score >= enough(b)).copied()
}

fn judge_boxes(
    n: usize,
    truth: &[NetBox],
    said: &[(NetBox, f32)],
    categories: &[Named],
    thresholds: &[f32],
) -> Judged {
    let truth = truth.iter().copied().map(Mark::Box).collect();
    let found = shown(said, thresholds).map(|(b, score)| (Mark::Box(b), score));
    judge_marks(n, truth, found.collect(), categories)
}

/// What was found, the surest first, on what is right.
fn judge_marks(n: usize, truth: Vec<Mark>, said: Vec<(Mark, f32)>, categories: &[Named]) -> Judged {
    let mut found = vec![false; truth.len()];
    let mut marks = Vec::new();
    let (mut right, mut wrong) = (0, 0);
    let mut mistakes = 0.0;
    let what = counted(categories, said.iter().map(|(m, _)| m.at().category));
    for (mark, score) in said {
        let best = truth
            .iter()
            .enumerate()
            .filter(|(i, t)| !found[*i] && t.at().category == mark.at().category)
            .map(|(i, t)| (i, t.overlap(&mark)))
            .filter(|(_, o)| *o >= OVERLAP)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let kind = if let Some((i, _)) = best {
            found[i] = true;
            right += 1;
            Kind::Right
        } else {
            wrong += 1;
            mistakes += score;
            Kind::Wrong
        };
        marks.push(Drawn { mark, kind });
    }
    let missed = found.iter().filter(|f| !**f).count();
    mistakes += missed as f32;
    let truth_words = counted(categories, truth.iter().map(|t| t.at().category));
    for (mark, found) in truth.into_iter().zip(found) {
        let kind = if found { Kind::True } else { Kind::Missed };
        marks.push(Drawn { mark, kind });
    }
    let how = match (right, wrong, missed) {
        (_, 0, 0) => String::new(),
        (r, w, m) => format!(" ({r} right, {w} wrong, {m} missed)"),
    };
    Judged {
        n,
        mistakes,
        truth: truth_words,
        said: format!("{what}{how}"),
        marks,
        map: None,
    }
}

/// Pixels that are not what they were said to be, as a share of all.
fn judge_pixels(n: usize, truth: &PixelMap, said: &PixelMap, categories: &[Named]) -> Judged {
    let right = truth.scaled(said.width, said.height);
    let told = said.pixels();
    let wrong = right.iter().zip(&told).filter(|(r, s)| r != s).count();
    let mistakes = wrong as f32 / told.len().max(1) as f32;
    let words = |pixels: &[u8]| {
        let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
        for p in pixels.iter().filter(|p| **p != PixelMap::NOTHING) {
            *counts.entry(*p).or_default() += 1;
        }
        let mut counts: Vec<(u8, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(c, n)| (std::cmp::Reverse(*n), *c));
        let share = |n: usize| n as f64 * 100.0 / pixels.len().max(1) as f64;
        let parts: Vec<String> = counts
            .iter()
            .take(AREAS_NAMED)
            .map(|(c, n)| format!("{} {:.0} %", name(categories, usize::from(*c)), share(*n)))
            .collect();
        if parts.is_empty() {
            return "nothing".to_owned();
        }
        parts.join(", ")
    };
    Judged {
        n,
        // A few pixels along edges are no mistake.
        mistakes: if mistakes < EDGES { 0.0 } else { mistakes },
        truth: words(&right),
        said: format!("{} ({:.1} % of the pixels wrong)", words(&told), mistakes * 100.0),
        marks: Vec::new(),
        map: Some(said.clone()),
    }
}

fn judge_categories(
    n: usize,
    task: TrainTask,
    truth: &[usize],
    said: &[f32],
    categories: &[Named],
    thresholds: &[f32],
) -> Judged {
    let chosen: Vec<usize> = if task == TrainTask::Multilabel {
        (0..said.len())
            .filter(|c| said[*c] >= thresholds.get(*c).copied().unwrap_or(0.5))
            .collect()
    } else {
        (0..said.len())
            .max_by(|a, b| said[*a].total_cmp(&said[*b]))
            .into_iter()
            .collect()
    };
    let too_many = chosen.iter().filter(|c| !truth.contains(c)).map(|c| said[*c]);
    let missed = truth.iter().filter(|c| !chosen.contains(c));
    let missed = missed.map(|c| 1.0 - said.get(*c).copied().unwrap_or(0.0));
    let mistakes = too_many.chain(missed).sum();
    let words = |of: &[usize], scores: bool| {
        if of.is_empty() {
            return "nothing".to_owned();
        }
        let parts: Vec<String> = of
            .iter()
            .map(|c| match scores.then(|| said.get(*c)).flatten() {
                Some(score) => format!("{} ({:.0} %)", name(categories, *c), score * 100.0),
                None => name(categories, *c).to_owned(),
            })
            .collect();
        parts.join(", ")
    };
    Judged {
        n,
        mistakes,
        truth: words(truth, false),
        said: words(&chosen, true),
        marks: Vec::new(),
        map: None,
    }
}

/// Intersection over union.
fn overlap(a: &NetBox, b: &NetBox) -> f32 {
    let along = |a0: f32, a1: f32, b0: f32, b1: f32| ((a0 + a1).min(b0 + b1) - a0.max(b0)).max(0.0);
    let both = along(a.x, a.width, b.x, b.width) * along(a.y, a.height, b.y, b.height);
    let all = a.width * a.height + b.width * b.height - both;
    if all > 0.0 { both / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> Vec<Named> {
        ["cat", "dog"]
            .map(|n| Named {
                path: n.to_owned(),
                color: "#000000".to_owned(),
            })
            .into()
    }

    fn at(category: usize, x: f32) -> NetBox {
        NetBox {
            category,
            x,
            y: 0.1,
            width: 0.3,
            height: 0.3,
        }
    }

    #[test]
    fn mistakes_of_boxes_are_counted() {
        let truth = [at(0, 0.1), at(1, 0.6)];
        let said = [(at(0, 0.12), 0.9), (at(0, 0.6), 0.8), (at(1, 0.1), 0.05)];
        let judged = judge_boxes(0, &truth, &said, &named(), &[0.3, 0.3]);
        assert_eq!(judged.truth, "1 cat, 1 dog");
        assert_eq!(judged.said, "2 cat (1 right, 1 wrong, 1 missed)");
        assert!((judged.mistakes - 1.8).abs() < 1e-6);
        let none = judge_boxes(0, &[], &[], &named(), &[0.3, 0.3]);
        assert_eq!((none.said.as_str(), none.mistakes), ("nothing", 0.0));
    }

    #[test]
    fn mistakes_of_categories_are_weighed_by_how_sure_they_were() {
        let one = TrainTask::Classification;
        let wrong = judge_categories(0, one, &[0], &[0.1, 0.9], &named(), &[0.5, 0.5]);
        let torn = judge_categories(0, one, &[0], &[0.45, 0.55], &named(), &[0.5, 0.5]);
        let right = judge_categories(0, one, &[0], &[0.6, 0.4], &named(), &[0.5, 0.5]);
        assert!(wrong.mistakes > torn.mistakes && torn.mistakes > right.mistakes);
        assert_eq!((wrong.said.as_str(), right.mistakes), ("dog (90 %)", 0.0));
    }
    #[test]
    fn objects_are_right_by_their_pixels() {
        let half = |category, places: &[u8]| Cutout::new(at(category, 0.1), 2, 1, places).unwrap();
        let truth = vec![Mark::Object(half(0, &[1, 0])), Mark::Object(half(1, &[1, 1]))];
        let said = vec![
            // The very box, and none of its pixels.
            (Mark::Object(half(0, &[0, 1])), 0.9),
            (Mark::Object(half(1, &[0, 1])), 0.8),
        ];
        let judged = judge_marks(0, truth, said, &named());
        assert_eq!(judged.said, "1 cat, 1 dog (1 right, 1 wrong, 1 missed)");
        assert!((judged.mistakes - 1.9).abs() < 1e-6);
        let kinds: Vec<Kind> = judged.marks.iter().map(|m| m.kind).collect();
        assert_eq!(kinds, [Kind::Wrong, Kind::Right, Kind::Missed, Kind::True]);
    }
}
