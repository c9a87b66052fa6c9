//! Registering versions: from one snapshot of a project, from uploads, from another version.
//!
//! Objects go to the database as they are made, the row of the version last; see [`crate::versions::draft`]. Safe to run
//! again: what is there is found by its digest.

mod derive;
mod fill;
mod project;
mod query;
mod splits;
mod stored;
pub(super) mod uploads;

use crate::versions::draft::Draft;
use crate::versions::files::Sieve;
use crate::{Context, Error};
use anyhow::Context as _;
use derive::Chosen;
use limn_domain::dataset::{DatasetSummary, MakeProject, NewVersion, VersionOutcome, VersionSource};
use limn_domain::item_explore::ItemChoice;
use limn_domain::{DatasetId, DatastoreId, ProjectId, UserId, VersionId};
use limn_jobs::{Handler, Permanent, Progress};
use limn_store::repo;
use project::Which;
use serde::{Deserialize, Serialize};

pub(crate) use fill::project_of;
pub(super) use fill::{Done, Row, Rules, add, fits, new_item};

/// Names of a finding that are listed.
const EXAMPLES: usize = 5;

/// What a registration is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub dataset: DatasetId,
    pub input: NewVersion,
    /// Who asked for it, for the lineage and the audit log.
    pub user: Option<UserId>,
    pub user_name: String,
}

/// What the filling of a project is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ProjectPayload {
    pub version: VersionId,
    pub project: ProjectId,
    pub input: MakeProject,
    pub user: Option<UserId>,
    pub user_name: String,
}

/// Runs registrations.
pub(super) struct VersionJob(pub Context);

/// Fills projects from versions.
pub(super) struct ProjectJob(pub Context);

/// A registration under way.
struct Work<'a> {
    ctx: &'a Context,
    progress: &'a Progress,
    payload: &'a Payload,
    dataset: DatasetSummary,
    draft: Draft<'a>,
    /// The datastore it came from, and what of it.
    used: Option<(DatastoreId, String)>,
}

#[async_trait::async_trait]
impl Handler for VersionJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The registration's settings cannot be read")?;
        let outcome = register(&self.0, &payload, &progress)
            .await
            .map_err(super::source::for_people)?;
        Ok(Some(serde_json::to_value(outcome)?))
    }

    /// The uploads have served; before this a crash could still need them.
    async fn succeeded(&self, payload: serde_json::Value) {
        let Ok(payload) = serde_json::from_value::<Payload>(payload) else {
            return;
        };
        if let VersionSource::Uploads { uploads, .. } = payload.input.source {
            for id in uploads {
                if let Err(e) = crate::uploads::discard(&self.0, id).await {
                    // Clean-up takes it later.
                    tracing::warn!(upload = %id, error = %e, "a registered upload was not removed");
                }
            }
        }
    }
}

