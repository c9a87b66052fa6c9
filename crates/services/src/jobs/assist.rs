//! The job that looks at a project's pictures, learns from its labels, proposes, and puts the queue in order.
//!
//! Whatever it finds out is kept as it goes, so that a run that was cut off goes on where it stopped. The work itself runs on
//! a thread of its own, never on those that answer requests.

mod boxes;
mod instances;
mod keep;
mod learn;
mod look;
mod marks;
mod masks;
mod networks;
mod place;
mod spans;

pub(crate) use look::small_picture;

use self::learn::Learned;
use self::look::Looked;
use self::place::Placed;
use crate::assist::port::{Engine, EngineError, StopCheck};
use crate::{Context, Error, assist};
use anyhow::Context as _;
use futures::future::BoxFuture;
use limn_domain::assist::{
    AssistSettings, Retrain, can_assist, finds_boxes, finds_instances, finds_masks, finds_spans, network_of,
};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::{CategoryId, Digest, ProjectId};
use limn_jobs::{Cancelled, Handler, Permanent, Progress};
use limn_store::repo;
use limn_store::repo::assist::{AssistRow, Due};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How often the schedules are looked at.
pub(super) const EVERY: Duration = Duration::from_secs(2);
/// Seconds between two runs for new pictures alone, and after a run that failed.
const NEW_PICTURES: i64 = 20;
/// The same once there is a model that finds boxes, outlines, masks or spans: it looks through thousands of items every time.
const NEW_PICTURES_NETWORK: i64 = 300;
const NEW_DOCUMENTS_SPANS: i64 = 60;
const AFTER_FAILURE: i64 = 600;
/// Share of the pictures that is never trained on, in percent.
const HOLDOUT: u64 = 20;
/// Labels of the holdout that suffice; beyond them its other pictures may have proposals too. A picture has many boxes or masks, a document
/// many spans.
const HOLDOUT_ENOUGH: usize = 100;
const HOLDOUT_ENOUGH_NETWORK: usize = 40;
const HOLDOUT_ENOUGH_SPANS: usize = 40;
/// Networks are trained anew after new labels of at least one of this many so far: a training takes minutes.
const SHARE_NETWORK: i64 = 4;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub project: ProjectId,
    /// Whether to train, or only to look at new pictures and put the queue in order.
    pub train: bool,
}

/// Runs it.
pub(super) struct AssistJob(pub Context);

#[async_trait::async_trait]
impl Handler for AssistJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The assist's settings cannot be read")?;
        run(&self.0, payload, &progress).await.map_err(super::for_people)
    }
}

/// What a run works with.
struct Run<'a> {
    ctx: &'a Context,
    engine: Arc<dyn Engine>,
    project: ProjectId,
    task: Task,
    settings: AssistSettings,
    /// Whether the queue's own order is shuffled.
    shuffle: bool,
    /// Those of the project, in the order of their export ids.
    categories: Vec<CategoryId>,
    /// The category above those that have one.
    above: HashMap<CategoryId, CategoryId>,
    progress: &'a Progress,
    /// Of the project's runs, from 1.
    number: i64,
}

async fn run(
    ctx: &Context,
    payload: Payload,
    progress: &Progress,
) -> anyhow::Result<Option<serde_json::Value>> {
    let project = payload.project;
    let gone = || Permanent("The project was deleted.".to_owned());
    let engine = ctx
        .engine
        .clone()
        .ok_or_else(|| Permanent("This server runs without models.".to_owned()))?;
    let mut tx = ctx.db.read().await?;
    let found = repo::project::get(&mut tx, project, None)
        .await?
        .ok_or_else(gone)?;
    let row = repo::assist::get(&mut tx, project).await?.ok_or_else(gone)?;
    let categories = repo::transfer::categories(&mut tx, project).await?;
    let counts = repo::item::counter::progress(&mut tx, project).await?;
    drop(tx);
    let number = ctx
        .db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::assist::begin_run(tx, project).await?) })
        })
        .await?
        .ok_or_else(gone)?;
    let run = Run {
        ctx,
        engine,
        project,
        task: found.summary.task,
        shuffle: found.settings.shuffle,
        above: categories
            .iter()
            .filter_map(|c| Some((c.id, c.parent_id?)))
            .collect(),
        categories: categories.into_iter().map(|c| c.id).collect(),
        settings: row.settings.0.clone(),
        progress,
        number,
    };
    if !run.settings.enabled || !can_assist(run.task) {
        place::withdraw(&run).await?;
        return Ok(None);
    }
    // The setting may have changed while the job waited.
    let train = payload.train && run.settings.retrain != Retrain::Never;
    let (mut looked, mut learned, mut placed) = round(&run, &row, train).await?;
    let mut fresh = looked.fresh;
    if learned.is_first {
        // What was labeled meanwhile teaches too.
        (looked, learned, placed) = round(&run, &row, true).await?;
        fresh += looked.fresh;
    }
    let (total, note) = (counts.total, learned.note.clone());
    let trained_done = learned.tried.then_some(learned.done);
    let now = ctx.now();
    ctx.db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                Ok(repo::assist::note_run(tx, project, total, trained_done, &note, now).await?)
            })
        })
        .await?;
    Ok(Some(serde_json::json!({
        "pictures": looked.items.len(),
        "new_pictures": fresh,
        "model": learned.model.as_ref().map(|m| m.version),
        "prelabeled": placed.prelabeled,
        "ordered": placed.ordered,
    })))
}

