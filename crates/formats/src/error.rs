//! What makes a whole file unusable. Anything smaller is a finding, and the rest of the file is taken.

/// A file nothing could be taken from.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Reading or writing failed underneath.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The bytes are not of the format at all; the message names the file and the mend.
    #[error("{0}")]
    NotTheFormat(String),
}
