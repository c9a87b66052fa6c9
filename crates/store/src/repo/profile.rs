//! file_profile and version_profile rows: what was computed of files and of versions.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{Digest, JobId, Timestamp, VersionId};
use sqlx::{FromRow, QueryBuilder};

/// Digests of one `IN`.
const IN: usize = 500;
/// Rows of one `INSERT`.
const ROWS: usize = 100;

/// What is kept of a file.
#[derive(Debug, Clone, FromRow)]
pub struct FileState {
    pub digest: Digest,
    pub reader: String,
    pub state: Vec<u8>,
}

/// What is kept of a version.
#[derive(Debug, Clone, FromRow)]
pub struct VersionState {
    /// JSON; none while it is being computed.
    pub profile: Option<Vec<u8>>,
    pub computed_at: Option<Timestamp>,
    pub job_id: Option<JobId>,
}

/// Those of some files, however they were read.
pub async fn files(tx: &mut Tx, digests: &[Digest]) -> Result<Vec<FileState>, StoreError> {
    select(
        tx,
        "SELECT digest, reader, state FROM file_profile WHERE digest IN (",
        digests,
    )
    .await
}

/// The same with the first eight bytes of each alone.
pub async fn heads(tx: &mut Tx, digests: &[Digest]) -> Result<Vec<FileState>, StoreError> {
    select(
        tx,
        "SELECT digest, reader, substr(state, 1, 8) AS state FROM file_profile WHERE digest IN (",
        digests,
    )
    .await
}

async fn select(tx: &mut Tx, sql: &'static str, digests: &[Digest]) -> Result<Vec<FileState>, StoreError> {
    let mut found = Vec::new();
    for part in digests.chunks(IN) {
        let rows: Vec<FileState> = on_tx!(tx, conn => {
            let mut query = QueryBuilder::new(sql);
            let mut list = query.separated(", ");
            for digest in part {
                list.push_bind(digest);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        found.extend(rows);
    }
    Ok(found)
}

/// Keeps those of files; of files that are gone by now the database refuses them. Errors: `ForeignKey`.
pub async fn put_files(tx: &mut Tx, states: &[FileState], now: Timestamp) -> Result<(), StoreError> {
    let mut states: Vec<&FileState> = states.iter().collect();
    states.sort_unstable_by_key(|s| (&s.digest, &s.reader));
    states.dedup_by_key(|s| (&s.digest, &s.reader));
    for rows in states.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut query = QueryBuilder::new("INSERT INTO file_profile (digest, reader, state, created_at) ");
            query.push_values(rows, |mut row, s| {
                row.push_bind(&s.digest).push_bind(&s.reader).push_bind(&s.state).push_bind(now);
            });
            query.push(" ON CONFLICT (digest, reader) DO UPDATE SET state = excluded.state, created_at = excluded.created_at");
            query.build().execute(conn).await?;
        });
    }
    Ok(())
}

pub async fn get(tx: &mut Tx, version: VersionId) -> Result<Option<VersionState>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT profile, computed_at, job_id FROM version_profile WHERE version_id = $1")
            .bind(version)
            .fetch_optional(conn)
            .await?
    }))
}

/// Notes which job computes it; what was computed before stays until then. Errors: `ForeignKey` when the version is gone.
pub async fn set_job(tx: &mut Tx, version: VersionId, job: JobId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO version_profile (version_id, job_id) VALUES ($1, $2) \
             ON CONFLICT (version_id) DO UPDATE SET job_id = excluded.job_id",
        )
        .bind(version)
        .bind(job)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Keeps what was computed. Errors: `ForeignKey` when the version is gone.
pub async fn put(tx: &mut Tx, version: VersionId, profile: &[u8], now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO version_profile (version_id, profile, computed_at) VALUES ($1, $2, $3) \
             ON CONFLICT (version_id) DO UPDATE SET profile = excluded.profile, computed_at = excluded.computed_at",
        )
        .bind(version)
        .bind(profile)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}
