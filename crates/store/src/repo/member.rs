//! project_member rows: who works in which project.

use crate::{StoreError, Tx, on_tx};
use limn_domain::project::Member;
use limn_domain::user::User;
use limn_domain::{ProjectId, Role, Timestamp, UserId};
use sqlx::FromRow;

/// The person's role in the project, if they are a member.
pub async fn role(tx: &mut Tx, project: ProjectId, user: UserId) -> Result<Option<Role>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT role FROM project_member WHERE project_id = $1 AND user_id = $2")
            .bind(project)
            .bind(user)
            .fetch_optional(conn)
            .await?
    }))
}

/// The members by name, each with the items they have submitted.
pub async fn list(tx: &mut Tx, project: ProjectId) -> Result<Vec<Member>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        user_id: UserId,
        name: String,
        email: String,
        role: Role,
        added_at: Timestamp,
        done: i64,
    }
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT m.user_id, u.name, u.email, m.role, m.added_at, coalesce(c.done, 0) AS done \
             FROM project_member m JOIN user_account u ON u.id = m.user_id \
             LEFT JOIN project_counter c ON c.project_id = m.project_id AND c.user_id = m.user_id \
             WHERE m.project_id = $1 ORDER BY lower(u.name), u.email",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|r| Member {
            user_id: r.user_id,
            name: r.name,
            email: r.email,
            role: r.role,
            added_at: r.added_at,
            done: r.done,
        })
        .collect())
}

/// Adds a member or changes the role. Errors: `ForeignKey` when the project or the person is gone.
pub async fn put(
    tx: &mut Tx,
    project: ProjectId,
    user: UserId,
    role: Role,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO project_member (project_id, user_id, role, added_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role",
        )
        .bind(project)
        .bind(user)
        .bind(role)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Removes a member; answers whether there was one. What they hold is the caller's (`queue::release_all_of_user`).
pub async fn delete(tx: &mut Tx, project: ProjectId, user: UserId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM project_member WHERE project_id = $1 AND user_id = $2")
            .bind(project)
            .bind(user)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

/// Enabled people who are not members, by name.
pub async fn candidates(tx: &mut Tx, project: ProjectId) -> Result<Vec<User>, StoreError> {
    type Row = (UserId, String, String, Role, Timestamp, Option<Timestamp>);
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, name, role, created_at, last_seen_at FROM user_account u \
             WHERE disabled_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM project_member m WHERE m.project_id = $1 AND m.user_id = u.id) \
             ORDER BY lower(name), email",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|(id, email, name, role, created_at, last_seen_at)| User {
            id,
            email,
            name,
            role,
            disabled: false,
            created_at,
            last_seen_at,
        })
        .collect())
}
