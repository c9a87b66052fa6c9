//! What an index of a project's items is made of, and what has changed since it was.

use super::{COLUMNS, ItemRow};
use crate::repo::annotation::read_attributes;
use crate::{StoreError, Tx, on_tx};
use limn_domain::item::{Item, ItemStatus};
use limn_domain::{Attributes, CategoryId, ItemId, ProjectId, Source, Timestamp, UserId};
use sqlx::FromRow;
use std::collections::HashMap;

/// Ids or names of one statement.
const CHUNK: usize = 500;

/// Tells whether an item is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Stamp {
    pub id: ItemId,
    pub export_id: i64,
    pub updated_at: Timestamp,
    pub revision: i64,
    pub status: ItemStatus,
    pub annotation_count: i64,
    pub prelabel_count: i64,
}

/// The items that were changed at this time or later, in that order and that of their export ids, after `after`; at most
/// `limit`.
pub async fn changed(
    tx: &mut Tx,
    project: ProjectId,
    (at, after): (Timestamp, i64),
    limit: i64,
) -> Result<Vec<Stamp>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, export_id, updated_at, revision, status, annotation_count, prelabel_count FROM item \
             WHERE project_id = $1 AND (updated_at, export_id) > ($2, $3) ORDER BY updated_at, export_id LIMIT $4",
        )
        .bind(project)
        .bind(at)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// The items that somebody holds now, with who does.
pub async fn held(
    tx: &mut Tx,
    project: ProjectId,
    now: Timestamp,
) -> Result<Vec<(ItemId, UserId)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, lease_user_id FROM item \
             WHERE project_id = $1 AND lease_until > $2 AND lease_user_id IS NOT NULL",
        )
        .bind(project)
        .bind(now)
        .fetch_all(conn)
        .await?
    }))
}

/// A label or proposal, without its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    pub category_id: CategoryId,
    pub kind: String,
    pub source: Source,
    pub score: Option<f64>,
    pub attributes: Attributes,
    pub created_by: Option<UserId>,
}

/// What is known of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    pub item: Item,
    pub about: Attributes,
    pub labels: Vec<Label>,
}

#[derive(FromRow)]
struct LabelRow {
    item_id: ItemId,
    category_id: CategoryId,
    kind: String,
    source: Source,
    score: Option<f64>,
    attributes: Option<String>,
    created_by: Option<UserId>,
}

/// What is known of these items of the project, in no order; those that are not there are left out. `now` tells live leases
/// from ended ones.
pub async fn facts(
    tx: &mut Tx,
    project: ProjectId,
    items: &[ItemId],
    now: Timestamp,
) -> Result<Vec<Facts>, StoreError> {
    let mut out = Vec::with_capacity(items.len());
    for chunk in items.chunks(CHUNK) {
        let rows: Vec<ItemRow> = on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new("SELECT ");
            q.push(COLUMNS).push(" FROM item WHERE id IN (");
            let mut list = q.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        let labeled = rows.iter().filter(|r| r.annotation_count + r.prelabel_count > 0);
        let labeled: Vec<ItemId> = labeled.map(|r| r.id).collect();
        let mut labels = labels(tx, &labeled).await?;
        for row in rows.into_iter().filter(|r| r.project_id == project) {
            let about = read_attributes(row.attributes.as_deref())
                .ok_or_else(|| StoreError::Corrupt(format!("attributes of item {}", row.id)))?;
            out.push(Facts {
                about,
                labels: labels.remove(&row.id).unwrap_or_default(),
                item: row.into_item(now),
            });
        }
    }
    Ok(out)
}

async fn labels(tx: &mut Tx, items: &[ItemId]) -> Result<HashMap<ItemId, Vec<Label>>, StoreError> {
    let mut out: HashMap<ItemId, Vec<Label>> = HashMap::new();
    if items.is_empty() {
        return Ok(out);
    }
    let rows: Vec<LabelRow> = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "SELECT item_id, category_id, kind, source, score, attributes, created_by FROM annotation WHERE item_id IN (",
        );
        let mut list = q.separated(", ");
        for id in items {
            list.push_bind(*id);
        }
        q.push(")");
        q.build_query_as().fetch_all(conn).await?
    });
    for row in rows {
        let attributes = read_attributes(row.attributes.as_deref())
            .ok_or_else(|| StoreError::Corrupt(format!("attributes of a label of item {}", row.item_id)))?;
        out.entry(row.item_id).or_default().push(Label {
            category_id: row.category_id,
            kind: row.kind,
            source: row.source,
            score: row.score,
            attributes,
            created_by: row.created_by,
        });
    }
    Ok(out)
}

/// The names (in lower case) of a project's items after an export id, with theirs, in that order.
pub async fn names(
    tx: &mut Tx,
    project: ProjectId,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT export_id, name_key FROM item WHERE project_id = $1 AND export_id > $2 ORDER BY export_id LIMIT $3",
        )
        .bind(project)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// The items of these names (in lower case), in no order; those that are not there are left out.
pub async fn named(
    tx: &mut Tx,
    project: ProjectId,
    names: &[&str],
    now: Timestamp,
) -> Result<Vec<Item>, StoreError> {
    let mut out = Vec::with_capacity(names.len());
    for chunk in names.chunks(CHUNK) {
        let rows: Vec<ItemRow> = on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new("SELECT ");
            q.push(COLUMNS).push(" FROM item WHERE project_id = ").push_bind(project);
            q.push(" AND name_key IN (");
            let mut list = q.separated(", ");
            for name in chunk {
                list.push_bind(*name);
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        out.extend(rows.into_iter().map(|r| r.into_item(now)));
    }
    Ok(out)
}

/// The ids of the items of these names (in lower case), in no order.
pub async fn ids(tx: &mut Tx, project: ProjectId, names: &[&str]) -> Result<Vec<ItemId>, StoreError> {
    let mut out = Vec::with_capacity(names.len());
    for chunk in names.chunks(CHUNK) {
        let found: Vec<ItemId> = on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new("SELECT id FROM item WHERE project_id = ");
            q.push_bind(project).push(" AND name_key IN (");
            let mut list = q.separated(", ");
            for name in chunk {
                list.push_bind(*name);
            }
            q.push(")");
            q.build_query_scalar().fetch_all(conn).await?
        });
        out.extend(found);
    }
    Ok(out)
}
