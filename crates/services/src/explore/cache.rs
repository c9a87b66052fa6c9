//! Files in which indexes are kept, and what is worked out beside them: a folder here, and the same names in the object store where processes
//! have one to share them through. A file is whole before it takes its place, can be deleted at any time, and goes with what it is named by.

use crate::{Context, Result};
use limn_domain::{ProjectId, VersionId};
use limn_explore::BadIndex;
use limn_storage::BlobStore;
use limn_store::repo;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// How long a draft stays that nobody writes to.
const DRAFT_LIFE: Duration = Duration::from_hours(1);

/// What files are named by.
#[derive(Debug, Clone, Copy)]
enum Of {
    Versions,
    Projects,
}

/// A folder of such files, named `<id>.<ending>`. Cloning is cheap and gives the same one.
#[derive(Clone)]
pub(crate) struct CacheFolder {
    of: Of,
    folder: Arc<PathBuf>,
    /// Through which processes that do not see each other's folders share the files.
    blobs: BlobStore,
}

impl CacheFolder {
    pub fn of_versions(data_dir: &Path, blobs: BlobStore) -> Self {
        Self {
            of: Of::Versions,
            folder: Arc::new(data_dir.join("indexes")),
            blobs,
        }
    }

    pub fn of_projects(data_dir: &Path, blobs: BlobStore) -> Self {
        Self {
            of: Of::Projects,
            folder: Arc::new(data_dir.join("indexes").join("items")),
            blobs,
        }
    }

