//! blob_hold rows: who is putting a blob into the object store, and who is removing one.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{Digest, Timestamp};

/// Holds a blob until then, longer where it is held longer already. Answers until when somebody is removing it.
pub async fn hold(tx: &mut Tx, digest: &Digest, until: Timestamp) -> Result<Timestamp, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "INSERT INTO blob_hold (digest, held_until, doomed_until) VALUES ($1, $2, 0) \
             ON CONFLICT (digest) DO UPDATE SET held_until = CASE WHEN blob_hold.held_until > excluded.held_until \
             THEN blob_hold.held_until ELSE excluded.held_until END RETURNING doomed_until",
        )
        .bind(digest)
        .bind(until)
        .fetch_one(conn)
        .await?
    }))
}

/// Announces that a blob is being removed, until then at most. False when its hold ends at `held_before` or later, when somebody else
/// is removing it, or when the database knows it.
pub async fn doom(
    tx: &mut Tx,
    digest: &Digest,
    held_before: Timestamp,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let done = on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO blob_hold (digest, held_until, doomed_until) \
             SELECT $1, 0, $2 WHERE NOT EXISTS (SELECT 1 FROM blob WHERE digest = $1) \
             ON CONFLICT (digest) DO UPDATE SET doomed_until = excluded.doomed_until \
             WHERE blob_hold.held_until < $3 AND blob_hold.doomed_until < $4",
        )
        .bind(digest)
        .bind(until)
        .bind(held_before)
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(done > 0)
}

/// It is removed.
pub async fn removed(tx: &mut Tx, digest: &Digest) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE blob_hold SET doomed_until = 0 WHERE digest = $1").bind(digest).execute(conn).await?;
    });
    Ok(())
}

/// Forgets those that ran out before then.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query("DELETE FROM blob_hold WHERE held_until < $1 AND doomed_until < $1")
            .bind(before)
            .execute(conn)
            .await?
            .rows_affected()
    }))
}
