//! Uploads whose parts lie in the object store, where every process finds them.

use super::append::too_much;
use super::wrong_offset;
use crate::{Context, Error, Result};
use anyhow::anyhow;
use bytes::Bytes;
use limn_domain::UploadId;
use limn_domain::upload::Upload;
use limn_store::repo;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes of a part: what a crash may cost, and what a transfer holds in memory.
const PIECE: usize = 16 << 20;
/// Where parts are shared.
const FOLDER: &str = "uploads/";

/// Where those of one upload are.
pub(super) fn folder(upload: UploadId) -> String {
    format!("{FOLDER}{upload}")
}

/// Takes what comes, part by part; answers what is received in all.
pub(super) async fn write(ctx: Context, upload: Upload, mut incoming: mpsc::Receiver<Bytes>) -> Result<i64> {
    let mut kept = upload.received;
    let mut held: Vec<u8> = Vec::new();
    let mut refused = None;
    while let Some(piece) = incoming.recv().await {
        let len = i64::try_from(held.len() + piece.len()).map_err(anyhow::Error::from)?;
        if kept + len > upload.size {
            refused = Some(too_much(&upload));
            break;
        }
        held.extend_from_slice(&piece);
        if held.len() >= PIECE {
            kept = keep(&ctx, &upload, kept, std::mem::take(&mut held)).await?;
        }
    }
    if !held.is_empty() {
        kept = keep(&ctx, &upload, kept, held).await?;
    }
    refused.map_or(Ok(kept), Err)
}

/// Puts a part into the store first, then says so. Of two transfers that are at the same place one is acknowledged; what the
/// other one brought is named by nobody.
async fn keep(ctx: &Context, upload: &Upload, from: i64, bytes: Vec<u8>) -> Result<i64> {
    let to = from + i64::try_from(bytes.len()).map_err(anyhow::Error::from)?;
    let random = hex::encode(rand::random::<[u8; 8]>());
    let name = format!("{}/{from}-{random}", folder(upload.id));
    let sent = ctx.blobs.share_bytes(&name, Bytes::from(bytes)).await;
    sent.map_err(anyhow::Error::from)?;
    let (id, now, row) = (upload.id, ctx.now(), name.clone());
    let moved = ctx
        .db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let moved = repo::upload::advance(tx, id, from, to, now).await?;
                if moved {
                    repo::upload::insert_piece(tx, id, from, &row).await?;
                }
                Ok(moved)
            })
        })
        .await;
    // After an error it may be named all the same: where the answer to a commit was lost. Clean-up takes it if it is not.
    if moved? {
        return Ok(to);
    }
    // Deleted meanwhile, or another transfer went on.
    if let Err(e) = ctx.blobs.unshare(&name).await {
        tracing::warn!(error = %e, "a part of an upload was not removed from the store");
    }
    let found = repo::upload::get(&mut ctx.db.read().await?, id).await?;
    Err(found.map_or_else(
        || Error::not_found("upload"),
        |now| wrong_offset(&now.upload, from),
    ))
}

/// The file of an upload that has arrived whole, put together here when its parts lie in the store. Not for use with a
/// transaction open.
pub(crate) async fn file(ctx: &Context, upload: UploadId) -> Result<PathBuf> {
    let path = ctx.upload_path(upload);
    if !ctx.blobs.is_remote() {
        return Ok(path);
    }
    let mut tx = ctx.db.read().await?;
    let found = repo::upload::get(&mut tx, upload)
        .await?
        .ok_or_else(|| Error::not_found("upload"))?
        .upload;
    let names = repo::upload::pieces(&mut tx, upload).await?;
    drop(tx);
    // Of an attempt before this one.
    if is_whole(&path, found.size).await {
        return Ok(path);
    }
    let there = ctx.blobs.obtain_all(&names, &path).await;
    if there.map_err(anyhow::Error::from)? && is_whole(&path, found.size).await {
        return Ok(path);
    }
    Err(Error::Internal(anyhow!(
        "parts of the upload {upload} are missing in the store"
    )))
}

async fn is_whole(path: &Path, size: i64) -> bool {
    let len = tokio::fs::metadata(path).await.map_or(0, |m| m.len());
    i64::try_from(len) == Ok(size)
}

/// Takes parts out of the store whose upload is gone (a link outlives what it was for), and those that were put so long ago and that no
/// upload names. One that is still going on, however slowly, keeps all of its. Answers how many.
pub(crate) async fn sweep(ctx: &Context, life: Duration) -> Result<u64> {
    let old = ctx.blobs.shared_older(FOLDER, life).await;
    let old: HashSet<String> = old.map_err(anyhow::Error::from)?.into_iter().collect();
    let there = ctx
        .blobs
        .shared_names(FOLDER)
        .await
        .map_err(anyhow::Error::from)?;
    // What each names, if it is there.
    let mut known: HashMap<UploadId, Option<HashSet<String>>> = HashMap::new();
    let mut removed = 0;
    // An upload's row is there before its first part, so that a part which was listed and has no row now has no owner.
    for name in there {
        let id = name.strip_prefix(FOLDER).and_then(|n| n.split('/').next());
        let stays = match id.and_then(|id| id.parse::<UploadId>().ok()) {
            None => !old.contains(&name),
            Some(id) => {
                let named = match known.entry(id) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(named(ctx, id).await?),
                };
                named
                    .as_ref()
                    .is_some_and(|named| !old.contains(&name) || named.contains(&name))
            }
        };
        if !stays {
            ctx.blobs.unshare(&name).await.map_err(anyhow::Error::from)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The parts that an upload has; `None` when it is gone.
async fn named(ctx: &Context, id: UploadId) -> Result<Option<HashSet<String>>> {
    let mut tx = ctx.db.read().await?;
    if repo::upload::get(&mut tx, id).await?.is_none() {
        return Ok(None);
    }
    let names = repo::upload::pieces(&mut tx, id).await?;
    Ok(Some(names.into_iter().collect()))
}

/// Takes the parts of an upload out of the store, those too that nobody has acknowledged.
pub(super) async fn remove(ctx: &Context, upload: UploadId) -> Result<()> {
    let names = ctx.blobs.shared_names(&format!("{}/", folder(upload))).await;
    for name in names.map_err(anyhow::Error::from)? {
        ctx.blobs.unshare(&name).await.map_err(anyhow::Error::from)?;
    }
    Ok(())
}
