//! Profiles of versions: computed by a job, read, compared.

mod assemble;

pub(crate) use assemble::{BATCH, FileKept, Kind, assemble, gather, known_of, states_of};

use crate::jobs::profile::Payload;
use crate::jobs::{kind, queue};
use crate::versions::visible;
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::dataset::Version;
use limn_domain::job::Job;
use limn_domain::profile::{DatasetProfile, Drift, VersionProfile};
use limn_domain::{Action, UserId, VersionId};
use limn_jobs::NewJob;
use limn_store::{Tx, repo};

/// A crash in the middle costs one attempt.
const ATTEMPTS: i64 = 3;

#[derive(Clone)]
pub struct Profiles(pub(crate) Context);

impl Profiles {
    /// The profile of a version, or how far it is.
    pub async fn get(&self, actor: &Actor, version: VersionId) -> Result<VersionProfile> {
        let mut tx = self.0.db.read().await?;
        visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let Some(state) = repo::profile::get(&mut tx, version).await? else {
            return Ok(VersionProfile {
                version_id: version,
                computed_at: None,
                job: None,
                profile: None,
            });
        };
        let job = match state.job_id {
            Some(id) => repo::job::get(&mut tx, id).await?,
            None => None,
        };
        // One of an older layout is none: it has to be computed again.
        let profile = state
            .profile
            .and_then(|bytes| serde_json::from_slice::<DatasetProfile>(&bytes).ok())
            .filter(|p| p.format == limn_domain::profile::PROFILE_FORMAT);
        Ok(VersionProfile {
            version_id: version,
            computed_at: state.computed_at.filter(|_| profile.is_some()),
            job,
            profile,
        })
    }

    /// Queues its computing, e.g. of a version from before there were profiles.
    pub async fn start(&self, actor: &Actor, version: VersionId) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let found = visible(tx, &actor, version, Action::AddVersions).await?;
                    let job = enqueue(tx, &found, actor.user_id(), now).await?;
                    let summary = format!("started to profile version {}", found.number);
                    audit::write(tx, &actor, None, "version.profile", &summary, now).await?;
                    Ok(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// In the shape of Hugging Face's `/statistics`, of one of the version's tables.
    pub async fn statistics(
        &self,
        actor: &Actor,
        version: VersionId,
        table: usize,
    ) -> Result<serde_json::Value> {
        let profile = self.ready(actor, version).await?;
        let one = profile.tables.get(table).ok_or_else(|| {
            let n = profile.tables.len();
            Error::field("table", format!("This version has {n} tables; name one from 0."))
        })?;
        Ok(limn_profile::statistics(&one.profile))
    }

    /// As a page of its own, with the name of a file for it.
    pub async fn report(&self, actor: &Actor, version: VersionId) -> Result<(String, String)> {
        let profile = self.ready(actor, version).await?;
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let dataset = crate::datasets::visible(&mut tx, actor, found.dataset_id).await?;
        drop(tx);
        let title = format!("{}, version {}", dataset.name, found.number);
        let page = tokio::task::spawn_blocking(move || limn_profile::report(&title, &profile))
            .await
            .map_err(anyhow::Error::from)?;
        Ok((page, format!("{} v{} profile.html", dataset.name, found.number)))
    }

    /// What changed in the distributions from one version to another, of any dataset.
    pub async fn drift(&self, actor: &Actor, before: VersionId, after: VersionId) -> Result<Drift> {
        self.ready(actor, before).await?;
        self.ready(actor, after).await?;
        let first = self.assembled(actor, before).await?;
        let second = self.assembled(actor, after).await?;
        Ok(tokio::task::spawn_blocking(move || second.drift_from(&first))
            .await
            .map_err(anyhow::Error::from)?)
    }

    async fn ready(&self, actor: &Actor, version: VersionId) -> Result<DatasetProfile> {
        self.get(actor, version).await?.profile.ok_or_else(|| {
            Error::Api(limn_domain::ApiError::new(
                limn_domain::Code::WrongState,
                "This version has no profile yet. Start its profile, or wait until the job is done.",
            ))
        })
    }

    async fn assembled(&self, actor: &Actor, version: VersionId) -> Result<limn_profile::Dataset> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let files = gather(&mut tx, &found).await?;
        assemble(&mut tx, &files).await
    }
}

/// Queues the profile of a version in the caller's transaction; wake the runner after the commit.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    version: &Version,
    user: Option<UserId>,
    now: limn_domain::Timestamp,
) -> Result<Job> {
    let dataset = repo::dataset::get(tx, version.dataset_id, None)
        .await?
        .ok_or_else(|| Error::not_found("dataset"))?;
    let new = NewJob {
        kind: kind::PROFILE,
        title: format!("Profile {} v{}", dataset.name, version.number),
        project_id: None,
        created_by: user,
        payload: serde_json::to_value(Payload { version: version.id }).map_err(anyhow::Error::from)?,
        dedup_key: Some(format!("profile:{}", version.id)),
        priority: -1,
        max_attempts: ATTEMPTS,
    };
    let job = queue(tx, new, Some(version.dataset_id), now).await?;
    repo::profile::set_job(tx, version.id, job.id).await?;
    Ok(job)
}
