//! Many blobs at once: the same promises as one by one, with fewer flushes.

use crate::blob::{There, young};
use crate::pool::blocking;
use crate::remote;
use crate::whole::Whole;
use crate::{BlobStore, Result, Staged, StorageError, Stored};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use limn_domain::Digest;
use std::collections::HashSet;
use std::sync::Arc;

/// From so many on the whole file system is flushed instead of each of them.
const WORTH: usize = 32;
/// Otherwise so many are flushed at once, as disks take flushes together.
const THREADS: usize = 16;
/// Objects asked for at once.
const ASKED: usize = 8;

impl BlobStore {
    /// Puts staged bytes in their places, in their order; all of them are durable when it returns. On an error some may be there.
    ///
    /// A blob alone costs up to four flushes: its bytes, its folder, and the names of a new folder. Here all bytes are flushed
    /// together, then all names.
    pub async fn commit_many(&self, staged: Vec<Staged>) -> Result<Vec<Stored>> {
        if self.is_remote() {
            let mut stored = Vec::with_capacity(staged.len());
            for one in staged {
                stored.push(self.commit(one).await?);
            }
            return Ok(stored);
        }
        if staged.is_empty() {
            return Ok(Vec::new());
        }
        let this = self.clone();
        blocking(move || this.commit_many_blocking(staged)).await
    }

    fn commit_many_blocking(&self, mut staged: Vec<Staged>) -> Result<Vec<Stored>> {
        if staged.len() >= WORTH
            && let Some(whole) = Whole::of(self.root())
        {
            return self.commit_together(&whole, staged);
        }
        let most = staged.len().div_ceil(THREADS).max(1);
        let mut shares = Vec::new();
        while !staged.is_empty() {
            let rest = staged.split_off(most.min(staged.len()));
            shares.push(std::mem::replace(&mut staged, rest));
        }
        std::thread::scope(|scope| {
            let mut working = Vec::with_capacity(shares.len());
            for share in shares {
                working.push(scope.spawn(move || {
                    let stored = share.into_iter().map(|one| self.commit_blocking(one));
                    stored.collect::<Result<Vec<Stored>>>()
                }));
            }
            let mut stored = Vec::new();
            for share in working {
                stored.extend(share.join().map_err(|_| StorageError::Stopped)??);
            }
            Ok::<_, StorageError>(stored)
        })
    }

    /// Bytes first, then names: whatever has its name is whole on the disk, wherever this stops.
    fn commit_together(&self, whole: &Whole, staged: Vec<Staged>) -> Result<Vec<Stored>> {
        let mut stored = Vec::with_capacity(staged.len());
        let (mut fresh, mut just) = (Vec::new(), false);
        {
            let _lock = self.lock_shared()?;
            let mut seen = HashSet::with_capacity(staged.len());
            for Staged { digest, len, held } in staged {
                let is_first = seen.insert(digest.clone());
                let there = if is_first {
                    young(&self.path(&digest), Some(len))?
                } else {
                    There::Yes
                };
                just |= there == There::Just;
                let is_new = there == There::No;
                if is_new {
                    fresh.push((digest.clone(), held));
                }
                stored.push(Stored { digest, len, is_new });
            }
        }
        let mut written = Vec::with_capacity(fresh.len());
        for (digest, held) in fresh {
            let (temp, _) = held.into_file(self.temp())?;
            written.push((digest, temp));
        }
        if !written.is_empty() {
            whole.flush()?;
        }
        let mut named = Vec::with_capacity(written.len());
        for (digest, temp) in written {
            let path = self.path(&digest);
            if let Some(dir) = path.parent() {
                self.folders().make(dir, &digest)?;
            }
            temp.persist(&path)?;
            named.push(digest);
        }
        if just || !named.is_empty() {
            whole.flush()?;
            self.folders().note(&named);
        }
        Ok(stored)
    }

    /// Whether these are there with so many bytes, in their order. Unlike [`Self::renew`] it keeps no clean-up from them: for blobs that
    /// something refers to already.
    pub async fn are_there(&self, blobs: Vec<(Digest, u64)>) -> Result<Vec<bool>> {
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(remote) = self.remote() {
            let objects = Arc::clone(&remote.objects);
            let asked = futures::stream::iter(blobs).map(move |(digest, len)| {
                let objects = Arc::clone(&objects);
                async move {
                    let found = objects.stat(&remote::key(&digest)).await?;
                    Ok::<bool, StorageError>(found.is_some_and(|(there, _)| there == len))
                }
                .boxed()
            });
            return asked.buffered(ASKED).try_collect().await;
        }
        let this = self.clone();
        blocking(move || {
            let found = blobs
                .iter()
                .map(|(digest, len)| match std::fs::metadata(this.path(digest)) {
                    Ok(meta) => Ok(meta.len() == *len),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
                    Err(e) => Err(StorageError::from(e)),
                });
            found.collect()
        })
        .await
    }
}
