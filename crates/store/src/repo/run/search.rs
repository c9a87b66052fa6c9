//! Finding runs by what they logged: clauses of the filter grammar as SQL.

use super::Row;
use crate::dialect::Dialect;
use crate::{StoreError, Tx, on_tx};
use limn_domain::filter::{Clause, Entity, Op, Sort, Value};
use limn_domain::run::{CONTEXT_TAG, ExperimentId, RunInfo, View};
use limn_domain::{RunId, Timestamp};
use sqlx::{Database, Encode, QueryBuilder, Type};

/// Which runs, in which order.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    pub experiments: &'a [ExperimentId],
    pub clauses: &'a [Clause],
    pub sort: &'a [Sort],
    pub view: View,
    /// Changed after this.
    pub changed_after: Option<Timestamp>,
    pub offset: i64,
    pub limit: i64,
}

/// Answers the runs of a page, and how many there are in all where `count` asks for it.
pub async fn search(
    tx: &mut Tx,
    query: &Query<'_>,
    count: bool,
) -> Result<(Vec<RunInfo>, Option<i64>), StoreError> {
    let dialect = Dialect::of(tx);
    if query.experiments.is_empty() {
        return Ok((Vec::new(), count.then_some(0)));
    }
    let total: Option<i64> = if count {
        Some(on_tx!(tx, conn => {
            let mut q = QueryBuilder::new("SELECT count(*) FROM run r");
            filter(&mut q, query, dialect);
            q.build_query_scalar().fetch_one(conn).await?
        }))
    } else {
        None
    };
    let rows: Vec<Row> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT r.id, r.experiment_id, r.name, r.user_name, r.status, r.start_ms, r.end_ms, r.change, r.deleted_at FROM run r",
        );
        for (n, sort) in query.sort.iter().enumerate() {
            join(&mut q, n, sort);
        }
        filter(&mut q, query, dialect);
        order(&mut q, query.sort);
        q.push(" LIMIT ").push_bind(query.limit).push(" OFFSET ").push_bind(query.offset);
        q.build_query_as().fetch_all(conn).await?
    });
    Ok((rows.into_iter().map(RunInfo::from).collect(), total))
}

pub(super) const fn table(entity: Entity) -> &'static str {
    match entity {
        Entity::Metric => "metric",
        Entity::Param => "run_param",
        _ => "run_tag",
    }
}

fn join<'a, DB>(q: &mut QueryBuilder<DB>, n: usize, sort: &Sort)
where
    DB: Database,
    String: Encode<'a, DB> + Type<DB>,
{
    if sort.entity == Entity::Attribute {
        return;
    }
    q.push(" LEFT JOIN ")
        .push(table(sort.entity))
        .push(format!(" s{n} ON s{n}.run_id = r.id AND s{n}.key = "));
    q.push_bind(sort.key.clone());
}

/// Values that are there before those that are not a number before those that are missing, whichever way.
fn order<DB: Database>(q: &mut QueryBuilder<DB>, sorts: &[Sort]) {
    q.push(" ORDER BY ");
    for (n, sort) in sorts.iter().enumerate() {
        let way = if sort.ascending { "" } else { " DESC" };
        match sort.entity {
            Entity::Attribute => {
                let column = column(&sort.key);
                q.push(format!(
                    "CASE WHEN {column} IS NULL THEN 1 ELSE 0 END, {column}{way}, "
                ));
            }
            Entity::Metric => {
                q.push(format!(
                    "CASE WHEN s{n}.run_id IS NULL THEN 2 WHEN s{n}.value IS NULL THEN 1 ELSE 0 END, s{n}.value{way}, "
                ));
            }
            _ => {
                q.push(format!(
                    "CASE WHEN s{n}.run_id IS NULL THEN 1 ELSE 0 END, s{n}.value{way}, "
                ));
            }
        }
    }
    q.push("r.start_ms DESC, r.id");
}

fn column(attribute: &str) -> &'static str {
    match attribute {
        "start_time" => "r.start_ms",
        "end_time" => "r.end_ms",
        "status" => "r.status",
        "user_id" => "r.user_name",
        "run_id" => "r.id",
        _ => "r.name",
    }
}

pub(super) fn filter<'a, DB>(q: &mut QueryBuilder<DB>, query: &Query<'_>, dialect: Dialect)
where
    DB: Database,
    String: Encode<'a, DB> + Type<DB>,
    i64: Encode<'a, DB> + Type<DB>,
    f64: Encode<'a, DB> + Type<DB>,
    RunId: Encode<'a, DB> + Type<DB>,
    ExperimentId: Encode<'a, DB> + Type<DB>,
    Timestamp: Encode<'a, DB> + Type<DB>,
{
    q.push(" WHERE r.experiment_id IN (");
    let mut list = q.separated(", ");
    for e in query.experiments {
        list.push_bind(*e);
    }
    q.push(")");
    match query.view {
        View::Active => {
            q.push(" AND r.deleted_at IS NULL");
        }
        View::Deleted => {
            q.push(" AND r.deleted_at IS NOT NULL");
        }
        View::All => {}
    }
    if let Some(after) = query.changed_after {
        q.push(" AND r.updated_at > ").push_bind(after);
    }
    for clause in query.clauses {
        q.push(" AND ");
        push(q, clause, dialect);
    }
}

