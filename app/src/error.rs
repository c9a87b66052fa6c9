//! The one error of server functions: [`ApiError`] with the traits that Leptos asks for.

use limn_domain::{ApiError, Code};
use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};
use std::ops::Deref;

/// What a server function fails with. On the wire it is the plain [`ApiError`], as in `/api/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(transparent)]
#[error(transparent)]
pub struct AppError(pub ApiError);

pub type Result<T, E = AppError> = std::result::Result<T, E>;

impl AppError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(ApiError::new(code, message))
    }

    /// The server could not be reached, or answered with something else than its own errors.
    pub fn offline() -> Self {
        Self::new(
            Code::Unavailable,
            "The server does not answer. Check the connection and try again.",
        )
    }

    /// Whether nobody is signed in (any more).
    pub fn is_signed_out(&self) -> bool {
        self.0.code == Code::SignInRequired
    }
}

impl Deref for AppError {
    type Target = ApiError;

    fn deref(&self) -> &ApiError {
        &self.0
    }
}

impl From<ApiError> for AppError {
    fn from(e: ApiError) -> Self {
        Self(e)
    }
}

#[cfg(feature = "ssr")]
impl From<limn_services::Error> for AppError {
    /// Logs internals and sets the HTTP status of a server function's answer.
    fn from(e: limn_services::Error) -> Self {
        let e = e.into_api();
        crate::context::answer_with(e.code.status());
        Self(e)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        let e = match value {
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) => Self::new(
                Code::BadRequest,
                format!("The request could not be read: {detail}"),
            ),
            // On the server it is the client's request that could not be read.
            ServerFnErrorErr::Request(detail) | ServerFnErrorErr::Deserialization(detail)
                if cfg!(feature = "ssr") =>
            {
                Self::new(
                    Code::BadRequest,
                    format!("The request could not be read: {detail}"),
                )
            }
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Deserialization(_) => Self::offline(),
            _ => Self(ApiError::internal()),
        };
        #[cfg(feature = "ssr")]
        crate::context::answer_with(e.code.status());
        e
    }

    fn de(data: bytes::Bytes) -> Self {
        let e: Self = serde_json::from_slice(&data).unwrap_or_else(|_| Self::offline());
        if e.is_signed_out() {
            crate::session::note_expired();
        }
        e
    }
}
