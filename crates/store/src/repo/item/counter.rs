//! Items by status, without counting them.

use crate::{StoreError, Tx, on_tx};
use limn_domain::item::ItemStatus;
use limn_domain::project::Progress;
use limn_domain::{ProjectId, UserId};
use sqlx::FromRow;
use std::collections::{BTreeMap, HashMap};

/// What counts of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub status: ItemStatus,
    pub prelabeled: bool,
    /// Who submitted or skipped it.
    pub done_by: Option<UserId>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Delta {
    todo: i64,
    done: i64,
    skipped: i64,
    prelabeled: i64,
}

/// Changes to a project's counters, gathered over a transaction and written at its end.
///
/// At the end, so that nobody waits for an item while holding a counter: with items always locked first no two
/// transactions can wait for each other.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<UserId, Delta>);

impl Tally {
    /// An item that was like this is like this no more.
    pub fn leave(&mut self, was: Standing) {
        self.add(was, -1);
    }

    /// An item is like this now.
    pub fn enter(&mut self, is: Standing) {
        self.add(is, 1);
    }

    /// `n` new items wait in the queue.
    pub fn added(&mut self, n: i64) {
        self.0.entry(UserId::nil()).or_default().todo += n;
    }

    /// `n` items to do lost their last proposal (negative: got their first).
    pub fn no_longer_prelabeled(&mut self, n: i64) {
        self.0.entry(UserId::nil()).or_default().prelabeled -= n;
    }

    fn add(&mut self, s: Standing, n: i64) {
        let user = match s.status {
            ItemStatus::Todo => None,
            ItemStatus::Done | ItemStatus::Skipped => s.done_by,
        };
        let d = self.0.entry(user.unwrap_or(UserId::nil())).or_default();
        match s.status {
            ItemStatus::Todo => {
                d.todo += n;
                d.prelabeled += n * i64::from(s.prelabeled);
            }
            ItemStatus::Done => d.done += n,
            ItemStatus::Skipped => d.skipped += n,
        }
    }

    /// Books what is not split by person (`todo`) on the actor's row, so that people do not wait for one row.
    #[must_use]
    pub fn on_row_of(mut self, actor: Option<UserId>) -> Self {
        if let Some(actor) = actor
            && let Some(shared) = self.0.remove(&UserId::nil())
        {
            let (mine, kept) = (
                Delta {
                    todo: shared.todo,
                    prelabeled: shared.prelabeled,
                    ..Delta::default()
                },
                Delta {
                    done: shared.done,
                    skipped: shared.skipped,
                    ..Delta::default()
                },
            );
            let row = self.0.entry(actor).or_default();
            row.todo += mine.todo;
            row.prelabeled += mine.prelabeled;
            if kept != Delta::default() {
                self.0.insert(UserId::nil(), kept);
            }
        }
        self
    }

    /// Writes what has changed; nothing when nothing has.
    pub async fn write(self, tx: &mut Tx, project: ProjectId) -> Result<(), StoreError> {
        for (user, d) in self.0 {
            if d == Delta::default() {
                continue;
            }
            on_tx!(tx, conn => {
                sqlx::query(
                    "INSERT INTO project_counter (project_id, user_id, todo, done, skipped, prelabeled) \
                     VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (project_id, user_id) DO UPDATE SET \
                     todo = project_counter.todo + excluded.todo, \
                     done = project_counter.done + excluded.done, \
                     skipped = project_counter.skipped + excluded.skipped, \
                     prelabeled = project_counter.prelabeled + excluded.prelabeled",
                )
                .bind(project)
                .bind(user)
                .bind(d.todo)
                .bind(d.done)
                .bind(d.skipped)
                .bind(d.prelabeled)
                .execute(conn)
                .await?;
            });
        }
        Ok(())
    }
}

#[derive(FromRow)]
struct ProgressRow {
    project_id: ProjectId,
    todo: i64,
    done: i64,
    skipped: i64,
    prelabeled: i64,
}

impl From<ProgressRow> for Progress {
    fn from(r: ProgressRow) -> Self {
        Self {
            total: r.todo + r.done + r.skipped,
            todo: r.todo,
            done: r.done,
            skipped: r.skipped,
            prelabeled: r.prelabeled,
        }
    }
}

/// Items of a project by status; zeros for a project without items.
pub async fn progress(tx: &mut Tx, project: ProjectId) -> Result<Progress, StoreError> {
    let row: Option<ProgressRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT project_id, CAST(sum(todo) AS BIGINT) AS todo, CAST(sum(done) AS BIGINT) AS done, \
             CAST(sum(skipped) AS BIGINT) AS skipped, CAST(sum(prelabeled) AS BIGINT) AS prelabeled \
             FROM project_counter WHERE project_id = $1 GROUP BY project_id",
        )
        .bind(project)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(Progress::from).unwrap_or_default())
}

/// Items by status of every project that ever had one.
pub async fn progress_of_all(tx: &mut Tx) -> Result<HashMap<ProjectId, Progress>, StoreError> {
    let rows: Vec<ProgressRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT project_id, CAST(sum(todo) AS BIGINT) AS todo, CAST(sum(done) AS BIGINT) AS done, \
             CAST(sum(skipped) AS BIGINT) AS skipped, CAST(sum(prelabeled) AS BIGINT) AS prelabeled \
             FROM project_counter GROUP BY project_id",
        )
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|r| (r.project_id, Progress::from(r)))
        .collect())
}

/// Items each person has submitted in the project.
pub async fn done_by_user(tx: &mut Tx, project: ProjectId) -> Result<HashMap<UserId, i64>, StoreError> {
    let rows: Vec<(UserId, i64)> = on_tx!(tx, conn => {
        sqlx::query_as("SELECT user_id, done FROM project_counter WHERE project_id = $1")
            .bind(project)
            .fetch_all(conn)
            .await?
    });
    Ok(rows.into_iter().collect())
}

/// Counts the items themselves: what the counters must say. Reads every item; for checks.
pub async fn recount(tx: &mut Tx, project: ProjectId) -> Result<Progress, StoreError> {
    let rows: Vec<(ItemStatus, i64, i64)> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT status, count(*), CAST(sum(CASE WHEN prelabel_count > 0 THEN 1 ELSE 0 END) AS BIGINT) \
             FROM item WHERE project_id = $1 GROUP BY status",
        )
        .bind(project)
        .fetch_all(conn)
        .await?
    });
    let mut p = Progress::default();
    for (status, n, prelabeled) in rows {
        p.total += n;
        match status {
            ItemStatus::Todo => (p.todo, p.prelabeled) = (n, prelabeled),
            ItemStatus::Done => p.done = n,
            ItemStatus::Skipped => p.skipped = n,
        }
    }
    Ok(p)
}
