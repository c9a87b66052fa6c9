//! Finding things by name.

use super::like::Pattern;
use super::project::Viewer;
use crate::{StoreError, Tx, on_tx};
use limn_domain::{ItemId, ProjectId};
use sqlx::{FromRow, QueryBuilder};

/// An item found, with its project's name.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FoundItem {
    pub id: ItemId,
    pub name: String,
    pub project_id: ProjectId,
    pub project_name: String,
}

/// Projects of the viewer whose name contains the text (regardless of case), best first.
pub async fn projects(
    tx: &mut Tx,
    viewer: Viewer,
    text: &str,
    limit: i64,
) -> Result<Vec<(ProjectId, String)>, StoreError> {
    let pattern = Pattern::new(text);
    Ok(on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT p.id, p.name FROM project p ");
        if let Some(user) = viewer.member {
            q.push("JOIN project_member m ON m.project_id = p.id AND m.user_id = ").push_bind(user);
        }
        q.push(" WHERE p.deleted_at IS NULL AND p.name_key LIKE ").push_bind(&pattern.anywhere).push(" ESCAPE '!'");
        if let Some(only) = viewer.only {
            q.push(" AND p.id = ").push_bind(only);
        }
        q.push(" ORDER BY CASE WHEN p.name_key = ").push_bind(&pattern.key);
        q.push(" THEN 0 WHEN p.name_key LIKE ").push_bind(&pattern.start);
        q.push(" ESCAPE '!' THEN 1 ELSE 2 END, p.updated_at DESC LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    }))
}

/// Items of the viewer's projects whose name contains the text (regardless of case), best first.
pub async fn items(
    tx: &mut Tx,
    viewer: Viewer,
    text: &str,
    limit: i64,
) -> Result<Vec<FoundItem>, StoreError> {
    let pattern = Pattern::new(text);
    Ok(on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT i.id, i.name, i.project_id, p.name AS project_name FROM project p ",
        );
        if let Some(user) = viewer.member {
            q.push("JOIN project_member m ON m.project_id = p.id AND m.user_id = ").push_bind(user);
        }
        q.push(" JOIN item i ON i.project_id = p.id WHERE i.name_key LIKE ");
        q.push_bind(&pattern.anywhere).push(" ESCAPE '!'");
        if let Some(only) = viewer.only {
            q.push(" AND p.id = ").push_bind(only);
        }
        q.push(" ORDER BY CASE WHEN i.name_key = ").push_bind(&pattern.key);
        q.push(" THEN 0 WHEN i.name_key LIKE ").push_bind(&pattern.start);
        q.push(" ESCAPE '!' THEN 1 ELSE 2 END, i.name_key, p.name_key LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    }))
}
