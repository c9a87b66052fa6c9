//! logged_model rows with what was measured of them.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::run::{ExperimentId, LoggedMetric, LoggedModel, LoggedStatus, Point, Tags};
use limn_domain::{LoggedModelId, RunId, Timestamp};
use sqlx::{FromRow, QueryBuilder};
use std::collections::HashMap;

/// Models of one `IN`.
const IN: usize = 300;

#[derive(FromRow)]
struct Row {
    id: LoggedModelId,
    experiment_id: ExperimentId,
    run_id: Option<RunId>,
    name: String,
    model_type: String,
    status: LoggedStatus,
    params: Json<Tags>,
    tags: Json<Tags>,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Option<Timestamp>,
}

/// Some of the models.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    Id(LoggedModelId),
    Run(RunId),
    Experiments(&'a [ExperimentId]),
}

/// Errors: `ForeignKey` when the experiment or the run is not there.
pub async fn insert(tx: &mut Tx, m: &LoggedModel) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO logged_model (id, experiment_id, run_id, name, model_type, status, params, tags, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        )
        .bind(m.id)
        .bind(m.experiment_id)
        .bind(m.run_id)
        .bind(&m.name)
        .bind(&m.model_type)
        .bind(m.status)
        .bind(Json(&m.params))
        .bind(Json(&m.tags))
        .bind(m.created_at)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Models, the newest first, also deleted ones.
pub async fn list(tx: &mut Tx, which: Which<'_>) -> Result<Vec<LoggedModel>, StoreError> {
    if matches!(which, Which::Experiments([])) {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT id, experiment_id, run_id, name, model_type, status, params, tags, created_at, updated_at, deleted_at \
             FROM logged_model WHERE ",
        );
        match which {
            Which::Id(id) => {
                q.push("id = ").push_bind(id);
            }
            Which::Run(id) => {
                q.push("run_id = ").push_bind(id);
            }
            Which::Experiments(all) => {
                q.push("experiment_id IN (");
                let mut list = q.separated(", ");
                for e in all {
                    list.push_bind(*e);
                }
                q.push(")");
            }
        }
        q.push(" ORDER BY created_at DESC, id DESC");
        q.build_query_as().fetch_all(conn).await?
    });
    let ids: Vec<LoggedModelId> = rows.iter().map(|r| r.id).collect();
    let mut metrics = metrics(tx, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|r| LoggedModel {
            metrics: metrics.remove(&r.id).unwrap_or_default(),
            id: r.id,
            experiment_id: r.experiment_id,
            run_id: r.run_id,
            name: r.name,
            model_type: r.model_type,
            status: r.status,
            params: r.params.0,
            tags: r.tags.0,
            created_at: r.created_at,
            updated_at: r.updated_at,
            deleted_at: r.deleted_at,
        })
        .collect())
}

async fn metrics(
    tx: &mut Tx,
    models: &[LoggedModelId],
) -> Result<HashMap<LoggedModelId, Vec<LoggedMetric>>, StoreError> {
    type Row = (
        LoggedModelId,
        String,
        String,
        String,
        RunId,
        i64,
        i64,
        Option<f64>,
    );
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for part in models.chunks(IN) {
        let rows: Vec<Row> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "SELECT model_id, key, dataset_name, dataset_digest, run_id, step, at_ms, value FROM logged_model_metric \
                 WHERE model_id IN (",
            );
            let mut list = q.separated(", ");
            for id in part {
                list.push_bind(*id);
            }
            q.push(") ORDER BY key, dataset_name, dataset_digest");
            q.build_query_as().fetch_all(conn).await?
        });
        for (model, key, dataset_name, dataset_digest, run_id, step, at_ms, value) in rows {
            let value = value.unwrap_or(f64::NAN);
            found.entry(model).or_default().push(LoggedMetric {
                key,
                last: Point { step, at_ms, value },
                run_id,
                dataset_name,
                dataset_digest,
            });
        }
    }
    Ok(found)
}

/// Notes what was measured of models; the later value stays. Errors: `ForeignKey` when one is not there.
pub async fn put_metrics(tx: &mut Tx, metrics: &[(LoggedModelId, LoggedMetric)]) -> Result<(), StoreError> {
    for (model, m) in metrics {
        on_tx!(tx, conn => {
            sqlx::query(
                "INSERT INTO logged_model_metric (model_id, key, dataset_name, dataset_digest, run_id, step, at_ms, value) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (model_id, key, dataset_name, dataset_digest) \
                 DO UPDATE SET run_id = excluded.run_id, step = excluded.step, at_ms = excluded.at_ms, value = excluded.value \
                 WHERE (excluded.step, excluded.at_ms) >= (logged_model_metric.step, logged_model_metric.at_ms)",
            )
            .bind(*model)
            .bind(&m.key)
            .bind(&m.dataset_name)
            .bind(&m.dataset_digest)
            .bind(m.run_id)
            .bind(m.last.step)
            .bind(m.last.at_ms)
            .bind((!m.last.value.is_nan()).then_some(m.last.value))
            .execute(conn)
            .await?;
        });
    }
    Ok(())
}

/// Locks a model until the transaction ends. Answers its parameters, its tags and whether it is deleted.
pub async fn lock(
    tx: &mut Tx,
    id: LoggedModelId,
    now: Timestamp,
) -> Result<Option<(Tags, Tags, bool)>, StoreError> {
    let row: Option<(Json<Tags>, Json<Tags>, Option<Timestamp>)> = on_tx!(tx, conn => {
        sqlx::query_as("UPDATE logged_model SET updated_at = $2 WHERE id = $1 RETURNING params, tags, deleted_at")
            .bind(id)
            .bind(now)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|(params, tags, deleted)| (params.0, tags.0, deleted.is_some())))
}

pub async fn set_texts(tx: &mut Tx, id: LoggedModelId, params: &Tags, tags: &Tags) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE logged_model SET params = $2, tags = $3 WHERE id = $1")
            .bind(id)
            .bind(Json(params))
            .bind(Json(tags))
            .execute(conn)
            .await?;
    });
    Ok(())
}

pub async fn set_status(tx: &mut Tx, id: LoggedModelId, status: LoggedStatus) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE logged_model SET status = $2 WHERE id = $1").bind(id).bind(status).execute(conn).await?;
    });
    Ok(())
}

pub async fn set_deleted(tx: &mut Tx, id: LoggedModelId, at: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE logged_model SET deleted_at = $2 WHERE id = $1").bind(id).bind(at).execute(conn).await?;
    });
    Ok(())
}
