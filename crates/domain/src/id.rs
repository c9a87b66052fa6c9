//! Identifiers: UUIDv7 newtypes, so that an item's id cannot be passed for a project's.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id; ids look like 0192f0c1-2d3e-7abc-8def-0123456789ab")]
pub struct InvalidId(pub String);

macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = uuid::Uuid))]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id; ids made later sort after ids made earlier.
            #[allow(clippy::new_without_default, reason = "an id is made on purpose, never by default")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The all-zero id, which no row ever has.
            pub const fn nil() -> Self {
                Self(Uuid::nil())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(s: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(s).map(Self).map_err(|_| InvalidId(s.chars().take(64).collect()))
            }
        }
    )*};
}

id_type!(
    /// A person who can sign in.
    UserId,
    /// A labeling project.
    ProjectId,
    /// One image in a project.
    ItemId,
    /// A category of a project.
    CategoryId,
    /// One label on an item; made by whoever draws it, also offline.
    AnnotationId,
    /// Annotations of an item that belong together; made by whoever groups them.
    GroupId,
    /// One saved edit; the same id sent twice is applied once.
    ChangeId,
    /// A background job.
    JobId,
    /// An API token.
    TokenId,
    /// An invitation link.
    InvitationId,
    /// A resumable upload.
    UploadId,
    /// A picture in a project's instructions.
    AssetId,
    /// A line of the audit log.
    ActivityId,
    /// A dataset.
    DatasetId,
    /// A version of a dataset.
    VersionId,
    /// A run of an experiment.
    RunId,
    /// A model as a run logged it.
    LoggedModelId,
    /// A registered model.
    ModelId,
    /// A version of a registered model.
    ModelVersionId,
    /// A datastore.
    DatastoreId,
    /// What a project takes from a datastore.
    SourceId,
    /// A saved view of a dataset's files.
    ViewId,
    /// A tag of a dataset's files.
    FileTagId,
    /// One change of the tags of files, to undo it.
    TagChangeId,
);

impl RunId {
    /// 32 hexadecimal digits, as clients of the field write ids of runs.
    pub fn hex(self) -> String {
        self.0.simple().to_string()
    }
}

impl LoggedModelId {
    /// `m-` and 32 hexadecimal digits, as clients of the field write them.
    pub fn tag(self) -> String {
        format!("m-{}", self.0.simple())
    }

    /// The reverse of [`Self::tag`]; takes the digits alone too.
    pub fn parse_tag(text: &str) -> Result<Self, InvalidId> {
        text.strip_prefix("m-").unwrap_or(text).parse()
    }
}

/// BLAKE3 digest of some bytes, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Digest(String);

impl Digest {
    /// Wraps digest text. Errors when it is not 64 hexadecimal digits.
    pub fn parse(s: &str) -> Result<Self, InvalidId> {
        if s.len() == 64
            && s.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            Ok(Self(s.to_owned()))
        } else {
            Err(InvalidId(s.chars().take(64).collect()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidId;

    fn try_from(s: String) -> Result<Self, InvalidId> {
        Self::parse(&s)
    }
}

impl From<Digest> for String {
    fn from(d: Digest) -> Self {
        d.0
    }
}
