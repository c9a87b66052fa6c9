//! blob rows: which bytes the database refers to. The files lie in the blob store.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{Digest, ItemId, ProjectId, Timestamp};
use sqlx::QueryBuilder;

/// Rows of one `INSERT`.
const ROWS: usize = 500;

/// What serving an item's bytes needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemBlob {
    pub project_id: ProjectId,
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    /// Of the oriented image, in pixels.
    pub width: i64,
    pub height: i64,
    /// EXIF orientation of the stored bytes, 1 to 8.
    pub orientation: i64,
}

/// Notes that these bytes are in the store. Of a blob known already the time is renewed, so that a clean-up leaves it
/// alone until whatever refers to it is there too; call it before inserting that, in the same transaction.
pub async fn put(
    tx: &mut Tx,
    digest: &Digest,
    byte_size: i64,
    media_type: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO blob (digest, byte_size, media_type, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (digest) DO UPDATE SET created_at = excluded.created_at, is_here = TRUE",
        )
        .bind(digest)
        .bind(byte_size)
        .bind(media_type)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// A blob to note; see [`put`].
#[derive(Debug, Clone, Copy)]
pub struct NewBlob<'a> {
    pub digest: &'a Digest,
    pub byte_size: i64,
    pub media_type: &'a str,
}

/// The same for many at once; the same one may be among them several times.
pub async fn put_many(tx: &mut Tx, blobs: &[NewBlob<'_>], now: Timestamp) -> Result<(), StoreError> {
    let here: Vec<(NewBlob<'_>, bool)> = blobs.iter().map(|blob| (*blob, true)).collect();
    note_many(tx, &here, now).await
}

/// The same, each with whether its bytes are in the store. `false` says nothing of one that is known.
pub async fn note_many(tx: &mut Tx, blobs: &[(NewBlob<'_>, bool)], now: Timestamp) -> Result<(), StoreError> {
    let mut blobs = blobs.to_vec();
    // In one order everywhere, so that two transactions never wait for each other in a circle.
    blobs.sort_unstable_by_key(|(b, is_here)| (b.digest, !is_here));
    blobs.dedup_by_key(|(b, _)| b.digest);
    for rows in blobs.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut query =
                QueryBuilder::new("INSERT INTO blob (digest, byte_size, media_type, created_at, is_here) ");
            query.push_values(rows, |mut row, (b, is_here)| {
                row.push_bind(b.digest)
                    .push_bind(b.byte_size)
                    .push_bind(b.media_type)
                    .push_bind(now)
                    .push_bind(*is_here);
            });
            query.push(
                " ON CONFLICT (digest) DO UPDATE SET created_at = excluded.created_at, \
                 is_here = blob.is_here OR excluded.is_here",
            );
            query.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Whether all of these are known.
pub async fn are_known(tx: &mut Tx, digests: &[&Digest]) -> Result<bool, StoreError> {
    let mut digests = digests.to_vec();
    digests.sort_unstable();
    digests.dedup();
    for part in digests.chunks(ROWS) {
        let known: i64 = on_tx!(tx, conn => {
            let mut query = QueryBuilder::new("SELECT count(*) FROM blob WHERE digest IN (");
            let mut list = query.separated(", ");
            for digest in part {
                list.push_bind(*digest);
            }
            query.push(")");
            query.build_query_scalar().fetch_one(conn).await?
        });
        if known < part.len() as i64 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The CRC-32 of those of these blobs of which it is known.
pub async fn crcs(tx: &mut Tx, digests: &[Digest]) -> Result<Vec<(Digest, u32)>, StoreError> {
    let mut known = Vec::new();
    for part in digests.chunks(ROWS) {
        let rows: Vec<(Digest, i64)> = on_tx!(tx, conn => {
            let mut query =
                QueryBuilder::new("SELECT digest, crc32 FROM blob WHERE crc32 IS NOT NULL AND digest IN (");
            let mut list = query.separated(", ");
            for digest in part {
                list.push_bind(digest);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        known.extend(rows.into_iter().map(|(digest, crc)| (digest, crc as u32)));
    }
    Ok(known)
}

/// Notes the CRC-32 of blobs; of those that are gone nothing.
pub async fn set_crcs(tx: &mut Tx, crcs: &[(Digest, u32)]) -> Result<(), StoreError> {
    let mut crcs = crcs.to_vec();
    // In one order everywhere, as above.
    crcs.sort_unstable();
    for (digest, crc) in &crcs {
        on_tx!(tx, conn => {
            sqlx::query("UPDATE blob SET crc32 = $1 WHERE digest = $2")
                .bind(i64::from(*crc))
                .bind(digest)
                .execute(conn)
                .await?;
        });
    }
    Ok(())
}

pub async fn exists(tx: &mut Tx, digest: &Digest) -> Result<bool, StoreError> {
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM blob WHERE digest = $1").bind(digest).fetch_one(conn).await?
    });
    Ok(n > 0)
}

/// A blob that nothing refers to: neither rows that name it, nor a registration that was stopped within three days of `$before` and
/// would otherwise read it again.
macro_rules! unused {
    ($head:literal, $before:literal, $tail:literal) => {
        concat!(
            $head,
            " created_at < ",
            $before,
            " AND NOT EXISTS (SELECT 1 FROM item WHERE item.digest = blob.digest)
             AND NOT EXISTS (SELECT 1 FROM asset WHERE asset.digest = blob.digest)
             AND NOT EXISTS (SELECT 1 FROM frame WHERE frame.digest = blob.digest)
             AND NOT EXISTS (SELECT 1 FROM version_blob WHERE version_blob.digest = blob.digest)
             AND NOT EXISTS (SELECT 1 FROM artifact WHERE artifact.digest = blob.digest)
             AND NOT EXISTS (SELECT 1 FROM dataset_file f JOIN job j ON j.id = f.job_id WHERE f.digest = blob.digest
             AND j.state <> 'succeeded' AND f.noted_at > ",
            $before,
            " - 259200000000) ",
            $tail
        )
    };
}

/// Blobs that nothing refers to and that were put before `before`; by digest, after `after`.
pub async fn unused(
    tx: &mut Tx,
    before: Timestamp,
    after: Option<&Digest>,
    limit: i64,
) -> Result<Vec<Digest>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(unused!(
            "SELECT digest FROM blob WHERE digest > $2 AND",
            "$1",
            "ORDER BY digest LIMIT $3"
        ))
        .bind(before)
        .bind(after.map_or("", Digest::as_str))
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// Forgets a blob unless something refers to it or it was put again since `before`. Answers whether it is forgotten;
/// its file may go then.
pub async fn delete_unused(tx: &mut Tx, digest: &Digest, before: Timestamp) -> Result<bool, StoreError> {
    let done = on_tx!(tx, conn => {
        sqlx::query(unused!("DELETE FROM blob WHERE digest = $1 AND", "$2", ""))
        .bind(digest)
        .bind(before)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(done > 0)
}

/// The blob of an item.
pub async fn of_item(tx: &mut Tx, item: ItemId) -> Result<Option<ItemBlob>, StoreError> {
    type Row = (ProjectId, String, Digest, String, i64, i64, i64, i64);
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT project_id, name, digest, media_type, byte_size, width, height, orientation FROM item WHERE id = $1",
        )
        .bind(item)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(
        |(project_id, name, digest, media_type, byte_size, width, height, orientation)| ItemBlob {
            project_id,
            name,
            digest,
            media_type,
            byte_size,
            width,
            height,
            orientation,
        },
    ))
}
