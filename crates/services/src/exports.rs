//! Exports as jobs.

use crate::{Actor, Context, Result};
use limn_domain::export::NewExport;
use limn_domain::job::Job;
use limn_domain::{JobId, ProjectId};

#[derive(Clone)]
pub struct Exports(pub(crate) Context);

impl Exports {
    pub async fn start(&self, actor: &Actor, project: ProjectId, input: NewExport) -> Result<Job> {
        todo!()
    }
    /// Path of the finished file and its download name.
    pub async fn file(&self, actor: &Actor, job: JobId) -> Result<(std::path::PathBuf, String)> {
        todo!()
    }
}
