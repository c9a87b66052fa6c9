//! Blobs in an object store: `blobs/<digest>`, with copies on the disk where code needs a file. Beside them lie, under
//! `shared/`, the files that one process makes and another needs: parts of uploads, exports, indexes, tiles.

use crate::blob::BlobStore;
use crate::cache::Cache;
use crate::objects::{Body, Holds, Objects};
use crate::pool::blocking;
use crate::staged::{Held, StageWriter, Staged, TempFile};
use crate::{Result, StorageError, Stored};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use limn_domain::Digest;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// A transfer that took less is over before a hold on the blob can have run out.
const SURE: Duration = Duration::from_mins(10);
/// Times a copy is fetched anew that broke off, or was driven out before it was opened.
const TRIES: u32 = 3;
/// Bytes gathered before a blocking thread is asked to write them.
const CHUNK: usize = 1 << 20;

type FetchLock = tokio::sync::Mutex<()>;

/// What a store in objects has beside its folder, which holds the copies.
#[derive(Debug)]
pub(crate) struct Remote {
    pub objects: Arc<dyn Objects>,
    pub holds: Arc<dyn Holds>,
    pub cache: Mutex<Cache>,
    /// One fetch of each blob at a time.
    fetching: Mutex<HashMap<Digest, Weak<FetchLock>>>,
    /// Where requests run for threads that block.
    pub runtime: Handle,
}

pub(crate) fn key(digest: &Digest) -> String {
    format!("blobs/{digest}")
}

pub(crate) fn shared_key(name: &str) -> String {
    format!("shared/{name}")
}

impl Remote {
    /// Must be called in a runtime.
    pub fn new(objects: Arc<dyn Objects>, holds: Arc<dyn Holds>, cache: Cache) -> Self {
        Self {
            objects,
            holds,
            cache: Mutex::new(cache),
            fetching: Mutex::default(),
            runtime: Handle::current(),
        }
    }

    pub fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch_lock(&self, digest: &Digest) -> Arc<FetchLock> {
        let mut all = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = all.get(digest).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(FetchLock::new(()));
        all.insert(digest.clone(), Arc::downgrade(&lock));
        lock
    }

    /// Holds a blob. Answers whether it is there.
    pub async fn renew(&self, digest: &Digest) -> Result<bool> {
        self.holds.hold(digest).await?;
        Ok(self.objects.stat(&key(digest)).await?.is_some())
    }

    /// Writes a blob unless it is there. Answers whether it was not.
    async fn put(&self, digest: &Digest, len: u64, body: &Body) -> Result<bool> {
        let key = key(digest);
        let mut is_new = false;
        loop {
            self.holds.hold(digest).await?;
            let there = self.objects.stat(&key).await?;
            if there.is_some_and(|(there, _)| there == len) {
                return Ok(is_new);
            }
            let begun = Instant::now();
            self.objects.put(&key, body.clone()).await?;
            is_new = true;
            if begun.elapsed() < SURE {
                return Ok(true);
            }
        }
    }
}

impl BlobStore {
    /// Commits to the object store; whole and there for every process when it returns.
    pub(crate) async fn commit_remote(&self, remote: &Remote, staged: Staged) -> Result<Stored> {
        let (digest, len) = (staged.digest.clone(), staged.len);
        let body = match &staged.held {
            Held::Memory(bytes) => Body::Bytes(bytes.clone()),
            Held::File(temp, _) => Body::File(temp.path().to_owned()),
        };
        let is_new = remote.put(&digest, len, &body).await?;
        // Somebody is about to look at what has just come.
        if let Err(e) = self.keep_here(staged).await {
            tracing::warn!(%digest, error = %e, "no copy of a blob was kept");
        }
        Ok(Stored { digest, len, is_new })
    }

    async fn keep_here(&self, staged: Staged) -> Result<()> {
        let this = self.clone();
        blocking(move || match this.remote() {
            Some(remote) => this.keep(remote, staged),
            None => Ok(()),
        })
        .await
    }

