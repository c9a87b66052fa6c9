//! Looking through the files of a version: filters with counts, order, saved views, tags. Answered from an index in memory
//! (`limn_explore`), made by a job and kept in a file that can be deleted at any time; tags are laid over it. The same over the
//! items of a project, in `items`.

pub(crate) mod beside;
pub(crate) mod cache;
pub(crate) mod file_tags;
mod held;
pub(crate) mod index;
pub(crate) mod items;
pub(crate) mod layers;
pub mod map;
pub(crate) mod similar;
mod views;

use crate::jobs::{kind, queue};
use crate::versions::nodes::DbNodes;
use crate::versions::visible;
use crate::{Actor, Context, Error, Result};
use anyhow::{Context as _, anyhow};
use limn_domain::dataset::Version;
use limn_domain::explore::{ExploreAnswer, ExploreFilter, ExplorePage, ExploreQuery, ROWS_MAX};
use limn_domain::job::Job;
use limn_domain::{Action, VersionId};
use limn_explore::{Bits, Wanted};
use limn_jobs::{NewJob, Permanent};
use limn_store::{Tx, repo};
use limn_versions::{Entry, Reader};
use serde::{Deserialize, Serialize};
use similar::Far;
use std::collections::BTreeMap;
use std::sync::Arc;

const LIMIT_DEFAULT: i64 = 60;
/// Values and bounds of a filter, and bytes of each of its texts.
const FILTER_MAX: usize = 2_000;
/// Facets and columns of a filter: each takes a set of all rows while a question is answered.
const PARTS_MAX: usize = 100;
/// A crash in the middle costs one attempt.
const ATTEMPTS: i64 = 3;

/// What the jobs are given that work something out of all files of a version.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Payload {
    version: VersionId,
}

impl Payload {
    /// The version that a job is about.
    async fn version(ctx: &Context, payload: serde_json::Value) -> anyhow::Result<Version> {
        let payload: Self =
            serde_json::from_value(payload).context("The settings of the job cannot be read")?;
        let mut tx = ctx.db.read().await?;
        let found = repo::version::get(&mut tx, payload.version).await?;
        found.ok_or_else(|| Permanent("The version was deleted.".to_owned()).into())
    }
}

#[derive(Clone)]
pub struct Explore(pub(crate) Context);

