//! The assist of a project: a model that learns while people label, proposes, and chooses what comes next.

pub(crate) mod backbone;
pub mod port;

use crate::authz::require_in;
use crate::jobs::assist::Payload;
use crate::jobs::{kind, queue};
use crate::{Actor, Context, Error, Result, annotations, audit, explore};
use limn_domain::assist::{
    Alike, Assist, AssistItems, AssistModel, AssistSettings, AssistState, AssistWork, CurvePoint, Retrain,
    SimilarItem, UpdateAssist, can_assist, network_of,
};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::smart::can_segment;
use limn_domain::{Action, Code, Digest, ItemId, ProjectId, Timestamp, UserId, validate};
use limn_jobs::NewJob;
use limn_store::repo::assist::{AssistRow, Work};
use limn_store::{Json, Tx, repo};
use std::collections::HashMap;

/// A crash in the middle costs one attempt.
const ATTEMPTS: i64 = 3;
/// Points of the learning curve.
const CURVE: i64 = 200;
/// Items looked at for similar ones.
const SIMILAR_MAX: i64 = 50_000;

#[derive(Clone)]
pub struct Assists(pub(crate) Context);

impl Assists {
    /// What the assist does, what it says of the items, and how good it is.
    pub async fn get(&self, actor: &Actor, project: ProjectId) -> Result<Assist> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewProject, project).await?;
        read(&mut tx, project).await
    }

    /// Changes the settings and, when that makes a difference, starts a job.
    pub async fn update(&self, actor: &Actor, project: ProjectId, change: UpdateAssist) -> Result<Assist> {
        change.check().map_err(|(field, why)| Error::field(field, why))?;
        self.try_backbone(actor, project, &change).await?;
        self.try_segmenter(actor, project, &change).await?;
        let (actor, now) = (actor.clone(), self.0.now());
        let (has_engine, has_trainer) = (self.0.engine.is_some(), self.0.trainer.is_some());
        let assist = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ManageProject, project).await?;
                    let (name, task) = repo::transfer::title(tx, project)
                        .await?
                        .ok_or_else(|| Error::not_found("project"))?;
                    let before = repo::assist::get(tx, project).await?.map(|r| r.settings.0);
                    let before = before.unwrap_or_else(|| AssistSettings::of(task));
                    let after = change.onto(before.clone());
                    after.check().map_err(|(field, why)| Error::field(field, why))?;
                    if after.enabled && !can_assist(task) {
                        return Err(Error::field(
                            "enabled",
                            "The assist learns categories of pictures and documents, boxes around objects and their outlines, masks of every pixel, and spans of text, so far. This project has another task.",
                        ));
                    }
                    if after.backbone.is_some() && task.is_text() {
                        return Err(Error::field("backbone", "Such a network describes pictures; the items of this project are documents."));
                    }
                    if after.segmenter.is_some() && !can_segment(task) {
                        return Err(Error::field("segmenter", "Such a network finds masks in pictures; this project has none."));
                    }
                    let able = has_engine && (has_trainer || network_of(task).is_none());
                    if after.enabled && !able {
                        return Err(Error::new(Code::Unavailable, "This server runs without models."));
                    }
                    if after != before {
                        repo::assist::put_settings(tx, project, &after, now).await?;
                        let summary = summary(&before, &after);
                        audit::write(tx, &actor, Some(project), "assist.update", &summary, now).await?;
                        let learns_the_same = AssistSettings {
                            segmenter: after.segmenter.clone(),
                            ..before.clone()
                        } == after;
                        if !learns_the_same && (after.enabled || before.enabled) {
                            let anew = after.accuracy != before.accuracy
                                || after.enabled != before.enabled
                                || after.backbone != before.backbone;
                            let train = anew && after.retrain != Retrain::Never;
                            enqueue(tx, project, (&name, task), actor.user_id(), train, now).await?;
                        }
                    }
                    read(tx, project).await
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(assist)
    }

    /// Trains now; while a job runs or waits, that one is answered.
    pub async fn train(&self, actor: &Actor, project: ProjectId) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ManageProject, project).await?;
                    let row = repo::assist::get(tx, project).await?;
                    if !row.as_ref().is_some_and(|r| r.settings.enabled) {
                        return Err(Error::new(
                            Code::WrongState,
                            "The assist of this project is off; turn it on first.",
                        ));
                    }
                    if row.as_ref().is_some_and(|r| r.settings.retrain == Retrain::Never) {
                        return Err(Error::new(
                            Code::WrongState,
                            "The assist of this project is set never to be trained again; change that first.",
                        ));
                    }
                    if let Some(job) = running(tx, row.as_ref()).await? {
                        return Ok(job);
                    }
                    let (name, task) = repo::transfer::title(tx, project)
                        .await?
                        .ok_or_else(|| Error::not_found("project"))?;
                    let job = enqueue(tx, project, (&name, task), actor.user_id(), true, now).await?;
                    audit::write(
                        tx,
                        &actor,
                        Some(project),
                        "assist.train",
                        "started a training",
                        now,
                    )
                    .await?;
                    Ok(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// Items of the project that look most like this one, the most alike first; copies have a similarity of 1. `limit` is
    /// 1..=100.
    pub async fn similar(&self, actor: &Actor, item: ItemId, limit: i64) -> Result<Vec<SimilarItem>> {
        if !(1..=100).contains(&limit) {
            return Err(Error::field("limit", "Ask for 1 to 100 items."));
        }
        let mut tx = self.0.db.read().await?;
        let project = annotations::require_item(&mut tx, actor, Action::ViewItems, item).await?;
        let key = repo::assist::get(&mut tx, project)
            .await?
            .and_then(|r| r.encoder_key)
            .ok_or_else(not_seen)?;
        let engine = self.0.engine.clone().ok_or_else(not_seen)?;
        let this = repo::item::get(&mut tx, item, self.0.now())
            .await?
            .ok_or_else(annotations::no_item)?;
        let own = repo::assist::features(&mut tx, &key, std::slice::from_ref(&this.digest)).await?;
        let own = own.first().map(|f| floats(&f.vector)).filter(|v| !v.is_empty());
        let own = own.ok_or_else(not_seen)?;
        let (mut best, mut after) = (Vec::new(), 0);
        for _ in 0..SIMILAR_MAX / 1_000 {
            let page = repo::assist::items(&mut tx, project, after, 1_000).await?;
            let Some(last) = page.last() else { break };
            after = last.export_id;
            let digests: Vec<Digest> = page.iter().map(|i| i.digest.clone()).collect();
            let features = repo::assist::features(&mut tx, &key, &digests).await?;
            let by_digest: HashMap<_, _> = features
                .into_iter()
                .map(|f| (f.digest, floats(&f.vector)))
                .collect();
            for other in page.into_iter().filter(|o| o.id != item) {
                let Some(v) = by_digest.get(&other.digest).filter(|v| v.len() == own.len()) else {
                    continue;
                };
                let similarity = if other.digest == this.digest {
                    1.0
                } else {
                    f64::from(engine.similarity(&own, v))
                };
                best.push(SimilarItem {
                    item_id: other.id,
                    name: other.name,
                    similarity,
                });
            }
            best.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
            best.truncate(limit as usize);
        }
        Ok(best)
    }

    /// The same with all that a page shows of each, beside the item itself, which has to be of this project.
    pub async fn alike(&self, actor: &Actor, project: ProjectId, item: ItemId, limit: i64) -> Result<Alike> {
        let similar = self.similar(actor, item, limit).await?;
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewItems, project).await?;
        let this = repo::item::get(&mut tx, item, self.0.now())
            .await?
            .filter(|i| i.project_id == project)
            .ok_or_else(annotations::no_item)?;
        let names = std::iter::once(&this.name).chain(similar.iter().map(|s| &s.name));
        let names: Vec<String> = names.map(|n| validate::name_key(n)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = explore::items::rows(&mut tx, &self.0, project, &names).await?;
        let how: HashMap<ItemId, f64> = similar.iter().map(|s| (s.item_id, s.similarity)).collect();
        let (mut of, mut rows) = (None, Vec::with_capacity(similar.len()));
        for row in found {
            if row.item.id == item {
                of = Some(row);
            } else if let Some(how) = how.get(&row.item.id) {
                rows.push((row, *how));
            }
        }
        let of = of.ok_or_else(annotations::no_item)?;
        Ok(Alike { of, rows })
    }
}

