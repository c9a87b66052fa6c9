//! Bytes of items: originals, renditions and tiles.

pub mod frames;
pub mod tiles;

pub use crate::elsewhere::Remote;

use crate::authz::require_in;
use crate::{Actor, Context, Error, Result, elsewhere};
use bytes::Bytes;
use limn_domain::{Action, Code, Digest, ItemId, text, video};
use limn_storage::{ImageInfo, ImageKind, RenditionKind, StorageError, StoredBlob};
use limn_store::repo::{self, blob::ItemBlob};
use std::path::PathBuf;

/// Which bytes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendition {
    /// At most 320 px, JPEG.
    Thumb,
    /// At most 2,048 px, for working on.
    Screen,
    /// Every pixel, oriented, in a format browsers show.
    Full,
    /// The bytes as uploaded, for download only.
    Original,
    /// A document's text: plain text in UTF-8, never anything a browser would run.
    Text,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
pub enum MediaBody {
    Bytes(Bytes),
    File {
        path: PathBuf,
        len: u64,
    },
    /// In the object store.
    Blob(StoredBlob),
    /// In a datastore.
    Remote(Remote),
}

impl MediaBody {
    /// A file of the store.
    pub(crate) fn stored(ctx: &Context, digest: &Digest, len: u64) -> Self {
        if ctx.blobs.is_remote() {
            return Self::Blob(StoredBlob {
                blobs: ctx.blobs.clone(),
                digest: digest.clone(),
                len,
            });
        }
        Self::File {
            path: ctx.blobs.path(digest),
            len,
        }
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(b) => b.len() as u64,
            Self::File { len, .. } => *len,
            Self::Blob(blob) => blob.len,
            Self::Remote(remote) => remote.size(),
        }
    }
}

/// Bytes to serve. Immutable: `etag` names the content.
#[derive(Debug, Clone)]
pub struct MediaFile {
    pub media_type: String,
    pub etag: String,
    /// Download name.
    pub name: String,
    pub body: MediaBody,
    /// It stands in for what is being made, and must not be kept.
    pub stands_in: bool,
}

#[derive(Clone)]
pub struct Media(pub(crate) Context);

/// Part of every rendition's etag; raise it when renditions are made differently.
const RENDITIONS_VERSION: u32 = 1;

impl Media {
    /// Bytes of an item for whoever may see it. Everything but [`Rendition::Original`] is a still raster picture or
    /// plain text that is safe to show inline; the original is for download.
    pub async fn get(&self, actor: &Actor, item: ItemId, which: Rendition) -> Result<MediaFile> {
        let mut found = seen(&self.0, actor, item).await?;
        if found.media_type == video::MEDIA_TYPE {
            if which == Rendition::Original {
                return Err(Error::new(
                    Code::BadRequest,
                    "A video is kept as its frames; ask for `frames/{number}`.",
                ));
            }
            // It is shown by its first frame.
            found = frames::as_picture(&mut self.0.db.read().await?, found, item, 0).await?;
        }
        self.of_blob(&found, which).await
    }

    /// The same of bytes that somebody has the right to see.
    pub(crate) async fn of_blob(&self, found: &ItemBlob, which: Rendition) -> Result<MediaFile> {
        let is_picture = ImageKind::from_media_type(&found.media_type).is_some();
        let is_text = found.media_type == text::MEDIA_TYPE;
        if !is_text && !is_picture && which != Rendition::Original {
            return Err(Error::new(
                Code::BadRequest,
                "This file is neither a picture nor a document; download it as it is.",
            ));
        }
        if is_text != (which == Rendition::Text) && which != Rendition::Original {
            let why = if is_text {
                "This item is a document; ask for `text`."
            } else {
                "This item is a picture; ask for `thumb`, `screen` or `full`."
            };
            return Err(Error::new(Code::BadRequest, why));
        }
        let rendition = match which {
            Rendition::Original => return self.original(found, false).await,
            Rendition::Text => {
                let file = self.original(found, false).await?;
                return Ok(MediaFile {
                    media_type: "text/plain; charset=utf-8".to_owned(),
                    ..file
                });
            }
            Rendition::Thumb => RenditionKind::Thumb,
            Rendition::Screen => RenditionKind::Screen,
            Rendition::Full => RenditionKind::Full,
        };
        self.rendered(found, rendition).await
    }

