//! The zip: annotations first, then the pictures with their orientation baked in. Those are stored, not deflated (pictures
//! do not shrink), everything under one fixed time, so that equal data gives equal bytes.

use super::{Picture, ZIP_PART};
use crate::Context;
use crate::elsewhere::Local;
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
    /// As it is stored.
    Stored(Local),
    Bytes(Bytes),
}

/// The archive being written.
pub(super) type Zip = ZipWriter<BufWriter<File>>;

/// Begins `zip.part`. Blocking.
pub(super) fn begin(dir: &Path) -> std::io::Result<Zip> {
    let file = File::create(dir.join(ZIP_PART))?;
    Ok(ZipWriter::new(BufWriter::with_capacity(256 << 10, file)))
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644)
        .compression_method(CompressionMethod::Stored)
}

/// Begins a file of text. Blocking.
pub(super) fn text(zip: &mut Zip, name: &str, size: u64) -> std::io::Result<()> {
    let options = options()
        .compression_method(CompressionMethod::Deflated)
        .large_file(size >= LARGE);
    Ok(zip.start_file(name, options)?)
}

/// Begins a file that does not shrink. Blocking.
pub(super) fn stored(zip: &mut Zip, name: &str) -> std::io::Result<()> {
    Ok(zip.start_file(name, options())?)
}

/// Adds the pictures, closes the archive and answers its path. Pictures that cannot be had are in `notes`.
pub(super) async fn write(
    ctx: &Context,
    dir: &Path,
    zip: Zip,
    pictures: &[Picture],
    progress: &Progress,
    notes: &mut Vec<String>,
) -> anyhow::Result<PathBuf> {
    let (send, receive) = mpsc::channel::<(String, Body)>(AT_ONCE);
    let writer = tokio::task::spawn_blocking(move || pack(zip, receive));
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
            let name = picture.name.clone();
            let body = match body {
                Ok(body) => body,
                Err(StorageError::NotFound) => {
                    missing.push(picture.name.clone());
                    continue;
                }
                Err(e) if e.is_refusal() => {
                    unturned.push(picture.name.clone());
                    Body::Stored(ctx.content(&picture.digest).await?)
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
    packed.context("The archive cannot be written")?;
    Ok(dir.join(ZIP_PART))
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
    let local = ctx.content(&picture.digest).await?;
    if picture.orientation == 1 {
        return Ok(Body::Stored(local));
    }
    let (source, len) = (local.source(), local.size().await?);
    let limits: ImageLimits = *ctx.renditions.limits();
    let pixels = u64::try_from(picture.width.saturating_mul(picture.height)).unwrap_or(0);
    let needed = (pixels * 3).max(len);
    if needed > limits.max_alloc {
        return Err(StorageError::TooMuchMemory {
            needed_mib: needed >> 20,
            max_mib: limits.max_alloc >> 20,
        });
    }
    // Decoded, turned, and the bytes before and after.
    let memory = pixels * 8 + len * 2;
    let baked = ctx
        .renditions
        .pool()
        .run(memory, move || {
            let bytes = Bytes::from(source.read_all()?.into_owned());
            bake::bake_orientation(&bytes, &limits)
        })
        .await?;
    Ok(Body::Bytes(baked))
}

fn pack(mut zip: Zip, mut bodies: mpsc::Receiver<(String, Body)>) -> anyhow::Result<()> {
    while let Some((name, body)) = bodies.blocking_recv() {
        stored(&mut zip, &name)?;
        match body {
            Body::Bytes(bytes) => zip.write_all(&bytes)?,
            Body::Stored(local) => {
                std::io::copy(&mut local.source().reader()?, &mut zip)?;
            }
        }
    }
    zip.finish()?.flush()?;
    Ok(())
}
