//! The folders `ab/cd` that blobs lie in, and which of them are known to be on the disk by their own names.

use crate::Result;
use crate::blob::sync_dir;
use limn_domain::Digest;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What this process has flushed. That a folder is there says nothing: whoever made it may not have flushed its name yet.
#[derive(Debug, Default)]
pub(crate) struct Folders(Mutex<Flushed>);

#[derive(Debug, Default)]
struct Flushed {
    /// Names `ab` in the root.
    tops: HashSet<u8>,
    /// Names `cd` in `ab`.
    pairs: HashSet<u16>,
}

impl Folders {
    fn flushed(&self) -> MutexGuard<'_, Flushed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the folder of a blob where there is none.
    pub fn make(&self, dir: &Path, digest: &Digest) -> Result<()> {
        if dir.exists() {
            return Ok(());
        }
        let has_top = dir.parent().is_some_and(Path::exists);
        let mut flushed = self.flushed();
        // Somebody may have taken away what was there.
        flushed.pairs.remove(&pair(digest));
        if !has_top {
            flushed.tops.remove(&top(pair(digest)));
        }
        drop(flushed);
        std::fs::create_dir_all(dir)?;
        Ok(())
    }

    /// Makes the names of the folders of these blobs durable, each folder above them flushed once.
    pub fn flush(&self, root: &Path, digests: &[Digest]) -> Result<()> {
        let new: BTreeSet<u16> = {
            let flushed = self.flushed();
            let pairs = digests.iter().map(pair);
            pairs.filter(|p| !flushed.pairs.contains(p)).collect()
        };
        let tops: BTreeSet<u8> = new.iter().copied().map(top).collect();
        for top in &tops {
            sync_dir(&root.join(format!("{top:02x}")))?;
        }
        let is_new = {
            let flushed = self.flushed();
            tops.iter().any(|t| !flushed.tops.contains(t))
        };
        if is_new {
            sync_dir(root)?;
        }
        let mut flushed = self.flushed();
        flushed.pairs.extend(new);
        flushed.tops.extend(tops);
        Ok(())
    }

    /// Notes that the names of the folders of these blobs were flushed in another way.
    pub fn note(&self, digests: &[Digest]) {
        let mut flushed = self.flushed();
        for digest in digests {
            flushed.pairs.insert(pair(digest));
            flushed.tops.insert(top(pair(digest)));
        }
    }
}

/// The first four digits, that name both folders.
fn pair(digest: &Digest) -> u16 {
    // A digest is 64 hexadecimal digits by construction.
    u16::from_str_radix(&digest.as_str()[..4], 16).unwrap_or_default()
}

const fn top(pair: u16) -> u8 {
    (pair >> 8) as u8
}
