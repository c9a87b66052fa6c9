//! training rows: which run is made by which job.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::assist::Backbone;
use limn_domain::job::JobState;
use limn_domain::training::TrainTask;
use limn_domain::{JobId, RunId, Timestamp, VersionId};
use serde_json::Value;
use sqlx::FromRow;

#[derive(Debug, Clone, FromRow)]
pub struct TrainingRow {
    pub run_id: RunId,
    /// `None` when the job is gone.
    pub job_id: Option<JobId>,
    /// `None` when the version is gone.
    pub version_id: Option<VersionId>,
    pub task: TrainTask,
}

/// A run that nobody has ended although its job is through with it.
#[derive(Debug, Clone, FromRow)]
pub struct Orphan {
    pub run_id: RunId,
    /// `None` when the job is gone.
    pub state: Option<JobState>,
    pub error: Option<String>,
}

/// Errors: `ForeignKey` when one of what it names is not there.
pub async fn insert(tx: &mut Tx, row: &TrainingRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO training (run_id, job_id, version_id, task, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(row.run_id)
        .bind(row.job_id)
        .bind(row.version_id)
        .bind(row.task)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// The training of a run; `None` for runs that others log.
pub async fn of_run(tx: &mut Tx, run: RunId) -> Result<Option<TrainingRow>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT run_id, job_id, version_id, task FROM training WHERE run_id = $1")
            .bind(run)
            .fetch_optional(conn)
            .await?
    }))
}

/// Runs under way whose job has ended or is gone.
pub async fn orphans(tx: &mut Tx, limit: i64) -> Result<Vec<Orphan>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT t.run_id, j.state, j.error FROM training t JOIN run r ON r.id = t.run_id \
             LEFT JOIN job j ON j.id = t.job_id WHERE r.status IN ('running', 'scheduled') AND r.deleted_at IS NULL \
             AND (j.id IS NULL OR j.state IN ('succeeded', 'failed', 'cancelled')) ORDER BY t.run_id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// Notes how long a step took.
pub async fn set_speed(tx: &mut Tx, run: RunId, step_micros: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE training SET step_micros = $2 WHERE run_id = $1")
            .bind(run)
            .bind(step_micros)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// How long a step took in the latest training for a task.
pub async fn speed(tx: &mut Tx, task: TrainTask) -> Result<Option<i64>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT step_micros FROM training WHERE task = $1 AND step_micros IS NOT NULL \
             ORDER BY created_at DESC, run_id DESC LIMIT 1",
        )
        .bind(task)
        .fetch_optional(conn)
        .await?
    }))
}

/// Names and numbers of versions of registered models with files of weights, by name, the newest first.
pub async fn backbones(tx: &mut Tx, limit: i64) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT m.name, v.number FROM model_version v JOIN registered_model m ON m.id = v.model_id \
             WHERE EXISTS (SELECT 1 FROM artifact a WHERE a.owner = v.id AND (a.path LIKE '%.safetensors' \
             OR a.path LIKE '%.pth' OR a.path LIKE '%.pt')) ORDER BY m.name, v.number DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// How many trainings that have not ended begin with this version of a registered model, or with any of it.
pub async fn begun_with(tx: &mut Tx, model: &str, version: Option<i64>) -> Result<usize, StoreError> {
    let payloads: Vec<Json<Value>> = on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT j.payload FROM training t JOIN job j ON j.id = t.job_id WHERE j.state IN ('queued', 'running')",
        )
        .fetch_all(conn)
        .await?
    });
    let is = |Json(payload): &Json<Value>| {
        let named = payload.pointer("/input/backbone").and_then(Value::as_str);
        let named = named.and_then(Backbone::parse);
        named.is_some_and(|b| b.model == model && version.is_none_or(|v| v == b.version))
    };
    Ok(payloads.iter().filter(|p| is(p)).count())
}

/// Has a run go on, also one that had ended.
pub async fn go_on(tx: &mut Tx, run: RunId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE run SET status = 'running', end_ms = NULL WHERE id = $1")
            .bind(run)
            .execute(conn)
            .await?;
    });
    Ok(())
}
