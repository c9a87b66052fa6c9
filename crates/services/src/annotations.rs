//! Labels of items: reading and saving with revisions.

mod apart;
mod check;
mod known;
mod save;

pub(crate) use known::require_category;
pub(crate) use save::{Edit, conflict, may_edit, save_in};

use crate::authz::require_in;
use crate::{Actor, Context, Error, Result};
use limn_domain::annotation::{ItemAnnotations, SaveChange, SaveOutcome};
use limn_domain::{Action, ApiError, Code, ItemId, UserId};
use limn_store::{Tx, repo};

#[derive(Clone)]
pub struct Annotations(pub(crate) Context);

impl Annotations {
    pub async fn get(&self, actor: &Actor, item: ItemId) -> Result<ItemAnnotations> {
        let mut tx = self.0.db.read().await?;
        require_item(&mut tx, actor, Action::ViewItems, item).await?;
        repo::annotation::current(&mut tx, item)
            .await?
            .ok_or_else(no_item)
    }

    /// Saves one edit: durable when this returns, idempotent by `change_id` (the last 64 edits of an item are known); a
    /// newer revision on the server is answered with `Conflict` and nothing is written.
    ///
    /// Whoever holds the item may save, and anybody who may label while nobody else holds it; what is submitted only its
    /// submitter and reviewers. `ItemTaken` names another holder.
    pub async fn save(&self, actor: &Actor, item: ItemId, change: SaveChange) -> Result<SaveOutcome> {
        let change = checked(actor, change)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let user = actor.user_id().unwrap_or(UserId::nil());
                    let context = repo::queue::lock_item(tx, item, user, Some(change.change_id))
                        .await?
                        .ok_or_else(no_item)?;
                    let mut edit = Edit {
                        actor: &actor,
                        item,
                        context,
                        now,
                    };
                    may_edit(&edit)?;
                    save_in(tx, &mut edit, change).await
                })
            })
            .await
    }
}

/// The checks of an edit that need no database. Anonymous callers are sent away first.
pub(crate) fn checked(actor: &Actor, change: SaveChange) -> Result<SaveChange> {
    if !matches!(actor, Actor::System) {
        actor.me()?;
    }
    check::change(change)
}

/// Checks an action in the project of an item. Outsiders learn only that there is no such item.
pub(crate) async fn require_item(
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    item: ItemId,
) -> Result<limn_domain::ProjectId> {
    if !matches!(actor, Actor::System) {
        actor.me()?;
    }
    let project = repo::item::project_of(tx, item).await?.ok_or_else(no_item)?;
    require_in(tx, actor, action, project)
        .await
        .map_err(hide_project)?;
    Ok(project)
}

/// There is no such item, as far as the caller may know.
pub(crate) fn no_item() -> Error {
    Error::not_found("item")
}

/// "No such project", asked about an item, is "no such item".
pub(crate) fn hide_project(e: Error) -> Error {
    match e {
        Error::Api(ApiError {
            code: Code::NotFound, ..
        }) => no_item(),
        e => e,
    }
}
