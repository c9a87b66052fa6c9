//! The assist's rows: settings and encoders of projects, descriptions of pictures, models.

mod items;
mod place;

pub use items::{AssistItem, Tally, Work, items, labels, seen, tally, work};
pub use place::{
    Proposal, Standing, clear_clusters, free, own_rank, proposals, put_clusters, replace_proposals,
    reset_ranks, set_ranks,
};

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::assist::{AssistSettings, Backbone, Figures, Registered};
use limn_domain::project::Task;
use limn_domain::{CategoryId, Digest, JobId, ProjectId, Timestamp};
use sqlx::{FromRow, QueryBuilder};

/// Digests of one `IN`.
const IN: usize = 500;
/// Rows of one `INSERT`.
const ROWS: usize = 200;

/// The assist of a project, without the encoder's bytes.
#[derive(Debug, Clone, FromRow)]
pub struct AssistRow {
    pub settings: Json<AssistSettings>,
    pub encoder_key: Option<String>,
    /// Pictures there were when it was fitted.
    pub fitted_on: i64,
    /// Items done when it trained last.
    pub trained_done: i64,
    /// Items there were when it looked last.
    pub run_total: i64,
    pub run_at: Timestamp,
    /// Why there is no (new) model.
    pub note: String,
    pub job_id: Option<JobId>,
}

/// A trained model.
#[derive(Debug, Clone, FromRow)]
pub struct ModelRow {
    pub version: i64,
    pub encoder_key: String,
    pub categories: Json<Vec<CategoryId>>,
    pub thresholds: Json<Vec<Option<f32>>>,
    pub head: Vec<u8>,
    pub figures: Json<Figures>,
    pub labels: i64,
    pub millis: i64,
    pub trained_at: Timestamp,
    pub registered: Option<Json<Registered>>,
}

/// The description of a picture; empty where it cannot be read.
#[derive(Debug, Clone, FromRow)]
pub struct Feature {
    pub digest: Digest,
    /// 32-bit floats, little-endian.
    pub vector: Vec<u8>,
}

/// A project whose assist may have something to do.
#[derive(Debug, Clone, FromRow)]
pub struct Due {
    pub project_id: ProjectId,
    pub task: Task,
    pub settings: Json<AssistSettings>,
    pub trained_done: i64,
    pub run_total: i64,
    pub run_at: Timestamp,
    pub job_id: Option<JobId>,
    /// Items now.
    pub done: i64,
    pub total: i64,
}

pub async fn get(tx: &mut Tx, project: ProjectId) -> Result<Option<AssistRow>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT settings, encoder_key, fitted_on, trained_done, run_total, run_at, note, job_id \
             FROM assist WHERE project_id = $1",
        )
        .bind(project)
        .fetch_optional(conn)
        .await?
    }))
}

/// Errors: `ForeignKey` when the project is gone.
pub async fn put_settings(
    tx: &mut Tx,
    project: ProjectId,
    settings: &AssistSettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO assist (project_id, settings, updated_at) VALUES ($1, $2, $3) \
             ON CONFLICT (project_id) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at",
        )
        .bind(project)
        .bind(Json(settings))
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn encoder(tx: &mut Tx, project: ProjectId) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<Option<Vec<u8>>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT encoder FROM assist WHERE project_id = $1")
            .bind(project)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.flatten())
}

/// Keeps what describes pictures; descriptions by what did so before go, unless another project has the same.
pub async fn set_encoder(
    tx: &mut Tx,
    project: ProjectId,
    key: &str,
    encoder: &[u8],
    fitted_on: i64,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "DELETE FROM feature WHERE encoder_key = (SELECT encoder_key FROM assist WHERE project_id = $1) \
             AND encoder_key <> $2 AND NOT EXISTS ( \
             SELECT 1 FROM assist b WHERE b.encoder_key = feature.encoder_key AND b.project_id <> $1)",
        )
        .bind(project)
        .bind(key)
        .execute(&mut *conn)
        .await?;
        sqlx::query("UPDATE assist SET encoder_key = $2, encoder = $3, fitted_on = $4 WHERE project_id = $1")
            .bind(project)
            .bind(key)
            .bind(encoder)
            .bind(fitted_on)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Notes which job works for it.
