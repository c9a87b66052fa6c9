//! What blobs ask of an object store, and of whoever keeps several processes from undoing each other's work. Both are put
//! in from outside: nothing here knows a protocol or the database.

use crate::{Result, StorageError};
use bytes::Bytes;
use futures::stream::BoxStream;
use limn_domain::Digest;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// Bytes on their way to the store; cheap to clone, so that a transfer can be tried again.
#[derive(Debug, Clone)]
pub enum Body {
    Bytes(Bytes),
    File(PathBuf),
}

/// An object as a list names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    /// Since it was written, by the store's own clock.
    pub age: Duration,
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct ObjectPage {
    pub objects: Vec<Listed>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// How a browser is to take what a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub media_type: String,
    /// The header `Content-Disposition`.
    pub disposition: String,
}

/// Pieces of an object.
pub type Pieces = BoxStream<'static, Result<Bytes>>;

/// An object store. Keys are texts with slashes. A store that does not answer is an error that [`StorageError::is_away`].
#[async_trait::async_trait]
pub trait Objects: fmt::Debug + Send + Sync {
    /// Writes an object, replacing what is there: whole, or not at all.
    async fn put(&self, key: &str, body: Body) -> Result<()>;
    /// Its size and what names its content; `None` when it is not there.
    async fn stat(&self, key: &str) -> Result<Option<(u64, String)>>;
    /// A range of its bytes, fewer at its end. Errors: [`StorageError::NotFound`].
    async fn read(&self, key: &str, range: Range<u64>) -> Result<Pieces>;
    /// Removes it; nothing happens when it is not there.
    async fn delete(&self, key: &str) -> Result<()>;
    /// The objects whose keys begin so.
    async fn list(&self, prefix: &str, page: Option<&str>) -> Result<ObjectPage>;
    /// An address where whoever has it can read this one object for a while; `None` where links are switched off.
    fn link(&self, key: &str, shown: &Shown) -> Option<String>;
    /// An address where whoever has it can put this one object, of exactly `len` bytes, for a while; `None` as above.
    fn upload_link(&self, key: &str, len: u64) -> Option<String>;
}

/// Keeps a clean-up from removing what somebody is just putting. Several processes know it of each other.
#[async_trait::async_trait]
pub trait Holds: fmt::Debug + Send + Sync {
    /// From here on nobody removes the blob for a while. Waits while somebody does.
    async fn hold(&self, digest: &Digest) -> Result<()>;
    /// Announces that the blob will be removed; false when somebody holds or names it, or took hold of it within `grace`.
    /// Followed by [`Self::removed`].
    async fn doom(&self, digest: &Digest, grace: Duration) -> Result<bool>;
    async fn removed(&self, digest: &Digest) -> Result<()>;
}

/// The store does not answer, or not as it should; the text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("the object store: {0}")]
struct Away(String);

impl StorageError {
    /// The object store cannot be used right now.
    pub fn away(why: impl Into<String>) -> Self {
        // As a failure of the disk would be: no file is at fault, and what failed is tried again.
        Self::Io(std::io::Error::other(Away(why.into())))
    }

    /// Whether the object store is what failed.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Io(e) if is_away(e))
    }
}

/// The same of an error that came through [`std::io`].
pub fn is_away(e: &std::io::Error) -> bool {
    e.get_ref().is_some_and(|inner| inner.is::<Away>())
}

/// Removes the objects below `prefix` that are older than `life`. Answers how many.
pub(crate) async fn sweep(objects: &dyn Objects, prefix: &str, life: Duration) -> Result<u64> {
    let (mut page, mut removed) = (None, 0);
    loop {
        let found = objects.list(prefix, page.as_deref()).await?;
        for object in &found.objects {
            if object.age > life {
                objects.delete(&object.key).await?;
                removed += 1;
            }
        }
        page = found.next;
        if page.is_none() {
            return Ok(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_is_told_from_a_disk_that_fails() {
        let away = StorageError::away("no answer");
        assert!(away.is_away() && !away.is_refusal());
        // Also once it has travelled through a reader.
        let io: std::io::Error = away.into();
        assert!(is_away(&io));
        assert!(StorageError::from(io).is_away());
        assert!(!StorageError::Io(std::io::Error::other("disk")).is_away());
        assert!(!StorageError::NotFound.is_away());
    }
}
