//! Server functions of the start page.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::activity::Activity;
use limn_domain::project::{Project, ProjectSummary};
use limn_domain::queue::QueueSummary;
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "home/projects", input = Json)]
pub async fn home_projects() -> Result<Vec<ProjectSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    let mut projects = services.projects.list(&actor).await?;
    projects.truncate(6);
    Ok(projects)
}

#[server(prefix = "/ui", endpoint = "home/queue", input = Json)]
pub async fn home_queue() -> Result<Vec<QueueSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.mine(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "home/activity", input = Json)]
pub async fn home_activity() -> Result<Vec<Activity>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.activities.list(&actor, None, None, Some(8)).await?.rows)
}

#[server(prefix = "/ui", endpoint = "home/sample", input = Json)]
pub async fn home_sample() -> Result<Project, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.sample.create(&actor).await?)
}
