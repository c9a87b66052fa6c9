//! A project's items: lists, filters, bulk actions.

mod bulk;
mod place;

use crate::annotations::{no_item, require_item};
use crate::authz::require_in;
use crate::{Actor, Context, Error, Result};
use limn_domain::item::{
    BulkAction, BulkOutcome, Item, ItemQuery, ItemSelection, ItemStatus, ItemWithAnnotations,
};
use limn_domain::{Action, ItemId, Page, ProjectId};
use limn_store::repo::item::{Filter, counter};
use limn_store::{Tx, repo};

/// Items on a page: most, and when nothing is said.
const LIMIT_MAX: i64 = 200;
const LIMIT: i64 = 60;
/// Longest text searched for, in characters.
const TEXT_MAX: usize = 200;
/// Matches are counted by reading items only in projects up to this size.
const COUNTED: i64 = 20_000;

#[derive(Clone)]
pub struct Items(pub(crate) Context);

impl Items {
    /// A page of items with their labels, by filter and keyset cursor. `total` comes with the first page, where counting
    /// is cheap.
    pub async fn list(
        &self,
        actor: &Actor,
        project: ProjectId,
        query: ItemQuery,
    ) -> Result<Page<ItemWithAnnotations>> {
        let limit = query.limit.unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Error::field("limit", format!("Ask for 1 to {LIMIT_MAX} items.")));
        }
        let after = query
            .cursor
            .as_deref()
            .map(|c| place::decode(query.sort, c))
            .transpose()?;
        let sort = query.sort;
        let filter = filter(project, query)?;
        let now = self.0.now();
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewItems, project).await?;
        let mut items = repo::item::page(&mut tx, &filter, sort, after.as_ref(), limit + 1, now).await?;
        let more = items.len() as i64 > limit;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|i| place::encode(sort, i));
        let total = match (&after, more) {
            (Some(_), _) => None,
            (None, false) => Some(items.len() as i64),
            (None, true) => total(&mut tx, &filter).await?,
        };
        let labeled: Vec<ItemId> = items
            .iter()
            .filter(|i| i.annotation_count + i.prelabel_count > 0)
            .map(|i| i.id)
            .collect();
        let mut labels = repo::annotation::of_items(&mut tx, &labeled).await?;
        let rows = items
            .into_iter()
            .map(|item| ItemWithAnnotations {
                annotations: labels.remove(&item.id).unwrap_or_default(),
                item,
            })
            .collect();
        Ok(Page { rows, next, total })
    }

    pub async fn get(&self, actor: &Actor, item: ItemId) -> Result<Item> {
        let mut tx = self.0.db.read().await?;
        require_item(&mut tx, actor, Action::ViewItems, item).await?;
        repo::item::get(&mut tx, item, self.0.now())
            .await?
            .ok_or_else(no_item)
    }

    /// Does one thing to many items. Up to 5,000 items change in one transaction; a larger selection is worked off in
    /// several, so that labelers are not kept waiting, and can be sent again if it was cut off.
    pub async fn bulk(
        &self,
        actor: &Actor,
        project: ProjectId,
        selection: ItemSelection,
        action: BulkAction,
    ) -> Result<BulkOutcome> {
        bulk::run(&self.0, actor, project, selection, action).await
    }
}

/// The filter in a query, checked.
fn filter(project: ProjectId, query: ItemQuery) -> Result<Filter> {
    let text = query.text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    if let Some(text) = &text {
        let n = text.chars().count();
        if n > TEXT_MAX {
            return Err(Error::field(
                "text",
                format!("Search for at most {TEXT_MAX} characters."),
            ));
        }
        if text.contains('\0') {
            return Err(Error::field(
                "text",
                "No name holds this character; search for plain text.",
            ));
        }
    }
    Ok(Filter {
        project,
        status: query.status,
        category: query.category_id,
        annotator: query.annotator_id,
        text,
    })
}

/// How many items match, where that is cheap to say.
async fn total(tx: &mut Tx, filter: &Filter) -> Result<Option<i64>> {
    let progress = counter::progress(tx, filter.project).await?;
    if filter.category.is_none() && filter.annotator.is_none() && filter.text.is_none() {
        return Ok(Some(match filter.status {
            None => progress.total,
            Some(ItemStatus::Todo) => progress.todo,
            Some(ItemStatus::Done) => progress.done,
            Some(ItemStatus::Skipped) => progress.skipped,
        }));
    }
    if progress.total > COUNTED {
        return Ok(None);
    }
    Ok(Some(repo::item::count(tx, filter).await?))
}
