//! The services' error: what a client may see, or an internal failure that only the log sees.

use limn_domain::{ApiError, Code};
use limn_storage::StorageError;
use limn_store::StoreError;

pub(crate) const STORE_AWAY: &str = "The store of files does not answer right now. Try again in a moment.";

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Meant for the client as it is.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A database failure without a meaning for the client.
    #[error(transparent)]
    Store(StoreError),
    /// Anything else that went wrong inside.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl From<StoreError> for Error {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Self::Internal(e.into())
    }
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::Api(ApiError::new(code, message))
    }

    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Api(ApiError::field(field, message))
    }

    pub fn not_found(what: &str) -> Self {
        Self::Api(ApiError::not_found(what))
    }

    /// What the client sees; internals are logged here, once, and replaced.
    pub fn into_api(self) -> ApiError {
        match self {
            Self::Api(e) => e,
            Self::Store(StoreError::Unavailable(detail)) => {
                tracing::error!(%detail, "database unavailable");
                ApiError::new(
                    Code::Unavailable,
                    "The database does not answer right now. Try again in a moment.",
                )
            }
            Self::Store(e) => {
                tracing::error!(error = ?e, "database error");
                ApiError::internal()
            }
            Self::Internal(e) if is_away(&e) => {
                tracing::error!(error = ?e, "object store unavailable");
                ApiError::new(Code::Unavailable, STORE_AWAY)
            }
            Self::Internal(e) => {
                tracing::error!(error = ?e, "internal error");
                ApiError::internal()
            }
        }
    }
}

/// Whether the object store is at the bottom of it.
fn is_away(e: &anyhow::Error) -> bool {
    e.chain().any(|cause| {
        let storage = cause
            .downcast_ref::<StorageError>()
            .is_some_and(StorageError::is_away);
        let io = cause.downcast_ref::<std::io::Error>();
        storage || io.is_some_and(limn_storage::objects::is_away)
    })
}

impl From<Error> for ApiError {
    fn from(e: Error) -> Self {
        e.into_api()
    }
}