pub async fn set_job(tx: &mut Tx, project: ProjectId, job: JobId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE assist SET job_id = $2 WHERE project_id = $1")
            .bind(project)
            .bind(job)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Begins a run; answers its number, from 1, or `None` when there is no such assist.
pub async fn begin_run(tx: &mut Tx, project: ProjectId) -> Result<Option<i64>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("UPDATE assist SET runs = runs + 1 WHERE project_id = $1 RETURNING runs")
            .bind(project)
            .fetch_optional(conn)
            .await?
    }))
}

/// Notes what a run saw. `trained_done`: items done when it trained, `None` when it did not.
pub async fn note_run(
    tx: &mut Tx,
    project: ProjectId,
    total: i64,
    trained_done: Option<i64>,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE assist SET run_total = $2, run_at = $3, note = $4, \
             trained_done = coalesce($5, trained_done) WHERE project_id = $1",
        )
        .bind(project)
        .bind(total)
        .bind(now)
        .bind(note)
        .bind(trained_done)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// All assists that are on, with how many items their projects have now.
pub async fn enabled(tx: &mut Tx) -> Result<Vec<Due>, StoreError> {
    let rows: Vec<Due> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT a.project_id, p.task, a.settings, a.trained_done, a.run_total, a.run_at, a.job_id, \
             CAST(coalesce(sum(c.done), 0) AS BIGINT) AS done, \
             CAST(coalesce(sum(c.todo + c.done + c.skipped), 0) AS BIGINT) AS total \
             FROM assist a JOIN project p ON p.id = a.project_id AND p.deleted_at IS NULL \
             LEFT JOIN project_counter c ON c.project_id = a.project_id \
             GROUP BY a.project_id, p.task, a.settings, a.trained_done, a.run_total, a.run_at, a.job_id",
        )
        .fetch_all(conn)
        .await?
    });
    Ok(rows.into_iter().filter(|r| r.settings.enabled).collect())
}

/// The descriptions there are of these pictures.
pub async fn features(
    tx: &mut Tx,
    encoder_key: &str,
    digests: &[Digest],
) -> Result<Vec<Feature>, StoreError> {
    let mut found = Vec::with_capacity(digests.len());
    for part in digests.chunks(IN) {
        let rows: Vec<Feature> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT digest, vector FROM feature WHERE encoder_key = ");
            q.push_bind(encoder_key).push(" AND digest IN (");
            let mut list = q.separated(", ");
            for digest in part {
                list.push_bind(digest);
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        found.extend(rows);
    }
    Ok(found)
}

/// Keeps descriptions. Errors: `ForeignKey` when a picture is gone.
pub async fn put_features(tx: &mut Tx, encoder_key: &str, features: &[Feature]) -> Result<(), StoreError> {
    for rows in features.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO feature (encoder_key, digest, vector) ");
            q.push_values(rows, |mut row, f| {
                row.push_bind(encoder_key).push_bind(&f.digest).push_bind(&f.vector);
            });
            q.push(" ON CONFLICT (encoder_key, digest) DO NOTHING");
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Adds a model under the next version, which is answered; of older ones only the figures matter, so the heads of all but the
/// latest few go.
pub async fn insert_model(tx: &mut Tx, project: ProjectId, m: &ModelRow) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        let version: i64 = sqlx::query_scalar(
            "INSERT INTO assist_model (project_id, version, encoder_key, categories, thresholds, head, figures, labels, \
             millis, trained_at) \
             SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 \
             FROM assist_model WHERE project_id = $1 RETURNING version",
        )
        .bind(project)
        .bind(&m.encoder_key)
        .bind(&m.categories)
        .bind(&m.thresholds)
        .bind(&m.head)
        .bind(&m.figures)
        .bind(m.labels)
        .bind(m.millis)
        .bind(m.trained_at)
        .fetch_one(&mut *conn)
        .await?;
        sqlx::query("UPDATE assist_model SET head = $3 WHERE project_id = $1 AND version <= $2 - 20 AND length(head) > 0")
            .bind(project)
            .bind(version)
            .bind(Vec::<u8>::new())
            .execute(conn)
            .await?;
        version
    }))
}

