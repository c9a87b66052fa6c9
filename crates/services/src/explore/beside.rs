//! What is worked out of all files of a version and kept in a file beside its index: held in memory while it is used, made anew where the
//! file is gone or was made by another version of the program. What one process has made the others get through the object store, where there is one.

use super::cache::CacheFolder;
use super::held::Held;
use crate::Result;
use limn_domain::VersionId;
use limn_explore::{BadIndex, Looks, Map};
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
    files: CacheFolder,
    held: Held<VersionId, Arc<T>>,
}

impl<T> Clone for Beside<T> {
    fn clone(&self) -> Self {
        Self {
            files: self.files.clone(),
            held: self.held.clone(),
        }
    }
}

impl<T: Form> Beside<T> {
    /// In the folder of the indexes, whose clean-up takes these too.
    pub fn new(files: CacheFolder) -> Self {
        Self {
            files,
            held: Held::new(T::HELD, |found: &Arc<T>| found.size()),
        }
    }

    /// That of a version, made by what `key` names; none when it has to be made.
    pub async fn get(&self, version: VersionId, key: &str) -> Result<Option<Arc<T>>> {
        let held = self.held.get(&version);
        if let Some(found) = held.filter(|found| found.key() == key) {
            return Ok(Some(found));
        }
        let file = file_name::<T>(version);
        let fits = |found: &T| found.key() == key;
        // Of one version and one way to make it there is only one; so the own file does, if it is that.
        let mut found = self.files.read(&file, T::read).await?.filter(fits);
        if found.is_none() && self.files.obtain(&file).await? {
            found = self.files.read(&file, T::read).await?.filter(fits);
        }
        Ok(found.map(|found| self.held.put(version, Arc::new(found))))
    }

    /// Keeps a new one.
    pub async fn put(&self, version: VersionId, new: T) -> anyhow::Result<Arc<T>> {
        let new = Arc::new(new);
        let written = Arc::clone(&new);
        self.files
            .put(&file_name::<T>(version), move || Ok(vec![written.write()]))
            .await?;
        Ok(self.held.put(version, new))
    }
}

fn file_name<T: Form>(version: VersionId) -> String {
    format!("{version}.{}", T::ENDING)
}
