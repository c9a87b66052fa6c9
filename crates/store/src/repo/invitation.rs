//! invitation rows. Only digests of secrets are stored.

use crate::{StoreError, Tx, on_tx};
use limn_domain::user::Invitation;
use limn_domain::{InvitationId, ProjectId, Role, Timestamp, UserId};
use sqlx::FromRow;

#[derive(FromRow)]
struct Row {
    id: InvitationId,
    email: String,
    role: Role,
    project_id: Option<ProjectId>,
    project_role: Option<Role>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<Row> for Invitation {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            email: r.email,
            role: r.role,
            project_id: r.project_id,
            project_role: r.project_role,
            created_at: r.created_at,
            expires_at: r.expires_at,
            link: None,
        }
    }
}

pub async fn insert(
    tx: &mut Tx,
    invitation: &Invitation,
    secret_hash: &str,
    created_by: Option<UserId>,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO invitation (id, email, role, project_id, project_role, secret_hash, created_by, created_at, \
             expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(invitation.id)
        .bind(&invitation.email)
        .bind(invitation.role)
        .bind(invitation.project_id)
        .bind(invitation.project_role)
        .bind(secret_hash)
        .bind(created_by)
        .bind(invitation.created_at)
        .bind(invitation.expires_at)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Those not accepted yet, expired ones included, newest first.
pub async fn list_open(tx: &mut Tx) -> Result<Vec<Invitation>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, role, project_id, project_role, created_at, expires_at FROM invitation \
             WHERE accepted_at IS NULL ORDER BY created_at DESC, id DESC",
        )
        .fetch_all(conn)
        .await?
    });
    Ok(rows.into_iter().map(Invitation::from).collect())
}

/// The open invitation of a secret's digest that has not expired at `now`.
pub async fn open_by_secret(
    tx: &mut Tx,
    secret_hash: &str,
    now: Timestamp,
) -> Result<Option<Invitation>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, role, project_id, project_role, created_at, expires_at FROM invitation \
             WHERE secret_hash = $1 AND accepted_at IS NULL AND expires_at > $2",
        )
        .bind(secret_hash)
        .bind(now)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(Invitation::from))
}

/// Uses an invitation up; `true` for the one caller who did it.
pub async fn accept(tx: &mut Tx, id: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("UPDATE invitation SET accepted_at = $2 WHERE id = $1 AND accepted_at IS NULL")
            .bind(id)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

/// Removes an open invitation and answers whom it was for; `None` when there is none.
pub async fn delete_open(tx: &mut Tx, id: InvitationId) -> Result<Option<String>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("DELETE FROM invitation WHERE id = $1 AND accepted_at IS NULL RETURNING email")
            .bind(id)
            .fetch_optional(conn)
            .await?
    }))
}

/// Removes the open invitations of an address.
pub async fn delete_open_of(tx: &mut Tx, email: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("DELETE FROM invitation WHERE email = $1 AND accepted_at IS NULL").bind(email).execute(conn).await?;
    });
    Ok(())
}
