//! Learning to find objects and to cut each out of its box, and proposing the outlines of those it is sure of.

use super::Run;
use super::boxes::{self, BOXES_MAX};
use super::learn::Learned;
use super::look::{Looked, Seen};
use super::marks::{self, Found};
use super::networks::{self, Ask, Finds, Fitted};
use super::place::Said;
use crate::assist::port::{EngineError, JudgedObjects, JudgedOutlines, SmallPicture, StopCheck};
use crate::training::outlines;
use crate::training::port::{Examples as _, Net, NetBox, TrainTask, Trainer};
use limn_domain::annotation::{Annotation, ShapeKind};
use limn_domain::{CategoryId, ItemId, Source};
use limn_store::repo;
use limn_store::repo::assist::{AssistRow, ModelRow};
use std::sync::Arc;

/// Pictures that are looked through for objects in one run, in the order of the queue; the others' turn comes as it goes on.
const LOOKED_THROUGH: usize = 2_000;
/// Pictures looked through at once.
const BATCH: usize = 32;
/// Objects below this confidence are noise that nobody would show; they are not cut out to be judged.
const LEAST: f32 = 0.05;
/// Labeled pictures that tell whether people outline objects or paint them.
const TELL: usize = 100;

pub(super) async fn learn(
    run: &Run<'_>,
    row: &AssistRow,
    looked: &Looked,
    train: bool,
) -> anyhow::Result<Learned> {
    let place = run.places();
    let (categories, accuracy) = (run.categories.clone(), run.settings.accuracy);
    let finds = Finds {
        task: TrainTask::Detection,
        marks: "outlines",
        says: Arc::new(move |drawn: &[Annotation], size: (u32, u32)| {
            let cut = drawn
                .iter()
                .filter_map(|a| outlines::cutout(&a.shape, size, *place.get(&a.category_id)?));
            outlines::objects(cut)
        }),
        has_any: |truth| !truth.boxes().is_empty(),
        judge: Box::new(move |engine, trainer, fitted, stop| {
            fitted.net.model = trainer.outlined(&fitted.net.model, fitted.train.as_ref(), stop)?;
            let judged = judged(categories, accuracy, trainer, fitted, stop)?;
            Ok(engine.judge_outlines(&judged))
        }),
    };
    networks::learn(run, row, looked, train, finds).await
}

/// What would be cut out of the pictures of the holdout, beside what people outlined there.
fn judged(
    categories: Vec<CategoryId>,
    accuracy: f64,
    trainer: &dyn Trainer,
    fitted: &Fitted,
    stop: &StopCheck,
) -> Result<JudgedOutlines, EngineError> {
    let Fitted { net, train, valid } = fitted;
    let mut trained_objects = vec![0; categories.len()];
    for n in 0..train.len() {
        for b in train.truth(n).boxes() {
            trained_objects[b.category] += 1;
        }
    }
    let cutter = trainer.load(&net.model)?;
    let mut pictures = Vec::with_capacity(valid.len());
    for (n, said) in net.predictions.iter().take(valid.len()).enumerate() {
        if stop() {
            return Err(EngineError::Stopped);
        }
        let sure = boxes::found(said).iter().filter(|(_, score)| *score >= LEAST);
        let (at, scores): (Vec<NetBox>, Vec<f32>) = sure.copied().unzip();
        let found = cutter.cut_out(&valid.picture(n)?, &at)?;
        pictures.push(JudgedObjects {
            right: valid.truth(n).outlines().to_vec(),
            found: found.into_iter().zip(scores).collect(),
        });
    }
    Ok(JudgedOutlines {
        pictures,
        categories,
        trained_on: train.len() as i64,
        trained_objects,
        accuracy,
    })
}

