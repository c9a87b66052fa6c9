//! What encoders said of pictures: the latest in memory, more of it in files. All of it can be made again; the folder may be deleted at any time.

use crate::Result;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Bytes that stay in memory; one that is larger stays alone.
const HELD: usize = 256 << 20;
/// Bytes of all files; those that were not used for longest go first.
const FILES: u64 = 4 << 30;

pub(super) struct Kept {
    folder: Arc<PathBuf>,
    /// Used last, last.
    held: Mutex<Vec<(String, Arc<Vec<u8>>)>>,
}

impl Kept {
    pub fn at(folder: PathBuf) -> Self {
        Self {
            folder: Arc::new(folder),
            held: Mutex::default(),
        }
    }

    /// What is kept under a key; of another length it is no good.
    pub async fn get(&self, key: &str, length: usize) -> Result<Option<Arc<Vec<u8>>>> {
        {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = held.iter().position(|(k, _)| k == key) {
                let found = held.remove(at);
                let bytes = Arc::clone(&found.1);
                held.push(found);
                return Ok(Some(bytes));
            }
        }
        let path = self.folder.join(key);
        let read = tokio::task::spawn_blocking(move || read(&path, length));
        let read = read.await.map_err(anyhow::Error::from)??;
        Ok(read.map(|bytes| self.hold(key, bytes)))
    }

    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let bytes = self.hold(key, bytes);
        let (folder, name) = (Arc::clone(&self.folder), key.to_owned());
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes));
        // It is in memory; a full disk costs the next start some time.
        if let Err(e) = written.await.map_err(anyhow::Error::from)? {
            tracing::warn!(error = %e, "what a network said of a picture cannot be kept");
        }
        Ok(())
    }

    /// Leaves what is in memory to the files.
    pub fn let_go(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn hold(&self, key: &str, bytes: Vec<u8>) -> Arc<Vec<u8>> {
        let bytes = Arc::new(bytes);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(k, _)| k != key);
        held.push((key.to_owned(), Arc::clone(&bytes)));
        let mut sum = 0;
        let kept = held.iter().rev().take_while(|(_, b)| {
            sum += b.len();
            sum <= HELD
        });
        let kept = kept.count().max(1);
        let gone = held.len() - kept;
        held.drain(..gone);
        bytes
    }
}

fn read(path: &Path, length: usize) -> std::io::Result<Option<Vec<u8>>> {
    let bytes = match std::fs::read(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    if bytes.len() != length {
        std::fs::remove_file(path)?;
        return Ok(None);
    }
    let used = std::fs::File::options()
        .append(true)
        .open(path)
        .and_then(|f| f.set_modified(SystemTime::now()));
    if let Err(e) = used {
        tracing::debug!(error = %e, "a kept file cannot be marked as used");
    }
    Ok(Some(bytes))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let partial = folder.join(format!(".{}", uuid::Uuid::now_v7().simple()));
    let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, folder.join(name)));
    if written.is_err() {
        drop(std::fs::remove_file(&partial));
    }
    written?;
    trim(folder, FILES)
}

/// Removes what was not used for longest, until the rest is small enough.
fn trim(folder: &Path, most: u64) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        files.push((meta.modified()?, meta.len(), entry.path()));
    }
    files.sort();
    let mut sum: u64 = files.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in files {
        if sum <= most {
            break;
        }
        std::fs::remove_file(path)?;
        sum -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_outlives_memory_and_is_told_from_what_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segments");
        let kept = Kept::at(path.clone());
        assert!(kept.get("a", 3).await.unwrap().is_none());
        kept.put("a", vec![1, 2, 3]).await.unwrap();
        assert_eq!(*kept.get("a", 3).await.unwrap().unwrap(), [1, 2, 3]);
        let anew = Kept::at(path.clone());
        assert_eq!(*anew.get("a", 3).await.unwrap().unwrap(), [1, 2, 3]);
        anew.let_go();
        assert_eq!(*anew.get("a", 3).await.unwrap().unwrap(), [1, 2, 3]);
        // Cut off, or of another network.
        std::fs::write(path.join("b"), [1_u8]).unwrap();
        assert!(anew.get("b", 3).await.unwrap().is_none());
        assert!(!path.join("b").exists());
    }

    #[test]
    fn files_that_were_not_used_go_first() {
        let folder = tempfile::tempdir().unwrap();
        for (n, name) in ["old", "older", "new"].into_iter().enumerate() {
            let path = folder.path().join(name);
            std::fs::write(&path, [0_u8; 100]).unwrap();
            let age = std::time::Duration::from_secs([200, 300, 100][n]);
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        trim(folder.path(), 250).unwrap();
        assert!(!folder.path().join("older").exists() && folder.path().join("old").exists());
        trim(folder.path(), 99).unwrap();
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}
