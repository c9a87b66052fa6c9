//! The job that indexes a project, or takes in what has changed where that is much.

use crate::jobs::{kind, queue};
use crate::{Context, Error, Result};
use anyhow::Context as _;
use limn_domain::ProjectId;
use limn_domain::job::Job;
use limn_jobs::{Handler, NewJob, Permanent, Progress};
use limn_store::repo;
use limn_store::repo::job::ListFilter;
use serde::{Deserialize, Serialize};

/// A crash in the middle costs one attempt.
const ATTEMPTS: i64 = 3;
/// Jobs of a project among which one that is under way is looked for.
const LISTED: i64 = 50;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    project: ProjectId,
}

/// Indexes a project. Safe to run again.
pub(crate) struct ItemsJob(pub Context);

#[async_trait::async_trait]
impl Handler for ItemsJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The index's settings cannot be read")?;
        let ctx = &self.0;
        repo::transfer::title(&mut ctx.db.read().await?, payload.project)
            .await?
            .ok_or_else(|| Permanent("The project was deleted.".to_owned()))?;
        let mut state = ctx.item_indexes.begin(payload.project).await?;
        state.catch_up(ctx, payload.project, &progress).await?;
        let stack = ctx.item_indexes.put(payload.project, state).await?;
        progress.log(format!("{} items indexed.", stack.rows())).await?;
        Ok(None)
    }
}

/// Queues the indexing of a project; one that is under way is answered instead of a second one.
pub(super) async fn prepare(ctx: &Context, project: ProjectId) -> Result<Job> {
    let filter = ListFilter {
        project: Some(project),
        active_only: true,
        limit: LISTED,
        ..ListFilter::default()
    };
    let active = repo::job::list(&mut ctx.db.read().await?, &filter).await?;
    if let Some(job) = active.into_iter().find(|j| j.kind == kind::EXPLORE_ITEMS) {
        return Ok(job);
    }
    let now = ctx.now();
    let job = ctx
        .db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let (name, _) = repo::transfer::title(tx, project)
                    .await?
                    .ok_or_else(|| Error::not_found("project"))?;
                let new = NewJob {
                    kind: kind::EXPLORE_ITEMS,
                    title: format!("Index {name}"),
                    project_id: Some(project),
                    created_by: None,
                    payload: serde_json::to_value(Payload { project }).map_err(anyhow::Error::from)?,
                    dedup_key: Some(format!("explore_items:{project}")),
                    priority: 0,
                    max_attempts: ATTEMPTS,
                };
                queue(tx, new, None, now).await
            })
        })
        .await?;
    ctx.jobs.wake();
    Ok(job)
}
