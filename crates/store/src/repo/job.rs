//! job rows: the durable queue and what people see of it.
//!
//! A job is `queued`, then `running` under a claim (the `worker` text, unique for each claim) and a lease, then final.
//! Every write of a running job names its claim: a worker that lost its lease changes nothing any more.

use crate::dialect::Dialect;
use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::job::{Job, JobLogLine, JobState};
use limn_domain::{DatasetId, JobId, ProjectId, Timestamp, UserId};
use serde_json::Value;
use sqlx::QueryBuilder;

/// Longest text of a message, log line or error kept, in characters.
const TEXT_MAX: usize = 2_000;
/// Results longer than this are left out of lists, in characters of JSON.
const LISTED_RESULT_MAX: i64 = 4_096;
/// Lines kept of one job's log; later ones are dropped.
const LOG_MAX: i64 = 10_000;

/// A job to insert.
#[derive(Debug, Clone)]
pub struct Insert<'a> {
    pub kind: &'a str,
    pub title: &'a str,
    pub project_id: Option<ProjectId>,
    pub created_by: Option<UserId>,
    pub payload: &'a Value,
    pub dedup_key: Option<&'a str>,
    pub priority: i64,
    pub max_attempts: i64,
    pub run_after: Timestamp,
    pub now: Timestamp,
}

/// A job handed to a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    /// This attempt's number, from 1.
    pub attempts: i64,
    pub max_attempts: i64,
}

/// What waits for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// A job could be claimed now.
    pub claimable: bool,
    /// A running job's lease has ended.
    pub expired: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Succeeded(Option<Value>),
    /// For good; the text is for people.
    Failed(String),
    /// Runs again from this time; the text is for people.
    Retry(String, Timestamp),
    Cancelled,
    /// Back to the queue, as if it had not been tried.
    HandedBack,
}

/// Which jobs a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListFilter {
    pub project: Option<ProjectId>,
    /// Only this person's own jobs and those of projects they are a member of.
    pub visible_to: Option<UserId>,
    /// Queued and running only.
    pub active_only: bool,
    /// Rows after this one.
    pub after: Option<(Timestamp, JobId)>,
    pub limit: i64,
}

#[derive(sqlx::FromRow)]
struct JobRow {
    id: JobId,
    kind: String,
    title: String,
    project_id: Option<ProjectId>,
    created_by: Option<UserId>,
    state: JobState,
    done: i64,
    total: i64,
    message: String,
    cancel_requested: bool,
    attempts: i64,
    result: Option<Json<Value>>,
    error: Option<String>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl From<JobRow> for Job {
    fn from(r: JobRow) -> Self {
        Self {
            id: r.id,
            kind: r.kind,
            title: r.title,
            project_id: r.project_id,
            created_by: r.created_by,
            state: r.state,
            done: r.done,
            total: r.total,
            message: r.message,
            cancel_requested: r.cancel_requested,
            attempts: r.attempts,
            result: r.result.map(|j| j.0),
            error: r.error,
            created_at: r.created_at,
            started_at: r.started_at,
            finished_at: r.finished_at,
        }
    }
}

/// Adds a job. When one with the same `dedup_key` is queued already, answers that one; it then starts only after this
/// transaction has ended.
pub async fn insert(tx: &mut Tx, job: Insert<'_>) -> Result<JobId, StoreError> {
    let id = JobId::new();
    // The queued twin may be claimed between the two statements; then a second round inserts.
    for _ in 0..5 {
        let inserted: Option<JobId> = on_tx!(tx, conn => {
            sqlx::query_scalar(
                "INSERT INTO job (id, kind, title, project_id, created_by, payload, state, priority, dedup_key, \
                 run_after, max_attempts, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9, $10, $11) \
                 ON CONFLICT (dedup_key) WHERE dedup_key IS NOT NULL AND state = 'queued' DO NOTHING \
                 RETURNING id",
            )
            .bind(id)
            .bind(job.kind)
            .bind(cut(job.title))
            .bind(job.project_id)
            .bind(job.created_by)
            .bind(Json(job.payload))
            .bind(job.priority)
            .bind(job.dedup_key)
            .bind(job.run_after)
            .bind(job.max_attempts.max(1))
            .bind(job.now)
            .fetch_optional(conn)
            .await?
        });
        if let Some(id) = inserted {
            return Ok(id);
        }
        let sql = Dialect::of(tx).pick(
            "SELECT id FROM job WHERE dedup_key = $1 AND state = 'queued'",
            "SELECT id FROM job WHERE dedup_key = $1 AND state = 'queued' FOR UPDATE",
        );
        let twin: Option<JobId> = on_tx!(tx, conn => {
            sqlx::query_scalar(sql).bind(job.dedup_key).fetch_optional(conn).await?
        });
        if let Some(id) = twin {
            return Ok(id);
        }
    }
    Err(StoreError::Unique("job.dedup_key".to_owned()))
}

/// Whether there is anything to claim or to reap, without writing.
pub async fn waiting(tx: &mut Tx, kinds: &[&str], now: Timestamp) -> Result<Waiting, StoreError> {
    let (claimable, expired): (bool, bool) = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT EXISTS (SELECT 1 FROM job WHERE state = 'queued' AND run_after <= ");
        q.push_bind(now).push(" AND kind IN (");
        let mut list = q.separated(", ");
        for kind in kinds {
            list.push_bind(*kind);
        }
        q.push(")), EXISTS (SELECT 1 FROM job WHERE state = 'running' AND lease_until < ").push_bind(now).push(")");
        q.build_query_as().fetch_one(conn).await?
    });
    Ok(Waiting { claimable, expired })
}

