//! The one error shape that leaves the server, and the table of its codes.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// Stable error codes; scripts may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Code { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

codes! {
    /// A field or parameter is wrong; `fields` says which.
    InvalidInput = "invalid_input", 422;
    /// The request could not be read at all.
    BadRequest = "bad_request", 400;
    /// Nobody is signed in, or the session or token has ended.
    SignInRequired = "sign_in_required", 401;
    /// Wrong e-mail address or password.
    WrongCredentials = "wrong_credentials", 401;
    /// Signed in, but the role or the token's scope does not allow it.
    Forbidden = "forbidden", 403;
    /// The request came from another site.
    CrossOrigin = "cross_origin", 403;
    NotFound = "not_found", 404;
    /// Something with this name exists already.
    AlreadyExists = "already_exists", 409;
    /// Somebody else changed it in between.
    Conflict = "conflict", 409;
    /// The state does not allow it now (a finished job cannot be cancelled).
    WrongState = "wrong_state", 409;
    /// Another person holds the item.
    ItemTaken = "item_taken", 409;
    /// The link was used or has expired.
    LinkExpired = "link_expired", 410;
    TooLarge = "too_large", 413;
    /// The bytes are not a supported or readable image, archive or file.
    UnsupportedMedia = "unsupported_media", 415;
    TooManyRequests = "too_many_requests", 429;
    Internal = "internal", 500;
    /// Shutting down or the database is away; trying again helps.
    Unavailable = "unavailable", 503;
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Name of the field as in the request, e.g. `name` or `categories[2].color`.
    pub field: String,
    pub message: String,
}

/// An error as a client sees it: a stable code, a sentence that names the thing and the mend, and the fields at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiError {
    pub code: Code,
    pub message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
}

impl ApiError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// A single field is wrong.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code: Code::InvalidInput,
            message: message.clone(),
            fields: vec![FieldError {
                field: field.into(),
                message,
            }],
        }
    }

    /// `what` names the kind of thing, e.g. "project".
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is no such {what}, or you may not see it."),
        )
    }

    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "Something went wrong on our side. Try again; if it stays, tell your admin the request id.",
        )
    }

    /// The message for one field, if it is at fault.
    pub fn for_field(&self, field: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|f| f.field == field)
            .map(|f| f.message.as_str())
    }
}
