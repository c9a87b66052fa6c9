//! The content-addressed store: `<root>/ab/cd/<digest>`, each file written once and never changed. Or an object store, of
//! which the folder then holds copies.
//!
//! A file appears under its name only when it is whole and on the disk (temporary file, fsync, rename, fsync of the
//! directory). Equal bytes are kept once. Many small ones go in together, see [`BlobStore::commit_many`].

use crate::cache::Cache;
use crate::folders::Folders;
use crate::objects::{Holds, Objects};
use crate::pool::blocking;
use crate::remote::{self, Remote, gather};
use crate::staged::{Source, StageWriter, Staged, missing};
use crate::{Result, StorageError};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use limn_domain::Digest;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Leftovers of a crash are removed once they are this old; younger ones may belong to another process.
const STALE: Duration = Duration::from_hours(1);
/// Whoever put a blob that is younger than this may not have flushed its name yet.
const JUST: Duration = Duration::from_mins(10);
/// The file that commits and clean-ups lock.
const LOCK: &str = "lock";

/// A blob in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub digest: Digest,
    pub len: u64,
    /// Whether these bytes were not there before.
    pub is_new: bool,
}

/// Whether a file is there, see [`young`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    No,
    Yes,
    /// Since so little time that its name may not be flushed yet.
    Just,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct BlobStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    temp: PathBuf,
    folders: Folders,
    /// Where the blobs are, when the folder holds copies only.
    remote: Option<Remote>,
}

