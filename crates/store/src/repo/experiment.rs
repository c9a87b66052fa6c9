//! experiment rows.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::run::{Experiment, ExperimentId, Tags};
use limn_domain::{Timestamp, UserId};
use sqlx::{FromRow, QueryBuilder};

#[derive(FromRow)]
struct Row {
    id: ExperimentId,
    name: String,
    tags: Json<Tags>,
    runs: i64,
    last_run_ms: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Option<Timestamp>,
}

impl From<Row> for Experiment {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            name: r.name,
            tags: r.tags.0,
            runs: r.runs,
            last_run_ms: r.last_run_ms,
            created_at: r.created_at,
            updated_at: r.updated_at,
            deleted_at: r.deleted_at,
        }
    }
}

/// One experiment by what it is known by.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    All,
    Id(ExperimentId),
    Name(&'a str),
}

/// Errors: `Unique` when the name is taken, also by one in the bin.
pub async fn insert(
    tx: &mut Tx,
    name: &str,
    tags: &Tags,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<ExperimentId, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "INSERT INTO experiment (name, tags, created_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) RETURNING id",
        )
        .bind(name)
        .bind(Json(tags))
        .bind(by)
        .bind(now)
        .fetch_one(conn)
        .await?
    }))
}

/// Experiments with what they hold, the newest first, also those in the bin.
pub async fn list(tx: &mut Tx, which: Which<'_>) -> Result<Vec<Experiment>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT e.id, e.name, e.tags, \
             (SELECT count(*) FROM run r WHERE r.experiment_id = e.id AND r.deleted_at IS NULL) AS runs, \
             (SELECT max(r.start_ms) FROM run r WHERE r.experiment_id = e.id) AS last_run_ms, \
             e.created_at, e.updated_at, e.deleted_at FROM experiment e",
        );
        match which {
            Which::All => {}
            Which::Id(id) => {
                q.push(" WHERE e.id = ").push_bind(id);
            }
            Which::Name(name) => {
                q.push(" WHERE e.name = ").push_bind(name.to_owned());
            }
        }
        q.push(" ORDER BY e.id DESC");
        q.build_query_as().fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(Experiment::from).collect())
}

/// Notes a change and locks the row until the transaction ends; answers its tags and whether it lies in the bin.
pub async fn lock(tx: &mut Tx, id: ExperimentId, now: Timestamp) -> Result<Option<(Tags, bool)>, StoreError> {
    let row: Option<(Json<Tags>, Option<Timestamp>)> = on_tx!(tx, conn => {
        sqlx::query_as("UPDATE experiment SET updated_at = $2 WHERE id = $1 RETURNING tags, deleted_at")
            .bind(id)
            .bind(now)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|(tags, deleted)| (tags.0, deleted.is_some())))
}

/// Whether it lies in the bin; `None` when there is no such experiment.
pub async fn is_deleted(tx: &mut Tx, id: ExperimentId) -> Result<Option<bool>, StoreError> {
    let row: Option<(Option<Timestamp>,)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT deleted_at FROM experiment WHERE id = $1").bind(id).fetch_optional(conn).await?
    });
    Ok(row.map(|(deleted,)| deleted.is_some()))
}

pub async fn set_tags(tx: &mut Tx, id: ExperimentId, tags: &Tags) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE experiment SET tags = $2 WHERE id = $1").bind(id).bind(Json(tags)).execute(conn).await?;
    });
    Ok(())
}

/// Errors: `Unique` when the name is taken.
pub async fn rename(tx: &mut Tx, id: ExperimentId, name: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE experiment SET name = $2 WHERE id = $1").bind(id).bind(name).execute(conn).await?;
    });
    Ok(())
}

/// Puts it into the bin with its runs, or takes it out with those that went in with it.
pub async fn set_deleted(
    tx: &mut Tx,
    id: ExperimentId,
    deleted: Option<Timestamp>,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        match deleted {
            Some(at) => {
                sqlx::query("UPDATE run SET deleted_at = $2 WHERE experiment_id = $1 AND deleted_at IS NULL")
                    .bind(id)
                    .bind(at)
                    .execute(&mut *conn)
                    .await?;
            }
            None => {
                sqlx::query(
                    "UPDATE run SET deleted_at = NULL WHERE experiment_id = $1 \
                     AND deleted_at = (SELECT deleted_at FROM experiment WHERE id = $1)",
                )
                .bind(id)
                .execute(&mut *conn)
                .await?;
            }
        }
        sqlx::query("UPDATE experiment SET deleted_at = $2 WHERE id = $1").bind(id).bind(deleted).execute(conn).await?;
    });
    Ok(())
}

/// Removes it for good with its runs and logged models. Answers whether it was there.
pub async fn delete(tx: &mut Tx, id: ExperimentId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM experiment WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}
