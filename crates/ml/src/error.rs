//! What can go wrong, in words that say what to do.

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MlError {
    /// Somebody asked to stop.
    #[error("the work was stopped")]
    Stopped,
    /// The data cannot be learned from; the text says what is missing.
    #[error("{0}")]
    Refused(String),
    /// A model that was stored cannot be read, or numbers went astray.
    #[error("{0}")]
    Broken(String),
}

pub type Result<T, E = MlError> = std::result::Result<T, E>;

impl MlError {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

/// Whether to stop: asked between steps.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

pub(crate) fn check(stop: Stop<'_>) -> Result<()> {
    if stop() { Err(MlError::Stopped) } else { Ok(()) }
}

/// Every number is one.
pub(crate) fn finite(numbers: &[f32], what: &str) -> Result<()> {
    if numbers.iter().all(|v| v.is_finite()) {
        return Ok(());
    }
    Err(MlError::Broken(format!(
        "{what} came out as no number; train again, and if it stays, look for damaged pictures among the newest"
    )))
}