fn not_seen() -> Error {
    Error::new(
        Code::WrongState,
        "Nothing has looked at this item yet. Turn the project's assist on, and wait until its job is done.",
    )
}

/// What a description says as numbers.
pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    let (four, _) = bytes.as_chunks::<4>();
    four.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

pub(crate) fn bytes(floats: &[f32]) -> Vec<u8> {
    floats.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The job that runs or waits for it.
pub(crate) async fn running(tx: &mut Tx, row: Option<&AssistRow>) -> Result<Option<Job>> {
    let Some(id) = row.and_then(|r| r.job_id) else {
        return Ok(None);
    };
    Ok(repo::job::get(tx, id).await?.filter(|j| !j.state.is_final()))
}

/// Queues a run in the caller's transaction; wake the runner after the commit.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    project: ProjectId,
    (name, task): (&str, Task),
    user: Option<UserId>,
    train: bool,
    now: Timestamp,
) -> Result<Job> {
    let new = NewJob {
        kind: if network_of(task).is_some() {
            kind::ASSIST_BOXES
        } else {
            kind::ASSIST
        },
        title: format!("Learn from the labels of {name}"),
        project_id: Some(project),
        created_by: user,
        payload: serde_json::to_value(Payload { project, train }).map_err(anyhow::Error::from)?,
        dedup_key: Some(format!("assist:{project}:{train}")),
        // Behind everything that people wait for.
        priority: -2,
        max_attempts: ATTEMPTS,
    };
    let job = queue(tx, new, None, now).await?;
    repo::assist::set_job(tx, project, job.id).await?;
    Ok(job)
}

