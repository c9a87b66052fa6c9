//! Limn's database: SQLite by default, PostgreSQL by URL, one SQL text for both.
//!
//! - [`Db`] opens and migrates; [`Db::read`] gives a snapshot, [`Db::write`] runs a unit of work and returns once it is
//!   durable. On SQLite writes from many requests share one commit.
//! - [`Tx`] is what repository functions take; [`on_tx!`] runs one body on either database.
//! - `repo::<noun>` holds the SQL of each noun.
//!
//! Portability rules: `$1` placeholders, `i64`, [`limn_domain::Timestamp`] bound from the caller's clock, JSON through
//! `sqlx::types::Json`, `RETURNING`, `ON CONFLICT`, `CAST(sum(..) AS BIGINT)`. What cannot be portable lives in
//! [`dialect`]. Nothing here checks roles or knows HTTP.

mod db;
pub mod dialect;
mod error;
pub mod repo;
pub mod series;

pub use db::{Db, DbConfig, Tx};
pub use error::StoreError;
pub use sqlx::types::Json;

/// Runs the same body on whichever database the transaction belongs to; `conn` is its connection.
#[macro_export]
macro_rules! on_tx {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::Tx::Sqlite(inner) => {
                let $conn = &mut **inner;
                $body
            }
            $crate::Tx::Postgres(inner) => {
                let $conn = &mut **inner;
                $body
            }
        }
    };
}
