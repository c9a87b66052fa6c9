//! Files of a version.

use super::Split;
use crate::annotation::Annotation;
use crate::attribute::{Attribute, Attributes};
use crate::category::Category;
use crate::id::Digest;
use crate::project::Task;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Relative path with forward slashes, unique in the version regardless of case.
    pub path: String,
    /// Bytes.
    pub size: i64,
    /// BLAKE3 of the bytes.
    pub digest: Digest,
    pub media_type: String,
    /// Of an image as it is meant to be seen, in pixels; 0 for other files.
    pub width: i64,
    pub height: i64,
    /// Unicode scalar values of a document; 0 for other files.
    pub length: i64,
    pub split: Split,
    /// Labels by the path of their category.
    pub categories: BTreeMap<String, i64>,
    /// Digest of the canonical labels; absent when nobody has said anything of the file.
    pub labels_digest: Option<Digest>,
    /// The labels, when asked for. Ids are derived from the digest and the place; categories have the ids of
    /// [`VersionSchema`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Annotation>,
    /// What is said of the file as a whole, when asked for.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub about: Attributes,
}

/// Which files of a version. Absent fields do not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Files with at least one label of one of these categories (paths).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// A pattern of paths: `*` within a folder, `**` across, `?` one character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glob: Option<String>,
}

/// Filter and cursor of a list of files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct EntryQuery {
    #[serde(default)]
    pub split: Option<Split>,
    /// Files with at least one label of this category (its path).
    #[serde(default)]
    pub category: Option<String>,
    /// A pattern of paths: `*` within a folder, `**` across, `?` one character.
    #[serde(default)]
    pub glob: Option<String>,
    /// With their labels.
    #[serde(default)]
    pub labels: bool,
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1..=1000, 60 when absent.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// A folder in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Folder {
    pub name: String,
}

/// What lies directly in a folder of a version, in order of names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FolderPage {
    pub folders: Vec<Folder>,
    pub files: Vec<Entry>,
    /// Pass as `cursor` for the next page; absent on the last one.
    pub next: Option<String>,
}

/// What the labels of a version can say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionSchema {
    pub task: Option<Task>,
    /// Their ids are derived from the path and are the same in every answer; counts are the version's.
    pub categories: Vec<Category>,
    /// What is said of files as a whole.
    pub attributes: Vec<Attribute>,
    /// What relations can say.
    pub relations: Vec<String>,
}
