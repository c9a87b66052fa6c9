//! upload rows: files that arrive in pieces.

use crate::{StoreError, Tx, on_tx};
use limn_domain::upload::Upload;
use limn_domain::{ProjectId, Role, Timestamp, UploadId, UserId};
use sqlx::QueryBuilder;

/// Names asked for in one statement.
const CHUNK: usize = 500;

/// An upload and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub upload: Upload,
    pub user_id: UserId,
}

pub async fn insert(tx: &mut Tx, upload: &Upload, user: UserId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO upload (id, user_id, name, size, received, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(upload.id)
        .bind(user)
        .bind(&upload.name)
        .bind(upload.size)
        .bind(upload.received)
        .bind(upload.created_at)
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn get(tx: &mut Tx, id: UploadId) -> Result<Option<Owned>, StoreError> {
    let row: Option<(UserId, String, i64, i64, Timestamp)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT user_id, name, size, received, created_at FROM upload WHERE id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|(user_id, name, size, received, created_at)| Owned {
        upload: Upload {
            id,
            name,
            size,
            received,
            created_at,
            direct: false,
        },
        user_id,
    }))
}

/// Moves the end of what was received. Answers whether it still stood at `from`.
pub async fn advance(
    tx: &mut Tx,
    id: UploadId,
    from: i64,
    to: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = on_tx!(tx, conn => {
        sqlx::query("UPDATE upload SET received = $1, updated_at = $2 WHERE id = $3 AND received = $4")
            .bind(to)
            .bind(now)
            .bind(id)
            .bind(from)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(done > 0)
}

/// Notes a part that lies in the object store, and where it begins.
pub async fn insert_piece(tx: &mut Tx, id: UploadId, start: i64, name: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("INSERT INTO upload_piece (upload_id, start, name) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(start)
            .bind(name)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Where the parts of an upload lie, in order.
pub async fn pieces(tx: &mut Tx, id: UploadId) -> Result<Vec<String>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT name FROM upload_piece WHERE upload_id = $1 ORDER BY start")
            .bind(id)
            .fetch_all(conn)
            .await?
    }))
}

/// Answers whether it was there.
pub async fn delete(tx: &mut Tx, id: UploadId) -> Result<bool, StoreError> {
    let done = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM upload WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(done > 0)
}

/// Number of uploads a person has open, and the bytes they claim in all.
pub async fn open_of(tx: &mut Tx, user: UserId) -> Result<(i64, i64), StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM upload WHERE user_id = $1")
            .bind(user)
            .fetch_one(conn)
            .await?
    }))
}

/// The roles a person has in projects, each once.
pub async fn project_roles(tx: &mut Tx, user: UserId) -> Result<Vec<Role>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT DISTINCT role FROM project_member WHERE user_id = $1").bind(user).fetch_all(conn).await?
    }))
}

/// Uploads that nothing was added to since `before`.
pub async fn abandoned(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<UploadId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT id FROM upload WHERE updated_at < $1 ORDER BY id LIMIT $2")
            .bind(before)
            .bind(limit)
            .fetch_all(conn)
            .await?
    }))
}

/// Of these names (as [`limn_domain::validate::name_key`] forms them) those the project has, with their sizes in bytes.
pub async fn known_items(
    tx: &mut Tx,
    project: ProjectId,
    name_keys: &[String],
) -> Result<Vec<(String, i64)>, StoreError> {
    let mut known = Vec::new();
    for keys in name_keys.chunks(CHUNK) {
        let rows: Vec<(String, i64)> = on_tx!(tx, conn => {
            let mut query = QueryBuilder::new("SELECT name_key, byte_size FROM item WHERE project_id = ");
            query.push_bind(project).push(" AND name_key IN (");
            let mut list = query.separated(", ");
            for key in keys {
                list.push_bind(key);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        known.extend(rows);
    }
    Ok(known)
}