/// What the model says of the pictures that come next.
pub(super) async fn predict<'a>(
    run: &Run<'_>,
    looked: &Looked,
    todo: Vec<&'a Seen>,
    model: &ModelRow,
) -> anyhow::Result<(Vec<&'a Seen>, Vec<Said>)> {
    let asking = networks::Asking {
        task: TrainTask::Detection,
        most: LOOKED_THROUGH,
        batch: BATCH,
        doing: "Looking for objects",
    };
    let (thresholds, as_masks) = (model.thresholds.0.clone(), paint(run, looked).await?);
    let ask: Ask<Vec<Found>> = Arc::new(move |net, small, sizes| {
        let said = net.predict(small)?;
        let each = said.iter().zip(small).zip(sizes);
        each.map(|((said, picture), size)| {
            let all = boxes::found(said);
            let all = &all[..all.len().min(BOXES_MAX)];
            found(net, picture, all, *size, &thresholds, as_masks)
        })
        .collect()
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

/// Whether most of what people have labeled here are masks: proposals are of the form that they make themselves.
async fn paint(run: &Run<'_>, looked: &Looked) -> anyhow::Result<bool> {
    let done = marks::labeled(looked);
    let ids: Vec<ItemId> = done.iter().take(TELL).map(|s| s.item.id).collect();
    let labels = repo::annotation::of_items(&mut run.ctx.db.read().await?, &ids).await?;
    let of = |kind: ShapeKind| {
        let own = labels.values().flatten().filter(|a| a.source != Source::Prelabel);
        own.filter(|a| a.shape.shape_kind() == kind).count()
    };
    Ok(of(ShapeKind::Mask) > of(ShapeKind::Polygon))
}

/// The objects of a picture, with the outlines of those that are sure enough, in its own pixels.
fn found(
    net: &dyn Net,
    picture: &SmallPicture,
    all: &[(NetBox, f32)],
    size: (u32, u32),
    thresholds: &[Option<f32>],
    as_masks: bool,
) -> Result<Vec<Found>, EngineError> {
    let passes = |(b, score): &(NetBox, f32)| {
        let threshold = thresholds.get(b.category).copied().flatten();
        threshold.is_some_and(|t| *score >= t)
    };
    let sure: Vec<NetBox> = all.iter().filter(|f| passes(f)).map(|(b, _)| *b).collect();
    let mut cut = net.cut_out(picture, &sure)?.into_iter();
    let objects = all.iter().map(|f| Found {
        category: f.0.category,
        score: f.1,
        shape: passes(f)
            .then(|| cut.next())
            .flatten()
            .and_then(|c| outlines::shape(&c, size, as_masks)),
    });
    Ok(objects.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::port::{Cutout, Prediction};
    use limn_domain::Shape;

    /// Takes the left half of every box.
    struct Halves;

    impl Net for Halves {
        fn task(&self) -> TrainTask {
            TrainTask::Detection
        }

        fn categories(&self) -> usize {
            2
        }

        fn predict(&self, _: &[SmallPicture]) -> Result<Vec<Prediction>, EngineError> {
            Ok(Vec::new())
        }

        fn cuts_out(&self) -> bool {
            true
        }

        fn cut_out(&self, _: &SmallPicture, boxes: &[NetBox]) -> Result<Vec<Cutout>, EngineError> {
            let half = |b: &NetBox| Cutout::new(*b, 2, 1, &[1, 0]);
            Ok(boxes.iter().filter_map(half).collect())
        }
    }

    #[test]
    fn only_objects_that_are_sure_enough_are_cut_out() {
        let at = |category, x| NetBox {
            category,
            x,
            y: 0.0,
            width: 0.25,
            height: 0.5,
        };
        let picture = SmallPicture {
            width: 1,
            height: 1,
            rgb: vec![0; 3],
        };
        let all = [
            (at(0, 0.0), 0.9),
            (at(1, 0.25), 0.8),
            (at(0, 0.5), 0.75),
            (at(0, 0.75), 0.2),
        ];
        let said = found(&Halves, &picture, &all, (80, 40), &[Some(0.7), None], false).unwrap();
        let lefts: Vec<Option<f64>> = said
            .iter()
            .map(|f| f.shape.as_ref().and_then(Shape::bounds).map(|r| r.x))
            .collect();
        assert_eq!(lefts, [Some(0.0), None, Some(40.0), None]);
        let first = said[0].shape.as_ref().unwrap();
        assert!(matches!(first, Shape::Polygon { .. }));
        let bounds = first.bounds().unwrap();
        assert_eq!((bounds.w, bounds.h), (10.0, 20.0));
        assert_eq!((said[1].category, said[1].score), (1, 0.8));
    }
}
