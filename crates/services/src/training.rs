//! Trainings: a network learns from a version of a dataset, as a run of an experiment, and what comes of it becomes a
//! version of a registered model.

pub(crate) mod areas;
pub(crate) mod outlines;
pub mod port;
mod predict;
pub(crate) mod survey;
pub(crate) mod tuning;

use crate::authz::require;
use crate::jobs::training::Payload;
use crate::jobs::{kind, queue};
use crate::versions::visible;
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::assist::Backbone;
use limn_domain::dataset::{DatasetSummary, Version, Visibility};
use limn_domain::run::{CONTEXT_TAG, ExperimentId, NAME_TAG, PARAM_MAX, RunInput, RunStatus};
use limn_domain::training::{
    NewTraining, PICTURES_MIN, Parts, RunTraining, STEPS_MAX, TaskOffer, TrainTask, Training, TrainingOffer,
    TrainingReport, file,
};
use limn_domain::{Action, Code, Digest, RunId, VersionId, model};
use limn_jobs::NewJob;
use limn_store::repo::training::TrainingRow;
use limn_store::{Tx, repo};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use survey::{Part, Survey};

/// Times a training is taken up again after the server stopped in the middle of it: each goes on from a checkpoint.
const ATTEMPTS: i64 = 20;
/// Backbones that are offered.
const BACKBONES: i64 = 200;
/// Surveys held.
const SURVEYS: usize = 64;
/// Bytes of a report's file that are read.
const REPORT_MAX: i64 = 8 << 20;
/// Bytes of pictures that lie on the disk during a training.
pub(crate) const BYTES_MAX: u64 = 8 << 30;

#[derive(Clone)]
pub struct Trainings {
    ctx: Context,
    /// What versions, which never change, hold; by digest.
    surveys: Arc<Mutex<HashMap<Digest, Arc<Survey>>>>,
    nets: predict::Nets,
}

impl Trainings {
    pub(crate) fn new(ctx: Context) -> Self {
        Self {
            ctx,
            surveys: Arc::default(),
            nets: predict::Nets::default(),
        }
    }

    /// What a version can be trained for, and why not for the rest.
    pub async fn offer(&self, actor: &Actor, version: VersionId) -> Result<TrainingOffer> {
        let mut tx = self.ctx.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let dataset = crate::datasets::visible(&mut tx, actor, found.dataset_id).await?;
        let survey = self.survey(&mut tx, &dataset, &found).await?;
        let mut tasks = Vec::new();
        for task in TrainTask::ALL {
            let of = survey.of(task);
            let parts = of.parts(true);
            let (examples, trainer) = (count(parts.train), self.ctx.trainer.as_ref());
            let steps = trainer.map_or(0, |t| t.steps(task, examples));
            let tuning_steps = trainer
                .filter(|_| task.takes_backbone())
                .map(|t| wished(t.tuning_steps(examples)));
            let refusal = self.refusal(&survey, task, &found, &parts);
            tasks.push(TaskOffer {
                task,
                refusal,
                pictures: of.pictures(),
                labels: of.labels,
                categories: of.categories,
                parts_without_splits: of.parts(false),
                parts,
                steps: wished(steps),
                backbone_steps: tuning_steps,
                seconds_per_step: repo::training::speed(&mut tx, task)
                    .await?
                    .map(|micros| micros as f64 / 1e6),
                experiment: dataset.name.clone(),
                model: model_name(&dataset.name, task),
            });
        }
        // What the registry holds is for those who may look into it.
        let backbones = if require(actor, Action::ViewRuns).is_ok() && self.ctx.trainer.is_some() {
            let found = repo::training::backbones(&mut tx, BACKBONES).await?;
            let named = |(model, version)| Backbone { model, version }.to_string();
            found.into_iter().map(named).collect()
        } else {
            Vec::new()
        };
        Ok(TrainingOffer {
            version_id: version,
            dataset: dataset.name,
            visibility: dataset.visibility,
            number: found.number,
            has_splits: found.counts.splits[1] > 0,
            tasks,
            backbones,
        })
    }