fn summary(before: &AssistSettings, after: &AssistSettings) -> String {
    match (before.enabled, after.enabled) {
        (false, true) => "turned the assist on".to_owned(),
        (true, false) => "turned the assist off".to_owned(),
        _ => "changed the assist".to_owned(),
    }
}

async fn read(tx: &mut Tx, project: ProjectId) -> Result<Assist> {
    let progress = repo::item::counter::progress(tx, project).await?;
    let task = repo::transfer::title(tx, project)
        .await?
        .map_or_else(Task::default, |t| t.1);
    let row = repo::assist::get(tx, project).await?;
    let job = match row.as_ref().and_then(|r| r.job_id) {
        Some(id) => repo::job::get(tx, id).await?,
        None => None,
    };
    let Some(row) = row else {
        return Ok(Assist {
            settings: AssistSettings::of(task),
            state: AssistState::Off,
            message: off().to_owned(),
            job: None,
            items: AssistItems {
                todo: progress.todo,
                manual: progress.todo,
                total: progress.total,
                ..AssistItems::default()
            },
            work: AssistWork::default(),
            new_labels: 0,
            model: None,
            curve: Vec::new(),
        });
    };
    let seen = match &row.encoder_key {
        Some(key) => repo::assist::seen(tx, project, key).await?,
        None => 0,
    };
    let tally = repo::assist::tally(tx, project).await?;
    let work = repo::assist::work(tx, project).await?;
    let model = repo::assist::latest_model(tx, project)
        .await?
        .map(|m| AssistModel {
            version: m.version,
            trained_at: m.trained_at,
            seconds: m.millis as f64 / 1_000.0,
            figures: m.figures.0,
            registered: m.registered.map(|r| r.0),
        });
    let mut curve = repo::assist::curve(tx, project, CURVE).await?;
    // Of as many labels the last one counts: a short training may have gone before.
    curve.dedup_by(|later, earlier| {
        let same = later.1 == earlier.1;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
    let (state, message) = state(&row, job.as_ref(), model.as_ref());
    Ok(Assist {
        state,
        message,
        job,
        items: AssistItems {
            todo: progress.todo,
            prelabeled: tally.prelabeled,
            clustered: tally.clustered,
            manual: (progress.todo - tally.prelabeled - tally.clustered).max(0),
            seen,
            total: progress.total,
        },
        work: told(&work),
        new_labels: (progress.done - row.trained_done).max(0),
        model,
        curve: curve
            .into_iter()
            .map(|(version, labels, Json(f))| CurvePoint {
                version,
                labels,
                basis: f.basis,
                accuracy: f.accuracy,
                covered: f.covered,
                map50: f.map50,
                miou: f.miou,
            })
            .collect(),
        settings: row.settings.0,
    })
}

const fn off() -> &'static str {
    "Off. Turned on, a model looks at the items, learns from every label, and proposes what it is sure of."
}

fn state(row: &AssistRow, job: Option<&Job>, model: Option<&AssistModel>) -> (AssistState, String) {
    if let Some(job) = job.filter(|j| !j.state.is_final()) {
        let message = match (job.state, job.message.as_str()) {
            (JobState::Queued, _) => "Waits for its turn",
            (_, "") => "Begins",
            (_, message) => message,
        };
        return (AssistState::Working, message.to_owned());
    }
    if !row.settings.enabled {
        return (AssistState::Off, off().to_owned());
    }
    if let Some(job) = job.filter(|j| j.state == JobState::Failed) {
        let why = job.error.clone();
        return (
            AssistState::Failed,
            why.unwrap_or_else(|| "The latest training failed; see its job.".to_owned()),
        );
    }
    match model {
        _ if model.is_none() && row.note.is_empty() => (AssistState::Waiting, "Waits for labels.".to_owned()),
        None => (AssistState::Waiting, row.note.clone()),
        Some(_) if !row.note.is_empty() => (AssistState::Ready, row.note.clone()),
        Some(m) => (
            AssistState::Ready,
            format!(
                "Model {} is at work; it learned from {} labeled items.",
                m.version, m.figures.trained_on
            ),
        ),
    }
}

fn told(w: &Work) -> AssistWork {
    let mean = |ms: i64, n: i64| (n > 0).then(|| ms as f64 / 1_000.0 / n as f64);
    AssistWork {
        accepted: w.accepted,
        corrected: w.corrected,
        manual: w.manual,
        seconds_assisted: mean(w.ms_assisted, w.timed_assisted),
        seconds_manual: mean(w.ms_manual, w.timed_manual),
    }
}
