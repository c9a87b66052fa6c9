//! What assists that find boxes, those that cut objects out, and those that paint masks have in common: their networks are those that trainings have, trained from nothing on what
//! people drew so far; a minute or two, behind whatever else wants to run.

use super::Run;
use super::learn::{Learned, kept, noted};
use super::look::{self, Looked, Seen};
use super::marks;
use crate::assist::port::{Engine, EngineError, SmallPicture, StopCheck};
use crate::jobs::training::pack::{self, Pack};
use crate::jobs::training::{computed_on, device, yield_to_others};
use crate::training::port::{
    Event, Examples as _, Net, NetTraining, TrainTask, TrainedNet, Trainer, Truth, for_assist,
};
use crate::training::survey::{Part, Subject};
use anyhow::Context as _;
use limn_domain::annotation::Annotation;
use limn_domain::assist::Figures;
use limn_domain::{Digest, ItemId, Source};
use limn_jobs::{Cancelled, Permanent};
use limn_store::repo::assist::{AssistItem, AssistRow, ModelRow};
use limn_store::{Json, repo};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{oneshot, watch};

/// Items whose labels are read at once: masks are long.
const PAGE: usize = 100;

/// What people's labels of a picture of this size, in pixels, teach.
pub(super) type Says = Arc<dyn Fn(&[Annotation], (u32, u32)) -> Truth + Send + Sync>;
/// From which confidence on marks of each category are proposed, and how good that is. What is left to learn once there is a network is
/// learned before.
pub(super) type Judge = Box<
    dyn FnOnce(
            &dyn Engine,
            &dyn Trainer,
            &mut Fitted,
            &StopCheck,
        ) -> Result<(Vec<Option<f32>>, Figures), EngineError>
        + Send,
>;
/// What a network says of pictures made small, beside the sizes that they have: one answer each, in order.
pub(super) type Ask<T> =
    Arc<dyn Fn(&dyn Net, &[SmallPicture], &[(u32, u32)]) -> Result<Vec<T>, EngineError> + Send + Sync>;

/// What is found, and how.
pub(super) struct Finds {
    pub task: TrainTask,
    /// In words, such as `boxes`.
    pub marks: &'static str,
    pub says: Says,
    /// Whether a picture has any.
    pub has_any: fn(&Truth) -> bool,
    pub judge: Judge,
}

/// A network, with the pictures that it learned from and those that it is judged by.
pub(super) struct Fitted {
    pub net: TrainedNet,
    pub train: Arc<Pack>,
    pub valid: Arc<Pack>,
}

fn trainer(run: &Run<'_>) -> anyhow::Result<Arc<dyn Trainer>> {
    let found = run.ctx.trainer.clone();
    found.ok_or_else(|| Permanent("This server runs without networks to train.".to_owned()).into())
}

pub(super) async fn learn(
    run: &Run<'_>,
    row: &AssistRow,
    looked: &Looked,
    train: bool,
    finds: Finds,
) -> anyhow::Result<Learned> {
    let trainer = trainer(run)?;
    let (mut learned, tries) = marks::before(run, row, trainer.version(), train).await?;
    learned.holdout = marks::held(looked);
    if !tries {
        return Ok(learned);
    }
    learned.tried = true;
    let (learn_from, judge_by) = labeled(run, looked, &finds.says).await?;
    let with = |list: &[Subject]| list.iter().filter(|s| (finds.has_any)(&s.truth)).count();
    if let Some(why) = marks::too_few(with(&learn_from), with(&judge_by), "pictures", finds.marks) {
        learned.note = why;
        return Ok(learned);
    }
    // Whoever labels has nothing proposed yet: something of use soon, and what is as good as it gets right after it.
    let first = match learned.model {
        None => trainer.first_steps(finds.task, learn_from.len()),
        Some(_) => None,
    };
    match trained(run, trainer, (learn_from, judge_by), finds, first).await? {
        Ok(model) => {
            learned.is_first = first.is_some();
            learned.model = Some(if learned.is_first {
                noted(run, model).await?
            } else {
                kept(run, model).await?
            });
            learned.note = String::new();
        }
        Err(why) => learned.note = why,
    }
    Ok(learned)
}

