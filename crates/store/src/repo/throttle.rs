//! sign_in_throttle rows: failed sign-ins by subject (an address's digest, or a client).

use crate::{StoreError, Tx, on_tx};
use limn_domain::Timestamp;

/// Failures of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    pub count: i64,
    pub blocked_until: Timestamp,
    pub last_at: Timestamp,
}

/// What is held against a subject.
pub async fn get(tx: &mut Tx, subject: &str) -> Result<Option<Failures>, StoreError> {
    let row: Option<(i64, Timestamp, Timestamp)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT failures, blocked_until, updated_at FROM sign_in_throttle WHERE subject = $1")
            .bind(subject)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|(count, blocked_until, last_at)| Failures {
        count,
        blocked_until,
        last_at,
    }))
}

/// Notes a failure and answers how many there are now; those before `forget_before` no longer count.
pub async fn fail(
    tx: &mut Tx,
    subject: &str,
    now: Timestamp,
    forget_before: Timestamp,
) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "INSERT INTO sign_in_throttle (subject, failures, blocked_until, updated_at) VALUES ($1, 1, 0, $2) \
             ON CONFLICT (subject) DO UPDATE SET updated_at = excluded.updated_at, \
             failures = CASE WHEN sign_in_throttle.updated_at < $3 THEN 1 ELSE sign_in_throttle.failures + 1 END \
             RETURNING failures",
        )
        .bind(subject)
        .bind(now)
        .bind(forget_before)
        .fetch_one(conn)
        .await?
    }))
}

/// Refuses the subject until then.
pub async fn block(tx: &mut Tx, subject: &str, until: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE sign_in_throttle SET blocked_until = $2 WHERE subject = $1")
            .bind(subject)
            .bind(until)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Forgets the subject.
pub async fn clear(tx: &mut Tx, subject: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("DELETE FROM sign_in_throttle WHERE subject = $1").bind(subject).execute(conn).await?;
    });
    Ok(())
}

/// Forgets everybody whose last failure was before `before`.
pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("DELETE FROM sign_in_throttle WHERE updated_at < $1").bind(before).execute(conn).await?;
    });
    Ok(())
}
