//! asset rows: pictures in a project's instructions.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{AssetId, Digest, ProjectId, Timestamp};

/// A picture as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub id: AssetId,
    pub project_id: ProjectId,
    /// The file's name, for people.
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
}

/// Its blob row must be there.
pub async fn insert(tx: &mut Tx, asset: &Asset, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO asset (id, project_id, name, digest, media_type, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(asset.id)
        .bind(asset.project_id)
        .bind(&asset.name)
        .bind(&asset.digest)
        .bind(&asset.media_type)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn get(tx: &mut Tx, id: AssetId) -> Result<Option<Asset>, StoreError> {
    let row: Option<(ProjectId, String, Digest, String)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT project_id, name, digest, media_type FROM asset WHERE id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|(project_id, name, digest, media_type)| Asset {
        id,
        project_id,
        name,
        digest,
        media_type,
    }))
}

/// Pictures a project has.
pub async fn count(tx: &mut Tx, project: ProjectId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM asset WHERE project_id = $1").bind(project).fetch_one(conn).await?
    }))
}
