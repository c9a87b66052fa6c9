//! version_object rows: nodes of versions' trees and the small objects they name, by BLAKE3 digest.
//!
//! What an object names is put before it, and the database refuses to remove what is still named. So whatever is there
//! is whole, and a clean-up beside a registration can take nothing that the registration has reached.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{Digest, Timestamp};
use sqlx::QueryBuilder;

/// Rows of one `INSERT`.
const ROWS: usize = 500;
/// Digests of one `IN`.
const IN: usize = 500;

/// A digest of an object.
pub type ObjectId = [u8; 32];

/// An object to keep.
#[derive(Debug, Clone, Copy)]
pub struct NewObject<'a> {
    pub digest: &'a ObjectId,
    pub bytes: &'a [u8],
}

fn id(bytes: Vec<u8>) -> Result<ObjectId, StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("a digest of an object".to_owned()))
}

/// Keeps objects; of one that is there the time is renewed, so that a clean-up leaves it alone for a while.
pub async fn put(tx: &mut Tx, objects: &[NewObject<'_>], now: Timestamp) -> Result<(), StoreError> {
    let mut objects = objects.to_vec();
    // In one order everywhere, so that two transactions never wait for each other in a circle.
    objects.sort_unstable_by_key(|o| o.digest);
    objects.dedup_by_key(|o| o.digest);
    for rows in objects.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut query = QueryBuilder::new("INSERT INTO version_object (digest, bytes, created_at) ");
            query.push_values(rows, |mut row, o| {
                row.push_bind(o.digest.as_slice()).push_bind(o.bytes).push_bind(now);
            });
            query.push(" ON CONFLICT (digest) DO UPDATE SET created_at = excluded.created_at");
            query.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Notes which objects an object names; all of them must be there. Errors: `ForeignKey` when one is not.
pub async fn link(tx: &mut Tx, edges: &[(ObjectId, ObjectId)]) -> Result<(), StoreError> {
    for rows in edges.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut query = QueryBuilder::new("INSERT INTO version_edge (parent, child) ");
            query.push_values(rows, |mut row, (parent, child)| {
                row.push_bind(parent.as_slice()).push_bind(child.as_slice());
            });
            query.push(" ON CONFLICT (parent, child) DO NOTHING");
            query.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Notes which files an object names; all of them must be there. Errors: `ForeignKey` when one is not.
pub async fn link_blobs(tx: &mut Tx, edges: &[(ObjectId, Digest)]) -> Result<(), StoreError> {
    for rows in edges.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut query = QueryBuilder::new("INSERT INTO version_blob (parent, digest) ");
            query.push_values(rows, |mut row, (parent, digest)| {
                row.push_bind(parent.as_slice()).push_bind(digest);
            });
            query.push(" ON CONFLICT (parent, digest) DO NOTHING");
            query.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// The bytes of objects, in no order; those that are not there are left out.
pub async fn get(tx: &mut Tx, digests: &[ObjectId]) -> Result<Vec<(ObjectId, Vec<u8>)>, StoreError> {
    let mut found = Vec::with_capacity(digests.len());
    for chunk in digests.chunks(IN) {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT digest, bytes FROM version_object WHERE digest IN (");
            let mut list = q.separated(", ");
            for d in chunk {
                list.push_bind(d.as_slice());
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        for (digest, bytes) in rows {
            found.push((id(digest)?, bytes));
        }
    }
    Ok(found)
}

/// Removes up to `limit` objects that nothing names and that were put before `before`; answers how many. What they
/// named may be free then: call it until it answers 0. Errors: `ForeignKey` when one came to be named meanwhile.
pub async fn sweep(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query(
            "DELETE FROM version_object WHERE digest IN (SELECT o.digest FROM version_object o WHERE o.created_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM version_edge e WHERE e.child = o.digest) \
             AND NOT EXISTS (SELECT 1 FROM dataset_version v WHERE v.digest = o.digest) LIMIT $2)",
        )
        .bind(before)
        .bind(limit)
        .execute(conn)
        .await?
        .rows_affected()
    }))
}

/// Objects there are; for tests and figures.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM version_object").fetch_one(conn).await?
    }))
}

