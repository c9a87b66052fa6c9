//! project_source and source_file rows: what projects take from datastores and datasets, and the files that were looked at.

pub mod going;

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::dataset::Split;
use limn_domain::datastore::{DatasetChoice, FileState, ProjectSource, SourceDataset, SourceReport};
use limn_domain::import::Sequence;
use limn_domain::job::JobState;
use limn_domain::{DatasetId, DatastoreId, Digest, JobId, ProjectId, SourceId, Timestamp, UserId};
use sqlx::{FromRow, QueryBuilder};

/// Rows of one statement.
const ROWS: usize = 150;

/// A source to insert, checked.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub id: SourceId,
    pub project_id: ProjectId,
    pub from: NewFrom,
    pub glob: String,
    pub sequence: Option<Sequence>,
    pub every_minutes: Option<i64>,
    pub next_at: Option<Timestamp>,
    pub created_by: Option<UserId>,
}

/// Where a source to insert takes files from.
#[derive(Debug, Clone)]
pub enum NewFrom {
    Datastore(DatastoreId),
    /// With the dataset's name.
    Dataset(DatasetChoice, String),
}

/// A file as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFile {
    pub path: String,
    /// -1 when the store does not say.
    pub byte_size: i64,
    pub tag: String,
    pub state: FileState,
    /// Of the bytes that became the item, where it is known.
    pub digest: Option<Digest>,
}

#[derive(FromRow)]
struct Row {
    id: SourceId,
    project_id: ProjectId,
    datastore_id: Option<DatastoreId>,
    datastore_name: Option<String>,
    dataset_id: Option<DatasetId>,
    dataset_name: Option<String>,
    version: Option<String>,
    split: Option<Split>,
    with_labels: bool,
    taken: Option<i64>,
    glob: String,
    sequence_rate: Option<f64>,
    every_minutes: Option<i64>,
    next_at: Option<Timestamp>,
    job_id: Option<JobId>,
    job_state: Option<JobState>,
    last_at: Option<Timestamp>,
    last: Option<Json<SourceReport>>,
    files: i64,
    created_by_name: Option<String>,
    created_at: Timestamp,
}

impl From<Row> for ProjectSource {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            project_id: r.project_id,
            datastore_id: r.datastore_id,
            datastore_name: r.datastore_name,
            dataset: r.dataset_name.map(|name| SourceDataset {
                dataset_id: r.dataset_id,
                name,
                version: r.version.unwrap_or_default(),
                split: r.split,
                with_labels: r.with_labels,
                taken: r.taken,
            }),
            glob: r.glob,
            sequence: r.sequence_rate.map(|rate| Sequence { rate }),
            every_minutes: r.every_minutes,
            next_at: r.next_at,
            job_id: r.job_id,
            job_state: r.job_state,
            last_at: r.last_at,
            last: r.last.map(|l| l.0),
            files: r.files,
            created_by_name: r.created_by_name,
            created_at: r.created_at,
        }
    }
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT s.id, s.project_id, s.datastore_id, d.name AS datastore_name, s.dataset_id, \
             coalesce(x.name, s.dataset_name) AS dataset_name, s.version, s.split, s.with_labels, t.number AS taken, s.glob, \
             s.sequence_rate, s.every_minutes, s.next_at, s.job_id, j.state AS job_state, s.last_at, s.last, \
             (SELECT count(*) FROM source_file f WHERE f.source_id = s.id AND f.state <> 'refused') AS files, \
             u.name AS created_by_name, s.created_at FROM project_source s LEFT JOIN datastore d ON d.id = s.datastore_id \
             LEFT JOIN dataset x ON x.id = s.dataset_id LEFT JOIN dataset_version t ON t.id = s.taken_version \
             LEFT JOIN job j ON j.id = s.job_id LEFT JOIN user_account u ON u.id = s.created_by ",
            $tail
        )
    };
}

/// Errors: `Unique` when the project has the very same source.
pub async fn insert(tx: &mut Tx, s: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    let (datastore, dataset) = match &s.from {
        NewFrom::Datastore(id) => (Some(*id), None),
        NewFrom::Dataset(choice, name) => (None, Some((choice, name))),
    };
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO project_source (id, project_id, datastore_id, glob, every_minutes, next_at, created_by, created_at, \
             dataset_id, dataset_name, version, split, with_labels, sequence_rate) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(s.id)
        .bind(s.project_id)
        .bind(datastore)
        .bind(&s.glob)
        .bind(s.every_minutes)
        .bind(s.next_at)
        .bind(s.created_by)
        .bind(now)
        .bind(dataset.map(|(choice, _)| choice.dataset_id))
        .bind(dataset.map(|(_, name)| name.as_str()))
        .bind(dataset.map(|(choice, _)| choice.version.as_str()))
        .bind(dataset.and_then(|(choice, _)| choice.split))
        .bind(dataset.is_some_and(|(choice, _)| choice.with_labels))
        .bind(s.sequence.map(|sequence| sequence.rate))
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn get(tx: &mut Tx, id: SourceId) -> Result<Option<ProjectSource>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(select!("WHERE s.id = $1")).bind(id).fetch_optional(conn).await?
    });
    Ok(row.map(Into::into))
}

