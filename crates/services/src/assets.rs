//! Pictures in a project's instructions.

use crate::{Actor, Context, Result};
use bytes::Bytes;
use limn_domain::{AssetId, ProjectId};

#[derive(Clone)]
pub struct Assets(pub(crate) Context);

impl Assets {
    /// Stores a picture and answers its path, `/media/assets/{id}`.
    pub async fn add(&self, actor: &Actor, project: ProjectId, name: &str, bytes: Bytes) -> Result<String> {
        todo!()
    }
    /// Media type and bytes.
    pub async fn get(&self, actor: &Actor, asset: AssetId) -> Result<(String, Bytes)> {
        todo!()
    }
}
