//! project rows.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::project::{Progress, Project, ProjectSettings, ProjectStatus, ProjectSummary, Task};
use limn_domain::{ProjectId, Role, Timestamp, UserId, validate};
use sqlx::{FromRow, QueryBuilder};

/// A project to insert, checked.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub id: ProjectId,
    pub name: String,
    pub task: Task,
    pub description: String,
    pub instructions: String,
    pub settings: ProjectSettings,
    pub created_by: Option<UserId>,
}

/// Whose projects are read, and in which role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// `None` sees all, as admin; somebody sees what they are a member of, in the membership's role.
    pub member: Option<UserId>,
    /// Only this project.
    pub only: Option<ProjectId>,
}

#[derive(FromRow)]
struct SummaryRow {
    id: ProjectId,
    name: String,
    task: Task,
    status: ProjectStatus,
    description: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    role: Option<Role>,
    todo: i64,
    done: i64,
    skipped: i64,
    prelabeled: i64,
}

impl From<SummaryRow> for ProjectSummary {
    fn from(r: SummaryRow) -> Self {
        Self {
            id: r.id,
            name: r.name,
            task: r.task,
            status: r.status,
            description: r.description,
            progress: Progress {
                total: r.todo + r.done + r.skipped,
                todo: r.todo,
                done: r.done,
                skipped: r.skipped,
                prelabeled: r.prelabeled,
            },
            my_role: r.role.unwrap_or(Role::Admin),
            created_at: r.created_at,
            updated_at: r.updated_at,
        }
    }
}

pub async fn exists(tx: &mut Tx, id: ProjectId) -> Result<bool, StoreError> {
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM project WHERE id = $1 AND deleted_at IS NULL").bind(id).fetch_one(conn).await?
    });
    Ok(n > 0)
}

/// The project of that name, regardless of case.
pub async fn id_by_name(tx: &mut Tx, name: &str) -> Result<Option<ProjectId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT id FROM project WHERE name_key = $1")
            .bind(validate::name_key(name))
            .fetch_optional(conn)
            .await?
    }))
}

/// Errors: `Unique` when the name is taken.
pub async fn insert(tx: &mut Tx, project: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO project (id, name, name_key, task, status, description, instructions, settings, created_by, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        )
        .bind(project.id)
        .bind(&project.name)
        .bind(validate::name_key(&project.name))
        .bind(project.task)
        .bind(ProjectStatus::Running)
        .bind(&project.description)
        .bind(&project.instructions)
        .bind(Json(&project.settings))
        .bind(project.created_by)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// The viewer's projects with their progress, latest change first; one query.
pub async fn list(tx: &mut Tx, viewer: Viewer) -> Result<Vec<ProjectSummary>, StoreError> {
    let rows: Vec<SummaryRow> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT p.id, p.name, p.task, p.status, p.description, p.created_at, p.updated_at, ",
        );
        q.push(if viewer.member.is_some() { "m.role AS role, " } else { "CAST(NULL AS TEXT) AS role, " });
        q.push(
            "coalesce(c.todo, 0) AS todo, coalesce(c.done, 0) AS done, coalesce(c.skipped, 0) AS skipped, \
             coalesce(c.prelabeled, 0) AS prelabeled FROM project p ",
        );
        if let Some(user) = viewer.member {
            q.push("JOIN project_member m ON m.project_id = p.id AND m.user_id = ").push_bind(user);
        }
        q.push(
            " LEFT JOIN (SELECT project_id, CAST(sum(todo) AS BIGINT) AS todo, CAST(sum(done) AS BIGINT) AS done, \
             CAST(sum(skipped) AS BIGINT) AS skipped, CAST(sum(prelabeled) AS BIGINT) AS prelabeled \
             FROM project_counter GROUP BY project_id) c ON c.project_id = p.id",
        );
        q.push(" WHERE p.deleted_at IS NULL");
        if let Some(only) = viewer.only {
            q.push(" AND p.id = ").push_bind(only);
        }
        q.push(" ORDER BY p.updated_at DESC, p.id DESC");
        q.build_query_as().fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(ProjectSummary::from).collect())
}

