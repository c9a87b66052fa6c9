//! Server functions of the dataset pages.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::catalogue::{AddDataset, CatalogueDetail, CatalogueEntry};
use limn_domain::dataset::{
    AliasMove, CheckPlaces, Dataset, DatasetMember, DatasetQuery, DatasetSummary, DiffQuery, DiffRow,
    DiffSummary, Entry, EntryQuery, FolderPage, LineageEdge, MakeProject, NewDataset, NewVersion,
    UpdateDataset, Version, VersionImpact, VersionPlaces, VersionSchema,
};
use limn_domain::datastore::Datastore;
use limn_domain::explore::{ExploreAnswer, ExploreQuery, NewView, SavedView};
use limn_domain::export::VersionExport;
use limn_domain::file_tag::{ChangeTags, FileTag, TagChange, TagScope, TagsHere};
use limn_domain::job::Job;
use limn_domain::map::{MapArea, MapAsk, MapFile};
#[cfg(feature = "ssr")]
use limn_domain::profile::DatasetProfile;
use limn_domain::profile::{Drift, VersionProfile};
use limn_domain::project::{Project, ProjectSummary};
use limn_domain::user::User;
use limn_domain::{DatasetId, FileTagId, Page, Role, TagChangeId, UserId, VersionId, ViewId};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "dataset/list", input = Json)]
pub async fn dataset_list(query: DatasetQuery) -> Result<Page<DatasetSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.list(&actor, query).await?)
}

#[server(prefix = "/ui", endpoint = "catalogue/list", input = Json)]
pub async fn catalogue_list() -> Result<Vec<CatalogueEntry>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.catalogue.list(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "catalogue/get", input = Json)]
pub async fn catalogue_get(slug: String) -> Result<CatalogueDetail, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.catalogue.get(&actor, &slug).await?)
}

#[server(prefix = "/ui", endpoint = "catalogue/add", input = Json)]
pub async fn catalogue_add(slug: String, input: AddDataset) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.catalogue.add(&actor, &slug, input).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/datastores", input = Json)]
pub async fn dataset_datastores() -> Result<Vec<Datastore>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datastores.list(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/get", input = Json)]
pub async fn dataset_get(dataset: DatasetId) -> Result<Dataset, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.get(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/create", input = Json)]
pub async fn dataset_create(input: NewDataset) -> Result<Dataset, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.create(&actor, input).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/update", input = Json)]
pub async fn dataset_update(dataset: DatasetId, input: UpdateDataset) -> Result<Dataset, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.update(&actor, dataset, input).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/delete", input = Json)]
pub async fn dataset_delete(dataset: DatasetId, even_if_used: bool) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.delete(&actor, dataset, even_if_used).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/members", input = Json)]
pub async fn dataset_members(dataset: DatasetId) -> Result<Vec<DatasetMember>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.members(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/candidates", input = Json)]
pub async fn dataset_candidates(dataset: DatasetId) -> Result<Vec<User>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.candidates(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/set_member", input = Json)]
pub async fn dataset_set_member(
    dataset: DatasetId,
    user: UserId,
    role: Role,
) -> Result<DatasetMember, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.set_member(&actor, dataset, user, role).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/remove_member", input = Json)]
pub async fn dataset_remove_member(dataset: DatasetId, user: UserId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.remove_member(&actor, dataset, user).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/versions", input = Json)]
pub async fn dataset_versions(dataset: DatasetId) -> Result<Vec<Version>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.list(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/register", input = Json)]
pub async fn dataset_register(dataset: DatasetId, input: NewVersion) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.register(&actor, dataset, input).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/set_alias", input = Json)]
pub async fn dataset_set_alias(
    dataset: DatasetId,
    alias: String,
    version: Option<VersionId>,
) -> Result<Vec<Version>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .datasets
        .set_alias(&actor, dataset, &alias, version)
        .await?)
}

#[server(prefix = "/ui", endpoint = "dataset/alias_moves", input = Json)]
pub async fn dataset_alias_moves(dataset: DatasetId) -> Result<Vec<AliasMove>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.datasets.alias_moves(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/lineage", input = Json)]
pub async fn dataset_lineage(dataset: DatasetId) -> Result<Vec<LineageEdge>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.lineage(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/projects", input = Json)]
pub async fn dataset_projects() -> Result<Vec<ProjectSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.list(&actor).await?)
}

#[server(name = GetVersionSchema, prefix = "/ui", endpoint = "version/schema", input = Json)]
pub async fn version_schema(version: VersionId) -> Result<VersionSchema, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.schema(&actor, version).await?)
}

#[server(prefix = "/ui", endpoint = "version/entries", input = Json)]
pub async fn version_entries(version: VersionId, query: EntryQuery) -> Result<Page<Entry>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.entries(&actor, version, query).await?)
}

#[server(prefix = "/ui", endpoint = "version/folder", input = Json)]
pub async fn version_folder(
    version: VersionId,
    path: String,
    cursor: Option<String>,
) -> Result<FolderPage, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .versions
        .folder(&actor, version, &path, cursor.as_deref(), Some(100))
        .await?)
}

#[server(prefix = "/ui", endpoint = "version/diff", input = Json)]
pub async fn version_diff(old: VersionId, new: VersionId) -> Result<DiffSummary, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.diff(&actor, old, new).await?)
}

