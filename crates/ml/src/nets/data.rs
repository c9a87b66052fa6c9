//! Whether examples can be learned from; if not, what to do.

use super::plan::CATEGORIES_MAX;
use limn_services::training::port::{EngineError, NetBox, NetTraining, PixelMap, TrainTask, Truth};
use std::collections::BTreeSet;

fn refused<T>(why: impl Into<String>) -> Result<T, EngineError> {
    Err(EngineError::Refused(why.into()))
}

/// Refuses what cannot be learned from. Afterwards every truth is of the task and names categories that there are.
pub(super) fn check(t: &NetTraining<'_>) -> Result<(), EngineError> {
    if t.categories == 0 {
        return refused("There are no categories; add some to the project's label setup.");
    }
    if t.task == TrainTask::Segmentation && t.categories > PixelMap::CATEGORIES_MAX {
        return refused(format!(
            "{} categories are more than the {} that pixels can be told apart by here.",
            t.categories,
            PixelMap::CATEGORIES_MAX
        ));
    }
    if t.categories > CATEGORIES_MAX {
        return refused(format!(
            "{} categories are more than the {CATEGORIES_MAX} that a network can tell apart here.",
            t.categories
        ));
    }
    if t.steps == 0 {
        return refused("A training needs at least one step.");
    }
    if t.train.is_empty() {
        return refused(
            "There are no labeled pictures to train on; label some, or choose a version that has some.",
        );
    }
    for (what, examples) in [("training", t.train), ("validation", t.valid)] {
        for n in 0..examples.len() {
            fits(examples.truth(n), t).map_err(|why| {
                EngineError::Refused(format!("Picture {} of the {what} examples {why}", n + 1))
            })?;
        }
    }
    something(t)
}

/// Why a truth is none of this training's.
fn fits(truth: &Truth, t: &NetTraining<'_>) -> Result<(), String> {
    let known = |c: usize| {
        if c < t.categories {
            return Ok(());
        }
        Err(format!(
            "names category {} of {}; start the training again, its categories have changed.",
            c + 1,
            t.categories
        ))
    };
    match (t.task, truth) {
        (TrainTask::Detection, Truth::Boxes(list) | Truth::Objects { boxes: list, .. }) => {
            list.iter().try_for_each(|b| known(b.category))
        }
        (TrainTask::InstanceSegmentation, Truth::Objects { boxes, outlines }) => {
            if boxes.len() != outlines.len() {
                return Err("has objects without an outline; leave them out.".to_owned());
            }
            let outlined = outlines.iter().map(|o| o.at.category);
            boxes
                .iter()
                .map(|b| b.category)
                .chain(outlined)
                .try_for_each(known)
        }
        (TrainTask::Classification, Truth::Categories(list)) => {
            if list.len() != 1 {
                return Err(format!(
                    "has {} categories instead of one; correct its label or train for several categories a picture.",
                    list.len()
                ));
            }
            known(list[0])
        }
        (TrainTask::Multilabel, Truth::Categories(list)) => list.iter().try_for_each(|c| known(*c)),
        (TrainTask::Segmentation, Truth::Pixels(map)) => {
            if map.width == 0 || map.height == 0 {
                return Err("has no pixels; leave it out.".to_owned());
            }
            map.categories().into_iter().try_for_each(known)
        }
        (
            TrainTask::Detection | TrainTask::InstanceSegmentation | TrainTask::Segmentation,
            Truth::Categories(_),
        ) => Err("has no shapes but categories; train a classification.".to_owned()),
        (_, Truth::Boxes(_) | Truth::Objects { .. }) => Err("has boxes; train a detection.".to_owned()),
        (_, Truth::Pixels(_)) => Err("has areas; train a segmentation.".to_owned()),
    }
}

/// Whether there is a difference to be learned.
fn something(t: &NetTraining<'_>) -> Result<(), EngineError> {
    let truths = || (0..t.train.len()).map(|n| t.train.truth(n));
    let first = truths().next();
    match t.task {
        TrainTask::Detection | TrainTask::InstanceSegmentation => {
            if !truths().any(|truth| truth.boxes().iter().any(|b| sound(b).is_some())) {
                return refused(if t.task == TrainTask::Detection {
                    "No picture to train on has a box; draw some first."
                } else {
                    "No picture to train on has an outline or a mask; draw some first."
                });
            }
        }
        TrainTask::Segmentation => {
            let shows = |t: &Truth| match t {
                Truth::Pixels(map) => {
                    let nothing = map.counts().any(|(class, _)| class.is_none());
                    map.categories()
                        .into_iter()
                        .map(Some)
                        .chain(nothing.then_some(None))
                        .collect()
                }
                Truth::Boxes(_) | Truth::Objects { .. } | Truth::Categories(_) => BTreeSet::new(),
            };
            let all: BTreeSet<Option<usize>> = truths().flat_map(shows).collect();
            if all.len() < 2 {
                return refused(
                    "All pixels of the pictures to train on show the same, so there is nothing to tell apart; draw areas of another category too.",
                );
            }
        }
        TrainTask::Classification => {
            if truths().all(|truth| Some(truth) == first) {
                return refused(
                    "All pictures to train on have the same category; label pictures of another one too.",
                );
            }
        }
        TrainTask::Multilabel => {
            let has = |c: usize| {
                truths()
                    .filter(move |t| matches!(t, Truth::Categories(list) if list.contains(&c)))
                    .count()
            };
            if (0..t.categories).all(|c| [0, t.train.len()].contains(&has(c))) {
                return refused(
                    "No category is on some pictures and missing on others, so there is nothing to tell apart; label more pictures.",
                );
            }
        }
    }
    Ok(())
}

/// A box within the picture, `None` for one that is not a box.
pub(super) fn sound(b: &NetBox) -> Option<NetBox> {
    let all = [b.x, b.y, b.width, b.height];
    if !all.iter().all(|v| v.is_finite()) {
        return None;
    }
    let (x0, y0) = (b.x.clamp(0.0, 1.0), b.y.clamp(0.0, 1.0));
    let (x1, y1) = ((b.x + b.width).clamp(0.0, 1.0), (b.y + b.height).clamp(0.0, 1.0));
    (x1 - x0 > 1e-4 && y1 - y0 > 1e-4).then_some(NetBox {
        category: b.category,
        x: x0,
        y: y0,
        width: x1 - x0,
        height: y1 - y0,
    })
}
