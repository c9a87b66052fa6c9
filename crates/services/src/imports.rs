//! Imports as jobs.

use crate::authz::require_in;
use crate::jobs::{import, kind, queue};
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::import::{ImportFormat, NewImport, Sequence};
use limn_domain::job::Job;
use limn_domain::project::Task;
use limn_domain::{Action, ProjectId, video};
use limn_jobs::NewJob;
use limn_store::{Tx, repo};
use std::collections::HashSet;

/// Most uploads of one import.
const UPLOADS_MAX: usize = 1_000;
/// A crash in the middle costs one attempt.
const ATTEMPTS: i64 = 3;

#[derive(Clone)]
pub struct Imports(pub(crate) Context);

impl Imports {
    /// Queues an import of complete uploads. The job's result is an [`limn_domain::import::ImportReport`]. Errors name
    /// the upload at fault as `uploads[n]`.
    pub async fn start(&self, actor: &Actor, project: ProjectId, input: NewImport) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ImportData, project).await?;
                    check(tx, &actor, project, &input).await?;
                    let (name, _) = repo::transfer::title(tx, project)
                        .await?
                        .ok_or_else(|| Error::not_found("project"))?;
                    let format = input.format.label();
                    let files = input.uploads.len();
                    let payload = import::Payload {
                        project,
                        input,
                        user: actor.user_id(),
                        user_name: actor.name().to_owned(),
                    };
                    let new = NewJob {
                        kind: kind::IMPORT,
                        title: format!("Import {format} into {name}"),
                        project_id: Some(project),
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
                        dedup_key: None,
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    let job = queue(tx, new, None, now).await?;
                    let summary = match files {
                        1 => format!("started an import of a file ({format})"),
                        n => format!("started an import of {n} files ({format})"),
                    };
                    audit::write(tx, &actor, Some(project), "import.start", &summary, now).await?;
                    Ok::<_, Error>(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }
}

async fn check(tx: &mut Tx, actor: &Actor, project: ProjectId, input: &NewImport) -> Result<()> {
    let n = input.uploads.len();
    if n == 0 {
        return Err(Error::field("uploads", "Name at least one upload to import."));
    }
    if n > UPLOADS_MAX {
        return Err(Error::field(
            "uploads",
            format!("{n} uploads are too many; {UPLOADS_MAX} are the most. Pack them into a zip."),
        ));
    }
    let mut seen = HashSet::new();
    for (i, id) in input.uploads.iter().enumerate() {
        let field = format!("uploads[{i}]");
        if !seen.insert(*id) {
            return Err(Error::field(&field, "This upload is named twice."));
        }
        crate::uploads::complete(tx, actor, *id)
            .await
            .map_err(|e| match e {
                Error::Api(e) => Error::field(&field, e.message),
                e => e,
            })?;
    }
    let (_, task) = repo::transfer::title(tx, project)
        .await?
        .ok_or_else(|| Error::not_found("project"))?;
    if let Some(sequence) = input.sequence {
        check_sequence(task, sequence)?;
    }
    if !input.format.suits(task) {
        let others: Vec<_> = ImportFormat::for_task(task).map(|f| f.as_str()).collect();
        return Err(Error::field(
            "format",
            format!(
                "{} cannot hold the labels of this project ({}). Import one of {}.",
                input.format.label(),
                task.label().to_lowercase(),
                others.join(", ")
            ),
        ));
    }
    Ok(())
}

/// Whether pictures can be frames at this rate in a project. Errors name the field `sequence`.
pub(crate) fn check_sequence(task: Task, sequence: Sequence) -> Result<()> {
    if !video::RATES.contains(&sequence.rate) {
        let (from, to) = (video::RATES.start(), video::RATES.end());
        return Err(Error::field(
            "sequence.rate",
            format!("Frames a second are a number from {from} to {to}."),
        ));
    }
    if !task.takes_videos() {
        let task = task.label().to_lowercase();
        return Err(Error::field(
            "sequence",
            format!("The labels of this project ({task}) are not tracks, so its items cannot be videos."),
        ));
    }
    Ok(())
}
