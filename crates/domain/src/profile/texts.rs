//! Documents: one text a file.

use super::{CharClasses, DuplicateImages, NumberProfile, TopPath, TopValue};
use serde::{Deserialize, Serialize};

/// All documents of a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextsProfile {
    pub documents: u64,
    pub bytes: u64,
    /// Unicode scalar values a document.
    pub characters: NumberProfile,
    /// Runs of anything but white space.
    pub words: NumberProfile,
    pub lines: NumberProfile,
    pub classes: CharClasses,
    /// `UTF-8`, `UTF-16LE`, `windows-1252`...
    pub encodings: Vec<TopValue>,
    pub empty: u64,
    /// Documents of the same text, white space and case aside.
    pub duplicates: DuplicateImages,
    /// Files that are no text, with the reason.
    pub unreadable: Vec<TopPath>,
    pub unreadable_total: u64,
}
