//! Images becoming items, one file at a time.

use crate::{Actor, Context, Result};
use bytes::Bytes;
use futures::Stream;
use limn_domain::ProjectId;
use limn_domain::item::AddItemOutcome;
use limn_domain::upload::{UploadCheck, UploadMissing};

#[derive(Clone)]
pub struct Ingest(pub(crate) Context);

impl Ingest {
    /// Takes one image: streams it into the blob store, checks and decodes it, makes its thumbnail and adds the item.
    /// The same name with the same bytes is `Unchanged`; the same name with other bytes is `AlreadyExists`.
    pub async fn add<S, E>(&self, actor: &Actor, project: ProjectId, name: &str, body: S) -> Result<AddItemOutcome>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send,
        E: std::fmt::Display,
    {
        todo!()
    }
    /// Which of these files still need sending, so that an interrupted upload of a folder goes on where it stopped.
    pub async fn check(&self, actor: &Actor, project: ProjectId, files: UploadCheck) -> Result<UploadMissing> {
        todo!()
    }
}
