//! The zip: annotations first, then the pictures with their orientation baked in. Stored, not deflated (pictures do not
//! shrink), under one fixed time, so that equal data gives equal bytes.

use super::coco::Picture;
use super::{JSON_PART, ZIP_PART};
use crate::Context;
use anyhow::Context as _;
use bytes::Bytes;
use futures::StreamExt as _;
use limn_jobs::Progress;
use limn_storage::{ImageLimits, StorageError, bake};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Pictures made ready at once.
const AT_ONCE: usize = 3;
/// A single file of 4 GiB or more needs other headers.
const LARGE: u64 = u32::MAX as u64;
/// Pictures named in a note.
const EXAMPLES: usize = 5;

/// A picture ready to be written.
enum Body {
    File(PathBuf),
    Bytes(Bytes),
}

/// Writes `zip.part` and answers its path. Pictures that cannot be had are in `notes`.
pub(super) async fn write(
    ctx: &Context,
    dir: &Path,
    pictures: &[Picture],
    progress: &Progress,
    notes: &mut Vec<String>,
) -> anyhow::Result<PathBuf> {
    let (send, receive) = mpsc::channel::<(String, Body)>(AT_ONCE);
    let own_dir = dir.to_owned();
    let writer = tokio::task::spawn_blocking(move || pack(&own_dir, receive));
    let (mut missing, mut unturned) = (Vec::new(), Vec::new());
    let fed = async {
        let mut ready = std::pin::pin!(
            futures::stream::iter(pictures.to_vec())
                .map(|p| async move {
                    let body = prepare(ctx, &p).await;
                    (p, body)
                })
                .buffered(AT_ONCE)
        );
        let mut done = 0_i64;
        while let Some((picture, body)) = ready.next().await {
            let name = format!("images/{}", picture.name);
            let body = match body {
                Ok(body) => body,
                Err(StorageError::NotFound) => {
                    missing.push(picture.name.clone());
                    continue;
                }
                Err(e) if e.is_refusal() => {
                    unturned.push(picture.name.clone());
                    Body::File(ctx.blobs.path(&picture.digest))
                }
                Err(e) => return Err(e).with_context(|| format!("The picture `{name}` cannot be read")),
            };
            if send.send((name, body)).await.is_err() {
                return Ok(());
            }
            done += 1;
            progress
                .report(done, pictures.len() as i64, "Packing pictures")
                .await?;
        }
        anyhow::Ok(())
    }
    .await;
    drop(send);
    let packed = writer.await?;
    fed?;
    note(
        notes,
        &missing,
        "pictures are missing in the store and are not in the archive",
    );
    note(
        notes,
        &unturned,
        "pictures could not be turned and are in the archive as they were uploaded",
    );
    packed.context("The archive cannot be written")
}

fn note(notes: &mut Vec<String>, names: &[String], what: &str) {
    if !names.is_empty() {
        let examples = names
            .iter()
            .take(EXAMPLES)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        notes.push(format!("{} {what}: {examples}.", names.len()));
    }
}

/// The picture as it is meant to be seen.
async fn prepare(ctx: &Context, picture: &Picture) -> Result<Body, StorageError> {
    if picture.orientation == 1 {
        let path = ctx.blobs.path(&picture.digest);
        ctx.blobs.len(&picture.digest).await?;
        return Ok(Body::File(path));
    }
    let bytes = ctx.blobs.read(&picture.digest).await?;
    let limits: ImageLimits = *ctx.renditions.limits();
    let pixels = u64::try_from(picture.width.saturating_mul(picture.height)).unwrap_or(0);
    // Decoded, turned, and the bytes before and after.
    let memory = pixels * 8 + bytes.len() as u64 * 2;
    let baked = ctx
        .renditions
        .pool()
        .run(memory, move || bake::bake_orientation(&bytes, &limits))
        .await?;
    Ok(Body::Bytes(baked))
}

fn pack(dir: &Path, mut bodies: mpsc::Receiver<(String, Body)>) -> anyhow::Result<PathBuf> {
    let path = dir.join(ZIP_PART);
    let mut zip = ZipWriter::new(BufWriter::with_capacity(256 << 10, File::create(&path)?));
    let options = SimpleFileOptions::default()
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644)
        .compression_method(CompressionMethod::Stored);
    let mut json = File::open(dir.join(JSON_PART))?;
    let deflated = options
        .compression_method(CompressionMethod::Deflated)
        .large_file(json.metadata()?.len() >= LARGE);
    zip.start_file("annotations/instances_default.json", deflated)?;
    std::io::copy(&mut json, &mut zip)?;
    while let Some((name, body)) = bodies.blocking_recv() {
        zip.start_file(name, options)?;
        match body {
            Body::Bytes(bytes) => zip.write_all(&bytes)?,
            Body::File(from) => {
                std::io::copy(&mut File::open(from)?, &mut zip)?;
            }
        }
    }
    zip.finish()?.flush()?;
    Ok(path)
}