    /// Puts a copy into its place, and drives out others for it. Blocking.
    fn keep(&self, remote: &Remote, staged: Staged) -> Result<()> {
        let Staged { digest, len, held } = staged;
        let path = self.path(&digest);
        let (temp, file) = held.into_file(self.temp())?;
        // A copy that a power cut left short would be taken for the whole.
        file.sync_all()?;
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        temp.persist(&path)?;
        let gone = remote.cache().add(&digest, len);
        for digest in gone {
            drop(std::fs::remove_file(self.path(&digest)));
        }
        Ok(())
    }

    /// Has a copy on the disk, for a moment at least. Errors: [`StorageError::NotFound`].
    pub(crate) async fn fetch(&self, remote: &Remote, digest: &Digest) -> Result<()> {
        let lock = remote.fetch_lock(digest);
        let _one = lock.lock().await;
        let path = self.path(digest);
        if tokio::fs::try_exists(&path).await? {
            return Ok(());
        }
        let mut tries = 1;
        loop {
            match self.fetch_once(remote, digest).await {
                Err(e) if e.is_away() && tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    async fn fetch_once(&self, remote: &Remote, digest: &Digest) -> Result<()> {
        let pieces = remote.objects.read(&key(digest), 0..u64::MAX).await?;
        let staged = gather(self.stage(u64::MAX), pieces).await?;
        if staged.digest() != digest {
            return Err(StorageError::Io(std::io::Error::other(format!(
                "the object {} holds other bytes than its name says",
                key(digest)
            ))));
        }
        self.keep_here(staged).await
    }

    /// Opens the copy, fetching it when there is none. Blocking.
    pub(crate) fn open_copy(&self, remote: &Remote, digest: &Digest) -> Result<File> {
        let path = self.path(digest);
        for _ in 0..TRIES {
            match File::open(&path) {
                Ok(file) => {
                    remote.cache().touch(digest);
                    return Ok(file);
                }
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    remote.runtime.block_on(self.fetch(remote, digest))?;
                }
                Err(e) => return Err(e.into()),
            }
        }
        Err(StorageError::Io(std::io::Error::other(
            "copies of blobs are driven out before they are opened; raise storage.cache_gb",
        )))
    }

    /// Whether the blobs lie in an object store, so that other processes need not see this one's folders.
    pub fn is_remote(&self) -> bool {
        self.remote().is_some()
    }

    /// Gives a finished file to the other processes under a name. Nothing to do where they see the same folders.
    pub async fn share(&self, name: &str, path: &Path) -> Result<()> {
        let Some(remote) = self.remote() else {
            return Ok(());
        };
        let body = Body::File(path.to_owned());
        remote.objects.put(&shared_key(name), body).await
    }

    /// The same of bytes in memory.
    pub async fn share_bytes(&self, name: &str, bytes: Bytes) -> Result<()> {
        let Some(remote) = self.remote() else {
            return Ok(());
        };
        remote.objects.put(&shared_key(name), Body::Bytes(bytes)).await
    }

    /// Brings a file that a process has shared to `path`. Answers whether there is one.
    pub async fn obtain(&self, name: &str, path: &Path) -> Result<bool> {
        self.obtain_all(&[name.to_owned()], path).await
    }

    /// The same of several, one behind the other in one file; false when one of them is missing.
    pub async fn obtain_all(&self, names: &[String], path: &Path) -> Result<bool> {
        let Some(remote) = self.remote() else {
            return Ok(false);
        };
        let keys: Vec<String> = names.iter().map(|n| shared_key(n)).collect();
        let objects = Arc::clone(&remote.objects);
        let parts = futures::stream::iter(keys).then(move |key| {
            let objects = Arc::clone(&objects);
            async move { objects.read(&key, 0..u64::MAX).await }
        });
        let pieces = parts.flat_map(|part| match part {
            Ok(pieces) => pieces,
            Err(e) => futures::stream::once(async move { Err(e) }).boxed(),
        });
        let temp = match spool(self.temp().to_owned(), pieces).await {
            Ok(temp) => temp,
            Err(StorageError::NotFound) => return Ok(false),
            Err(e) => return Err(e),
        };
        let path = path.to_owned();
        blocking(move || {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir)?;
            }
            temp.persist(&path)
        })
        .await?;
        Ok(true)
    }