fn push<'a, DB>(q: &mut QueryBuilder<DB>, clause: &Clause, dialect: Dialect)
where
    DB: Database,
    String: Encode<'a, DB> + Type<DB>,
    i64: Encode<'a, DB> + Type<DB>,
    f64: Encode<'a, DB> + Type<DB>,
    RunId: Encode<'a, DB> + Type<DB>,
{
    match clause.entity {
        Entity::Attribute => attribute(q, clause, dialect),
        Entity::Dataset if clause.key == "context" => {
            // JSON is text here on either database, in an order of the server's own; the value stands quoted in it.
            q.push("EXISTS (SELECT 1 FROM run_input x WHERE x.run_id = r.id AND ");
            let path = match dialect {
                Dialect::Sqlite => format!("json_extract(x.tags, '$.\"{CONTEXT_TAG}\"')"),
                Dialect::Postgres => format!("(x.tags ->> '{CONTEXT_TAG}')"),
            };
            compare(q, &path, clause, dialect);
            q.push(")");
        }
        Entity::Dataset => {
            q.push("EXISTS (SELECT 1 FROM run_input x WHERE x.run_id = r.id AND ");
            let column = if clause.key == "digest" {
                "x.digest"
            } else {
                "x.name"
            };
            compare(q, column, clause, dialect);
            q.push(")");
        }
        entity => {
            let not = if clause.op == Op::IsNull { "NOT " } else { "" };
            q.push(format!(
                "{not}EXISTS (SELECT 1 FROM {} x WHERE x.run_id = r.id AND x.key = ",
                table(entity)
            ));
            q.push_bind(clause.key.clone());
            if !matches!(clause.op, Op::IsNull | Op::IsNotNull) {
                q.push(" AND ");
                compare(q, "x.value", clause, dialect);
            }
            q.push(")");
        }
    }
}

fn attribute<'a, DB>(q: &mut QueryBuilder<DB>, clause: &Clause, dialect: Dialect)
where
    DB: Database,
    String: Encode<'a, DB> + Type<DB>,
    i64: Encode<'a, DB> + Type<DB>,
    f64: Encode<'a, DB> + Type<DB>,
    RunId: Encode<'a, DB> + Type<DB>,
{
    match (clause.key.as_str(), &clause.value) {
        ("run_id", Value::List(_) | Value::Text(_)) => {
            let (texts, yes) = match (&clause.value, clause.op) {
                (Value::List(l), op) => (l.as_slice(), op == Op::In),
                (Value::Text(t), op) => (std::slice::from_ref(t), op != Op::Ne),
                _ => (&[][..], true),
            };
            let ids: Vec<RunId> = texts.iter().filter_map(|t| t.parse().ok()).collect();
            if ids.is_empty() {
                q.push(if yes { "1 = 0" } else { "1 = 1" });
                return;
            }
            q.push(if yes { "r.id IN (" } else { "r.id NOT IN (" });
            let mut list = q.separated(", ");
            for id in ids {
                list.push_bind(id);
            }
            q.push(")");
        }
        // Statuses are written large on the wire and small in the database.
        ("status", _) => {
            let low = |t: &String| t.to_lowercase();
            let value = match &clause.value {
                Value::Text(t) => Value::Text(low(t)),
                Value::List(l) => Value::List(l.iter().map(low).collect()),
                other => other.clone(),
            };
            compare(
                q,
                "r.status",
                &Clause {
                    value,
                    ..clause.clone()
                },
                dialect,
            );
        }
        (key, _) => compare(q, column(key), clause, dialect),
    }
}

/// `column op value`.
fn compare<'a, DB>(q: &mut QueryBuilder<DB>, column: &str, clause: &Clause, dialect: Dialect)
where
    DB: Database,
    String: Encode<'a, DB> + Type<DB>,
    i64: Encode<'a, DB> + Type<DB>,
    f64: Encode<'a, DB> + Type<DB>,
{
    let op = clause.op;
    match (&clause.value, op) {
        (Value::Whole(n), _) if clause.entity == Entity::Attribute => {
            q.push(format!("{column} {} ", op.as_str())).push_bind(*n);
        }
        (Value::Whole(_) | Value::Number(_), _) => {
            let n = clause.value.as_number().unwrap_or_default();
            q.push(format!("{column} {} ", op.as_str())).push_bind(n);
        }
        // SQLite's LIKE knows no case; its GLOB does.
        (Value::Text(t), Op::Like) if dialect == Dialect::Sqlite => {
            q.push(format!("{column} GLOB ")).push_bind(glob(t));
        }
        (Value::Text(t), Op::Like) => {
            q.push(format!("{column} LIKE "))
                .push_bind(t.clone())
                .push(" ESCAPE ''");
        }
        (Value::Text(t), Op::Ilike) => {
            q.push(format!("lower({column}) LIKE "))
                .push_bind(t.to_lowercase());
            q.push(dialect.pick("", " ESCAPE ''"));
        }
        (Value::Text(t), _) => {
            q.push(format!("{column} {} ", op.as_str())).push_bind(t.clone());
        }
        (Value::List(l), _) => {
            q.push(format!("{column} {} (", op.as_str()));
            let mut list = q.separated(", ");
            for t in l {
                list.push_bind(t.clone());
            }
            q.push(")");
        }
        (Value::None, _) => {
            q.push("1 = 0");
        }
    }
}

/// A pattern of LIKE as one of GLOB.
fn glob(like: &str) -> String {
    let mut out = String::with_capacity(like.len() + 8);
    for c in like.chars() {
        match c {
            '%' => out.push('*'),
            '_' => out.push('?'),
            '*' | '?' | '[' => {
                out.push('[');
                out.push(c);
                out.push(']');
            }
            c => out.push(c),
        }
    }
    out
}
