//! The job that trains a network. Pictures are made small into one file on the disk, the mathematics runs on a thread of
//! its own behind [`Trainer`], and what it tells goes into the run as it comes. A checkpoint is written when all figures up to it
//! are durable, so that a training that was cut off goes on without a gap and without a figure twice.

mod draw;
pub(super) mod pack;
mod record;
mod results;

use crate::artifacts::{Artifacts, Owner};
use crate::runs::Runs;
use crate::training::port::{EngineError, Event, Examples, NetTraining, TrainedNet, Trainer};
use crate::training::survey::{self, Named, Part, Subject};
use crate::training::tuning::{self, Start};
use crate::{Actor, Context, Error, Result};
use anyhow::Context as _;
use futures::future::BoxFuture;
use limn_domain::dataset::{DatasetSummary, Version};
use limn_domain::job::JobState;
use limn_domain::run::{RunBatch, RunStatus, TAG_MAX};
use limn_domain::training::{NewTraining, file};
use limn_domain::{RunId, UserId, VersionId};
use limn_jobs::{Cancelled, Handler, Permanent, Progress};
use limn_store::repo;
use pack::Pack;
use record::Record;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often runs are looked for whose job ended without them.
pub(super) const EVERY: Duration = Duration::from_secs(2);
/// Events that wait to be written; a training that is faster waits.
const EVENTS: usize = 64;
/// Seconds that what a failed training left stays, for another try.
pub(crate) const LEFT_LIFE: u64 = 7 * 24 * 3600;
/// The tag that says why a run failed.
const ERROR_TAG: &str = "limn.error";
/// The tag that says what it was computed on.
pub(super) const DEVICE_TAG: &str = "limn.device";
/// Lower than everything that people wait for.
const NICE: i32 = 10;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub run: RunId,
    pub version: VersionId,
    /// With its number of steps.
    pub input: NewTraining,
    /// The registered model that what comes of it is a version of.
    pub model: Option<String>,
    pub user: Option<UserId>,
    pub user_name: String,
}

/// Runs it. Safe to run again: it goes on from its checkpoint.
pub(super) struct TrainingJob(pub Context);

#[async_trait::async_trait]
impl Handler for TrainingJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The training's settings cannot be read")?;
        let run = payload.run;
        match work(&self.0, payload, &progress).await {
            Ok(result) => Ok(Some(result)),
            Err(e) => {
                let e = super::for_people(e);
                // Whatever else ends it, such as the last of several attempts, is seen by [`settle`].
                if e.is::<Permanent>() {
                    closed(&self.0, run, RunStatus::Failed, &e.to_string()).await;
                } else if e.is::<Cancelled>() && was_cancelled(&self.0, &progress).await {
                    closed(&self.0, run, RunStatus::Killed, "").await;
                }
                Err(e)
            }
        }
    }
}

/// Whether a person wants it to end, and not the server.
async fn was_cancelled(ctx: &Context, progress: &Progress) -> bool {
    let asked = async { repo::job::get(&mut ctx.db.read().await?, progress.job_id()).await };
    matches!(asked.await, Ok(Some(job)) if job.cancel_requested)
}

/// What a training works with.
struct Work<'a> {
    ctx: &'a Context,
    progress: &'a Progress,
    payload: Payload,
    trainer: Arc<dyn Trainer>,
    /// In whose name it is logged.
    actor: Actor,
    version: Version,
    dataset: DatasetSummary,
    categories: Vec<Named>,
    /// The weights that it begins with, where it begins with any.
    start: Option<Start>,
    folder: PathBuf,
}

/// Pictures and truths of both parts.
struct Parts {
    train: Arc<Pack>,
    valid: Arc<Pack>,
}