    /// What names the content that is shared under a name; `None` when there is none, or nothing is shared this way.
    pub async fn shared_tag(&self, name: &str) -> Result<Option<String>> {
        let Some(remote) = self.remote() else {
            return Ok(None);
        };
        let found = remote.objects.stat(&shared_key(name)).await?;
        Ok(found.map(|(_, tag)| tag))
    }

    /// Bytes of what is shared under a name; `None` as above.
    pub async fn shared_len(&self, name: &str) -> Result<Option<u64>> {
        let Some(remote) = self.remote() else {
            return Ok(None);
        };
        let found = remote.objects.stat(&shared_key(name)).await?;
        Ok(found.map(|(len, _)| len))
    }

    /// An address where whoever has it can share `len` bytes under this one name for a while; `None` where nothing is shared
    /// this way, or links are switched off.
    pub fn upload_link(&self, name: &str, len: u64) -> Option<String> {
        self.remote()?.objects.upload_link(&shared_key(name), len)
    }

    /// Takes a shared file away; nothing happens when there is none.
    pub async fn unshare(&self, name: &str) -> Result<()> {
        match self.remote() {
            Some(remote) => remote.objects.delete(&shared_key(name)).await,
            None => Ok(()),
        }
    }

    /// The names of shared files that begin so.
    pub async fn shared_names(&self, prefix: &str) -> Result<Vec<String>> {
        self.shared_older(prefix, Duration::ZERO).await
    }

    /// The same of those that were written that long ago at least.
    pub async fn shared_older(&self, prefix: &str, life: Duration) -> Result<Vec<String>> {
        let Some(remote) = self.remote() else {
            return Ok(Vec::new());
        };
        let (mut names, mut page) = (Vec::new(), None);
        loop {
            let found = remote.objects.list(&shared_key(prefix), page.as_deref()).await?;
            let old = found.objects.iter().filter(|o| o.age >= life);
            let keys = old.filter_map(|o| o.key.strip_prefix("shared/"));
            names.extend(keys.map(str::to_owned));
            page = found.next;
            if page.is_none() {
                return Ok(names);
            }
        }
    }

    /// Takes away shared files whose names begin so and that are older than `life`. Answers how many.
    pub async fn sweep_shared(&self, prefix: &str, life: Duration) -> Result<u64> {
        match self.remote() {
            Some(remote) => crate::objects::sweep(remote.objects.as_ref(), &shared_key(prefix), life).await,
            None => Ok(0),
        }
    }
}

/// Takes pieces to the end.
pub(crate) async fn gather(
    mut writer: StageWriter,
    pieces: impl Stream<Item = Result<Bytes>>,
) -> Result<Staged> {
    let mut pieces = pin!(pieces);
    let mut pending = Vec::new();
    while let Some(piece) = pieces.next().await {
        pending.extend_from_slice(&piece?);
        if pending.len() >= CHUNK {
            let full = std::mem::replace(&mut pending, Vec::with_capacity(CHUNK));
            writer = blocking(move || writer.push(&full).map(|()| writer)).await?;
        }
    }
    blocking(move || {
        writer.push(&pending)?;
        writer.finish()
    })
    .await
}

/// The same into a file, without working out what it holds.
async fn spool(dir: std::path::PathBuf, pieces: impl Stream<Item = Result<Bytes>>) -> Result<TempFile> {
    let mut pieces = pin!(pieces);
    let (temp, mut file) = blocking(move || TempFile::create(&dir)).await?;
    let mut pending = Vec::new();
    while let Some(piece) = pieces.next().await {
        pending.extend_from_slice(&piece?);
        if pending.len() >= CHUNK {
            let full = std::mem::replace(&mut pending, Vec::with_capacity(CHUNK));
            file = blocking(move || {
                file.write_all(&full)?;
                Ok(file)
            })
            .await?;
        }
    }
    blocking(move || {
        file.write_all(&pending)?;
        file.sync_all()?;
        Ok(())
    })
    .await?;
    Ok(temp)
}
