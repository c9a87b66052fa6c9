//! version_checksum rows: size and SHA-256 of what a version is downloaded as.

use crate::{StoreError, Tx, on_tx};
use limn_domain::VersionId;
use limn_domain::dataset::{Checksum, Download};

/// Those of a version; absent until they have been worked out.
pub async fn list(tx: &mut Tx, version: VersionId) -> Result<Vec<(Download, Checksum)>, StoreError> {
    let rows: Vec<(Download, i64, String)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT file, byte_size, sha256 FROM version_checksum WHERE version_id = $1 ORDER BY file")
            .bind(version)
            .fetch_all(conn)
            .await?
    });
    Ok(rows
        .into_iter()
        .map(|(file, bytes, sha256)| (file, Checksum { bytes, sha256 }))
        .collect())
}

/// Keeps one. The content never changes, so neither does its sum. Errors: `ForeignKey` when the version is gone.
pub async fn put(tx: &mut Tx, version: VersionId, file: Download, sum: &Checksum) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO version_checksum (version_id, file, byte_size, sha256) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (version_id, file) DO UPDATE SET byte_size = excluded.byte_size, sha256 = excluded.sha256",
        )
        .bind(version)
        .bind(file)
        .bind(sum.bytes)
        .bind(&sum.sha256)
        .execute(conn)
        .await?;
    });
    Ok(())
}
