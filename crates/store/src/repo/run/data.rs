//! What runs logged besides series and files.

use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::run::{Metric, ModelUse, Point, RunData, RunInput, RunModel, Tags};
use limn_domain::{LoggedModelId, RunId, Timestamp, VersionId};
use sqlx::{FromRow, QueryBuilder};
use std::collections::HashMap;

/// Runs of one `IN`.
const IN: usize = 200;
/// Rows of one `INSERT`.
const ROWS: usize = 500;

/// Latest metrics, parameters and tags of runs.
pub async fn data(tx: &mut Tx, runs: &[RunId]) -> Result<HashMap<RunId, RunData>, StoreError> {
    let mut found: HashMap<RunId, RunData> = runs.iter().map(|r| (*r, RunData::default())).collect();
    for part in runs.chunks(IN) {
        type Latest = (RunId, String, i64, i64, Option<f64>);
        let metrics: Vec<Latest> = on_tx!(tx, conn => {
            of(part, "SELECT run_id, key, step, at_ms, value FROM metric WHERE run_id IN (").build_query_as().fetch_all(conn).await?
        });
        for (run, key, step, at_ms, value) in metrics {
            let value = value.unwrap_or(f64::NAN);
            let last = Point { step, at_ms, value };
            found.entry(run).or_default().metrics.push(Metric { key, last });
        }
        let params: Vec<(RunId, String, String)> = on_tx!(tx, conn => {
            of(part, "SELECT run_id, key, value FROM run_param WHERE run_id IN (").build_query_as().fetch_all(conn).await?
        });
        for (run, key, value) in params {
            found.entry(run).or_default().params.insert(key, value);
        }
        let tags: Vec<(RunId, String, String)> = on_tx!(tx, conn => {
            of(part, "SELECT run_id, key, value FROM run_tag WHERE run_id IN (").build_query_as().fetch_all(conn).await?
        });
        for (run, key, value) in tags {
            found.entry(run).or_default().tags.insert(key, value);
        }
    }
    Ok(found)
}

/// `... IN (runs)`.
fn of<'a, DB: sqlx::Database>(runs: &[RunId], sql: &'static str) -> QueryBuilder<DB>
where
    RunId: sqlx::Encode<'a, DB> + sqlx::Type<DB>,
    DB::Arguments: Default,
{
    let mut q = QueryBuilder::new(sql);
    let mut list = q.separated(", ");
    for run in runs {
        list.push_bind(*run);
    }
    q.push(")");
    q
}

/// The values that some parameters of a run have.
pub async fn params_of(
    tx: &mut Tx,
    run: RunId,
    keys: &[&str],
) -> Result<HashMap<String, String>, StoreError> {
    let mut found = HashMap::new();
    for part in keys.chunks(ROWS) {
        let rows: Vec<(String, String)> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT key, value FROM run_param WHERE run_id = ");
            q.push_bind(run).push(" AND key IN (");
            let mut list = q.separated(", ");
            for key in part {
                list.push_bind((*key).to_owned());
            }
            q.push(")");
            q.build_query_as().fetch_all(conn).await?
        });
        found.extend(rows);
    }
    Ok(found)
}

