//! Background jobs as people see and steer them.

use crate::authz::{
    bound_dataset, is_bound, require, require_in, require_in_dataset, role_in, role_in_dataset,
};
use crate::jobs::kind;
use crate::{Actor, Context, Error, Result, audit, cursor};
use limn_domain::job::{Job, JobLogLine, JobState};
use limn_domain::{Action, Code, JobId, Page, ProjectId, Role, Timestamp};
use limn_store::Tx;
use limn_store::repo::{self, job::ListFilter};

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 200;
const LOG_LINES_MAX: i64 = 1_000;
const CURSOR: &str = "jobs";

#[derive(Clone)]
pub struct JobList(pub(crate) Context);

impl JobList {
    /// Newest first: of one project, or all the actor may see (own jobs and jobs of own projects). Long results (import
    /// reports) are only in [`Self::get`].
    pub async fn list(
        &self,
        actor: &Actor,
        project: Option<ProjectId>,
        active_only: bool,
        cursor: Option<String>,
        limit: Option<i64>,
    ) -> Result<Page<Job>> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
        let after = cursor.as_deref().map(after).transpose()?;
        let mut filter = ListFilter {
            project,
            visible_to: None,
            active_only,
            after,
            limit: limit + 1,
        };
        let mut tx = self.0.db.read().await?;
        if let Actor::Token {
            project_id: Some(only),
            ..
        } = actor
            && project.is_none()
        {
            filter.project = Some(*only);
        }
        if let Some(project) = filter.project {
            require_in(&mut tx, actor, Action::ViewProject, project).await?;
        } else if bound_dataset(actor).is_some() {
            // Its dataset's jobs are asked for one by one.
            return Ok(Page::default());
        } else if !sees_all(actor)? {
            filter.visible_to = Some(actor.me()?.id);
        }
        let mut rows = repo::job::list(&mut tx, &filter).await?;
        let more = rows.len() as i64 > limit;
        rows.truncate(limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|j| cursor::encode(CURSOR, &format!("{}.{}", j.created_at.0, j.id)));
        Ok(Page {
            rows,
            next,
            total: None,
        })
    }

    pub async fn get(&self, actor: &Actor, job: JobId) -> Result<Job> {
        let mut tx = self.0.db.read().await?;
        visible(&mut tx, actor, job).await
    }

    /// Log lines after the first `after`, at most 1,000.
    pub async fn log(&self, actor: &Actor, job: JobId, after: i64) -> Result<Vec<JobLogLine>> {
        let mut tx = self.0.db.read().await?;
        let job = visible(&mut tx, actor, job).await?;
        Ok(repo::job::log_lines(&mut tx, job.id, after.max(0), LOG_LINES_MAX).await?)
    }

    /// Ends a queued job at once and tells a running one to stop. Errors: `WrongState` when it has ended already.
    pub async fn cancel(&self, actor: &Actor, job: JobId) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = visible(tx, &actor, job).await?;
                    may_steer(tx, &actor, &found).await?;
                    if !repo::job::request_cancel(tx, job, now).await? {
                        return Err(Error::new(
                            Code::WrongState,
                            "The job has ended already; there is nothing to cancel.",
                        ));
                    }
                    let line = format!("Cancel asked for by {}", actor.name());
                    repo::job::log(tx, job, &line, now).await?;
                    audit::write(
                        tx,
                        &actor,
                        found.project_id,
                        "job.cancel",
                        &format!("cancelled “{}”", found.title),
                        now,
                    )
                    .await?;
                    reread(tx, job).await
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// Queues a failed or cancelled job again.
    pub async fn retry(&self, actor: &Actor, job: JobId) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = visible(tx, &actor, job).await?;
                    may_steer(tx, &actor, &found).await?;
                    if !repo::job::requeue(tx, job, now).await? {
                        let why = match found.state {
                            JobState::Succeeded => "The job is done; start a new one instead.",
                            _ => "The job is not through yet; wait for it or cancel it first.",
                        };
                        return Err(Error::new(Code::WrongState, why));
                    }
                    let line = format!("Queued again by {}", actor.name());
                    repo::job::log(tx, job, &line, now).await?;
                    audit::write(
                        tx,
                        &actor,
                        found.project_id,
                        "job.retry",
                        &format!("retried “{}”", found.title),
                        now,
                    )
                    .await?;
                    reread(tx, job).await
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }
}

/// Whether the actor sees every job, also those of Limn itself.
fn sees_all(actor: &Actor) -> Result<bool> {
    Ok(match actor {
        Actor::System => true,
        Actor::Token { me, .. } => me.role == Role::Admin && !is_bound(actor),
        _ => actor.me()?.role == Role::Admin,
    })
}

async fn reread(tx: &mut Tx, job: JobId) -> Result<Job> {
    repo::job::get(tx, job)
        .await?
        .ok_or_else(|| Error::not_found("job"))
}

/// The job, if the actor may see it.
async fn visible(tx: &mut Tx, actor: &Actor, job: JobId) -> Result<Job> {
    let missing = || Error::not_found("job");
    let all = sees_all(actor)?;
    let found = repo::job::get(tx, job).await?.ok_or_else(missing)?;
    if all {
        return Ok(found);
    }
    if found.created_by.is_some() && found.created_by == actor.user_id() && !is_bound(actor) {
        return Ok(found);
    }
    let sees = match (found.project_id, repo::job::dataset(tx, job).await?) {
        (Some(project), _) => role_in(tx, actor, project).await?,
        (None, Some(dataset)) => role_in_dataset(tx, actor, dataset).await?,
        (None, None) => None,
    };
    sees.ok_or_else(missing)?;
    Ok(found)
}

/// Who may start such a job may cancel and retry their own; a manager everybody's in the project; an admin all.
pub(crate) async fn may_steer(tx: &mut Tx, actor: &Actor, job: &Job) -> Result<()> {
    let Some(project) = job.project_id else {
        if let Some(dataset) = repo::job::dataset(tx, job.id).await? {
            let own = job.created_by.is_some() && job.created_by == actor.user_id();
            let needed = match (own, job.kind.as_str()) {
                (true, kind::EXPORT | kind::TRAINING) => Action::ViewDataset,
                (true, _) => Action::AddVersions,
                (false, _) => Action::ManageDataset,
            };
            require_in_dataset(tx, actor, needed, dataset).await?;
        } else {
            // Its dataset comes to be at the end.
            let own = job.created_by.is_some() && job.created_by == actor.user_id();
            let makes = own && job.kind == kind::CATALOGUE;
            require(
                actor,
                if makes {
                    Action::CreateDataset
                } else {
                    Action::SeeServer
                },
            )?;
        }
        return Ok(());
    };
    let starts = match job.kind.as_str() {
        kind::EXPORT => Action::ExportData,
        kind::IMPORT => Action::ImportData,
        _ => Action::ManageProject,
    };
    require_in(tx, actor, starts, project).await?;
    if job.created_by.is_none() || job.created_by != actor.user_id() {
        require_in(tx, actor, Action::ManageProject, project).await?;
    }
    Ok(())
}

/// The row a cursor stands for.
fn after(text: &str) -> Result<(Timestamp, JobId)> {
    let key = cursor::decode(CURSOR, text)?;
    let (at, id) = key.split_once('.').ok_or_else(cursor::invalid)?;
    Ok((
        Timestamp(cursor::number(at)?),
        id.parse().map_err(|_| cursor::invalid())?,
    ))
}
