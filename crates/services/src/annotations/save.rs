//! Saving an edit inside a transaction that holds the item.

use super::{apart, check, known};
use crate::authz::require_as;
use crate::{Actor, Error, Result};
use limn_domain::annotation::{SaveChange, SaveOutcome};
use limn_domain::attribute;
use limn_domain::item::ItemStatus;
use limn_domain::project::Task;
use limn_domain::{
    Action, Annotation, AnnotationId, CategoryId, ChangeId, Code, ItemId, Shape, Size, Source, Timestamp,
};
use limn_store::repo::annotation::{self, Applied, Change};
use limn_store::repo::category::Definition;
use limn_store::repo::item::counter::{Standing, Tally};
use limn_store::repo::queue::ItemContext;
use limn_store::{StoreError, Tx, repo};
use std::collections::BTreeSet;

/// Most labels and proposals of one item.
const ITEM_MAX: i64 = 200_000;

/// An item somebody edits; `context` was read under its lock and follows what is written.
pub(crate) struct Edit<'a> {
    pub actor: &'a Actor,
    pub item: ItemId,
    pub context: ItemContext,
    pub now: Timestamp,
}

impl Edit<'_> {
    /// When a lease taken now ends.
    pub fn lease_until(&self) -> Timestamp {
        self.now
            .plus_seconds(self.context.settings.lease_minutes.max(1) * 60)
    }

    pub fn standing(&self) -> Standing {
        let c = &self.context;
        Standing {
            status: c.status,
            prelabeled: c.prelabel_count > 0,
            done_by: c.done_by,
        }
    }

    pub fn require(&self, action: Action) -> Result<()> {
        require_as(
            self.actor,
            action,
            self.context.project_id,
            self.context.member_role,
        )
        .map_err(super::hide_project)?;
        Ok(())
    }
}

/// Whether the actor may change the item's labels now.
pub(crate) fn may_edit(edit: &Edit<'_>) -> Result<()> {
    edit.require(Action::Label)?;
    let c = &edit.context;
    // An edit that was saved before is only answered again.
    if c.replayed.is_some() {
        return Ok(());
    }
    if c.held_by_other(edit.actor.user_id(), edit.now) {
        let name = c.holder_name.as_deref().unwrap_or("Somebody else");
        return Err(Error::new(
            Code::ItemTaken,
            format!("{name} is working on this item; take another one, or try again when they are done."),
        ));
    }
    let own = c.done_by.is_some() && c.done_by == edit.actor.user_id();
    if c.status == ItemStatus::Todo || own {
        return Ok(());
    }
    edit.require(Action::EditOthersLabels).map_err(|_| {
        Error::new(
            Code::Forbidden,
            "This item was finished by somebody else; ask a reviewer to correct it or a manager to requeue it.",
        )
    })
}

/// Writes a checked edit, or answers it as before when it was saved before.
pub(crate) async fn save_in(tx: &mut Tx, edit: &mut Edit<'_>, mut change: SaveChange) -> Result<SaveOutcome> {
    if let Some(revision) = edit.context.replayed {
        return Ok(SaveOutcome::Saved { revision });
    }
    if change.base_revision != edit.context.revision {
        return replay_or_conflict(tx, edit, change.change_id).await;
    }
    // An edit without labels leaves the revision, which then does not tell that it was saved while this request waited.
    if change.upserts.is_empty()
        && change.removes.is_empty()
        && change.attributes.is_none()
        && let Some(revision) = annotation::replayed(tx, edit.item, change.change_id).await?
    {
        return Ok(SaveOutcome::Saved { revision });
    }
    let c = &edit.context;
    check::fit(
        &mut change.upserts,
        c.task,
        Size {
            width: c.width as f64,
            height: c.height as f64,
        },
        c.length,
    )?;
    known::check_categories(tx, c.project_id, &change.upserts).await?;
    check_definitions(tx, &mut change.upserts).await?;
    check_imported(tx, edit, &change).await?;
    if c.task == Task::Semantic {
        apart::check(tx, edit.item, &change).await?;
    }
    if let Some(said) = change.attributes.take() {
        let said = attribute::check_values(&c.settings.attributes, said)
            .map_err(|why| Error::field("attributes", format!("{why}.")))?;
        change.attributes = Some(said);
    }
    let applied = annotation::apply(
        tx,
        Change {
            id: change.change_id,
            item: edit.item,
            upserts: &change.upserts,
            removes: &change.removes,
            about: change.attributes.as_ref(),
            active_ms: change.active_ms,
            by: edit.actor.user_id(),
            now: edit.now,
            lease_until: edit.lease_until(),
        },
    )
    .await
    .map_err(|e| category_gone(e, &change))?;
    check_result(tx, edit, &change, applied).await?;
    book_prelabels(tx, edit, applied).await?;
    Ok(SaveOutcome::Saved {
        revision: applied.revision,
    })
}

