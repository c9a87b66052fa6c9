//! What is worked out of all files of a version and kept in a file beside its index: held in memory while it is used, made anew where the
//! file is gone or was made by another version of the program. What one process has made the others get through the object store, where there is one.

use super::draft;
use super::held::Held;
use crate::Result;
use limn_domain::VersionId;
use limn_explore::{BadIndex, Looks, Map};
use limn_storage::BlobStore;
use std::path::PathBuf;
use std::sync::Arc;

/// What can be kept.
pub(crate) trait Form: Sized + Send + Sync + 'static {
    /// Ends the file's name.
    const ENDING: &'static str;
    /// Bytes that stay in memory; those of one version stay alone when they are more.
    const HELD: usize;

    fn read(bytes: &[u8]) -> std::result::Result<Self, BadIndex>;
    fn write(&self) -> Vec<u8>;
    /// Names what made it.
    fn key(&self) -> &str;
    /// Bytes of memory, about.
    fn size(&self) -> usize;
}

impl Form for Looks {
    const ENDING: &'static str = "looks";
    const HELD: usize = 512 << 20;

    fn read(bytes: &[u8]) -> std::result::Result<Self, BadIndex> {
        Self::from_bytes(bytes)
    }

    fn write(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn key(&self) -> &str {
        self.key()
    }

    fn size(&self) -> usize {
        self.size()
    }
}

impl Form for Map {
    const ENDING: &'static str = "map";
    const HELD: usize = 64 << 20;

    fn read(bytes: &[u8]) -> std::result::Result<Self, BadIndex> {
        Self::from_bytes(bytes)
    }

    fn write(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn key(&self) -> &str {
        self.key()
    }

    fn size(&self) -> usize {
        self.size()
    }
}

/// Those that are held in memory, and where the others lie.
pub(crate) struct Beside<T> {
    folder: Arc<PathBuf>,
    /// Through which processes that do not see each other's folders share the files.
    blobs: BlobStore,
    held: Held<VersionId, Arc<T>>,
}

impl<T> Clone for Beside<T> {
    fn clone(&self) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            blobs: self.blobs.clone(),
            held: self.held.clone(),
        }
    }
}

impl<T: Form> Beside<T> {
    /// Beside the indexes, whose clean-up takes these too.
    pub fn at(folder: PathBuf, blobs: BlobStore) -> Self {
        Self {
            folder: Arc::new(folder),
            blobs,
            held: Held::new(T::HELD, |found: &Arc<T>| found.size()),
        }
    }

    fn path(&self, version: VersionId) -> PathBuf {
        self.folder.join(format!("{version}.{}", T::ENDING))
    }

    /// That of a version, made by what `key` names; none when it has to be made.
    pub async fn get(&self, version: VersionId, key: &str) -> Result<Option<Arc<T>>> {
        let fits = |found: &Arc<T>| found.key() == key;
        if let Some(found) = self.held.get(&version).filter(fits) {
            return Ok(Some(found));
        }
        // Of one version and one way to make it there is only one; so the own file does, if it is that.
        let mut found = self.read(version).await?.filter(fits);
        if found.is_none() {
            let obtained = self.blobs.obtain(&name::<T>(version), &self.path(version)).await;
            if obtained.map_err(anyhow::Error::from)? {
                found = self.read(version).await?.filter(fits);
            }
        }
        Ok(found.map(|found| self.held.put(version, found)))
    }

    /// That in the folder.
    async fn read(&self, version: VersionId) -> Result<Option<Arc<T>>> {
        let path = self.path(version);
        let read = tokio::task::spawn_blocking(move || -> std::io::Result<Option<T>> {
            let bytes = match std::fs::read(&path) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                read => read?,
            };
            match T::read(&bytes) {
                Ok(found) => Ok(Some(found)),
                Err(e) => {
                    tracing::info!(path = %path.display(), error = %e, "a file beside an index is made anew");
                    Ok(None)
                }
            }
        });
        let read = read.await.map_err(anyhow::Error::from)??;
        Ok(read.map(Arc::new))
    }

    /// Keeps a new one.
    pub async fn put(&self, version: VersionId, new: T) -> anyhow::Result<Arc<T>> {
        let new = Arc::new(new);
        let (path, written) = (self.path(version), Arc::clone(&new));
        let draft = tokio::task::spawn_blocking(move || draft::write(&path, &[&written.write()])).await??;
        // The draft, as an older one that a question brings meanwhile takes the file's place.
        let shared = self.blobs.share(&name::<T>(version), &draft).await;
        // Nobody reads half of one.
        tokio::fs::rename(&draft, self.path(version)).await?;
        shared?;
        Ok(self.held.put(version, new))
    }
}

/// What it is called among the files that processes share; beside the indexes there, too.
fn name<T: Form>(version: VersionId) -> String {
    format!("indexes/{version}.{}", T::ENDING)
}
