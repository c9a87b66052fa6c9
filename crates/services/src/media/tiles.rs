//! Tiles of large and deep pictures: whether they are there, having them made, giving them out.

use super::{Media, MediaBody, MediaFile, seen};
use crate::jobs::kind;
use crate::{Actor, Context, Error, Result};
use limn_domain::job::{Job, JobState};
use limn_domain::picture::{Picture, Pyramid, TileFormat};
use limn_domain::{Code, Digest, ItemId, JobId, ProjectId, Timestamp};
use limn_jobs::NewJob;
use limn_storage::pyramid::{self, Asked, PyramidInfo};
use limn_storage::{ImageKind, StorageError};
use limn_store::repo::{self, blob::ItemBlob};
use limn_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

/// Raise it when tiles are made differently.
const TILES_VERSION: u32 = 1;
/// Attempts at one picture.
const ATTEMPTS: i64 = 3;
/// After everything that somebody waits for.
const PRIORITY: i64 = -1;

/// What a job that cuts a picture is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub digest: Digest,
    /// Of an item with the picture, for people.
    pub name: String,
}

/// Whether a picture of this size is shown by tiles, whatever it holds.
pub(crate) fn is_large(ctx: &Context, width: i64, height: i64) -> bool {
    width.saturating_mul(height).unsigned_abs() > ctx.renditions.limits().whole_pixels
}

/// Queues the job that cuts a picture, unless one is at it. Wake the runner after the commit.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    project: ProjectId,
    digest: &Digest,
    name: &str,
    now: Timestamp,
) -> Result<JobId, StoreError> {
    if let Some(job) = current(tx, digest).await?
        && !job.state.is_final()
    {
        return Ok(job.id);
    }
    let payload = Payload {
        digest: digest.clone(),
        name: name.to_owned(),
    };
    let new = NewJob {
        kind: kind::TILES,
        title: format!("Cut {name} into tiles"),
        project_id: Some(project),
        created_by: None,
        payload: serde_json::json!(payload),
        dedup_key: Some(format!("tiles:{digest}")),
        priority: PRIORITY,
        max_attempts: ATTEMPTS,
    };
    let id = limn_jobs::enqueue(tx, new, now).await?;
    repo::pyramid::put(tx, digest, id).await?;
    Ok(id)
}

async fn current(tx: &mut Tx, digest: &Digest) -> Result<Option<Job>, StoreError> {
    match repo::pyramid::job(tx, digest).await? {
        Some(id) => repo::job::get(tx, id).await,
        None => Ok(None),
    }
}

impl Media {
    /// How the picture of an item is shown. Tiles that are missing are made: of a large picture by a job, of a small deep one
    /// before the answer.
    pub async fn picture(&self, actor: &Actor, item: ItemId) -> Result<Picture> {
        let found = seen(&self.0, actor, item).await?;
        if found.media_type == limn_domain::video::MEDIA_TYPE {
            return Ok(Picture::Whole);
        }
        if let Some(info) = self.pyramid(&found).await? {
            return Ok(Picture::Tiled(describe(&info)));
        }
        if is_large(&self.0, found.width, found.height) {
            return self.making(&found).await;
        }
        let may_be_deep = matches!(
            ImageKind::from_media_type(&found.media_type),
            Some(ImageKind::Png | ImageKind::Tiff)
        );
        if !may_be_deep {
            return Ok(Picture::Whole);
        }
        let made = async {
            let local = self.0.content(&found.digest).await?;
            let source = local.source();
            if !self.0.renditions.look(source.clone()).await?.is_deep() {
                return Ok(None);
            }
            let all = |_, _| true;
            self.0
                .renditions
                .make_pyramid(&found.digest, source, all)
                .await
                .map(Some)
        };
        match made.await {
            Ok(None) => Ok(Picture::Whole),
            Ok(Some(info)) => Ok(Picture::Tiled(describe(&info))),
            Err(StorageError::NotFound) => Err(super::lost(&found)),
            Err(e @ (StorageError::SourceChanged(_) | StorageError::SourceAway(_))) => {
                Err(crate::elsewhere::refusal(&e).unwrap_or_else(|| Error::Internal(e.into())))
            }
            // Its renditions show it, if with less depth.
            Err(e) if e.is_refusal() => Ok(Picture::Whole),
            Err(e) => Err(Error::Internal(e.into())),
        }
    }

