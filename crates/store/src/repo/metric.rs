//! metric and metric_chunk rows: latest values, and series in chunks that merge as they grow.
//!
//! What one call logs of a metric is a chunk. A chunk's level follows from its points; 64 chunks of a level become one of
//! the next, so that a point is written three times at most and a series is read in few rows, however it was logged.

use crate::{StoreError, Tx, on_tx, series};
use limn_domain::RunId;
use limn_domain::run::{Metric, Point};
use sqlx::QueryBuilder;
use std::collections::BTreeMap;

/// Chunks of a level that are merged.
const MERGE: usize = 64;
/// Points from which a chunk is of the second level, and of the third, which is left as it is.
const LEVELS: [usize; 2] = [64, 4_096];
/// Rows of one `INSERT`.
const ROWS: usize = 400;

const fn level(points: usize) -> i64 {
    if points < LEVELS[0] {
        0
    } else if points < LEVELS[1] {
        1
    } else {
        2
    }
}

/// Whether `a` is to be shown as the latest value rather than `b`.
fn is_later(a: &Point, b: &Point) -> bool {
    (a.step, a.at_ms)
        .cmp(&(b.step, b.at_ms))
        .then(a.value.total_cmp(&b.value))
        .is_gt()
}

fn latest(points: &[Point]) -> Option<Point> {
    points
        .iter()
        .copied()
        .reduce(|a, b| if is_later(&b, &a) { b } else { a })
}

/// Adds points to the metrics of a run, which must have been locked. Errors: `ForeignKey` when there is no such run.
pub async fn append(tx: &mut Tx, run: RunId, points: &BTreeMap<&str, Vec<Point>>) -> Result<(), StoreError> {
    let all: Vec<(&str, &Vec<Point>, Point)> = points
        .iter()
        .filter_map(|(key, points)| Some((*key, points, latest(points)?)))
        .collect();
    let mut full = Vec::new();
    for rows in all.chunks(ROWS) {
        let there: Vec<(String, i64, i64)> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO metric (run_id, key, step, at_ms, value, points, loose) ");
            q.push_values(rows, |mut row, (key, points, last)| {
                row.push_bind(run)
                    .push_bind((*key).to_owned())
                    .push_bind(last.step)
                    .push_bind(last.at_ms)
                    .push_bind((!last.value.is_nan()).then_some(last.value))
                    .push_bind(points.len() as i64)
                    .push_bind(i64::from(level(points.len()) == 0));
            });
            q.push(" ON CONFLICT (run_id, key) DO UPDATE SET ");
            for column in ["step", "at_ms", "value"] {
                q.push(format!(
                    "{column} = CASE WHEN (excluded.step, excluded.at_ms) > (metric.step, metric.at_ms) \
                     OR (excluded.step = metric.step AND excluded.at_ms = metric.at_ms \
                     AND (metric.value IS NULL OR excluded.value >= metric.value)) \
                     THEN excluded.{column} ELSE metric.{column} END, "
                ));
            }
            q.push("points = metric.points + excluded.points, loose = metric.loose + excluded.loose RETURNING key, points, loose");
            q.build_query_as().fetch_all(conn).await?
        });
        let there: BTreeMap<String, (i64, i64)> = there.into_iter().map(|(k, p, l)| (k, (p, l))).collect();
        let mut chunks = Vec::with_capacity(rows.len());
        for (key, points, _) in rows {
            let Some((total, loose)) = there.get(*key) else {
                continue;
            };
            let n = points.len();
            chunks.push((*key, total - n as i64, level(n), n as i64, series::encode(points)));
            if *loose >= MERGE as i64 || level(n) == 1 {
                full.push(*key);
            }
        }
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("INSERT INTO metric_chunk (run_id, key, seq, level, points, bytes) ");
            q.push_values(chunks, |mut row, (key, seq, level, points, bytes)| {
                row.push_bind(run)
                    .push_bind(key.to_owned())
                    .push_bind(seq)
                    .push_bind(level)
                    .push_bind(points)
                    .push_bind(bytes);
            });
            q.build().execute(conn).await?;
        });
    }
    for key in full {
        merge(tx, run, key).await?;
    }
    Ok(())
}

/// Merges levels that are full, the lowest first.
async fn merge(tx: &mut Tx, run: RunId, key: &str) -> Result<(), StoreError> {
    for of in 0..2_i64 {
        let chunks: Vec<(i64, Vec<u8>)> = on_tx!(tx, conn => {
            sqlx::query_as(
                "SELECT seq, bytes FROM metric_chunk WHERE run_id = $1 AND key = $2 AND level = $3 ORDER BY seq",
            )
            .bind(run)
            .bind(key)
            .bind(of)
            .fetch_all(conn)
            .await?
        });
        if chunks.len() < MERGE {
            continue;
        }
        let mut points = Vec::new();
        for (_, bytes) in &chunks {
            series::decode(bytes, &mut points)?;
        }
        let bytes = series::encode(&points);
        on_tx!(tx, conn => {
            sqlx::query("DELETE FROM metric_chunk WHERE run_id = $1 AND key = $2 AND level = $3")
                .bind(run)
                .bind(key)
                .bind(of)
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "INSERT INTO metric_chunk (run_id, key, seq, level, points, bytes) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(run)
            .bind(key)
            .bind(chunks[0].0)
            .bind(level(points.len()))
            .bind(points.len() as i64)
            .bind(bytes)
            .execute(&mut *conn)
            .await?;
            if of == 0 {
                sqlx::query("UPDATE metric SET loose = 0 WHERE run_id = $1 AND key = $2")
                    .bind(run)
                    .bind(key)
                    .execute(conn)
                    .await?;
            }
        });
    }
    Ok(())
}

/// All values of a metric of a run, by time, then step, then value; what was logged twice is there once.
pub async fn history(tx: &mut Tx, run: RunId, key: &str) -> Result<Vec<Point>, StoreError> {
    let chunks: Vec<Vec<u8>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT bytes FROM metric_chunk WHERE run_id = $1 AND key = $2 ORDER BY seq")
            .bind(run)
            .bind(key)
            .fetch_all(conn)
            .await?
    });
    let mut points = Vec::new();
    for bytes in chunks {
        series::decode(&bytes, &mut points)?;
    }
    let order = |a: &Point, b: &Point| {
        (a.at_ms, a.step)
            .cmp(&(b.at_ms, b.step))
            .then(a.value.total_cmp(&b.value))
    };
    if !points.is_sorted_by(|a, b| order(a, b).is_le()) {
        points.sort_by(order);
    }
    points.dedup_by(|a, b| order(a, b).is_eq());
    Ok(points)
}

/// The latest values of a run's metrics with how many points each has, by key.
pub async fn of_run(tx: &mut Tx, run: RunId) -> Result<Vec<(Metric, i64)>, StoreError> {
    let rows: Vec<(String, i64, i64, Option<f64>, i64)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT key, step, at_ms, value, points FROM metric WHERE run_id = $1 ORDER BY key")
            .bind(run)
            .fetch_all(conn)
            .await?
    });
    Ok(rows
        .into_iter()
        .map(|(key, step, at_ms, value, points)| {
            let value = value.unwrap_or(f64::NAN);
            let last = Point { step, at_ms, value };
            (Metric { key, last }, points)
        })
        .collect())
}

/// Chunks a series lies in; for tests and figures.
pub async fn chunks(tx: &mut Tx, run: RunId, key: &str) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM metric_chunk WHERE run_id = $1 AND key = $2")
            .bind(run)
            .bind(key)
            .fetch_one(conn)
            .await?
    }))
}
