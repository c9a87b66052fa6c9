//! datastore rows, and which datasets came from them.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::datastore::{Datastore, DatastoreKind, Health, UsedByDataset};
use limn_domain::{DatasetId, DatastoreId, Timestamp, UserId, validate};
use sqlx::FromRow;
use std::collections::BTreeMap;

/// A datastore to insert, checked and tested.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub id: DatastoreId,
    pub name: String,
    pub kind: DatastoreKind,
    pub description: String,
    pub settings: BTreeMap<String, String>,
    pub secret_keys: Vec<String>,
    /// Encrypted.
    pub sealed: Vec<u8>,
    pub created_by: Option<UserId>,
}

/// What is needed to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    pub name: String,
    pub kind: DatastoreKind,
    pub settings: BTreeMap<String, String>,
    pub enabled: bool,
    pub sealed: Vec<u8>,
}

#[derive(FromRow)]
struct Row {
    id: DatastoreId,
    name: String,
    kind: DatastoreKind,
    description: String,
    settings: Json<BTreeMap<String, String>>,
    secret_keys: Json<Vec<String>>,
    enabled: bool,
    health: Health,
    health_text: String,
    warnings: Json<Vec<String>>,
    checked_at: Option<Timestamp>,
    projects: i64,
    datasets: i64,
    created_by_name: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for Datastore {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            name: r.name,
            kind: r.kind,
            description: r.description,
            settings: r.settings.0,
            secrets: r.secret_keys.0,
            enabled: r.enabled,
            health: r.health,
            health_text: r.health_text,
            warnings: r.warnings.0,
            checked_at: r.checked_at,
            projects: r.projects,
            datasets: r.datasets,
            created_by_name: r.created_by_name,
            created_at: r.created_at,
            updated_at: r.updated_at,
        }
    }
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT d.id, d.name, d.kind, d.description, d.settings, d.secret_keys, d.enabled, d.health, d.health_text, \
             d.warnings, d.checked_at, (SELECT count(DISTINCT s.project_id) FROM project_source s WHERE s.datastore_id = d.id) \
             AS projects, (SELECT count(DISTINCT x.dataset_id) FROM dataset_source x WHERE x.datastore_id = d.id) AS datasets, \
             u.name AS created_by_name, d.created_at, d.updated_at FROM datastore d LEFT JOIN user_account u ON u.id = \
             d.created_by ",
            $tail
        )
    };
}

/// Errors: `Unique` when the name is taken.
pub async fn insert(tx: &mut Tx, d: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO datastore (id, name, name_key, kind, description, settings, secret_keys, sealed, enabled, health, \
             health_text, warnings, created_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
             '', $11, $12, $13, $13)",
        )
        .bind(d.id)
        .bind(&d.name)
        .bind(validate::name_key(&d.name))
        .bind(d.kind)
        .bind(&d.description)
        .bind(Json(&d.settings))
        .bind(Json(&d.secret_keys))
        .bind(&d.sealed)
        .bind(true)
        .bind(Health::Unknown)
        .bind(Json(Vec::<String>::new()))
        .bind(d.created_by)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// All of them, by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<Datastore>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(select!("ORDER BY d.name_key")).fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(Into::into).collect())
}

pub async fn get(tx: &mut Tx, id: DatastoreId) -> Result<Option<Datastore>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(select!("WHERE d.id = $1")).bind(id).fetch_optional(conn).await?
    });
    Ok(row.map(Into::into))
}

pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<DatastoreId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT id FROM datastore WHERE name_key = $1")
            .bind(validate::name_key(name))
            .fetch_optional(conn)
            .await?
    }))
}

/// What is needed to connect, its credentials still encrypted.
pub async fn keyed(tx: &mut Tx, id: DatastoreId) -> Result<Option<Keyed>, StoreError> {
    type Parts = (
        String,
        DatastoreKind,
        Json<BTreeMap<String, String>>,
        bool,
        Vec<u8>,
    );
    let row: Option<Parts> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT name, kind, settings, enabled, sealed FROM datastore WHERE id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|(name, kind, settings, enabled, sealed)| Keyed {
        name,
        kind,
        settings: settings.0,
        enabled,
        sealed,
    }))
}

/// Changes what people call it. Errors: `Unique` when the name is taken.
pub async fn update(
    tx: &mut Tx,
    id: DatastoreId,
    name: &str,
    description: &str,
    enabled: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE datastore SET name = $2, name_key = $3, description = $4, enabled = $5, updated_at = $6 WHERE id = $1",
        )
        .bind(id)
        .bind(name)
        .bind(validate::name_key(name))
        .bind(description)
        .bind(enabled)
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(n > 0)
}

/// Changes settings and credentials, provided that nobody has since `before` was read.
pub async fn rekey(
    tx: &mut Tx,
    id: DatastoreId,
    before: &[u8],
    settings: &BTreeMap<String, String>,
    secret_keys: &[String],
    sealed: &[u8],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE datastore SET settings = $3, secret_keys = $4, sealed = $5, updated_at = $6 WHERE id = $1 AND sealed = $2",
        )
        .bind(id)
        .bind(before)
        .bind(Json(settings))
        .bind(Json(secret_keys))
        .bind(sealed)
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(n > 0)
}

/// Writes down how a look went.
pub async fn set_health(
    tx: &mut Tx,
    id: DatastoreId,
    health: Health,
    text: &str,
    warnings: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE datastore SET health = $2, health_text = $3, warnings = $4, checked_at = $5 WHERE id = $1")
            .bind(id)
            .bind(health)
            .bind(text)
            .bind(Json(warnings))
            .bind(now)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Errors: `ForeignKey` while a project takes files from it.
pub async fn delete(tx: &mut Tx, id: DatastoreId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM datastore WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// Notes that a dataset has a version from a datastore.
pub async fn used_by_dataset(
    tx: &mut Tx,
    datastore: DatastoreId,
    dataset: DatasetId,
    what: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO dataset_source (dataset_id, datastore_id, what, last_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (dataset_id, datastore_id, what) DO UPDATE SET last_at = excluded.last_at",
        )
        .bind(dataset)
        .bind(datastore)
        .bind(what)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Datasets with a version from it, the newest use first.
pub async fn datasets(tx: &mut Tx, id: DatastoreId, limit: i64) -> Result<Vec<UsedByDataset>, StoreError> {
    let rows: Vec<(DatasetId, String, String, Timestamp)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT x.dataset_id, d.name, x.what, x.last_at FROM dataset_source x JOIN dataset d ON d.id = x.dataset_id \
             WHERE x.datastore_id = $1 ORDER BY x.last_at DESC, d.name_key LIMIT $2",
        )
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|(dataset_id, name, what, last_at)| UsedByDataset {
            dataset_id,
            name,
            what,
            last_at,
        })
        .collect())
}
