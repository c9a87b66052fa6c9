//! The job that profiles a version: its files that nobody has profiled yet, then all of them together.

use crate::profiles::{BATCH, FileKept, Kind, assemble, gather, known_of};
use crate::{Context, Error};
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_domain::{Digest, VersionId};
use limn_jobs::{Handler, Permanent, Progress};
use limn_profile::{
    ImageFigures, ImageRecord, ReadError, ReadOptions, SharedFile, TableFormat, TextRecord, measure,
    measure_text, profile_lines, profile_parquet,
};
use limn_storage::{Source, StorageError, measurable};
use limn_store::repo;
use limn_store::repo::profile::FileState;
use limn_versions::Entry;
use serde::{Deserialize, Serialize};
use std::fs::File;

/// Documents larger than this are not looked into.
const TEXT_MAX: u64 = 64 << 20;
/// Files read at once.
const AT_ONCE: usize = 4;
/// Bytes of states that are held before they are written.
const KEPT_BYTES: usize = 16 << 20;
/// Bytes of memory that a picture may take while it is measured, about, for the decode pool.
const PICTURE: u64 = 16;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub version: VersionId,
}

/// Runs it. Safe to run again: what was profiled before a crash is kept by content.
pub(super) struct ProfileJob(pub Context);

#[async_trait::async_trait]
impl Handler for ProfileJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The profile's settings cannot be read")?;
        run(&self.0, payload.version, &progress)
            .await
            .map_err(super::for_people)
    }
}

async fn run(ctx: &Context, id: VersionId, progress: &Progress) -> anyhow::Result<Option<serde_json::Value>> {
    let mut tx = ctx.db.read().await?;
    let version = repo::version::get(&mut tx, id)
        .await?
        .ok_or_else(|| Permanent("The version was deleted.".to_owned()))?;
    let files = gather(&mut tx, &version).await?;
    drop(tx);
    let total = files.0.len() as i64;
    let (mut done, mut fresh) = (0, 0);
    for part in files.0.chunks(BATCH) {
        let mut known = known_of(&mut ctx.db.read().await?, part).await?;
        let mut wanted = Vec::new();
        for entry in part {
            let (digest, kind) = (Digest::from(entry.blob), Kind::of(entry));
            match kind.reader() {
                // The same content twice is read once.
                Some(reader) if known.insert((digest.clone(), reader.to_owned())) => {
                    wanted.push((entry, kind, digest, reader));
                }
                _ => done += 1,
            }
        }
        let place = (done, total);
        let mut work = Vec::with_capacity(wanted.len());
        for (entry, kind, digest, reader) in wanted {
            work.push(state_of(ctx, entry, kind, digest, reader, progress, place));
        }
        let mut read = futures::stream::iter(work).buffered(AT_ONCE);
        let (mut states, mut bytes) = (Vec::new(), 0);
        while let Some(found) = read.next().await {
            let (entry, state) = found?;
            bytes += state.state.len();
            states.push(state);
            (done, fresh) = (done + 1, fresh + 1);
            progress.note(done, total, format!("Reading {}", entry.path));
            if bytes > KEPT_BYTES {
                keep(ctx, std::mem::take(&mut states)).await?;
                bytes = 0;
            }
        }
        keep(ctx, states).await?;
        progress.report(done, total, "Reading files").await?;
    }
    progress.report(total, total, "Putting it together").await?;
    let dataset = assemble(&mut ctx.db.read().await?, &files).await?;
    let profile = tokio::task::spawn_blocking(move || dataset.profile()).await?;
    let scope = limn_profile::scope(&profile);
    let bytes = serde_json::to_vec(&profile)?;
    let now = ctx.now();
    ctx.db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::profile::put(tx, id, &bytes, now).await?) })
        })
        .await
        .context("The profile could not be kept")?;
    crate::versions::sum_up(ctx, &version, progress).await?;
    // What was measured can be filtered by from here on.
    crate::explore::index::build(ctx, &version, Some(progress)).await?;
    progress
        .log(format!("{scope} {fresh} of {total} files were new."))
        .await?;
    Ok(Some(serde_json::json!({ "files": total, "new_files": fresh })))
}

/// Keeps what was found out; a crash later costs none of it.
async fn keep(ctx: &Context, states: Vec<FileState>) -> anyhow::Result<()> {
    if states.is_empty() {
        return Ok(());
    }
    let now = ctx.now();
    ctx.db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::profile::put_files(tx, &states, now).await?) })
        })
        .await
        .context("What was found out about files could not be kept")
}

async fn state_of<'a>(
    ctx: &Context,
    entry: &'a Entry,
    kind: Kind,
    digest: Digest,
    reader: &str,
    progress: &Progress,
    place: (i64, i64),
) -> anyhow::Result<(&'a Entry, FileState)> {
    progress.check()?;
    let local = ctx.content(&digest).await.with_context(|| missing(entry))?;
    let kept = file(ctx, entry, kind, local.source(), progress, place).await?;
    let state = FileState {
        digest,
        reader: reader.to_owned(),
        state: kept.to_bytes()?,
    };
    Ok((entry, state))
}

