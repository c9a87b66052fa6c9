//! One thing done to many items.

use super::filter;
use crate::annotations::require_category;
use crate::authz::require_in;
use crate::{Actor, Context, Error, Result};
use limn_domain::item::{BulkAction, BulkOutcome, ItemSelection};
use limn_domain::project::Task;
use limn_domain::{Action, Code, ItemId, ProjectId, Timestamp};
use limn_store::repo::item::Filter;
use limn_store::repo::item::bulk::{self, CHUNK, Chosen, Stamp};
use limn_store::repo::item::counter::Tally;
use limn_store::{Tx, repo};
use std::collections::HashSet;
use std::sync::Arc;

/// Items of one transaction; more named ones are refused, more matching ones take several.
const PER_TRANSACTION: usize = 5_000;

/// What one transaction works on.
#[derive(Clone)]
enum Part {
    Ids(Vec<ItemId>),
    /// Those of a list from a place on.
    Listed(Arc<Vec<ItemId>>, usize),
    /// Matching items with export ids above the first number, up to the second.
    Matching(Filter, i64, i64),
}

/// What one transaction did.
struct Step {
    changed: i64,
    /// The export id or the place to go on from; `None` at the end.
    next: Option<i64>,
}

/// See [`super::Items::bulk`].
pub(super) async fn run(
    ctx: &Context,
    actor: &Actor,
    project: ProjectId,
    selection: ItemSelection,
    action: BulkAction,
) -> Result<BulkOutcome> {
    let mut tx = ctx.db.read().await?;
    require(&mut tx, actor, project, &action).await?;
    let mut part = match selection {
        ItemSelection::Ids(ids) => {
            drop(tx);
            let mut seen = HashSet::new();
            let ids: Vec<ItemId> = ids.into_iter().filter(|i| seen.insert(*i)).collect();
            if ids.len() > PER_TRANSACTION {
                return Err(Error::field(
                    "ids",
                    format!(
                        "Name at most {PER_TRANSACTION} items at once, or select all that match a filter."
                    ),
                ));
            }
            Part::Ids(ids)
        }
        // Items added from now on are not meant.
        ItemSelection::Matching(query) => {
            let up_to = bulk::last_export_id(&mut tx, project).await?;
            drop(tx);
            Part::Matching(filter(project, query)?, 0, up_to)
        }
        ItemSelection::Found(filter) => {
            drop(tx);
            let ids = crate::explore::items::found(ctx, project, &filter).await?;
            Part::Listed(Arc::new(ids), 0)
        }
    };
    let mut changed = 0;
    loop {
        // The time of each unit of work, by which others notice what has changed.
        let now = ctx.now();
        let (actor, action, this, so_far) = (actor.clone(), action.clone(), part.clone(), changed);
        let step: Step = ctx
            .db
            .write(move |tx| {
                Box::pin(async move { step(tx, &actor, project, this, action, now, so_far).await })
            })
            .await?;
        changed += step.changed;
        match (step.next, &mut part) {
            (Some(next), Part::Matching(_, after, _)) => *after = next,
            (Some(next), Part::Listed(_, from)) => *from = usize::try_from(next).unwrap_or(usize::MAX),
            _ => return Ok(BulkOutcome { changed }),
        }
    }
}

/// Who may do this, and whether it makes sense in this project.
async fn require(tx: &mut Tx, actor: &Actor, project: ProjectId, action: &BulkAction) -> Result<()> {
    let needed = match action {
        BulkAction::Requeue | BulkAction::Delete | BulkAction::ClearAnnotations => Action::ManageItems,
        BulkAction::Classify(_) => Action::EditOthersLabels,
    };
    require_in(tx, actor, needed, project).await?;
    if let BulkAction::Classify(category) = action {
        if task(tx, project).await?.marks_objects() {
            return Err(Error::new(
                Code::WrongState,
                "This project labels objects; whole images can be classified in classification projects.",
            ));
        }
        require_category(tx, project, *category).await?;
    }
    Ok(())
}

async fn task(tx: &mut Tx, project: ProjectId) -> Result<Task> {
    let found = repo::transfer::title(tx, project).await?;
    Ok(found.ok_or_else(|| Error::not_found("project"))?.1)
}

/// One transaction.
async fn step(
    tx: &mut Tx,
    actor: &Actor,
    project: ProjectId,
    part: Part,
    action: BulkAction,
    now: Timestamp,
    so_far: i64,
) -> Result<Step> {
    // Again, under the transaction: a category or a membership may have gone meanwhile.
    require(tx, actor, project, &action).await?;
    let single = match action {
        BulkAction::Classify(_) => task(tx, project).await?.takes_one(),
        _ => false,
    };
    let mut tally = Tally::default();
    let (mut changed, mut seen, mut next) = (0, 0, None);
    let stamp = Stamp {
        by: actor.user_id(),
        now,
    };
    match part {
        Part::Ids(ids) => {
            for chunk in ids.chunks(CHUNK) {
                let items = bulk::choose_ids(tx, project, chunk).await?;
                changed += apply(tx, &mut tally, &items, &action, single, stamp).await?;
            }
        }
        Part::Listed(ids, from) => {
            let rest = ids.get(from..).unwrap_or_default();
            let this = &rest[..rest.len().min(PER_TRANSACTION)];
            for chunk in this.chunks(CHUNK) {
                let items = bulk::choose_ids(tx, project, chunk).await?;
                changed += apply(tx, &mut tally, &items, &action, single, stamp).await?;
            }
            next = (this.len() < rest.len()).then(|| (from + this.len()) as i64);
        }
        Part::Matching(filter, mut after, up_to) => loop {
            let items = bulk::choose(tx, &filter, after, up_to, CHUNK as i64).await?;
            let Some(last) = items.last() else { break };
            after = last.export_id;
            seen += items.len();
            changed += apply(tx, &mut tally, &items, &action, single, stamp).await?;
            if items.len() < CHUNK {
                break;
            }
            if seen >= PER_TRANSACTION {
                next = Some(after);
                break;
            }
        },
    }
    // After all items: see `Tally`.
    tally.write(tx, project).await?;
    let all = so_far + changed;
    if next.is_none() && all > 0 {
        let (verb, word) = words(&action);
        let summary = format!("{word} {all} {}", if all == 1 { "item" } else { "items" });
        crate::audit::write(tx, actor, Some(project), verb, &summary, now).await?;
    }
    Ok(Step { changed, next })
}

async fn apply(
    tx: &mut Tx,
    tally: &mut Tally,
    items: &[Chosen],
    action: &BulkAction,
    single: bool,
    stamp: Stamp,
) -> Result<i64> {
    Ok(match action {
        BulkAction::Requeue => bulk::requeue(tx, tally, items, stamp.now).await?,
        BulkAction::Delete => bulk::delete(tx, tally, items).await?,
        BulkAction::ClearAnnotations => bulk::clear(tx, tally, items, stamp.by, stamp.now).await?,
        BulkAction::Classify(category) => bulk::classify(tx, tally, items, *category, single, stamp).await?,
    })
}

const fn words(action: &BulkAction) -> (&'static str, &'static str) {
    match action {
        BulkAction::Requeue => ("item.requeue", "requeued"),
        BulkAction::Delete => ("item.delete", "deleted"),
        BulkAction::ClearAnnotations => ("item.clear", "cleared the labels of"),
        BulkAction::Classify(_) => ("item.classify", "classified"),
    }
}
