//! Files that were fetched lately, with the digest they were asked for by. In memory while small, in temporary files otherwise;
//! what is in use stays until that ends.

use limn_domain::Digest;
use limn_storage::{Source, Staged};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of temporary files that are kept. One larger file is kept alone.
const DISK_MAX: u64 = 4 << 30;
/// Bytes that are kept in memory.
const MEMORY_MAX: u64 = 64 << 20;

struct Held {
    staged: Arc<Staged>,
    on_disk: bool,
    used: u64,
}

pub(super) struct Cache {
    held: HashMap<Digest, Held>,
    /// Counts uses, so that the one longest ago is known.
    tick: u64,
    /// Bytes in memory and on the disk.
    bytes: [u64; 2],
    max: [u64; 2],
}

impl Default for Cache {
    fn default() -> Self {
        Self::of(MEMORY_MAX, DISK_MAX)
    }
}

impl Cache {
    fn of(memory: u64, disk: u64) -> Self {
        Self {
            held: HashMap::new(),
            tick: 0,
            bytes: [0; 2],
            max: [memory, disk],
        }
    }

    pub fn get(&mut self, digest: &Digest) -> Option<Arc<Staged>> {
        self.tick += 1;
        let held = self.held.get_mut(digest)?;
        if let Source::File(path) = held.staged.source()
            && !path.exists()
        {
            // Another process on this data directory took it for what a crash had left.
            self.remove(digest);
            return None;
        }
        held.used = self.tick;
        Some(Arc::clone(&held.staged))
    }

    pub fn has(&self, digest: &Digest) -> bool {
        self.held.contains_key(digest)
    }

    /// Keeps a file, and lets go of those that were used longest ago.
    pub fn put(&mut self, staged: Arc<Staged>) {
        self.tick += 1;
        let digest = staged.digest().clone();
        self.remove(&digest);
        let on_disk = matches!(staged.source(), Source::File(_));
        self.bytes[usize::from(on_disk)] += staged.len();
        let held = Held {
            staged,
            on_disk,
            used: self.tick,
        };
        self.held.insert(digest.clone(), held);
        let class = usize::from(on_disk);
        while self.bytes[class] > self.max[class] {
            let oldest = self
                .held
                .iter()
                .filter(|(d, h)| h.on_disk == on_disk && **d != digest)
                .min_by_key(|(_, h)| h.used)
                .map(|(d, _)| d.clone());
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, digest: &Digest) {
        if let Some(held) = self.held.remove(digest) {
            self.bytes[usize::from(held.on_disk)] -= held.staged.len();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use limn_storage::BlobStore;

    fn staged(store: &BlobStore, seed: u8, len: usize) -> Arc<Staged> {
        let mut writer = store.stage(u64::MAX);
        writer.push(&vec![seed; len]).unwrap();
        Arc::new(writer.finish().unwrap())
    }

    #[test]
    fn what_was_used_longest_ago_goes_and_what_is_in_use_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let mut cache = Cache::of(250, 5 << 20);
        let small: Vec<_> = (0..3).map(|n| staged(&store, n, 100)).collect();
        cache.put(Arc::clone(&small[0]));
        cache.put(Arc::clone(&small[1]));
        assert!(cache.get(small[0].digest()).is_some());
        cache.put(Arc::clone(&small[2]));
        let has: Vec<bool> = small.iter().map(|s| cache.has(s.digest())).collect();
        assert_eq!(has, [true, false, true]);
        // Files are counted apart; one that is larger than all is kept alone.
        let large = staged(&store, 7, 2 << 20);
        let Source::File(path) = large.source() else {
            panic!("two megabytes are in a file")
        };
        cache.put(large);
        let held = cache.get(staged(&store, 7, 2 << 20).digest()).unwrap();
        cache.put(staged(&store, 8, 6 << 20));
        assert_eq!((cache.has(held.digest()), cache.bytes[1]), (false, 6 << 20));
        assert!(path.exists(), "somebody reads it");
        drop(held);
        assert!(!path.exists());
        assert!(cache.has(small[2].digest()));
        // The same again counts once.
        cache.put(staged(&store, 2, 100));
        assert_eq!(cache.bytes[0], 200);
    }
}
