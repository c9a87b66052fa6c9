//! session rows: signed-in browsers. The id stored is a digest of the cookie's, made by the caller.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{Timestamp, UserId};
use serde_json::Value;

/// A session as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Whose it is, once somebody has signed in.
    pub user_id: Option<UserId>,
    pub data: Value,
    pub expires_at: Timestamp,
}

/// Writes a new session; `false` when the id is taken.
pub async fn insert(tx: &mut Tx, id: &str, session: &Session) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO session (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(session.user_id)
        .bind(session.data.to_string())
        .bind(session.expires_at)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(n > 0)
}

/// Writes a session, new or not.
pub async fn put(tx: &mut Tx, id: &str, session: &Session) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO session (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, data = excluded.data, \
             expires_at = excluded.expires_at",
        )
        .bind(id)
        .bind(session.user_id)
        .bind(session.data.to_string())
        .bind(session.expires_at)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// A session that has not ended at `now`.
pub async fn get(tx: &mut Tx, id: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
    let row: Option<(Option<UserId>, String, Timestamp)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT user_id, data, expires_at FROM session WHERE id = $1 AND expires_at > $2")
            .bind(id)
            .bind(now)
            .fetch_optional(conn)
            .await?
    });
    let Some((user_id, data, expires_at)) = row else {
        return Ok(None);
    };
    let data = serde_json::from_str(&data).map_err(|e| StoreError::Corrupt(format!("session: {e}")))?;
    Ok(Some(Session {
        user_id,
        data,
        expires_at,
    }))
}

pub async fn delete(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("DELETE FROM session WHERE id = $1").bind(id).execute(conn).await?;
    });
    Ok(())
}

/// Ends all sessions of a person; answers how many.
pub async fn delete_of_user(tx: &mut Tx, user: UserId) -> Result<i64, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM session WHERE user_id = $1").bind(user).execute(conn).await?.rows_affected()
    });
    Ok(n as i64)
}

/// Removes sessions that have ended; answers how many.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<i64, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM session WHERE expires_at <= $1").bind(now).execute(conn).await?.rows_affected()
    });
    Ok(n as i64)
}
