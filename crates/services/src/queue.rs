//! The labeling queue: leases with heartbeat, submit, skip, history.

use crate::{Actor, Context, Result};
use limn_domain::annotation::SaveOutcome;
use limn_domain::item::Item;
use limn_domain::queue::{Heartbeat, QueueState, QueueSummary, Skip, Submit, Taken, WorkItem};
use limn_domain::{ItemId, Page, ProjectId};

#[derive(Clone)]
pub struct Queue(pub(crate) Context);

impl Queue {
    /// Projects with work for the actor.
    pub async fn mine(&self, actor: &Actor) -> Result<Vec<QueueSummary>> {
        todo!()
    }
    pub async fn state(&self, actor: &Actor, project: ProjectId) -> Result<QueueState> {
        todo!()
    }
    /// The actor's leased items and, up to `count` (1..=10) in all, fresh ones leased now. Two people never get the same
    /// item. A paused project hands out nothing new.
    pub async fn take(&self, actor: &Actor, project: ProjectId, count: i64) -> Result<Taken> {
        todo!()
    }
    /// One item to look at or correct; leases it when it is to do and nobody else holds it.
    pub async fn open(&self, actor: &Actor, item: ItemId) -> Result<WorkItem> {
        todo!()
    }
    /// Extends the actor's leases on these items.
    pub async fn heartbeat(
        &self,
        actor: &Actor,
        project: ProjectId,
        items: Vec<ItemId>,
    ) -> Result<Heartbeat> {
        todo!()
    }
    /// Gives leased items back.
    pub async fn release(&self, actor: &Actor, project: ProjectId, items: Vec<ItemId>) -> Result<()> {
        todo!()
    }
    /// Saves the riding change and marks the item done; `Conflict` when the revision has moved on.
    pub async fn submit(&self, actor: &Actor, item: ItemId, input: Submit) -> Result<SaveOutcome> {
        todo!()
    }
    pub async fn skip(&self, actor: &Actor, item: ItemId, input: Skip) -> Result<()> {
        todo!()
    }
    /// What the actor submitted or skipped in the project, newest first.
    pub async fn history(
        &self,
        actor: &Actor,
        project: ProjectId,
        cursor: Option<String>,
    ) -> Result<Page<Item>> {
        todo!()
    }
}
