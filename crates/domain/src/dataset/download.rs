//! What a version is downloaded as.

use serde::{Deserialize, Serialize};

/// A file made of a whole version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Download {
    /// All files as a zip.
    Archive,
    /// A line of JSON a file: [`Metadata`].
    Metadata,
}

/// Names the content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checksum {
    /// Size.
    pub bytes: i64,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

/// The name of the file of [`Metadata`] lines; that of Hugging Face's folder loaders.
pub const METADATA_FILE: &str = "metadata.jsonl";

/// What is known of a file of a version, flat, so that tables can be made of it. Each line has each field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Path in the version.
    pub file_name: String,
    pub split: Option<String>,
    pub media_type: String,
    /// Size.
    pub bytes: i64,
    /// BLAKE3 of the file.
    pub digest: String,
    /// Of an image as it is meant to be seen, in pixels; 0 for other files.
    pub width: i64,
    pub height: i64,
    /// Paths of the categories of its labels, each once, in order.
    pub categories: Vec<String>,
    /// Of each label that lies somewhere: `[x, y, width, height]` of the smallest upright box around it, in pixels of
    /// the upright image.
    pub bbox: Vec<[f64; 4]>,
    /// The category of each box.
    pub bbox_category: Vec<String>,
}
