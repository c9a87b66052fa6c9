//! model_version rows.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::model::ModelVersion;
use limn_domain::run::{ExperimentId, Tags};
use limn_domain::{LoggedModelId, ModelId, ModelVersionId, RunId, Timestamp, VersionId};
use sqlx::{FromRow, QueryBuilder};
use std::collections::HashMap;

#[derive(FromRow)]
struct Row {
    id: ModelVersionId,
    model_id: ModelId,
    model_name: String,
    number: i64,
    description: String,
    tags: Json<Tags>,
    source: String,
    run_id: Option<RunId>,
    logged_model_id: Option<LoggedModelId>,
    dataset_version_id: Option<VersionId>,
    run_link: String,
    stage: String,
    by_name: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    files: i64,
    byte_size: i64,
}

/// A version to insert, checked.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub id: ModelVersionId,
    pub model_id: ModelId,
    pub number: i64,
    pub description: String,
    pub tags: Tags,
    pub source: String,
    pub run_id: Option<RunId>,
    pub logged_model_id: Option<LoggedModelId>,
    pub dataset_version_id: Option<VersionId>,
    pub run_link: String,
    pub by_name: String,
}

/// Some of the versions.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    All,
    Model(&'a str),
    Number(&'a str, i64),
    Run(RunId),
    /// Those made from a version of a dataset.
    Dataset(VersionId),
}

pub async fn insert(tx: &mut Tx, v: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO model_version (id, model_id, number, description, tags, source, run_id, logged_model_id, \
             dataset_version_id, run_link, stage, by_name, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'None', $11, $12, $12)",
        )
        .bind(v.id)
        .bind(v.model_id)
        .bind(v.number)
        .bind(&v.description)
        .bind(Json(&v.tags))
        .bind(&v.source)
        .bind(v.run_id)
        .bind(v.logged_model_id)
        .bind(v.dataset_version_id)
        .bind(&v.run_link)
        .bind(&v.by_name)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Versions, the newest of a model first.
pub async fn list(tx: &mut Tx, which: Which<'_>) -> Result<Vec<ModelVersion>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT v.id, v.model_id, m.name AS model_name, v.number, v.description, v.tags, v.source, v.run_id, \
             v.logged_model_id, v.dataset_version_id, v.run_link, v.stage, v.by_name, v.created_at, v.updated_at, \
             (SELECT count(*) FROM artifact a WHERE a.owner = v.id) AS files, \
             (SELECT CAST(coalesce(sum(a.byte_size), 0) AS BIGINT) FROM artifact a WHERE a.owner = v.id) AS byte_size \
             FROM model_version v JOIN registered_model m ON m.id = v.model_id",
        );
        match which {
            Which::All => {}
            Which::Model(name) => {
                q.push(" WHERE m.name = ").push_bind(name.to_owned());
            }
            Which::Number(name, number) => {
                q.push(" WHERE m.name = ").push_bind(name.to_owned()).push(" AND v.number = ").push_bind(number);
            }
            Which::Run(run) => {
                q.push(" WHERE v.run_id = ").push_bind(run);
            }
            Which::Dataset(version) => {
                q.push(" WHERE v.dataset_version_id = ").push_bind(version);
            }
        }
        q.push(" ORDER BY v.number DESC, v.id");
        q.build_query_as().fetch_all(conn).await?
    });
    let mut aliases: HashMap<(ModelId, i64), Vec<String>> = HashMap::new();
    let all: Vec<(ModelId, i64, String)> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT model_id, number, name FROM model_alias");
        if let (Which::Model(_) | Which::Number(..), Some(row)) = (which, rows.first()) {
            q.push(" WHERE model_id = ").push_bind(row.model_id);
        }
        q.push(" ORDER BY name");
        q.build_query_as().fetch_all(conn).await?
    });
    for (model, number, name) in all {
        aliases.entry((model, number)).or_default().push(name);
    }
    Ok(rows
        .into_iter()
        .map(|r| ModelVersion {
            aliases: aliases.remove(&(r.model_id, r.number)).unwrap_or_default(),
            id: r.id,
            model_id: r.model_id,
            model_name: r.model_name,
            number: r.number,
            description: r.description,
            tags: r.tags.0,
            source: r.source,
            run_id: r.run_id,
            logged_model_id: r.logged_model_id,
            dataset_version_id: r.dataset_version_id,
            run_link: r.run_link,
            stage: r.stage,
            by_name: r.by_name,
            files: r.files,
            bytes: r.byte_size,
            created_at: r.created_at,
            updated_at: r.updated_at,
        })
        .collect())
}

/// Model, number and tags of every version, the newest of a model first.
pub async fn tags(tx: &mut Tx) -> Result<Vec<(ModelId, i64, Tags)>, StoreError> {
    let rows: Vec<(ModelId, i64, Json<Tags>)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT model_id, number, tags FROM model_version ORDER BY model_id, number DESC")
            .fetch_all(conn)
            .await?
    });
    Ok(rows
        .into_iter()
        .map(|(model, number, tags)| (model, number, tags.0))
        .collect())
}

/// Changes what is given.
pub async fn update(
    tx: &mut Tx,
    id: ModelVersionId,
    description: Option<&str>,
    tags: Option<&Tags>,
    stage: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        if let Some(tags) = tags {
            sqlx::query("UPDATE model_version SET tags = $2 WHERE id = $1").bind(id).bind(Json(tags)).execute(&mut *conn).await?;
        }
        sqlx::query(
            "UPDATE model_version SET description = coalesce($2, description), stage = coalesce($3, stage), updated_at = $4 \
             WHERE id = $1",
        )
        .bind(id)
        .bind(description)
        .bind(stage)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Errors: `ForeignKey` while an alias points to it.
pub async fn delete(tx: &mut Tx, id: ModelVersionId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM model_version WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// Versions that came from a run, or from any run or logged model of an experiment: model and number.
pub async fn from_origin(
    tx: &mut Tx,
    run: Option<RunId>,
    experiment: Option<ExperimentId>,
) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT m.name, v.number FROM model_version v JOIN registered_model m ON m.id = v.model_id \
             LEFT JOIN run r ON r.id = v.run_id LEFT JOIN logged_model l ON l.id = v.logged_model_id \
             WHERE v.run_id = $1 OR l.run_id = $1 OR r.experiment_id = $2 OR l.experiment_id = $2 \
             ORDER BY m.name, v.number LIMIT 50",
        )
        .bind(run)
        .bind(experiment)
        .fetch_all(conn)
        .await?
    }))
}

pub async fn exists(tx: &mut Tx, id: ModelVersionId) -> Result<bool, StoreError> {
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM model_version WHERE id = $1").bind(id).fetch_one(conn).await?
    });
    Ok(n > 0)
}
