//! API tokens.

use crate::id::{ProjectId, TokenId};
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
}

impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedToken")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
