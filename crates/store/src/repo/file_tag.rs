//! file_tag and file_tagged rows: tags on paths of a dataset.
//!
//! What is taken off stays for a while as `gone`, under the change that took it off: undoing a change turns its rows over.
//! Whoever changes rows of a tag updates the tag's own row first, which is the lock.

use crate::{StoreError, Tx, on_tx};
use limn_domain::file_tag::FileTag;
use limn_domain::validate::name_key;
use limn_domain::{DatasetId, FileTagId, TagChangeId, Timestamp};
use sqlx::{FromRow, QueryBuilder};

/// Rows of one statement.
const ROWS: usize = 500;

/// A tag with the number that another one follows with every change of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    pub tag: FileTag,
    pub revision: i64,
}

#[derive(FromRow)]
struct Row {
    id: FileTagId,
    dataset_id: DatasetId,
    name: String,
    files: i64,
    revision: i64,
}

impl From<Row> for Stamped {
    fn from(r: Row) -> Self {
        Self {
            tag: FileTag {
                id: r.id,
                dataset_id: r.dataset_id,
                name: r.name,
                files: r.files,
            },
            revision: r.revision,
        }
    }
}

/// Those that some path has, by name.
pub async fn list(tx: &mut Tx, dataset: DatasetId) -> Result<Vec<Stamped>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, dataset_id, name, files, revision FROM file_tag WHERE dataset_id = $1 AND files > 0 ORDER BY name_key",
        )
        .bind(dataset)
        .fetch_all(conn)
        .await?
    });
    Ok(rows.into_iter().map(Stamped::from).collect())
}

/// The tags of a dataset that were changed since, also those that no path has any more.
pub async fn changed(
    tx: &mut Tx,
    dataset: DatasetId,
    since: Timestamp,
) -> Result<Vec<FileTagId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT id FROM file_tag WHERE dataset_id = $1 AND changed_at >= $2 ORDER BY name_key")
            .bind(dataset)
            .bind(since)
            .fetch_all(conn)
            .await?
    }))
}

/// Makes a tag, or finds the one of that name regardless of case.
pub async fn make(
    tx: &mut Tx,
    dataset: DatasetId,
    name: &str,
    now: Timestamp,
) -> Result<FileTagId, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "INSERT INTO file_tag (id, dataset_id, name, name_key, changed_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (dataset_id, name_key) DO UPDATE SET changed_at = excluded.changed_at, \
             name = CASE WHEN file_tag.files = 0 THEN excluded.name ELSE file_tag.name END RETURNING id",
        )
        .bind(FileTagId::new())
        .bind(dataset)
        .bind(name)
        .bind(name_key(name))
        .bind(now)
        .fetch_one(conn)
        .await?
    }))
}

/// The keys of the paths that have a tag, in no order.
pub async fn keys(tx: &mut Tx, tag: FileTagId) -> Result<Vec<String>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT file_key FROM file_tagged WHERE tag_id = $1 AND NOT gone")
            .bind(tag)
            .fetch_all(conn)
            .await?
    }))
}

/// Up to `limit` keys of paths that have a tag, from the first.
pub async fn some_keys(tx: &mut Tx, tag: FileTagId, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT file_key FROM file_tagged WHERE tag_id = $1 AND NOT gone ORDER BY file_key LIMIT $2",
        )
        .bind(tag)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// Puts a tag on paths, or takes it off where not `on`. Answers how many that changes; `None` when the tag is gone.
