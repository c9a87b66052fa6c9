//! Making datasets of records of the catalogue: fetch, check, convert, register.
//!
//! Files under way lie in a folder named after the job and stay there between attempts. Dataset and version come to be
//! together, at the very end; see [`crate::versions::draft`].

mod coco;
mod digest;
mod fetch;
mod folders;
mod gather;
mod load;
mod panoptic;
mod pictures;
mod tables;

use crate::{Context, Error, Result};
use anyhow::Context as _;
use limn_domain::catalogue::{CatalogueOutcome, Record};
use limn_domain::dataset::{DatasetKind, Visibility};
use limn_domain::{DatasetId, JobId, UserId};
use limn_jobs::{Handler, Permanent, Progress};
use limn_store::repo;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The dataset that a record becomes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    pub id: DatasetId,
    pub name: String,
    pub kind: DatasetKind,
    pub visibility: Visibility,
    pub description: String,
    pub tags: Vec<String>,
    pub licence: String,
    pub created_by: Option<UserId>,
}

/// What the job is given: the record as it was then, so that a catalogue may change meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub record: Record,
    pub dataset: Target,
    /// Who asked for it, for the lineage and the audit log.
    pub user: Option<UserId>,
    pub user_name: String,
}

/// Runs them.
pub(super) struct CatalogueJob(pub Context);

#[async_trait::async_trait]
impl Handler for CatalogueJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The record of the catalogue cannot be read")?;
        let folder = self.0.catalogue_dir().join(progress.job_id().to_string());
        tokio::fs::create_dir_all(&folder)
            .await
            .context("Cannot make a folder for what is fetched")?;
        let made = add(&self.0, &payload, &folder, &progress)
            .await
            .map_err(super::source::for_people);
        // What may go on later keeps its files. A success could be asked for them again only by a crash right now.
        if made.as_ref().err().is_none_or(|e| e.is::<Permanent>()) {
            remove(&folder).await;
        }
        Ok(Some(serde_json::to_value(made?)?))
    }
}

async fn add(
    ctx: &Context,
    payload: &Payload,
    folder: &Path,
    progress: &Progress,
) -> anyhow::Result<CatalogueOutcome> {
    let files = fetch::all(ctx, &payload.record, folder, progress).await?;
    let fetched = files.iter().map(|(f, _)| f.clone()).collect();
    let version = gather::register(ctx, payload, files, progress).await?;
    let said = if version.is_new {
        super::version::profile(ctx, payload.user, &version).await;
        format!("Version {} holds {} files.", version.number, version.files)
    } else {
        format!(
            "Nothing new: version {} of the dataset has this very content already.",
            version.number
        )
    };
    for note in &version.notes {
        progress.log(note.clone()).await?;
    }
    progress.log(said).await?;
    // From here on whoever sees the dataset sees the job.
    let (job, dataset) = (progress.job_id(), version.dataset_id);
    let linked: Result<(), Error> = ctx
        .db
        .write(move |tx| Box::pin(async move { Ok(repo::job::set_dataset(tx, job, dataset).await?) }))
        .await;
    if let Err(e) = linked {
        tracing::warn!(%job, error = %e, "a job was not tied to its dataset");
    }
    Ok(CatalogueOutcome { version, fetched })
}

async fn remove(folder: &Path) {
    if let Err(e) = tokio::fs::remove_dir_all(folder).await {
        // Clean-up takes it later.
        tracing::warn!(folder = %folder.display(), error = %e, "fetched files were not removed");
    }
}

/// Removes what jobs have fetched that are over. Answers how many folders.
pub(crate) async fn sweep(ctx: &Context) -> Result<u64> {
    let dir = ctx.catalogue_dir();
    let mut entries = match tokio::fs::read_dir(&dir).await {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(e.into()),
    };
    let mut removed = 0;
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|n| n.parse::<JobId>().ok()) else {
            continue;
        };
        let job = repo::job::get(&mut ctx.db.read().await?, id).await?;
        if job.is_none_or(|j| j.state.is_final()) {
            remove(&entry.path()).await;
            removed += 1;
        }
    }
    Ok(removed)
}