/// Looks into a file while it is at hand, that will be left where it lies: the profile need not have it read again.
pub(super) async fn at_once(
    ctx: &Context,
    entry: &Entry,
    source: Source,
    progress: &Progress,
) -> anyhow::Result<Option<FileState>> {
    let kind = Kind::of(entry);
    let Some(reader) = kind.reader() else {
        return Ok(None);
    };
    let kept = file(ctx, entry, kind, source, progress, (0, 0)).await?;
    Ok(Some(FileState {
        digest: Digest::from(entry.blob),
        reader: reader.to_owned(),
        state: kept.to_bytes()?,
    }))
}

/// Reads one file. What is wrong with the file is kept; only what is wrong with the server fails the job.
async fn file(
    ctx: &Context,
    entry: &Entry,
    kind: Kind,
    source: Source,
    progress: &Progress,
    place: (i64, i64),
) -> anyhow::Result<FileKept> {
    match kind {
        Kind::Table(format) => table(entry, format, source, progress, place).await,
        Kind::Image => image(ctx, source, entry).await,
        Kind::Text if entry.size > TEXT_MAX => Ok(FileKept::Text(TextRecord::Unreadable(format!(
            "larger than {} MB",
            TEXT_MAX >> 20
        )))),
        Kind::Text => {
            let measured = tokio::task::spawn_blocking(move || {
                let bytes = source.read_all()?;
                Ok::<_, StorageError>(measure_text(&bytes))
            });
            Ok(FileKept::Text(measured.await?.with_context(|| missing(entry))?))
        }
        Kind::Other => Ok(FileKept::Unreadable("of no kind that is profiled".to_owned())),
    }
}

fn missing(entry: &Entry) -> String {
    format!("The stored file of `{}` cannot be read on the server", entry.path)
}

async fn table(
    entry: &Entry,
    format: TableFormat,
    source: Source,
    progress: &Progress,
    (done, total): (i64, i64),
) -> anyhow::Result<FileKept> {
    let options = ReadOptions {
        // Of the content: the same file gives the same sample wherever it lies.
        seed: entry
            .blob
            .bytes()
            .first_chunk()
            .map_or(0, |b| u64::from_le_bytes(*b)),
        bytes: entry.size,
        ..ReadOptions::default()
    };
    let (told, name, size) = (progress.clone(), entry.path.clone(), entry.size.max(1));
    let lost = missing(entry);
    let read = tokio::task::spawn_blocking(move || {
        let watch = |n: u64| {
            if size > 32 << 20 {
                told.note(
                    done,
                    total,
                    format!("Reading {name}, {} %", n.min(size) * 100 / size),
                );
            }
            !told.token().is_cancelled()
        };
        let state = match (format, source) {
            (TableFormat::Parquet, Source::File(path)) => {
                profile_parquet(SharedFile::new(File::open(path)?)?, &options, &watch)?
            }
            (TableFormat::Parquet, Source::Blob(blobs, digest)) => {
                let file = blobs.open_file(&digest).map_err(std::io::Error::from)?;
                profile_parquet(SharedFile::new(file)?, &options, &watch)?
            }
            (TableFormat::Parquet, Source::Bytes(bytes)) => profile_parquet(bytes, &options, &watch)?,
            (_, source) => {
                let reader = source.reader().map_err(std::io::Error::from)?;
                profile_lines(format, reader, &options, &watch)?
            }
        };
        Ok(state.to_bytes())
    })
    .await?;
    match read {
        Ok(bytes) => Ok(FileKept::Table(bytes?)),
        Err(ReadError::Unreadable(why)) => Ok(FileKept::Unreadable(why)),
        Err(ReadError::Cancelled) => {
            progress.check()?;
            anyhow::bail!("The work was stopped.")
        }
        Err(ReadError::Io(e)) => Err(e).context(lost),
    }
}

async fn image(ctx: &Context, source: Source, entry: &Entry) -> anyhow::Result<FileKept> {
    let limits = *ctx.renditions.limits();
    let memory = u64::from(entry.width) * u64::from(entry.height) * PICTURE;
    let measured = ctx
        .renditions
        .pool()
        .run(memory, move || {
            let m = measurable(&source, &limits)?;
            Ok(ImageFigures {
                width: m.info.width,
                height: m.info.height,
                format: m.info.kind.name().to_owned(),
                mode: m.mode,
                seen: m.luma.map(|l| measure(&l.pixels, l.width, l.height)),
            })
        })
        .await;
    match measured {
        Ok(figures) => Ok(FileKept::Image(ImageRecord::Read(figures))),
        Err(e @ (StorageError::NotFound | StorageError::Io(_) | StorageError::Stopped)) => {
            Err(e).with_context(|| missing(entry))
        }
        Err(e) => Ok(FileKept::Image(ImageRecord::Corrupt(e.to_string()))),
    }
}
