//! The task that writes what arrives for one upload.

use super::{pieces, wrong_offset};
use crate::{Context, Error, Result};
use bytes::Bytes;
use limn_domain::Code;
use limn_domain::upload::Upload;
use limn_store::repo;
use std::fs::TryLockError;
use std::io::SeekFrom;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Bytes after which what came is made durable and acknowledged, so that a crash costs no more than that.
const CHECKPOINT: i64 = 64 << 20;

/// Takes pieces until the sender is dropped; the task answers what is received in all.
pub(super) fn start(ctx: Context, upload: Upload) -> (mpsc::Sender<Bytes>, JoinHandle<Result<i64>>) {
    let (sender, incoming) = mpsc::channel(16);
    let task = if ctx.blobs.is_remote() {
        tokio::spawn(pieces::write(ctx, upload, incoming))
    } else {
        tokio::spawn(write(ctx, upload, incoming))
    };
    (sender, task)
}

/// More is coming than was announced.
pub(super) fn too_much(upload: &Upload) -> Error {
    Error::new(
        Code::TooLarge,
        format!(
            "`{}` was announced with {} bytes, but more are coming. Start a new upload.",
            upload.name, upload.size
        ),
    )
}

async fn write(ctx: Context, upload: Upload, mut incoming: mpsc::Receiver<Bytes>) -> Result<i64> {
    let mut file = open(&ctx, &upload).await?;
    let (mut kept, mut written) = (upload.received, upload.received);
    let mut refused = None;
    while let Some(piece) = incoming.recv().await {
        let len = i64::try_from(piece.len()).map_err(anyhow::Error::from)?;
        if written + len > upload.size {
            refused = Some(too_much(&upload));
            break;
        }
        if let Err(e) = file.write_all(&piece).await {
            refused = Some(failure(e));
            break;
        }
        written += len;
        if written - kept >= CHECKPOINT {
            acknowledge(&ctx, &upload, &mut file, kept, written).await?;
            kept = written;
        }
    }
    if written > kept {
        acknowledge(&ctx, &upload, &mut file, kept, written).await?;
    }
    refused.map_or(Ok(written), Err)
}

/// Opens the file alone, at the end of what was acknowledged.
async fn open(ctx: &Context, upload: &Upload) -> Result<File> {
    let file = File::options()
        .write(true)
        .open(ctx.upload_path(upload.id))
        .await?
        .into_std()
        .await;
    // One transfer at a time, also with several servers on one data directory. Let go when the file is closed.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::new(
                Code::Conflict,
                format!(
                    "Another transfer of `{}` is under way; wait for it to end.",
                    upload.name
                ),
            ));
        }
        Err(TryLockError::Error(e)) => return Err(e.into()),
    }
    // Another transfer may have come and gone between the look at the offset and the lock.
    let mut tx = ctx.db.read().await?;
    let now = repo::upload::get(&mut tx, upload.id)
        .await?
        .ok_or_else(|| Error::not_found("upload"))?
        .upload;
    drop(tx);
    if now.received != upload.received {
        return Err(wrong_offset(&now, upload.received));
    }
    let start = u64::try_from(upload.received).map_err(anyhow::Error::from)?;
    let mut file = File::from_std(file);
    // Bytes that were never acknowledged go.
    file.set_len(start).await?;
    file.seek(SeekFrom::Start(start)).await?;
    Ok(file)
}

/// Makes the bytes durable first, then says so.
async fn acknowledge(ctx: &Context, upload: &Upload, file: &mut File, from: i64, to: i64) -> Result<()> {
    file.flush().await.map_err(failure)?;
    file.sync_data().await.map_err(failure)?;
    let (id, now) = (upload.id, ctx.now());
    let moved: Result<bool> = ctx
        .db
        .write(move |tx| Box::pin(async move { Ok(repo::upload::advance(tx, id, from, to, now).await?) }))
        .await;
    // It was deleted meanwhile, if not.
    if moved? {
        Ok(())
    } else {
        Err(Error::not_found("upload"))
    }
}

fn failure(e: std::io::Error) -> Error {
    if e.kind() == std::io::ErrorKind::StorageFull {
        Error::new(
            Code::Unavailable,
            "The server's disk is full; tell your admin, and go on later.",
        )
    } else {
        e.into()
    }
}