/// Looks, learns where it is to, proposes and orders.
async fn round(run: &Run<'_>, row: &AssistRow, train: bool) -> anyhow::Result<(Looked, Learned, Placed)> {
    let looked = look::look(run, row).await?;
    let learned = if finds_boxes(run.task) {
        boxes::learn(run, row, &looked, train).await?
    } else if finds_instances(run.task) {
        instances::learn(run, row, &looked, train).await?
    } else if finds_masks(run.task) {
        masks::learn(run, row, &looked, train).await?
    } else if finds_spans(run.task) {
        spans::learn(run, row, &looked, train).await?
    } else {
        learn::learn(run, row, &looked, train).await?
    };
    let model = learned.model.as_ref();
    let placed = place::place(run, &looked, model, (learned.holdout, learned.done)).await?;
    Ok((looked, learned, placed))
}

/// Whether a picture is of the holdout; the same for the same content, whatever else there is.
pub(super) fn is_holdout(digest: &Digest) -> bool {
    // The digest is as good as random already.
    u64::from_str_radix(&digest.as_str()[..12], 16).is_ok_and(|n| n % 100 < HOLDOUT)
}

/// New labels after which a model is trained anew, after one that had so many.
fn labels_between(task: Task, every: i64, labels: i64) -> i64 {
    if network_of(task).is_some() {
        every.max(labels / SHARE_NETWORK)
    } else {
        every
    }
}

impl Run<'_> {
    /// For each of a list of categories the nearest above it that is in the list, by its place there.
    fn parents(&self, list: &[CategoryId]) -> Vec<Option<usize>> {
        let place: HashMap<CategoryId, usize> = list.iter().enumerate().map(|(n, c)| (*c, n)).collect();
        let nearest = |c: &CategoryId| {
            let mut at = self.above.get(c);
            for _ in 0..limn_domain::category::MAX_LEVELS {
                match at.map(|a| place.get(a)) {
                    Some(Some(n)) => return Some(*n),
                    Some(None) => at = at.and_then(|a| self.above.get(a)),
                    None => return None,
                }
            }
            None
        };
        list.iter().map(nearest).collect()
    }

    /// Where each category of the project stands.
    fn places(&self) -> HashMap<CategoryId, usize> {
        self.categories.iter().enumerate().map(|(n, c)| (*c, n)).collect()
    }

    /// Labels of the holdout that suffice.
    fn holdout_enough(&self) -> usize {
        if network_of(self.task).is_some() {
            HOLDOUT_ENOUGH_NETWORK
        } else if finds_spans(self.task) {
            HOLDOUT_ENOUGH_SPANS
        } else {
            HOLDOUT_ENOUGH
        }
    }

    fn stop(&self) -> StopCheck {
        let token = self.progress.token().clone();
        Arc::new(move || token.is_cancelled())
    }

    /// Runs work of the engine on a thread of its own.
    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Engine, &StopCheck) -> Result<T, EngineError> + Send + 'static,
    ) -> anyhow::Result<Result<T, String>> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let (engine, stop) = (Arc::clone(&self.engine), self.stop());
        std::thread::Builder::new()
            .name("limn-assist".to_owned())
            .spawn(move || drop(tell.send(work(engine.as_ref(), &stop))))
            .context("no thread for the model")?;
        // A thread that panicked drops its end.
        match told.await.context("the model's thread gave up")? {
            Ok(done) => Ok(Ok(done)),
            Err(EngineError::Stopped) => Err(Cancelled.into()),
            Err(EngineError::Refused(why)) => Ok(Err(why)),
            Err(EngineError::Broken(why)) => Err(Permanent(why).into()),
        }
    }
}

/// Queues runs for projects with enough new labels, or with new pictures. Cheap: a row a project.
pub(super) fn schedule(ctx: Context) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        if ctx.engine.is_none() {
            return;
        }
        if let Err(e) = look_round(&ctx).await {
            tracing::warn!(error = %e, "the assists' schedules cannot be read");
        }
    })
}

async fn look_round(ctx: &Context) -> Result<(), Error> {
    let now = ctx.now();
    let due: Vec<Due> = repo::assist::enabled(&mut ctx.db.read().await?).await?;
    for d in due {
        let settings = &d.settings.0;
        let enough = labels_between(d.task, settings.every, d.trained_done);
        let labels = (d.done - d.trained_done).abs() >= enough;
        let train = settings.retrain == Retrain::Schedule && labels;
        let pause = if d.trained_done == 0 {
            NEW_PICTURES
        } else if network_of(d.task).is_some() {
            NEW_PICTURES_NETWORK
        } else if finds_spans(d.task) {
            NEW_DOCUMENTS_SPANS
        } else {
            NEW_PICTURES
        };
        let waited = now.0 - d.run_at.0 >= pause * limn_domain::Timestamp::SECOND;
        if !(train || d.total != d.run_total && waited) {
            continue;
        }
        let project = d.project_id;
        ctx.db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let row = repo::assist::get(tx, project).await?;
                    if let Some(id) = row.and_then(|r| r.job_id)
                        && let Some(job) = repo::job::get(tx, id).await?
                    {
                        let failed = job.state == JobState::Failed
                            && job.finished_at.is_some_and(|at| {
                                now.0 - at.0 < AFTER_FAILURE * limn_domain::Timestamp::SECOND
                            });
                        if failed || !job.state.is_final() {
                            return Ok(());
                        }
                    }
                    if let Some((name, task)) = repo::transfer::title(tx, project).await? {
                        assist::enqueue(tx, project, (&name, task), None, train, now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        ctx.jobs.wake();
    }
    Ok(())
}
