//! What can go wrong in the database.

/// A failed database call.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint was hit; names the columns or the constraint, as far as the database tells.
    #[error("already there: {0}")]
    Unique(String),
    /// A row that is referred to is missing, or one that is still referred to was deleted.
    #[error("broken reference: {0}")]
    ForeignKey(String),
    /// The database cannot be reached or is too busy.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    #[error("migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The unit of work stopped without an answer (it panicked, or the server is shutting down).
    #[error("the write was abandoned")]
    Abandoned,
    #[error("bad data in the database: {0}")]
    Corrupt(String),
    #[error(transparent)]
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        match e {
            sqlx::Error::Database(ref d) if d.is_unique_violation() => {
                // PostgreSQL names the constraint, SQLite the columns in its message.
                Self::Unique(
                    d.constraint()
                        .map_or_else(|| d.message().to_owned(), str::to_owned),
                )
            }
            sqlx::Error::Database(ref d) if d.is_foreign_key_violation() => Self::ForeignKey(
                d.constraint()
                    .map_or_else(|| d.message().to_owned(), str::to_owned),
            ),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
                Self::Unavailable(e.to_string())
            }
            e => Self::Sqlx(e),
        }
    }
}

impl StoreError {
    /// Whether somebody else's work at the same time got in the way, so that trying again may help: a deadlock, a lock
    /// not given in time, a serialisation failure, or a reference made while its target was being removed.
    pub fn is_contention(&self) -> bool {
        match self {
            Self::ForeignKey(_) => true,
            Self::Sqlx(sqlx::Error::Database(d)) => {
                matches!(d.code().as_deref(), Some("40P01" | "40001" | "55P03"))
            }
            _ => false,
        }
    }
}
