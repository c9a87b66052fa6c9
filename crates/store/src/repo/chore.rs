//! chore rows: what one process does at a time, however many there are.

use crate::{StoreError, Tx, on_tx};
use limn_domain::Timestamp;

/// Takes a chore that is due; the next one is due at `next_at`. True for the one process that is to do it.
pub async fn take(tx: &mut Tx, name: &str, now: Timestamp, next_at: Timestamp) -> Result<bool, StoreError> {
    let done = on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO chore (name, next_at) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at WHERE chore.next_at <= $3",
        )
        .bind(name)
        .bind(next_at)
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(done > 0)
}
