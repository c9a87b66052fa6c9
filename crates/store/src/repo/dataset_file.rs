//! dataset_file rows: files of datastores that registrations of a dataset have read.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{DatasetId, DatastoreId, Digest, JobId, Timestamp};
use sqlx::{FromRow, QueryBuilder};

/// Rows of one statement.
const ROWS: usize = 150;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// In the datastore.
    pub path: String,
    /// As the list said; -1 where it did not.
    pub byte_size: i64,
    pub tag: String,
    pub digest: Digest,
    pub media_type: String,
    pub width: i64,
    pub height: i64,
    pub orientation: i64,
    pub length: i64,
}

/// The same as it is known later.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct KnownFile {
    pub path: String,
    pub byte_size: i64,
    pub tag: String,
    pub digest: Digest,
    pub media_type: String,
    pub width: i64,
    pub height: i64,
    pub orientation: i64,
    pub length: i64,
    /// Bytes of its content.
    pub content_size: i64,
    /// Whether these are in the store.
    pub is_here: bool,
    /// What the datastore said of the file when its place was noted; `None` when that was not.
    pub place_tag: Option<String>,
}

/// Those of some paths that are known.
pub async fn known(
    tx: &mut Tx,
    dataset: DatasetId,
    datastore: DatastoreId,
    paths: &[String],
) -> Result<Vec<KnownFile>, StoreError> {
    let mut out = Vec::new();
    for part in paths.chunks(ROWS) {
        let rows: Vec<KnownFile> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "SELECT f.path, f.byte_size, f.tag, f.digest, f.media_type, f.width, f.height, f.orientation, f.length, \
                 b.byte_size AS content_size, b.is_here, p.tag AS place_tag FROM dataset_file f JOIN blob b ON b.digest = f.digest \
                 LEFT JOIN blob_place p ON p.digest = f.digest AND p.datastore_id = f.datastore_id AND p.path = f.path \
                 WHERE f.dataset_id = ",
            );
            q.push_bind(dataset)
                .push(" AND f.datastore_id = ")
                .push_bind(datastore)
                .push(" AND f.path IN (");
            let mut list = q.separated(", ");
            for path in part {
                list.push_bind(path);
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        out.extend(rows);
    }
    Ok(out)
}

/// Notes files that a registration has read, or found to be as they were. Errors: `ForeignKey` when dataset, datastore or a blob is
/// gone.
pub async fn note(
    tx: &mut Tx,
    (dataset, datastore): (DatasetId, DatastoreId),
    job: JobId,
    files: &[ReadFile],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut files: Vec<&ReadFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // One statement must not meet the same row twice.
    files.dedup_by(|a, b| a.path == b.path);
    for part in files.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "INSERT INTO dataset_file (dataset_id, datastore_id, path, byte_size, tag, digest, media_type, width, height, \
                 orientation, length, job_id, noted_at) ",
            );
            q.push_values(part, |mut row, f| {
                row.push_bind(dataset)
                    .push_bind(datastore)
                    .push_bind(&f.path)
                    .push_bind(f.byte_size)
                    .push_bind(&f.tag)
                    .push_bind(&f.digest)
                    .push_bind(&f.media_type)
                    .push_bind(f.width)
                    .push_bind(f.height)
                    .push_bind(f.orientation)
                    .push_bind(f.length)
                    .push_bind(job)
                    .push_bind(now);
            });
            q.push(
                " ON CONFLICT (dataset_id, datastore_id, path) DO UPDATE SET byte_size = excluded.byte_size, tag = \
                 excluded.tag, digest = excluded.digest, media_type = excluded.media_type, width = excluded.width, height = \
                 excluded.height, orientation = excluded.orientation, length = excluded.length, job_id = excluded.job_id, \
                 noted_at = excluded.noted_at",
            );
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}