async fn work(ctx: &Context, payload: Payload, progress: &Progress) -> anyhow::Result<serde_json::Value> {
    let trainer = ctx
        .trainer
        .clone()
        .ok_or_else(|| Permanent("This server runs without networks to train.".to_owned()))?;
    let run = payload.run;
    let mut tx = ctx.db.read().await?;
    let info = repo::run::get(&mut tx, run)
        .await?
        .filter(|r| r.deleted_at.is_none())
        .ok_or_else(|| Permanent("The run was deleted, or lies in the bin.".to_owned()))?;
    let gone = || Permanent("The version of the dataset was deleted.".to_owned());
    let version = repo::version::get(&mut tx, payload.version)
        .await?
        .ok_or_else(gone)?;
    let dataset = repo::dataset::get(&mut tx, version.dataset_id, None)
        .await?
        .ok_or_else(gone)?;
    let actor = actor(&mut tx, payload.user).await?;
    let (task, use_splits) = (payload.input.task, payload.input.use_splits);
    let mut work = Work {
        ctx,
        progress,
        trainer,
        actor,
        version,
        dataset,
        categories: Vec::new(),
        start: None,
        folder: folder(ctx, run),
        payload,
    };
    if info.status == RunStatus::Finished {
        // It was done, and the server stopped before that was noted.
        return work.result().await;
    }
    progress.report(0, 0, "Reading the labels").await?;
    let (subjects, categories) = survey::gather(&mut tx, &work.version, task, use_splits).await?;
    drop(tx);
    work.categories = categories;
    if let Some(name) = &work.payload.input.backbone {
        progress.report(0, 0, "Reading the weights").await?;
        let read = tuning::start(ctx, &work.trainer, &Actor::System, task, name).await;
        work.start = Some(read.map_err(unreadable)?);
    }
    ctx.db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                repo::training::go_on(tx, run).await?;
                repo::run::delete_tag(tx, run, ERROR_TAG).await?;
                Ok(())
            })
        })
        .await?;
    work.say_device().await?;
    let parts = work.pictures(subjects).await?;
    let net = work.train(&parts).await?;
    let result = work.results(&net, &parts).await?;
    drop(parts);
    remove(&work.folder).await;
    record::unshare(ctx, run).await;
    Ok(result)
}

/// What became of weights that could be read when the training was started.
fn unreadable(e: Error) -> anyhow::Error {
    match e {
        Error::Api(e) => Permanent(format!(
            "The weights to begin with cannot be read any more. {} Start another training.",
            e.message
        ))
        .into(),
        e => e.into(),
    }
}

/// Whoever asked for it, as long as they have an account; else Limn itself.
async fn actor(tx: &mut limn_store::Tx, user: Option<UserId>) -> Result<Actor> {
    let Some(id) = user else { return Ok(Actor::System) };
    let found = repo::user::get(tx, id).await?.filter(|u| !u.disabled);
    Ok(found.map_or(Actor::System, |u| {
        Actor::User(limn_domain::user::Me {
            id: u.id,
            email: u.email,
            name: u.name,
            role: u.role,
        })
    }))
}

