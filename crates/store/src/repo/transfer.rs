//! What imports and exports read of a project besides its labels.

use crate::repo::annotation::read_attributes;
use crate::{StoreError, Tx, on_tx};
use limn_domain::project::{ProjectSettings, Task};
use limn_domain::{Attribute, Attributes, CategoryId, ItemId, ProjectId, Skeleton, Timestamp};
use sqlx::types::Json;

/// A project as its export begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub name: String,
    pub task: Task,
    /// Latest change of an item, or the project's creation when it has none: what an export may say of time and still
    /// be the same for the same data.
    pub data_time: Timestamp,
    pub items: i64,
}

/// A category as exports name it.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryHead {
    pub id: CategoryId,
    pub parent_id: Option<CategoryId>,
    pub name: String,
    /// `#rrggbb`.
    pub color: String,
    pub export_id: i64,
    pub skeleton: Option<Skeleton>,
    pub attributes: Vec<Attribute>,
}

/// Id, parent, name, colour, export id, skeleton, attributes.
type CategoryRow = (
    CategoryId,
    Option<CategoryId>,
    String,
    String,
    i64,
    Option<String>,
    Option<String>,
);

/// An item imported labels can go to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TargetItem {
    pub id: ItemId,
    pub name: String,
    pub export_id: i64,
    /// Of the oriented image, in pixels.
    pub width: i64,
    pub height: i64,
    /// EXIF orientation of the stored bytes, 1 to 8.
    pub orientation: i64,
    /// Unicode scalar values of a document.
    pub length: i64,
}

/// Name and task of a project.
pub async fn title(tx: &mut Tx, project: ProjectId) -> Result<Option<(String, Task)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT name, task FROM project WHERE id = $1 AND deleted_at IS NULL").bind(project).fetch_optional(conn).await?
    }))
}

/// What an export says of the project.
pub async fn head(tx: &mut Tx, project: ProjectId) -> Result<Option<Head>, StoreError> {
    let row: Option<(String, Task, Timestamp)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT name, task, COALESCE((SELECT MAX(updated_at) FROM item WHERE project_id = $1), created_at) \
             FROM project WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(project)
        .fetch_optional(conn)
        .await?
    });
    let Some((name, task, data_time)) = row else {
        return Ok(None);
    };
    let items = super::item::counter::progress(tx, project).await?.total;
    Ok(Some(Head {
        name,
        task,
        data_time,
        items,
    }))
}

/// The project's categories by export id.
pub async fn categories(tx: &mut Tx, project: ProjectId) -> Result<Vec<CategoryHead>, StoreError> {
    let rows: Vec<CategoryRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, parent_id, name, color, export_id, skeleton, attributes FROM category \
             WHERE project_id = $1 ORDER BY export_id",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    rows.into_iter()
        .map(|(id, parent_id, name, color, export_id, skeleton, attributes)| {
            Ok(CategoryHead {
                id,
                parent_id,
                name,
                color,
                export_id,
                skeleton: super::category::read_skeleton(skeleton)?,
                attributes: super::category::read_attributes(attributes)?,
            })
        })
        .collect()
}

/// The items after export id `after` (0 to begin), in the order of export ids.
pub async fn targets(
    tx: &mut Tx,
    project: ProjectId,
    after: i64,
    limit: i64,
) -> Result<Vec<TargetItem>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, name, export_id, width, height, orientation, length FROM item \
             WHERE project_id = $1 AND export_id > $2 ORDER BY export_id LIMIT $3",
        )
        .bind(project)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// What can be said of the project's items as a whole; none when there is no such project.
pub async fn item_attributes(tx: &mut Tx, project: ProjectId) -> Result<Vec<Attribute>, StoreError> {
    let settings: Option<Json<ProjectSettings>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT settings FROM project WHERE id = $1")
            .bind(project)
            .fetch_optional(conn)
            .await?
    });
    Ok(settings.map(|s| s.0.attributes).unwrap_or_default())
}

/// Adds what the project has not among what can be said of its items; call [`super::project::lock`] first.
pub async fn add_item_attributes(
    tx: &mut Tx,
    project: ProjectId,
    more: Vec<Attribute>,
) -> Result<(), StoreError> {
    let settings: Option<Json<ProjectSettings>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT settings FROM project WHERE id = $1")
            .bind(project)
            .fetch_optional(conn)
            .await?
    });
    let Some(Json(mut settings)) = settings else {
        return Ok(());
    };
    for attribute in more {
        if settings.attributes.iter().all(|a| a.key != attribute.key) {
            settings.attributes.push(attribute);
        }
    }
    on_tx!(tx, conn => {
        sqlx::query("UPDATE project SET settings = $2 WHERE id = $1")
            .bind(project)
            .bind(Json(settings))
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Says of items as a whole what is given: in the place of all that was said of them, or beside it where `keep`. Items that
/// are gone, or of which that is said already, are left out.
pub async fn say_of_items(
    tx: &mut Tx,
    project: ProjectId,
    said: &[(ItemId, Attributes)],
    keep: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (item, values) in said {
        let was: Option<Option<String>> = on_tx!(tx, conn => {
            sqlx::query_scalar("SELECT attributes FROM item WHERE id = $1 AND project_id = $2")
                .bind(*item)
                .bind(project)
                .fetch_optional(conn)
                .await?
        });
        let Some(was) = was else { continue };
        let was = read_attributes(was.as_deref()).unwrap_or_default();
        let mut values = values.clone();
        if keep {
            for (key, value) in &was {
                values.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        if values == was {
            continue;
        }
        let json = serde_json::to_string(&values)
            .map_err(|e| StoreError::Corrupt(format!("attributes that cannot be written: {e}")))?;
        on_tx!(tx, conn => {
            sqlx::query(
                "UPDATE item SET attributes = $3, revision = revision + 1, updated_at = $4 \
                 WHERE id = $1 AND project_id = $2",
            )
            .bind(*item)
            .bind(project)
            .bind(&json)
            .bind(now)
            .execute(conn)
            .await?;
        });
    }
    Ok(())
}

/// Removes the proposals of these items; their counts are the caller's (`item::bulk::settle`).
pub async fn delete_proposals(tx: &mut Tx, items: &[ItemId]) -> Result<(), StoreError> {
    for chunk in items.chunks(500) {
        on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new("DELETE FROM annotation WHERE source = 'prelabel' AND item_id IN (");
            let mut list = q.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            q.push(")");
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}
