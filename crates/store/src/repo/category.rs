//! category rows: the tree of a project. Their labels are the business of [`super::annotation`].

use crate::{StoreError, Tx, on_tx};
use limn_domain::category::Category;
use limn_domain::{Attribute, CategoryId, ProjectId, Skeleton, Timestamp, validate};
use sqlx::{FromRow, QueryBuilder};
use std::collections::HashMap;

/// Rows of one `INSERT`: 12 parameters each.
const ROWS: usize = 300;

/// A category to insert, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRow {
    pub id: CategoryId,
    pub parent_id: Option<CategoryId>,
    pub name: String,
    pub color: String,
    pub hotkey: Option<i64>,
    pub position: i64,
    pub export_id: i64,
    pub skeleton: Option<Skeleton>,
    pub attributes: Vec<Attribute>,
}

#[derive(FromRow)]
struct Row {
    id: CategoryId,
    parent_id: Option<CategoryId>,
    name: String,
    color: String,
    hotkey: Option<i64>,
    position: i64,
    export_id: i64,
    skeleton: Option<String>,
    attributes: Option<String>,
}

/// The column `attributes`.
pub(super) fn read_attributes(json: Option<String>) -> Result<Vec<Attribute>, StoreError> {
    json.map_or_else(|| Ok(Vec::new()), |json| serde_json::from_str(&json))
        .map_err(|e| StoreError::Corrupt(format!("attributes that cannot be read: {e}")))
}

fn write_attributes(list: &[Attribute]) -> Result<Option<String>, StoreError> {
    if list.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(list)
        .map(Some)
        .map_err(|e| StoreError::Corrupt(format!("attributes that cannot be written: {e}")))
}

/// The column `skeleton`.
pub(super) fn read_skeleton(json: Option<String>) -> Result<Option<Skeleton>, StoreError> {
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|e| StoreError::Corrupt(format!("a skeleton that cannot be read: {e}")))
}

fn write_skeleton(skeleton: Option<&Skeleton>) -> Result<Option<String>, StoreError> {
    skeleton
        .map(serde_json::to_string)
        .transpose()
        .map_err(|e| StoreError::Corrupt(format!("a skeleton that cannot be written: {e}")))
}

impl TryFrom<Row> for Category {
    type Error = StoreError;

    fn try_from(r: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: r.id,
            parent_id: r.parent_id,
            name: r.name,
            color: r.color,
            hotkey: r.hotkey,
            position: r.position,
            export_id: r.export_id,
            skeleton: read_skeleton(r.skeleton)?,
            attributes: read_attributes(r.attributes)?,
            annotation_count: 0,
            item_count: 0,
        })
    }
}

/// Parents must come before their children. Errors: `Unique` when an export id is taken.
pub async fn insert_many(
    tx: &mut Tx,
    project: ProjectId,
    rows: &[NewRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS) {
        let texts = chunk
            .iter()
            .map(|r| {
                Ok((
                    write_skeleton(r.skeleton.as_ref())?,
                    write_attributes(&r.attributes)?,
                ))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "INSERT INTO category (id, project_id, parent_id, name, name_key, color, hotkey, position, export_id, \
                 skeleton, attributes, created_at) ",
            );
            q.push_values(chunk.iter().zip(texts), |mut b, (r, (skeleton, attributes))| {
                b.push_bind(r.id)
                    .push_bind(project)
                    .push_bind(r.parent_id)
                    .push_bind(&r.name)
                    .push_bind(validate::name_key(&r.name))
                    .push_bind(&r.color)
                    .push_bind(r.hotkey)
                    .push_bind(r.position)
                    .push_bind(r.export_id)
                    .push_bind(skeleton)
                    .push_bind(attributes)
                    .push_bind(now);
            });
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// All categories of a project by position, their counts left 0.
pub async fn list(tx: &mut Tx, project: ProjectId) -> Result<Vec<Category>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, parent_id, name, color, hotkey, position, export_id, skeleton, \
             attributes FROM category \
             WHERE project_id = $1 ORDER BY position, export_id",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    rows.into_iter().map(Category::try_from).collect()
}

/// What a category says its objects are made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definition {
    /// Number of the skeleton's keypoints.
    pub keypoints: Option<usize>,
    pub attributes: Vec<Attribute>,
}

/// The definitions of those of the categories that have any.
pub async fn definitions(
    tx: &mut Tx,
    categories: &[CategoryId],
) -> Result<HashMap<CategoryId, Definition>, StoreError> {
    if categories.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(CategoryId, Option<String>, Option<String>)> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT id, skeleton, attributes FROM category \
             WHERE (skeleton IS NOT NULL OR attributes IS NOT NULL) AND id IN (",
        );
        let mut list = q.separated(", ");
        for id in categories {
            list.push_bind(*id);
        }
        q.push(")");
        q.build_query_as().fetch_all(conn).await?
    });
    rows.into_iter()
        .map(|(id, skeleton, attributes)| {
            let definition = Definition {
                keypoints: read_skeleton(skeleton)?.map(|s| s.keypoints.len()),
                attributes: read_attributes(attributes)?,
            };
            Ok((id, definition))
        })
        .collect()
}

/// The attributes of the project's categories that have any.
pub async fn attributes_of(
    tx: &mut Tx,
    project: ProjectId,
) -> Result<HashMap<CategoryId, (String, Vec<Attribute>)>, StoreError> {
    let rows: Vec<(CategoryId, String, Option<String>)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, name, attributes FROM category WHERE project_id = $1 AND attributes IS NOT NULL",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    rows.into_iter()
        .map(|(id, name, attributes)| Ok((id, (name, read_attributes(attributes)?))))
        .collect()
}

