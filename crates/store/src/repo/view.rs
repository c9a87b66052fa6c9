//! saved_view and item_view rows: filters over a dataset's files, and over a project's items.

use crate::{StoreError, Tx, on_tx};
use limn_domain::explore::ExploreQuery;
use limn_domain::{DatasetId, ProjectId, Timestamp, UserId, ViewId};
use sqlx::FromRow;
use sqlx::types::Json;

/// Whose views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Dataset(DatasetId),
    Project(ProjectId),
}

/// A filter that was kept under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub id: ViewId,
    pub name: String,
    pub query: ExploreQuery,
    pub created_by_name: Option<String>,
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: ViewId,
    name: String,
    query: Json<ExploreQuery>,
    created_by_name: Option<String>,
    created_at: Timestamp,
}

impl From<Row> for View {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            name: r.name,
            query: r.query.0,
            created_by_name: r.created_by_name,
            created_at: r.created_at,
        }
    }
}

/// The statements of one of the tables.
struct Texts {
    list: &'static str,
    put: &'static str,
    delete: &'static str,
}

macro_rules! texts {
    ($table:literal, $owner:literal) => {
        Texts {
            list: concat!(
                "SELECT v.id, v.name, v.query, u.name AS created_by_name, v.created_at FROM ",
                $table,
                " v LEFT JOIN user_account u ON u.id = v.created_by WHERE v.",
                $owner,
                " = $1 ORDER BY v.name_key"
            ),
            put: concat!(
                "INSERT INTO ",
                $table,
                " (id, ",
                $owner,
                ", name, name_key, query, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (",
                $owner,
                ", name_key) DO UPDATE SET name = excluded.name, query = excluded.query RETURNING id"
            ),
            delete: concat!(
                "DELETE FROM ",
                $table,
                " WHERE id = $1 AND ",
                $owner,
                " = $2 RETURNING name"
            ),
        }
    };
}

const OF_DATASETS: Texts = texts!("saved_view", "dataset_id");
const OF_PROJECTS: Texts = texts!("item_view", "project_id");

impl Owner {
    const fn texts(self) -> &'static Texts {
        match self {
            Self::Dataset(_) => &OF_DATASETS,
            Self::Project(_) => &OF_PROJECTS,
        }
    }
}

/// Binds the owner's id.
macro_rules! bind {
    ($query:expr, $owner:expr) => {
        match $owner {
            Owner::Dataset(id) => $query.bind(id),
            Owner::Project(id) => $query.bind(id),
        }
    };
}

/// By name.
pub async fn list(tx: &mut Tx, of: Owner) -> Result<Vec<View>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        bind!(sqlx::query_as(of.texts().list), of).fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(View::from).collect())
}

/// Keeps a view; one of the same name regardless of case takes its query and keeps its id, which is answered.
pub async fn put(
    tx: &mut Tx,
    of: Owner,
    name: &str,
    query: &ExploreQuery,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<ViewId, StoreError> {
    Ok(on_tx!(tx, conn => {
        bind!(sqlx::query_scalar(of.texts().put).bind(ViewId::new()), of)
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
pub async fn delete(tx: &mut Tx, of: Owner, id: ViewId) -> Result<Option<String>, StoreError> {
    Ok(on_tx!(tx, conn => {
        bind!(sqlx::query_scalar(of.texts().delete).bind(id), of)
            .fetch_optional(conn)
            .await?
    }))
}
