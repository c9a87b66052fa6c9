//! frame rows: the frames of items that are videos.

use super::blob::NewBlob;
use crate::{StoreError, Tx, on_tx};
use limn_domain::{Digest, ItemId, ProjectId};

/// Rows of one `INSERT`: 7 parameters each.
const ROWS: usize = 1_000;

/// A frame of a video to add; its blob row must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFrame {
    /// When it is shown, in microseconds from the first.
    pub time_us: i64,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    /// EXIF orientation of the stored bytes, 1 to 8.
    pub orientation: i64,
}

impl NewFrame {
    pub fn blob(&self) -> NewBlob<'_> {
        NewBlob {
            digest: &self.digest,
            byte_size: self.byte_size,
            media_type: &self.media_type,
        }
    }
}

/// A frame of a video.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Frame {
    /// From 0.
    pub number: i64,
    pub time_us: i64,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    pub orientation: i64,
}

/// Adds the frames of a new item, numbered from 0.
pub async fn insert_all(tx: &mut Tx, item: ItemId, frames: &[NewFrame]) -> Result<(), StoreError> {
    for (chunk, first) in frames.chunks(ROWS).zip((0..).step_by(ROWS)) {
        on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new(
                "INSERT INTO frame (item_id, number, time_us, digest, media_type, byte_size, orientation) ",
            );
            q.push_values(chunk.iter().zip(first..), |mut b, (f, number): (&NewFrame, i64)| {
                b.push_bind(item)
                    .push_bind(number)
                    .push_bind(f.time_us)
                    .push_bind(&f.digest)
                    .push_bind(&f.media_type)
                    .push_bind(f.byte_size)
                    .push_bind(f.orientation);
            });
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// One frame; `None` when the item has none of that number.
pub async fn get(tx: &mut Tx, item: ItemId, number: i64) -> Result<Option<Frame>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT number, time_us, digest, media_type, byte_size, orientation FROM frame \
             WHERE item_id = $1 AND number = $2",
        )
        .bind(item)
        .bind(number)
        .fetch_optional(conn)
        .await?
    }))
}

/// The frames of an item from a number on, in order.
pub async fn page(tx: &mut Tx, item: ItemId, from: i64, limit: i64) -> Result<Vec<Frame>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT number, time_us, digest, media_type, byte_size, orientation FROM frame \
             WHERE item_id = $1 AND number >= $2 ORDER BY number LIMIT $3",
        )
        .bind(item)
        .bind(from)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// When each frame of an item is shown, in microseconds; empty for an item that is no video.
pub async fn times(tx: &mut Tx, item: ItemId) -> Result<Vec<i64>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT time_us FROM frame WHERE item_id = $1 ORDER BY number")
            .bind(item)
            .fetch_all(conn)
            .await?
    }))
}

/// Frames of all videos of a project.
pub async fn count(tx: &mut Tx, project: ProjectId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM frame f JOIN item i ON i.id = f.item_id WHERE i.project_id = $1")
            .bind(project)
            .fetch_one(conn)
            .await?
    }))
}
