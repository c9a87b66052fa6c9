//! dataset rows, their members and aliases.

use super::like::Pattern;
use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::dataset::{AliasMove, DatasetKind, DatasetMember, DatasetSummary, Visibility};
use limn_domain::user::User;
use limn_domain::{ActivityId, DatasetId, Role, Timestamp, UserId, VersionId, validate};
use sqlx::{FromRow, QueryBuilder};

/// A dataset to insert, checked.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub id: DatasetId,
    pub name: String,
    pub kind: DatasetKind,
    pub description: String,
    pub tags: Vec<String>,
    pub licence: String,
    pub visibility: Visibility,
    pub created_by: Option<UserId>,
}

/// What a list shows.
#[derive(Debug, Clone, Default)]
pub struct ListFilter<'a> {
    /// `None` sees all, as admin; somebody sees what they are a member of and what the studio may read.
    pub member: Option<UserId>,
    pub only: Option<DatasetId>,
    pub text: Option<&'a str>,
    pub kind: Option<DatasetKind>,
    pub tag: Option<&'a str>,
    /// Rows after this one.
    pub after: Option<(Timestamp, DatasetId)>,
    pub limit: i64,
}

#[derive(FromRow)]
struct Row {
    id: DatasetId,
    name: String,
    kind: DatasetKind,
    description: String,
    tags: Json<Vec<String>>,
    licence: String,
    visibility: Visibility,
    role: Option<Role>,
    owner_name: Option<String>,
    versions: i64,
    latest_number: Option<i64>,
    files: Option<i64>,
    byte_size: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Errors: `Unique` when the name is taken.
pub async fn insert(tx: &mut Tx, d: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO dataset (id, name, name_key, kind, description, tags, licence, visibility, created_by, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        )
        .bind(d.id)
        .bind(&d.name)
        .bind(validate::name_key(&d.name))
        .bind(d.kind)
        .bind(&d.description)
        .bind(Json(&d.tags))
        .bind(&d.licence)
        .bind(d.visibility)
        .bind(d.created_by)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Datasets by latest change, one query.
pub async fn list(tx: &mut Tx, filter: &ListFilter<'_>) -> Result<Vec<DatasetSummary>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT d.id, d.name, d.kind, d.description, d.tags, d.licence, d.visibility, ",
        );
        q.push(if filter.member.is_some() { "m.role AS role, " } else { "'admin' AS role, " });
        q.push(
            "u.name AS owner_name, (SELECT count(*) FROM dataset_version v WHERE v.dataset_id = d.id) AS versions, \
             l.number AS latest_number, l.files AS files, l.byte_size AS byte_size, d.created_at, d.updated_at \
             FROM dataset d LEFT JOIN user_account u ON u.id = d.created_by \
             LEFT JOIN dataset_version l ON l.dataset_id = d.id AND l.number = \
             (SELECT max(number) FROM dataset_version x WHERE x.dataset_id = d.id) ",
        );
        if let Some(user) = filter.member {
            q.push("LEFT JOIN dataset_member m ON m.dataset_id = d.id AND m.user_id = ").push_bind(user);
            q.push(" WHERE (m.role IS NOT NULL OR d.visibility = 'studio')");
        } else {
            q.push(" WHERE 1 = 1");
        }
        if let Some(only) = filter.only {
            q.push(" AND d.id = ").push_bind(only);
        }
        if let Some(kind) = filter.kind {
            q.push(" AND d.kind = ").push_bind(kind);
        }
        if let Some(text) = filter.text {
            let like = Pattern::new(text).anywhere;
            q.push(" AND (d.name_key LIKE ").push_bind(like.clone());
            q.push(" ESCAPE '!' OR CAST(d.tags AS TEXT) LIKE ").push_bind(like).push(" ESCAPE '!')");
        }
        if let Some(tag) = filter.tag {
            let quoted = serde_json::Value::from(tag).to_string();
            q.push(" AND CAST(d.tags AS TEXT) LIKE ").push_bind(Pattern::new(&quoted).anywhere).push(" ESCAPE '!'");
        }
        if let Some((at, id)) = filter.after {
            q.push(" AND (d.updated_at < ").push_bind(at);
            q.push(" OR (d.updated_at = ").push_bind(at).push(" AND d.id < ").push_bind(id).push("))");
        }
        q.push(" ORDER BY d.updated_at DESC, d.id DESC LIMIT ").push_bind(filter.limit);
        q.build_query_as().fetch_all(conn).await?
    });
    Ok(rows
        .into_iter()
        .map(|r| DatasetSummary {
            id: r.id,
            name: r.name,
            kind: r.kind,
            description: r.description,
            tags: r.tags.0,
            licence: r.licence,
            visibility: r.visibility,
            my_role: r.role.unwrap_or(Role::Viewer),
            owner_name: r.owner_name,
            versions: r.versions,
            latest_number: r.latest_number,
            files: r.files.unwrap_or(0),
            bytes: r.byte_size.unwrap_or(0),
            created_at: r.created_at,
            updated_at: r.updated_at,
        })
        .collect())
}

/// One dataset as somebody sees it (`None`: an admin).
pub async fn get(
    tx: &mut Tx,
    id: DatasetId,
    member: Option<UserId>,
) -> Result<Option<DatasetSummary>, StoreError> {
    let filter = ListFilter {
        member,
        only: Some(id),
        limit: 1,
        ..ListFilter::default()
    };
    Ok(list(tx, &filter).await?.pop())
}

/// The dataset of that name, regardless of case.
pub async fn id_by_name(tx: &mut Tx, name: &str) -> Result<Option<DatasetId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT id FROM dataset WHERE name_key = $1")
            .bind(validate::name_key(name))
            .fetch_optional(conn)
            .await?
    }))
}