/// What people drew: pictures to learn from, and those of the holdout that nobody saw a proposal of.
async fn labeled(
    run: &Run<'_>,
    looked: &Looked,
    says: &Says,
) -> anyhow::Result<(Vec<Subject>, Vec<Subject>)> {
    let done = marks::labeled(looked);
    let (mut learn_from, mut judge_by) = (Vec::new(), Vec::new());
    for part in done.chunks(PAGE) {
        run.progress.check()?;
        let ids: Vec<ItemId> = part.iter().map(|s| s.item.id).collect();
        let mut labels = repo::annotation::of_items(&mut run.ctx.db.read().await?, &ids).await?;
        let drawn: Vec<(Vec<Annotation>, (u32, u32))> = part
            .iter()
            .map(|seen| {
                let mut own = labels.remove(&seen.item.id).unwrap_or_default();
                own.retain(|a| a.source != Source::Prelabel);
                (own, size(&seen.item))
            })
            .collect();
        let says = Arc::clone(says);
        // Masks are drawn at another size here, which takes its time.
        let truths = tokio::task::spawn_blocking(move || {
            let all = drawn.iter().map(|(own, size)| says(own, *size));
            all.collect::<Vec<Truth>>()
        })
        .await
        .context("what people drew cannot be read")?;
        for (seen, truth) in part.iter().zip(truths) {
            let (width, height) = size(&seen.item);
            let subject = Subject {
                path: seen.item.name.clone(),
                digest: seen.item.digest.clone(),
                width,
                height,
                part: if seen.holdout { Part::Valid } else { Part::Train },
                truth,
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

/// Trains, so many steps where it is a first, short training, and judges; the inner error says what is missing, in words.
async fn trained(
    run: &Run<'_>,
    trainer: Arc<dyn Trainer>,
    (learn_from, judge_by): (Vec<Subject>, Vec<Subject>),
    finds: Finds,
    first: Option<usize>,
) -> anyhow::Result<Result<ModelRow, String>> {
    let began = Instant::now();
    let Finds { task, judge, .. } = finds;
    let side = trainer.side(task);
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
    let steps = first.unwrap_or_else(|| for_assist(task, trainer.steps(task, train.len())));
    let pictures = (Arc::clone(&train), Arc::clone(&valid));
    let net = match network(run, &trainer, (task, steps), pictures).await? {
        Ok(net) => net,
        Err(EngineError::Stopped) => return Err(Cancelled.into()),
        Err(EngineError::Refused(why)) => return Ok(Err(why)),
        Err(EngineError::Broken(why)) => return Err(Permanent(why).into()),
    };
    run.progress.report(0, 0, "Measuring what it has learned").await?;
    let version = trainer.version().to_owned();
    let mut fitted = Fitted { net, train, valid };
    let (head, (thresholds, figures)) = run
        .on_thread(move |engine, stop| {
            yield_to_others();
            let judged = judge(engine, trainer.as_ref(), &mut fitted, stop)?;
            Ok((fitted.net.model, judged))
        })
        .await?
        .map_err(Permanent)?;
    Ok(Ok(ModelRow {
        version: 0,
        encoder_key: version,
        categories: Json(run.categories.clone()),
        thresholds: Json(thresholds),
        head,
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
    trainer: &Arc<dyn Trainer>,
    (task, steps): (TrainTask, usize),
    (train, valid): (Arc<Pack>, Arc<Pack>),
) -> anyhow::Result<Result<TrainedNet, EngineError>> {
    match device(trainer).await? {
        Ok(name) => run.progress.log(computed_on(&name)).await?,
        Err(e) => return Ok(Err(e)),
    }
    let (tell, mut told) = watch::channel(0_usize);
    let (end, mut ended) = oneshot::channel();
    let (stop, categories, pictures) = (run.stop(), run.categories.len(), train.len());
    let trainer = Arc::clone(trainer);
    std::thread::Builder::new()
        .name("limn-assist".to_owned())
        .spawn(move || {
            yield_to_others();
            let training = NetTraining {
                task,
                categories,
                train: train.as_ref(),
                valid: valid.as_ref(),
                steps,
                seed: 1,
                backbone: None,
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

/// How pictures are looked through.
pub(super) struct Asking {
    pub task: TrainTask,
    /// Pictures in one run, in the order of the queue.
    pub most: usize,
    /// Pictures at once.
    pub batch: usize,
    /// In words, while it is going on.
    pub doing: &'static str,
}

/// Asks the model about the pictures that come next; the answers are by their content. Pictures that cannot be read have none.
pub(super) async fn ask<'a, T: Send + 'static>(
    run: &Run<'_>,
    mut todo: Vec<&'a Seen>,
    model: &ModelRow,
    how: &Asking,
    ask: Ask<T>,
) -> anyhow::Result<(Vec<&'a Seen>, HashMap<Digest, T>)> {
    todo.sort_by_key(|s| s.item.queue_rank);
    todo.truncate(how.most);
    let trainer = trainer(run)?;
    let side = trainer.side(how.task);
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
    let mut said: HashMap<Digest, T> = HashMap::with_capacity(of.len());
    let digests: Vec<Digest> = of.keys().cloned().collect();
    for part in digests.chunks(how.batch) {
        run.progress
            .report(said.len() as i64, of.len() as i64, how.doing)
            .await?;
        let (read, _) = look::pictures(run, part, &of, side).await?;
        let (names, small): (Vec<Digest>, Vec<SmallPicture>) = read.into_iter().unzip();
        let sizes: Vec<(u32, u32)> = names
            .iter()
            .map(|digest| of.get(digest).map_or((1, 1), size))
            .collect();
        let (net, ask) = (Arc::clone(&net), Arc::clone(&ask));
        let answers = run
            .on_thread(move |_, _| {
                yield_to_others();
                ask(net.as_ref(), &small, &sizes)
            })
            .await?
            .map_err(Permanent)?;
        said.extend(names.into_iter().zip(answers));
    }
    Ok((todo, said))
}
