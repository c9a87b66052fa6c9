//! registered_model rows with their aliases.

pub mod version;

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::model::{ModelAlias, ModelAliasMove, RegisteredModel};
use limn_domain::run::Tags;
use limn_domain::{ActivityId, ModelId, Timestamp, UserId};
use sqlx::{FromRow, QueryBuilder};
use std::collections::HashMap;

#[derive(FromRow)]
struct Row {
    id: ModelId,
    name: String,
    description: String,
    tags: Json<Tags>,
    versions: i64,
    latest_number: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Errors: `Unique` when the name is taken.
pub async fn insert(
    tx: &mut Tx,
    name: &str,
    description: &str,
    tags: &Tags,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<ModelId, StoreError> {
    let id = ModelId::new();
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO registered_model (id, name, description, tags, created_by, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(id)
        .bind(name)
        .bind(description)
        .bind(Json(tags))
        .bind(by)
        .bind(now)
        .execute(conn)
        .await?;
    });
    Ok(id)
}

/// Models by name; the one of this name, when given.
pub async fn list(tx: &mut Tx, name: Option<&str>) -> Result<Vec<RegisteredModel>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT m.id, m.name, m.description, m.tags, \
             (SELECT count(*) FROM model_version v WHERE v.model_id = m.id) AS versions, \
             (SELECT max(number) FROM model_version v WHERE v.model_id = m.id) AS latest_number, \
             m.created_at, m.updated_at FROM registered_model m",
        );
        if let Some(name) = name {
            q.push(" WHERE m.name = ").push_bind(name.to_owned());
        }
        q.build_query_as().fetch_all(conn).await?
    });
    let aliases: Vec<(ModelId, String, i64)> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT model_id, name, number FROM model_alias");
        if let (Some(_), Some(row)) = (name, rows.first()) {
            q.push(" WHERE model_id = ").push_bind(row.id);
        }
        q.push(" ORDER BY name");
        q.build_query_as().fetch_all(conn).await?
    });
    let mut by_model: HashMap<ModelId, Vec<ModelAlias>> = HashMap::new();
    for (model, name, number) in aliases {
        by_model
            .entry(model)
            .or_default()
            .push(ModelAlias { name, number });
    }
    let mut models: Vec<RegisteredModel> = rows
        .into_iter()
        .map(|r| RegisteredModel {
            aliases: by_model.remove(&r.id).unwrap_or_default(),
            id: r.id,
            name: r.name,
            description: r.description,
            description_html: String::new(),
            tags: r.tags.0,
            versions: r.versions,
            latest_number: r.latest_number,
            created_at: r.created_at,
            updated_at: r.updated_at,
        })
        .collect();
    models.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(models)
}

/// Notes a change of the model of this name and locks it until the transaction ends. Answers its id, the number of its
/// next version and its tags.
pub async fn lock(
    tx: &mut Tx,
    name: &str,
    now: Timestamp,
) -> Result<Option<(ModelId, i64, Tags)>, StoreError> {
    let row: Option<(ModelId, i64, Json<Tags>)> = on_tx!(tx, conn => {
        sqlx::query_as("UPDATE registered_model SET updated_at = $2 WHERE name = $1 RETURNING id, next_number, tags")
            .bind(name)
            .bind(now)
            .fetch_optional(conn)
            .await?
    });
    Ok(row.map(|(id, next, tags)| (id, next, tags.0)))
}

/// Takes the next number away.
pub async fn use_number(tx: &mut Tx, id: ModelId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE registered_model SET next_number = next_number + 1 WHERE id = $1").bind(id).execute(conn).await?;
    });
    Ok(())
}

/// Changes what is given. Errors: `Unique` when the name is taken.
pub async fn update(
    tx: &mut Tx,
    id: ModelId,
    name: Option<&str>,
    description: Option<&str>,
    tags: Option<&Tags>,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        if let Some(name) = name {
            sqlx::query("UPDATE registered_model SET name = $2 WHERE id = $1").bind(id).bind(name).execute(&mut *conn).await?;
        }
        if let Some(description) = description {
            sqlx::query("UPDATE registered_model SET description = $2 WHERE id = $1")
                .bind(id)
                .bind(description)
                .execute(&mut *conn)
                .await?;
        }
        if let Some(tags) = tags {
            sqlx::query("UPDATE registered_model SET tags = $2 WHERE id = $1").bind(id).bind(Json(tags)).execute(conn).await?;
        }
    });
    Ok(())
}

/// Removes the model with its versions. Answers whether it was there.
pub async fn delete(tx: &mut Tx, id: ModelId) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM model_alias WHERE model_id = $1").bind(id).execute(&mut *conn).await?;
        sqlx::query("DELETE FROM registered_model WHERE id = $1").bind(id).execute(conn).await?.rows_affected()
    });
    Ok(n > 0)
}

/// Points an alias to a version. Errors: `ForeignKey` when the version is not there.
pub async fn put_alias(tx: &mut Tx, id: ModelId, name: &str, number: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO model_alias (model_id, name, number) VALUES ($1, $2, $3) \
             ON CONFLICT (model_id, name) DO UPDATE SET number = excluded.number",
        )
        .bind(id)
        .bind(name)
        .bind(number)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Answers whether there was one.
pub async fn delete_alias(tx: &mut Tx, id: ModelId, name: &str) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM model_alias WHERE model_id = $1 AND name = $2")
            .bind(id)
            .bind(name)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

/// Writes down where an alias went.
pub async fn log_alias(tx: &mut Tx, id: ModelId, went: &ModelAliasMove) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO model_alias_move (id, model_id, name, number, by_name, at) VALUES ($1, $2, $3, $4, $5, $6)",
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

/// The moves of a model's aliases (of one of them, up to a time), newest first.
pub async fn alias_moves(
    tx: &mut Tx,
    id: ModelId,
    alias: Option<&str>,
    until: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<ModelAliasMove>, StoreError> {
    let rows: Vec<(String, Option<i64>, String, Timestamp)> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT name, number, by_name, at FROM model_alias_move WHERE model_id = ");
        q.push_bind(id);
        if let Some(alias) = alias {
            q.push(" AND name = ").push_bind(alias.to_owned());
        }
        if let Some(until) = until {
            q.push(" AND at <= ").push_bind(until);
        }
        // Ids are made in order, also within a microsecond.
        q.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    });
    Ok(rows
        .into_iter()
        .map(|(name, number, by_name, at)| ModelAliasMove {
            name,
            number,
            by_name,
            at,
        })
        .collect())
}
