//! The content-addressed store: `<root>/ab/cd/<digest>`, each file written once and never changed.
//!
//! A file appears under its name only when it is whole and on the disk (temporary file, fsync, rename, fsync of the
//! directory). Equal bytes are kept once.

use crate::pool::blocking;
use crate::staged::{Held, StageWriter, Staged, TempFile, missing};
use crate::{Result, StorageError};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use limn_domain::Digest;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// Leftovers of a crash are removed once they are this old; younger ones may belong to another process.
const STALE: Duration = Duration::from_hours(1);
/// Bytes gathered before a blocking thread is asked to hash and write them.
const CHUNK: usize = 1 << 20;

/// A blob in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub digest: Digest,
    pub len: u64,
    /// Whether these bytes were not there before.
    pub is_new: bool,
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
    /// Commits share it; a clean-up takes it alone, so that it cannot remove what is just being found present.
    sweep: RwLock<()>,
}

impl BlobStore {
    /// Opens the store in `root`, creating it when missing and removing stale temporary files. Blocking, brief.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let temp = root.join("tmp");
        std::fs::create_dir_all(&temp)?;
        clean_temp(&temp)?;
        Ok(Self {
            inner: Arc::new(Inner {
                root,
                temp,
                sweep: RwLock::new(()),
            }),
        })
    }

    /// Where the blob lies, present or not.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.as_str();
        self.inner.root.join(&hex[..2]).join(&hex[2..4]).join(hex)
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
        let mut stream = pin!(stream);
        let mut writer = self.stage(limit);
        let mut pending = Vec::new();
        let mut total = 0_u64;
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|e| StorageError::Body(e.to_string()))?;
            total += piece.len() as u64;
            if total > limit {
                return Err(StorageError::TooLarge { limit });
            }
            pending.extend_from_slice(&piece);
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

    /// Puts staged bytes in their place; durable when it returns.
    pub async fn commit(&self, staged: Staged) -> Result<Stored> {
        let this = self.clone();
        blocking(move || this.commit_blocking(staged)).await
    }

    /// The same, for callers that are on a blocking thread already.
    pub fn commit_blocking(&self, staged: Staged) -> Result<Stored> {
        let Staged { digest, len, held } = staged;
        let path = self.path(&digest);
        let _shared = self.inner.sweep.read().unwrap_or_else(PoisonError::into_inner);
        if let Ok(existing) = File::options().write(true).open(&path)
            && existing.metadata()?.len() == len
        {
            // Young again: a clean-up leaves it alone until the caller has had time to refer to it.
            existing.set_modified(SystemTime::now())?;
            return Ok(Stored {
                digest,
                len,
                is_new: false,
            });
        }
        let (temp, file) = match held {
            Held::File(temp, file) => (temp, file),
            Held::Memory(bytes) => {
                let (temp, mut file) = TempFile::create(&self.inner.temp)?;
                file.write_all(&bytes)?;
                (temp, file)
            }
        };
        file.sync_all()?;
        let Some(dir) = path.parent() else {
            return Err(StorageError::NotFound);
        };
        let made_dir = !dir.exists();
        std::fs::create_dir_all(dir)?;
        temp.persist(&path)?;
        sync_dir(dir)?;
        if made_dir && let Some(parent) = dir.parent() {
            sync_dir(parent)?;
            sync_dir(&self.inner.root)?;
        }
        Ok(Stored {
            digest,
            len,
            is_new: true,
        })
    }

    pub async fn put_bytes(&self, bytes: Bytes) -> Result<Stored> {
        let this = self.clone();
        blocking(move || this.commit_blocking(Staged::from_bytes(bytes)?)).await
    }

    pub async fn put_stream<S, E>(&self, stream: S, limit: u64) -> Result<Stored>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
        E: std::fmt::Display,
    {
        let staged = self.stage_stream(stream, limit).await?;
        self.commit(staged).await
    }

    /// Opens a blob for reading. Errors: [`StorageError::NotFound`].
    pub async fn open_blob(&self, digest: &Digest) -> Result<tokio::fs::File> {
        tokio::fs::File::open(self.path(digest)).await.map_err(missing)
    }

    /// The bytes `start..start + len`, fewer at the end of the blob.
    pub async fn read_range(&self, digest: &Digest, start: u64, len: u64) -> Result<Bytes> {
        let path = self.path(digest);
        blocking(move || {
            let mut file = File::open(path).map_err(missing)?;
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
        Ok(tokio::fs::metadata(self.path(digest))
            .await
            .map_err(missing)?
            .len())
    }

    pub async fn exists(&self, digest: &Digest) -> bool {
        self.len(digest).await.is_ok()
    }

    /// Makes a blob young again, so that a clean-up leaves it alone until the caller has had time to refer to it. Answers
    /// whether it is there.
    pub async fn renew(&self, digest: &Digest) -> Result<bool> {
        let this = self.clone();
        let path = self.path(digest);
        blocking(move || {
            let _shared = this.inner.sweep.read().unwrap_or_else(PoisonError::into_inner);
            match File::options().write(true).open(&path) {
                Ok(file) => {
                    file.set_modified(SystemTime::now())?;
                    Ok(true)
                }
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
                Err(e) => Err(e.into()),
            }
        })
        .await
    }

    /// The blobs whose digest begins with this byte and that were not put (again) within `grace`.
    pub async fn list(&self, first: u8, grace: Duration) -> Result<Vec<Digest>> {
        let root = self.inner.root.join(format!("{first:02x}"));
        blocking(move || {
            let mut found = Vec::new();
            let folders = match std::fs::read_dir(&root) {
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
                    let modified = file.metadata().and_then(|m| m.modified());
                    if modified.is_ok_and(|t| t.elapsed().unwrap_or_default() >= grace) {
                        found.push(digest);
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    /// Removes a blob; nothing happens when it is not there.
    pub async fn delete(&self, digest: &Digest) -> Result<()> {
        match tokio::fs::remove_file(self.path(digest)).await {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Removes a blob that nothing refers to, unless it was put (again) within `grace`. Answers whether it is gone.
    pub async fn delete_unused(&self, digest: &Digest, grace: Duration) -> Result<bool> {
        let this = self.clone();
        let path = self.path(digest);
        blocking(move || {
            let _alone = this.inner.sweep.write().unwrap_or_else(PoisonError::into_inner);
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
