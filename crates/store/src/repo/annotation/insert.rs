//! Labels in bulk.

use super::{attributes, geometry, links};
use crate::{StoreError, Tx, on_tx};
use limn_domain::{Annotation, ItemId, Timestamp, UserId};

/// Rows of one `INSERT`: 17 parameters each.
const ROWS: usize = 250;

/// A label for an item.
#[derive(Debug, Clone)]
pub struct NewAnnotation {
    pub item_id: ItemId,
    /// Checked: finite, inside the item, of a category of its project.
    pub annotation: Annotation,
    pub created_by: Option<UserId>,
}

/// Writes new labels; the items' counts and revisions are the caller's (`item::bulk::settle`). `Unique` when an item has
/// an annotation of that id, `ForeignKey` when the item or the category is gone.
pub async fn insert_many(tx: &mut Tx, rows: &[NewAnnotation], now: Timestamp) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS) {
        let texts = chunk
            .iter()
            .map(|r| {
                Ok((
                    geometry(&r.annotation.shape)?,
                    attributes(&r.annotation.attributes)?,
                    links(&r.annotation.links)?,
                ))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new(
                "INSERT INTO annotation (item_id, id, category_id, kind, x, y, w, h, geometry, z, source, score, attributes, links, \
                 created_by, created_at, updated_at) ",
            );
            q.push_values(chunk.iter().zip(texts), |mut b, (r, (geometry, attributes, links))| {
                let a = &r.annotation;
                let rect = a.shape.bounds();
                b.push_bind(r.item_id)
                    .push_bind(a.id)
                    .push_bind(a.category_id)
                    .push_bind(a.shape.kind())
                    .push_bind(rect.map(|r| r.x))
                    .push_bind(rect.map(|r| r.y))
                    .push_bind(rect.map(|r| r.w))
                    .push_bind(rect.map(|r| r.h))
                    .push_bind(geometry)
                    .push_bind(a.z)
                    .push_bind(a.source)
                    .push_bind(a.score)
                    .push_bind(attributes)
                    .push_bind(links)
                    .push_bind(r.created_by)
                    .push_bind(now)
                    .push_bind(now);
            });
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Removes every label and proposal of these items; their counts are the caller's (`item::bulk::settle`).
pub async fn delete_of_items(tx: &mut Tx, items: &[ItemId]) -> Result<(), StoreError> {
    for chunk in items.chunks(500) {
        on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new("DELETE FROM annotation WHERE item_id IN (");
            let mut list = q.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            q.push(")");
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}
