//! Learning to paint masks, one a category and picture with none over another, and proposing those it is sure of.

use super::Run;
use super::learn::Learned;
use super::look::{Looked, Seen};
use super::marks::{self, Found};
use super::networks::{self, Ask, Finds, Fitted};
use super::place::Said;
use crate::assist::port::{EngineError, JudgedMap, JudgedMasks, StopCheck};
use crate::training::areas;
use crate::training::port::{Examples as _, Painted, PixelMap, TrainTask, Trainer, Truth};
use limn_domain::annotation::Annotation;
use limn_domain::{CategoryId, Shape};
use limn_store::repo::assist::{AssistRow, ModelRow};
use std::sync::Arc;

/// Pictures that masks are painted for in one run, in the order of the queue; the others' turn comes as it goes on.
const LOOKED_THROUGH: usize = 1_000;
/// Pictures painted at once: maps of large pictures are large.
const BATCH: usize = 16;

pub(super) async fn learn(
    run: &Run<'_>,
    row: &AssistRow,
    looked: &Looked,
    train: bool,
) -> anyhow::Result<Learned> {
    let place = run.places();
    let (categories, accuracy) = (run.categories.clone(), run.settings.accuracy);
    let finds = Finds {
        task: TrainTask::Segmentation,
        marks: "masks",
        says: Arc::new(move |drawn: &[Annotation], size: (u32, u32)| {
            let own = drawn.iter().filter(|a| areas::is_area(&a.shape));
            let areas: Vec<(usize, Shape)> = own
                .filter_map(|a| Some((*place.get(&a.category_id)?, a.shape.clone())))
                .collect();
            Truth::Pixels(areas::pixels(&areas, size))
        }),
        has_any: |truth| map_of(truth).is_some_and(|map| !map.categories().is_empty()),
        judge: Box::new(move |engine, trainer, fitted, stop| {
            let judged = judged(categories, accuracy, trainer, fitted, stop)?;
            Ok(engine.judge_masks(&judged))
        }),
    };
    networks::learn(run, row, looked, train, finds).await
}

fn map_of(truth: &Truth) -> Option<&PixelMap> {
    match truth {
        Truth::Pixels(map) => Some(map),
        Truth::Boxes(_) | Truth::Objects { .. } | Truth::Categories(_) => None,
    }
}

/// What would be proposed for the pictures of the holdout, beside what people painted there.
fn judged(
    categories: Vec<CategoryId>,
    accuracy: f64,
    trainer: &dyn Trainer,
    fitted: &Fitted,
    stop: &StopCheck,
) -> Result<JudgedMasks, EngineError> {
    let Fitted { net, train, valid } = fitted;
    let mut trained_masks = vec![0; categories.len()];
    for n in 0..train.len() {
        for category in map_of(train.truth(n)).into_iter().flat_map(PixelMap::categories) {
            trained_masks[category] += 1;
        }
    }
    let net = trainer.load(&net.model)?;
    let mut pictures = Vec::with_capacity(valid.len());
    for n in 0..valid.len() {
        if stop() {
            return Err(EngineError::Stopped);
        }
        let Some(right) = map_of(valid.truth(n)) else {
            continue;
        };
        let said = net.paint(&[valid.picture(n)?], &[(right.width, right.height)])?;
        pictures.extend(said.into_iter().map(|said| JudgedMap {
            right: right.clone(),
            said,
        }));
    }
    Ok(JudgedMasks {
        pictures,
        categories,
        trained_on: train.len() as i64,
        trained_masks,
        accuracy,
    })
}

/// What the model says of the pictures that come next.
pub(super) async fn predict<'a>(
    run: &Run<'_>,
    todo: Vec<&'a Seen>,
    model: &ModelRow,
) -> anyhow::Result<(Vec<&'a Seen>, Vec<Said>)> {
    let asking = networks::Asking {
        task: TrainTask::Segmentation,
        most: LOOKED_THROUGH,
        batch: BATCH,
        doing: "Painting masks",
    };
    let thresholds = model.thresholds.0.clone();
    let ask: Ask<Vec<Found>> = Arc::new(move |net, small, sizes| {
        let at: Vec<(usize, usize)> = sizes.iter().map(|size| areas::answered(*size)).collect();
        let painted = net.paint(small, &at)?;
        let each = painted.iter().zip(sizes);
        Ok(each.map(|(p, size)| found(p, *size, &thresholds)).collect())
    });
    let (todo, said) = networks::ask(run, todo, model, &asking, ask).await?;
    let all = todo
        .iter()
        .map(|s| {
            let found = said.get(&s.item.digest).map_or(&[][..], Vec::as_slice);
            marks::told(run, model, found.iter().cloned())
        })
        .collect();
    Ok((todo, all))
}

/// The categories of a picture, with the masks of those that are sure enough, in its own pixels.
fn found(painted: &Painted, size: (u32, u32), thresholds: &[Option<f32>]) -> Vec<Found> {
    let sure = |category: usize| painted.sure.get(category).copied().unwrap_or(0.0);
    let passes = |category: usize| {
        let threshold = thresholds.get(category).copied().flatten();
        threshold.is_some_and(|t| sure(category) >= t)
    };
    let mut masks = areas::masks(&painted.map, passes, size);
    let all = painted.map.categories().into_iter().map(|category| Found {
        category,
        score: sure(category),
        shape: masks.remove(&category).map(|mask| Shape::Mask { mask }),
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_masks_that_are_sure_enough_are_made() {
        let n = PixelMap::NOTHING;
        let painted = Painted {
            map: PixelMap::new(4, 2, &[0, 0, 1, n, 0, 2, 1, n]),
            sure: vec![0.9, 0.6, 0.8],
        };
        let all = found(&painted, (8, 4), &[Some(0.7), Some(0.7)]);
        let said: Vec<(usize, f32, bool)> = all
            .iter()
            .map(|f| (f.category, f.score, f.shape.is_some()))
            .collect();
        assert_eq!(said, [(0, 0.9, true), (1, 0.6, false), (2, 0.8, false)]);
        let Some(Shape::Mask { mask }) = &all[0].shape else {
            panic!("a mask")
        };
        assert_eq!((mask.x, mask.y, mask.area()), (0, 0, 12));
    }
}
