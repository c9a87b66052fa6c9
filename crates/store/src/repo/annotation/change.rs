//! Saving an edit: few statements, each with constant text.

use super::{attributes, geometry, links};
use crate::{StoreError, Tx, on_tx};
use limn_domain::{Annotation, AnnotationId, Attributes, ChangeId, ItemId, Timestamp, UserId};
use std::fmt::Write as _;
use std::sync::LazyLock;

/// Most rows of one statement.
const ROWS: usize = 64;
/// Parameters of one row.
const COLUMNS: usize = 13;
/// Saved edits remembered of each item, and how many more may gather before the old ones go.
const REMEMBERED: i64 = 64;
const SLACK: i64 = 16;

/// `UPSERT[n - 1]` writes `n` annotations, `DELETE[n - 1]` removes `n`. Made once, so that the databases keep them
/// prepared.
static UPSERT: LazyLock<Vec<&'static str>> = LazyLock::new(|| (1..=ROWS).map(upsert_text).collect());
static DELETE: LazyLock<Vec<&'static str>> = LazyLock::new(|| (1..=ROWS).map(delete_text).collect());

fn upsert_text(rows: usize) -> &'static str {
    let mut t = String::from(
        "INSERT INTO annotation (item_id, created_by, created_at, updated_at, id, category_id, kind, x, y, w, h, geometry, \
         z, source, score, attributes, links) VALUES ",
    );
    for row in 0..rows {
        if row > 0 {
            t.push_str(", ");
        }
        t.push_str("($1, $2, $3, $3");
        for column in 0..COLUMNS {
            // Writing to a text cannot fail.
            let _ = write!(t, ", ${}", 4 + row * COLUMNS + column);
        }
        t.push(')');
    }
    t.push_str(
        " ON CONFLICT (item_id, id) DO UPDATE SET category_id = excluded.category_id, kind = excluded.kind, \
         x = excluded.x, y = excluded.y, w = excluded.w, h = excluded.h, geometry = excluded.geometry, z = excluded.z, source = excluded.source, \
         score = excluded.score, attributes = excluded.attributes, links = excluded.links, updated_at = excluded.updated_at",
    );
    t.leak()
}

fn delete_text(rows: usize) -> &'static str {
    let list: Vec<String> = (0..rows).map(|n| format!("${}", n + 2)).collect();
    format!(
        "DELETE FROM annotation WHERE item_id = $1 AND id IN ({})",
        list.join(", ")
    )
    .leak()
}

/// A checked edit of an item that the transaction holds.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub id: ChangeId,
    pub item: ItemId,
    /// No id twice; shapes are inside the item; categories exist.
    pub upserts: &'a [Annotation],
    pub removes: &'a [AnnotationId],
    /// What is said of the item as a whole; `None` leaves it.
    pub about: Option<&'a Attributes>,
    pub active_ms: i64,
    pub by: Option<UserId>,
    pub now: Timestamp,
    /// Extends the lease of `by` to here, if they hold the item.
    pub lease_until: Timestamp,
}

/// The item after an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Applied {
    pub revision: i64,
    pub annotation_count: i64,
    pub prelabel_count: i64,
}