/// Hands the most urgent due job of these kinds to the claim named `worker`. Concurrent claimers never get the same.
pub async fn claim(
    tx: &mut Tx,
    worker: &str,
    kinds: &[&str],
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    type Row = (JobId, String, Json<Value>, i64, i64);
    let lock = Dialect::of(tx).skip_locked();
    let row: Option<Row> = on_tx!(tx, conn => {
        // A running job has no key: it may come back to a queue where an equal one waits by then.
        let mut q = QueryBuilder::new("UPDATE job SET state = 'running', dedup_key = NULL, worker = ");
        q.push_bind(worker).push(", lease_until = ").push_bind(lease_until);
        q.push(", started_at = ").push_bind(now);
        q.push(
            ", attempts = attempts + 1, done = 0, total = 0, message = '', error = NULL WHERE state = 'queued' AND id = (\
             SELECT id FROM job WHERE state = 'queued' AND run_after <= ",
        );
        q.push_bind(now).push(" AND kind IN (");
        let mut list = q.separated(", ");
        for kind in kinds {
            list.push_bind(*kind);
        }
        q.push(") ORDER BY priority DESC, run_after, id LIMIT 1").push(lock);
        q.push(") RETURNING id, kind, payload, attempts, max_attempts");
        q.build_query_as().fetch_optional(conn).await?
    });
    Ok(row.map(|(id, kind, payload, attempts, max_attempts)| Claimed {
        id,
        kind,
        payload: payload.0,
        attempts,
        max_attempts,
    }))
}

/// Takes back running jobs whose lease has ended: to the queue, or to a final state when a cancel was asked for or no
/// attempt is left. Answers how many.
pub async fn reap(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    let done = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE job SET worker = NULL, lease_until = 0, run_after = $1, \
             state = CASE WHEN cancel_requested THEN 'cancelled' WHEN attempts >= max_attempts THEN 'failed' ELSE 'queued' END, \
             error = CASE WHEN cancel_requested OR attempts < max_attempts THEN NULL \
                     ELSE 'The server stopped while this ran, each time it was tried. Look at the server''s log.' END, \
             message = CASE WHEN cancel_requested OR attempts >= max_attempts THEN '' \
                       ELSE 'Waiting to run again: the server stopped while this ran' END, \
             finished_at = CASE WHEN cancel_requested OR attempts >= max_attempts THEN $1 ELSE NULL END \
             WHERE state = 'running' AND lease_until < $1",
        )
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(done)
}

/// Whether a cancel was asked for; `None` when the claim no longer stands.
pub async fn watch(tx: &mut Tx, id: JobId, worker: &str) -> Result<Option<bool>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT cancel_requested FROM job WHERE id = $1 AND worker = $2 AND state = 'running'")
            .bind(id)
            .bind(worker)
            .fetch_optional(conn)
            .await?
    }))
}

