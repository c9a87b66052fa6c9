//! Frames of videos.

use super::{Media, MediaFile, seen};
use crate::{Actor, Error, Result};
use limn_domain::video::Frames;
use limn_domain::{Code, ItemId, video};
use limn_storage::RenditionKind;
use limn_store::Tx;
use limn_store::repo::{self, blob::ItemBlob};

/// The bytes of a frame as if they were those of a picture. `number` from 0.
pub(super) async fn as_picture(tx: &mut Tx, found: ItemBlob, item: ItemId, number: u32) -> Result<ItemBlob> {
    let frame = repo::frame::get(tx, item, number.into()).await?.ok_or_else(|| {
        Error::new(
            Code::NotFound,
            format!("`{}` has no frame {number}; frames count from 0.", found.name),
        )
    })?;
    Ok(ItemBlob {
        name: video::frame_name(&found.name, number, &frame.media_type),
        digest: frame.digest,
        media_type: frame.media_type,
        byte_size: frame.byte_size,
        orientation: frame.orientation,
        ..found
    })
}

impl Media {
    /// When the frames of a video are shown.
    pub async fn frames(&self, actor: &Actor, item: ItemId) -> Result<Frames> {
        let found = seen(&self.0, actor, item).await?;
        no_video(&found)?;
        let mut tx = self.0.db.read().await?;
        Ok(Frames {
            times_us: repo::frame::times(&mut tx, item).await?,
        })
    }

    /// Every pixel of a frame, oriented, in a format browsers show; with `small` at most 320 px.
    pub async fn frame(&self, actor: &Actor, item: ItemId, number: u32, small: bool) -> Result<MediaFile> {
        let found = seen(&self.0, actor, item).await?;
        no_video(&found)?;
        let mut tx = self.0.db.read().await?;
        let frame = as_picture(&mut tx, found, item, number).await?;
        drop(tx);
        let kind = if small {
            RenditionKind::Thumb
        } else {
            RenditionKind::Full
        };
        self.rendered(&frame, kind).await
    }
}

fn no_video(found: &ItemBlob) -> Result<()> {
    if found.media_type == video::MEDIA_TYPE {
        return Ok(());
    }
    Err(Error::new(
        Code::BadRequest,
        format!("`{}` is no video: it has no frames.", found.name),
    ))
}