    /// Starts a training: the run is there at once, a job fills it. Errors: `InvalidInput` with the field `task` when the version
    /// has not what it takes, with the field `backbone` when it cannot begin with that one, `WrongState` when the experiment lies in the bin,
    /// `Unavailable` on servers without networks.
    pub async fn start(&self, actor: &Actor, version: VersionId, input: NewTraining) -> Result<Training> {
        let mut tx = self.ctx.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        require(actor, Action::LogRuns)?;
        let dataset = crate::datasets::visible(&mut tx, actor, found.dataset_id).await?;
        if input.steps.is_some_and(|s| !(1..=STEPS_MAX).contains(&s)) {
            let why = format!("A training makes 1 to {STEPS_MAX} steps; leave it out for as many as suit.");
            return Err(Error::field("steps", why));
        }
        let named = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
        let model = match (input.register, named(&input.model)) {
            (false, _) => None,
            (true, Some(name)) => Some(name),
            (true, None) => Some(model_name(&dataset.name, input.task)),
        };
        if let Some(name) = &model {
            model::check_name(name).map_err(|e| Error::field("model", e))?;
        }
        let survey = self.survey(&mut tx, &dataset, &found).await?;
        drop(tx);
        let of = survey.of(input.task);
        let parts = of.parts(input.use_splits);
        if let Some(why) = self.refusal(&survey, input.task, &found, &parts) {
            // A server without networks is no fault of the version.
            return Err(match self.ctx.trainer {
                None if of.pictures() >= PICTURES_MIN => Error::new(Code::Unavailable, why),
                _ => Error::field("task", why),
            });
        }
        let trainer = self.ctx.trainer.as_ref().ok_or_else(no_trainer)?;
        let start = match named(&input.backbone) {
            Some(name) => {
                let read = tuning::start(&self.ctx, trainer, actor, input.task, &name).await;
                Some(read.map_err(|e| Error::field("backbone", e.into_api().message))?)
            }
            None => None,
        };
        if let Some(start) = &start
            && let Some(why) = survey.refusal(input.task, found.number, &parts, Some(start.tuning.side))
        {
            return Err(Error::field("task", why));
        }
        let suits = match &start {
            Some(_) => trainer.tuning_steps(count(parts.train)),
            None => trainer.steps(input.task, count(parts.train)),
        };
        let steps = input.steps.unwrap_or_else(|| wished(suits).max(1));
        let experiment = named(&input.experiment).unwrap_or_else(|| dataset.name.clone());
        let experiment = crate::experiments::Experiments(self.ctx.clone())
            .ensure(actor, &experiment)
            .await
            .map_err(|e| match e {
                Error::Api(e) if e.fields.iter().any(|f| f.field == "name") => {
                    Error::field("experiment", e.message)
                }
                e => e,
            })?;
        let own = match &start {
            Some(start) => start.tuning.parameters.clone(),
            None => trainer.parameters(input.task),
        };
        let mut params: BTreeMap<String, String> = own.into_iter().collect();
        if let Some(start) = &start {
            params.insert("backbone".to_owned(), start.name.clone());
            params.insert("backbone_digest".to_owned(), start.digest.to_string());
        }
        params.extend(parameters(&input, &found, &dataset, of, &parts, steps));
        let payload = Payload {
            run: RunId::new(),
            version,
            input: NewTraining {
                steps: Some(steps),
                backbone: start.map(|s| s.name),
                examples: Some(
                    input
                        .examples
                        .unwrap_or(dataset.visibility != Visibility::Private),
                ),
                ..input
            },
            model,
            user: actor.user_id(),
            user_name: actor.name().to_owned(),
        };
        let started = self
            .queue(actor, experiment, &found, &dataset, params, payload)
            .await?;
        self.ctx.jobs.wake();
        Ok(started)
    }

