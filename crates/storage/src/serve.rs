//! Blobs of an object store on their way to a client: by a link, or in pieces as they come.

use crate::blob::BlobStore;
use crate::objects::{Pieces, Shown};
use crate::remote::key;
use crate::{Result, StorageError};
use futures::StreamExt as _;
use limn_domain::Digest;
use std::io::SeekFrom;
use std::ops::Range;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// Up to this many bytes a blob gets a copy when somebody asks for it; larger ones pass through.
const COPIED: u64 = 8 << 20;
const PIECE: usize = 128 << 10;

/// A blob that somebody may have.
#[derive(Debug, Clone)]
pub struct StoredBlob {
    pub blobs: BlobStore,
    pub digest: Digest,
    pub len: u64,
}

impl StoredBlob {
    /// A range of its bytes.
    pub async fn pieces(&self, range: Range<u64>) -> Result<Pieces> {
        let there = tokio::fs::try_exists(self.blobs.path(&self.digest)).await?;
        match self.blobs.remote() {
            Some(remote) if !there && self.len > COPIED => {
                remote.objects.read(&key(&self.digest), range).await
            }
            _ => {
                let mut file = self.blobs.open_blob(&self.digest).await?;
                if range.start > 0 {
                    file.seek(SeekFrom::Start(range.start)).await?;
                }
                let file = file.take(range.end.saturating_sub(range.start));
                let pieces = ReaderStream::with_capacity(file, PIECE);
                Ok(pieces.map(|piece| piece.map_err(StorageError::from)).boxed())
            }
        }
    }

    /// An address of this one blob that anybody can read it at for a while; `None` where links are switched off.
    pub fn link(&self, shown: &Shown) -> Option<String> {
        self.blobs.remote()?.objects.link(&key(&self.digest), shown)
    }
}
