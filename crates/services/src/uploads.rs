//! Resumable uploads of archives and annotation files.

use crate::{Actor, Context, Result};
use bytes::Bytes;
use futures::Stream;
use limn_domain::UploadId;
use limn_domain::upload::{NewUpload, Upload};

#[derive(Clone)]
pub struct Uploads(pub(crate) Context);

impl Uploads {
    pub async fn create(&self, actor: &Actor, input: NewUpload) -> Result<Upload> {
        todo!()
    }
    /// The actor's own upload.
    pub async fn get(&self, actor: &Actor, upload: UploadId) -> Result<Upload> {
        todo!()
    }
    /// Appends bytes at `offset`, which must be what was received so far (`Conflict` otherwise). What arrived before a
    /// broken connection is kept.
    pub async fn append<S, E>(&self, actor: &Actor, upload: UploadId, offset: i64, body: S) -> Result<Upload>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send,
        E: std::fmt::Display,
    {
        todo!()
    }
    pub async fn delete(&self, actor: &Actor, upload: UploadId) -> Result<()> {
        todo!()
    }
}
