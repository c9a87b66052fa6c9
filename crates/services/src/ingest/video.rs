//! Frames becoming videos.

use super::{refusal, same_or_taken};
use crate::{Context, Error, Result};
use bytes::Bytes;
use limn_domain::item::AddItemOutcome;
use limn_domain::{Code, ItemId, ProjectId, validate, video};
use limn_storage::Staged;
use limn_store::repo::blob::NewBlob;
use limn_store::repo::frame::NewFrame;
use limn_store::repo::item::{Inserted, NewItem};
use limn_store::{StoreError, repo};
use std::sync::Arc;

/// The frames of a video on their way in: all of one size, their bytes in the blob store already.
#[derive(Debug, Default)]
pub(crate) struct NewVideo {
    frames: Vec<NewFrame>,
    /// Width and height of the oriented frames, and the name of the first.
    size: Option<(i64, i64, String)>,
}

impl NewVideo {
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// A frame of this size belongs to it, or why not.
    fn fits(&mut self, ctx: &Context, name: &str, width: i64, height: i64) -> Result<()> {
        let wrong = |message: String| Error::new(Code::UnsupportedMedia, message);
        if self.frames.len() >= video::FRAMES_MAX {
            let most = video::FRAMES_MAX;
            return Err(wrong(format!("A video has at most {most} frames; split it.")));
        }
        if crate::media::tiles::is_large(ctx, width, height) {
            let most = ctx.renditions.limits().whole_pixels / 1_000_000;
            return Err(wrong(format!(
                "`{name}` has {width} x {height} pixels; frames of a video have at most {most} megapixels."
            )));
        }
        match &self.size {
            None => self.size = Some((width, height, name.to_owned())),
            Some((w, h, first)) if (*w, *h) != (width, height) => {
                return Err(wrong(format!(
                    "`{name}` has {width} x {height} pixels, the first frame `{first}` {w} x {h}: all frames of a video are of one size."
                )));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Adds a picture as the next frame: checked and decoded like any picture.
    pub async fn push(&mut self, ctx: &Context, name: &str, staged: Staged) -> Result<()> {
        let digest = staged.digest().clone();
        let byte_size = i64::try_from(staged.len()).map_err(anyhow::Error::from)?;
        let info = ctx
            .renditions
            .inspect(&digest, staged.source())
            .await
            .map_err(|e| refusal(name, e))?;
        self.fits(ctx, name, info.width.into(), info.height.into())?;
        ctx.blobs.commit(staged).await.map_err(|e| refusal(name, e))?;
        self.frames.push(NewFrame {
            time_us: 0,
            digest,
            media_type: info.kind.media_type().to_owned(),
            byte_size,
            orientation: info.orientation.into(),
        });
        Ok(())
    }

    /// Adds a frame as a decoder gave it. Blocking.
    pub fn push_decoded(&mut self, ctx: &Context, jpeg: Vec<u8>) -> limn_storage::Result<()> {
        let staged = ctx.blobs.stage_bytes(Bytes::from(jpeg))?;
        if self.size.is_none() {
            let info = limn_storage::header(&staged.source(), ctx.renditions.limits())?;
            self.size = Some((info.width.into(), info.height.into(), String::new()));
        }
        self.frames.push(NewFrame {
            time_us: 0,
            digest: staged.digest().clone(),
            media_type: "image/jpeg".to_owned(),
            byte_size: i64::try_from(staged.len()).unwrap_or(i64::MAX),
            orientation: 1,
        });
        ctx.blobs.commit_blocking(staged).map(drop)
    }

    /// Adds the item; `times_us` are those of its frames. The same name with the same frames at the same times is `Unchanged`.
    pub async fn register(
        mut self,
        ctx: &Context,
        project: ProjectId,
        name: &str,
        times_us: &[i64],
    ) -> Result<AddItemOutcome> {
        let name = validate::item_name(name).map_err(|e| Error::field("name", e))?;
        let Some((width, height, _)) = self.size else {
            return Err(Error::new(
                Code::UnsupportedMedia,
                format!("`{name}` has no frames."),
            ));
        };
        for (frame, time) in self.frames.iter_mut().zip(times_us) {
            frame.time_us = *time;
        }
        let list = video::manifest(self.frames.iter().map(|f| (f.time_us, f.digest.as_str())));
        let stored = ctx
            .blobs
            .put_bytes(Bytes::from(list))
            .await
            .map_err(|e| refusal(&name, e))?;
        let item = NewItem {
            id: ItemId::new(),
            name,
            digest: stored.digest.clone(),
            media_type: video::MEDIA_TYPE.to_owned(),
            byte_size: i64::try_from(stored.len).map_err(anyhow::Error::from)?,
            width,
            height,
            orientation: 1,
            length: i64::try_from(self.frames.len()).map_err(anyhow::Error::from)?,
            excerpt: String::new(),
        };
        let new = Arc::new((item, self.frames));
        let now = ctx.now();
        ctx.db
            .write(move |tx| {
                let new = Arc::clone(&new);
                Box::pin(async move {
                    let (item, frames) = &*new;
                    let mut blobs = vec![NewBlob {
                        digest: &item.digest,
                        byte_size: item.byte_size,
                        media_type: &item.media_type,
                    }];
                    blobs.extend(frames.iter().map(NewFrame::blob));
                    repo::blob::put_many(tx, &blobs, now).await?;
                    let inserted =
                        match repo::item::insert_many(tx, project, std::slice::from_ref(item), now).await {
                            Err(StoreError::ForeignKey(_)) => return Err(Error::not_found("project")),
                            other => other?.into_iter().next(),
                        };
                    let id = match inserted {
                        Some(Inserted::Added { id, .. }) => {
                            repo::frame::insert_all(tx, id, frames).await?;
                            id
                        }
                        Some(Inserted::Exists { id, .. }) => {
                            let there = repo::item::get(tx, id, now).await?;
                            let there = there.ok_or_else(|| Error::not_found("item"))?;
                            return same_or_taken(there, &item.digest);
                        }
                        None => return Err(Error::not_found("project")),
                    };
                    let item = repo::item::get(tx, id, now)
                        .await?
                        .ok_or_else(|| Error::not_found("item"))?;
                    Ok(AddItemOutcome::Added { item: Box::new(item) })
                })
            })
            .await
    }
}
