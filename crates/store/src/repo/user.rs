//! user_account rows: people who can sign in.

use crate::dialect::Dialect;
use crate::{StoreError, Tx, on_tx};
use limn_domain::user::{Me, User};
use limn_domain::{Role, Timestamp, UserId};
use sqlx::FromRow;

/// A person to insert; the e-mail address is lower case already.
#[derive(Clone)]
pub struct NewRow {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password_hash: String,
}

/// What checking a password needs.
#[derive(Clone)]
pub struct Credentials {
    pub me: Me,
    pub password_hash: Option<String>,
    pub disabled: bool,
    pub epoch: i64,
}

/// What deciding about a session needs.
#[derive(Debug, Clone)]
pub struct Standing {
    pub me: Me,
    pub disabled: bool,
    pub epoch: i64,
    pub last_seen_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct Row {
    id: UserId,
    email: String,
    name: String,
    role: Role,
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
    last_seen_at: Option<Timestamp>,
}

impl From<Row> for User {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            email: r.email,
            name: r.name,
            role: r.role,
            disabled: r.disabled_at.is_some(),
            created_at: r.created_at,
            last_seen_at: r.last_seen_at,
        }
    }
}

/// Errors: `Unique` when the address has an account.
pub async fn insert(tx: &mut Tx, user: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO user_account (id, email, name, role, password_hash, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(user.id)
        .bind(&user.email)
        .bind(&user.name)
        .bind(user.role)
        .bind(&user.password_hash)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

pub async fn get(tx: &mut Tx, id: UserId) -> Result<Option<User>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, name, role, disabled_at, created_at, last_seen_at FROM user_account WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(User::from))
}

/// The person of a (lower-case) address.
pub async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<User>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, name, role, disabled_at, created_at, last_seen_at FROM user_account WHERE email = $1",
        )
        .bind(email)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(User::from))
}

/// Everybody, by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<User>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, name, role, disabled_at, created_at, last_seen_at FROM user_account \
             ORDER BY lower(name), email",
        )
        .fetch_all(conn)
        .await?
    });
    Ok(rows.into_iter().map(User::from).collect())
}

/// Whether anybody has an account.
pub async fn any(tx: &mut Tx) -> Result<bool, StoreError> {
    let found: Option<UserId> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT id FROM user_account LIMIT 1").fetch_optional(conn).await?
    });
    Ok(found.is_some())
}

/// The enabled admins. In a unit of work they are locked, so that two people cannot take the last two admins away at
/// once; do not call it in a snapshot.
pub async fn lock_admins(tx: &mut Tx) -> Result<Vec<UserId>, StoreError> {
    let sql = Dialect::of(tx).pick(
        "SELECT id FROM user_account WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id",
        "SELECT id FROM user_account WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR UPDATE",
    );
    Ok(on_tx!(tx, conn => sqlx::query_scalar(sql).fetch_all(conn).await?))
}

type CredentialsRow = (
    UserId,
    String,
    String,
    Role,
    Option<String>,
    Option<Timestamp>,
    i64,
);

fn into_credentials(row: CredentialsRow) -> Credentials {
    let (id, email, name, role, password_hash, disabled_at, epoch) = row;
    Credentials {
        me: Me {
            id,
            email,
            name,
            role,
        },
        password_hash,
        disabled: disabled_at.is_some(),
        epoch,
    }
}

/// What signing in with a (lower-case) address needs.
pub async fn credentials_by_email(tx: &mut Tx, email: &str) -> Result<Option<Credentials>, StoreError> {
    let row: Option<CredentialsRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, name, role, password_hash, disabled_at, session_epoch \
             FROM user_account WHERE email = $1",
        )
        .bind(email)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(into_credentials))
}

/// The same of a person known already.
pub async fn credentials(tx: &mut Tx, id: UserId) -> Result<Option<Credentials>, StoreError> {
    let row: Option<CredentialsRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, name, role, password_hash, disabled_at, session_epoch \
             FROM user_account WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(into_credentials))
}

/// Whether and as whom a session of this person stands; one read a request.
pub async fn standing(tx: &mut Tx, id: UserId) -> Result<Option<Standing>, StoreError> {
    type Row = (String, String, Role, Option<Timestamp>, i64, Option<Timestamp>);
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT email, name, role, disabled_at, session_epoch, last_seen_at FROM user_account WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(conn)
        .await?
    });
    Ok(
        row.map(|(email, name, role, disabled_at, epoch, last_seen_at)| Standing {
            me: Me {
                id,
                email,
                name,
                role,
            },
            disabled: disabled_at.is_some(),
            epoch,
            last_seen_at,
        }),
    )
}

pub async fn set_last_seen(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE user_account SET last_seen_at = $2 WHERE id = $1").bind(id).bind(now).execute(conn).await?;
    });
    Ok(())
}

/// Sets name, role and whether the account is disabled; an earlier time of disabling stays.
pub async fn update(
    tx: &mut Tx,
    id: UserId,
    name: &str,
    role: Role,
    disabled_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE user_account SET name = $2, role = $3, \
             disabled_at = CASE WHEN $4 IS NULL THEN NULL ELSE coalesce(disabled_at, $4) END WHERE id = $1",
        )
            .bind(id)
            .bind(name)
            .bind(role)
            .bind(disabled_at)
            .execute(conn)
            .await?;
    });
    Ok(())
}

pub async fn set_name(tx: &mut Tx, id: UserId, name: &str) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE user_account SET name = $2 WHERE id = $1").bind(id).bind(name).execute(conn).await?;
    });
    Ok(())
}

/// Sets the password and ends every session. Answers the new epoch, `None` when the person is gone or, with `was`,
/// when the password is not that one any more.
pub async fn set_password(
    tx: &mut Tx,
    id: UserId,
    was: Option<&str>,
    hash: &str,
) -> Result<Option<i64>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "UPDATE user_account SET password_hash = $2, session_epoch = session_epoch + 1 \
             WHERE id = $1 AND coalesce($3, password_hash) = password_hash RETURNING session_epoch",
        )
        .bind(id)
        .bind(hash)
        .bind(was)
        .fetch_optional(conn)
        .await?
    }))
}

/// Ends every session of the person.
pub async fn raise_epoch(tx: &mut Tx, id: UserId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE user_account SET session_epoch = session_epoch + 1 WHERE id = $1")
            .bind(id)
            .execute(conn)
            .await?;
    });
    Ok(())
}
