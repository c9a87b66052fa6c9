//! New items.

use super::counter::Tally;
use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::item::Item;
use limn_domain::project::ProjectSettings;
use limn_domain::{Digest, ItemId, ProjectId, Timestamp, validate};
use std::collections::HashMap;
use uuid::Uuid;

/// Rows of one `INSERT`: 16 parameters each, well below both databases' limits.
const ROWS: usize = 200;

/// An image or a document to add; its blob row must be there.
#[derive(Debug, Clone)]
pub struct NewItem {
    pub id: ItemId,
    /// Checked by `validate::item_name`.
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    /// Of the oriented image, in pixels.
    pub width: i64,
    pub height: i64,
    /// EXIF orientation of the stored bytes, 1 to 8.
    pub orientation: i64,
    /// Unicode scalar values of a document; 0 for an image.
    pub length: i64,
    /// How a document begins; empty for an image.
    pub excerpt: String,
}

/// What became of a new item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    Added {
        id: ItemId,
        export_id: i64,
    },
    /// The project has an item of that name (regardless of case) with these bytes.
    Exists {
        id: ItemId,
        digest: Digest,
    },
}

/// Adds one item at the end of the queue. `None`: the name is taken. `ForeignKey`: no such project or blob.
pub async fn insert(
    tx: &mut Tx,
    project: ProjectId,
    item: &NewItem,
    now: Timestamp,
) -> Result<Option<Item>, StoreError> {
    match insert_many(tx, project, std::slice::from_ref(item), now)
        .await?
        .first()
    {
        Some(Inserted::Added { id, .. }) => super::get(tx, *id, now).await,
        _ => Ok(None),
    }
}

/// Adds many items, in this order; those whose name is taken (also earlier in the list) are left out and said so.
///
/// Export ids are given without gaps. The project's row is locked first, so that two of these wait for each other
/// instead of giving the same ids.
pub async fn insert_many(
    tx: &mut Tx,
    project: ProjectId,
    items: &[NewItem],
    now: Timestamp,
) -> Result<Vec<Inserted>, StoreError> {
    let head: Option<(i64, Json<ProjectSettings>)> = on_tx!(tx, conn => {
        sqlx::query_as("UPDATE project SET updated_at = $2 WHERE id = $1 RETURNING next_item_export_id, settings")
            .bind(project)
            .bind(now)
            .fetch_optional(conn)
            .await?
    });
    let (first, settings) =
        head.ok_or_else(|| StoreError::ForeignKey("item.project_id: no such project".to_owned()))?;
    let mut next = first;
    let mut out = Vec::with_capacity(items.len());
    for chunk in items.chunks(ROWS) {
        let keys: Vec<String> = chunk.iter().map(|i| validate::name_key(&i.name)).collect();
        let mut taken = existing(tx, project, &keys).await?;
        let mut rows = Vec::with_capacity(chunk.len());
        for (item, key) in chunk.iter().zip(keys) {
            if let Some((id, digest)) = taken.get(&key) {
                out.push(Inserted::Exists {
                    id: *id,
                    digest: digest.clone(),
                });
                continue;
            }
            taken.insert(key.clone(), (item.id, item.digest.clone()));
            out.push(Inserted::Added {
                id: item.id,
                export_id: next,
            });
            let rank = if settings.shuffle { random_rank() } else { next };
            rows.push(Row {
                item,
                key,
                export_id: next,
                rank,
            });
            next += 1;
        }
        insert_rows(tx, project, &rows, now).await?;
    }
    if next > first {
        on_tx!(tx, conn => {
            sqlx::query("UPDATE project SET next_item_export_id = $2 WHERE id = $1")
                .bind(project)
                .bind(next)
                .execute(conn)
                .await?;
        });
        let mut tally = Tally::default();
        tally.added(next - first);
        tally.write(tx, project).await?;
    }
    Ok(out)
}

struct Row<'a> {
    item: &'a NewItem,
    key: String,
    export_id: i64,
    rank: i64,
}

async fn insert_rows(
    tx: &mut Tx,
    project: ProjectId,
    rows: &[Row<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "INSERT INTO item (id, project_id, name, name_key, digest, media_type, byte_size, width, height, \
             orientation, length, excerpt, export_id, status, queue_rank, created_at, updated_at) ",
        );
        q.push_values(rows, |mut b, r| {
            b.push_bind(r.item.id)
                .push_bind(project)
                .push_bind(&r.item.name)
                .push_bind(&r.key)
                .push_bind(&r.item.digest)
                .push_bind(&r.item.media_type)
                .push_bind(r.item.byte_size)
                .push_bind(r.item.width)
                .push_bind(r.item.height)
                .push_bind(r.item.orientation)
                .push_bind(r.item.length)
                .push_bind(&r.item.excerpt)
                .push_bind(r.export_id)
                .push("'todo'")
                .push_bind(r.rank)
                .push_bind(now)
                .push_bind(now);
        });
        q.build().execute(conn).await?;
    });
    Ok(())
}

/// The items that have these names already.
async fn existing(
    tx: &mut Tx,
    project: ProjectId,
    keys: &[String],
) -> Result<HashMap<String, (ItemId, Digest)>, StoreError> {
    let rows: Vec<(String, ItemId, Digest)> = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("SELECT name_key, id, digest FROM item WHERE project_id = ");
        q.push_bind(project).push(" AND name_key IN (");
        let mut list = q.separated(", ");
        for key in keys {
            list.push_bind(key);
        }
        q.push(")");
        // Planned anew each time: a plan made while the table was empty would read it all.
        q.build_query_as().persistent(false).fetch_all(conn).await?
    });
    Ok(rows
        .into_iter()
        .map(|(key, id, digest)| (key, (id, digest)))
        .collect())
}

/// A place in a shuffled queue, among those that `project::reorder_queue` gives: 31 bits. Only the last 32 bits of a
/// fresh id are random for certain.
fn random_rank() -> i64 {
    i64::from(Uuid::now_v7().as_u128() as u32 >> 1)
}
