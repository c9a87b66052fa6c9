//! saved_view rows: filters over a dataset's files.

use crate::{StoreError, Tx, on_tx};
use limn_domain::explore::{ExploreQuery, SavedView};
use limn_domain::{DatasetId, Timestamp, UserId, ViewId};
use sqlx::types::Json;
use sqlx_macros::FromRow;

#[derive(FromRow)]
struct Row {
    id: ViewId,
    dataset_id: DatasetId,
    name: String,
    query: Json<ExploreQuery>,
    created_by_name: Option<String>,
    created_at: Timestamp,
}

impl From<Row> for SavedView {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            dataset_id: r.dataset_id,
            name: r.name,
            query: r.query.0,
            created_by_name: r.created_by_name,
            created_at: r.created_at,
        }
    }
}

/// By name.
pub async fn list(tx: &mut Tx, dataset: DatasetId) -> Result<Vec<SavedView>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT v.id, v.dataset_id, v.name, v.query, u.name AS created_by_name, v.created_at FROM saved_view v \
             LEFT JOIN user_account u ON u.id = v.created_by WHERE v.dataset_id = $1 ORDER BY v.name_key",
        )
        .bind(dataset)
        .fetch_all(conn)
        .await?
    });
    Ok(rows.into_iter().map(SavedView::from).collect())
}

/// Keeps a view; one of the same name regardless of case takes its query and keeps its id, which is answered.
pub async fn put(
    tx: &mut Tx,
    dataset: DatasetId,
    name: &str,
    query: &ExploreQuery,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<ViewId, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "INSERT INTO saved_view (id, dataset_id, name, name_key, query, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (dataset_id, name_key) DO UPDATE SET name = excluded.name, query = excluded.query RETURNING id",
        )
        .bind(ViewId::new())
        .bind(dataset)
        .bind(name)
        .bind(name.to_lowercase())
        .bind(Json(query))
        .bind(by)
        .bind(now)
        .fetch_one(conn)
        .await?
    }))
}

/// Removes a view and answers its name; `None` when there is none.
pub async fn delete(tx: &mut Tx, dataset: DatasetId, id: ViewId) -> Result<Option<String>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("DELETE FROM saved_view WHERE id = $1 AND dataset_id = $2 RETURNING name")
            .bind(id)
            .bind(dataset)
            .fetch_optional(conn)
            .await?
    }))
}