/// Notes what a model became.
pub async fn set_registered(
    tx: &mut Tx,
    project: ProjectId,
    version: i64,
    registered: &Registered,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE assist_model SET registered = $3 WHERE project_id = $1 AND version = $2")
            .bind(project)
            .bind(version)
            .bind(Json(registered))
            .execute(conn)
            .await?;
    });
    Ok(())
}

pub async fn latest_model(tx: &mut Tx, project: ProjectId) -> Result<Option<ModelRow>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT version, encoder_key, categories, thresholds, head, figures, labels, millis, trained_at, registered \
             FROM assist_model WHERE project_id = $1 ORDER BY version DESC LIMIT 1",
        )
        .bind(project)
        .fetch_optional(conn)
        .await?
    }))
}

/// Version, labels and figures of the latest models, at most `limit`, oldest first.
pub async fn curve(
    tx: &mut Tx,
    project: ProjectId,
    limit: i64,
) -> Result<Vec<(i64, i64, Json<Figures>)>, StoreError> {
    let mut rows: Vec<(i64, i64, Json<Figures>)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT version, labels, figures FROM assist_model WHERE project_id = $1 ORDER BY version DESC LIMIT $2",
        )
        .bind(project)
        .bind(limit)
        .fetch_all(conn)
        .await?
    });
    rows.reverse();
    Ok(rows)
}

/// Names and numbers of versions of registered models with files of weights or networks, pairs that find objects by clicks aside.
pub async fn weights(tx: &mut Tx, limit: i64) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT m.name, v.number FROM model_version v JOIN registered_model m ON m.id = v.model_id \
             WHERE EXISTS (SELECT 1 FROM artifact a WHERE a.owner = v.id AND (a.path LIKE '%.safetensors' \
             OR a.path LIKE '%.pth' OR a.path LIKE '%.pt' OR a.path LIKE '%.onnx')) \
             AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.owner = v.id \
             AND (a.path = 'encoder.onnx' OR a.path LIKE '%/encoder.onnx')) \
             ORDER BY m.name, v.number DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// Names and numbers of versions of registered models with the two files of a pair that finds objects by clicks.
pub async fn pairs(tx: &mut Tx, limit: i64) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT m.name, v.number FROM model_version v JOIN registered_model m ON m.id = v.model_id \
             WHERE EXISTS (SELECT 1 FROM artifact a WHERE a.owner = v.id \
             AND (a.path = 'encoder.onnx' OR a.path LIKE '%/encoder.onnx')) \
             AND EXISTS (SELECT 1 FROM artifact a WHERE a.owner = v.id \
             AND (a.path = 'decoder.onnx' OR a.path LIKE '%/decoder.onnx')) \
             ORDER BY m.name, v.number DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// Names of projects whose assist describes pictures, or finds objects by clicks, by this version of a registered model, or by any of it.
pub async fn described_by(tx: &mut Tx, model: &str, version: Option<i64>) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String, Json<AssistSettings>)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT p.name, a.settings FROM assist a JOIN project p ON p.id = a.project_id \
             WHERE p.deleted_at IS NULL ORDER BY p.name",
        )
        .fetch_all(conn)
        .await?
    });
    let is = |s: &AssistSettings| {
        let named = |b: &Backbone| b.model == model && version.is_none_or(|v| v == b.version);
        s.enabled && s.backbone.as_ref().is_some_and(named) || s.segmenter.as_ref().is_some_and(named)
    };
    Ok(rows
        .into_iter()
        .filter(|(_, s)| is(s))
        .map(|(name, _)| name)
        .collect())
}
