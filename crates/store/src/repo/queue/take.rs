//! Handing out items.

use crate::dialect::Dialect;
use crate::repo::annotation::read_attributes;
use crate::repo::item::{ItemRow, item_columns};
use crate::{StoreError, Tx, on_tx};
use limn_domain::Attributes;
use limn_domain::item::Item;
use limn_domain::{ItemId, ProjectId, Timestamp, UserId};

/// An item with what the label page shows of it besides.
#[derive(Debug, Clone)]
pub struct Holding {
    pub item: Item,
    /// Who changed its labels last.
    pub annotated_by: Option<UserId>,
    pub annotated_by_name: Option<String>,
    /// What is said of it as a whole.
    pub about: Attributes,
    pub lease_until: Timestamp,
}

impl Holding {
    fn of(mut row: ItemRow, now: Timestamp) -> Self {
        Self {
            annotated_by: row.annotated_by,
            annotated_by_name: row.annotated_by_name.take(),
            // Checked when it was written; what cannot be read is said anew.
            about: read_attributes(row.attributes.as_deref()).unwrap_or_default(),
            lease_until: row.lease_until,
            item: row.into_item(now),
        }
    }
}

/// The same of one item, whether or not anybody holds it.
pub async fn holding(tx: &mut Tx, item: ItemId, now: Timestamp) -> Result<Option<Holding>, StoreError> {
    let row: Option<ItemRow> = on_tx!(tx, conn => {
        sqlx::query_as(concat!("SELECT ", item_columns!(), " FROM item WHERE id = $1"))
            .bind(item)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|r| Holding::of(r, now)))
}

/// One statement for both databases but for the locks: on PostgreSQL takers wait for what is in their own hands, always in the same
/// order, and pass over further rows that another one is taking; so no two wait for each other. What
/// is picked is checked again while updating, because there a row may have changed since the snapshot. `own` says nothing
/// of the status, for only items to do are held, and SQLite would take the index on it for the better one.
macro_rules! take_text {
    ($begin:literal, $end:literal, $lock:literal) => {
        concat!(
            "WITH own AS MATERIALIZED (",
            $begin,
            "SELECT id FROM item WHERE lease_user_id = $2 AND project_id = $1 \
               ORDER BY leased_at, queue_rank LIMIT $5",
            $end,
            "), fresh AS MATERIALIZED ( \
               SELECT id FROM item WHERE project_id = $1 AND status = 'todo' AND lease_until <= $3 \
               AND (lease_user_id IS NULL OR lease_user_id <> $2) ORDER BY queue_rank \
               LIMIT (SELECT CASE WHEN count(*) < $6 THEN $6 - count(*) ELSE 0 END FROM own)",
            $lock,
            ") UPDATE item SET lease_until = $4, \
               leased_at = CASE WHEN lease_user_id = $2 THEN leased_at ELSE $3 END, lease_user_id = $2 \
             WHERE id IN (SELECT id FROM own UNION ALL SELECT id FROM fresh) AND status = 'todo' \
             AND (lease_user_id IS NULL OR lease_user_id = $2 OR lease_until <= $3) RETURNING ",
            item_columns!()
        )
    };
}

/// Extends the leases on up to `count` items in the person's hands and, unless `paused`, leases further ones up to
/// `count` in all, in the queue's order. Those in hand come first.
pub async fn take(
    tx: &mut Tx,
    project: ProjectId,
    user: UserId,
    count: i64,
    paused: bool,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Holding>, StoreError> {
    let text = Dialect::of(tx).pick(
        take_text!("", "", ""),
        take_text!(
            "SELECT id FROM item WHERE id IN (",
            ") ORDER BY id FOR UPDATE",
            " FOR UPDATE SKIP LOCKED"
        ),
    );
    let mut rows: Vec<ItemRow> = on_tx!(tx, conn => {
        sqlx::query_as(text)
            .bind(project)
            .bind(user)
            .bind(now)
            .bind(until)
            .bind(count)
            .bind(if paused { 0 } else { count })
            .fetch_all(conn)
            .await?
    });
    rows.sort_unstable_by_key(|r| (r.leased_at, r.queue_rank));
    Ok(rows.into_iter().map(|r| Holding::of(r, now)).collect())
}
