//! blob_place rows: where the bytes of blobs lie that were left in their datastores. And version_check: who looked last.

use super::object::ObjectId;
use crate::{StoreError, Tx, on_tx};
use limn_domain::dataset::PlacesIn;
use limn_domain::{DatastoreId, Digest, JobId, Timestamp, VersionId};
use sqlx::{FromRow, QueryBuilder};

/// Rows of one `INSERT`.
const ROWS: usize = 150;
/// Digests of one `IN`.
const IN: usize = 500;

/// Where a file lies, to be noted. The blob has its row already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPlace {
    pub digest: Digest,
    pub datastore_id: DatastoreId,
    pub path: String,
    /// What the datastore says of the file when it is asked for it.
    pub tag: String,
}

/// Where a file lies.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Place {
    pub digest: Digest,
    pub datastore_id: DatastoreId,
    pub datastore: String,
    pub path: String,
    pub tag: String,
    pub byte_size: i64,
}

/// Errors: `ForeignKey` when a blob or the datastore is gone.
pub async fn put_many(tx: &mut Tx, places: &[NewPlace], now: Timestamp) -> Result<(), StoreError> {
    let mut places: Vec<&NewPlace> = places.iter().collect();
    places.sort_by(|a, b| (&a.digest, a.datastore_id, &a.path).cmp(&(&b.digest, b.datastore_id, &b.path)));
    // One statement must not meet the same row twice.
    places.dedup_by(|a, b| (&a.digest, a.datastore_id, &a.path) == (&b.digest, b.datastore_id, &b.path));
    for part in places.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO blob_place (digest, datastore_id, path, tag, noted_at) ");
            q.push_values(part, |mut row, p| {
                row.push_bind(&p.digest)
                    .push_bind(p.datastore_id)
                    .push_bind(&p.path)
                    .push_bind(&p.tag)
                    .push_bind(now);
            });
            q.push(
                " ON CONFLICT (digest, datastore_id, path) DO UPDATE SET tag = excluded.tag, noted_at = excluded.noted_at",
            );
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Where these lie, of each the place that was noted last first. Those whose bytes are in the store may be among them.
pub async fn of(tx: &mut Tx, digests: &[Digest]) -> Result<Vec<Place>, StoreError> {
    let mut found = Vec::new();
    for part in digests.chunks(IN) {
        let rows: Vec<Place> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "SELECT p.digest, p.datastore_id, d.name AS datastore, p.path, p.tag, b.byte_size FROM blob_place p \
                 JOIN blob b ON b.digest = p.digest JOIN datastore d ON d.id = p.datastore_id WHERE p.digest IN (",
            );
            let mut list = q.separated(", ");
            for digest in part {
                list.push_bind(digest);
            }
            q.push(") ORDER BY p.digest, p.noted_at DESC, p.path");
            q.build_query_as().fetch_all(conn).await?
        });
        found.extend(rows);
    }
    Ok(found)
}

/// Files and bytes that are read out of a datastore, as they are not in the store.
pub async fn in_use(tx: &mut Tx, datastore: DatastoreId) -> Result<(i64, i64), StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT count(*), CAST(coalesce(sum(b.byte_size), 0) AS BIGINT) FROM blob b WHERE NOT b.is_here AND EXISTS \
             (SELECT 1 FROM blob_place p WHERE p.digest = b.digest AND p.datastore_id = $1)",
        )
        .bind(datastore)
        .fetch_one(conn)
        .await?
    }))
}

/// Forgets the places in a datastore of what is in the store by now.
pub async fn forget_needless(tx: &mut Tx, datastore: DatastoreId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "DELETE FROM blob_place WHERE datastore_id = $1 AND digest IN (SELECT b.digest FROM blob b WHERE b.is_here)",
        )
        .bind(datastore)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// What of the version with this root lies in datastores and not in the store, by datastore.
pub async fn of_version(tx: &mut Tx, root: &ObjectId) -> Result<Vec<PlacesIn>, StoreError> {
    let any: Option<i64> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT noted_at FROM blob_place LIMIT 1").fetch_optional(conn).await?
    });
    if any.is_none() {
        // In most studios; the way through the tree is long.
        return Ok(Vec::new());
    }
    let rows: Vec<(DatastoreId, String, i64, i64)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "WITH RECURSIVE reach (digest) AS (SELECT o.digest FROM version_object o WHERE o.digest = $1 UNION \
             SELECT e.child FROM version_edge e JOIN reach r ON e.parent = r.digest), \
             named (digest) AS (SELECT DISTINCT v.digest FROM reach r JOIN version_blob v ON v.parent = r.digest), \
             lies (digest, datastore_id) AS (SELECT DISTINCT p.digest, p.datastore_id FROM named n \
             JOIN blob_place p ON p.digest = n.digest) \
             SELECT d.id, d.name, count(*), CAST(coalesce(sum(b.byte_size), 0) AS BIGINT) FROM lies l \
             JOIN blob b ON b.digest = l.digest JOIN datastore d ON d.id = l.datastore_id WHERE NOT b.is_here \
             GROUP BY d.id, d.name ORDER BY d.name",
        )
        .bind(root.as_slice())
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|(datastore_id, name, files, bytes)| PlacesIn {
            datastore_id,
            name,
            files,
            bytes,
        })
        .collect())
}

/// Notes which job looks at a version. Errors: `ForeignKey` when the version is gone.
pub async fn set_check(tx: &mut Tx, version: VersionId, job: JobId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO version_check (version_id, job_id) VALUES ($1, $2) \
             ON CONFLICT (version_id) DO UPDATE SET job_id = excluded.job_id",
        )
        .bind(version)
        .bind(job)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// The job that looked at a version last.
pub async fn check(tx: &mut Tx, version: VersionId) -> Result<Option<JobId>, StoreError> {
    let found: Option<Option<JobId>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT job_id FROM version_check WHERE version_id = $1")
            .bind(version)
            .fetch_optional(conn)
            .await?
    });
    Ok(found.flatten())
}
