//! Which project a category is of, remembered: a category never moves to another project, so what was read once stays
//! true for as long as the category exists (and the database refuses labels of one that does not).

use crate::{Error, Result};
use limn_domain::{Annotation, CategoryId, ProjectId};
use limn_store::{Tx, repo};
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

/// Most categories remembered; a few megabytes.
const MAX: usize = 100_000;
/// Most categories asked for at once.
const CHUNK: usize = 500;

static KNOWN: LazyLock<RwLock<HashMap<CategoryId, ProjectId>>> = LazyLock::new(Default::default);

/// Checks that the categories of all upserts are the project's.
pub(super) async fn check_categories(tx: &mut Tx, project: ProjectId, upserts: &[Annotation]) -> Result<()> {
    let mut unknown: Vec<CategoryId> = {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        upserts
            .iter()
            .map(|a| a.category_id)
            .filter(|c| known.get(c) != Some(&project))
            .collect()
    };
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort_unstable();
    unknown.dedup();
    learn(tx, &unknown).await?;
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    match upserts
        .iter()
        .position(|a| known.get(&a.category_id) != Some(&project))
    {
        None => Ok(()),
        Some(n) => Err(super::check::at(
            n,
            "category_id",
            "is no category of this project; reload the categories.",
        )),
    }
}

/// Checks that a category is the project's.
pub(crate) async fn require_category(tx: &mut Tx, project: ProjectId, category: CategoryId) -> Result<()> {
    let found = repo::annotation::projects_of(tx, &[category]).await?;
    if found.iter().any(|(_, p)| *p == project) {
        Ok(())
    } else {
        Err(Error::field(
            "category_id",
            "This is no category of the project; reload the categories.",
        ))
    }
}

async fn learn(tx: &mut Tx, categories: &[CategoryId]) -> Result<()> {
    for chunk in categories.chunks(CHUNK) {
        let found = repo::annotation::projects_of(tx, chunk).await?;
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() + found.len() > MAX {
            known.clear();
        }
        known.extend(found);
    }
    Ok(())
}

/// Forgets categories, after the database said that one is gone.
pub(super) fn forget(upserts: &[Annotation]) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for a in upserts {
        known.remove(&a.category_id);
    }
}
