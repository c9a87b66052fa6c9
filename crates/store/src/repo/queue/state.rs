//! What the queue looks like to somebody, and everything a decision about one item needs, each in one query.

use crate::dialect::Dialect;
use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::item::ItemStatus;
use limn_domain::project::{ProjectSettings, ProjectStatus, Task};
use limn_domain::queue::QueueState;
use limn_domain::{ChangeId, ItemId, ProjectId, Role, Timestamp, UserId};
use sqlx::FromRow;

/// A project's queue as one person sees it.
#[derive(Debug, Clone)]
pub struct QueueContext {
    pub task: Task,
    pub settings: ProjectSettings,
    /// The person's role by membership.
    pub member_role: Option<Role>,
    pub state: QueueState,
}

/// A project in somebody's list of work.
#[derive(Debug, Clone)]
pub struct InHand {
    pub project: ProjectId,
    pub name: String,
    pub task: Task,
    pub member_role: Option<Role>,
    pub state: QueueState,
    /// Items leased by the person, ended leases that nobody else has taken included.
    pub in_hand: i64,
}

#[derive(FromRow)]
struct Row {
    id: ProjectId,
    name: String,
    task: Task,
    status: ProjectStatus,
    settings: Json<ProjectSettings>,
    member_role: Option<Role>,
    todo: i64,
    total: i64,
    mine: i64,
    held: i64,
    in_hand: i64,
}

impl Row {
    const fn state(&self) -> QueueState {
        QueueState {
            status: self.status,
            todo: self.todo,
            held_by_others: self.held,
            total: self.total,
            done_by_me: self.mine,
        }
    }
}

/// The queue of a project for a person; `None` when there is no such project.
pub async fn project_context(
    tx: &mut Tx,
    project: ProjectId,
    user: UserId,
    now: Timestamp,
) -> Result<Option<QueueContext>, StoreError> {
    let row: Option<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT p.id, p.name, p.task, p.status, p.settings, m.role AS member_role, c.todo, c.total, c.mine, \
             (SELECT count(*) FROM item i WHERE i.project_id = $1 AND i.lease_user_id IS NOT NULL \
              AND i.lease_until > $3 AND i.lease_user_id <> $2) AS held, CAST(0 AS BIGINT) AS in_hand \
             FROM project p CROSS JOIN ( \
               SELECT CAST(coalesce(sum(todo), 0) AS BIGINT) AS todo, \
               CAST(coalesce(sum(todo + done + skipped), 0) AS BIGINT) AS total, \
               CAST(coalesce(sum(CASE WHEN user_id = $2 THEN done ELSE 0 END), 0) AS BIGINT) AS mine \
               FROM project_counter WHERE project_id = $1) AS c \
             LEFT JOIN project_member m ON m.project_id = p.id AND m.user_id = $2 \
             WHERE p.id = $1 AND p.deleted_at IS NULL",
        )
        .bind(project)
        .bind(user)
        .bind(now)
        .fetch_optional(conn)
        .await?
    });
    Ok(row.map(|r| QueueContext {
        task: r.task,
        state: r.state(),
        member_role: r.member_role,
        settings: r.settings.0,
    }))
}

