//! pyramid rows: which job cuts a picture into tiles.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{Digest, JobId};

/// The job that cuts a picture, or did so last.
pub async fn job(tx: &mut Tx, digest: &Digest) -> Result<Option<JobId>, StoreError> {
    let job: Option<Option<JobId>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT job_id FROM pyramid WHERE digest = $1")
            .bind(digest)
            .fetch_optional(conn)
            .await?
    });
    Ok(job.flatten())
}

/// Notes the job; the blob must be known.
pub async fn put(tx: &mut Tx, digest: &Digest, job: JobId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO pyramid (digest, job_id) VALUES ($1, $2)
             ON CONFLICT (digest) DO UPDATE SET job_id = excluded.job_id",
        )
        .bind(digest)
        .bind(job)
        .execute(conn)
        .await?;
    });
    Ok(())
}
