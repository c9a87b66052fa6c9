//! Server functions of the job pages.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::job::{Job, JobLogLine};
use limn_domain::{JobId, Page};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "job/list", input = Json)]
pub async fn job_list(cursor: Option<String>) -> Result<Page<Job>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.jobs.list(&actor, None, false, cursor, Some(40)).await?)
}

#[server(prefix = "/ui", endpoint = "job/get", input = Json)]
pub async fn job_get(job: JobId) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.jobs.get(&actor, job).await?)
}

#[server(prefix = "/ui", endpoint = "job/log", input = Json)]
pub async fn job_log(job: JobId, after: i64) -> Result<Vec<JobLogLine>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.jobs.log(&actor, job, after).await?)
}

#[server(prefix = "/ui", endpoint = "job/retry", input = Json)]
pub async fn job_retry(job: JobId) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.jobs.retry(&actor, job).await?)
}
