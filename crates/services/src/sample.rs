//! The sample project: images the program draws itself.

use crate::{Actor, Context, Result};
use limn_domain::project::Project;

#[derive(Clone)]
pub struct Sample(pub(crate) Context);

impl Sample {
    /// Creates a sample project and answers it; its images are drawn, and partly labeled, by a job.
    pub async fn create(&self, actor: &Actor) -> Result<Project> {
        todo!()
    }
}
