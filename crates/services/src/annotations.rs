//! Labels of items: reading and saving with revisions.

use crate::{Actor, Context, Result};
use limn_domain::ItemId;
use limn_domain::annotation::{ItemAnnotations, SaveChange, SaveOutcome};

#[derive(Clone)]
pub struct Annotations(pub(crate) Context);

impl Annotations {
    pub async fn get(&self, actor: &Actor, item: ItemId) -> Result<ItemAnnotations> {
        todo!()
    }
    /// Saves one edit: durable when this returns, idempotent by `change_id`; a newer revision on the server is answered
    /// with `Conflict` and nothing is written.
    pub async fn save(&self, actor: &Actor, item: ItemId, change: SaveChange) -> Result<SaveOutcome> {
        todo!()
    }
}
