//! setting rows: single values of the studio, by key.

use crate::{Json, StoreError, Tx, on_tx};
use serde_json::Value;

pub async fn get(tx: &mut Tx, key: &str) -> Result<Option<Value>, StoreError> {
    let row: Option<Json<Value>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT value FROM setting WHERE key = $1").bind(key).fetch_optional(conn).await?
    });
    Ok(row.map(|v| v.0))
}

pub async fn put(tx: &mut Tx, key: &str, value: &Value) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(Json(value))
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Keeps a value unless there is one.
pub async fn put_new(tx: &mut Tx, key: &str, value: &Value) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
            .bind(key)
            .bind(Json(value))
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Removes the value; `true` for the one caller who did it.
pub async fn take(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM setting WHERE key = $1").bind(key).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}