impl Work<'_> {
    /// The longer side of the pictures that the network wants.
    fn side(&self) -> u32 {
        match &self.start {
            Some(start) => start.tuning.side,
            None => self.trainer.side(self.payload.input.task),
        }
    }

    async fn pictures(&self, subjects: Vec<Subject>) -> anyhow::Result<Parts> {
        let side = self.side();
        let (mut train, mut valid) = (Vec::new(), Vec::new());
        for s in subjects {
            match s.part {
                Part::Train => train.push(s),
                Part::Valid => valid.push(s),
                Part::Rest => {}
            }
        }
        let total = (train.len() + valid.len()) as i64;
        tokio::fs::create_dir_all(&self.folder).await?;
        let to = (self.ctx, self.progress);
        let file = |name: &str| {
            let path = self.folder.join(name);
            let mut how = std::fs::File::options();
            how.read(true).write(true).create(true).truncate(true);
            how.open(path).map_err(pack::disk)
        };
        let train = pack::make(to, file("train")?, train, side, (0, total)).await?;
        let done = train.len() as i64;
        let valid = pack::make(to, file("valid")?, valid, side, (done, total)).await?;
        if train.is_empty() {
            return Err(Permanent(
                "None of the pictures to learn from can be read; see the log of the job for the reasons."
                    .to_owned(),
            )
            .into());
        }
        Ok(Parts {
            train: Arc::new(train),
            valid: Arc::new(valid),
        })
    }

    /// Says with the run what it is computed on: for one that another process began, here, not there.
    async fn say_device(&self) -> anyhow::Result<()> {
        let name = device(&self.trainer).await?.map_err(failed)?;
        self.progress.log(computed_on(&name)).await?;
        let run = self.payload.run;
        self.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(
                    async move { Ok(repo::run::put_tags(tx, run, &[(DEVICE_TAG, name.as_str())]).await?) },
                )
            })
            .await?;
        Ok(())
    }

    /// Trains, from the checkpoint where there is one that can be read.
    async fn train(&self, parts: &Parts) -> anyhow::Result<TrainedNet> {
        let path = self.folder.join("checkpoint");
        record::obtain(self.ctx, self.payload.run, &path).await;
        let kept = record::read_checkpoint(&path, self.trainer.version()).await?;
        if let Some((step, state)) = kept {
            self.progress.log(format!("Goes on after step {step}.")).await?;
            match self.attempt(parts, Some(state), step).await? {
                Err((EngineError::Broken(why), false)) => {
                    self.progress
                        .log(format!("The checkpoint cannot be used ({why}); it begins anew."))
                        .await?;
                    remove(&path).await;
                }
                other => return ended(other),
            }
        }
        ended(self.attempt(parts, None, 0).await?)
    }

    /// One call of the trainer. An error says whether anything was learned before.
    async fn attempt(
        &self,
        parts: &Parts,
        resume: Option<Vec<u8>>,
        from: usize,
    ) -> anyhow::Result<std::result::Result<TrainedNet, (EngineError, bool)>> {
        let input = &self.payload.input;
        let steps = usize::try_from(input.steps.unwrap_or(1)).unwrap_or(1).max(1);
        let (tell, mut told) = mpsc::channel::<Event>(EVENTS);
        let (end, ended) = oneshot::channel();
        let (trainer, token) = (Arc::clone(&self.trainer), self.progress.token().clone());
        let (train, valid) = (Arc::clone(&parts.train), Arc::clone(&parts.valid));
        let (task, categories, seed) = (input.task, self.categories.len(), input.seed.cast_unsigned());
        let weights = self.start.as_ref().map(|s| s.weights.clone());
        std::thread::Builder::new()
            .name("limn-training".to_owned())
            .spawn(move || {
                yield_to_others();
                let (train, valid): (&dyn Examples, &dyn Examples) = (train.as_ref(), valid.as_ref());
                let training = NetTraining {
                    task,
                    categories,
                    train,
                    valid,
                    steps,
                    seed,
                    backbone: weights.as_deref(),
                    resume: resume.as_deref(),
                };
                let result = trainer.train(&training, &mut |event| {
                    if token.is_cancelled() || tell.blocking_send(event).is_err() {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                });
                drop(end.send(result));
            })
            .context("no thread for the training")?;
        let mut record = Record::open(self, steps, from).await?;
        let mut any = false;
        while let Some(event) = told.recv().await {
            any = true;
            record.take(event).await?;
        }
        record.flush().await?;
        // A thread that panicked drops its end.
        let result = ended.await.map_err(|_| {
            Permanent(
                "The training ran into a fault of the program. Report it with the server's log.".to_owned(),
            )
        })?;
        // A step of a backbone says nothing of how long others take.
        if let Some(micros) = record.step_micros().filter(|_| self.start.is_none()) {
            let run = self.payload.run;
            self.ctx
                .db
                .write::<_, Error, _>(move |tx| {
                    Box::pin(async move { Ok(repo::training::set_speed(tx, run, micros).await?) })
                })
                .await?;
        }
        Ok(result.map_err(|e| (e, any)))
    }
}

fn ended(result: std::result::Result<TrainedNet, (EngineError, bool)>) -> anyhow::Result<TrainedNet> {
    result.map_err(|(e, _)| failed(e))
}

fn failed(e: EngineError) -> anyhow::Error {
    match e {
        EngineError::Stopped => Cancelled.into(),
        EngineError::Refused(why) | EngineError::Broken(why) => Permanent(why).into(),
    }
}

/// What networks are computed on; an error of the trainer's where they cannot be.
pub(super) async fn device(
    trainer: &Arc<dyn Trainer>,
) -> anyhow::Result<std::result::Result<String, EngineError>> {
    let trainer = Arc::clone(trainer);
    tokio::task::spawn_blocking(move || trainer.device())
        .await
        .context("what networks are computed on was not found out")
}

/// A line for a log.
pub(super) fn computed_on(device: &str) -> String {
    format!("Computed on {device}.")
}

/// Lowers the priority of this thread and of those it starts, where the system can.
pub(super) fn yield_to_others() {
    #[cfg(unix)]
    if let Err(e) = rustix::process::nice(NICE) {
        tracing::debug!(error = %e, "a training keeps its priority");
    }
}

fn folder(ctx: &Context, run: RunId) -> PathBuf {
    ctx.trainings_dir().join(run.hex())
}

