//! Bytes of items: originals and renditions.

use crate::{Actor, Context, Result};
use bytes::Bytes;
use limn_domain::ItemId;
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
}

/// Where the bytes are.
#[derive(Debug, Clone)]
pub enum MediaBody {
    Bytes(Bytes),
    File { path: PathBuf, len: u64 },
}

/// Bytes to serve. Immutable: `etag` names the content.
#[derive(Debug, Clone)]
pub struct MediaFile {
    pub media_type: String,
    pub etag: String,
    /// Download name.
    pub name: String,
    pub body: MediaBody,
}

#[derive(Clone)]
pub struct Media(pub(crate) Context);

impl Media {
    pub async fn get(&self, actor: &Actor, item: ItemId, which: Rendition) -> Result<MediaFile> {
        todo!()
    }
}
