//! Learning to find boxes, and proposing those it is sure of. The network is the one that trainings have, trained from nothing on what
//! people drew so far: a minute or two, behind whatever else wants to run.

use super::Run;
use super::learn::{Learned, kept};
use super::look::{self, Looked, Seen};
use super::marks::{self, Found};
use super::place::Said;
use crate::assist::port::{EngineError, JudgedBoxes, JudgedPicture, SmallPicture};
use crate::jobs::training::pack::{self, Pack};
use crate::jobs::training::yield_to_others;
use crate::training::port::{
    Event, Examples, Net, NetBox, NetTraining, Prediction, TrainTask, TrainedNet, Trainer, Truth,
};
use crate::training::survey::{Part, Subject, boxed};
use anyhow::Context as _;
use limn_domain::{CategoryId, Digest, ItemId, Rect, Shape, Source};
use limn_jobs::{Cancelled, Permanent};
use limn_store::repo::assist::{AssistItem, AssistRow, ModelRow};
use limn_store::{Json, repo};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{oneshot, watch};

/// Pictures that are looked through for boxes in one run, in the order of the queue; the others' turn comes as it goes on.
const LOOKED_THROUGH: usize = 3_000;
/// Pictures looked through at once.
const BATCH: usize = 64;
/// Labels read at once.
const PAGE: usize = 500;
/// Boxes proposed for a picture.
const BOXES_MAX: usize = 100;

pub(super) fn trainer(run: &Run<'_>) -> anyhow::Result<Arc<dyn Trainer>> {
    let found = run.ctx.trainer.clone();
    found.ok_or_else(|| Permanent("This server runs without networks to train.".to_owned()).into())
}

pub(super) async fn learn(
    run: &Run<'_>,
    row: &AssistRow,
    looked: &Looked,
    train: bool,
) -> anyhow::Result<Learned> {
    let trainer = trainer(run)?;
    let (mut learned, tries) = marks::before(run, row, trainer.version(), train).await?;
    let (learn_from, judge_by) = labeled(run, looked).await?;
    learned.holdout = judge_by.len();
    if !tries {
        return Ok(learned);
    }
    learned.tried = true;
    let with = |list: &[Subject]| list.iter().filter(|s| !boxes_of(&s.truth).is_empty()).count();
    if let Some(why) = marks::too_few(with(&learn_from), with(&judge_by), "pictures", "boxes") {
        learned.note = why;
        return Ok(learned);
    }
    match trained(run, trainer, learn_from, judge_by).await? {
        Ok(model) => {
            learned.model = Some(kept(run, model).await?);
            learned.note = String::new();
        }
        Err(why) => learned.note = why,
    }
    Ok(learned)
}

/// What people drew: pictures to learn from, and those of the holdout that nobody saw a proposal of.
async fn labeled(run: &Run<'_>, looked: &Looked) -> anyhow::Result<(Vec<Subject>, Vec<Subject>)> {
    let place: HashMap<CategoryId, usize> = run.categories.iter().enumerate().map(|(n, c)| (*c, n)).collect();
    let done = marks::labeled(looked);
    let (mut learn_from, mut judge_by) = (Vec::new(), Vec::new());
    for part in done.chunks(PAGE) {
        let ids: Vec<ItemId> = part.iter().map(|s| s.item.id).collect();
        let mut labels = repo::annotation::of_items(&mut run.ctx.db.read().await?, &ids).await?;
        for seen in part {
            let size = size(&seen.item);
            let drawn = labels.remove(&seen.item.id).unwrap_or_default();
            let boxes = drawn
                .iter()
                .filter(|a| a.source != Source::Prelabel)
                .filter_map(|a| boxed(&a.shape, size, *place.get(&a.category_id)?))
                .collect();
            let subject = Subject {
                path: seen.item.name.clone(),
                digest: seen.item.digest.clone(),
                width: size.0,
                height: size.1,
                part: if seen.holdout { Part::Valid } else { Part::Train },
                truth: Truth::Boxes(boxes),
            };
            if seen.holdout {
                judge_by.push(subject);
            } else {
                learn_from.push(subject);
            }
        }
    }
    Ok((learn_from, judge_by))
}

fn size(item: &AssistItem) -> (u32, u32) {
    let side = |v: i64| u32::try_from(v).unwrap_or(1).max(1);
    (side(item.width), side(item.height))
}

fn boxes_of(truth: &Truth) -> &[NetBox] {
    match truth {
        Truth::Boxes(boxes) => boxes,
        Truth::Categories(_) | Truth::Pixels(_) => &[],
    }
}

