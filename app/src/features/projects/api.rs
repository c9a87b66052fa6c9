//! Server functions of the project pages.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::activity::Activity;
use limn_domain::assist::{Alike, Assist, UpdateAssist};
use limn_domain::category::{Category, CategoryImpact, NewCategory, UpdateCategory};
#[cfg(feature = "ssr")]
use limn_domain::dataset::DatasetQuery;
use limn_domain::dataset::{Dataset, DatasetSummary, NewDataset, NewVersion, Version};
#[cfg(feature = "ssr")]
use limn_domain::datastore::UpdateSource;
use limn_domain::datastore::{AddSource, Datastore, ProjectSource};
use limn_domain::explore::{ExploreQuery, NewView};
use limn_domain::import::NewImport;
use limn_domain::item::{BulkAction, BulkOutcome, ItemQuery, ItemSelection, ItemWithAnnotations};
use limn_domain::item_explore::{ItemView, ItemsAnswer, ProjectExport};
use limn_domain::job::Job;
use limn_domain::project::{Member, NewProject, Project, ProjectSummary, UpdateProject};
use limn_domain::upload::{UploadCheck, UploadMissing};
use limn_domain::user::User;
use limn_domain::{CategoryId, DatasetId, ItemId, Page, ProjectId, Role, SourceId, UserId, ViewId};
use server_fn::codec::Json;

/// Items that are shown beside one they look like.
#[cfg(feature = "ssr")]
const ALIKE: i64 = 60;

#[server(prefix = "/ui", endpoint = "project/list", input = Json)]
pub async fn project_list() -> Result<Vec<ProjectSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.list(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "project/get", input = Json)]
pub async fn project_get(project: ProjectId) -> Result<Project, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.get(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "project/create", input = Json)]
pub async fn project_create(input: NewProject) -> Result<Project, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.create(&actor, input).await?)
}

#[server(prefix = "/ui", endpoint = "project/sample", input = Json)]
pub async fn project_sample() -> Result<Project, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.sample.create(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "project/update", input = Json)]
pub async fn project_update(project: ProjectId, input: UpdateProject) -> Result<Project, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.update(&actor, project, input).await?)
}

#[server(prefix = "/ui", endpoint = "project/delete", input = Json)]
pub async fn project_delete(project: ProjectId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.delete(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "project/render_markdown", input = Json)]
pub async fn project_render_markdown(text: String) -> Result<String, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.render_markdown(&actor, &text).await?)
}

#[server(prefix = "/ui", endpoint = "project/activity", input = Json)]
pub async fn project_activity(project: ProjectId, limit: i64) -> Result<Page<Activity>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .activities
        .list(&actor, Some(project), None, Some(limit))
        .await?)
}

#[server(prefix = "/ui", endpoint = "item/list", input = Json)]
pub async fn item_list(project: ProjectId, query: ItemQuery) -> Result<Page<ItemWithAnnotations>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.items.list(&actor, project, query).await?)
}

#[server(prefix = "/ui", endpoint = "item/bulk", input = Json)]
pub async fn item_bulk(
    project: ProjectId,
    selection: ItemSelection,
    action: BulkAction,
) -> Result<BulkOutcome, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.items.bulk(&actor, project, selection, action).await?)
}

#[server(prefix = "/ui", endpoint = "item/check", input = Json)]
pub async fn item_check(project: ProjectId, files: UploadCheck) -> Result<UploadMissing, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.ingest.check(&actor, project, files).await?)
}

#[server(prefix = "/ui", endpoint = "category/list", input = Json)]
pub async fn category_list(project: ProjectId) -> Result<Vec<Category>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.categories.list(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "category/create", input = Json)]
pub async fn category_create(project: ProjectId, input: NewCategory) -> Result<Category, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.categories.create(&actor, project, input).await?)
}

#[server(prefix = "/ui", endpoint = "category/update", input = Json)]
pub async fn category_update(category: CategoryId, input: UpdateCategory) -> Result<Category, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.categories.update(&actor, category, input).await?)
}

#[server(name = GetCategoryImpact, prefix = "/ui", endpoint = "category/impact", input = Json)]
pub async fn category_impact(category: CategoryId) -> Result<CategoryImpact, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.categories.impact(&actor, category).await?)
}

#[server(prefix = "/ui", endpoint = "category/merge", input = Json)]
pub async fn category_merge(category: CategoryId, into: CategoryId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.categories.merge(&actor, category, into).await?)
}

#[server(prefix = "/ui", endpoint = "category/remove", input = Json)]
pub async fn category_remove(category: CategoryId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.categories.remove(&actor, category).await?)
}

#[server(prefix = "/ui", endpoint = "member/list", input = Json)]
pub async fn member_list(project: ProjectId) -> Result<Vec<Member>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.members.list(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "member/candidates", input = Json)]
pub async fn member_candidates(project: ProjectId) -> Result<Vec<User>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.members.candidates(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "member/set", input = Json)]
pub async fn member_set(project: ProjectId, user: UserId, role: Role) -> Result<Member, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.members.set(&actor, project, user, role).await?)
}

#[server(prefix = "/ui", endpoint = "member/remove", input = Json)]
pub async fn member_remove(project: ProjectId, user: UserId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.members.remove(&actor, project, user).await?)
}

