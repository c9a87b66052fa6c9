//! Learning to find boxes, and proposing those it is sure of.

use super::Run;
use super::learn::Learned;
use super::look::{Looked, Seen};
use super::marks::{self, Found};
use super::networks::{self, Ask, Finds, Fitted};
use super::place::Said;
use crate::assist::port::{JudgedBoxes, JudgedPicture};
use crate::training::port::{Examples as _, NetBox, Prediction, TrainTask, Truth};
use crate::training::survey::boxed;
use limn_domain::annotation::Annotation;
use limn_domain::{CategoryId, Rect, Shape};
use limn_store::repo::assist::{AssistItem, AssistRow, ModelRow};
use std::sync::Arc;

/// Pictures that are looked through for boxes in one run, in the order of the queue; the others' turn comes as it goes on.
const LOOKED_THROUGH: usize = 3_000;
/// Pictures looked through at once.
const BATCH: usize = 64;
/// Boxes proposed for a picture.
pub(super) const BOXES_MAX: usize = 100;

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
        marks: "boxes",
        says: Arc::new(move |drawn: &[Annotation], size: (u32, u32)| {
            let boxes = drawn
                .iter()
                .filter_map(|a| boxed(&a.shape, size, *place.get(&a.category_id)?));
            Truth::Boxes(boxes.collect())
        }),
        has_any: |truth| !truth.boxes().is_empty(),
        judge: Box::new(move |engine, _, fitted, _| {
            Ok(engine.judge_boxes(&judged(categories, accuracy, fitted)))
        }),
    };
    networks::learn(run, row, looked, train, finds).await
}

fn judged(categories: Vec<CategoryId>, accuracy: f64, fitted: &Fitted) -> JudgedBoxes {
    let Fitted { net, train, valid } = fitted;
    let mut trained_boxes = vec![0; categories.len()];
    for n in 0..train.len() {
        for b in train.truth(n).boxes() {
            trained_boxes[b.category] += 1;
        }
    }
    let pictures = net.predictions.iter().take(valid.len()).enumerate();
    JudgedBoxes {
        pictures: pictures
            .map(|(n, said)| JudgedPicture {
                right: valid.truth(n).boxes().to_vec(),
                found: found(said).to_vec(),
            })
            .collect(),
        categories,
        trained_on: train.len() as i64,
        trained_boxes,
        worth: net.threshold.clone(),
        map50: net.figures.iter().find(|f| f.0 == "mAP50").map(|f| f.1),
        accuracy,
    }
}

/// The boxes that it found, the surest first.
pub(super) fn found(said: &Prediction) -> &[(NetBox, f32)] {
    match said {
        Prediction::Boxes(list) => list,
        Prediction::Categories(_) | Prediction::Pixels { .. } => &[],
    }
}

/// What the model says of the pictures that come next.
pub(super) async fn predict<'a>(
    run: &Run<'_>,
    todo: Vec<&'a Seen>,
    model: &ModelRow,
) -> anyhow::Result<(Vec<&'a Seen>, Vec<Said>)> {
    let asking = networks::Asking {
        task: TrainTask::Detection,
        most: LOOKED_THROUGH,
        batch: BATCH,
        doing: "Looking for objects",
    };
    let ask: Ask<Vec<(NetBox, f32)>> = Arc::new(|net, small, _| {
        let said = net.predict(small)?;
        Ok(said.iter().map(|s| found(s).to_vec()).collect())
    });
    let (todo, said) = networks::ask(run, todo, model, &asking, ask).await?;
    let all = todo
        .iter()
        .map(|s| {
            let found = said.get(&s.item.digest).map_or(&[][..], Vec::as_slice);
            told(run, model, &s.item, found)
        })
        .collect();
    Ok((todo, all))
}

/// The boxes of a picture that are sure enough, and how much the model is torn about it.
fn told(run: &Run<'_>, model: &ModelRow, item: &AssistItem, found: &[(NetBox, f32)]) -> Said {
    let boxes = found.iter().take(BOXES_MAX).map(|(b, score)| Found {
        category: b.category,
        score: *score,
        shape: rect(b, item).map(|rect| Shape::Box { rect }),
    });
    marks::told(run, model, boxes)
}

/// In image pixels, to a hundredth; `None` of what has no area.
fn rect(b: &NetBox, item: &AssistItem) -> Option<Rect> {
    let (w, h) = (item.width as f64, item.height as f64);
    let place = |share: f32, side: f64| ((f64::from(share) * side).clamp(0.0, side) * 100.0).round() / 100.0;
    let (x0, y0) = (place(b.x, w), place(b.y, h));
    let (x1, y1) = (place(b.x + b.width, w), place(b.y + b.height, h));
    let side = |low: f64, high: f64| ((high - low) * 100.0).round() / 100.0;
    let rect = Rect {
        x: x0,
        y: y0,
        w: side(x0, x1),
        h: side(y0, y1),
    };
    (rect.w >= 1.0 && rect.h >= 1.0).then_some(rect)
}
