//! Item rows: insert, read, list, act on many, export; and the counters that follow from their states.
//!
//! For whoever shows progress: never count items. [`counter::progress`] (one project), [`counter::progress_of_all`] and
//! the table `project_counter` (sum over its rows) hold items by status; every function here and in
//! [`super::queue`] and [`super::annotation`] keeps them in the same transaction. Whoever writes `item.status` or
//! `item.prelabel_count` by other means breaks them.
//!
//! Removing or merging a category touches items too: use `annotation::delete_category` and `annotation::move_category`.

pub mod bulk;
pub mod counter;
pub mod explore;
mod export;
mod insert;
mod list;
mod row;

pub use export::{ExportAnnotation, ExportItem, export_page};
pub use insert::{Inserted, NewItem, insert, insert_many};
pub use list::{Filter, Key, count, page};
pub(super) use row::{COLUMNS, ItemRow, item_columns};

use crate::{StoreError, Tx, on_tx};
use limn_domain::item::Item;
use limn_domain::{ItemId, ProjectId, Timestamp, validate};

/// One item; `now` tells live leases from ended ones.
pub async fn get(tx: &mut Tx, id: ItemId, now: Timestamp) -> Result<Option<Item>, StoreError> {
    let row: Option<ItemRow> = on_tx!(tx, conn => {
        sqlx::query_as(concat!("SELECT ", item_columns!(), " FROM item WHERE id = $1"))
            .bind(id)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|r| r.into_item(now)))
}

/// The item of that name, regardless of case. Says nothing about who holds it.
pub async fn find_by_name(tx: &mut Tx, project: ProjectId, name: &str) -> Result<Option<Item>, StoreError> {
    let row: Option<ItemRow> = on_tx!(tx, conn => {
        sqlx::query_as(concat!(
            "SELECT ", item_columns!(), " FROM item WHERE project_id = $1 AND name_key = $2"
        ))
        .bind(project)
        .bind(validate::name_key(name))
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(|r| r.into_item(Timestamp(i64::MAX))))
}

/// The project an item is in.
pub async fn project_of(tx: &mut Tx, id: ItemId) -> Result<Option<ProjectId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT project_id FROM item WHERE id = $1").bind(id).fetch_optional(conn).await?
    }))
}