/// Number of objects of the category that have keypoints.
pub async fn skeletons_in_use(tx: &mut Tx, category: CategoryId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM annotation WHERE category_id = $1 AND kind = 'keypoints'")
            .bind(category)
            .fetch_one(conn)
            .await?
    }))
}

/// The project a category belongs to.
pub async fn project_of(tx: &mut Tx, id: CategoryId) -> Result<Option<ProjectId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT project_id FROM category WHERE id = $1").bind(id).fetch_optional(conn).await?
    }))
}

/// Labels (without proposals) and items that have such labels, of each category that has any. Reads the category's part
/// of an index: some hundred milliseconds for a million labels.
pub async fn counts(tx: &mut Tx, project: ProjectId) -> Result<HashMap<CategoryId, (i64, i64)>, StoreError> {
    let rows: Vec<(CategoryId, i64, i64)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT category_id, count(*), count(DISTINCT item_id) FROM annotation \
             WHERE category_id IN (SELECT id FROM category WHERE project_id = $1) AND source IN ('human', 'import') \
             GROUP BY category_id",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|(id, labels, items)| (id, (labels, items)))
        .collect())
}

/// What tells whether labels may have changed: the latest change of an item, and the number of items.
pub async fn counts_mark(tx: &mut Tx, project: ProjectId) -> Result<(i64, i64), StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT coalesce((SELECT max(updated_at) FROM item WHERE project_id = $1), 0), \
             CAST(coalesce((SELECT sum(todo + done + skipped) FROM project_counter WHERE project_id = $1), 0) AS BIGINT)",
        )
        .bind(project)
        .fetch_one(conn)
        .await?
    }))
}

/// Labels and proposals of these categories, and items that have any.
pub async fn impact(tx: &mut Tx, categories: &[CategoryId]) -> Result<(i64, i64), StoreError> {
    if categories.is_empty() {
        return Ok((0, 0));
    }
    Ok(on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT count(*), count(DISTINCT item_id) FROM annotation WHERE category_id IN (",
        );
        let mut list = q.separated(", ");
        for id in categories {
            list.push_bind(*id);
        }
        q.push(")");
        q.build_query_as().fetch_one(conn).await?
    }))
}

/// Writes everything that can change; the export id never does.
pub async fn update(tx: &mut Tx, category: &Category) -> Result<(), StoreError> {
    let skeleton = write_skeleton(category.skeleton.as_ref())?;
    let attributes = write_attributes(&category.attributes)?;
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE category SET parent_id = $2, name = $3, name_key = $4, color = $5, hotkey = $6, position = $7, \
             skeleton = $8, attributes = $9 WHERE id = $1",
        )
        .bind(category.id)
        .bind(category.parent_id)
        .bind(&category.name)
        .bind(validate::name_key(&category.name))
        .bind(&category.color)
        .bind(category.hotkey)
        .bind(category.position)
        .bind(skeleton)
        .bind(attributes)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Takes a key away from whichever category of the project has it.
pub async fn free_hotkey(tx: &mut Tx, project: ProjectId, key: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE category SET hotkey = NULL WHERE project_id = $1 AND hotkey = $2")
            .bind(project)
            .bind(key)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Keeps anybody from giving labels of these categories until the transaction ends; labels given by unfinished
/// transactions are waited for. Call it before their labels are counted, moved or removed.
///
/// Somebody who saves such a label may hold an item that this transaction then needs: after a short wait this one fails
/// (see [`StoreError::is_contention`]), so that the other's work stands, and is to be tried again.
pub async fn lock_for_removal(tx: &mut Tx, categories: &[CategoryId]) -> Result<(), StoreError> {
    // SQLite has one writer.
    let Tx::Postgres(conn) = tx else { return Ok(()) };
    // Shorter than PostgreSQL's deadlock_timeout, which might pick the other one.
    sqlx::query("SET LOCAL lock_timeout = '300ms'")
        .execute(&mut **conn)
        .await?;
    let mut q = QueryBuilder::new("SELECT id FROM category WHERE id IN (");
    let mut list = q.separated(", ");
    for id in categories {
        list.push_bind(*id);
    }
    q.push(") ORDER BY id FOR UPDATE");
    q.build().execute(&mut **conn).await?;
    Ok(())
}

/// Whether an export id was ever given in the project.
pub async fn export_id_known(tx: &mut Tx, project: ProjectId, export_id: i64) -> Result<bool, StoreError> {
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM category WHERE project_id = $1 AND export_id = $2) + \
             (SELECT count(*) FROM retired_category WHERE project_id = $1 AND export_id = $2)",
        )
        .bind(project)
        .bind(export_id)
        .fetch_one(conn)
        .await?
    });
    Ok(n > 0)
}

/// Removes a category without children and labels; its export id is never given again. Errors: `ForeignKey` when it
/// has any.
pub async fn delete(tx: &mut Tx, id: CategoryId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO retired_category (project_id, export_id) \
             SELECT project_id, export_id FROM category WHERE id = $1",
        )
        .bind(id)
        .execute(&mut *conn)
        .await?;
        sqlx::query("DELETE FROM category WHERE id = $1").bind(id).execute(conn).await?;
    });
    Ok(())
}