async fn register(ctx: &Context, payload: &Payload, progress: &Progress) -> anyhow::Result<VersionOutcome> {
    let dataset = repo::dataset::get(&mut ctx.db.read().await?, payload.dataset, None)
        .await?
        .ok_or_else(|| Permanent("The dataset was deleted.".to_owned()))?;
    let mut work = Work {
        ctx,
        progress,
        payload,
        dataset,
        draft: Draft::new(ctx),
        used: None,
    };
    let made = match &payload.input.source {
        VersionSource::Project {
            project_id,
            statuses,
            categories,
        } => {
            let which = Which::of_states(statuses, categories);
            work.of_project(*project_id, &which).await?
        }
        VersionSource::Found {
            project_id,
            filter,
            items,
        } => {
            let choice = ItemChoice {
                filter: filter.clone(),
                items: items.clone(),
            };
            let which = Which::found(ctx, *project_id, &choice, progress).await?;
            work.of_project(*project_id, &which).await?
        }
        VersionSource::Uploads { uploads, mode } => work.of_uploads(uploads, *mode).await?,
        VersionSource::Version { version_id, filter } => {
            let sieve = Sieve::new(filter)?;
            work.of_version(*version_id, &Chosen::Sieve(sieve), derive::how(filter))
                .await?
        }
        VersionSource::Selection {
            version_id,
            filter,
            paths,
        } => {
            let (chosen, how) = Chosen::selected(ctx, *version_id, filter, paths).await?;
            work.of_version(*version_id, &chosen, how).await?
        }
        VersionSource::Splits { version_id, plan } => work.of_splits(*version_id, plan).await?,
        VersionSource::Datastore {
            datastore_id,
            glob,
            mode,
            in_place,
        } => {
            let from = stored::Place {
                store: *datastore_id,
                in_place: *in_place,
            };
            work.of_datastore(from, glob, *mode).await?
        }
        VersionSource::Query {
            datastore_id,
            sql,
            name,
            mode,
        } => work.of_query(*datastore_id, sql, name, *mode).await?,
    };
    progress.report(0, 0, "Finishing").await?;
    let notes = made.notes.clone();
    let used = work.used.take();
    let outcome = work.draft.finish(made).await.map_err(gone)?;
    if let Some((datastore, what)) = used {
        note_use(ctx, datastore, outcome.dataset_id, what).await?;
    }
    for note in &notes {
        progress.log(note.clone()).await?;
    }
    if outcome.is_new {
        profile(ctx, payload.user, &outcome).await;
    }
    progress
        .log(if outcome.is_new {
            format!("Version {} holds {} files.", outcome.number, outcome.files)
        } else {
            format!("Version {} has this very content already.", outcome.number)
        })
        .await?;
    Ok(outcome)
}

/// Notes that the dataset has a version from a datastore. One that was deleted meanwhile needs no note.
async fn note_use(
    ctx: &Context,
    datastore: DatastoreId,
    dataset: DatasetId,
    what: String,
) -> anyhow::Result<()> {
    let now = ctx.now();
    let noted: Result<(), limn_store::StoreError> = ctx
        .db
        .write(move |tx| {
            Box::pin(
                async move { repo::datastore::used_by_dataset(tx, datastore, dataset, &what, now).await },
            )
        })
        .await;
    match noted {
        Err(limn_store::StoreError::ForeignKey(_)) => Ok(()),
        other => Ok(other?),
    }
}

/// Queues the profile of a new version. The version stands whether or not that works; its page can start it too.
pub(super) async fn profile(ctx: &Context, user: Option<UserId>, outcome: &VersionOutcome) {
    let (version, now) = (outcome.version_id, ctx.now());
    let queued = ctx
        .db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                if let Some(found) = repo::version::get(tx, version).await? {
                    crate::profiles::enqueue(tx, &found, user, now).await?;
                }
                Ok(())
            })
        })
        .await;
    match queued {
        Ok(()) => ctx.jobs.wake(),
        Err(e) => tracing::warn!(%version, error = %e, "the profile of a version was not queued"),
    }
}

/// A dataset that went while its version was made.
pub(super) fn gone(e: Error) -> anyhow::Error {
    match e {
        Error::Api(e) => Permanent(e.message).into(),
        e => e.into(),
    }
}

/// `12 files were left out: a, b, ...`; nothing when there are none.
pub(super) fn finding(notes: &mut Vec<String>, names: &[String], what: &str) {
    if names.is_empty() {
        return;
    }
    let shown: Vec<&str> = names.iter().take(EXAMPLES).map(String::as_str).collect();
    let more = if names.len() > EXAMPLES { ", ..." } else { "" };
    let files = if names.len() == 1 { "file" } else { "files" };
    notes.push(format!(
        "{} {files} {what}: {}{more}",
        names.len(),
        shown.join(", ")
    ));
}

#[async_trait::async_trait]
impl Handler for ProjectJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: ProjectPayload =
            serde_json::from_value(payload).context("The project's settings cannot be read")?;
        let outcome = fill::run(&self.0, &payload, &progress)
            .await
            .map_err(super::for_people)?;
        Ok(Some(outcome))
    }
}
