//! Imports as jobs.

use crate::{Actor, Context, Result};
use limn_domain::ProjectId;
use limn_domain::import::NewImport;
use limn_domain::job::Job;

#[derive(Clone)]
pub struct Imports(pub(crate) Context);

impl Imports {
    pub async fn start(&self, actor: &Actor, project: ProjectId, input: NewImport) -> Result<Job> {
        todo!()
    }
}