/// Writes an edit. The caller has locked the item and compared revisions, and books a change of `prelabel_count` of an
/// item to do. `ForeignKey` when a category is gone. An edit that changes no label keeps the revision.
pub async fn apply(tx: &mut Tx, c: Change<'_>) -> Result<Applied, StoreError> {
    for ids in c.removes.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = sqlx::query(DELETE[ids.len() - 1]).bind(c.item);
            for id in ids {
                q = q.bind(*id);
            }
            q.execute(conn).await?;
        });
    }
    for rows in c.upserts.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = sqlx::query(UPSERT[rows.len() - 1]).bind(c.item).bind(c.by).bind(c.now);
            for a in rows {
                let rect = a.shape.bounds();
                q = q
                    .bind(a.id)
                    .bind(a.category_id)
                    .bind(a.shape.kind())
                    .bind(rect.map(|r| r.x))
                    .bind(rect.map(|r| r.y))
                    .bind(rect.map(|r| r.w))
                    .bind(rect.map(|r| r.h))
                    .bind(geometry(&a.shape)?)
                    .bind(a.z)
                    .bind(a.source)
                    .bind(a.score)
                    .bind(attributes(&a.attributes)?)
                    .bind(links(&a.links)?);
            }
            q.execute(conn).await?;
        });
    }
    let edits = i64::from(!c.upserts.is_empty() || !c.removes.is_empty() || c.about.is_some());
    let about = c.about.map(attributes).transpose()?.flatten();
    let after: Applied = on_tx!(tx, conn => {
        sqlx::query_as(
            "UPDATE item SET revision = revision + $2, \
             annotation_count = (SELECT count(*) FROM annotation a WHERE a.item_id = $1 AND a.source <> 'prelabel'), \
             prelabel_count = (SELECT count(*) FROM annotation a WHERE a.item_id = $1 AND a.source = 'prelabel'), \
             attributes = CASE WHEN $7 THEN $8 ELSE attributes END, \
             active_ms = active_ms + $3, \
             annotated_by = CASE WHEN $2 > 0 THEN $4 ELSE annotated_by END, \
             updated_at = CASE WHEN $2 > 0 THEN $5 ELSE updated_at END, \
             lease_until = CASE WHEN lease_user_id = $4 AND lease_until < $6 THEN $6 ELSE lease_until END \
             WHERE id = $1 RETURNING revision, annotation_count, prelabel_count",
        )
        .bind(c.item)
        .bind(edits)
        .bind(c.active_ms)
        .bind(c.by)
        .bind(c.now)
        .bind(c.lease_until)
        .bind(c.about.is_some())
        .bind(&about)
        .fetch_one(conn)
        .await?
    });
    remember(tx, c.item, c.id, after.revision).await?;
    if edits == 0 {
        forget_empty(tx, c.item, after.revision).await?;
    }
    Ok(after)
}

/// Edits without labels share a revision; of those only the latest stay.
async fn forget_empty(tx: &mut Tx, item: ItemId, revision: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "DELETE FROM annotation_change WHERE item_id = $1 AND revision = $2 AND change_id < \
             (SELECT c.change_id FROM annotation_change c WHERE c.item_id = $1 AND c.revision = $2 \
              ORDER BY c.change_id DESC LIMIT 1 OFFSET 64)",
        )
        .bind(item)
        .bind(revision)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Remembers a saved edit, and now and then forgets the oldest.
async fn remember(tx: &mut Tx, item: ItemId, change: ChangeId, revision: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("INSERT INTO annotation_change (item_id, change_id, revision) VALUES ($1, $2, $3)")
            .bind(item)
            .bind(change)
            .bind(revision)
            .execute(&mut *conn)
            .await?;
        if revision % SLACK == 0 && revision > REMEMBERED {
            sqlx::query("DELETE FROM annotation_change WHERE item_id = $1 AND revision <= $2")
                .bind(item)
                .bind(revision - REMEMBERED)
                .execute(conn)
                .await?;
        }
    });
    Ok(())
}

/// The revision an edit was saved under, if it is one of the last 64 of the item.
pub async fn replayed(tx: &mut Tx, item: ItemId, change: ChangeId) -> Result<Option<i64>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT revision FROM annotation_change WHERE item_id = $1 AND change_id = $2")
            .bind(item)
            .bind(change)
            .fetch_optional(conn)
            .await?
    }))
}

/// How many of these annotations the item has already as imported labels.
pub async fn has_import(tx: &mut Tx, item: ItemId, ids: &[AnnotationId]) -> Result<i64, StoreError> {
    let mut n = 0_i64;
    for chunk in ids.chunks(500) {
        let found: i64 = on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new("SELECT count(*) FROM annotation WHERE source = 'import' AND item_id = ");
            q.push_bind(item).push(" AND id IN (");
            let mut list = q.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            q.push(")");
            q.build_query_scalar().fetch_one(conn).await?
        });
        n += found;
    }
    Ok(n)
}

/// How many different categories the item's confirmed labels have.
pub async fn distinct_labels(tx: &mut Tx, item: ItemId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT count(DISTINCT category_id) FROM annotation WHERE item_id = $1 AND source <> 'prelabel'",
        )
        .bind(item)
        .fetch_one(conn)
        .await?
    }))
}
