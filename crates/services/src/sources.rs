//! Sources of labeling projects: files of a datastore or a dataset that become items, now and at each refresh.

mod origin;

use crate::authz::{require, require_in};
use crate::imports::check_sequence;
use crate::jobs::{kind, queue, source};
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::dataset::{LineageEdge, LineageNode};
use limn_domain::datastore::{AddSource, ProjectSource, UpdateSource, check_every, check_glob};
use limn_domain::job::{Job, JobState};
use limn_domain::{Action, Code, ProjectId, SourceId, Timestamp};
use limn_jobs::NewJob;
use limn_store::{StoreError, Tx, repo};
use origin::Origin;
use std::time::Duration;

/// How often it is looked for refreshes that are due.
pub(crate) const EVERY: Duration = Duration::from_secs(30);
/// Refreshes started at once by one look.
const DUE: i64 = 50;
/// Most sources of a project.
const SOURCES_MAX: usize = 50;
/// Passing trouble of a store costs an attempt.
const ATTEMPTS: i64 = 4;

#[derive(Clone)]
pub struct Sources(pub(crate) Context);

impl Sources {
    /// What a project takes from datastores and datasets, oldest first.
    pub async fn list(&self, actor: &Actor, project: ProjectId) -> Result<Vec<ProjectSource>> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewProject, project).await?;
        Ok(repo::source::of_project(&mut tx, project).await?)
    }

    pub async fn get(&self, actor: &Actor, id: SourceId) -> Result<ProjectSource> {
        found(&mut self.0.db.read().await?, actor, id, Action::ViewProject).await
    }

    /// Adds a source and queues its first refresh. Whoever adds one needs the right to use datastores as well, or to see
    /// the dataset; later refreshes act with what was granted then.
    pub async fn add(&self, actor: &Actor, project: ProjectId, input: AddSource) -> Result<ProjectSource> {
        let (actor, now) = (actor.clone(), self.0.now());
        let added = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ImportData, project).await?;
                    let (name, task) = repo::transfer::title(tx, project)
                        .await?
                        .ok_or_else(|| Error::not_found("project"))?;
                    let origin = Origin::check(tx, &actor, task, &input).await?;
                    if let Some(sequence) = input.sequence {
                        check_sequence(task, sequence)?;
                        if input.dataset.is_some() {
                            return Err(Error::field(
                                "sequence",
                                "The pictures of a dataset are items of their own; take frames from a datastore.",
                            ));
                        }
                    }
                    let glob = check_glob(&input.glob).map_err(|e| Error::field("glob", e))?;
                    let every =
                        check_every(input.every_minutes).map_err(|e| Error::field("every_minutes", e))?;
                    let what = format!("`{glob}` of {}", origin.words());
                    let taken = || {
                        Error::new(
                            Code::AlreadyExists,
                            format!("The project takes {what} already; refresh that."),
                        )
                    };
                    let there = repo::source::of_project(tx, project).await?;
                    if there.iter().any(|s| origin.is_of(s) && s.glob == glob) {
                        return Err(taken());
                    }
                    if there.len() >= SOURCES_MAX {
                        return Err(Error::new(
                            Code::WrongState,
                            format!("A project has at most {SOURCES_MAX} sources."),
                        ));
                    }
                    let row = repo::source::NewRow {
                        id: SourceId::new(),
                        project_id: project,
                        from: origin.row(),
                        glob: glob.clone(),
                        sequence: input.sequence,
                        every_minutes: every,
                        next_at: every.map(|m| now.plus_seconds(m * 60)),
                        created_by: actor.user_id(),
                    };
                    match repo::source::insert(tx, &row, now).await {
                        Err(StoreError::Unique(_)) => return Err(taken()),
                        Err(StoreError::ForeignKey(_)) => return Err(Error::not_found("project")),
                        other => other?,
                    }
                    // Which version it comes from is known, and said, once it is taken.
                    if let Origin::Datastore(store) = &origin {
                        let edge = LineageEdge {
                            from: LineageNode::Datastore {
                                datastore_id: store.id,
                                name: format!("{}: {glob}", store.name),
                            },
                            to: LineageNode::Project {
                                project_id: Some(project),
                                name,
                            },
                            how: "Its files as items, refreshed".to_owned(),
                            by_name: actor.name().to_owned(),
                            at: now,
                        };
                        repo::lineage::insert(tx, &edge).await?;
                    }
                    let summary = format!("added {what}");
                    audit::write(tx, &actor, Some(project), "source.add", &summary, now).await?;
                    let source = found(tx, &Actor::System, row.id, Action::ViewProject).await?;
                    start(tx, &actor, &source, now).await?;
                    found(tx, &Actor::System, row.id, Action::ViewProject).await
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(added)
    }

    /// Queues a refresh; answers the one that waits or runs already, if any.
    pub async fn refresh(&self, actor: &Actor, id: SourceId) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let source = found(tx, &actor, id, Action::ImportData).await?;
                    start(tx, &actor, &source, now).await
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// Changes the schedule.
    pub async fn update(&self, actor: &Actor, id: SourceId, input: UpdateSource) -> Result<ProjectSource> {
        let every = check_every(input.every_minutes).map_err(|e| Error::field("every_minutes", e))?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let source = found(tx, &actor, id, Action::ImportData).await?;
                    let next = every.map(|m| now.plus_seconds(m * 60));
                    repo::source::set_every(tx, id, every, next).await?;
                    let how =
                        every.map_or_else(|| "by hand only".to_owned(), |m| format!("every {m} minutes"));
                    let summary = format!(
                        "set `{}` of “{}” to be refreshed {how}",
                        source.glob,
                        source.name()
                    );
                    audit::write(
                        tx,
                        &actor,
                        Some(source.project_id),
                        "source.update",
                        &summary,
                        now,
                    )
                    .await?;
                    found(tx, &actor, id, Action::ImportData).await
                })
            })
            .await
    }

    /// Forgets a source. The items that were made of its files stay.
    pub async fn remove(&self, actor: &Actor, id: SourceId) -> Result<()> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let source = found(tx, &actor, id, Action::ImportData).await?;
                    repo::source::delete(tx, id).await?;
                    let summary = format!("removed the source `{}` of “{}”", source.glob, source.name());
                    audit::write(
                        tx,
                        &actor,
                        Some(source.project_id),
                        "source.remove",
                        &summary,
                        now,
                    )
                    .await
                })
            })
            .await
    }
}

