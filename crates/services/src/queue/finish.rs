//! Submitting and skipping.

use crate::annotations::{Edit, checked, conflict, may_edit, no_item, save_in};
use crate::{Actor, Context, Error, Result};
use limn_domain::activity::Activity;
use limn_domain::annotation::SaveOutcome;
use limn_domain::item::ItemStatus;
use limn_domain::queue::{Skip, Submit};
use limn_domain::validate::{self, REASON_MAX};
use limn_domain::{Action, ActivityId, Code, ItemId, Source, Timestamp, UserId};
use limn_store::repo::item::counter::{Standing, Tally};
use limn_store::{Tx, repo};

/// Work of one person in one project is one line of the audit log for this long, in seconds.
const STRETCH: i64 = 600;

/// See [`super::Queue::submit`].
pub(super) async fn submit(ctx: &Context, actor: &Actor, item: ItemId, input: Submit) -> Result<SaveOutcome> {
    let Submit { revision, change } = input;
    let change = change.map(|c| checked(actor, c)).transpose()?;
    let me = actor.me()?.id;
    let (actor, now) = (actor.clone(), ctx.now());
    ctx.db
        .write(move |tx| {
            Box::pin(async move {
                let change_id = change.as_ref().map(|c| c.change_id);
                let context = repo::queue::lock_item(tx, item, me, change_id)
                    .await?
                    .ok_or_else(no_item)?;
                let mut edit = Edit {
                    actor: &actor,
                    item,
                    context,
                    now,
                };
                may_edit(&edit)?;
                let before = edit.context.revision;
                let saved = match change {
                    Some(change) => match save_in(tx, &mut edit, change).await? {
                        SaveOutcome::Saved { revision } => revision,
                        SaveOutcome::Conflict { current } => return Ok(SaveOutcome::Conflict { current }),
                    },
                    None => revision,
                };
                let done = edit.context.status == ItemStatus::Done;
                if done && edit.context.revision == before && (change_id.is_some() || saved == before) {
                    // Sent again, or sent without a change: it is submitted, by whoever did it.
                    return Ok(SaveOutcome::Saved { revision: saved });
                }
                if saved != edit.context.revision {
                    return conflict(tx, item).await;
                }
                if edit.context.replayed.is_some() {
                    // The edit was saved before, but the item not submitted with it; now it must be the actor's turn.
                    edit.context.replayed = None;
                    may_edit(&edit)?;
                }
                if edit.context.task.takes_one() && edit.context.annotation_count != 1 {
                    return Err(Error::new(
                        Code::InvalidInput,
                        "Choose the category of this image, then submit.",
                    ));
                }
                check_required(tx, &edit).await?;
                finish(tx, &mut edit, me, ItemStatus::Done, None).await?;
                Ok(SaveOutcome::Saved { revision: saved })
            })
        })
        .await
}

/// The item has the attributes that the project requires, every object those of its category.
async fn check_required(tx: &mut Tx, edit: &Edit<'_>) -> Result<()> {
    let mut known = repo::category::attributes_of(tx, edit.context.project_id).await?;
    known.retain(|_, (_, list)| list.iter().any(|a| a.required));
    let of_item = &edit.context.settings.attributes;
    if known.is_empty() && !of_item.iter().any(|a| a.required) {
        return Ok(());
    }
    let Some(now) = repo::annotation::current(tx, edit.item).await? else {
        return Ok(());
    };
    if let Some(missing) = of_item.iter().find(|d| d.is_missing(&now.attributes)) {
        return Err(Error::new(
            Code::InvalidInput,
            format!("The item has no “{}” yet; say it, then submit.", missing.name),
        ));
    }
    for a in now.annotations.iter().filter(|a| a.source != Source::Prelabel) {
        if let Some((category, list)) = known.get(&a.category_id)
            && let Some(missing) = list.iter().find(|d| d.is_missing(&a.attributes))
        {
            return Err(Error::new(
                Code::InvalidInput,
                format!(
                    "An object of “{category}” has no “{}” yet; say it of every one, then submit.",
                    missing.name
                ),
            ));
        }
    }
    Ok(())
}