#[server(prefix = "/ui", endpoint = "import/start", input = Json)]
pub async fn import_start(project: ProjectId, input: NewImport) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.imports.start(&actor, project, input).await?)
}

#[server(prefix = "/ui", endpoint = "export/start", input = Json)]
pub async fn export_start(project: ProjectId, input: ProjectExport) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.exports.start_of(&actor, project, input).await?)
}

#[server(prefix = "/ui", endpoint = "explore/items", input = Json)]
pub async fn explore_items(project: ProjectId, query: ExploreQuery) -> Result<ItemsAnswer, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.items(&actor, project, query).await?)
}

#[server(prefix = "/ui", endpoint = "explore/views", input = Json)]
pub async fn explore_views(project: ProjectId) -> Result<Vec<ItemView>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.item_views(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "explore/save_view", input = Json)]
pub async fn explore_save_view(project: ProjectId, input: NewView) -> Result<Vec<ItemView>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.save_item_view(&actor, project, input).await?)
}

#[server(prefix = "/ui", endpoint = "explore/delete_view", input = Json)]
pub async fn explore_delete_view(project: ProjectId, view: ViewId) -> Result<Vec<ItemView>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.delete_item_view(&actor, project, view).await?)
}

/// The datasets that were changed last, for what was found to go into.
#[server(prefix = "/ui", endpoint = "explore/datasets", input = Json)]
pub async fn explore_datasets() -> Result<Vec<DatasetSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    let query = DatasetQuery {
        limit: Some(200),
        ..DatasetQuery::default()
    };
    Ok(services.datasets.list(&actor, query).await?.rows)
}

#[server(prefix = "/ui", endpoint = "explore/new_dataset", input = Json)]
pub async fn explore_new_dataset(input: NewDataset) -> Result<Dataset, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.create(&actor, input).await?)
}

#[server(prefix = "/ui", endpoint = "explore/register", input = Json)]
pub async fn explore_register(dataset: DatasetId, input: NewVersion) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.register(&actor, dataset, input).await?)
}

#[server(prefix = "/ui", endpoint = "source/list", input = Json)]
pub async fn source_list(project: ProjectId) -> Result<Vec<ProjectSource>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.sources.list(&actor, project).await?)
}

#[server(prefix = "/ui", endpoint = "source/datastores", input = Json)]
pub async fn source_datastores() -> Result<Vec<Datastore>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.list(&actor).await?)
}

/// The datasets that were changed last and have a version.
#[server(prefix = "/ui", endpoint = "source/datasets", input = Json)]
pub async fn source_datasets() -> Result<Vec<DatasetSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    let query = DatasetQuery {
        limit: Some(200),
        ..DatasetQuery::default()
    };
    let mut datasets = services.datasets.list(&actor, query).await?.rows;
    datasets.retain(|d| d.versions > 0);
    Ok(datasets)
}

#[server(prefix = "/ui", endpoint = "source/versions", input = Json)]
pub async fn source_versions(dataset: DatasetId) -> Result<Vec<Version>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.list(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "source/add", input = Json)]
pub async fn source_add(project: ProjectId, input: AddSource) -> Result<ProjectSource, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.sources.add(&actor, project, input).await?)
}

#[server(prefix = "/ui", endpoint = "source/update", input = Json)]
pub async fn source_update(source: SourceId, every_minutes: Option<i64>) -> Result<ProjectSource, AppError> {
    let (services, actor) = crate::context::request()?;
    let input = UpdateSource { every_minutes };
    Ok(services.sources.update(&actor, source, input).await?)
}

#[server(prefix = "/ui", endpoint = "source/remove", input = Json)]
pub async fn source_remove(source: SourceId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.sources.remove(&actor, source).await?)
}

#[server(prefix = "/ui", endpoint = "source/refresh", input = Json)]
pub async fn source_refresh(source: SourceId) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.sources.refresh(&actor, source).await?)
}

/// Items that look most like one of the project's.
#[server(prefix = "/ui", endpoint = "item/alike", input = Json)]
pub async fn item_alike(project: ProjectId, item: ItemId) -> Result<Alike, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.assist.alike(&actor, project, item, ALIKE).await?)
}

#[server(name = GetAssist, prefix = "/ui", endpoint = "assist/get", input = Json)]
pub async fn assist_get(project: ProjectId) -> Result<Assist, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.assist.get(&actor, project).await?)
}

#[server(name = ChangeAssist, prefix = "/ui", endpoint = "assist/update", input = Json)]
pub async fn assist_update(project: ProjectId, change: UpdateAssist) -> Result<Assist, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.assist.update(&actor, project, change).await?)
}

#[server(name = AssistBackbones, prefix = "/ui", endpoint = "assist/backbones", input = Json)]
pub async fn assist_backbones(project: ProjectId) -> Result<Vec<String>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.assist.backbones(&actor, project).await?)
}

#[server(name = AssistSegmenters, prefix = "/ui", endpoint = "assist/segmenters", input = Json)]
pub async fn assist_segmenters(project: ProjectId) -> Result<Vec<String>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.segments.choices(&actor, project).await?)
}

#[server(name = TrainAssist, prefix = "/ui", endpoint = "assist/train", input = Json)]
pub async fn assist_train(project: ProjectId) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.assist.train(&actor, project).await?)
}