/// Using datastores is asked for beside the right in the project; a token of one project may not.
pub(crate) fn may_use(actor: &Actor) -> Result<()> {
    require(actor, Action::UseDatastores).map(|_| ())
}

/// A source for whoever may do this in its project; anybody else learns only that there is none.
async fn found(tx: &mut Tx, actor: &Actor, id: SourceId, action: Action) -> Result<ProjectSource> {
    if !matches!(actor, Actor::System) {
        actor.me()?;
    }
    let missing = || Error::not_found("source");
    let source = repo::source::get(tx, id).await?.ok_or_else(missing)?;
    match require_in(tx, actor, action, source.project_id).await {
        Err(Error::Api(e)) if e.code == Code::NotFound => Err(missing()),
        other => other.map(|_| source),
    }
}

async fn start(tx: &mut Tx, actor: &Actor, source: &ProjectSource, now: Timestamp) -> Result<Job> {
    if let Some(job) = source.job_id
        && let Some(job) = repo::job::get(tx, job).await?
        && matches!(job.state, JobState::Queued | JobState::Running)
    {
        return Ok(job);
    }
    let (name, _) = repo::transfer::title(tx, source.project_id)
        .await?
        .ok_or_else(|| Error::not_found("project"))?;
    let payload = source::Payload {
        source: source.id,
        user: actor.user_id(),
        user_name: actor.name().to_owned(),
    };
    let new = NewJob {
        kind: kind::SOURCE,
        title: format!("Refresh {name} from {}", source.name()),
        project_id: Some(source.project_id),
        created_by: actor.user_id(),
        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
        dedup_key: Some(format!("source:{}", source.id)),
        priority: 0,
        max_attempts: ATTEMPTS,
    };
    let job = queue(tx, new, None, now).await?;
    repo::source::set_job(tx, source.id, job.id).await?;
    Ok(job)
}

/// Queues the refreshes whose time has come. Several processes may do it at once: each schedule is moved on by one.
pub(crate) async fn start_due(ctx: Context) {
    if let Err(e) = try_start_due(&ctx).await {
        tracing::warn!(error = %e, "scheduled refreshes were not started");
    }
}

async fn try_start_due(ctx: &Context) -> Result<()> {
    let now = ctx.now();
    let due = repo::source::due(&mut ctx.db.read().await?, now, DUE).await?;
    if due.is_empty() {
        return Ok(());
    }
    for source in due {
        let started = ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let next = source.every_minutes.map(|m| now.plus_seconds(m * 60));
                    if repo::source::reschedule(tx, source.id, source.next_at, next).await? {
                        start(tx, &Actor::System, &source, now).await?;
                    }
                    Ok(())
                })
            })
            .await;
        if let Err(e) = started {
            tracing::warn!(error = %e, "a scheduled refresh was not started");
        }
    }
    ctx.jobs.wake();
    Ok(())
}
