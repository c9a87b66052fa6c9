//! Submitting and skipping, and looking back.

use crate::repo::item::{ItemRow, item_columns};
use crate::{StoreError, Tx, on_tx};
use limn_domain::item::{Item, ItemStatus};
use limn_domain::{ItemId, ProjectId, Timestamp, UserId};

/// Marks an item done or skipped and takes it out of all hands. The caller has locked the item and books the counters.
pub async fn finish(
    tx: &mut Tx,
    item: ItemId,
    status: ItemStatus,
    reason: Option<&str>,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE item SET status = $2, skip_reason = $3, done_by = $4, done_at = $5, updated_at = $5, \
             lease_user_id = NULL, lease_until = 0, leased_at = 0 WHERE id = $1",
        )
        .bind(item)
        .bind(status)
        .bind(reason)
        .bind(by)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// What the person submitted or skipped last in the project, newest first, after (`done_at`, export id).
pub async fn history(
    tx: &mut Tx,
    project: ProjectId,
    user: UserId,
    after: Option<(Timestamp, i64)>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Item>, StoreError> {
    let (at, id) = after.unwrap_or((Timestamp(i64::MAX), i64::MAX));
    let rows: Vec<ItemRow> = on_tx!(tx, conn => {
        sqlx::query_as(concat!(
            "SELECT ", item_columns!(), " FROM item WHERE project_id = $1 AND done_by = $2 \
             AND (done_at, export_id) < ($3, $4) ORDER BY done_at DESC, export_id DESC LIMIT $5"
        ))
        .bind(project)
        .bind(user)
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?
    });
    Ok(rows.into_iter().map(|r| r.into_item(now)).collect())
}
