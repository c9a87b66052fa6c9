//! Databases: their tables, and what one query answers, read as text in a transaction that only reads.
//!
//! Values come as the database writes them, so that no type is lost on the way: decimals keep their digits. Names are
//! resolved by the guard, and the address is what is dialled.

mod conn;
mod mssql;
mod query;
mod relay;
#[cfg(feature = "tls")]
pub(crate) mod trust;

pub use conn::Conn;
pub use query::{check as check_query, is_identifier};

use crate::{ConnectError, Guard, Result, Secret};
use futures::StreamExt as _;
use limn_domain::datastore::{DatastoreKind, StoreTable, TableColumn, TablePreview};
use std::path::PathBuf;
use std::time::Duration;

/// Longest a look may take.
pub const LOOK: Duration = Duration::from_secs(30);
/// Longest value shown.
const SHOWN: usize = 500;

/// A database, not connected yet.
pub struct Database {
    pub(crate) guard: Guard,
    pub(crate) kind: DatastoreKind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) username: String,
    pub(crate) password: Secret,
    pub(crate) tls: Tls,
    /// With [`Tls::VerifyFull`]: authorities as PEM, beside those that this machine trusts.
    pub(crate) ca: String,
    /// Of SQLite.
    pub(crate) file: PathBuf,
}

/// Whether the way is encrypted, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Off,
    Prefer,
    Require,
    /// And the other end shows a certificate for the name of the host that somebody trusted has signed.
    VerifyFull,
}

/// A row as text; `None` is NULL.
pub type Row = Vec<Option<String>>;

impl Database {
    /// What a look shows, and what an admin should know.
    pub async fn test(&self) -> Result<(String, Vec<String>)> {
        let mut conn = Conn::open(self, LOOK).await?;
        let warnings = conn.warnings().await?;
        let tables = conn.tables().await?.len();
        let what = match tables {
            0 => "The login sees no table.".to_owned(),
            1 => "The login sees one table.".to_owned(),
            n => format!("The login sees {n} tables and views."),
        };
        Ok((format!("The connection works. {what}"), warnings))
    }

    pub async fn tables(&self) -> Result<Vec<StoreTable>> {
        Conn::open(self, LOOK).await?.tables().await
    }

    /// The first rows that a query answers.
    pub async fn preview(&self, sql: &str, rows: usize) -> Result<TablePreview> {
        let sql = check_query(sql)?;
        let mut conn = Conn::open(self, LOOK).await?;
        let look = async {
            let mut answer = conn.query(&sql);
            let mut out = TablePreview::default();
            while let Some(next) = answer.next().await {
                let (columns, row) = next?;
                if out.columns.is_empty() {
                    out.columns = columns;
                }
                if out.rows.len() >= rows {
                    out.cut = true;
                    break;
                }
                out.rows.push(row.into_iter().map(|v| v.map(short)).collect());
            }
            Ok::<_, ConnectError>(out)
        };
        let mut out = within(LOOK, look).await?;
        if out.columns.is_empty() {
            out.columns = conn.columns(&sql).await.unwrap_or_default();
        }
        Ok(out)
    }

    /// The columns of a query that answers no row.
    pub async fn columns(&self, sql: &str) -> Result<Vec<TableColumn>> {
        let sql = check_query(sql)?;
        Conn::open(self, LOOK).await?.columns(&sql).await
    }
}

/// Ends what takes too long.
pub async fn within<T>(time: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
        Err(ConnectError::TooMuch(format!(
            "The database did not answer within {} seconds; ask for less, or add an index.",
            time.as_secs()
        )))
    })
}

fn short(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((n, _)) => format!("{}...", &text[..n]),
        None => text,
    }
}