/// Adds parameters that are not there; the keys must differ. Errors: `Unique` when one is there.
pub async fn put_params(tx: &mut Tx, run: RunId, params: &[(&str, &str)]) -> Result<(), StoreError> {
    for rows in params.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO run_param (run_id, key, value) ");
            q.push_values(rows, |mut row, (key, value)| {
                row.push_bind(run).push_bind((*key).to_owned()).push_bind((*value).to_owned());
            });
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Sets tags; the keys must differ.
pub async fn put_tags(tx: &mut Tx, run: RunId, tags: &[(&str, &str)]) -> Result<(), StoreError> {
    for rows in tags.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO run_tag (run_id, key, value) ");
            q.push_values(rows, |mut row, (key, value)| {
                row.push_bind(run).push_bind((*key).to_owned()).push_bind((*value).to_owned());
            });
            q.push(" ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value");
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// Answers whether it was there.
pub async fn delete_tag(tx: &mut Tx, run: RunId, key: &str) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM run_tag WHERE run_id = $1 AND key = $2")
            .bind(run)
            .bind(key)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(n > 0)
}

#[derive(FromRow)]
struct InputRow {
    run_id: RunId,
    name: String,
    digest: String,
    source_type: String,
    source: String,
    schema: String,
    profile: String,
    tags: Json<Tags>,
    version_id: Option<VersionId>,
}

/// The data that runs read, in the order it was logged.
pub async fn inputs(tx: &mut Tx, runs: &[RunId]) -> Result<HashMap<RunId, Vec<RunInput>>, StoreError> {
    let mut found: HashMap<RunId, Vec<RunInput>> = HashMap::new();
    for part in runs.chunks(IN) {
        let rows: Vec<InputRow> = on_tx!(tx, conn => {
            let mut q = of(
                part,
                "SELECT run_id, name, digest, source_type, source, schema, profile, tags, version_id FROM run_input \
                 WHERE run_id IN (",
            );
            q.push(" ORDER BY created_at, name, digest");
            q.build_query_as().fetch_all(conn).await?
        });
        for r in rows {
            found.entry(r.run_id).or_default().push(RunInput {
                name: r.name,
                digest: r.digest,
                source_type: r.source_type,
                source: r.source,
                schema: r.schema,
                profile: r.profile,
                tags: r.tags.0,
                version_id: r.version_id,
            });
        }
    }
    Ok(found)
}

/// Notes data that a run read; what is noted already stays as it is.
pub async fn put_inputs(
    tx: &mut Tx,
    run: RunId,
    inputs: &[RunInput],
    now: Timestamp,
) -> Result<(), StoreError> {
    for rows in inputs.chunks(50) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "INSERT INTO run_input (run_id, name, digest, source_type, source, schema, profile, tags, version_id, created_at) ",
            );
            q.push_values(rows, |mut row, i| {
                row.push_bind(run)
                    .push_bind(i.name.clone())
                    .push_bind(i.digest.clone())
                    .push_bind(i.source_type.clone())
                    .push_bind(i.source.clone())
                    .push_bind(i.schema.clone())
                    .push_bind(i.profile.clone())
                    .push_bind(Json(i.tags.clone()))
                    .push_bind(i.version_id)
                    .push_bind(now);
            });
            q.push(" ON CONFLICT (run_id, name, digest) DO NOTHING");
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}

/// The models that runs read and made.
pub async fn models(tx: &mut Tx, runs: &[RunId]) -> Result<HashMap<RunId, Vec<RunModel>>, StoreError> {
    let mut found: HashMap<RunId, Vec<RunModel>> = HashMap::new();
    for part in runs.chunks(IN) {
        let rows: Vec<(RunId, LoggedModelId, ModelUse, i64)> = on_tx!(tx, conn => {
            let mut q = of(part, "SELECT run_id, model_id, role, step FROM run_model WHERE run_id IN (");
            q.push(" ORDER BY model_id");
            q.build_query_as().fetch_all(conn).await?
        });
        for (run, model_id, role, step) in rows {
            found
                .entry(run)
                .or_default()
                .push(RunModel { model_id, role, step });
        }
    }
    Ok(found)
}

/// Errors: `ForeignKey` when one of the models is not there.
pub async fn put_models(tx: &mut Tx, run: RunId, models: &[RunModel]) -> Result<(), StoreError> {
    for rows in models.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO run_model (run_id, model_id, role, step) ");
            q.push_values(rows, |mut row, m| {
                row.push_bind(run).push_bind(m.model_id).push_bind(m.role).push_bind(m.step);
            });
            q.push(" ON CONFLICT (run_id, model_id, role) DO NOTHING");
            q.build().execute(conn).await?;
        });
    }
    Ok(())
}
