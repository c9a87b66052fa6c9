//! Bytes on their way in: hashed while they arrive, in memory while small, in a temporary file otherwise.

use crate::error::StorageError;
use crate::{BlobStore, Result};
use bytes::Bytes;
use limn_domain::Digest;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Up to this many bytes stay in memory until they are committed.
const IN_MEMORY: usize = 1 << 20;

/// Bytes to look at, wherever they are.
#[derive(Debug, Clone)]
pub enum Source {
    Bytes(Bytes),
    File(PathBuf),
    /// A blob of an object store, fetched when it is opened. Like a file, it is for blocking threads only.
    Blob(BlobStore, Digest),
}

/// Reading and seeking, boxed.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

impl Source {
    pub fn len(&self) -> Result<u64> {
        match self {
            Self::Bytes(b) => Ok(b.len() as u64),
            Self::File(path) => Ok(std::fs::metadata(path).map_err(missing)?.len()),
            Self::Blob(blobs, digest) => Ok(blobs.open_file(digest)?.metadata()?.len()),
        }
    }

    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// A buffered reader from the start.
    pub fn reader(&self) -> Result<BufReader<Box<dyn ReadSeek>>> {
        Ok(BufReader::with_capacity(
            64 << 10,
            match self {
                Self::Bytes(b) => Box::new(Cursor::new(b.clone())),
                Self::File(path) => Box::new(File::open(path).map_err(missing)?),
                Self::Blob(blobs, digest) => Box::new(blobs.open_file(digest)?),
            },
        ))
    }

    /// A text.
    pub fn read_text(&self) -> Result<String> {
        let mut text = String::new();
        self.reader()?.read_to_string(&mut text)?;
        Ok(text)
    }

    /// All bytes; a copy only when they lie in a file.
    pub fn read_all(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Bytes(b) => Ok(Cow::Borrowed(b)),
            Self::File(path) => Ok(Cow::Owned(std::fs::read(path).map_err(missing)?)),
            Self::Blob(blobs, digest) => {
                let mut bytes = Vec::new();
                blobs.open_file(digest)?.read_to_end(&mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

pub(crate) fn missing(e: std::io::Error) -> StorageError {
    if e.kind() == std::io::ErrorKind::NotFound {
        StorageError::NotFound
    } else {
        e.into()
    }
}

/// A temporary file that goes away unless it is kept.
#[derive(Debug)]
pub(crate) struct TempFile {
    path: Option<PathBuf>,
}

impl TempFile {
    pub fn create(dir: &Path) -> Result<(Self, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let nanos = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |d| d.as_nanos());
            let path = dir.join(format!("{:x}-{nanos:x}-{n:x}.part", std::process::id()));
            match File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path)
            {
                Ok(file) => return Ok((Self { path: Some(path) }, file)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(""))
    }

    /// Moves the file to its place, replacing what is there.
    pub fn persist(mut self, to: &Path) -> Result<()> {
        std::fs::rename(self.path(), to)?;
        self.path = None;
        Ok(())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            drop(std::fs::remove_file(path));
        }
    }
}

#[derive(Debug)]
pub(crate) enum Held {
    Memory(Bytes),
    File(TempFile, File),
}

impl Held {
    /// The bytes in a temporary file of `dir`, not flushed.
    pub fn into_file(self, dir: &Path) -> Result<(TempFile, File)> {
        match self {
            Self::File(temp, file) => Ok((temp, file)),
            Self::Memory(bytes) => {
                let (temp, mut file) = TempFile::create(dir)?;
                file.write_all(&bytes)?;
                Ok((temp, file))
            }
        }
    }
}

/// Bytes received and hashed, not in the store yet; dropped without a trace unless committed.
#[derive(Debug)]
pub struct Staged {
    pub(crate) digest: Digest,
    pub(crate) len: u64,
    pub(crate) held: Held,
}

impl Staged {
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    pub const fn len(&self) -> u64 {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, for looking at before the commit. A file source is valid until commit or drop.
    pub fn source(&self) -> Source {
        match &self.held {
            Held::Memory(b) => Source::Bytes(b.clone()),
            Held::File(temp, _) => Source::File(temp.path().to_owned()),
        }
    }

    pub(crate) fn from_bytes(bytes: Bytes) -> Result<Self> {
        let digest = digest_of(&blake3::hash(&bytes))?;
        Ok(Self {
            digest,
            len: bytes.len() as u64,
            held: Held::Memory(bytes),
        })
    }
}

pub(crate) fn digest_of(hash: &blake3::Hash) -> Result<Digest> {
    Digest::parse(hash.to_hex().as_str()).map_err(|e| StorageError::Io(std::io::Error::other(e.to_string())))
}

/// Takes bytes piece by piece; made by [`crate::BlobStore::stage`].
pub struct StageWriter {
    dir: PathBuf,
    limit: u64,
    len: u64,
    hasher: blake3::Hasher,
    memory: Vec<u8>,
    file: Option<(TempFile, File)>,
}

impl StageWriter {
    pub(crate) fn new(dir: PathBuf, limit: u64) -> Self {
        Self {
            dir,
            limit,
            len: 0,
            hasher: blake3::Hasher::new(),
            memory: Vec::new(),
            file: None,
        }
    }

    /// Blocking. Errors: [`StorageError::TooLarge`] beyond the limit; the disk.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.len += bytes.len() as u64;
        if self.len > self.limit {
            return Err(StorageError::TooLarge { limit: self.limit });
        }
        self.hasher.update(bytes);
        if let Some((_, file)) = &mut self.file {
            file.write_all(bytes)?;
        } else if self.memory.len() + bytes.len() <= IN_MEMORY {
            self.memory.extend_from_slice(bytes);
        } else {
            let (temp, mut file) = TempFile::create(&self.dir)?;
            file.write_all(&self.memory)?;
            file.write_all(bytes)?;
            self.memory = Vec::new();
            self.file = Some((temp, file));
        }
        Ok(())
    }

    pub fn finish(self) -> Result<Staged> {
        let digest = digest_of(&self.hasher.finalize())?;
        let held = match self.file {
            Some((temp, file)) => Held::File(temp, file),
            None => Held::Memory(Bytes::from(self.memory)),
        };
        Ok(Staged {
            digest,
            len: self.len,
            held,
        })
    }
}
