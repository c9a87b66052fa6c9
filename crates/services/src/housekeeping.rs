//! What is swept up now and then: abandoned uploads, blobs that nothing refers to, old exports, ended sessions.

use crate::bucket::HOLD;
use crate::jobs::kind;
use crate::{Context, Error, Result};
use crate::{projects, uploads};
use limn_domain::{Digest, Timestamp};
use limn_store::{Db, StoreError, repo};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Seconds after which an upload that nothing was added to is abandoned.
const UPLOAD_LIFE: i64 = 3 * 24 * 3600;
/// Seconds a finished export stays.
const EXPORT_LIFE: u64 = 7 * 24 * 3600;
/// Seconds that it is kept what networks said of pictures, after its last use.
const SEGMENT_LIFE: u64 = 7 * 24 * 3600;
/// Seconds that bytes stay which nothing refers to: whoever put them may be about to.
const BLOB_GRACE: i64 = 3600;
/// Rows looked at in one read.
const PAGE: i64 = 500;

/// The chore that one process does at a time, and seconds until the next one may. Less than between two tries.
const SWEEP: &str = "sweep";
const SWEEP_EVERY: i64 = 50 * 60;
/// Most microseconds that clocks may be apart, far less than what is swept up is old.
const APART: i64 = 10 * Timestamp::SECOND;

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub uploads: u64,
    pub blobs: u64,
    /// Objects of versions.
    pub objects: u64,
    pub files: u64,
}

/// Sweeps everything if no other process has done so of late, and this process's own folders in any case.
pub async fn take_turn(ctx: &Context) -> Result<Swept> {
    // Whose clock is wrong takes new things for old ones.
    check_clock(ctx).await?;
    let now = ctx.now();
    let mine = match ctx.db {
        Db::Sqlite { .. } => true,
        Db::Postgres(_) => {
            let next = now.plus_seconds(SWEEP_EVERY);
            let taken = ctx.db.write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(repo::chore::take(tx, SWEEP, now, next).await?) })
            });
            taken.await?
        }
    };
    if mine {
        return sweep(ctx).await;
    }
    let mut swept = Swept::default();
    own_folders(ctx, &mut swept).await?;
    Ok(swept)
}

/// Refuses to work on with a clock that is not the database's: leases and clean-up compare times of several machines.
pub async fn check_clock(ctx: &Context) -> Result<()> {
    let ahead = ctx.db.clock_ahead().await?;
    if ahead.abs() <= APART {
        return Ok(());
    }
    Err(Error::Internal(anyhow::anyhow!(
        "this machine's clock is {} seconds {} that of the database's machine; set both by a time server (NTP)",
        ahead.abs() / Timestamp::SECOND,
        if ahead > 0 { "behind" } else { "ahead of" },
    )))
}

/// Sweeps everything once; call it every hour or so. One thing that cannot be removed does not keep the rest.
pub async fn sweep(ctx: &Context) -> Result<Swept> {
    let mut swept = Swept::default();
    let now = ctx.now();
    ended_sessions(ctx, now).await?;
    abandoned_uploads(ctx, now, &mut swept).await?;
    // Whose deletion a crash cut off.
    for project in repo::project::deleted(&mut ctx.db.read().await?).await? {
        projects::remove(ctx, project).await?;
    }
    let before = blobs_before(ctx, now).await?;
    let grace = Duration::from_micros((now.0 - before.0).unsigned_abs());
    // Objects of versions first: they hold files.
    unnamed_objects(ctx, before, &mut swept).await?;
    ownerless_artifacts(ctx, now).await?;
    taken_tags(ctx, now).await?;
    unused_blobs(ctx, before, grace, &mut swept).await?;
    swept.files += stray_blobs(ctx, now, grace).await?;
    own_folders(ctx, &mut swept).await?;
    shared_files(ctx, &mut swept).await?;
    // Those that clean-up may have to know later stay: see `Holds::doom`.
    let run_out = before.plus_seconds(HOLD).min(now);
    ctx.db
        .write::<_, Error, _>(move |tx| Box::pin(async move { Ok(repo::hold::sweep(tx, run_out).await?) }))
        .await?;
    if swept != Swept::default() {
        tracing::info!(
            uploads = swept.uploads,
            blobs = swept.blobs,
            objects = swept.objects,
            files = swept.files,
            "swept up"
        );
    }
    Ok(swept)
}

