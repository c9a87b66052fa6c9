//! artifact rows: files of runs, logged models and versions of models, by path; and files that arrive in parts.

use crate::{StoreError, Tx, on_tx};
use limn_domain::run::ArtifactEntry;
use limn_domain::{Digest, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ArtifactFile {
    pub path: String,
    pub digest: Digest,
    pub byte_size: i64,
    pub created_at: Timestamp,
}

/// A file that arrives in parts.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PartsRow {
    pub id: Uuid,
    pub owner: Uuid,
    pub path: String,
    pub secret_hash: String,
    pub parts: i64,
    pub created_at: Timestamp,
}

/// Puts a file in its place; one that is there is replaced. Errors: `ForeignKey` when the blob is not there.
pub async fn put(
    tx: &mut Tx,
    owner: Uuid,
    path: &str,
    digest: &Digest,
    byte_size: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO artifact (owner, path, digest, byte_size, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (owner, path) DO UPDATE SET digest = excluded.digest, byte_size = excluded.byte_size, \
             created_at = excluded.created_at",
        )
        .bind(owner)
        .bind(path)
        .bind(digest)
        .bind(byte_size)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn get(tx: &mut Tx, owner: Uuid, path: &str) -> Result<Option<ArtifactFile>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT path, digest, byte_size, created_at FROM artifact WHERE owner = $1 AND path = $2")
            .bind(owner)
            .bind(path)
            .fetch_optional(conn)
            .await?
    }))
}

/// Bounds of the paths in a folder: from the first on, before the second.
fn within(folder: &str) -> (String, String) {
    if folder.is_empty() {
        (String::new(), "\u{10ffff}".to_owned())
    } else {
        // `0` is what follows `/`.
        (format!("{folder}/"), format!("{folder}0"))
    }
}

/// All files in a folder and the folders in it, by path; those of the owner for an empty one.
pub async fn all(tx: &mut Tx, owner: Uuid, folder: &str) -> Result<Vec<ArtifactFile>, StoreError> {
    let (from, to) = within(folder);
    let mut files: Vec<ArtifactFile> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT path, digest, byte_size, created_at FROM artifact WHERE owner = $1")
            .bind(owner)
            .fetch_all(conn)
            .await?
    });
    // Compared here: the databases do not agree on the order of texts.
    files.retain(|f| f.path.as_str() >= from.as_str() && f.path.as_str() < to.as_str());
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// What lies in a folder itself: folders and files by name.
pub async fn folder(tx: &mut Tx, owner: Uuid, folder: &str) -> Result<Vec<ArtifactEntry>, StoreError> {
    let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
    let mut entries: Vec<ArtifactEntry> = Vec::new();
    for file in all(tx, owner, folder).await? {
        let (path, is_dir) = match file.path[skip..].split_once('/') {
            Some((first, _)) => (file.path[..skip + first.len()].to_owned(), true),
            None => (file.path, false),
        };
        match entries.last_mut() {
            Some(last) if last.is_dir && is_dir && last.path == path => last.size += file.byte_size,
            _ => entries.push(ArtifactEntry {
                path,
                is_dir,
                size: file.byte_size,
            }),
        }
    }
    entries.sort_by(|a, b| (!a.is_dir, &a.path).cmp(&(!b.is_dir, &b.path)));
    entries.dedup_by(|b, a| {
        let same = a.is_dir && b.is_dir && a.path == b.path;
        if same {
            a.size += b.size;
        }
        same
    });
    Ok(entries)
}

/// Gives an owner the files in a folder of another's, without the folder's name. Answers how many.
pub async fn copy(
    tx: &mut Tx,
    from: Uuid,
    folder: &str,
    to: Uuid,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let files = all(tx, from, folder).await?;
    let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
    for f in &files {
        put(tx, to, &f.path[skip..], &f.digest, f.byte_size, now).await?;
    }
    Ok(files.len() as u64)
}

/// Removes a file or everything in a folder. Answers how many files went.
pub async fn delete(tx: &mut Tx, owner: Uuid, path: &str) -> Result<u64, StoreError> {
    let mut paths: Vec<String> = all(tx, owner, path).await?.into_iter().map(|f| f.path).collect();
    paths.push(path.to_owned());
    let mut gone = 0;
    for path in paths {
        gone += on_tx!(tx, conn => {
            sqlx::query("DELETE FROM artifact WHERE owner = $1 AND path = $2")
                .bind(owner)
                .bind(path)
                .execute(conn)
                .await?
                .rows_affected()
        });
    }
    Ok(gone)
}

/// Files and bytes of an owner.
pub async fn sum(tx: &mut Tx, owner: Uuid) -> Result<(i64, i64), StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT count(*), CAST(coalesce(sum(byte_size), 0) AS BIGINT) FROM artifact WHERE owner = $1",
        )
        .bind(owner)
        .fetch_one(conn)
        .await?
    }))
}

/// Removes up to `limit` files whose owners are gone; answers how many.
pub async fn sweep(tx: &mut Tx, limit: i64) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query(
            "DELETE FROM artifact WHERE owner IN (SELECT DISTINCT a.owner FROM artifact a \
             WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.id = a.owner) \
             AND NOT EXISTS (SELECT 1 FROM logged_model m WHERE m.id = a.owner) \
             AND NOT EXISTS (SELECT 1 FROM model_version v WHERE v.id = a.owner) LIMIT $1)",
        )
        .bind(limit)
        .execute(conn)
        .await?
        .rows_affected()
    }))
}

/// Announces a file that will arrive in parts.
pub async fn insert_parts(tx: &mut Tx, p: &PartsRow) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO artifact_upload (id, owner, path, secret_hash, parts, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(p.id)
        .bind(p.owner)
        .bind(&p.path)
        .bind(&p.secret_hash)
        .bind(p.parts)
        .bind(p.created_at)
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn parts(tx: &mut Tx, id: Uuid) -> Result<Option<PartsRow>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT id, owner, path, secret_hash, parts, created_at FROM artifact_upload WHERE id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?
    }))
}

/// Answers whether it was there.
pub async fn delete_parts(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM artifact_upload WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// Forgets those announced before; answers how many.
pub async fn abandon_parts(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query("DELETE FROM artifact_upload WHERE created_at < $1").bind(before).execute(conn).await?.rows_affected()
    }))
}

/// Whether files lie below this path.
pub async fn has_below(tx: &mut Tx, owner: Uuid, folder: &str) -> Result<bool, StoreError> {
    let prefix = format!("{folder}/");
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM artifact WHERE owner = $1 AND substr(path, 1, CAST($2 AS INTEGER)) = $3")
            .bind(owner)
            .bind(prefix.chars().count() as i64)
            .bind(&prefix)
            .fetch_one(conn)
            .await?
    });
    Ok(n > 0)
}
