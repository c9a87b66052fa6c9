//! Where the files of a version lie, and having them checked there.

use super::{Versions, visible};
use crate::jobs::{check, kind, queue};
use crate::{Actor, Error, Result, audit};
use limn_domain::dataset::{CheckPlaces, VersionPlaces};
use limn_domain::job::Job;
use limn_domain::{Action, Code, VersionId};
use limn_jobs::NewJob;
use limn_store::repo;
use limn_versions::Hash;

/// A crash in the middle, or a datastore that is away for a while, costs one attempt.
const ATTEMPTS: i64 = 3;

impl Versions {
    /// The datastores that files of a version were left in, and how the last check of them went.
    pub async fn places(&self, actor: &Actor, version: VersionId) -> Result<VersionPlaces> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let places = repo::place::of_version(&mut tx, Hash::from(&found.digest).bytes()).await?;
        let check = match repo::place::check(&mut tx, version).await? {
            Some(id) => repo::job::get(&mut tx, id).await?,
            None => None,
        };
        Ok(VersionPlaces { places, check })
    }

    /// Queues a check of the files that were left in their datastores. The job's result is a [`limn_domain::dataset::CheckReport`].
    pub async fn check(&self, actor: &Actor, version: VersionId, input: CheckPlaces) -> Result<Job> {
        // The way through the tree may be long: not in the one place where everybody writes.
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::AddVersions).await?;
        let places = repo::place::of_version(&mut tx, Hash::from(&found.digest).bytes()).await?;
        drop(tx);
        if places.is_empty() {
            return Err(Error::new(
                Code::WrongState,
                format!(
                    "All files of version {} are in this server's store; there is nothing to check in datastores.",
                    found.number
                ),
            ));
        }
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let found = visible(tx, &actor, version, Action::AddVersions).await?;
                    let name = crate::datasets::visible(tx, &actor, found.dataset_id).await?.name;
                    let payload = check::Payload {
                        version,
                        full: input.full,
                    };
                    let new = NewJob {
                        kind: kind::CHECK,
                        title: format!("Check the files of {name} v{}", found.number),
                        project_id: None,
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
                        dedup_key: Some(format!("check:{version}:{}", input.full)),
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    let job = queue(tx, new, Some(found.dataset_id), now).await?;
                    repo::place::set_check(tx, version, job.id).await?;
                    let summary = format!(
                        "started to check the files of version {} of the dataset “{name}”",
                        found.number
                    );
                    audit::write(tx, &actor, None, "version.check", &summary, now).await?;
                    Ok(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }
}
