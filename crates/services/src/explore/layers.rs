//! Tags as a facet over indexes: read where a tag has changed, held as sets of rows while versions are looked at.

use crate::Result;
use limn_domain::dataset::Version;
use limn_domain::file_tag::{FACET, NO_TAG};
use limn_domain::{FileTagId, VersionId};
use limn_explore::{Index, Layer, RowSet};
use limn_store::{Tx, repo};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of sets that stay in memory; those of one version stay alone when they are more.
const HELD: usize = 128 << 20;

/// The tags over one version.
#[derive(Debug)]
struct Held {
    /// Which tags at which revisions.
    stamp: Vec<(FileTagId, i64)>,
    sets: HashMap<FileTagId, (i64, Arc<RowSet>)>,
    layer: Arc<Layer>,
    bytes: usize,
}

type List = Vec<(VersionId, Arc<Held>)>;

/// The layers that are held in memory.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    /// Used last, last.
    held: Arc<Mutex<List>>,
}

impl Layers {
    /// The tags over a version's index, as the transaction sees them.
    pub async fn over(&self, tx: &mut Tx, version: &Version, index: &Arc<Index>) -> Result<Arc<Layer>> {
        let tags = repo::file_tag::list(tx, version.dataset_id).await?;
        let stamp: Vec<_> = tags.iter().map(|t| (t.tag.id, t.revision)).collect();
        let held = self.get(version.id);
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
        let answer = Arc::clone(&layer);
        self.hold(
            version.id,
            Held {
                stamp,
                sets,
                layer,
                bytes,
            },
        );
        Ok(answer)
    }

    fn get(&self, version: VersionId) -> Option<Arc<Held>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|(v, _)| *v == version)?;
        let found = held.remove(at);
        let answer = Arc::clone(&found.1);
        held.push(found);
        Some(answer)
    }

    fn hold(&self, version: VersionId, new: Held) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(v, _)| *v != version);
        held.push((version, Arc::new(new)));
        let mut bytes = 0;
        let kept = held.iter().rev().take_while(|(_, h)| {
            bytes += h.bytes;
            bytes <= HELD
        });
        let kept = kept.count().max(1);
        let gone = held.len() - kept;
        held.drain(..gone);
    }
}
