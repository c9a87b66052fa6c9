//! Labels per category. Counting a million takes a while, and every label page asks for it: counts are kept while
//! nothing has changed, and where counting is slow, for some multiple of the time it took.

use crate::Result;
use limn_domain::{CategoryId, ProjectId};
use limn_store::{Tx, repo};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Labels and items, by category.
type Counts = HashMap<CategoryId, (i64, i64)>;

/// Counting that takes less than this is done anew whenever something has changed.
const QUICK: Duration = Duration::from_millis(40);
/// Slow counts stand for this many times what they took.
const SHARE: u32 = 20;
/// Projects whose counts are kept.
const KEPT: usize = 256;

struct Entry {
    mark: (i64, i64),
    counts: Arc<Counts>,
    at: Instant,
    took: Duration,
}

/// By project; ids are unique across databases.
static CACHE: LazyLock<Mutex<HashMap<ProjectId, Entry>>> = LazyLock::new(Mutex::default);

/// The counts of a project, as of a moment ago where they are many.
pub(super) async fn of(tx: &mut Tx, project: ProjectId) -> Result<Arc<Counts>> {
    let mark = repo::category::counts_mark(tx, project).await?;
    if let Some(entry) = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(&project) {
        let young = entry.took > QUICK && entry.at.elapsed() < entry.took * SHARE;
        if entry.mark == mark || young {
            return Ok(entry.counts.clone());
        }
    }
    let begun = Instant::now();
    let counts = Arc::new(repo::category::counts(tx, project).await?);
    let entry = Entry {
        mark,
        counts: counts.clone(),
        at: Instant::now(),
        took: begun.elapsed(),
    };
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= KEPT {
        cache.clear();
    }
    cache.insert(project, entry);
    Ok(counts)
}

/// Forgets the counts of a project whose categories were merged or removed.
pub(super) fn forget(project: ProjectId) {
    CACHE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&project);
}
