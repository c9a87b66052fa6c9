//! What can go wrong between here and a store.

pub type Result<T, E = ConnectError> = std::result::Result<T, E>;

/// The texts are whole sentences for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// A setting cannot be used: its key, and why.
    #[error("{1}")]
    Setting(&'static str, String),
    /// The guard does not let this server connect there.
    #[error("{0}")]
    Refused(String),
    /// The store knows us not, or not for anything here.
    #[error("{0}")]
    Denied(String),
    /// The store does not let us have this one file or folder. It may be that it lets us have none: one answer does not tell.
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    /// No answer, or none of use, after several attempts; later it may be better.
    #[error("{0}")]
    Unreachable(String),
    /// The file changed while it was read.
    #[error("{0}")]
    Changed(String),
    /// More than this server takes.
    #[error("{0}")]
    TooMuch(String),
    /// An answer that makes no sense, or a query that cannot be run.
    #[error("{0}")]
    Wrong(String),
}

impl ConnectError {
    /// Whether trying again later may help.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// Whether the store refused, for this file or for all.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Forbidden(_))
    }

    /// Whether one file is at fault and not the store.
    pub const fn is_of_file(&self) -> bool {
        matches!(self, Self::Changed(_) | Self::NotFound(_) | Self::TooMuch(_))
    }
}