    /// Run, its input and the job: all of it or nothing.
    async fn queue(
        &self,
        actor: &Actor,
        experiment: ExperimentId,
        version: &Version,
        dataset: &DatasetSummary,
        params: BTreeMap<String, String>,
        payload: Payload,
    ) -> Result<Training> {
        let (actor, now) = (actor.clone(), self.ctx.now());
        let (version, dataset) = (version.clone(), dataset.clone());
        self.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let (run, task) = (payload.run, payload.input.task);
                    match repo::experiment::is_deleted(tx, experiment).await? {
                        None => return Err(crate::experiments::missing(experiment)),
                        Some(true) => return Err(crate::experiments::state(experiment, true)),
                        Some(false) => {}
                    }
                    let name = crate::runs::names::make_up();
                    let row = repo::run::NewRow {
                        id: run,
                        experiment_id: experiment,
                        name: name.clone(),
                        user_name: actor.name().to_owned(),
                        created_by: actor.user_id(),
                        start_ms: now.0 / 1000,
                    };
                    repo::run::insert(tx, &row, now).await?;
                    repo::run::update(tx, run, None, Some(RunStatus::Scheduled), None).await?;
                    let tags = [
                        (NAME_TAG, name.as_str()),
                        ("mlflow.user", actor.name()),
                        ("mlflow.source.name", "Limn"),
                        ("mlflow.source.type", "JOB"),
                        ("limn.version", env!("CARGO_PKG_VERSION")),
                        ("limn.task", task.as_str()),
                    ];
                    repo::run::put_tags(tx, run, &tags).await?;
                    let params: Vec<(&str, &str)> =
                        params.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                    repo::run::put_params(tx, run, &params).await?;
                    repo::run::put_inputs(tx, run, &[read_by(&dataset, &version)], now).await?;
                    let what = task.as_str().replace('_', " ");
                    let new = NewJob {
                        kind: kind::TRAINING,
                        title: format!("Train {what} on {} v{}", dataset.name, version.number),
                        project_id: None,
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(&payload).map_err(anyhow::Error::from)?,
                        dedup_key: None,
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    let job = queue(tx, new, Some(dataset.id), now).await?;
                    let row = TrainingRow {
                        run_id: run,
                        job_id: Some(job.id),
                        version_id: Some(version.id),
                        task,
                    };
                    repo::training::insert(tx, &row, now).await?;
                    let summary = format!(
                        "started to train {what} on version {} of the dataset “{}”",
                        version.number, dataset.name
                    );
                    audit::write(tx, &actor, None, "training.start", &summary, now).await?;
                    Ok(Training {
                        run_id: run.hex(),
                        run_name: name,
                        experiment_id: experiment,
                        job,
                    })
                })
            })
            .await
    }

    /// The training of a run, for whoever may see the run; `None` for runs that others log.
    pub async fn of_run(&self, actor: &Actor, run: RunId) -> Result<Option<RunTraining>> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.ctx.db.read().await?;
        let Some(row) = repo::training::of_run(&mut tx, run).await? else {
            return Ok(None);
        };
        let job = match row.job_id {
            Some(id) => repo::job::get(&mut tx, id).await?,
            None => None,
        };
        let may_steer = match &job {
            Some(job) => crate::job_list::may_steer(&mut tx, actor, job).await.is_ok(),
            None => false,
        };
        Ok(Some(RunTraining {
            task: row.task,
            version_id: row.version_id,
            job,
            may_steer,
        }))
    }

    /// What came of a training, out of the run's files; what is not there or was written by somebody else is left out.
    pub async fn report(&self, actor: &Actor, run: RunId) -> Result<Option<TrainingReport>> {
        require(actor, Action::ViewRuns)?;
        if repo::training::of_run(&mut self.ctx.db.read().await?, run)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let Some(figures) = self.read(run, file::FIGURES).await? else {
            return Ok(None);
        };
        Ok(Some(TrainingReport {
            figures,
            confusion: self.read(run, file::CONFUSION).await?,
            examples: self.read(run, file::EXAMPLES).await?.unwrap_or_default(),
        }))
    }

    /// A file of the run as JSON; `None` when it is not there or says something else.
    async fn read<T: serde::de::DeserializeOwned>(&self, run: RunId, path: &str) -> Result<Option<T>> {
        let mut tx = self.ctx.db.read().await?;
        let found = repo::artifact::get(&mut tx, run.0, path).await?;
        drop(tx);
        let Some(file) = found.filter(|f| f.byte_size <= REPORT_MAX) else {
            return Ok(None);
        };
        let bytes = self
            .ctx
            .blobs
            .read(&file.digest)
            .await
            .map_err(|e| crate::ingest::refusal(path, e))?;
        Ok(serde_json::from_slice(&bytes).ok())
    }

    async fn survey(&self, tx: &mut Tx, dataset: &DatasetSummary, version: &Version) -> Result<Arc<Survey>> {
        let known = |all: &HashMap<Digest, Arc<Survey>>| all.get(&version.digest).cloned();
        if let Some(found) = known(&self.surveys.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        let made = Arc::new(survey::count(tx, dataset.kind, version).await?);
        let mut all = self.surveys.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SURVEYS {
            all.clear();
        }
        all.insert(version.digest.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// Why a version cannot be trained for a task.
    fn refusal(&self, survey: &Survey, task: TrainTask, version: &Version, parts: &Parts) -> Option<String> {
        let side = self.ctx.trainer.as_ref().map(|t| t.side(task));
        survey
            .refusal(task, version.number, parts, side)
            .or_else(|| side.is_none().then(|| NO_TRAINER.to_owned()))
    }
}

/// Examples, as trainers count them.
fn count(pictures: i64) -> usize {
    usize::try_from(pictures).unwrap_or(usize::MAX)
}

/// Steps that a trainer suggests, as many as there may be.
fn wished(steps: usize) -> i64 {
    i64::try_from(steps).unwrap_or(STEPS_MAX).min(STEPS_MAX)
}

const NO_TRAINER: &str = "This server runs without networks to train.";

pub(crate) fn no_trainer() -> Error {
    Error::new(Code::Unavailable, NO_TRAINER)
}

/// A name for a model, of a dataset's.
fn model_name(dataset: &str, task: TrainTask) -> String {
    let clean: String = dataset
        .chars()
        .map(|c| {
            if matches!(c, '/' | ':') || c.is_control() {
                '-'
            } else {
                c
            }
        })
        .take(50)
        .collect();
    format!("{} {}", clean.trim(), task.as_str().replace('_', " "))
}

/// The version as data that the run read.
fn read_by(dataset: &DatasetSummary, version: &Version) -> RunInput {
    RunInput {
        name: dataset.name.clone(),
        digest: version.digest.to_string(),
        source_type: "limn".to_owned(),
        source: serde_json::json!({ "url": format!("/api/v1/versions/{}", version.id) }).to_string(),
        tags: [(CONTEXT_TAG.to_owned(), "training".to_owned())].into(),
        version_id: Some(version.id),
        ..RunInput::default()
    }
}

/// What is noted with the run besides what the trainer says of itself.
fn parameters(
    input: &NewTraining,
    version: &Version,
    dataset: &DatasetSummary,
    of: &survey::Count,
    parts: &Parts,
    steps: i64,
) -> Vec<(String, String)> {
    let mut names = of.names.join(", ");
    if names.len() > PARAM_MAX {
        let end = names.floor_char_boundary(PARAM_MAX - 4);
        names.truncate(end);
        names.push_str(" ...");
    }
    let held_back = match of.how(input.use_splits) {
        survey::How::Split(split) => format!("the split {}", split.as_str()),
        survey::How::Content => format!("{} % by content", limn_domain::training::HELD_BACK),
    };
    let pairs = [
        ("task", input.task.as_str().to_owned()),
        ("dataset", dataset.name.clone()),
        ("dataset_version", version.number.to_string()),
        ("dataset_digest", version.digest.to_string()),
        ("categories", names),
        ("category_count", of.categories.to_string()),
        ("pictures_train", parts.train.to_string()),
        ("pictures_valid", parts.valid.to_string()),
        ("pictures_left_out", parts.rest.to_string()),
        ("held_back", held_back),
        ("steps", steps.to_string()),
        ("seed", input.seed.to_string()),
    ];
    let mut all: Vec<(String, String)> = pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    if input.task == TrainTask::Detection && of.outlined > 0 {
        all.push(("boxes_around_outlines".to_owned(), of.outlined.to_string()));
    }
    if input.task == TrainTask::InstanceSegmentation && of.bare > 0 {
        all.push(("objects_without_outline".to_owned(), of.bare.to_string()));
    }
    all
}

/// Which of the pictures are for what.
pub(crate) fn parts_of(parts: &[Part]) -> Parts {
    let n = |p: Part| parts.iter().filter(|x| **x == p).count() as i64;
    Parts {
        train: n(Part::Train),
        valid: n(Part::Valid),
        rest: n(Part::Rest),
    }
}
