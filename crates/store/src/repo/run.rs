//! run rows with their parameters, tags, inputs and the models they read and made.

mod data;
mod groups;
mod search;

pub use data::{data, delete_tag, inputs, models, params_of, put_inputs, put_models, put_params, put_tags};
pub use groups::{group_metric, group_texts, groups};
pub use search::{Query, search};

use crate::{StoreError, Tx, on_tx};
use limn_domain::run::{ExperimentId, RunInfo, RunStatus};
use limn_domain::{RunId, Timestamp, UserId, VersionId};
use sqlx::FromRow;

/// A run to insert, checked.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub id: RunId,
    pub experiment_id: ExperimentId,
    pub name: String,
    pub user_name: String,
    pub created_by: Option<UserId>,
    pub start_ms: i64,
}

#[derive(FromRow)]
pub(super) struct Row {
    id: RunId,
    experiment_id: ExperimentId,
    name: String,
    user_name: String,
    status: RunStatus,
    start_ms: i64,
    end_ms: Option<i64>,
    change: i64,
    deleted_at: Option<Timestamp>,
}

impl From<Row> for RunInfo {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            experiment_id: r.experiment_id,
            name: r.name,
            user_name: r.user_name,
            status: r.status,
            start_ms: r.start_ms,
            end_ms: r.end_ms,
            change: r.change,
            deleted_at: r.deleted_at,
        }
    }
}

/// Errors: `ForeignKey` when there is no such experiment.
pub async fn insert(tx: &mut Tx, r: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO run (id, experiment_id, name, user_name, created_by, status, start_ms, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, $7)",
        )
        .bind(r.id)
        .bind(r.experiment_id)
        .bind(&r.name)
        .bind(&r.user_name)
        .bind(r.created_by)
        .bind(r.start_ms)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn get(tx: &mut Tx, id: RunId) -> Result<Option<RunInfo>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, experiment_id, name, user_name, status, start_ms, end_ms, change, deleted_at FROM run WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(RunInfo::from))
}

/// Notes a change and locks the run until the transaction ends. Answers its experiment and whether it lies in the bin.
pub async fn touch(
    tx: &mut Tx,
    id: RunId,
    now: Timestamp,
) -> Result<Option<(ExperimentId, bool)>, StoreError> {
    let row: Option<(ExperimentId, Option<Timestamp>)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "UPDATE run SET change = change + 1, updated_at = $2 WHERE id = $1 RETURNING experiment_id, deleted_at",
        )
        .bind(id)
        .bind(now)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(|(experiment, deleted)| (experiment, deleted.is_some())))
}

/// Changes what is given.
pub async fn update(
    tx: &mut Tx,
    id: RunId,
    name: Option<&str>,
    status: Option<RunStatus>,
    end_ms: Option<i64>,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE run SET name = coalesce($2, name), status = coalesce($3, status), end_ms = coalesce($4, end_ms) \
             WHERE id = $1",
        )
        .bind(id)
        .bind(name)
        .bind(status)
        .bind(end_ms)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Puts runs into the bin or takes them out.
pub async fn set_deleted(tx: &mut Tx, id: RunId, deleted: Option<Timestamp>) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE run SET deleted_at = $2 WHERE id = $1").bind(id).bind(deleted).execute(conn).await?;
    });
    Ok(())
}

/// Removes a run for good. Answers whether it was there.
pub async fn delete(tx: &mut Tx, id: RunId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM run WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// Keys of metrics and parameters of an experiment's runs, by name, `limit` of each at most.
pub async fn keys(
    tx: &mut Tx,
    experiments: &[ExperimentId],
    limit: i64,
) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut found = (Vec::new(), Vec::new());
    for &experiment in experiments {
        let (metrics, params): (Vec<String>, Vec<String>) = on_tx!(tx, conn => {
            (
                sqlx::query_scalar(
                    "SELECT DISTINCT m.key FROM run r JOIN metric m ON m.run_id = r.id \
                     WHERE r.experiment_id = $1 AND r.deleted_at IS NULL ORDER BY m.key LIMIT $2",
                )
                .bind(experiment)
                .bind(limit)
                .fetch_all(&mut *conn)
                .await?,
                sqlx::query_scalar(
                    "SELECT DISTINCT p.key FROM run r JOIN run_param p ON p.run_id = r.id \
                     WHERE r.experiment_id = $1 AND r.deleted_at IS NULL ORDER BY p.key LIMIT $2",
                )
                .bind(experiment)
                .bind(limit)
                .fetch_all(conn)
                .await?,
            )
        });
        found.0.extend(metrics);
        found.1.extend(params);
    }
    for list in [&mut found.0, &mut found.1] {
        list.sort_unstable();
        list.dedup();
        list.truncate(limit as usize);
    }
    Ok(found)
}

/// What read a version of a dataset: runs by name, and versions of models, in words.
pub async fn readers(tx: &mut Tx, version: VersionId, limit: i64) -> Result<Vec<String>, StoreError> {
    let (runs, models): (Vec<String>, Vec<(String, i64)>) = on_tx!(tx, conn => {
        (
            sqlx::query_scalar(
                "SELECT DISTINCT r.name FROM run_input i JOIN run r ON r.id = i.run_id WHERE i.version_id = $1 \
                 ORDER BY r.name LIMIT $2",
            )
            .bind(version)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?,
            sqlx::query_as(
                "SELECT m.name, v.number FROM model_version v JOIN registered_model m ON m.id = v.model_id \
                 WHERE v.dataset_version_id = $1 ORDER BY m.name, v.number LIMIT $2",
            )
            .bind(version)
            .bind(limit)
            .fetch_all(conn)
            .await?,
        )
    });
    let runs = runs.into_iter().map(|name| format!("the run {name}"));
    let models = models
        .into_iter()
        .map(|(name, n)| format!("the model {name} v{n}"));
    Ok(models.chain(runs).collect())
}