/// The projects in which the person is a member (or all), latest change first.
pub async fn mine(tx: &mut Tx, user: UserId, all: bool, now: Timestamp) -> Result<Vec<InHand>, StoreError> {
    let rows: Vec<Row> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT p.id, p.name, p.task, p.status, p.settings, m.role AS member_role, \
             coalesce(c.todo, 0) AS todo, coalesce(c.total, 0) AS total, coalesce(c.mine, 0) AS mine, \
             (SELECT count(*) FROM item i WHERE i.project_id = p.id AND i.lease_user_id IS NOT NULL \
              AND i.lease_until > $2 AND i.lease_user_id <> $1) AS held, \
             (SELECT count(*) FROM item i WHERE i.lease_user_id = $1 AND i.project_id = p.id) AS in_hand \
             FROM project p LEFT JOIN project_member m ON m.project_id = p.id AND m.user_id = $1 \
             LEFT JOIN ( \
               SELECT project_id, CAST(sum(todo) AS BIGINT) AS todo, \
               CAST(sum(todo + done + skipped) AS BIGINT) AS total, \
               CAST(sum(CASE WHEN user_id = $1 THEN done ELSE 0 END) AS BIGINT) AS mine \
               FROM project_counter GROUP BY project_id) AS c ON c.project_id = p.id \
             WHERE m.user_id IS NOT NULL OR $3 ORDER BY p.updated_at DESC, p.id",
        )
        .bind(user)
        .bind(now)
        .bind(all)
        .fetch_all(conn)
        .await?
    });
    Ok(rows
        .into_iter()
        .map(|r| InHand {
            project: r.id,
            task: r.task,
            member_role: r.member_role,
            state: r.state(),
            in_hand: r.in_hand,
            name: r.name,
        })
        .collect())
}

/// Everything a decision about an item needs.
#[derive(Debug, Clone, FromRow)]
pub struct ItemContext {
    pub project_id: ProjectId,
    pub task: Task,
    pub project_status: ProjectStatus,
    pub settings: Json<ProjectSettings>,
    /// The person's role by membership.
    pub member_role: Option<Role>,
    pub width: i64,
    pub height: i64,
    /// Unicode scalar values of a document.
    pub length: i64,
    pub status: ItemStatus,
    pub revision: i64,
    pub annotation_count: i64,
    pub prelabel_count: i64,
    pub done_by: Option<UserId>,
    pub lease_user_id: Option<UserId>,
    pub lease_until: Timestamp,
    /// Name of whoever is in `lease_user_id`.
    pub holder_name: Option<String>,
    /// The revision the given change was saved under before, if it was.
    pub replayed: Option<i64>,
}

impl ItemContext {
    /// Whether another person holds the item now.
    pub fn held_by_other(&self, user: Option<UserId>, now: Timestamp) -> bool {
        self.lease_user_id.is_some() && self.lease_user_id != user && self.lease_until > now
    }
}

macro_rules! context_text {
    ($lock:literal) => {
        concat!(
            "SELECT item.project_id, p.task, p.status AS project_status, p.settings, m.role AS member_role, \
             item.width, item.height, item.length, item.status, item.revision, item.annotation_count, item.prelabel_count, \
             item.done_by, item.lease_user_id, item.lease_until, \
             (SELECT u.name FROM user_account u WHERE u.id = item.lease_user_id) AS holder_name, \
             (SELECT c.revision FROM annotation_change c WHERE c.item_id = item.id AND c.change_id = $3) AS replayed \
             FROM item JOIN project p ON p.id = item.project_id \
             LEFT JOIN project_member m ON m.project_id = item.project_id AND m.user_id = $2 WHERE item.id = $1",
            $lock
        )
    };
}

/// The context of an item, to look only. `user` is the nil id for nobody.
pub async fn item_context(
    tx: &mut Tx,
    item: ItemId,
    user: UserId,
) -> Result<Option<ItemContext>, StoreError> {
    context(tx, context_text!(""), item, user, ChangeId::nil()).await
}

/// The context of an item, which stays as it is until the transaction ends. `replayed` may miss an edit that another
/// request committed while this one waited for the item: ask `annotation::replayed` before calling it a conflict.
pub async fn lock_item(
    tx: &mut Tx,
    item: ItemId,
    user: UserId,
    change: Option<ChangeId>,
) -> Result<Option<ItemContext>, StoreError> {
    let text = Dialect::of(tx).pick(context_text!(""), context_text!(" FOR UPDATE OF item"));
    context(tx, text, item, user, change.unwrap_or(ChangeId::nil())).await
}

async fn context(
    tx: &mut Tx,
    text: &'static str,
    item: ItemId,
    user: UserId,
    change: ChangeId,
) -> Result<Option<ItemContext>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_as(text).bind(item).bind(user).bind(change).fetch_optional(conn).await?
    }))
}
