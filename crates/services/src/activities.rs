//! The audit log.

use crate::{Actor, Context, Result};
use limn_domain::activity::Activity;
use limn_domain::{Page, ProjectId};

#[derive(Clone)]
pub struct Activities(pub(crate) Context);

impl Activities {
    /// Newest first. Of one project, or of everything the actor may see.
    pub async fn list(
        &self,
        actor: &Actor,
        project: Option<ProjectId>,
        cursor: Option<String>,
        limit: Option<i64>,
    ) -> Result<Page<Activity>> {
        todo!()
    }
}
