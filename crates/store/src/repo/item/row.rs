//! The columns of an item as the domain knows it.

use limn_domain::item::{Item, ItemStatus};
use limn_domain::{Digest, ItemId, ProjectId, Timestamp, UserId};
use sqlx::FromRow;

/// The columns of [`ItemRow`]; needs `item` as the only table in sight. Works in `RETURNING` too.
macro_rules! item_columns {
    () => {
        "id, project_id, name, digest, media_type, byte_size, width, height, length, excerpt, status, skip_reason, \
         annotation_count, prelabel_count, revision, export_id, done_by, done_at, lease_user_id, lease_until, \
         leased_at, queue_rank, annotated_by, created_at, updated_at, attributes, \
         (SELECT u.name FROM user_account u WHERE u.id = item.done_by) AS done_by_name, \
         (SELECT u.name FROM user_account u WHERE u.id = item.annotated_by) AS annotated_by_name"
    };
}
pub(in crate::repo) use item_columns;

/// The same as a text.
pub(in crate::repo) const COLUMNS: &str = item_columns!();

#[derive(FromRow)]
pub(in crate::repo) struct ItemRow {
    pub id: ItemId,
    pub project_id: ProjectId,
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    pub width: i64,
    pub height: i64,
    pub length: i64,
    pub excerpt: String,
    pub status: ItemStatus,
    pub skip_reason: Option<String>,
    pub annotation_count: i64,
    pub prelabel_count: i64,
    pub revision: i64,
    pub export_id: i64,
    pub done_by: Option<UserId>,
    pub done_by_name: Option<String>,
    pub done_at: Option<Timestamp>,
    pub lease_user_id: Option<UserId>,
    pub lease_until: Timestamp,
    pub leased_at: Timestamp,
    pub queue_rank: i64,
    pub annotated_by: Option<UserId>,
    pub annotated_by_name: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub attributes: Option<String>,
}

impl ItemRow {
    pub fn into_item(self, now: Timestamp) -> Item {
        Item {
            id: self.id,
            project_id: self.project_id,
            name: self.name,
            digest: self.digest,
            media_type: self.media_type,
            byte_size: self.byte_size,
            width: self.width,
            height: self.height,
            length: self.length,
            excerpt: self.excerpt,
            status: self.status,
            skip_reason: self.skip_reason,
            annotation_count: self.annotation_count,
            prelabel_count: self.prelabel_count,
            revision: self.revision,
            export_id: self.export_id,
            done_by: self.done_by,
            done_by_name: self.done_by_name,
            done_at: self.done_at,
            leased_by: self.lease_user_id.filter(|_| self.lease_until > now),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