#[server(prefix = "/ui", endpoint = "version/diff_files", input = Json)]
pub async fn version_diff_files(
    old: VersionId,
    new: VersionId,
    query: DiffQuery,
) -> Result<Page<DiffRow>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.diff_files(&actor, old, new, query).await?)
}

#[server(name = StartVersionExport, prefix = "/ui", endpoint = "version/export", input = Json)]
pub async fn version_export(version: VersionId, input: VersionExport) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.exports.start_of_version(&actor, version, input).await?)
}

#[server(prefix = "/ui", endpoint = "version/make_project", input = Json)]
pub async fn version_make_project(version: VersionId, input: MakeProject) -> Result<Project, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.make_project(&actor, version, input).await?)
}

#[server(name = GetVersionImpact, prefix = "/ui", endpoint = "version/impact", input = Json)]
pub async fn version_impact(version: VersionId) -> Result<VersionImpact, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.impact(&actor, version).await?)
}

#[server(prefix = "/ui", endpoint = "version/delete", input = Json)]
pub async fn version_delete(version: VersionId, even_if_used: bool) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.delete(&actor, version, even_if_used).await?)
}

/// What a page shows of a profile: a version's whole one may have thousands of values.
#[cfg(feature = "ssr")]
fn shown(mut profile: DatasetProfile) -> DatasetProfile {
    const COLUMNS: usize = 400;
    for table in &mut profile.tables {
        let p = &mut table.profile;
        p.columns_left_out += p.columns.len().saturating_sub(COLUMNS) as u64;
        p.columns.truncate(COLUMNS);
        p.head.truncate(20);
        for row in &mut p.head {
            row.truncate(60);
        }
        for c in &mut p.columns {
            let all = c.top.values.len();
            c.top.values.truncate(12);
            c.top.all &= all <= 12;
            if let Some(t) = &mut c.text {
                t.patterns.values.truncate(8);
            }
        }
    }
    profile
}

#[server(name = GetVersionPlaces, prefix = "/ui", endpoint = "version/places", input = Json)]
pub async fn version_places(version: VersionId) -> Result<VersionPlaces, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.places(&actor, version).await?)
}

#[server(prefix = "/ui", endpoint = "version/check", input = Json)]
pub async fn version_check(version: VersionId, input: CheckPlaces) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.versions.check(&actor, version, input).await?)
}

#[server(name = GetVersionProfile, prefix = "/ui", endpoint = "version/profile", input = Json)]
pub async fn version_profile(version: VersionId) -> Result<VersionProfile, AppError> {
    let (services, actor) = crate::context::request()?;
    let mut found = services.profiles.get(&actor, version).await?;
    found.profile = found.profile.map(shown);
    Ok(found)
}

#[server(name = StartVersionProfile, prefix = "/ui", endpoint = "version/start_profile", input = Json)]
pub async fn version_start_profile(version: VersionId) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.profiles.start(&actor, version).await?)
}

#[server(name = GetVersionDrift, prefix = "/ui", endpoint = "version/drift", input = Json)]
pub async fn version_drift(before: VersionId, after: VersionId) -> Result<Drift, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.profiles.drift(&actor, before, after).await?)
}

#[server(name = ExploreVersion, prefix = "/ui", endpoint = "version/explore", input = Json)]
pub async fn version_explore(version: VersionId, query: ExploreQuery) -> Result<ExploreAnswer, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.page(&actor, version, query).await?)
}

#[server(prefix = "/ui", endpoint = "version/map_files", input = Json)]
pub async fn version_map_files(version: VersionId, ask: MapAsk) -> Result<Vec<MapFile>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.map_files(&actor, version, ask).await?)
}

#[server(prefix = "/ui", endpoint = "version/map_area", input = Json)]
pub async fn version_map_area(version: VersionId, area: MapArea) -> Result<Vec<MapFile>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.map_area(&actor, version, area).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/views", input = Json)]
pub async fn dataset_views(dataset: DatasetId) -> Result<Vec<SavedView>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.views(&actor, dataset).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/save_view", input = Json)]
pub async fn dataset_save_view(dataset: DatasetId, input: NewView) -> Result<Vec<SavedView>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.save_view(&actor, dataset, input).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/delete_view", input = Json)]
pub async fn dataset_delete_view(dataset: DatasetId, view: ViewId) -> Result<Vec<SavedView>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.delete_view(&actor, dataset, view).await?)
}

#[server(prefix = "/ui", endpoint = "version/tags_here", input = Json)]
pub async fn version_tags_here(version: VersionId, of: TagScope) -> Result<TagsHere, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.tags_here(&actor, version, of).await?)
}

#[server(prefix = "/ui", endpoint = "version/change_tags", input = Json)]
pub async fn version_change_tags(version: VersionId, input: ChangeTags) -> Result<TagChange, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.change_tags(&actor, version, input).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/delete_tag", input = Json)]
pub async fn dataset_delete_tag(dataset: DatasetId, tag: FileTagId) -> Result<TagChange, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.delete_tag(&actor, dataset, tag).await?)
}

#[server(prefix = "/ui", endpoint = "dataset/undo_tags", input = Json)]
pub async fn dataset_undo_tags(dataset: DatasetId, change: TagChangeId) -> Result<Vec<FileTag>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.explore.undo_tags(&actor, dataset, change).await?)
}
