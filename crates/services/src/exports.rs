//! Exports as jobs.

use crate::authz::{require_in, require_in_dataset};
use crate::jobs::{export, kind, queue};
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::export::{ExportFormat, ExportResult, NewExport, VersionExport};
use limn_domain::item_explore::ProjectExport;
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::{Action, Code, JobId, ProjectId, UserId, VersionId};
use limn_jobs::NewJob;
use limn_store::repo;
use std::path::PathBuf;

/// Days a finished export is kept for download.
pub const KEPT_DAYS: i64 = 7;
const ATTEMPTS: i64 = 3;

#[derive(Clone)]
pub struct Exports(pub(crate) Context);

impl Exports {
    /// Queues an export. The job's result is an [`ExportResult`] with the link. An equal export that waits in the queue
    /// is answered instead of a second one.
    pub async fn start(&self, actor: &Actor, project: ProjectId, input: NewExport) -> Result<Job> {
        let input = ProjectExport {
            export: input,
            only: None,
        };
        self.start_of(actor, project, input).await
    }

    /// The same of items that were found by exploring the project. A filter is asked when the job runs.
    pub async fn start_of(&self, actor: &Actor, project: ProjectId, input: ProjectExport) -> Result<Job> {
        if let Some(only) = &input.only {
            crate::explore::items::check_choice(only)?;
        }
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ExportData, project).await?;
                    let (name, task) = repo::transfer::title(tx, project)
                        .await?
                        .ok_or_else(|| Error::not_found("project"))?;
                    let export = input.export;
                    suits(export.format, task)?;
                    let key = dedup(project, actor.user_id(), &input)?;
                    let some = if input.only.is_some() {
                        "some items of "
                    } else {
                        ""
                    };
                    let payload = export::Payload {
                        project: Some(project),
                        version: None,
                        split: None,
                        input: export,
                        only: input.only,
                    };
                    let format = export.format.label();
                    let what = if export.with_images {
                        format!("{format} with {}", task.media().nouns().1)
                    } else {
                        format.to_owned()
                    };
                    let new = NewJob {
                        kind: kind::EXPORT,
                        title: format!("Export {what} of {some}{name}"),
                        project_id: Some(project),
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
                        dedup_key: Some(key),
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    let job = queue(tx, new, None, now).await?;
                    let summary = format!("started an export ({what})");
                    audit::write(tx, &actor, Some(project), "export.start", &summary, now).await?;
                    Ok::<_, Error>(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// Queues an export of a version, or of one of its splits. The same version gives the same bytes, whenever and by
    /// whomever it is exported.
    pub async fn start_of_version(
        &self,
        actor: &Actor,
        version: VersionId,
        input: VersionExport,
    ) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = crate::versions::visible(tx, &actor, version, Action::ViewDataset).await?;
                    let dataset = crate::datasets::visible(tx, &actor, found.dataset_id).await?;
                    let task = export::task_of(dataset.kind, found.task).ok_or_else(|| {
                        Error::new(
                            Code::WrongState,
                            "Only versions of pictures or documents have formats for labels; download the files as a zip.",
                        )
                    })?;
                    suits(input.export.format, task)?;
                    let mut export = input.export;
                    // Every file of a version is as done as it will ever be.
                    export.scope = limn_domain::export::ExportScope::All;
                    let options = serde_json::to_string(&input).map_err(anyhow::Error::from)?;
                    let by = actor.user_id().map_or_else(String::new, |u| u.to_string());
                    let payload = export::Payload {
                        project: None,
                        version: Some(version),
                        split: input.split,
                        input: export,
                        only: None,
                    };
                    let part = input.split.map_or_else(String::new, |s| format!(" ({})", s.as_str()));
                    let new = NewJob {
                        kind: kind::EXPORT,
                        title: format!(
                            "Export {} of {} v{}{part}",
                            export.format.label(),
                            dataset.name,
                            found.number
                        ),
                        project_id: None,
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
                        dedup_key: Some(format!("export:{version}:{by}:{options}")),
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    let job = queue(tx, new, Some(dataset.id), now).await?;
                    let summary = format!(
                        "started an export ({}) of version {} of the dataset “{}”",
                        export.format.label(),
                        found.number,
                        dataset.name
                    );
                    audit::write(tx, &actor, None, "export.start", &summary, now).await?;
                    Ok::<_, Error>(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// Path of the finished file and its download name. Errors: `WrongState` while the job is not done, `LinkExpired`
    /// once the file was cleaned away.
    pub async fn file(&self, actor: &Actor, job: JobId) -> Result<(PathBuf, String)> {
        let missing = || Error::not_found("export");
        let mut tx = self.0.db.read().await?;
        let found = repo::job::get(&mut tx, job)
            .await?
            .filter(|j| j.kind == kind::EXPORT)
            .ok_or_else(missing)?;
        let may = match (found.project_id, repo::job::dataset(&mut tx, job).await?) {
            (Some(project), _) => require_in(&mut tx, actor, Action::ExportData, project).await,
            (None, Some(dataset)) => require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await,
            (None, None) => return Err(missing()),
        };
        may.map_err(|e| match e {
            // An outsider learns nothing of the project or dataset.
            Error::Api(e) if e.code == Code::NotFound => missing(),
            e => e,
        })?;
        drop(tx);
        match found.state {
            JobState::Succeeded => {}
            JobState::Queued | JobState::Running => {
                return Err(Error::new(
                    Code::WrongState,
                    "The export is not ready yet; wait for its job to end.",
                ));
            }
            JobState::Failed | JobState::Cancelled => {
                return Err(Error::new(
                    Code::WrongState,
                    "The export did not come to an end, so there is no file. Start it again.",
                ));
            }
        }
        let result = found.result.ok_or_else(missing)?;
        let result: ExportResult = serde_json::from_value(result).map_err(anyhow::Error::from)?;
        let old = found
            .finished_at
            .is_none_or(|t| self.0.now().seconds_since(t) > KEPT_DAYS * 86_400);
        let path = if old {
            None
        } else {
            export::data(&self.0, job).await?
        };
        let Some(path) = path else {
            return Err(Error::new(
                Code::LinkExpired,
                format!(
                    "Exports are kept for {KEPT_DAYS} days, and this one is gone. Start it again; the same data gives the same file."
                ),
            ));
        };
        Ok((path, result.file_name))
    }
}

/// Names an export, so that an equal one that waits is not queued twice. What is selected may be long: by its digest.
fn dedup(project: ProjectId, user: Option<UserId>, input: &ProjectExport) -> Result<String> {
    let options = serde_json::to_string(&input.export).map_err(anyhow::Error::from)?;
    let by = user.map_or_else(String::new, |u| u.to_string());
    let only = match &input.only {
        None => String::new(),
        Some(only) => {
            let only = serde_json::to_vec(only).map_err(anyhow::Error::from)?;
            format!(":{}", blake3::hash(&only).to_hex())
        }
    };
    Ok(format!("export:{project}:{by}:{options}{only}"))
}

fn suits(format: ExportFormat, task: Task) -> Result<()> {
    if format.suits(task) {
        return Ok(());
    }
    let others: Vec<_> = ExportFormat::for_task(task).map(|f| f.as_str()).collect();
    Err(Error::field(
        "format",
        format!(
            "{} cannot hold the labels of this project ({}). Export as one of {}.",
            format.label(),
            task.label().to_lowercase(),
            others.join(", ")
        ),
    ))
}