/// The role somebody has by membership, and who may see the dataset besides; `None` when there is no such dataset.
pub async fn access(
    tx: &mut Tx,
    id: DatasetId,
    user: UserId,
) -> Result<Option<(Option<Role>, Visibility)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT m.role, d.visibility FROM dataset d \
             LEFT JOIN dataset_member m ON m.dataset_id = d.id AND m.user_id = $2 WHERE d.id = $1",
        )
        .bind(id)
        .bind(user)
        .fetch_optional(conn)
        .await?
    }))
}

pub async fn exists(tx: &mut Tx, id: DatasetId) -> Result<bool, StoreError> {
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM dataset WHERE id = $1").bind(id).fetch_one(conn).await?
    });
    Ok(n > 0)
}

/// Notes a change and locks the dataset until the transaction ends. Answers the number of the next version; `None` when
/// there is no such dataset.
pub async fn lock(tx: &mut Tx, id: DatasetId, now: Timestamp) -> Result<Option<i64>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("UPDATE dataset SET updated_at = $2 WHERE id = $1 RETURNING next_number")
            .bind(id)
            .bind(now)
            .fetch_optional(conn)
            .await?
    }))
}

/// Takes the next number away.
pub async fn use_number(tx: &mut Tx, id: DatasetId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE dataset SET next_number = next_number + 1 WHERE id = $1").bind(id).execute(conn).await?;
    });
    Ok(())
}

/// Errors: `Unique` when another dataset has the name.
pub async fn update(tx: &mut Tx, d: &DatasetSummary, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE dataset SET name = $2, name_key = $3, description = $4, tags = $5, licence = $6, visibility = $7, \
             updated_at = $8 WHERE id = $1",
        )
        .bind(d.id)
        .bind(&d.name)
        .bind(validate::name_key(&d.name))
        .bind(&d.description)
        .bind(Json(&d.tags))
        .bind(&d.licence)
        .bind(d.visibility)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Removes the dataset with its versions; what they named goes by clean-up. Answers whether it was there.
pub async fn delete(tx: &mut Tx, id: DatasetId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM dataset WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// The members by name.
pub async fn members(tx: &mut Tx, id: DatasetId) -> Result<Vec<DatasetMember>, StoreError> {
    let rows: Vec<(UserId, String, String, Role, Timestamp)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT m.user_id, u.name, u.email, m.role, m.added_at FROM dataset_member m \
             JOIN user_account u ON u.id = m.user_id WHERE m.dataset_id = $1 ORDER BY lower(u.name), u.email",
        )
        .bind(id)
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|(user_id, name, email, role, added_at)| DatasetMember {
            user_id,
            name,
            email,
            role,
            added_at,
        })
        .collect())
}

/// Adds a member or changes the role.
pub async fn put_member(
    tx: &mut Tx,
    id: DatasetId,
    user: UserId,
    role: Role,
    now: Timestamp,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO dataset_member (dataset_id, user_id, role, added_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (dataset_id, user_id) DO UPDATE SET role = excluded.role",
        )
        .bind(id)
        .bind(user)
        .bind(role)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Answers whether there was one.
pub async fn delete_member(tx: &mut Tx, id: DatasetId, user: UserId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM dataset_member WHERE dataset_id = $1 AND user_id = $2")
            .bind(id)
            .bind(user)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

/// Enabled people who are not members, by name.
pub async fn candidates(tx: &mut Tx, id: DatasetId) -> Result<Vec<User>, StoreError> {
    type Row = (UserId, String, String, Role, Timestamp, Option<Timestamp>);
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, email, name, role, created_at, last_seen_at FROM user_account u \
             WHERE disabled_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM dataset_member m WHERE m.dataset_id = $1 AND m.user_id = u.id) \
             ORDER BY lower(name), email",
        )
        .bind(id)
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

/// The aliases of a dataset with their versions, by name.
pub async fn aliases(tx: &mut Tx, id: DatasetId) -> Result<Vec<(String, VersionId)>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as("SELECT name, version_id FROM dataset_alias WHERE dataset_id = $1 ORDER BY name")
            .bind(id)
            .fetch_all(conn)
            .await?
    }))
}

/// Points an alias to a version.
pub async fn put_alias(tx: &mut Tx, id: DatasetId, name: &str, version: VersionId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO dataset_alias (dataset_id, name, version_id) VALUES ($1, $2, $3) \
             ON CONFLICT (dataset_id, name) DO UPDATE SET version_id = excluded.version_id",
        )
        .bind(id)
        .bind(name)
        .bind(version)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Answers whether there was one.
pub async fn delete_alias(tx: &mut Tx, id: DatasetId, name: &str) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM dataset_alias WHERE dataset_id = $1 AND name = $2")
            .bind(id)
            .bind(name)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

/// Writes down where an alias went.
pub async fn log_alias(tx: &mut Tx, id: DatasetId, went: &AliasMove) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO dataset_alias_move (id, dataset_id, name, number, by_name, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(ActivityId::new())
        .bind(id)
        .bind(&went.name)
        .bind(went.number)
        .bind(&went.by_name)
        .bind(went.at)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// The moves of a dataset's aliases, newest first.
pub async fn alias_moves(tx: &mut Tx, id: DatasetId, limit: i64) -> Result<Vec<AliasMove>, StoreError> {
    let rows: Vec<(String, Option<i64>, String, Timestamp)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT name, number, by_name, at FROM dataset_alias_move WHERE dataset_id = $1 \
             ORDER BY at DESC, id DESC LIMIT $2",
        )
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|(name, number, by_name, at)| AliasMove {
            name,
            number,
            by_name,
            at,
        })
        .collect())
}
