//! Which local copies of blobs there are, and which was used when: what is used last stays longest.

use limn_domain::Digest;
use std::collections::{BTreeMap, HashMap};

/// Bounded by bytes. Knows nothing of the disk.
#[derive(Debug)]
pub(crate) struct Cache {
    limit: u64,
    used: u64,
    now: u64,
    /// Length and last use.
    files: HashMap<Digest, (u64, u64)>,
    by_use: BTreeMap<u64, Digest>,
}

impl Cache {
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            used: 0,
            now: 0,
            files: HashMap::new(),
            by_use: BTreeMap::new(),
        }
    }

    /// Notes a use.
    pub fn touch(&mut self, digest: &Digest) {
        let Some((_, last)) = self.files.get_mut(digest) else {
            return;
        };
        self.now += 1;
        let before = std::mem::replace(last, self.now);
        if let Some(digest) = self.by_use.remove(&before) {
            self.by_use.insert(self.now, digest);
        }
    }

    /// Notes a copy that has come. Answers those that have to go for it; a copy larger than the bound stays alone.
    pub fn add(&mut self, digest: &Digest, len: u64) -> Vec<Digest> {
        self.forget(digest);
        self.now += 1;
        self.used += len;
        self.files.insert(digest.clone(), (len, self.now));
        self.by_use.insert(self.now, digest.clone());
        let mut gone = Vec::new();
        while self.used > self.limit && self.by_use.len() > 1 {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                break;
            };
            if let Some((len, _)) = self.files.remove(&oldest) {
                self.used -= len;
            }
            gone.push(oldest);
        }
        gone
    }

    /// Notes that a copy is gone.
    pub fn forget(&mut self, digest: &Digest) {
        if let Some((len, last)) = self.files.remove(digest) {
            self.used -= len;
            self.by_use.remove(&last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        Digest::parse(&format!("{n:02x}").repeat(32)).expect("a digest")
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = Cache::new(100);
        assert!(cache.add(&digest(1), 40).is_empty());
        assert!(cache.add(&digest(2), 40).is_empty());
        cache.touch(&digest(1));
        assert_eq!(cache.add(&digest(3), 40), [digest(2)]);
        // The same once more is no second one.
        assert!(cache.add(&digest(3), 40).is_empty());
        cache.forget(&digest(1));
        cache.forget(&digest(1));
        assert!(cache.add(&digest(4), 60).is_empty());
        // One that is too large drives out all others, and stays.
        assert_eq!(cache.add(&digest(5), 1_000), [digest(3), digest(4)]);
        cache.touch(&digest(9));
        assert_eq!(cache.add(&digest(6), 1), [digest(5)]);
    }
}
