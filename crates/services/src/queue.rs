//! The labeling queue: leases with heartbeat, submit, skip, history.

mod finish;
mod work;

use crate::authz::{require_as, require_in};
use crate::cursor;
use crate::{Actor, Context, Error, Result};
use limn_domain::annotation::SaveOutcome;
use limn_domain::item::Item;
use limn_domain::project::ProjectStatus;
use limn_domain::queue::{Heartbeat, QueueState, QueueSummary, Skip, Submit, Taken, WorkItem};
use limn_domain::{Action, ItemId, Page, ProjectId, Role, Timestamp};
use limn_store::repo;
use std::collections::HashSet;

/// Most items taken at once.
const TAKE_MAX: i64 = 128;
/// Most items kept or given back at once.
const ITEMS_MAX: usize = 200;
/// Items on a page of history.
const PAGE: i64 = 50;

#[derive(Clone)]
pub struct Queue(pub(crate) Context);

impl Queue {
    /// Projects with work for the actor: running ones with items nobody else holds, and those with items in hand.
    pub async fn mine(&self, actor: &Actor) -> Result<Vec<QueueSummary>> {
        let me = actor.me()?;
        let mut tx = self.0.db.read().await?;
        let rows = repo::queue::mine(&mut tx, me.id, me.role == Role::Admin, self.0.now()).await?;
        Ok(rows
            .into_iter()
            .filter(|r| {
                let free = r.state.status == ProjectStatus::Running && r.state.todo > r.state.held_by_others;
                (free || r.in_hand > 0) && require_as(actor, Action::Label, r.project, r.member_role).is_ok()
            })
            .map(|r| QueueSummary {
                project_id: r.project,
                name: r.name,
                task: r.task,
                state: r.state,
                in_hand: r.in_hand,
            })
            .collect())
    }

    pub async fn state(&self, actor: &Actor, project: ProjectId) -> Result<QueueState> {
        let me = actor.me()?;
        let mut tx = self.0.db.read().await?;
        let context = repo::queue::project_context(&mut tx, project, me.id, self.0.now())
            .await?
            .ok_or_else(|| Error::not_found("project"))?;
        require_as(actor, Action::ViewProject, project, context.member_role)?;
        Ok(context.state)
    }

    /// The actor's leased items and, up to `count` (1..=128) in all, fresh ones leased now. Two people never get the same
    /// item. A paused project hands out nothing new.
    pub async fn take(&self, actor: &Actor, project: ProjectId, count: i64) -> Result<Taken> {
        if !(1..=TAKE_MAX).contains(&count) {
            return Err(Error::field(
                "count",
                format!("Take 1 to {TAKE_MAX} items at once."),
            ));
        }
        let me = actor.me()?.id;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let context = repo::queue::project_context(tx, project, me, now)
                        .await?
                        .ok_or_else(|| Error::not_found("project"))?;
                    require_as(&actor, Action::Label, project, context.member_role)?;
                    let paused = context.state.status == ProjectStatus::Paused;
                    let until = lease_end(now, context.settings.lease_minutes);
                    let taken = repo::queue::take(tx, project, me, count, paused, now, until).await?;
                    let items = work::with_labels(tx, taken, Some(me), now).await?;
                    Ok(Taken {
                        items,
                        state: context.state,
                    })
                })
            })
            .await
    }

    /// One item to look at or correct; leases it when it is to do, nobody else holds it, the actor may label and the
    /// project runs.
    pub async fn open(&self, actor: &Actor, item: ItemId) -> Result<WorkItem> {
        work::open(&self.0, actor, item).await
    }

    /// Extends the actor's leases on these items.
    pub async fn heartbeat(
        &self,
        actor: &Actor,
        project: ProjectId,
        items: Vec<ItemId>,
    ) -> Result<Heartbeat> {
        let items = distinct(items)?;
        let me = actor.me()?.id;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let context = repo::queue::project_context(tx, project, me, now)
                        .await?
                        .ok_or_else(|| Error::not_found("project"))?;
                    require_as(&actor, Action::Label, project, context.member_role)?;
                    let lease_until = lease_end(now, context.settings.lease_minutes);
                    let stand = repo::queue::heartbeat(tx, project, me, &items, lease_until).await?;
                    let (kept, lost) = items.into_iter().partition(|i| stand.contains(i));
                    Ok(Heartbeat {
                        kept,
                        lost,
                        lease_until,
                    })
                })
            })
            .await
    }

    /// Gives leased items back.
    pub async fn release(&self, actor: &Actor, project: ProjectId, items: Vec<ItemId>) -> Result<()> {
        let items = distinct(items)?;
        let me = actor.me()?.id;
        let actor = actor.clone();
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::Label, project).await?;
                    repo::queue::release(tx, project, me, &items).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Saves the riding change and marks the item done; `Conflict` when the revision has moved on. Sent again, it is
    /// answered as the first time. A finished item is corrected by submitting it again.
    pub async fn submit(&self, actor: &Actor, item: ItemId, input: Submit) -> Result<SaveOutcome> {
        finish::submit(&self.0, actor, item, input).await
    }

    /// Puts an item to do aside.
    pub async fn skip(&self, actor: &Actor, item: ItemId, input: Skip) -> Result<()> {
        finish::skip(&self.0, actor, item, input).await
    }

    /// What the actor submitted or skipped in the project, newest first.
    pub async fn history(
        &self,
        actor: &Actor,
        project: ProjectId,
        cursor: Option<String>,
    ) -> Result<Page<Item>> {
        let me = actor.me()?.id;
        let after = cursor.as_deref().map(decode_place).transpose()?;
        let now = self.0.now();
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewItems, project).await?;
        let mut rows = repo::queue::history(&mut tx, project, me, after, PAGE + 1, now).await?;
        let more = rows.len() as i64 > PAGE;
        rows.truncate(PAGE as usize);
        let next = rows.last().filter(|_| more).map(|i| {
            let at = i.done_at.unwrap_or_default();
            cursor::encode("h", &format!("{}.{}", at.0, i.export_id))
        });
        Ok(Page {
            rows,
            next,
            total: None,
        })
    }
}

/// When a lease taken now ends.
pub(crate) fn lease_end(now: Timestamp, minutes: i64) -> Timestamp {
    now.plus_seconds(minutes.max(1) * 60)
}

fn decode_place(text: &str) -> Result<(Timestamp, i64)> {
    let key = cursor::decode("h", text)?;
    let (at, id) = cursor::pair(&key)?;
    Ok((Timestamp(at), id))
}

/// Each item once, in the order given.
fn distinct(items: Vec<ItemId>) -> Result<Vec<ItemId>> {
    if items.len() > ITEMS_MAX {
        return Err(Error::field(
            "items",
            format!("Name at most {ITEMS_MAX} items at once."),
        ));
    }
    let mut seen = HashSet::with_capacity(items.len());
    Ok(items.into_iter().filter(|i| seen.insert(*i)).collect())
}
