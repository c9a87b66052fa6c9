//! Bytes on their way from a datastore to a client. What is small, and every part of something, is fetched and verified before the
//! first byte goes out; a large file is passed on as it comes, and breaks off before its end when it is not what it was.

use super::{Local, changed, places, refusal, size_of, trouble};
use crate::datastores::connect::Live;
use crate::versions::{AHEAD, Pieces};
use crate::{Context, Error, Result};
use bytes::Bytes;
use futures::StreamExt as _;
use limn_connect::Reading;
use limn_domain::Digest;
use limn_storage::StorageError;
use limn_store::repo::place::Place;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::time::Duration;
use tokio::sync::mpsc;

/// Largest file that is verified before its first byte is sent, in bytes.
const FIRST_MAX: u64 = 64 << 20;
/// Bytes of a piece.
const PIECE: usize = 128 << 10;
/// Times that a connection which broke is taken up again.
const TRIES: u32 = 4;
const WAIT: Duration = Duration::from_millis(300);

/// Whether a file of so many bytes is passed on as it comes, when it is not held.
pub(crate) const fn is_large(size: u64) -> bool {
    size > FIRST_MAX
}

type Pipe = mpsc::Sender<std::io::Result<Bytes>>;

/// Content that lies in a datastore. Nothing is read before it is asked for.
#[derive(Clone)]
pub struct Remote {
    ctx: Context,
    digest: Digest,
    size: u64,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("digest", &self.digest)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Remote {
    pub(super) const fn new(ctx: Context, digest: Digest, size: u64) -> Self {
        Self { ctx, digest, size }
    }

    /// In bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether the whole of it is passed on as it comes.
    pub(crate) fn is_large(&self) -> bool {
        is_large(self.size) && !self.ctx.elsewhere.cache().has(&self.digest)
    }

    /// Starts to read a part. Errors: `Conflict` when the file is not what it was, `Unavailable` when its datastore does not
    /// answer. An error among the pieces means that what came before is not whole.
    pub async fn pieces(&self, part: Range<u64>) -> Result<Pieces> {
        let is_whole = part.start == 0 && part.end >= self.size;
        let pieces = if is_whole && self.is_large() {
            self.passed_on().await
        } else {
            self.ctx
                .content(&self.digest)
                .await
                .map(|local| read(local, part))
        };
        pieces.map_err(|e| {
            refusal(&e).unwrap_or_else(|| Error::Internal(anyhow::Error::new(e).context(self.digest.clone())))
        })
    }

    /// The whole file as it comes.
    async fn passed_on(&self) -> Result<Pieces, StorageError> {
        let mut first = None;
        for place in places(&self.ctx, &self.digest).await? {
            match self.begin(&place).await {
                Ok((live, reading)) => {
                    let (send, receive) = mpsc::channel(AHEAD);
                    tokio::spawn(async move {
                        if let Err(e) = pass_on(&live, &place, reading, &send).await {
                            tracing::warn!(error = %e, "a file of a datastore broke off");
                            drop(send.send(Err(e.into())).await);
                        }
                    });
                    return Ok(receive);
                }
                Err(e) => first = first.or(Some(e)),
            }
        }
        Err(first.unwrap_or(StorageError::NotFound))
    }

    async fn begin(&self, place: &Place) -> Result<(std::sync::Arc<Live>, Reading), StorageError> {
        let live = self.ctx.elsewhere.open(&self.ctx, place).await?;
        let reading = open_at(&live, place, 0).await?;
        if reading.entry.size.is_some_and(|size| size != size_of(place)) {
            return Err(changed(place));
        }
        Ok((live, reading))
    }
}

async fn open_at(live: &Live, place: &Place, at: u64) -> Result<Reading, StorageError> {
    let files = live.opened.files().map_err(|e| trouble(place, &e))?;
    files.read(&place.path, at).await.map_err(|e| trouble(place, &e))
}

/// Sends a file on, the last piece only once all of it is known to be what it was.
async fn pass_on(live: &Live, place: &Place, mut reading: Reading, send: &Pipe) -> Result<(), StorageError> {
    let (size, tag) = (size_of(place), reading.entry.tag.clone());
    let (mut hasher, mut at, mut tries) = (blake3::Hasher::new(), 0_u64, 0);
    let mut held: Option<Bytes> = None;
    loop {
        match reading.body.next().await {
            Some(Ok(piece)) if piece.is_empty() => {}
            Some(Ok(piece)) => {
                at += piece.len() as u64;
                if at > size {
                    return Err(changed(place));
                }
                hasher.update(&piece);
                if let Some(before) = held.replace(piece)
                    && send.send(Ok(before)).await.is_err()
                {
                    // Nobody wants the rest.
                    return Ok(());
                }
            }
            Some(Err(e)) if e.is_passing() && !tag.is_empty() && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(WAIT * tries).await;
                reading = open_at(live, place, at).await?;
                if reading.entry.tag != tag {
                    return Err(changed(place));
                }
            }
            Some(Err(e)) => return Err(trouble(place, &e)),
            None => break,
        }
    }
    if at != size || hasher.finalize().to_hex().as_str() != place.digest.as_str() {
        return Err(changed(place));
    }
    if let Some(last) = held {
        drop(send.send(Ok(last)).await);
    }
    Ok(())
}

/// A part of what is here.
fn read(local: Local, part: Range<u64>) -> Pieces {
    let (send, receive) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let sent = (|| -> std::io::Result<()> {
            let mut reader = local.source().reader()?;
            reader.seek(SeekFrom::Start(part.start))?;
            let mut rest = reader.take(part.end.saturating_sub(part.start));
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                rest.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
                if piece.is_empty() || send.blocking_send(Ok(Bytes::from(piece))).is_err() {
                    return Ok(());
                }
            }
        })();
        if let Err(e) = sent {
            drop(send.blocking_send(Err(e)));
        }
    });
    receive
}