/// Trains and judges; the inner error says what is missing, in words.
async fn trained(
    run: &Run<'_>,
    trainer: Arc<dyn Trainer>,
    learn_from: Vec<Subject>,
    judge_by: Vec<Subject>,
) -> anyhow::Result<Result<ModelRow, String>> {
    let began = Instant::now();
    let side = trainer.side(TrainTask::Detection);
    let total = (learn_from.len() + judge_by.len()) as i64;
    let folder = run.ctx.trainings_dir();
    tokio::fs::create_dir_all(&folder).await?;
    // Without names: gone with the process, however that ends.
    let file = || tempfile::tempfile_in(&folder).map_err(pack::disk);
    let to = (run.ctx, run.progress);
    let train = pack::make(to, file()?, learn_from, side, (0, total)).await?;
    let valid = pack::make(to, file()?, judge_by, side, (train.len() as i64, total)).await?;
    if train.len() < 2 {
        return Ok(Err(
            "Too few of the labeled pictures can be read to learn from them.".to_owned(),
        ));
    }
    let (train, valid) = (Arc::new(train), Arc::new(valid));
    let version = trainer.version().to_owned();
    let net = match network(run, trainer, Arc::clone(&train), Arc::clone(&valid)).await? {
        Ok(net) => net,
        Err(EngineError::Stopped) => return Err(Cancelled.into()),
        Err(EngineError::Refused(why)) => return Ok(Err(why)),
        Err(EngineError::Broken(why)) => return Err(Permanent(why).into()),
    };
    let judged = judged(run, &net, &train, &valid);
    let (thresholds, figures) = run
        .on_thread(move |engine, _| Ok(engine.judge_boxes(&judged)))
        .await?
        .map_err(Permanent)?;
    Ok(Ok(ModelRow {
        version: 0,
        encoder_key: version,
        categories: Json(run.categories.clone()),
        thresholds: Json(thresholds),
        head: net.model,
        figures: Json(figures),
        labels: total,
        millis: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        trained_at: run.ctx.now(),
        registered: None,
    }))
}

/// The training itself, on a thread of its own.
async fn network(
    run: &Run<'_>,
    trainer: Arc<dyn Trainer>,
    train: Arc<Pack>,
    valid: Arc<Pack>,
) -> anyhow::Result<Result<TrainedNet, EngineError>> {
    let steps = trainer.steps(TrainTask::Detection, train.len());
    let (tell, mut told) = watch::channel(0_usize);
    let (end, mut ended) = oneshot::channel();
    let (stop, categories, pictures) = (run.stop(), run.categories.len(), train.len());
    std::thread::Builder::new()
        .name("limn-assist".to_owned())
        .spawn(move || {
            yield_to_others();
            let training = NetTraining {
                task: TrainTask::Detection,
                categories,
                train: train.as_ref(),
                valid: valid.as_ref(),
                steps,
                seed: 1,
                resume: None,
            };
            let result = trainer.train(&training, &mut |event| {
                if let Event::Step { step, .. } = event {
                    tell.send_replace(step);
                }
                if stop() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            drop(end.send(result));
        })
        .context("no thread for the training")?;
    loop {
        tokio::select! {
            // A thread that panicked drops its end.
            result = &mut ended => return result.context("the model's thread gave up"),
            Ok(()) = told.changed() => {
                let step = *told.borrow_and_update();
                let note = format!("Learning from {pictures} pictures");
                run.progress.report(step as i64, steps as i64, note).await?;
            }
        }
    }
}

fn judged(run: &Run<'_>, net: &TrainedNet, train: &Pack, valid: &Pack) -> JudgedBoxes {
    let mut trained_boxes = vec![0; run.categories.len()];
    for n in 0..train.len() {
        for b in boxes_of(train.truth(n)) {
            trained_boxes[b.category] += 1;
        }
    }
    let pictures = net.predictions.iter().take(valid.len()).enumerate();
    JudgedBoxes {
        pictures: pictures
            .map(|(n, said)| JudgedPicture {
                right: boxes_of(valid.truth(n)).to_vec(),
                found: found(said).to_vec(),
            })
            .collect(),
        categories: run.categories.clone(),
        trained_on: train.len() as i64,
        trained_boxes,
        worth: net.threshold.clone(),
        map50: net.figures.iter().find(|f| f.0 == "mAP50").map(|f| f.1),
        accuracy: run.settings.accuracy,
    }
}

fn found(said: &Prediction) -> &[(NetBox, f32)] {
    match said {
        Prediction::Boxes(list) => list,
        Prediction::Categories(_) | Prediction::Pixels { .. } => &[],
    }
}

/// What the model says of the pictures that come next.
pub(super) async fn predict<'a>(
    run: &Run<'_>,
    mut todo: Vec<&'a Seen>,
    model: &ModelRow,
) -> anyhow::Result<(Vec<&'a Seen>, Vec<Said>)> {
    todo.sort_by_key(|s| s.item.queue_rank);
    todo.truncate(LOOKED_THROUGH);
    let trainer = trainer(run)?;
    let side = trainer.side(TrainTask::Detection);
    let head = model.head.clone();
    let net: Arc<dyn Net> = run
        .on_thread(move |_, _| trainer.load(&head))
        .await?
        .map_err(Permanent)?
        .into();
    let of: HashMap<Digest, AssistItem> = todo
        .iter()
        .map(|s| (s.item.digest.clone(), s.item.clone()))
        .collect();
    let mut said: HashMap<Digest, Vec<(NetBox, f32)>> = HashMap::with_capacity(of.len());
    let digests: Vec<Digest> = of.keys().cloned().collect();
    for part in digests.chunks(BATCH) {
        run.progress
            .report(said.len() as i64, of.len() as i64, "Looking for objects")
            .await?;
        let (read, _) = look::pictures(run, part, &of, side).await?;
        let (names, small): (Vec<Digest>, Vec<SmallPicture>) = read.into_iter().unzip();
        let net = Arc::clone(&net);
        let answers = run
            .on_thread(move |_, _| {
                yield_to_others();
                net.predict(&small)
            })
            .await?
            .map_err(Permanent)?;
        for (digest, answer) in names.into_iter().zip(answers) {
            said.insert(digest, found(&answer).to_vec());
        }
    }
    let none = Vec::new();
    let all = todo
        .iter()
        .map(|s| told(run, model, &s.item, said.get(&s.item.digest).unwrap_or(&none)))
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