    /// How far the job is; queues one when there is none, or when its tiles were cleaned away since.
    async fn making(&self, found: &ItemBlob) -> Result<Picture> {
        let mut tx = self.0.db.read().await?;
        let job = current(&mut tx, &found.digest).await?;
        drop(tx);
        match job {
            Some(job) if !job.state.is_final() => Ok(Picture::Making {
                done: job.done,
                total: job.total,
            }),
            Some(job) if job.state == JobState::Failed => Ok(Picture::Failed {
                message: job
                    .error
                    .unwrap_or_else(|| "The job that cuts it failed.".to_owned()),
            }),
            Some(job) if job.state == JobState::Cancelled => Ok(Picture::Failed {
                message:
                    "The job that cuts it was cancelled. A manager can start it again on the page of jobs."
                        .to_owned(),
            }),
            _ => {
                // It may have ended between the two looks.
                if let Some(info) = self.pyramid(found).await? {
                    return Ok(Picture::Tiled(describe(&info)));
                }
                let (digest, name, project, now) = (
                    found.digest.clone(),
                    found.name.clone(),
                    found.project_id,
                    self.0.now(),
                );
                self.0
                    .db
                    .write::<_, StoreError, _>(move |tx| {
                        Box::pin(async move { enqueue(tx, project, &digest, &name, now).await.map(|_| ()) })
                    })
                    .await?;
                self.0.jobs.wake();
                Ok(Picture::Making { done: 0, total: 0 })
            }
        }
    }

    async fn pyramid(&self, found: &ItemBlob) -> Result<Option<PyramidInfo>> {
        self.obtain(found).await?;
        self.0
            .renditions
            .pyramid(&found.digest)
            .await
            .map_err(|e| Error::Internal(e.into()))
    }

    /// Brings the tiles of a large picture here, if another process has made them.
    async fn obtain(&self, found: &ItemBlob) -> Result<()> {
        if is_large(&self.0, found.width, found.height) {
            let obtained = self.0.renditions.obtain_pyramid(&found.digest).await;
            obtained.map_err(|e| Error::Internal(e.into()))?;
        }
        Ok(())
    }

    /// A tile of an item's picture for whoever may see it. `compressed` with gzip: 16-bit tiles are. Errors: `NotFound` where
    /// there is no such tile, `WrongState` while there are none yet.
    pub async fn tile(&self, actor: &Actor, item: ItemId, level: u32, x: u32, y: u32) -> Result<TileFile> {
        let found = seen(&self.0, actor, item).await?;
        self.obtain(&found).await?;
        let tile = self
            .0
            .renditions
            .tile(&found.digest, level, x, y)
            .await
            .map_err(|e| Error::Internal(e.into()))?;
        let tile = match tile {
            Asked::Found(tile) => tile,
            Asked::NoTile => {
                return Err(Error::new(
                    Code::NotFound,
                    "The picture has no such tile; its `picture` says how many there are.",
                ));
            }
            Asked::NoPyramid => {
                return Err(Error::new(
                    Code::WrongState,
                    "The picture has no tiles, or not yet; its `picture` says which.",
                ));
            }
        };
        Ok(TileFile {
            gzip: tile.format == pyramid::TileFormat::Raw16,
            file: MediaFile {
                media_type: tile.format.media_type().to_owned(),
                etag: format!("{}.{level}.{x}.{y}.{TILES_VERSION}", found.digest),
                name: String::new(),
                body: MediaBody::Bytes(tile.bytes),
                stands_in: false,
            },
        })
    }
}

/// A tile to serve.
#[derive(Debug, Clone)]
pub struct TileFile {
    pub file: MediaFile,
    /// The bytes are compressed with gzip.
    pub gzip: bool,
}

fn describe(info: &PyramidInfo) -> Pyramid {
    Pyramid {
        width: info.width,
        height: info.height,
        tile: pyramid::TILE,
        levels: info.levels(),
        channels: info.channels,
        bits: info.bits,
        format: match info.format {
            pyramid::TileFormat::Jpeg => TileFormat::Jpeg,
            pyramid::TileFormat::Png => TileFormat::Png,
            pyramid::TileFormat::Raw16 => TileFormat::Raw16,
        },
        range: [info.range.0, info.range.1],
        window: [info.window.0, info.window.1],
    }
}
