//! What a version says of one file.

use crate::Hash;
use limn_domain::dataset::Split;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file of a version. The short names are part of the format: they are hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Relative path with forward slashes, checked.
    #[serde(rename = "p")]
    pub path: String,
    /// Bytes.
    #[serde(rename = "s")]
    pub size: u64,
    /// The file's bytes.
    #[serde(rename = "b")]
    pub blob: Hash,
    #[serde(rename = "m")]
    pub media_type: String,
    /// Of an image as it is meant to be seen, in pixels; 0 for other files.
    #[serde(rename = "w", default, skip_serializing_if = "is_zero")]
    pub width: u32,
    #[serde(rename = "h", default, skip_serializing_if = "is_zero")]
    pub height: u32,
    /// EXIF orientation of the stored bytes, 1 to 8.
    #[serde(rename = "o", default = "upright", skip_serializing_if = "is_upright")]
    pub orientation: u8,
    /// Unicode scalar values of a document; 0 for other files.
    #[serde(rename = "l", default, skip_serializing_if = "is_zero")]
    pub length: u32,
    #[serde(rename = "t", default, skip_serializing_if = "Split::is_none")]
    pub split: Split,
    /// The canonical labels ([`crate::object::Labels`]); absent when nobody has said anything of the file.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Hash>,
    /// Labels by the path of their category.
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, u32>,
}

impl Entry {
    /// What the tree is sorted by.
    pub fn key(&self) -> String {
        key(&self.path)
    }

    /// Labels in all.
    pub fn label_count(&self) -> u64 {
        self.categories.values().map(|n| u64::from(*n)).sum()
    }
}

/// The key of a path: paths that differ in case alone have the same, so that a version cannot hold both.
pub fn key(path: &str) -> String {
    limn_domain::validate::name_key(path)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

const fn upright() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_upright(o: &u8) -> bool {
    *o == 1
}