/// The sources of a project, oldest first.
pub async fn of_project(tx: &mut Tx, project: ProjectId) -> Result<Vec<ProjectSource>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(select!("WHERE s.project_id = $1 ORDER BY s.created_at, s.id")).bind(project).fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The sources that take from a datastore, oldest first.
pub async fn of_datastore(
    tx: &mut Tx,
    datastore: DatastoreId,
    limit: i64,
) -> Result<Vec<(ProjectSource, String)>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(select!("WHERE s.datastore_id = $1 ORDER BY s.created_at, s.id LIMIT $2"))
            .bind(datastore)
            .bind(limit)
            .fetch_all(conn)
            .await?
    });
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let name: String = on_tx!(tx, conn => {
            sqlx::query_scalar("SELECT name FROM project WHERE id = $1").bind(row.project_id).fetch_one(conn).await?
        });
        out.push((row.into(), name));
    }
    Ok(out)
}

/// Sources whose time has come.
pub async fn due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<ProjectSource>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(select!("WHERE s.next_at <= $1 AND (d.enabled OR s.dataset_id IS NOT NULL) ORDER BY s.next_at LIMIT $2"))
            .bind(now)
            .bind(limit)
            .fetch_all(conn)
            .await?
    });
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Moves the schedule on; false when somebody else has.
pub async fn reschedule(
    tx: &mut Tx,
    id: SourceId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("UPDATE project_source SET next_at = $3 WHERE id = $1 AND (next_at = $2 OR (next_at IS NULL AND $2 IS NULL))")
            .bind(id)
            .bind(from)
            .bind(to)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

pub async fn set_every(
    tx: &mut Tx,
    id: SourceId,
    minutes: Option<i64>,
    next_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE project_source SET every_minutes = $2, next_at = $3 WHERE id = $1")
            .bind(id)
            .bind(minutes)
            .bind(next_at)
            .execute(conn)
            .await?;
    });
    Ok(())
}

pub async fn set_job(tx: &mut Tx, id: SourceId, job: JobId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE project_source SET job_id = $2 WHERE id = $1").bind(id).bind(job).execute(conn).await?;
    });
    Ok(())
}

/// Writes down what a refresh found.
pub async fn finish(
    tx: &mut Tx,
    id: SourceId,
    last: &SourceReport,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE project_source SET last = $2, last_at = $3 WHERE id = $1")
            .bind(id)
            .bind(Json(last))
            .bind(now)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Forgets a source and its files; items stay.
pub async fn delete(tx: &mut Tx, id: SourceId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM project_source WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// Forgets the sources of a datastore; answers how many there were.
pub async fn delete_of_datastore(tx: &mut Tx, datastore: DatastoreId) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query("DELETE FROM project_source WHERE datastore_id = $1").bind(datastore).execute(conn).await?.rows_affected()
    }))
}

/// How many projects take files from a dataset.
pub async fn projects_of_dataset(tx: &mut Tx, dataset: DatasetId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(DISTINCT project_id) FROM project_source WHERE dataset_id = $1")
            .bind(dataset)
            .fetch_one(conn)
            .await?
    }))
}

/// Before a dataset is deleted: its sources keep its name and are refreshed by no schedule any more.
pub async fn outlive_dataset(tx: &mut Tx, dataset: DatasetId, name: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE project_source SET dataset_id = NULL, dataset_name = $2, next_at = NULL WHERE dataset_id = $1")
            .bind(dataset)
            .bind(name)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// What is known of these files.
pub async fn known(tx: &mut Tx, source: SourceId, paths: &[String]) -> Result<Vec<SeenFile>, StoreError> {
    let mut out = Vec::new();
    for part in paths.chunks(ROWS) {
        let rows: Vec<(String, i64, String, FileState, Option<Digest>)> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT path, byte_size, tag, state, digest FROM source_file WHERE source_id = ");
            q.push_bind(source).push(" AND path IN (");
            let mut list = q.separated(", ");
            for path in part {
                list.push_bind(path);
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        out.extend(
            rows.into_iter()
                .map(|(path, byte_size, tag, state, digest)| SeenFile {
                    path,
                    byte_size,
                    tag,
                    state,
                    digest,
                }),
        );
    }
    Ok(out)
}

/// Notes files as seen by the refresh that began at `seen`, in the order of their paths.
pub async fn note(
    tx: &mut Tx,
    source: SourceId,
    files: &[SeenFile],
    seen: Timestamp,
) -> Result<(), StoreError> {
    let mut files: Vec<&SeenFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // One statement must not meet the same row twice.
    files.dedup_by(|a, b| a.path == b.path);
    for part in files.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO source_file (source_id, path, byte_size, tag, state, digest, seen) ");
            q.push_values(part, |mut row, f| {
                row.push_bind(source)
                    .push_bind(&f.path)
                    .push_bind(f.byte_size)
                    .push_bind(&f.tag)
                    .push_bind(f.state)
                    .push_bind(&f.digest)
                    .push_bind(seen);
            });
            q.push(
                " ON CONFLICT (source_id, path) DO UPDATE SET byte_size = excluded.byte_size, tag = excluded.tag, state = \
                 excluded.state, digest = excluded.digest, seen = excluded.seen",
            );
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Files that became items and were not seen since: how many, and the first of them by path.
pub async fn vanished(
    tx: &mut Tx,
    source: SourceId,
    since: Timestamp,
    limit: i64,
) -> Result<(i64, Vec<String>), StoreError> {
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM source_file WHERE source_id = $1 AND seen < $2 AND state <> 'refused'")
            .bind(source)
            .bind(since)
            .fetch_one(conn)
            .await?
    });
    let paths = on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT path FROM source_file WHERE source_id = $1 AND seen < $2 AND state <> 'refused' ORDER BY path LIMIT $3",
        )
        .bind(source)
        .bind(since)
        .bind(limit)
        .fetch_all(conn)
        .await?
    });
    Ok((n, paths))
}
