//! A project's items: lists, filters, bulk actions.

use crate::{Actor, Context, Result};
use limn_domain::item::{BulkAction, BulkOutcome, Item, ItemQuery, ItemSelection, ItemWithAnnotations};
use limn_domain::{ItemId, Page, ProjectId};

#[derive(Clone)]
pub struct Items(pub(crate) Context);

impl Items {
    /// A page of items with their labels, by filter and keyset cursor.
    pub async fn list(
        &self,
        actor: &Actor,
        project: ProjectId,
        query: ItemQuery,
    ) -> Result<Page<ItemWithAnnotations>> {
        todo!()
    }
    pub async fn get(&self, actor: &Actor, item: ItemId) -> Result<Item> {
        todo!()
    }
    pub async fn bulk(
        &self,
        actor: &Actor,
        project: ProjectId,
        selection: ItemSelection,
        action: BulkAction,
    ) -> Result<BulkOutcome> {
        todo!()
    }
}
