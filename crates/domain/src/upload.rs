//! Resumable uploads of large files (archives, annotation files): create, append from an offset, use in a job.

use crate::id::UploadId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A file to upload in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewUpload {
    pub name: String,
    /// Bytes in all.
    pub size: i64,
}

/// The state of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upload {
    pub id: UploadId,
    pub name: String,
    pub size: i64,
    /// Bytes received and kept; send the rest from here.
    pub received: i64,
    pub created_at: Timestamp,
    /// Whether its parts may be put straight into the object store, at addresses that `parts` gives. Sending them to the
    /// server is always possible.
    #[serde(default)]
    pub direct: bool,
}

/// What has arrived of an upload, and what may come next straight into the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadParts {
    pub upload: Upload,
    /// In order. None when everything has arrived, or when bytes go to the server.
    pub parts: Vec<UploadPart>,
}

/// A part of an upload on its way into the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadPart {
    /// Where it begins, in bytes.
    pub offset: i64,
    /// In bytes. The store takes no other length.
    pub size: i64,
    /// `PUT` the bytes here, without any token, within a quarter of an hour.
    pub url: String,
}

/// Asks which files of a folder still need sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadCheck {
    pub files: Vec<UploadCheckFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadCheckFile {
    /// Relative path with forward slashes.
    pub name: String,
    pub size: i64,
}

/// The names the project does not have yet, or has with another size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadMissing {
    pub missing: Vec<String>,
}