/// What was put after this stays, whether or not anything refers to it yet: somebody may be about to. Jobs that put many files may take
/// hours until they name the first: frames before the video (of an upload or of a datastore), large files of a datastore some at a time.
async fn blobs_before(ctx: &Context, now: Timestamp) -> Result<Timestamp> {
    let mut before = now.plus_seconds(-BLOB_GRACE);
    for kind in [kind::VERSION, kind::CATALOGUE, kind::IMPORT, kind::SOURCE] {
        let running = repo::job::oldest_running(&mut ctx.db.read().await?, kind).await?;
        before = running.map_or(before, |r| r.min(before));
    }
    Ok(before)
}

/// Files that no other process sees, or that are each removed once however many try.
async fn own_folders(ctx: &Context, swept: &mut Swept) -> Result<()> {
    swept.files += old_files(ctx.exports_dir(), EXPORT_LIFE).await?;
    if tokio::fs::try_exists(ctx.segments_dir()).await? {
        swept.files += old_files(ctx.segments_dir(), SEGMENT_LIFE).await?;
    }
    swept.files += ctx.indexes.files.sweep(ctx).await?;
    swept.files += ctx.item_indexes.files.sweep(ctx).await?;
    swept.files += crate::jobs::catalogue::sweep(ctx).await?;
    // Files of uploads whose rows went with their owner.
    swept.files += old_files(ctx.uploads_dir(), 2 * UPLOAD_LIFE.unsigned_abs()).await?;
    Ok(())
}

/// Files in the object store that one process has made and others have used.
async fn shared_files(ctx: &Context, swept: &mut Swept) -> Result<()> {
    let uploads_life = 2 * UPLOAD_LIFE.unsigned_abs();
    for (names, life) in [
        ("exports/", EXPORT_LIFE),
        ("parts/", uploads_life),
        ("trainings/", crate::jobs::training::LEFT_LIFE),
    ] {
        let removed = ctx.blobs.sweep_shared(names, Duration::from_secs(life)).await;
        swept.files += removed.map_err(anyhow::Error::from)?;
    }
    swept.files += uploads::sweep(ctx, Duration::from_secs(uploads_life)).await?;
    swept.files += ctx.indexes.files.sweep_shared(ctx).await?;
    swept.files += ctx.item_indexes.files.sweep_shared(ctx).await?;
    Ok(())
}

async fn ended_sessions(ctx: &Context, now: Timestamp) -> Result<()> {
    ctx.db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::session::delete_expired(tx, now).await?) })
        })
        .await?;
    Ok(())
}

/// Tags that were taken off files, once that cannot be undone any more.
async fn taken_tags(ctx: &Context, now: Timestamp) -> Result<()> {
    let before = now.plus_seconds(-crate::explore::file_tags::UNDO_LIFE);
    loop {
        let gone = ctx.db.write::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::file_tag::sweep(tx, before, PAGE).await?) })
        });
        if gone.await? == 0 {
            return Ok(());
        }
    }
}

async fn abandoned_uploads(ctx: &Context, now: Timestamp, swept: &mut Swept) -> Result<()> {
    let before = now.plus_seconds(-UPLOAD_LIFE);
    loop {
        let ids = repo::upload::abandoned(&mut ctx.db.read().await?, before, PAGE).await?;
        if ids.is_empty() {
            return Ok(());
        }
        for id in ids {
            uploads::discard(ctx, id).await?;
            swept.uploads += 1;
        }
    }
}

