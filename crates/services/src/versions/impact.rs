//! Deleting versions, and what that frees.

use super::{Versions, visible};
use crate::{Actor, Error, Result, audit};
use limn_domain::dataset::{LATEST, LineageNode, Version, VersionImpact};
use limn_domain::{Action, Code, VersionId};
use limn_store::repo::object::ObjectId;
use limn_store::{Tx, repo};
use limn_versions::Hash;
use std::collections::{HashMap, HashSet};

impl Versions {
    /// What deleting a version would free, and what stands in the way.
    pub async fn impact(&self, actor: &Actor, version: VersionId) -> Result<VersionImpact> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ManageDataset).await?;
        let digest = *Hash::from(&found.digest).bytes();
        let own = only_of(&mut tx, digest).await?;
        let blobs = repo::object::own_blobs(&mut tx, &own).await?;
        let objects = repo::object::sizes(&mut tx, &own).await?;
        Ok(VersionImpact {
            frees_bytes: objects + blobs.iter().map(|(_, size)| size).sum::<i64>(),
            frees_files: blobs.len() as i64,
            aliases: pinned(&found),
            used_by: used_by(&mut tx, version).await?,
        })
    }

    /// Deletes a version. Errors: `WrongState` while an alias points to it, or while something was made from it and
    /// `even_if_used` is not set.
    pub async fn delete(&self, actor: &Actor, version: VersionId, even_if_used: bool) -> Result<()> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = visible(tx, &actor, version, Action::ManageDataset).await?;
                    repo::dataset::lock(tx, found.dataset_id, now).await?;
                    let found = visible(tx, &actor, found.id, Action::ManageDataset).await?;
                    let aliases = pinned(&found);
                    if !aliases.is_empty() {
                        return Err(Error::new(
                            Code::WrongState,
                            format!(
                                "Version {} is {}; point the alias to another version, or remove it, first.",
                                found.number,
                                aliases.join(" and ")
                            ),
                        ));
                    }
                    let used = used_by(tx, version).await?;
                    if !used.is_empty() && !even_if_used {
                        return Err(Error::new(
                            Code::WrongState,
                            format!(
                                "Version {} is where {} came from. Delete it with `even_if_used` when that need not be reproduced.",
                                found.number,
                                used.join(", ")
                            ),
                        ));
                    }
                    repo::version::delete(tx, version).await?;
                    let name = crate::datasets::visible(tx, &actor, found.dataset_id).await?.name;
                    let summary = format!("deleted version {} of the dataset “{name}”", found.number);
                    audit::write(tx, &actor, None, "version.delete", &summary, now).await
                })
            })
            .await
    }
}

/// The aliases that people gave.
fn pinned(version: &Version) -> Vec<String> {
    version.aliases.iter().filter(|a| *a != LATEST).cloned().collect()
}

/// What was made from a version and is still there, in words.
async fn used_by(tx: &mut Tx, version: VersionId) -> Result<Vec<String>> {
    let readers = repo::run::readers(tx, version, 20).await?;
    Ok(repo::lineage::from_version(tx, version)
        .await?
        .into_iter()
        .filter_map(|e| match e.to {
            LineageNode::Version {
                version_id: Some(_),
                name,
                ..
            } => Some(name),
            LineageNode::Project {
                project_id: Some(_),
                name,
            } => Some(format!("the project {name}")),
            _ => None,
        })
        .chain(readers)
        .collect())
}

/// The objects that only one version of this digest holds: level by level from the root, those that nothing else names.
/// A tree's node stands below nodes of one level, so whoever names it has been judged before.
async fn only_of(tx: &mut Tx, root: ObjectId) -> Result<Vec<ObjectId>> {
    if repo::version::same_content(tx, &root).await? > 1 {
        return Ok(Vec::new());
    }
    let mut free: HashSet<ObjectId> = HashSet::from([root]);
    let mut level = vec![root];
    while !level.is_empty() {
        let children = repo::object::children(tx, &level).await?;
        let mut named: HashMap<ObjectId, bool> = children.iter().map(|c| (*c, true)).collect();
        for (parent, child) in repo::object::parents(tx, &children).await? {
            if !free.contains(&parent) {
                named.insert(child, false);
            }
        }
        level = named
            .into_iter()
            .filter(|(_, free)| *free)
            .map(|(c, _)| c)
            .collect();
        level.sort_unstable();
        level.retain(|c| free.insert(*c));
    }
    Ok(free.into_iter().collect())
}