    /// Where a file lies here.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn shared_name(&self, file: &str) -> String {
        format!("{}{file}", self.of.shared())
    }

    /// Whether other processes write files that are not seen here until they are obtained.
    pub fn is_shared(&self) -> bool {
        self.blobs.is_remote()
    }

    /// Reads a file that lies here; none where there is none, or one that another version of the program has written.
    pub async fn read<T: Send + 'static>(
        &self,
        file: &str,
        parse: fn(&[u8]) -> std::result::Result<T, BadIndex>,
    ) -> Result<Option<T>> {
        let path = self.path(file);
        let read = tokio::task::spawn_blocking(move || -> std::io::Result<Option<T>> {
            let bytes = match std::fs::read(&path) {
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                read => read?,
            };
            match parse(&bytes) {
                Ok(found) => Ok(Some(found)),
                Err(e) => {
                    tracing::info!(path = %path.display(), error = %e, "a file of an index is made anew");
                    Ok(None)
                }
            }
        });
        Ok(read.await.map_err(anyhow::Error::from)??)
    }

    /// Brings a file here that a process has shared. Answers whether there is one.
    pub async fn obtain(&self, file: &str) -> Result<bool> {
        let obtained = self.blobs.obtain(&self.shared_name(file), &self.path(file)).await;
        Ok(obtained.map_err(anyhow::Error::from)?)
    }

    /// What tells a shared file from an earlier one of its name; `None` when there is none, or nothing is shared.
    pub async fn shared_tag(&self, file: &str) -> Result<Option<String>> {
        let tag = self.blobs.shared_tag(&self.shared_name(file)).await;
        Ok(tag.map_err(anyhow::Error::from)?)
    }

    /// The same of the file that counts: the shared one, or where nothing is shared the one here.
    pub async fn stamp(&self, file: &str) -> Result<Option<String>> {
        if self.is_shared() {
            return self.shared_tag(file).await;
        }
        let meta = tokio::fs::metadata(self.path(file)).await;
        Ok(meta.ok().and_then(|m| {
            let at = m.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some(format!("{}-{}", at.as_nanos(), m.len()))
        }))
    }

    /// Keeps a file here and shares it. `parts`, one behind the other, are made on a thread that may block.
    pub async fn put(
        &self,
        file: &str,
        parts: impl FnOnce() -> std::io::Result<Vec<Vec<u8>>> + Send + 'static,
    ) -> anyhow::Result<()> {
        let path = self.path(file);
        let write = move || -> std::io::Result<PathBuf> { write_draft(&path, &parts()?) };
        let draft = tokio::task::spawn_blocking(write).await??;
        // The draft, as an older one that a question brings meanwhile takes the file's place.
        let shared = self.blobs.share(&self.shared_name(file), &draft).await;
        // Nobody reads half of one.
        tokio::fs::rename(&draft, self.path(file)).await?;
        shared?;
        Ok(())
    }

    /// Removes the files here of what is no more, and drafts nobody writes any longer. Answers how many.
    pub async fn sweep(&self, ctx: &Context) -> Result<u64> {
        let folder = Arc::clone(&self.folder);
        let paths = tokio::task::spawn_blocking(move || list(&folder));
        let mut removed = 0;
        for path in paths.await.map_err(anyhow::Error::from)? {
            let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
            let stands = self.of.stands(ctx, stem).await?;
            // What is named by nothing is a draft that a crash has left, or one that is just being written.
            let stays = stands.unwrap_or_else(|| !is_old(&path));
            if !stays && std::fs::remove_file(&path).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes the shared files of what is no more. Answers how many.
    pub async fn sweep_shared(&self, ctx: &Context) -> Result<u64> {
        let names = self.blobs.shared_names(self.of.shared()).await;
        let mut removed = 0;
        for name in names.map_err(anyhow::Error::from)? {
            let file = name.strip_prefix(self.of.shared()).unwrap_or_default();
            let stem = file.split('.').next().unwrap_or_default();
            if self.of.stands(ctx, stem).await? == Some(false) {
                self.blobs.unshare(&name).await.map_err(anyhow::Error::from)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Of {
    /// What their names begin with among the files that processes share.
    const fn shared(self) -> &'static str {
        match self {
            Self::Versions => "indexes/",
            Self::Projects => "items/",
        }
    }

    /// Whether that is still there which a file of this stem is named by; `None` where it is named by nothing.
    async fn stands(self, ctx: &Context, stem: &str) -> Result<Option<bool>> {
        match self {
            Self::Versions => {
                let Ok(version) = stem.parse::<VersionId>() else {
                    return Ok(None);
                };
                let mut tx = ctx.db.read().await?;
                Ok(Some(repo::version::get(&mut tx, version).await?.is_some()))
            }
            Self::Projects => {
                let Ok(project) = stem.parse::<ProjectId>() else {
                    return Ok(None);
                };
                let mut tx = ctx.db.read().await?;
                Ok(Some(repo::transfer::title(&mut tx, project).await?.is_some()))
            }
        }
    }
}

/// Writes parts, one behind the other, beside the file of this path; answers where. To be renamed to the path. Blocking.
fn write_draft(path: &Path, parts: &[Vec<u8>]) -> std::io::Result<PathBuf> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.draft", hex::encode(rand::random::<[u8; 4]>())));
    let mut file = File::create(&draft)?;
    for part in parts {
        file.write_all(part)?;
    }
    Ok(draft)
}

/// Whether nobody has written to a draft for so long that nobody will.
fn is_old(draft: &Path) -> bool {
    let modified = std::fs::metadata(draft).and_then(|m| m.modified());
    modified.is_ok_and(|m| m.elapsed().is_ok_and(|age| age > DRAFT_LIFE))
}

/// The files of a folder; none where there is none.
fn list(folder: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_dir(folder).map(|d| d.flatten().map(|e| e.path()).collect());
    list.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of files that hold something.
    fn length(bytes: &[u8]) -> Result<usize, BadIndex> {
        if bytes.is_empty() {
            return Err(BadIndex::Format);
        }
        Ok(bytes.len())
    }

    #[tokio::test]
    async fn a_file_is_read_as_it_was_put_and_no_draft_stays() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(dir.path().join("blobs")).unwrap();
        let folder = CacheFolder::of_versions(dir.path(), blobs);
        assert_eq!(folder.read("a.index", length).await.unwrap(), None);
        assert_eq!(folder.stamp("a.index").await.unwrap(), None);
        folder
            .put("a.index", || Ok(vec![b"a".to_vec(), b"bc".to_vec()]))
            .await
            .unwrap();
        assert_eq!(folder.read("a.index", length).await.unwrap(), Some(3));
        assert!(folder.stamp("a.index").await.unwrap().is_some());
        assert_eq!(list(&dir.path().join("indexes")), [folder.path("a.index")]);
        assert!(!folder.obtain("a.index").await.unwrap(), "nothing is shared");
        // What cannot be read is made anew.
        folder.put("a.index", || Ok(Vec::new())).await.unwrap();
        assert_eq!(folder.read("a.index", length).await.unwrap(), None);
    }
}
