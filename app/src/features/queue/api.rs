//! Server functions of the queue page.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::item::Item;
use limn_domain::queue::QueueSummary;
use limn_domain::{Page, ProjectId};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "queue/mine", input = Json)]
pub async fn queue_mine() -> Result<Vec<QueueSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.mine(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "queue/my_history", input = Json)]
pub async fn queue_history(project: ProjectId, cursor: Option<String>) -> Result<Page<Item>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.history(&actor, project, cursor).await?)
}