/// Keypoints are those of their category's skeleton, attributes those it has.
async fn check_definitions(tx: &mut Tx, upserts: &mut [Annotation]) -> Result<()> {
    let mut ids: Vec<CategoryId> = upserts
        .iter()
        .filter(|a| has_keypoints(&a.shape) || !a.attributes.is_empty())
        .map(|a| a.category_id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let known = repo::category::definitions(tx, &ids).await?;
    let none = Definition::default();
    for (n, a) in upserts.iter_mut().enumerate() {
        let of = known.get(&a.category_id).unwrap_or(&none);
        let own = std::iter::once(&a.shape).chain(a.shape.keyframes().iter().map(|k| &k.shape));
        let counts: BTreeSet<usize> = own
            .filter_map(|s| match s {
                Shape::Keypoints { keypoints } => Some(keypoints.len()),
                _ => None,
            })
            .collect();
        for have in counts {
            match of.keypoints {
                Some(want) if want == have => {}
                Some(want) => {
                    let problem =
                        format!("has {have} keypoints, but the skeleton of its category has {want}; reload.");
                    return Err(check::at(n, "keypoints", &problem));
                }
                None => {
                    return Err(check::at(
                        n,
                        "keypoints",
                        "are of a category without a skeleton; a manager can give it one.",
                    ));
                }
            }
        }
        if !a.attributes.is_empty() {
            a.attributes = attribute::check_values(&of.attributes, std::mem::take(&mut a.attributes))
                .map_err(|why| check::at(n, "attributes", &format!("are wrong: {why}.")))?;
        }
    }
    Ok(())
}

fn has_keypoints(shape: &Shape) -> bool {
    let is = |s: &Shape| matches!(s, Shape::Keypoints { .. });
    is(shape) || shape.keyframes().iter().any(|k| is(&k.shape))
}

/// The revision moved on: by this very edit, sent twice at once, or by another one.
async fn replay_or_conflict(tx: &mut Tx, edit: &Edit<'_>, change: ChangeId) -> Result<SaveOutcome> {
    if let Some(revision) = annotation::replayed(tx, edit.item, change).await? {
        return Ok(SaveOutcome::Saved { revision });
    }
    conflict(tx, edit.item).await
}

/// What is there instead of what the editor saw.
pub(crate) async fn conflict(tx: &mut Tx, item: ItemId) -> Result<SaveOutcome> {
    let current = annotation::current(tx, item).await?.ok_or_else(super::no_item)?;
    Ok(SaveOutcome::Conflict { current })
}

/// Only those who may import can make labels look imported; labels that are may stay so.
async fn check_imported(tx: &mut Tx, edit: &Edit<'_>, change: &SaveChange) -> Result<()> {
    let imported: Vec<AnnotationId> = change
        .upserts
        .iter()
        .filter(|a| a.source == Source::Import)
        .map(|a| a.id)
        .collect();
    if imported.is_empty() || edit.require(Action::ImportData).is_ok() {
        return Ok(());
    }
    if annotation::has_import(tx, edit.item, &imported).await? == imported.len() as i64 {
        return Ok(());
    }
    let n = change
        .upserts
        .iter()
        .position(|a| a.source == Source::Import)
        .unwrap_or_default();
    Err(check::at(
        n,
        "source",
        "cannot be `import`: send `human` for labels made here.",
    ))
}

/// A label's category was removed while it was drawn.
fn category_gone(e: StoreError, change: &SaveChange) -> Error {
    match e {
        StoreError::ForeignKey(_) => {
            known::forget(&change.upserts);
            Error::field(
                "upserts",
                "A category of these labels was removed meanwhile; reload the categories.",
            )
        }
        e => e.into(),
    }
}

/// What holds of the item as a whole.
async fn check_result(tx: &mut Tx, edit: &Edit<'_>, change: &SaveChange, now: Applied) -> Result<()> {
    if now.annotation_count + now.prelabel_count > ITEM_MAX {
        return Err(Error::field(
            "upserts",
            format!("An item can have at most {ITEM_MAX} labels."),
        ));
    }
    match edit.context.task {
        task if task.takes_one() && now.annotation_count > 1 => Err(Error::field(
            "upserts",
            "An item of this project has one category; remove the other label in the same change.",
        )),
        task if task.takes_any()
            && !change.upserts.is_empty()
            && annotation::distinct_labels(tx, edit.item).await? != now.annotation_count =>
        {
            Err(Error::field(
                "upserts",
                "The item has this category already; give each category once.",
            ))
        }
        _ => Ok(()),
    }
}

/// Keeps the count of items with proposals, and the context.
async fn book_prelabels(tx: &mut Tx, edit: &mut Edit<'_>, now: Applied) -> Result<()> {
    let before = edit.standing();
    edit.context.revision = now.revision;
    edit.context.annotation_count = now.annotation_count;
    edit.context.prelabel_count = now.prelabel_count;
    let after = edit.standing();
    if before != after && after.status == ItemStatus::Todo {
        let mut tally = Tally::default();
        tally.leave(before);
        tally.enter(after);
        tally
            .on_row_of(edit.actor.user_id())
            .write(tx, edit.context.project_id)
            .await?;
    }
    Ok(())
}
