//! Runs by the values of a parameter or a tag.

use super::search::{Query, filter, table};
use crate::dialect::Dialect;
use crate::{StoreError, Tx, on_tx};
use limn_domain::filter::Entity;
use limn_domain::run::table::Column;
use sqlx::QueryBuilder;

/// The value (`None`: those without) and how many runs have it, the most first. `query`'s order and page do not matter.
pub async fn groups(
    tx: &mut Tx,
    query: &Query<'_>,
    by: &Column,
    limit: i64,
) -> Result<Vec<(Option<String>, i64)>, StoreError> {
    let dialect = Dialect::of(tx);
    if query.experiments.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT g.value, count(*) FROM run r");
        q.push(format!(" LEFT JOIN {} g ON g.run_id = r.id AND g.key = ", table(by.entity)));
        q.push_bind(by.key.clone());
        filter(&mut q, query, dialect);
        q.push(" GROUP BY g.value ORDER BY count(*) DESC, g.value LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    }))
}

/// Of each group that has the metric: its value, the mean of the runs' latest values, the least and the greatest.
pub async fn group_metric(
    tx: &mut Tx,
    query: &Query<'_>,
    by: &Column,
    metric: &str,
) -> Result<Vec<(Option<String>, Option<f64>, Option<f64>, Option<f64>)>, StoreError> {
    let dialect = Dialect::of(tx);
    if query.experiments.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT g.value, avg(m.value), min(m.value), max(m.value) FROM run r");
        q.push(format!(" LEFT JOIN {} g ON g.run_id = r.id AND g.key = ", table(by.entity)));
        q.push_bind(by.key.clone());
        q.push(" JOIN metric m ON m.run_id = r.id AND m.key = ").push_bind(metric.to_owned());
        filter(&mut q, query, dialect);
        q.push(" GROUP BY g.value");
        q.build_query_as().fetch_all(conn).await?
    }))
}

/// Of each group that has the parameter or tag: its value, the first of the texts, and how many different ones there are.
pub async fn group_texts(
    tx: &mut Tx,
    query: &Query<'_>,
    by: &Column,
    column: &Column,
) -> Result<Vec<(Option<String>, String, i64)>, StoreError> {
    debug_assert!(column.entity != Entity::Metric);
    let dialect = Dialect::of(tx);
    if query.experiments.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT g.value, min(c.value), count(DISTINCT c.value) FROM run r");
        q.push(format!(" LEFT JOIN {} g ON g.run_id = r.id AND g.key = ", table(by.entity)));
        q.push_bind(by.key.clone());
        q.push(format!(" JOIN {} c ON c.run_id = r.id AND c.key = ", table(column.entity)));
        q.push_bind(column.key.clone());
        filter(&mut q, query, dialect);
        q.push(" GROUP BY g.value");
        q.build_query_as().fetch_all(conn).await?
    }))
}
