//! Tags as a facet over indexes: read where a tag has changed, held as sets of rows while versions are looked at.

use super::held::Held;
use crate::Result;
use limn_domain::dataset::Version;
use limn_domain::file_tag::{FACET, NO_TAG};
use limn_domain::{FileTagId, VersionId};
use limn_explore::{Index, Layer, RowSet};
use limn_store::{Tx, repo};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of sets that stay in memory; those of one version stay alone when they are more.
const HELD: usize = 128 << 20;

/// The tags over one version.
#[derive(Debug)]
struct Over {
    /// Which tags at which revisions.
    stamp: Vec<(FileTagId, i64)>,
    sets: HashMap<FileTagId, (i64, Arc<RowSet>)>,
    layer: Arc<Layer>,
    bytes: usize,
}

/// The layers that are held in memory.
#[derive(Clone)]
pub(crate) struct Layers {
    held: Held<VersionId, Arc<Over>>,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            held: Held::new(HELD, |over: &Arc<Over>| over.bytes),
        }
    }
}

impl Layers {
    /// The tags over a version's index, as the transaction sees them.
    pub async fn over(&self, tx: &mut Tx, version: &Version, index: &Arc<Index>) -> Result<Arc<Layer>> {
        let tags = repo::file_tag::list(tx, version.dataset_id).await?;
        let stamp: Vec<_> = tags.iter().map(|t| (t.tag.id, t.revision)).collect();
        let held = self.held.get(&version.id);
        if let Some(held) = held.as_ref().filter(|h| h.stamp == stamp) {
            return Ok(Arc::clone(&held.layer));
        }
        let mut sets = HashMap::with_capacity(tags.len());
        let mut values = Vec::with_capacity(tags.len());
        for t in tags {
            let known = held.as_ref().and_then(|h| h.sets.get(&t.tag.id));
            let set = if let Some((_, set)) = known.filter(|(revision, _)| *revision == t.revision) {
                Arc::clone(set)
            } else {
                let keys = repo::file_tag::keys(tx, t.tag.id).await?;
                let index = Arc::clone(index);
                let found = tokio::task::spawn_blocking(move || index.rows_with(&keys));
                Arc::new(found.await.map_err(anyhow::Error::from)?)
            };
            values.push((t.tag.name, Arc::clone(&set)));
            sets.insert(t.tag.id, (t.revision, set));
        }
        let rows = index.rows();
        let layer = tokio::task::spawn_blocking(move || Layer::new(FACET, "Tag", rows, values, NO_TAG));
        let layer = Arc::new(layer.await.map_err(anyhow::Error::from)?);
        let bytes = layer.size() + sets.values().map(|(_, set)| set.size()).sum::<usize>();
        let over = Over {
            stamp,
            sets,
            layer,
            bytes,
        };
        Ok(Arc::clone(&self.held.put(version.id, Arc::new(over)).layer))
    }
}