/// Removes a file or folder; what is not there is gone already.
async fn remove(path: &Path) {
    let gone = match tokio::fs::metadata(path).await {
        Ok(meta) if meta.is_dir() => tokio::fs::remove_dir_all(path).await,
        Ok(_) => tokio::fs::remove_file(path).await,
        Err(_) => Ok(()),
    };
    if let Err(e) = gone {
        tracing::warn!(path = %path.display(), error = %e, "what a training left cannot be removed");
    }
}

/// Ends a run that did not come to its end, with the log of its job.
async fn close(ctx: &Context, run: RunId, status: RunStatus, why: &str) -> Result<()> {
    let runs = Runs::new(ctx.clone());
    let folder = folder(ctx, run);
    if status == RunStatus::Failed {
        // The checkpoint stays for another try.
        for name in ["train", "valid"] {
            remove(&folder.join(name)).await;
        }
        let text: String = why.chars().take(TAG_MAX / 4).collect();
        let batch = RunBatch {
            tags: vec![(ERROR_TAG.to_owned(), text)],
            ..RunBatch::default()
        };
        runs.log(&Actor::System, run, batch).await?;
        let log = log_text(ctx, run, why).await?;
        Artifacts(ctx.clone())
            .put_bytes(&Actor::System, Owner::Run(run), file::LOG, log.into())
            .await?;
    } else {
        remove(&folder).await;
        record::unshare(ctx, run).await;
    }
    runs.finish(&Actor::System, run, status).await?;
    Ok(())
}

/// The same where nobody waits for it: what fails is tried again by [`settle`].
async fn closed(ctx: &Context, run: RunId, status: RunStatus, why: &str) {
    if let Err(e) = close(ctx, run, status, why).await {
        tracing::warn!(run = %run.hex(), error = %e, "the run of a training was not ended");
    }
}

/// The job's log as people read it.
async fn log_text(ctx: &Context, run: RunId, why: &str) -> Result<String> {
    let mut tx = ctx.db.read().await?;
    let mut text = String::new();
    let row = repo::training::of_run(&mut tx, run).await?;
    if let Some(job) = row.and_then(|r| r.job_id) {
        for line in repo::job::log_lines(&mut tx, job, 0, 10_000).await? {
            let _ = writeln!(text, "{}  {}", line.at.date_time(), line.message);
        }
    }
    if !why.is_empty() {
        let _ = writeln!(text, "{}  {why}", ctx.now().date_time());
    }
    Ok(text)
}

/// Ends runs whose job ended without them: cancelled before it began, cut off too often, gone with its dataset. And removes what
/// trainings left that nobody will go on with.
pub(super) fn settle(ctx: Context) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        if let Err(e) = settle_runs(&ctx).await {
            tracing::warn!(error = %e, "runs of ended trainings are not ended");
        }
        if let Err(e) = sweep(&ctx).await {
            tracing::warn!(error = %e, "what trainings left is not removed");
        }
    })
}

async fn settle_runs(ctx: &Context) -> Result<()> {
    let found = repo::training::orphans(&mut ctx.db.read().await?, 100).await?;
    for o in found {
        let (status, why) = match o.state {
            None => (
                RunStatus::Failed,
                "Its dataset was deleted in the middle of the training.".to_owned(),
            ),
            Some(JobState::Cancelled) => (RunStatus::Killed, String::new()),
            Some(JobState::Succeeded) => (RunStatus::Finished, String::new()),
            Some(_) => (RunStatus::Failed, o.error.unwrap_or_default()),
        };
        closed(ctx, o.run_id, status, &why).await;
    }
    Ok(())
}

/// Folders of runs that are gone or ended; those of failed ones after a while.
async fn sweep(ctx: &Context) -> Result<()> {
    let Ok(mut folders) = tokio::fs::read_dir(ctx.trainings_dir()).await else {
        return Ok(());
    };
    while let Some(entry) = folders.next_entry().await? {
        let name = entry.file_name();
        let Some(run) = name.to_str().and_then(|n| n.parse::<RunId>().ok()) else {
            continue;
        };
        let info = repo::run::get(&mut ctx.db.read().await?, run).await?;
        let old = async {
            let modified = entry.metadata().await.ok()?.modified().ok()?;
            Some(modified.elapsed().ok()?.as_secs() > LEFT_LIFE)
        };
        let left = match info.map(|i| i.status) {
            None | Some(RunStatus::Finished | RunStatus::Killed) => true,
            Some(RunStatus::Failed) => old.await.unwrap_or(false),
            Some(RunStatus::Running | RunStatus::Scheduled) => false,
        };
        if left {
            remove(&entry.path()).await;
        }
    }
    Ok(())
}