impl Explore {
    /// A page of the files that pass a filter; while the version is being indexed, the job that does it. Where files are to come in the
    /// order of likeness and nobody has looked at them yet, the page in its other order, and the job that looks.
    pub async fn page(
        &self,
        actor: &Actor,
        version: VersionId,
        query: ExploreQuery,
    ) -> Result<ExploreAnswer> {
        check(&query)?;
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let Some(index) = self.0.indexes.get(version).await? else {
            drop(tx);
            return Ok(ExploreAnswer {
                page: None,
                job: Some(self.prepare(&found).await?),
            });
        };
        let tags = self.0.layers.over(&mut tx, &found, &index).await?;
        drop(tx);
        let (mut near, mut job) = (None, None);
        if let Some(path) = &query.like {
            match self.distances(&found, &index, path).await? {
                Far::Known(far) => near = Some(Arc::new(far)),
                Far::Waits(waits) => job = Some(*waits),
            }
        }
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, ROWS_MAX) as usize;
        let (asked, layer, order) = (query.clone(), Arc::clone(&tags), near.clone());
        let (index, answer) = tokio::task::spawn_blocking(move || {
            let wanted = Wanted {
                sort: asked.sort.as_deref(),
                descending: asked.descending,
                offset: usize::try_from(asked.offset).unwrap_or(0),
                limit,
                counts: !asked.rows_only,
                near: order.as_deref().map(Vec::as_slice),
            };
            let answer = index.answer(std::slice::from_ref(&*layer), &asked.filter, &wanted);
            (index, answer)
        })
        .await
        .map_err(anyhow::Error::from)?;
        let answer = answer.map_err(|e| Error::field("filter", e))?;
        let keys: Vec<String> = answer.rows.iter().map(|r| index.key(*r).to_owned()).collect();
        let mut tx = self.0.db.read().await?;
        let rows = entries(&mut tx, &found, &keys).await?;
        let rows = crate::versions::files::show(&mut tx, rows, true).await?;
        let (mut named, mut distances) = (BTreeMap::new(), BTreeMap::new());
        for (row, file) in answer.rows.iter().zip(&rows) {
            let far = near.as_ref().and_then(|n| n.get(*row)).filter(|d| !d.is_nan());
            if let Some(far) = far {
                distances.insert(file.path.clone(), *far);
            }
            let has: Vec<String> = tags.of(*row).map(str::to_owned).collect();
            if !has.is_empty() {
                named.insert(file.path.clone(), has);
            }
        }
        Ok(ExploreAnswer {
            page: Some(ExplorePage {
                total: index.rows() as i64,
                matched: answer.matched as i64,
                facets: answer.facets,
                columns: answer.columns,
                rows,
                tags: named,
                distances,
            }),
            job,
        })
    }

    /// Queues the indexing of a version, once.
    async fn prepare(&self, version: &Version) -> Result<Job> {
        self.start(version, kind::EXPLORE, "Index").await
    }

    /// Queues a job that works something out of all files of a version, once. `what` comes before the version's name.
    async fn start(&self, version: &Version, kind: &'static str, what: &'static str) -> Result<Job> {
        let (version, now) = (version.clone(), self.0.now());
        let job = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let dataset = repo::dataset::get(tx, version.dataset_id, None)
                        .await?
                        .ok_or_else(|| Error::not_found("dataset"))?;
                    let new = NewJob {
                        kind,
                        title: format!("{what} {} v{}", dataset.name, version.number),
                        project_id: None,
                        created_by: None,
                        payload: serde_json::to_value(Payload { version: version.id })
                            .map_err(anyhow::Error::from)?,
                        dedup_key: Some(format!("{kind}:{}", version.id)),
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    queue(tx, new, Some(version.dataset_id), now).await
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }
}

/// The files of a version that pass, by the place of each in the order of paths. For jobs: a version that is not indexed is indexed
/// first, which may take minutes.
pub(crate) async fn passing(ctx: &Context, version: &Version, filter: &ExploreFilter) -> Result<Bits> {
    let index = match ctx.indexes.get(version.id).await? {
        Some(index) => index,
        None => index::build(ctx, version, None).await?,
    };
    let tags = ctx
        .layers
        .over(&mut ctx.db.read().await?, version, &index)
        .await?;
    let filter = filter.clone();
    let bits = tokio::task::spawn_blocking(move || index.passing(std::slice::from_ref(&*tags), &filter))
        .await
        .map_err(anyhow::Error::from)?;
    bits.map_err(|e| Error::field("filter", e))
}

/// Checks what comes from outside for its size.
pub(crate) fn check(query: &ExploreQuery) -> Result<()> {
    let f = &query.filter;
    let values: usize = f.facets.values().map(Vec::len).sum();
    let facets = f
        .facets
        .iter()
        .flat_map(|(name, values)| values.iter().chain([name]));
    let texts = facets.chain(f.ranges.keys()).chain([&f.text]);
    let mut texts = texts.chain(&query.like).chain(&query.sort);
    if values + f.facets.len() + f.ranges.len() > FILTER_MAX || texts.any(|t| t.len() > FILTER_MAX) {
        return Err(Error::field(
            "filter",
            format!("A filter has at most {FILTER_MAX} values, and as many bytes in each."),
        ));
    }
    if f.facets.len() + f.ranges.len() > PARTS_MAX {
        return Err(Error::field(
            "filter",
            format!("Filter by at most {PARTS_MAX} facets and numbers at once."),
        ));
    }
    Ok(())
}

async fn entries(tx: &mut Tx, version: &Version, keys: &[String]) -> Result<Vec<Entry>> {
    let root = crate::versions::files::root(tx, version).await?;
    let mut nodes = DbNodes::new(tx);
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let entry = Reader::find(&mut nodes, &root.files, key).await?;
        found.push(
            entry.ok_or_else(|| anyhow!("the index names the file `{key}`, which is not in the version"))?,
        );
    }
    Ok(found)
}
