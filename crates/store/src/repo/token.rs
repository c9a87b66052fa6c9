//! api_token rows. Only digests of secrets are stored.

use crate::{StoreError, Tx, on_tx};
use limn_domain::token::{Token, TokenScope};
use limn_domain::user::Me;
use limn_domain::{DatasetId, ProjectId, Role, Timestamp, TokenId, UserId};
use sqlx::FromRow;

/// A token with its owner, as a request presents it.
#[derive(Debug, Clone)]
pub struct Presented {
    pub token_id: TokenId,
    pub scope: TokenScope,
    pub project_id: Option<ProjectId>,
    pub dataset_id: Option<DatasetId>,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub owner: Me,
    pub owner_disabled: bool,
}

#[derive(FromRow)]
struct Row {
    id: TokenId,
    name: String,
    prefix: String,
    scope: TokenScope,
    project_id: Option<ProjectId>,
    dataset_id: Option<DatasetId>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

impl From<Row> for Token {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            name: r.name,
            prefix: r.prefix,
            scope: r.scope,
            project_id: r.project_id,
            dataset_id: r.dataset_id,
            created_at: r.created_at,
            expires_at: r.expires_at,
            last_used_at: r.last_used_at,
        }
    }
}

pub async fn insert(tx: &mut Tx, owner: UserId, token: &Token, secret_hash: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO api_token (id, user_id, name, prefix, secret_hash, scope, project_id, created_at, expires_at, dataset_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(token.id)
        .bind(owner)
        .bind(&token.name)
        .bind(&token.prefix)
        .bind(secret_hash)
        .bind(token.scope)
        .bind(token.project_id)
        .bind(token.created_at)
        .bind(token.expires_at)
        .bind(token.dataset_id)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// The tokens of a person, newest first.
pub async fn list(tx: &mut Tx, owner: UserId) -> Result<Vec<Token>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, name, prefix, scope, project_id, dataset_id, created_at, expires_at, last_used_at FROM api_token \
             WHERE user_id = $1 ORDER BY created_at DESC, id DESC",
        )
        .bind(owner)
        .fetch_all(conn)
        .await?
    });
    Ok(rows.into_iter().map(Token::from).collect())
}

/// The token of a secret's digest, with its owner; one read a request.
pub async fn present(tx: &mut Tx, secret_hash: &str) -> Result<Option<Presented>, StoreError> {
    presented(tx, None, Some(secret_hash)).await
}

/// The same by its id.
pub async fn present_by_id(tx: &mut Tx, id: TokenId) -> Result<Option<Presented>, StoreError> {
    presented(tx, Some(id), None).await
}

async fn presented(
    tx: &mut Tx,
    id: Option<TokenId>,
    secret_hash: Option<&str>,
) -> Result<Option<Presented>, StoreError> {
    #[derive(FromRow)]
    struct PresentedRow {
        id: TokenId,
        scope: TokenScope,
        project_id: Option<ProjectId>,
        dataset_id: Option<DatasetId>,
        expires_at: Option<Timestamp>,
        last_used_at: Option<Timestamp>,
        user_id: UserId,
        email: String,
        name: String,
        role: Role,
        disabled_at: Option<Timestamp>,
    }
    let row: Option<PresentedRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT t.id, t.scope, t.project_id, t.dataset_id, t.expires_at, t.last_used_at, \
             u.id AS user_id, u.email, u.name, u.role, u.disabled_at \
             FROM api_token t JOIN user_account u ON u.id = t.user_id WHERE t.id = $1 OR t.secret_hash = $2",
        )
        .bind(id)
        .bind(secret_hash)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(|r| Presented {
        token_id: r.id,
        scope: r.scope,
        project_id: r.project_id,
        dataset_id: r.dataset_id,
        expires_at: r.expires_at,
        last_used_at: r.last_used_at,
        owner: Me {
            id: r.user_id,
            email: r.email,
            name: r.name,
            role: r.role,
        },
        owner_disabled: r.disabled_at.is_some(),
    }))
}

pub async fn set_last_used(tx: &mut Tx, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE api_token SET last_used_at = $2 WHERE id = $1").bind(id).bind(now).execute(conn).await?;
    });
    Ok(())
}

/// Removes a person's own token and answers its name; `None` when there is none.
pub async fn delete(tx: &mut Tx, owner: UserId, id: TokenId) -> Result<Option<String>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("DELETE FROM api_token WHERE id = $1 AND user_id = $2 RETURNING name")
            .bind(id)
            .bind(owner)
            .fetch_optional(conn)
            .await?
    }))
}

/// Removes all tokens of a person; answers how many.
pub async fn delete_of_user(tx: &mut Tx, owner: UserId) -> Result<i64, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM api_token WHERE user_id = $1").bind(owner).execute(conn).await?.rows_affected()
    });
    Ok(n as i64)
}
