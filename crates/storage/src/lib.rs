//! Bytes: the content-addressed blob store (a folder, or an object store that is put in from outside), the checks of
//! pictures and archives that come from outside, and the smaller renditions of pictures.
//!
//! Everything that enters is hostile: formats are told by content, sizes are limited before anything is decoded, and
//! decoding runs on blocking threads under a memory budget ([`DecodePool`]). Nothing here knows items, projects, roles
//! or the database.

pub mod archive;
pub mod bake;
mod blob;
mod cache;
mod decode;
mod error;
mod folders;
mod jpeg;
mod luma;
mod many;
pub mod objects;
mod pool;
pub mod pyramid;
mod remote;
mod render;
mod renditions;
mod serve;
mod sniff;
mod staged;
pub mod video;
mod whole;

pub use blob::{BlobStore, Stored};
pub use decode::{Decoded, ImageInfo, ImageLimits, decode, header};
pub use error::StorageError;
pub use luma::{Luma, Measurable, SmallRgb, measurable, small_rgb};
pub use pool::DecodePool;
pub use render::RenditionKind;
pub use renditions::Renditions;
pub use serve::StoredBlob;
pub use sniff::{ImageKind, SNIFF_LEN, is_zip, sniff};
pub use staged::{ReadSeek, Source, StageWriter, Staged};

pub type Result<T, E = StorageError> = std::result::Result<T, E>;
