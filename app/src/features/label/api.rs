//! Server functions of the label page. Every one is a single service call.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::annotation::{SaveChange, SaveOutcome};
use limn_domain::category::Category;
use limn_domain::item::Item;
use limn_domain::picture::Picture;
use limn_domain::project::Project;
use limn_domain::queue::{Heartbeat, QueueState, Skip, Submit, Taken, WorkItem};
use limn_domain::smart::{Clicks, Segmented, Sight};
use limn_domain::video::Frames;
use limn_domain::{ItemId, Page, ProjectId};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "label/project", input = Json)]
pub async fn label_project(project: ProjectId) -> Result<Project, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.get(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "label/categories", input = Json)]
pub async fn label_categories(project: ProjectId) -> Result<Vec<Category>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.categories.list(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "label/picture", input = Json)]
pub async fn label_picture(item: ItemId) -> Result<Picture, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.media.picture(&actor, item).await?)
}

#[server(prefix = "/ui", endpoint = "label/frames", input = Json)]
pub async fn label_frames(item: ItemId) -> Result<Frames, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.media.frames(&actor, item).await?)
}

/// The network that finds objects by clicks, if the project has one.
#[server(prefix = "/ui", endpoint = "label/segmenter", input = Json)]
pub async fn label_segmenter(project: ProjectId) -> Result<Option<String>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.segments.chosen(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "label/look", input = Json)]
pub async fn label_look(item: ItemId) -> Result<Sight, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.segments.look(&actor, item).await?)
}

#[server(prefix = "/ui", endpoint = "label/segment", input = Json)]
pub async fn label_segment(item: ItemId, clicks: Clicks) -> Result<Segmented, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.segments.segment(&actor, item, clicks).await?)
}

#[server(prefix = "/ui", endpoint = "queue/take", input = Json)]
pub async fn queue_take(project: ProjectId, count: i64) -> Result<Taken, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.take(&actor, project, count).await?)
}

#[server(prefix = "/ui", endpoint = "queue/state", input = Json)]
pub async fn read_queue(project: ProjectId) -> Result<QueueState, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.state(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "queue/open", input = Json)]
pub async fn queue_open(item: ItemId) -> Result<WorkItem, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.open(&actor, item).await?)
}

#[server(prefix = "/ui", endpoint = "queue/heartbeat", input = Json)]
pub async fn queue_heartbeat(project: ProjectId, items: Vec<ItemId>) -> Result<Heartbeat, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.heartbeat(&actor, project, items).await?)
}

#[server(prefix = "/ui", endpoint = "queue/release", input = Json)]
pub async fn queue_release(project: ProjectId, items: Vec<ItemId>) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.release(&actor, project, items).await?)
}

#[server(prefix = "/ui", endpoint = "queue/submit", input = Json)]
pub async fn queue_submit(item: ItemId, submit: Submit) -> Result<SaveOutcome, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.submit(&actor, item, submit).await?)
}

#[server(prefix = "/ui", endpoint = "queue/skip", input = Json)]
pub async fn queue_skip(item: ItemId, skip: Skip) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.skip(&actor, item, skip).await?)
}

#[server(prefix = "/ui", endpoint = "queue/history", input = Json)]
pub async fn label_history(project: ProjectId, cursor: Option<String>) -> Result<Page<Item>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.queue.history(&actor, project, cursor).await?)
}

/// Where the last edits go when the page is closed.
pub const SAVE_PATH: &str = "/ui/annotation/save";

#[server(prefix = "/ui", endpoint = "annotation/save", input = Json)]
pub async fn annotation_save(item: ItemId, change: SaveChange) -> Result<SaveOutcome, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.annotations.save(&actor, item, change).await?)
}