/// Objects that no version reaches any more, from the top down.
async fn unnamed_objects(ctx: &Context, before: Timestamp, swept: &mut Swept) -> Result<()> {
    loop {
        let gone: Result<u64, StoreError> = ctx
            .db
            .write(move |tx| Box::pin(async move { repo::object::sweep(tx, before, PAGE).await }))
            .await;
        match gone {
            Ok(0) => return Ok(()),
            Ok(n) => swept.objects += n,
            // A registration came to name one of them; the next sweep looks again.
            Err(e) if e.is_contention() => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
}

/// Files of runs and models that were removed for good, and those of which parts stopped arriving.
async fn ownerless_artifacts(ctx: &Context, now: Timestamp) -> Result<()> {
    let before = now.plus_seconds(-UPLOAD_LIFE);
    ctx.db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::artifact::abandon_parts(tx, before).await?) })
        })
        .await?;
    loop {
        let gone: Result<u64, StoreError> = ctx
            .db
            .write(move |tx| Box::pin(async move { repo::artifact::sweep(tx, PAGE).await }))
            .await;
        if gone? == 0 {
            return Ok(());
        }
    }
}

/// Blobs whose items, versions and artifacts are gone.
async fn unused_blobs(ctx: &Context, before: Timestamp, grace: Duration, swept: &mut Swept) -> Result<()> {
    let mut after: Option<Digest> = None;
    loop {
        let digests = repo::blob::unused(&mut ctx.db.read().await?, before, after.as_ref(), PAGE).await?;
        after = digests.last().cloned();
        if digests.is_empty() {
            return Ok(());
        }
        for digest in digests {
            let row = digest.clone();
            let forgotten: Result<bool, StoreError> = ctx
                .db
                .write(move |tx| Box::pin(async move { repo::blob::delete_unused(tx, &row, before).await }))
                .await;
            match forgotten {
                Ok(true) => {
                    remove(ctx, &digest, grace).await;
                    swept.blobs += 1;
                }
                // An item came in between.
                Ok(false) | Err(StoreError::ForeignKey(_)) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// Files without a row, left by a crash between the two; a 256th part of the store at each sweep.
async fn stray_blobs(ctx: &Context, now: Timestamp, grace: Duration) -> Result<u64> {
    let part = (now.seconds_since(Timestamp(0)) / 3600 % 256) as u8;
    let mut removed = 0;
    for digest in ctx.blobs.list(part, grace).await.map_err(anyhow::Error::from)? {
        if !repo::blob::exists(&mut ctx.db.read().await?, &digest).await? && remove(ctx, &digest, grace).await
        {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes the bytes unless somebody has put them (again) within `grace`. Answers whether they are gone.
async fn remove(ctx: &Context, digest: &Digest, grace: Duration) -> bool {
    match ctx.blobs.delete_unused(digest, grace).await {
        Ok(false) => false,
        Ok(true) => {
            if let Err(e) = ctx.renditions.delete(digest).await {
                tracing::warn!(%digest, error = %e, "cannot remove renditions");
            }
            true
        }
        Err(e) => {
            tracing::warn!(%digest, error = %e, "cannot remove a blob");
            false
        }
    }
}

/// Removes what lies in `folder` and was not changed for `life` seconds.
async fn old_files(folder: PathBuf, life: u64) -> Result<u64> {
    let removed = tokio::task::spawn_blocking(move || -> std::io::Result<u64> {
        let mut removed = 0;
        for entry in std::fs::read_dir(&folder)?.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            let old = meta
                .modified()
                .is_ok_and(|t| t.elapsed().unwrap_or_default() > Duration::from_secs(life));
            if old && remove_any(&entry.path(), meta.is_dir()) {
                removed += 1;
            }
        }
        Ok(removed)
    });
    Ok(removed.await.map_err(anyhow::Error::from)??)
}

fn remove_any(path: &Path, is_dir: bool) -> bool {
    let done = if is_dir {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    if let Err(e) = &done {
        tracing::warn!(path = %path.display(), error = %e, "cannot remove an old file");
    }
    done.is_ok()
}
