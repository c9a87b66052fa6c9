//! API tokens.

use crate::id::{DatasetId, ProjectId, TokenId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a token may do at most; the owner's role limits it further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TokenScope {
    /// Read and export.
    Read,
    /// All the owner may do in projects.
    Write,
    /// All the owner may do, people and tokens included.
    Admin,
}

impl TokenScope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    pub const fn describe(self) -> &'static str {
        match self {
            Self::Read => "Read and export",
            Self::Write => "Everything you may do in projects",
            Self::Admin => "Everything you may do, people included",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    /// First characters, to recognise it by.
    pub prefix: String,
    pub scope: TokenScope,
    /// Only for this project, when set.
    pub project_id: Option<ProjectId>,
    /// Only for this dataset, when set.
    pub dataset_id: Option<DatasetId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    pub name: String,
    pub scope: TokenScope,
    #[serde(default)]
    pub project_id: Option<ProjectId>,
    /// Not together with a project.
    #[serde(default)]
    pub dataset_id: Option<DatasetId>,
    /// Days until it ends; never when absent.
    #[serde(default)]
    pub expires_in_days: Option<i64>,
}

/// Answer to creating a token: the only time the secret is shown.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedToken {
    pub token: Token,
    /// `limn_...`; send it as `Authorization: Bearer ...`.
    pub secret: String,
    /// The same token for S3 clients.
    pub s3: S3Key,
}

/// What S3 clients sign their requests with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct S3Key {
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl std::fmt::Debug for S3Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Key")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedToken")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
