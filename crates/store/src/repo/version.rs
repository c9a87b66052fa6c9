//! dataset_version rows. A row is written once, when everything it names is there.

use crate::repo::object::ObjectId;
use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::dataset::{LATEST, Version, VersionCounts};
use limn_domain::project::Task;
use limn_domain::{DatasetId, Digest, Timestamp, UserId, VersionId};
use sqlx::{FromRow, QueryBuilder};
use std::fmt::Write as _;

/// A version to insert.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub id: VersionId,
    pub dataset_id: DatasetId,
    pub number: i64,
    /// Of the object that says what the version is.
    pub digest: ObjectId,
    pub note: String,
    pub task: Option<Task>,
    pub files: i64,
    pub bytes: i64,
    pub counts: VersionCounts,
    pub created_by: Option<UserId>,
}

#[derive(FromRow)]
struct Row {
    id: VersionId,
    dataset_id: DatasetId,
    number: i64,
    digest: Vec<u8>,
    note: String,
    task: Option<Task>,
    files: i64,
    byte_size: i64,
    counts: Json<VersionCounts>,
    created_by_name: Option<String>,
    created_at: Timestamp,
    newest: i64,
}

/// Which versions are read.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    All,
    Id(VersionId),
    Number(i64),
    Latest,
    Alias(&'a str),
    Digest(&'a ObjectId),
}

/// Errors: `Unique` when the dataset has the number or the content; `ForeignKey` when the object is not there.
pub async fn insert(tx: &mut Tx, v: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO dataset_version (id, dataset_id, number, digest, note, task, files, byte_size, counts, \
             created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(v.id)
        .bind(v.dataset_id)
        .bind(v.number)
        .bind(v.digest.as_slice())
        .bind(&v.note)
        .bind(v.task)
        .bind(v.files)
        .bind(v.bytes)
        .bind(Json(&v.counts))
        .bind(v.created_by)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Versions of a dataset, newest first.
pub async fn list(tx: &mut Tx, dataset: DatasetId, which: Which<'_>) -> Result<Vec<Version>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = select();
        q.push(" WHERE v.dataset_id = ").push_bind(dataset);
        match which {
            Which::All => {}
            Which::Id(id) => drop(q.push(" AND v.id = ").push_bind(id)),
            Which::Number(n) => drop(q.push(" AND v.number = ").push_bind(n)),
            Which::Digest(d) => drop(q.push(" AND v.digest = ").push_bind(d.as_slice())),
            Which::Latest => drop(q.push(
                " AND v.number = (SELECT max(number) FROM dataset_version y WHERE y.dataset_id = v.dataset_id)",
            )),
            Which::Alias(name) => drop(
                q.push(" AND v.id = (SELECT version_id FROM dataset_alias a WHERE a.dataset_id = v.dataset_id AND a.name = ")
                    .push_bind(name)
                    .push(")"),
            ),
        }
        q.push(" ORDER BY v.number DESC");
        q.build_query_as().fetch_all(conn).await?
    });
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let aliases = super::dataset::aliases(tx, dataset).await?;
    rows.into_iter().map(|r| version(r, &aliases)).collect()
}

/// A version by its id.
pub async fn get(tx: &mut Tx, id: VersionId) -> Result<Option<Version>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        let mut q = select();
        q.push(" WHERE v.id = ").push_bind(id);
        q.build_query_as().fetch_optional(conn).await?
    });
    let Some(row) = row else { return Ok(None) };
    let aliases = super::dataset::aliases(tx, row.dataset_id).await?;
    version(row, &aliases).map(Some)
}

macro_rules! select_text {
    () => {
        "SELECT v.id, v.dataset_id, v.number, v.digest, v.note, v.task, v.files, v.byte_size, v.counts, \
         u.name AS created_by_name, v.created_at, \
         (SELECT max(number) FROM dataset_version x WHERE x.dataset_id = v.dataset_id) AS newest \
         FROM dataset_version v LEFT JOIN user_account u ON u.id = v.created_by"
    };
}

fn select<DB: sqlx::Database>() -> QueryBuilder<DB> {
    QueryBuilder::new(select_text!())
}

fn version(r: Row, aliases: &[(String, VersionId)]) -> Result<Version, StoreError> {
    let mut own: Vec<String> = aliases
        .iter()
        .filter(|(_, v)| *v == r.id)
        .map(|(name, _)| name.clone())
        .collect();
    if r.number == r.newest {
        own.insert(0, LATEST.to_owned());
    }
    let mut hex = String::with_capacity(64);
    for b in &r.digest {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{b:02x}");
    }
    Ok(Version {
        id: r.id,
        dataset_id: r.dataset_id,
        number: r.number,
        digest: Digest::parse(&hex)
            .map_err(|_| StoreError::Corrupt(format!("digest of version {}", r.id)))?,
        note: r.note,
        files: r.files,
        bytes: r.byte_size,
        task: r.task,
        counts: r.counts.0,
        aliases: own,
        created_by_name: r.created_by_name,
        created_at: r.created_at,
    })
}

/// Removes a version; what it named goes by clean-up. Answers whether it was there. Its aliases go too.
pub async fn delete(tx: &mut Tx, id: VersionId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM dataset_version WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// How many versions, of whichever dataset, are this very content.
pub async fn same_content(tx: &mut Tx, digest: &ObjectId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM dataset_version WHERE digest = $1")
            .bind(digest.as_slice())
            .fetch_one(conn)
            .await?
    }))
}