/// The objects that these name, each once.
pub async fn children(tx: &mut Tx, parents: &[ObjectId]) -> Result<Vec<ObjectId>, StoreError> {
    let mut found = Vec::new();
    for chunk in parents.chunks(IN) {
        let rows: Vec<Vec<u8>> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT DISTINCT child FROM version_edge WHERE parent IN (");
            let mut list = q.separated(", ");
            for d in chunk {
                list.push_bind(d.as_slice());
            }
            q.push(")");
            q.build_query_scalar().fetch_all(conn).await?
        });
        for row in rows {
            found.push(id(row)?);
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Who names these objects: `(parent, child)`.
pub async fn parents(tx: &mut Tx, children: &[ObjectId]) -> Result<Vec<(ObjectId, ObjectId)>, StoreError> {
    let mut found = Vec::new();
    for chunk in children.chunks(IN) {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT parent, child FROM version_edge WHERE child IN (");
            let mut list = q.separated(", ");
            for d in chunk {
                list.push_bind(d.as_slice());
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        for (parent, child) in rows {
            found.push((id(parent)?, id(child)?));
        }
    }
    Ok(found)
}

/// Bytes that these objects take.
pub async fn sizes(tx: &mut Tx, digests: &[ObjectId]) -> Result<i64, StoreError> {
    let mut sum = 0;
    for chunk in digests.chunks(IN) {
        let part: i64 = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "SELECT CAST(coalesce(sum(length(bytes)), 0) AS BIGINT) FROM version_object WHERE digest IN (",
            );
            let mut list = q.separated(", ");
            for d in chunk {
                list.push_bind(d.as_slice());
            }
            q.push(")");
            q.build_query_scalar().fetch_one(conn).await?
        });
        sum += part;
    }
    Ok(sum)
}

/// Files of the store that these objects name and that nothing else does besides `these`: digest and bytes. Those that were left in
/// their datastores are not among them.
pub async fn own_blobs(tx: &mut Tx, these: &[ObjectId]) -> Result<Vec<(Digest, i64)>, StoreError> {
    let own: std::collections::HashSet<&ObjectId> = these.iter().collect();
    let mut named: Vec<Digest> = Vec::new();
    for chunk in these.chunks(IN) {
        let rows: Vec<Digest> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT DISTINCT digest FROM version_blob WHERE parent IN (");
            let mut list = q.separated(", ");
            for d in chunk {
                list.push_bind(d.as_slice());
            }
            q.push(")");
            q.build_query_scalar().fetch_all(conn).await?
        });
        named.extend(rows);
    }
    named.sort_unstable();
    named.dedup();
    let mut free = Vec::new();
    for chunk in named.chunks(IN) {
        // Those no item or picture of instructions uses, with every object that names them.
        let rows: Vec<(Digest, i64, Vec<u8>)> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "SELECT b.digest, b.byte_size, v.parent FROM blob b JOIN version_blob v ON v.digest = b.digest \
                 WHERE b.is_here AND NOT EXISTS (SELECT 1 FROM item WHERE item.digest = b.digest) \
                 AND NOT EXISTS (SELECT 1 FROM dataset_file f JOIN job j ON j.id = f.job_id WHERE f.digest = b.digest \
                 AND j.state <> 'succeeded') \
                 AND NOT EXISTS (SELECT 1 FROM asset WHERE asset.digest = b.digest) \
                 AND NOT EXISTS (SELECT 1 FROM artifact WHERE artifact.digest = b.digest) AND b.digest IN (",
            );
            let mut list = q.separated(", ");
            for d in chunk {
                list.push_bind(d);
            }
            q.push(") ORDER BY b.digest");
            q.build_query_as().fetch_all(conn).await?
        });
        let mut of: Option<(Digest, i64, bool)> = None;
        for (digest, size, parent) in rows {
            let is_own = own.contains(&id(parent)?);
            match &mut of {
                Some((last, _, free_so_far)) if *last == digest => *free_so_far &= is_own,
                _ => {
                    free.extend(of.take().filter(|o| o.2).map(|(d, s, _)| (d, s)));
                    of = Some((digest, size, is_own));
                }
            }
        }
        free.extend(of.filter(|o| o.2).map(|(d, s, _)| (d, s)));
    }
    Ok(free)
}
