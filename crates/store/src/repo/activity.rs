//! activity rows: the audit log, only ever added to.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::activity::Activity;
use limn_domain::{ActivityId, ProjectId, Timestamp, UserId};
use serde_json::Value;
use sqlx::FromRow;

/// Whose lines are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Everything,
    Project(ProjectId),
    /// Lines of the person's projects, and what the person did.
    SeenBy(UserId),
}

#[derive(FromRow)]
struct Row {
    id: ActivityId,
    at: Timestamp,
    actor_id: Option<UserId>,
    actor_name: String,
    project_id: Option<ProjectId>,
    verb: String,
    summary: String,
}

impl From<Row> for Activity {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            at: r.at,
            actor_id: r.actor_id,
            actor_name: r.actor_name,
            project_id: r.project_id,
            verb: r.verb,
            summary: r.summary,
        }
    }
}

/// Adds a line; `data` holds what scripts may want beyond the sentence.
pub async fn insert(tx: &mut Tx, line: &Activity, data: &Value) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO activity (id, at, actor_id, actor_name, project_id, verb, summary, data) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(line.id)
        .bind(line.at)
        .bind(line.actor_id)
        .bind(&line.actor_name)
        .bind(line.project_id)
        .bind(&line.verb)
        .bind(&line.summary)
        .bind(Json(data))
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Lines before `before` (of the last page's end), newest first.
pub async fn list(
    tx: &mut Tx,
    scope: Scope,
    before: Option<(Timestamp, ActivityId)>,
    limit: i64,
) -> Result<Vec<Activity>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "SELECT id, at, actor_id, actor_name, project_id, verb, summary FROM activity WHERE 1 = 1",
        );
        match scope {
            Scope::Everything => {}
            Scope::Project(project) => {
                q.push(" AND project_id = ").push_bind(project);
            }
            Scope::SeenBy(user) => {
                q.push(" AND (actor_id = ").push_bind(user);
                q.push(" OR project_id IN (SELECT project_id FROM project_member WHERE user_id = ");
                q.push_bind(user).push("))");
            }
        }
        if let Some((at, id)) = before {
            q.push(" AND (at, id) < (").push_bind(at).push(", ").push_bind(id).push(")");
        }
        q.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(Activity::from).collect())
}