/// See [`super::Queue::skip`].
pub(super) async fn skip(ctx: &Context, actor: &Actor, item: ItemId, input: Skip) -> Result<()> {
    let reason = reason(input.reason)?;
    let me = actor.me()?.id;
    let (actor, now) = (actor.clone(), ctx.now());
    ctx.db
        .write(move |tx| {
            Box::pin(async move {
                let context = repo::queue::lock_item(tx, item, me, None)
                    .await?
                    .ok_or_else(no_item)?;
                let mut edit = Edit {
                    actor: &actor,
                    item,
                    context,
                    now,
                };
                edit.require(Action::Label)?;
                match edit.context.status {
                    ItemStatus::Skipped if edit.context.done_by == Some(me) => return Ok(()),
                    ItemStatus::Todo => may_edit(&edit)?,
                    status => {
                        return Err(Error::new(
                            Code::WrongState,
                            format!(
                                "This item is {} already; only items to do can be skipped.",
                                status.label().to_lowercase()
                            ),
                        ));
                    }
                }
                if edit.context.settings.skip_needs_reason && reason.is_none() {
                    return Err(Error::field(
                        "reason",
                        "Say in a few words why; this project asks for a reason.",
                    ));
                }
                finish(tx, &mut edit, me, ItemStatus::Skipped, reason.as_deref()).await
            })
        })
        .await
}

/// Marks the item, books the counters and the line of the audit log.
async fn finish(
    tx: &mut Tx,
    edit: &mut Edit<'_>,
    me: UserId,
    status: ItemStatus,
    reason: Option<&str>,
) -> Result<()> {
    let before = edit.standing();
    repo::queue::finish(tx, edit.item, status, reason, Some(me), edit.now).await?;
    let after = Standing {
        status,
        done_by: Some(me),
        ..before
    };
    if before != after {
        let mut tally = Tally::default();
        tally.leave(before);
        tally.enter(after);
        tally
            .on_row_of(Some(me))
            .write(tx, edit.context.project_id)
            .await?;
    }
    let (verb, word) = match status {
        ItemStatus::Skipped => ("item.skip", "skipped"),
        _ => ("item.submit", "submitted"),
    };
    let line = Activity {
        id: line_id(edit, me, verb)?,
        at: edit.now,
        actor_id: Some(me),
        actor_name: edit.actor.name().to_owned(),
        project_id: Some(edit.context.project_id),
        verb: verb.to_owned(),
        summary: word.to_owned(),
    };
    Ok(repo::queue::note_finish(tx, &line).await?)
}

/// The same id for everything a person does of this kind in this project in a stretch of time.
fn line_id(edit: &Edit<'_>, me: UserId, verb: &str) -> Result<ActivityId> {
    let stretch = edit.now.0.div_euclid(STRETCH * Timestamp::SECOND);
    let start_ms = stretch * STRETCH * 1_000;
    let whose = format!("{} {me} {verb} {stretch}", edit.context.project_id);
    let mut bytes: [u8; 16] = [0; 16];
    bytes[..6].copy_from_slice(&start_ms.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&blake3::hash(whose.as_bytes()).as_bytes()[..10]);
    // Version 7 and its variant.
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    hex::encode(bytes)
        .parse()
        .map_err(|e| Error::Internal(anyhow::anyhow!("activity id: {e}")))
}

/// A reason with content, checked.
fn reason(text: Option<String>) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    let text = validate::text("reason", text.trim(), REASON_MAX).map_err(|e| Error::field("reason", e))?;
    if text.contains('\0') {
        return Err(Error::field(
            "reason",
            "The reason holds a character that cannot be kept; use plain text.",
        ));
    }
    Ok(Some(text).filter(|t| !t.is_empty()))
}