impl BlobStore {
    /// Opens the store in `root`, creating it when missing and removing stale temporary files. Blocking, brief.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        Self::with(root.into(), None)
    }

    /// Opens the store in `objects`; `root` is this process's alone and gets copies of at most `copies` bytes, or a single
    /// larger one. Must be called in a runtime; blocking, brief.
    pub fn over(
        root: impl Into<PathBuf>,
        objects: Arc<dyn Objects>,
        holds: Arc<dyn Holds>,
        copies: u64,
    ) -> Result<Self> {
        let root = root.into();
        let mut cache = Cache::new(copies);
        for (digest, len) in copies_in(&root) {
            for gone in cache.add(&digest, len) {
                drop(std::fs::remove_file(path_in(&root, &gone)));
            }
        }
        Self::with(root, Some(Remote::new(objects, holds, cache)))
    }

    fn with(root: PathBuf, remote: Option<Remote>) -> Result<Self> {
        let temp = root.join("tmp");
        std::fs::create_dir_all(&temp)?;
        clean_temp(&temp)?;
        let folders = Folders::default();
        Ok(Self {
            inner: Arc::new(Inner {
                root,
                temp,
                folders,
                remote,
            }),
        })
    }

    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.inner.remote.as_ref()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.inner.root
    }

    pub(crate) fn temp(&self) -> &Path {
        &self.inner.temp
    }

    pub(crate) fn folders(&self) -> &Folders {
        &self.inner.folders
    }

    /// Where the file of a blob is, present or not: the blob itself, or the copy of one in an object store.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        path_in(&self.inner.root, digest)
    }

    /// The blob, to be opened when it is needed.
    pub fn source(&self, digest: &Digest) -> Source {
        if self.is_remote() {
            Source::Blob(self.clone(), digest.clone())
        } else {
            Source::File(self.path(digest))
        }
    }

    /// The blob once it is known to be there; one of an object store has a copy by then, for a moment at least. Errors:
    /// [`StorageError::NotFound`].
    pub async fn at_hand(&self, digest: &Digest) -> Result<Source> {
        if let Some(remote) = self.remote() {
            self.fetch(remote, digest).await?;
        } else {
            self.len(digest).await?;
        }
        Ok(self.source(digest))
    }

    /// Opens a blob. Blocking, for as long as it takes to fetch it: not for threads that answer requests. Errors:
    /// [`StorageError::NotFound`].
    pub fn open_file(&self, digest: &Digest) -> Result<File> {
        match self.remote() {
            Some(remote) => self.open_copy(remote, digest),
            None => File::open(self.path(digest)).map_err(missing),
        }
    }

    /// Starts taking bytes on a blocking thread; `limit` is in bytes.
    pub fn stage(&self, limit: u64) -> StageWriter {
        StageWriter::new(self.inner.temp.clone(), limit)
    }

    pub fn stage_bytes(&self, bytes: Bytes) -> Result<Staged> {
        Staged::from_bytes(bytes)
    }

    /// Takes a stream (a request's body), hashing while it arrives. Errors: [`StorageError::TooLarge`] beyond `limit`
    /// bytes, [`StorageError::Body`] when the stream fails.
    pub async fn stage_stream<S, E>(&self, stream: S, limit: u64) -> Result<Staged>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
        E: std::fmt::Display,
    {
        let mut total = 0_u64;
        let pieces = stream.map(move |piece| -> Result<Bytes> {
            let piece = piece.map_err(|e| StorageError::Body(e.to_string()))?;
            total += piece.len() as u64;
            if total > limit {
                return Err(StorageError::TooLarge { limit });
            }
            Ok(piece)
        });
        gather(self.stage(limit), pieces).await
    }

    /// Puts staged bytes in their place; durable when it returns.
    pub async fn commit(&self, staged: Staged) -> Result<Stored> {
        if let Some(remote) = self.remote() {
            return self.commit_remote(remote, staged).await;
        }
        let this = self.clone();
        blocking(move || this.commit_blocking(staged)).await
    }

    /// The same, for callers that are on a blocking thread already.
    pub fn commit_blocking(&self, staged: Staged) -> Result<Stored> {
        if let Some(remote) = self.remote() {
            return remote.runtime.block_on(self.commit_remote(remote, staged));
        }
        let Staged { digest, len, held } = staged;
        if self.make_young(&digest, Some(len))? {
            return Ok(Stored {
                digest,
                len,
                is_new: false,
            });
        }
        let (temp, file) = held.into_file(&self.inner.temp)?;
        file.sync_all()?;
        let path = self.path(&digest);
        let Some(dir) = path.parent() else {
            return Err(StorageError::NotFound);
        };
        self.inner.folders.make(dir, &digest)?;
        temp.persist(&path)?;
        self.flush_name(&digest)?;
        Ok(Stored {
            digest,
            len,
            is_new: true,
        })
    }

    /// Makes the name of a blob durable, and those of the folders it lies in.
    fn flush_name(&self, digest: &Digest) -> Result<()> {
        if let Some(dir) = self.path(digest).parent() {
            sync_dir(dir)?;
        }
        let one = std::slice::from_ref(digest);
        self.inner.folders.flush(&self.inner.root, one)
    }

    /// [`Self::renew`] in a folder. Answers whether it is there whole, as far as its length is known.
    fn make_young(&self, digest: &Digest, len: Option<u64>) -> Result<bool> {
        let there = {
            let _lock = self.lock_shared()?;
            young(&self.path(digest), len)?
        };
        if there == There::Just {
            // Found there, it has to be as durable as if it had been put.
            self.flush_name(digest)?;
        }
        Ok(there != There::No)
    }

    /// While it is held a clean-up, of another process too, does not remove what is found present.
    pub(crate) fn lock_shared(&self) -> Result<File> {
        let lock = self.lock()?;
        lock.lock_shared()?;
        Ok(lock)
    }

    pub async fn put_bytes(&self, bytes: Bytes) -> Result<Stored> {
        let staged = blocking(move || Staged::from_bytes(bytes)).await?;
        self.commit(staged).await
    }

    pub async fn put_stream<S, E>(&self, stream: S, limit: u64) -> Result<Stored>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
        E: std::fmt::Display,
    {
        let staged = self.stage_stream(stream, limit).await?;
        self.commit(staged).await
    }

    /// Opened anew each time, as locks belong to what was opened. Let go when it is closed.
    fn lock(&self) -> Result<File> {
        let path = self.inner.root.join(LOCK);
        Ok(File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?)
    }

    /// Opens a blob for reading. Errors: [`StorageError::NotFound`].
    pub async fn open_blob(&self, digest: &Digest) -> Result<tokio::fs::File> {
        let (this, digest) = (self.clone(), digest.clone());
        let file = blocking(move || this.open_file(&digest)).await?;
        Ok(tokio::fs::File::from_std(file))
    }

    /// The bytes `start..start + len`, fewer at the end of the blob.
    pub async fn read_range(&self, digest: &Digest, start: u64, len: u64) -> Result<Bytes> {
        if let Some(remote) = self.remote()
            && (start > 0 || len < u64::MAX)
            && !tokio::fs::try_exists(self.path(digest)).await?
        {
            let end = start.saturating_add(len);
            let mut pieces = remote.objects.read(&remote::key(digest), start..end).await?;
            let mut bytes = Vec::new();
            while let Some(piece) = pieces.next().await {
                bytes.extend_from_slice(&piece?);
            }
            return Ok(Bytes::from(bytes));
        }
        let (this, digest) = (self.clone(), digest.clone());
        blocking(move || {
            let mut file = this.open_file(&digest)?;
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(len).read_to_end(&mut bytes)?;
            Ok(Bytes::from(bytes))
        })
        .await
    }

    /// All bytes of a blob.
    pub async fn read(&self, digest: &Digest) -> Result<Bytes> {
        self.read_range(digest, 0, u64::MAX).await
    }

    /// Bytes of a blob. Errors: [`StorageError::NotFound`].
    pub async fn len(&self, digest: &Digest) -> Result<u64> {
        match (tokio::fs::metadata(self.path(digest)).await, self.remote()) {
            (Ok(meta), _) => Ok(meta.len()),
            (Err(e), Some(remote)) if e.kind() == std::io::ErrorKind::NotFound => {
                let found = remote.objects.stat(&remote::key(digest)).await?;
                found.map(|(len, _)| len).ok_or(StorageError::NotFound)
            }
            (Err(e), _) => Err(missing(e)),
        }
    }

    /// Errors: the store cannot be asked.
    pub async fn exists(&self, digest: &Digest) -> Result<bool> {
        match self.len(digest).await {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Makes a blob young again, or holds it, so that a clean-up leaves it alone until the caller has had time to refer to it.
    /// Answers whether it is there.
    pub async fn renew(&self, digest: &Digest) -> Result<bool> {
        if let Some(remote) = self.remote() {
            return remote.renew(digest).await;
        }
        let (this, digest) = (self.clone(), digest.clone());
        blocking(move || this.make_young(&digest, None)).await
    }

    /// The blobs whose digest begins with this byte and that were not put (again) within `grace`.
    pub async fn list(&self, first: u8, grace: Duration) -> Result<Vec<Digest>> {
        if let Some(remote) = self.remote() {
            return list_remote(remote, first, grace).await;
        }
        let root = self.inner.root.join(format!("{first:02x}"));
        blocking(move || {
            let mut found = Vec::new();
            for (digest, meta) in files_in(&root)? {
                let modified = meta.modified();
                if modified.is_ok_and(|t| t.elapsed().unwrap_or_default() >= grace) {
                    found.push(digest);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Removes a blob; nothing happens when it is not there.
    pub async fn delete(&self, digest: &Digest) -> Result<()> {
        if let Some(remote) = self.remote() {
            remote.objects.delete(&remote::key(digest)).await?;
            remote.cache().forget(digest);
        }
        match tokio::fs::remove_file(self.path(digest)).await {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Removes a blob that nothing refers to, unless it was put (again) within `grace`, or somebody is putting it. Answers
    /// whether it is gone.
    pub async fn delete_unused(&self, digest: &Digest, grace: Duration) -> Result<bool> {
        if let Some(remote) = self.remote() {
            if !remote.holds.doom(digest, grace).await? {
                return Ok(false);
            }
            self.delete(digest).await?;
            remote.holds.removed(digest).await?;
            return Ok(true);
        }
        let this = self.clone();
        let path = self.path(digest);
        blocking(move || {
            let alone = this.lock()?;
            alone.lock()?;
            let modified = match std::fs::metadata(&path) {
                Ok(m) => m.modified()?,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(true),
                Err(e) => return Err(e.into()),
            };
            if modified.elapsed().unwrap_or_default() < grace {
                return Ok(false);
            }
            std::fs::remove_file(&path)?;
            Ok(true)
        })
        .await
    }
}

async fn list_remote(remote: &Remote, first: u8, grace: Duration) -> Result<Vec<Digest>> {
    let (mut found, mut page) = (Vec::new(), None);
    let prefix = format!("blobs/{first:02x}");
    loop {
        let listed = remote.objects.list(&prefix, page.as_deref()).await?;
        for object in listed.objects.iter().filter(|o| o.age >= grace) {
            let name = object.key.strip_prefix("blobs/").unwrap_or_default();
            found.extend(Digest::parse(name));
        }
        page = listed.next;
        if page.is_none() {
            return Ok(found);
        }
    }
}

/// Makes a blob's file young, so that a clean-up leaves it alone. One of another length than it has to have is not there. To be called
/// while the lock is held.
pub(crate) fn young(path: &Path, len: Option<u64>) -> Result<There> {
    let Ok(existing) = File::options().write(true).open(path) else {
        return Ok(There::No);
    };
    let meta = existing.metadata()?;
    if len.is_some_and(|len| meta.len() != len) {
        return Ok(There::No);
    }
    existing.set_modified(SystemTime::now())?;
    let is_old = meta
        .modified()
        .is_ok_and(|t| t.elapsed().unwrap_or_default() >= JUST);
    Ok(if is_old { There::Yes } else { There::Just })
}

fn path_in(root: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.as_str();
    root.join(&hex[..2]).join(&hex[2..4]).join(hex)
}

/// The blobs in a folder of folders.
fn files_in(root: &Path) -> Result<Vec<(Digest, std::fs::Metadata)>> {
    let mut found = Vec::new();
    let folders = match std::fs::read_dir(root) {
        Ok(folders) => folders,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(e) => return Err(e.into()),
    };
    for folder in folders.flatten() {
        let Ok(files) = std::fs::read_dir(folder.path()) else {
            continue;
        };
        for file in files.flatten() {
            let name = file.file_name();
            let Some(digest) = name.to_str().and_then(|n| Digest::parse(n).ok()) else {
                continue;
            };
            if let Ok(meta) = file.metadata() {
                found.push((digest, meta));
            }
        }
    }
    Ok(found)
}

/// The copies that an earlier process has left, the oldest first.
fn copies_in(root: &Path) -> Vec<(Digest, u64)> {
    let mut found: Vec<(SystemTime, Digest, u64)> = Vec::new();
    for first in 0..=u8::MAX {
        let files = files_in(&root.join(format!("{first:02x}"))).unwrap_or_default();
        found.extend(files.into_iter().map(|(digest, meta)| {
            let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            (modified, digest, meta.len())
        }));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, digest, len)| (digest, len)).collect()
}

/// Makes a rename within `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir)?.sync_all()?;
    Ok(())
}

/// Removes temporary files that a crash has left.
pub(crate) fn clean_temp(dir: &Path) -> Result<()> {
    for entry in std::fs::read_dir(dir)?.flatten() {
        let old = entry
            .metadata()
            .and_then(|m| m.modified())
            .is_ok_and(|t| t.elapsed().unwrap_or_default() > STALE);
        if old {
            drop(std::fs::remove_file(entry.path()));
        }
    }
    Ok(())
}