pub async fn set(
    tx: &mut Tx,
    tag: FileTagId,
    change: TagChangeId,
    keys: &[String],
    on: bool,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    if !lock(tx, tag, now).await? {
        return Ok(None);
    }
    let mut changed = 0;
    for part in keys.chunks(ROWS) {
        changed += on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("");
            if on {
                q.push("INSERT INTO file_tagged (tag_id, file_key, change_id, gone, changed_at) ");
                q.push_values(part, |mut row, key| {
                    row.push_bind(tag).push_bind(key).push_bind(change).push_bind(false).push_bind(now);
                });
                q.push(
                    " ON CONFLICT (tag_id, file_key) DO UPDATE SET change_id = excluded.change_id, gone = excluded.gone, \
                     changed_at = excluded.changed_at WHERE file_tagged.gone",
                );
            } else {
                q.push("UPDATE file_tagged SET gone = ").push_bind(true);
                q.push(", change_id = ").push_bind(change).push(", changed_at = ").push_bind(now);
                q.push(" WHERE NOT gone AND tag_id = ").push_bind(tag).push(" AND file_key IN (");
                let mut list = q.separated(", ");
                for key in part {
                    list.push_bind(key);
                }
                q.push(")");
            }
            q.build().execute(conn).await?.rows_affected()
        }) as i64;
    }
    count(tx, tag, if on { changed } else { -changed }).await?;
    Ok(Some(changed))
}

/// Turns up to `limit` of the paths over that a change put a tag on or took it off, those behind `after` in the database's
/// order. Answers the last one; `None` when there are no more.
pub async fn turn(
    tx: &mut Tx,
    tag: FileTagId,
    change: TagChangeId,
    after: &str,
    limit: i64,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    if !lock(tx, tag, now).await? {
        return Ok(None);
    }
    let rows: Vec<(String, bool)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT file_key, gone FROM file_tagged WHERE tag_id = $1 AND change_id = $2 AND file_key > $3 \
             ORDER BY file_key LIMIT $4",
        )
        .bind(tag)
        .bind(change)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?
    });
    let Some((last, _)) = rows.last() else {
        return Ok(None);
    };
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE file_tagged SET gone = NOT gone, changed_at = $5 \
             WHERE tag_id = $1 AND change_id = $2 AND file_key > $3 AND file_key <= $4",
        )
        .bind(tag)
        .bind(change)
        .bind(after)
        .bind(last)
        .bind(now)
        .execute(conn)
        .await?;
    });
    let back = rows.iter().filter(|(_, gone)| *gone).count() as i64;
    count(tx, tag, 2 * back - rows.len() as i64).await?;
    Ok(Some(last.clone()))
}

/// Tags on paths of a dataset, counted one by one.
pub async fn total(tx: &mut Tx, dataset: DatasetId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT CAST(coalesce(sum(files), 0) AS BIGINT) FROM file_tag WHERE dataset_id = $1")
            .bind(dataset)
            .fetch_one(conn)
            .await?
    }))
}

/// Forgets what was taken off before `before`, up to `limit` paths, and then tags without any. Answers how many rows.
pub async fn sweep(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, conn => {
        let rows = sqlx::query(
            "DELETE FROM file_tagged WHERE (tag_id, file_key) IN ( \
             SELECT tag_id, file_key FROM file_tagged WHERE gone AND changed_at < $1 LIMIT $2)",
        )
        .bind(before)
        .bind(limit)
        .execute(&mut *conn)
        .await?
        .rows_affected();
        let tags = sqlx::query(
            "DELETE FROM file_tag WHERE files = 0 AND changed_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM file_tagged t WHERE t.tag_id = file_tag.id)",
        )
        .bind(before)
        .execute(conn)
        .await?
        .rows_affected();
        rows + tags
    }))
}

/// Notes a change of a tag and locks it until the transaction ends. False when it is gone.
async fn lock(tx: &mut Tx, tag: FileTagId, now: Timestamp) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("UPDATE file_tag SET revision = revision + 1, changed_at = $2 WHERE id = $1")
            .bind(tag)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

async fn count(tx: &mut Tx, tag: FileTagId, more: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE file_tag SET files = files + $2 WHERE id = $1")
            .bind(tag)
            .bind(more)
            .execute(conn)
            .await?;
    });
    Ok(())
}
