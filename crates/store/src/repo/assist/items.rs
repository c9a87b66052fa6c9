//! Items as the assist reads them.

use crate::{StoreError, Tx, on_tx};
use limn_domain::item::ItemStatus;
use limn_domain::{CategoryId, Digest, ItemId, ProjectId, Timestamp};
use sqlx::FromRow;
use std::collections::HashMap;

/// A picture of a project.
#[derive(Debug, Clone, FromRow)]
pub struct AssistItem {
    pub id: ItemId,
    pub export_id: i64,
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    pub width: i64,
    pub height: i64,
    pub orientation: i64,
    pub status: ItemStatus,
    pub annotation_count: i64,
    pub lease_until: Timestamp,
    /// Its place in the queue, lowest first.
    pub queue_rank: i64,
    /// A model proposed something for it, whatever became of that.
    pub proposed: bool,
}

/// The pictures (or documents) after export id `after` (0 to begin), in that order.
pub async fn items(
    tx: &mut Tx,
    project: ProjectId,
    after: i64,
    limit: i64,
) -> Result<Vec<AssistItem>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, export_id, name, digest, media_type, byte_size, width, height, orientation, status, \
             annotation_count, lease_until, queue_rank, \
             EXISTS (SELECT 1 FROM assist_proposal p WHERE p.item_id = item.id) AS proposed \
             FROM item WHERE project_id = $1 AND export_id > $2 \
             AND (width > 0 AND length = 0 OR width = 0 AND length > 0) \
             ORDER BY export_id LIMIT $3",
        )
        .bind(project)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// The confirmed whole-item labels of all done items.
pub async fn labels(tx: &mut Tx, project: ProjectId) -> Result<HashMap<ItemId, Vec<CategoryId>>, StoreError> {
    let rows: Vec<(ItemId, CategoryId)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT a.item_id, a.category_id FROM item i CROSS JOIN annotation a \
             WHERE i.project_id = $1 AND i.status = 'done' AND i.annotation_count > 0 \
             AND a.item_id = i.id AND a.kind = 'whole' AND a.source <> 'prelabel' \
             ORDER BY a.item_id, a.id",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    let mut out: HashMap<ItemId, Vec<CategoryId>> = HashMap::new();
    for (item, category) in rows {
        let of = out.entry(item).or_default();
        if !of.contains(&category) {
            of.push(category);
        }
    }
    Ok(out)
}

/// Items to do that have a proposal of the assist, and those without that lie beside alike ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Tally {
    pub prelabeled: i64,
    pub clustered: i64,
}

pub async fn tally(tx: &mut Tx, project: ProjectId) -> Result<Tally, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT (SELECT count(*) FROM item i WHERE i.project_id = $1 AND i.status = 'todo' AND i.prelabel_count > 0 \
              AND EXISTS (SELECT 1 FROM assist_proposal p WHERE p.item_id = i.id)) AS prelabeled, \
             (SELECT count(*) FROM item i JOIN assist_cluster c ON c.item_id = i.id \
              WHERE i.project_id = $1 AND i.status = 'todo' AND i.prelabel_count = 0) AS clustered",
        )
        .bind(project)
        .fetch_one(conn)
        .await?
    }))
}

/// How many pictures of the project have a description that says something.
pub async fn seen(tx: &mut Tx, project: ProjectId, encoder_key: &str) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT count(*) FROM item i JOIN feature f ON f.digest = i.digest AND f.encoder_key = $2 \
             WHERE i.project_id = $1",
        )
        .bind(project)
        .bind(encoder_key)
        .fetch_one(conn)
        .await?
    }))
}

/// Done items by what became of proposals for them, and the milliseconds of active work they took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Work {
    pub accepted: i64,
    pub corrected: i64,
    pub manual: i64,
    /// Of items of which some time was measured: their number and the sum, with and without a proposal.
    pub timed_assisted: i64,
    pub ms_assisted: i64,
    pub timed_manual: i64,
    pub ms_manual: i64,
}

pub async fn work(tx: &mut Tx, project: ProjectId) -> Result<Work, StoreError> {
    let row: Option<Work> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT CAST(coalesce(sum(CASE WHEN had AND same THEN 1 ELSE 0 END), 0) AS BIGINT) AS accepted, \
             CAST(coalesce(sum(CASE WHEN had AND NOT same THEN 1 ELSE 0 END), 0) AS BIGINT) AS corrected, \
             CAST(coalesce(sum(CASE WHEN had THEN 0 ELSE 1 END), 0) AS BIGINT) AS manual, \
             CAST(coalesce(sum(CASE WHEN had AND active_ms > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS timed_assisted, \
             CAST(coalesce(sum(CASE WHEN had THEN active_ms ELSE 0 END), 0) AS BIGINT) AS ms_assisted, \
             CAST(coalesce(sum(CASE WHEN NOT had AND active_ms > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS timed_manual, \
             CAST(coalesce(sum(CASE WHEN had THEN 0 ELSE active_ms END), 0) AS BIGINT) AS ms_manual FROM ( \
               SELECT i.active_ms, \
               EXISTS (SELECT 1 FROM assist_proposal p WHERE p.item_id = i.id) AS had, \
               NOT EXISTS (SELECT 1 FROM assist_proposal p WHERE p.item_id = i.id AND NOT EXISTS ( \
                 SELECT 1 FROM annotation a WHERE a.item_id = i.id AND a.category_id = p.category_id \
                 AND a.source <> 'prelabel' AND (p.x IS NULL AND p.geometry IS NULL OR a.id = p.annotation_id AND (a.geometry = p.geometry \
                 OR p.geometry IS NULL AND abs(a.x - p.x) + abs(a.y - p.y) + abs(a.w - p.w) + abs(a.h - p.h) < 0.05)))) \
               AND NOT EXISTS (SELECT 1 FROM annotation a WHERE a.item_id = i.id AND a.source <> 'prelabel' \
                 AND NOT EXISTS (SELECT 1 FROM assist_proposal p WHERE p.item_id = i.id \
                 AND p.category_id = a.category_id AND (p.x IS NULL AND p.geometry IS NULL OR p.annotation_id = a.id))) AS same \
               FROM item i WHERE i.project_id = $1 AND i.status = 'done') AS x",
        )
        .bind(project)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.unwrap_or_default())
}
