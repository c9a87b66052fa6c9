//! What boxes, outlines, masks and spans have in common: when it is worth learning to find them, from which items, and what is proposed of those found.

use super::Run;
use super::learn::Learned;
use super::look::{Looked, Seen};
use super::place::Said;
use crate::assist::port::{MarkSure, Verdict, WORTH};
use limn_domain::Shape;
use limn_domain::assist::Retrain;
use limn_domain::item::ItemStatus;
use limn_store::repo;
use limn_store::repo::assist::{AssistRow, ModelRow, Proposal};

/// Labeled items from which it is worth trying, and those that are learned from at most.
const LABELED_MIN: usize = 10;
const LABELED_MAX: usize = 4_000;

/// How things stand before anything is learned, and whether it is to be: when that is asked for, or there is no model of this version.
pub(super) async fn before(
    run: &Run<'_>,
    row: &AssistRow,
    version: &str,
    train: bool,
) -> anyhow::Result<(Learned, bool)> {
    let mut tx = run.ctx.db.read().await?;
    let done = repo::item::counter::progress(&mut tx, run.project).await?.done;
    let latest = repo::assist::latest_model(&mut tx, run.project).await?;
    drop(tx);
    let usable = latest.filter(|m| m.encoder_key == version && !m.head.is_empty());
    let stale = usable.is_none() && row.settings.retrain != Retrain::Never;
    let learned = Learned {
        model: usable,
        holdout: 0,
        done,
        tried: false,
        note: row.note.clone(),
        is_first: false,
    };
    Ok((learned, train || stale))
}

/// Items whose labels teach, and those of the holdout that nobody saw a proposal of. As good as drawn at random, where there are too many.
pub(super) fn labeled(looked: &Looked) -> Vec<&Seen> {
    let mut done: Vec<&Seen> = looked
        .items
        .iter()
        .filter(|s| s.item.status == ItemStatus::Done && s.features.is_some())
        .filter(|s| !s.holdout || !s.item.proposed)
        .collect();
    done.sort_by(|a, b| a.item.digest.cmp(&b.item.digest));
    done.truncate(LABELED_MAX);
    done
}

/// How many of those are of the holdout.
pub(super) fn held(looked: &Looked) -> usize {
    labeled(looked).iter().filter(|s| s.holdout).count()
}

/// What is missing where there are so few items with marks on, in words: those that teach, and those that measure.
pub(super) fn too_few(taught: usize, judged: usize, items: &str, marks: &str) -> Option<String> {
    if taught + judged < LABELED_MIN || taught < 2 {
        let mut begins = marks.to_owned();
        if let Some(first) = begins.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        return Some(format!(
            "{begins} are learned from {LABELED_MIN} {items} with {marks} on; {} so far.",
            match taught + judged {
                0 => "there are none".to_owned(),
                1 => "there is one".to_owned(),
                n => format!("there are {n}"),
            }
        ));
    }
    (judged == 0).then(|| {
        format!("None of the {items} that measure the model is labeled yet; about every fifth is one. The model begins with the next ones.")
    })
}

/// Something that a model found: by index into its categories, how sure it is, and where, if that is somewhere.
#[derive(Clone)]
pub(super) struct Found {
    pub category: usize,
    pub score: f32,
    pub shape: Option<Shape>,
}

/// What was found in an item that is sure enough, and how much the model is torn about it.
pub(super) fn told(run: &Run<'_>, model: &ModelRow, found: impl Iterator<Item = Found>) -> Said {
    let mut proposals = Vec::new();
    let mut near = Vec::new();
    for Found {
        category,
        score,
        shape,
    } in found
    {
        // What is of a category that is gone is nothing any more.
        let Some(category_id) = model.categories.get(category).copied() else {
            continue;
        };
        if !run.categories.contains(&category_id) {
            continue;
        }
        let told = model.figures.categories.get(category).and_then(|c| c.worth);
        let mark = MarkSure {
            sure: score,
            threshold: model.thresholds.get(category).copied().flatten(),
            worth: told.map_or(WORTH, |w| w as f32),
        };
        near.push(mark);
        if !mark.passes() {
            continue;
        }
        if let Some(shape) = shape {
            proposals.push(Proposal {
                category_id,
                shape,
                score: f64::from(score).clamp(0.0, 1.0),
            });
        }
    }
    let sure: Vec<f64> = proposals.iter().map(|p| p.score).collect();
    Said {
        verdict: Verdict::of_marks(&near, &sure),
        proposals,
    }
}
