//! Background jobs as people see and steer them.

use crate::{Actor, Context, Result};
use limn_domain::job::{Job, JobLogLine};
use limn_domain::{JobId, Page, ProjectId};

#[derive(Clone)]
pub struct JobList(pub(crate) Context);

impl JobList {
    /// Newest first: of one project, or all the actor may see (own jobs and jobs of own projects).
    pub async fn list(
        &self,
        actor: &Actor,
        project: Option<ProjectId>,
        active_only: bool,
        cursor: Option<String>,
        limit: Option<i64>,
    ) -> Result<Page<Job>> {
        todo!()
    }
    pub async fn get(&self, actor: &Actor, job: JobId) -> Result<Job> {
        todo!()
    }
    /// Log lines after the first `after`, at most 1,000.
    pub async fn log(&self, actor: &Actor, job: JobId, after: i64) -> Result<Vec<JobLogLine>> {
        todo!()
    }
    pub async fn cancel(&self, actor: &Actor, job: JobId) -> Result<Job> {
        todo!()
    }
    /// Queues a failed or cancelled job again.
    pub async fn retry(&self, actor: &Actor, job: JobId) -> Result<Job> {
        todo!()
    }
}
