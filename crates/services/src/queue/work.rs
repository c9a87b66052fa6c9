//! Items with their labels, as the label page gets them.

use super::lease_end;
use crate::annotations::{hide_project, no_item};
use crate::authz::require_as;
use crate::{Actor, Context, Result};
use limn_domain::annotation::ItemAnnotations;
use limn_domain::item::ItemStatus;
use limn_domain::project::ProjectStatus;
use limn_domain::queue::WorkItem;
use limn_domain::{Action, Annotation, ItemId, Timestamp, UserId};
use limn_store::repo::queue::Holding;
use limn_store::{Tx, repo};

/// Adds the labels: one query for those that have any, none when none has.
pub(super) async fn with_labels(
    tx: &mut Tx,
    taken: Vec<Holding>,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<Vec<WorkItem>> {
    let labeled: Vec<ItemId> = taken
        .iter()
        .filter(|h| h.item.annotation_count + h.item.prelabel_count > 0)
        .map(|h| h.item.id)
        .collect();
    let mut labels = repo::annotation::of_items(tx, &labeled).await?;
    Ok(taken
        .into_iter()
        .map(|h| {
            let annotations = labels.remove(&h.item.id).unwrap_or_default();
            assemble(h, annotations, user, now)
        })
        .collect())
}

fn assemble(h: Holding, annotations: Vec<Annotation>, user: Option<UserId>, now: Timestamp) -> WorkItem {
    let mine = user.is_some() && h.item.leased_by == user && h.lease_until > now;
    WorkItem {
        annotations: ItemAnnotations {
            item_id: h.item.id,
            revision: h.item.revision,
            updated_by: h.annotated_by,
            updated_by_name: h.annotated_by_name,
            updated_at: h.item.updated_at,
            attributes: h.about,
            annotations,
        },
        lease_until: mine.then_some(h.lease_until),
        held_by: None,
        item: h.item,
    }
}

/// See [`super::Queue::open`].
pub(super) async fn open(ctx: &Context, actor: &Actor, item: ItemId) -> Result<WorkItem> {
    let user = match actor {
        Actor::System => None,
        actor => Some(actor.me()?.id),
    };
    let now = ctx.now();
    let mut tx = ctx.db.read().await?;
    let c = repo::queue::item_context(&mut tx, item, user.unwrap_or(UserId::nil()))
        .await?
        .ok_or_else(no_item)?;
    require_as(actor, Action::ViewItems, c.project_id, c.member_role).map_err(hide_project)?;
    let labels = require_as(actor, Action::Label, c.project_id, c.member_role).is_ok();
    let own = c.lease_user_id.is_some() && c.lease_user_id == user;
    let free = c.status == ItemStatus::Todo && !c.held_by_other(user, now);
    if let Some(me) = user
        && labels
        && free
        && (own || c.project_status == ProjectStatus::Running)
    {
        drop(tx);
        let until = lease_end(now, c.settings.lease_minutes);
        return ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    repo::queue::lease_one(tx, item, me, now, until).await?;
                    read(tx, item, Some(me), now).await
                })
            })
            .await;
    }
    read(&mut tx, item, user, now).await
}

async fn read(tx: &mut Tx, item: ItemId, user: Option<UserId>, now: Timestamp) -> Result<WorkItem> {
    let h = repo::queue::holding(tx, item, now).await?.ok_or_else(no_item)?;
    let holder = h.item.leased_by.filter(|l| Some(*l) != user);
    let annotations = repo::annotation::of_item(tx, item).await?;
    let mut work = assemble(h, annotations, user, now);
    if let Some(holder) = holder {
        work.held_by = repo::user::get(tx, holder).await?.map(|u| u.name);
    }
    Ok(work)
}