/// One project as the viewer sees it, its instructions not rendered yet.
pub async fn get(tx: &mut Tx, id: ProjectId, member: Option<UserId>) -> Result<Option<Project>, StoreError> {
    let Some(summary) = list(
        tx,
        Viewer {
            member,
            only: Some(id),
        },
    )
    .await?
    .pop() else {
        return Ok(None);
    };
    let row: Option<(String, Json<ProjectSettings>)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT instructions, settings FROM project WHERE id = $1").bind(id).fetch_optional(conn).await?
    });
    Ok(row.map(|(instructions, settings)| Project {
        summary,
        instructions,
        instructions_html: String::new(),
        settings: settings.0,
    }))
}

/// What of a project can be changed.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub instructions: &'a str,
    pub status: ProjectStatus,
    pub settings: &'a ProjectSettings,
}

/// Errors: `Unique` when another project has the name.
pub async fn update(tx: &mut Tx, id: ProjectId, to: &Change<'_>, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE project SET name = $2, name_key = $3, description = $4, instructions = $5, status = $6, \
             settings = $7, updated_at = $8 WHERE id = $1",
        )
        .bind(id)
        .bind(to.name)
        .bind(validate::name_key(to.name))
        .bind(to.description)
        .bind(to.instructions)
        .bind(to.status)
        .bind(Json(to.settings))
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Notes a change and locks the project until the transaction ends, so that two people who change its categories or
/// settings do so one after the other. Answers the next category export id; `None` when there is no such project.
pub async fn lock(tx: &mut Tx, id: ProjectId, now: Timestamp) -> Result<Option<i64>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("UPDATE project SET updated_at = $2 WHERE id = $1 RETURNING next_category_export_id")
            .bind(id)
            .bind(now)
            .fetch_optional(conn)
            .await?
    }))
}

/// Sets the export id that the next category gets; never lower than before.
pub async fn set_next_category_export_id(tx: &mut Tx, id: ProjectId, next: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE project SET next_category_export_id = $2 WHERE id = $1 AND next_category_export_id < $2",
        )
        .bind(id)
        .bind(next)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Puts the queue's order in step with the setting: the order added, or shuffled.
pub async fn reorder_queue(tx: &mut Tx, id: ProjectId, shuffle: bool) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        // Multiplying by an odd number and keeping 31 bits mixes the order without two ids falling together.
        let sql = if shuffle {
            "UPDATE item SET queue_rank = (export_id * 1103515245 + 12345) % 2147483648 \
             WHERE project_id = $1 AND status = 'todo'"
        } else {
            "UPDATE item SET queue_rank = export_id WHERE project_id = $1 AND status = 'todo'"
        };
        sqlx::query(sql).bind(id).execute(conn).await?;
    });
    Ok(())
}

/// From now on there is no such project for anybody, and its name is free; answers whether there was.
pub async fn mark_deleted(tx: &mut Tx, id: ProjectId, now: Timestamp) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM project_member WHERE project_id = $1").bind(id).execute(&mut *conn).await?;
        sqlx::query("UPDATE project SET deleted_at = $2, name_key = $3 WHERE id = $1 AND deleted_at IS NULL")
            .bind(id)
            .bind(now)
            // No name has a line feed.
            .bind(format!("\n{id}"))
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

/// Projects that were deleted and are not gone yet.
pub async fn deleted(tx: &mut Tx) -> Result<Vec<ProjectId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT id FROM project WHERE deleted_at IS NOT NULL ORDER BY deleted_at").fetch_all(conn).await?
    }))
}

/// Removes up to `limit` items with their labels; answers how many, 0 when none are left. A project goes in such pieces,
/// so that others need not wait for half a million rows. Leaves the counters alone: the project goes too.
pub async fn delete_some_items(tx: &mut Tx, id: ProjectId, limit: i64) -> Result<i64, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM item WHERE id IN (SELECT id FROM item WHERE project_id = $1 LIMIT $2)")
            .bind(id)
            .bind(limit)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n as i64)
}

/// Removes the project with all that is left of it; answers whether it was there.
pub async fn delete(tx: &mut Tx, id: ProjectId) -> Result<bool, StoreError> {
    // Labels before the categories they refer to, whatever order a cascade would take.
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM item WHERE project_id = $1").bind(id).execute(&mut *conn).await?;
        sqlx::query("UPDATE category SET parent_id = NULL WHERE project_id = $1").bind(id).execute(&mut *conn).await?;
        sqlx::query("DELETE FROM project WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}
