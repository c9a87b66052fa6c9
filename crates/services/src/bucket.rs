//! The object store that blobs lie in, by the configuration: the bucket as the blobs ask for one, and who holds what, in the
//! database that all processes share.

use crate::Clock;
use async_trait::async_trait;
use futures::StreamExt as _;
use limn_connect::{Bucket, ConnectError, Content};
use limn_domain::{Digest, Timestamp};
use limn_storage::objects::{Body, Holds, Listed, ObjectPage, Objects, Pieces, Shown};
use limn_storage::{Result, StorageError};
use limn_store::{Db, StoreError, repo};
use std::ops::Range;
use std::time::Duration;

/// Seconds for which nobody removes what somebody is putting. As long as what nobody refers to stays in a folder.
pub(crate) const HOLD: i64 = 3600;
/// Seconds that a removal is given; one that was cut off is over after that.
const DOOM: i64 = 600;
/// A removal that takes longer is given up while it is still known to the others.
const REMOVAL: Duration = Duration::from_mins(2);
/// Between two looks at whether a removal is over.
const LOOK: Duration = Duration::from_millis(200);

/// A bucket in which blobs lie.
#[derive(Debug)]
pub(crate) struct BlobBucket(pub Bucket);

fn failed(e: ConnectError) -> StorageError {
    match e {
        ConnectError::NotFound(_) => StorageError::NotFound,
        e => StorageError::away(e.to_string()),
    }
}

#[async_trait]
impl Objects for BlobBucket {
    async fn put(&self, key: &str, body: Body) -> Result<()> {
        let content = match body {
            Body::Bytes(bytes) => Content::Bytes(bytes),
            Body::File(path) => Content::File(path),
        };
        self.0.put(key, content).await.map_err(failed)
    }

    async fn stat(&self, key: &str) -> Result<Option<(u64, String)>> {
        self.0.stat(key).await.map_err(failed)
    }

    async fn read(&self, key: &str, range: Range<u64>) -> Result<Pieces> {
        let pieces = self.0.read(key, range).await.map_err(failed)?;
        Ok(pieces.map(|piece| piece.map_err(failed)).boxed())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let removal = tokio::time::timeout(REMOVAL, self.0.delete(key));
        match removal.await {
            Ok(done) => done.map_err(failed),
            Err(_) => Err(StorageError::away(format!("`{key}` was not removed in time"))),
        }
    }

    async fn list(&self, prefix: &str, page: Option<&str>) -> Result<ObjectPage> {
        let (objects, next) = self.0.list(prefix, page).await.map_err(failed)?;
        let objects = objects.into_iter().map(|o| Listed {
            key: o.key,
            age: Duration::from_secs(o.age),
        });
        Ok(ObjectPage {
            objects: objects.collect(),
            next,
        })
    }

    fn link(&self, key: &str, shown: &Shown) -> Option<String> {
        self.0.link(key, &shown.media_type, &shown.disposition)
    }

    fn upload_link(&self, key: &str, len: u64) -> Option<String> {
        self.0.upload_link(key, len)
    }
}

/// Holds as rows of the database.
pub(crate) struct DbHolds {
    pub db: Db,
    pub clock: Clock,
}

impl std::fmt::Debug for DbHolds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DbHolds")
    }
}

fn unknown(e: StoreError) -> StorageError {
    StorageError::Io(std::io::Error::other(e))
}

#[async_trait]
impl Holds for DbHolds {
    async fn hold(&self, digest: &Digest) -> Result<()> {
        let mut waited = false;
        loop {
            let (now, digest) = (self.clock.now(), digest.clone());
            let until = now.plus_seconds(HOLD);
            let held: std::result::Result<Timestamp, StoreError> = self
                .db
                .write(move |tx| Box::pin(async move { repo::hold::hold(tx, &digest, until).await }))
                .await;
            if held.map_err(unknown)? <= now {
                return Ok(());
            }
            if !waited {
                tracing::info!("a blob that is being removed is put again once that is over");
                waited = true;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn doom(&self, digest: &Digest, grace: Duration) -> Result<bool> {
        let (now, digest) = (self.clock.now(), digest.clone());
        let until = now.plus_seconds(DOOM);
        // Holds say when they end, and each began so long before.
        let grace = i64::try_from(grace.as_micros()).unwrap_or(i64::MAX);
        let held_before = Timestamp(now.plus_seconds(HOLD).0.saturating_sub(grace)).min(now);
        let doomed: std::result::Result<bool, StoreError> = self
            .db
            .write(move |tx| {
                Box::pin(async move { repo::hold::doom(tx, &digest, held_before, (now, until)).await })
            })
            .await;
        doomed.map_err(unknown)
    }

    async fn removed(&self, digest: &Digest) -> Result<()> {
        let digest = digest.clone();
        let noted: std::result::Result<(), StoreError> = self
            .db
            .write(move |tx| Box::pin(async move { repo::hold::removed(tx, &digest).await }))
            .await;
        noted.map_err(unknown)
    }
}
