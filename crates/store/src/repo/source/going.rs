//! How far a source is through the versions of its dataset.
//!
//! A file that the version has not (any more) has `source_file.seen` 0.

use super::ROWS;
use crate::{StoreError, Tx, on_tx};
use limn_domain::datastore::FileState;
use limn_domain::{SourceId, Timestamp, VersionId};
use sqlx::{FromRow, QueryBuilder};

/// Where a source stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct Place {
    /// Taken last, whole. Absent also when that version was deleted.
    pub taken_version: Option<VersionId>,
    /// Being taken. Absent also when that version was deleted.
    pub going_version: Option<VersionId>,
    /// The key of the last file that was taken of it.
    pub going_after: Option<String>,
    /// Whether it is taken file by file, and not by what differs from the one taken last; `None` when none is being taken.
    pub going_all: Option<bool>,
}

/// Files of a source, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// In the version.
    pub there: i64,
    /// Those among them with other content than their item.
    pub changed: i64,
    /// Items whose file is not in the version any more.
    pub vanished: i64,
}

pub async fn place(tx: &mut Tx, id: SourceId) -> Result<Option<Place>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT taken_version, going_version, going_after, going_all FROM project_source WHERE id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?
    }))
}

/// Begins to take a version; `all`: file by file, and those that are not met count as gone. `ForeignKey`: no such version.
pub async fn begin(tx: &mut Tx, id: SourceId, version: VersionId, all: bool) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("UPDATE project_source SET going_version = $2, going_after = NULL, going_all = $3 WHERE id = $1")
            .bind(id)
            .bind(version)
            .bind(all)
            .execute(conn)
            .await?
            .rows_affected()
    });
    if all && n > 0 {
        on_tx!(tx, conn => {
            sqlx::query("UPDATE source_file SET seen = 0 WHERE source_id = $1").bind(id).execute(conn).await?;
        });
    }
    Ok(n > 0)
}

/// Notes the last file that was taken; locks the source, and its version with it. False when the version is not being taken
/// any more: it or the source was deleted, or another refresh took over.
pub async fn advance(tx: &mut Tx, id: SourceId, version: VersionId, after: &str) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("UPDATE project_source SET going_after = $3 WHERE id = $1 AND going_version = $2")
            .bind(id)
            .bind(version)
            .bind(after)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

/// The version is taken, whole. False as in [`advance`].
pub async fn arrive(tx: &mut Tx, id: SourceId, version: VersionId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE project_source SET taken_version = $2, going_version = NULL, going_after = NULL, going_all = NULL \
             WHERE id = $1 AND going_version = $2",
        )
        .bind(id)
        .bind(version)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(n > 0)
}

/// Notes that the version has these files no more.
pub async fn gone(tx: &mut Tx, id: SourceId, paths: &[String]) -> Result<(), StoreError> {
    for part in paths.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("UPDATE source_file SET seen = 0 WHERE source_id = ");
            q.push_bind(id).push(" AND path IN (");
            let mut list = q.separated(", ");
            for path in part {
                list.push_bind(path);
            }
            q.push(")");
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

pub async fn standing(tx: &mut Tx, id: SourceId) -> Result<Standing, StoreError> {
    let rows: Vec<(FileState, i64, i64)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT state, count(*), CAST(sum(CASE WHEN seen > 0 THEN 1 ELSE 0 END) AS BIGINT) FROM source_file \
             WHERE source_id = $1 GROUP BY state",
        )
        .bind(id)
        .fetch_all(conn)
        .await?
    });
    let mut standing = Standing::default();
    for (state, all, there) in rows {
        standing.there += there;
        match state {
            FileState::Taken => standing.vanished += all - there,
            FileState::Changed => {
                standing.changed += there;
                standing.vanished += all - there;
            }
            FileState::Refused => {}
        }
    }
    Ok(standing)
}

/// Of the files that became items and are gone the first by path.
pub async fn vanished(tx: &mut Tx, id: SourceId, limit: i64) -> Result<Vec<String>, StoreError> {
    // Everything that was seen was seen later.
    Ok(super::vanished(tx, id, Timestamp(1), limit).await?.1)
}