    /// A rendition of a picture; the stored bytes where those are it.
    async fn rendered(&self, found: &ItemBlob, rendition: RenditionKind) -> Result<MediaFile> {
        if info(found).is_some_and(|info| rendition.is_original(&info)) {
            return self.original(found, true).await;
        }
        let bytes = match self.0.rendition(&found.digest, rendition).await {
            Ok(bytes) => bytes,
            Err(StorageError::NotFound) => return Err(lost(found)),
            Err(StorageError::NotMadeYet) if rendition == RenditionKind::Thumb => return stand_in(found),
            Err(StorageError::NotMadeYet) => {
                return Err(Error::new(
                    Code::WrongState,
                    "The picture is still being cut into tiles; ask again in a moment.",
                ));
            }
            Err(e @ StorageError::Unwieldy(_)) => return Err(crate::ingest::refusal(&found.name, e)),
            Err(e) => {
                if let Some(e) = elsewhere::refusal(&e) {
                    return Err(e);
                }
                return Err(Error::Internal(
                    anyhow::Error::new(e).context(format!("rendition of `{}`", found.name)),
                ));
            }
        };
        Ok(MediaFile {
            media_type: "image/jpeg".to_owned(),
            etag: format!("\"{}.{}.{RENDITIONS_VERSION}\"", found.digest, rendition.as_str()),
            name: renamed(&found.name),
            body: MediaBody::Bytes(bytes),
            stands_in: false,
        })
    }

    /// The stored bytes. `inline`: they are known to be a picture that browsers show as it is meant.
    async fn original(&self, found: &ItemBlob, inline: bool) -> Result<MediaFile> {
        let body = match self.0.blobs.len(&found.digest).await {
            Ok(len) => MediaBody::stored(&self.0, &found.digest, len),
            Err(StorageError::NotFound) => match self.0.remote(&found.digest).await? {
                Some(remote) => MediaBody::Remote(remote),
                None => return Err(lost(found)),
            },
            Err(e) => return Err(Error::Internal(e.into())),
        };
        let kind = ImageKind::from_media_type(&found.media_type);
        debug_assert!(!inline || kind.is_some(), "only pictures are inline");
        Ok(MediaFile {
            // Never what a client once claimed: one of six raster types, or bytes without a meaning.
            media_type: kind
                .map_or("application/octet-stream", ImageKind::media_type)
                .to_owned(),
            etag: format!("\"{}\"", found.digest),
            name: base(&found.name).to_owned(),
            body,
            stands_in: false,
        })
    }
}

/// What is known of an item's bytes, for whoever may see it.
async fn seen(ctx: &Context, actor: &Actor, item: ItemId) -> Result<ItemBlob> {
    let mut tx = ctx.db.read().await?;
    let found = repo::blob::of_item(&mut tx, item)
        .await?
        .ok_or_else(|| Error::not_found("item"))?;
    match require_in(&mut tx, actor, Action::ViewItems, found.project_id).await {
        // Somebody who may not see the project learns nothing about its items.
        Err(Error::Api(e)) if e.code == Code::NotFound => Err(Error::not_found("item")),
        other => other.map(|_| found),
    }
}

fn lost(found: &ItemBlob) -> Error {
    tracing::error!(digest = %found.digest, name = %found.name, "a stored file is missing");
    Error::new(
        Code::NotFound,
        format!(
            "The stored file of `{}` is missing on the server; tell your admin, or delete the item and add it again.",
            found.name
        ),
    )
}

/// A plain grey thumbnail, so that a page of pictures has no holes while a large one is being cut.
fn stand_in(found: &ItemBlob) -> Result<MediaFile> {
    const GREY: u8 = 0x80;
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut bytes)
        .encode(&[GREY; 64], 8, 8, image::ExtendedColorType::L8)
        .map_err(anyhow::Error::from)?;
    Ok(MediaFile {
        media_type: "image/jpeg".to_owned(),
        etag: format!("{}.waits", found.digest),
        name: renamed(&found.name),
        body: MediaBody::Bytes(Bytes::from(bytes)),
        stands_in: true,
    })
}

/// What the header said when the item was added.
fn info(found: &ItemBlob) -> Option<ImageInfo> {
    Some(ImageInfo {
        kind: ImageKind::from_media_type(&found.media_type)?,
        width: u32::try_from(found.width).ok()?,
        height: u32::try_from(found.height).ok()?,
        orientation: u8::try_from(found.orientation).ok()?,
        decoded_bytes: 0,
        bits: 8,
    })
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The name of a JPEG made from the item.
fn renamed(name: &str) -> String {
    format!("{}.jpg", limn_formats::names::stem(base(name)))
}