/// Extends the lease; false when the claim no longer stands.
pub async fn extend(
    tx: &mut Tx,
    id: JobId,
    worker: &str,
    lease_until: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on_tx!(tx, conn => {
        sqlx::query("UPDATE job SET lease_until = $3 WHERE id = $1 AND worker = $2 AND state = 'running'")
            .bind(id)
            .bind(worker)
            .bind(lease_until)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(rows > 0)
}

/// Notes how far a running job is.
pub async fn progress(
    tx: &mut Tx,
    id: JobId,
    worker: &str,
    done: i64,
    total: i64,
    message: &str,
) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE job SET done = $3, total = $4, message = $5 WHERE id = $1 AND worker = $2 AND state = 'running'",
        )
        .bind(id)
        .bind(worker)
        .bind(done)
        .bind(total)
        .bind(cut(message))
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Adds a line to a job's log.
pub async fn log(tx: &mut Tx, id: JobId, message: &str, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO job_log (job_id, seq, at, message) \
             SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3 FROM job_log WHERE job_id = $1 HAVING COALESCE(MAX(seq), 0) < $4",
        )
        .bind(id)
        .bind(now)
        .bind(cut(message))
        .bind(LOG_MAX)
        .execute(conn)
        .await?;
    });
    Ok(())
}

/// Ends an attempt; false when the claim no longer stands (nothing is written then).
pub async fn end(
    tx: &mut Tx,
    id: JobId,
    worker: &str,
    end: &End,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = match end {
        End::Succeeded(result) => on_tx!(tx, conn => {
            sqlx::query(
                "UPDATE job SET state = 'succeeded', result = $3, error = NULL, message = '', worker = NULL, finished_at = $4 \
                 WHERE id = $1 AND worker = $2 AND state = 'running'",
            )
            .bind(id)
            .bind(worker)
            .bind(result.as_ref().map(Json))
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
        }),
        End::Failed(error) => on_tx!(tx, conn => {
            sqlx::query(
                "UPDATE job SET state = 'failed', error = $3, message = '', worker = NULL, finished_at = $4 \
                 WHERE id = $1 AND worker = $2 AND state = 'running'",
            )
            .bind(id)
            .bind(worker)
            .bind(cut(error))
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
        }),
        End::Retry(error, at) => on_tx!(tx, conn => {
            sqlx::query(
                "UPDATE job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END, \
                 finished_at = CASE WHEN cancel_requested THEN $5 ELSE NULL END, \
                 error = $3, message = 'Waiting to try again', worker = NULL, lease_until = 0, run_after = $4 \
                 WHERE id = $1 AND worker = $2 AND state = 'running'",
            )
            .bind(id)
            .bind(worker)
            .bind(cut(error))
            .bind(*at)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
        }),
        End::Cancelled => on_tx!(tx, conn => {
            sqlx::query(
                "UPDATE job SET state = 'cancelled', message = '', worker = NULL, finished_at = $3 \
                 WHERE id = $1 AND worker = $2 AND state = 'running'",
            )
            .bind(id)
            .bind(worker)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
        }),
        End::HandedBack => on_tx!(tx, conn => {
            sqlx::query(
                "UPDATE job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END, \
                 finished_at = CASE WHEN cancel_requested THEN $3 ELSE NULL END, \
                 attempts = attempts - 1, message = 'Waiting: the server was stopped', worker = NULL, lease_until = 0, \
                 run_after = $3 WHERE id = $1 AND worker = $2 AND state = 'running'",
            )
            .bind(id)
            .bind(worker)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
        }),
    };
    Ok(rows > 0)
}

/// Asks for a cancel: a queued job ends at once, a running one is told. False when it is final already.
pub async fn request_cancel(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<bool, StoreError> {
    let rows = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE job SET cancel_requested = TRUE, \
             finished_at = CASE WHEN state = 'queued' THEN $2 ELSE finished_at END, \
             message = CASE WHEN state = 'queued' THEN '' ELSE message END, \
             state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END \
             WHERE id = $1 AND state IN ('queued', 'running')",
        )
        .bind(id)
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(rows > 0)
}

/// Queues a failed or cancelled job again, with all its attempts. False when it is in another state.
pub async fn requeue(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<bool, StoreError> {
    let rows = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE job SET state = 'queued', dedup_key = NULL, cancel_requested = FALSE, attempts = 0, run_after = $2, \
             done = 0, total = 0, message = '', error = NULL, result = NULL, started_at = NULL, finished_at = NULL, \
             worker = NULL, lease_until = 0 WHERE id = $1 AND state IN ('failed', 'cancelled')",
        )
        .bind(id)
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(rows > 0)
}

/// One job, with its whole result.
pub async fn get(tx: &mut Tx, id: JobId) -> Result<Option<Job>, StoreError> {
    let row: Option<JobRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT id, kind, title, project_id, created_by, state, done, total, message, cancel_requested, attempts, \
             result, error, created_at, started_at, finished_at FROM job WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(Job::from))
}

/// What the job was given.
pub async fn payload(tx: &mut Tx, id: JobId) -> Result<Option<Value>, StoreError> {
    let row: Option<Json<Value>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT payload FROM job WHERE id = $1").bind(id).fetch_optional(conn).await?
    });
    Ok(row.map(|j| j.0))
}

/// Jobs, newest first. Long results (import reports) are left out; [`get`] has them.
pub async fn list(tx: &mut Tx, filter: &ListFilter) -> Result<Vec<Job>, StoreError> {
    let rows: Vec<JobRow> = on_tx!(tx, conn => {
        let mut q = QueryBuilder::new(
            "SELECT id, kind, title, project_id, created_by, state, done, total, message, cancel_requested, attempts, \
             CASE WHEN length(CAST(result AS TEXT)) <= ",
        );
        q.push_bind(LISTED_RESULT_MAX);
        q.push(" THEN result END AS result, error, created_at, started_at, finished_at FROM job WHERE TRUE");
        if let Some(project) = filter.project {
            q.push(" AND project_id = ").push_bind(project);
        }
        if let Some(user) = filter.visible_to {
            q.push(" AND (created_by = ").push_bind(user);
            q.push(" OR project_id IN (SELECT project_id FROM project_member WHERE user_id = ").push_bind(user);
            q.push("))");
        }
        if filter.active_only {
            q.push(" AND state IN ('queued', 'running')");
        }
        if let Some((at, id)) = filter.after {
            q.push(" AND (created_at < ").push_bind(at);
            q.push(" OR (created_at = ").push_bind(at).push(" AND id < ").push_bind(id).push("))");
        }
        q.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(filter.limit);
        q.build_query_as().fetch_all(conn).await?
    });
    Ok(rows.into_iter().map(Job::from).collect())
}

/// Log lines after the first `after`, oldest first.
pub async fn log_lines(
    tx: &mut Tx,
    id: JobId,
    after: i64,
    limit: i64,
) -> Result<Vec<JobLogLine>, StoreError> {
    let rows: Vec<(Timestamp, String)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT at, message FROM job_log WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT $3")
            .bind(id)
            .bind(after)
            .bind(limit)
            .fetch_all(conn)
            .await?
    });
    Ok(rows
        .into_iter()
        .map(|(at, message)| JobLogLine { at, message })
        .collect())
}

/// Counts of queued and running jobs, for metrics.
pub async fn counts(tx: &mut Tx) -> Result<(i64, i64), StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0) AS BIGINT), \
             CAST(COALESCE(SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0) AS BIGINT) \
             FROM job WHERE state IN ('queued', 'running')",
        )
        .fetch_one(conn)
        .await?
    }))
}

/// Removes jobs that ended before `before`, at most `limit`; answers which.
pub async fn delete_ended(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<JobId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state IN ('succeeded', 'failed', 'cancelled') \
             AND finished_at < $1 ORDER BY finished_at LIMIT $2) RETURNING id",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(TEXT_MAX)
        .map_or(text, |(end, _)| &text[..end])
}

/// Says which dataset a job works on.
pub async fn set_dataset(tx: &mut Tx, id: JobId, dataset: DatasetId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("UPDATE job SET dataset_id = $2 WHERE id = $1").bind(id).bind(dataset).execute(conn).await?;
    });
    Ok(())
}

/// The dataset a job works on, if any.
pub async fn dataset(tx: &mut Tx, id: JobId) -> Result<Option<DatasetId>, StoreError> {
    let found: Option<Option<DatasetId>> = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT dataset_id FROM job WHERE id = $1").bind(id).fetch_optional(conn).await?
    });
    Ok(found.flatten())
}

/// When the oldest running job of a kind began.
pub async fn oldest_running(tx: &mut Tx, kind: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT min(started_at) FROM job WHERE kind = $1 AND state = 'running'")
            .bind(kind)
            .fetch_one(conn)
            .await?
    }))
}
