//! Datasets, their members and aliases.

use super::extract::{Caller, Id, Ids, Json, Query};
use super::{Made, accepted, made};
use crate::error::Api;
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use limn_domain::dataset::{
    AliasMove, Dataset, DatasetMember, DatasetQuery, DatasetSummary, LineageEdge, NewDataset, NewVersion,
    UpdateDataset, Version, VersionOutcome,
};
use limn_domain::explore::{NewView, SavedView};
use limn_domain::file_tag::{FileTag, TagChange, UndoTags};
use limn_domain::job::Job;
use limn_domain::user::User;
use limn_domain::{DatasetId, FileTagId, Page, ProjectId, Role, UserId, VersionId, ViewId};
use limn_services::Services;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(find))
        .routes(routes!(get, update, delete))
        .routes(routes!(members))
        .routes(routes!(candidates))
        .routes(routes!(set_member, remove_member))
        .routes(routes!(versions, register))
        .routes(routes!(find_version))
        .routes(routes!(set_alias, remove_alias))
        .routes(routes!(alias_moves))
        .routes(routes!(lineage))
        .routes(routes!(views, save_view))
        .routes(routes!(delete_view))
        .routes(routes!(file_tags))
        .routes(routes!(delete_file_tag))
        .routes(routes!(undo_file_tags))
        .routes(routes!(project_lineage));
    super::describe::<VersionOutcome>(router.get_openapi_mut());
    router
}

/// List datasets
///
/// Those the caller may see, latest change first.
#[utoipa::path(get, path = "/datasets", tag = "datasets", params(DatasetQuery), responses((status = 200, description = "Datasets", body = Page<DatasetSummary>)))]
async fn list(
    State(services): State<Services>,
    Caller(actor): Caller,
    Query(query): Query<DatasetQuery>,
) -> Api<Json<Page<DatasetSummary>>> {
    Ok(Json(services.datasets.list(&actor, query).await?))
}

/// Create a dataset
///
/// Without versions yet; the caller becomes its manager.
#[utoipa::path(post, path = "/datasets", tag = "datasets", request_body = NewDataset, responses((status = 201, description = "Created", body = Dataset)))]
async fn create(
    State(services): State<Services>,
    Caller(actor): Caller,
    Json(input): Json<NewDataset>,
) -> Api<Made<Dataset>> {
    Ok(made(services.datasets.create(&actor, input).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Find {
    /// The dataset's name, regardless of case, or its id.
    name: String,
}

/// Find a dataset by name
#[utoipa::path(get, path = "/datasets/find", tag = "datasets", params(Find), responses((status = 200, description = "The dataset", body = Dataset)))]
async fn find(
    State(services): State<Services>,
    Caller(actor): Caller,
    Query(query): Query<Find>,
) -> Api<Json<Dataset>> {
    Ok(Json(services.datasets.find(&actor, &query.name).await?))
}

/// Get a dataset
#[utoipa::path(get, path = "/datasets/{dataset_id}", tag = "datasets", responses((status = 200, description = "The dataset", body = Dataset)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Dataset>> {
    Ok(Json(services.datasets.get(&actor, dataset).await?))
}

/// Change a dataset
///
/// Its name, description, tags, licence and visibility; versions never change.
#[utoipa::path(patch, path = "/datasets/{dataset_id}", tag = "datasets", request_body = UpdateDataset, responses((status = 200, description = "Changed", body = Dataset)))]
async fn update(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
    Json(input): Json<UpdateDataset>,
) -> Api<Json<Dataset>> {
    Ok(Json(services.datasets.update(&actor, dataset, input).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Delete {
    /// Also when projects take files from it: their items stay.
    #[serde(default)]
    even_if_used: bool,
}

/// Delete a dataset
///
/// With all its versions.
#[utoipa::path(delete, path = "/datasets/{dataset_id}", tag = "datasets", params(Delete), responses((status = 204, description = "Deleted")))]
async fn delete(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
    Query(query): Query<Delete>,
) -> Api<StatusCode> {
    services
        .datasets
        .delete(&actor, dataset, query.even_if_used)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List members of a dataset
#[utoipa::path(get, path = "/datasets/{dataset_id}/members", tag = "datasets", responses((status = 200, description = "Members", body = Vec<DatasetMember>)))]
async fn members(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Vec<DatasetMember>>> {
    Ok(Json(services.datasets.members(&actor, dataset).await?))
}

/// List people who could be added to a dataset
#[utoipa::path(get, path = "/datasets/{dataset_id}/members/candidates", tag = "datasets", responses((status = 200, description = "Enabled people who are no members yet", body = Vec<User>)))]
async fn candidates(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Vec<User>>> {
    Ok(Json(services.datasets.candidates(&actor, dataset).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct SetDatasetMember {
    /// `manager` or `viewer`.
    role: Role,
}

/// Add a member of a dataset or change the role
#[utoipa::path(put, path = "/datasets/{dataset_id}/members/{user_id}", tag = "datasets", request_body = SetDatasetMember, responses((status = 200, description = "The member", body = DatasetMember)))]
async fn set_member(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(dataset, user): Ids<DatasetId, UserId>,
    Json(input): Json<SetDatasetMember>,
) -> Api<Json<DatasetMember>> {
    let member = services
        .datasets
        .set_member(&actor, dataset, user, input.role)
        .await?;
    Ok(Json(member))
}

/// Remove a member of a dataset
#[utoipa::path(delete, path = "/datasets/{dataset_id}/members/{user_id}", tag = "datasets", responses((status = 204, description = "Removed")))]
async fn remove_member(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(dataset, user): Ids<DatasetId, UserId>,
) -> Api<StatusCode> {
    services.datasets.remove_member(&actor, dataset, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List versions
///
/// Newest first.
#[utoipa::path(get, path = "/datasets/{dataset_id}/versions", tag = "datasets", responses((status = 200, description = "Versions", body = Vec<Version>)))]
async fn versions(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Vec<Version>>> {
    Ok(Json(services.versions.list(&actor, dataset).await?))
}

/// Register a version
///
/// From a labeling project, from uploads, or from another version. A job; its result is a `VersionOutcome`. Content the
/// dataset has already makes no new version.
#[utoipa::path(post, path = "/datasets/{dataset_id}/versions", tag = "datasets", request_body = NewVersion, responses((status = 202, description = "Queued", body = Job)))]
async fn register(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
    Json(input): Json<NewVersion>,
) -> Api<Made<Job>> {
    Ok(accepted(
        services.versions.register(&actor, dataset, input).await?,
    ))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FindVersion {
    /// A number (`3` or `v3`), an alias, `latest`, a digest or an id.
    version: String,
}

/// Find a version
#[utoipa::path(get, path = "/datasets/{dataset_id}/versions/find", tag = "datasets", params(FindVersion), responses((status = 200, description = "The version", body = Version)))]
async fn find_version(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
    Query(query): Query<FindVersion>,
) -> Api<Json<Version>> {
    Ok(Json(
        services.versions.find(&actor, dataset, &query.version).await?,
    ))
}

#[derive(Debug, Deserialize, ToSchema)]
struct SetAlias {
    version_id: VersionId,
}

/// Point an alias to a version
///
/// Made when it is not there, moved when it is.
#[utoipa::path(put, path = "/datasets/{dataset_id}/aliases/{alias}", tag = "datasets", request_body = SetAlias, responses((status = 200, description = "The versions with their aliases", body = Vec<Version>)))]
async fn set_alias(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(dataset, alias): Ids<DatasetId, String>,
    Json(input): Json<SetAlias>,
) -> Api<Json<Vec<Version>>> {
    let to = Some(input.version_id);
    Ok(Json(
        services.datasets.set_alias(&actor, dataset, &alias, to).await?,
    ))
}

/// Remove an alias
#[utoipa::path(delete, path = "/datasets/{dataset_id}/aliases/{alias}", tag = "datasets", responses((status = 204, description = "Removed")))]
async fn remove_alias(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(dataset, alias): Ids<DatasetId, String>,
) -> Api<StatusCode> {
    services.datasets.set_alias(&actor, dataset, &alias, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List where aliases went
///
/// Newest first.
#[utoipa::path(get, path = "/datasets/{dataset_id}/alias-moves", tag = "datasets", responses((status = 200, description = "Moves", body = Vec<AliasMove>)))]
async fn alias_moves(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Vec<AliasMove>>> {
    Ok(Json(services.datasets.alias_moves(&actor, dataset).await?))
}

/// Get the lineage of a dataset
///
/// What its versions were made from, and what was made from them.
#[utoipa::path(get, path = "/datasets/{dataset_id}/lineage", tag = "datasets", responses((status = 200, description = "Edges, oldest first", body = Vec<LineageEdge>)))]
async fn lineage(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Vec<LineageEdge>>> {
    Ok(Json(services.versions.lineage(&actor, dataset).await?))
}

/// Get the lineage of a project
#[utoipa::path(get, path = "/projects/{project_id}/lineage", tag = "datasets", responses((status = 200, description = "Edges, oldest first", body = Vec<LineageEdge>)))]
async fn project_lineage(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
) -> Api<Json<Vec<LineageEdge>>> {
    Ok(Json(services.versions.lineage_of_project(&actor, project).await?))
}

/// List saved views
#[utoipa::path(get, path = "/datasets/{dataset_id}/views", tag = "datasets", responses((status = 200, description = "By name", body = Vec<SavedView>)))]
async fn views(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Vec<SavedView>>> {
    Ok(Json(services.explore.views(&actor, dataset).await?))
}

/// Save a view
///
/// One of the same name is replaced.
#[utoipa::path(post, path = "/datasets/{dataset_id}/views", tag = "datasets", request_body = NewView, responses((status = 200, description = "All views", body = Vec<SavedView>)))]
async fn save_view(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
    Json(input): Json<NewView>,
) -> Api<Json<Vec<SavedView>>> {
    Ok(Json(services.explore.save_view(&actor, dataset, input).await?))
}

/// Delete a view
#[utoipa::path(delete, path = "/datasets/{dataset_id}/views/{view_id}", tag = "datasets", responses((status = 200, description = "Those that are left", body = Vec<SavedView>)))]
async fn delete_view(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(dataset, view): Ids<DatasetId, ViewId>,
) -> Api<Json<Vec<SavedView>>> {
    Ok(Json(services.explore.delete_view(&actor, dataset, view).await?))
}

/// List the tags of files
///
/// Those that some path of the dataset has. They are on paths, so that they are there in every version that has the path.
#[utoipa::path(get, path = "/datasets/{dataset_id}/file-tags", tag = "datasets", responses((status = 200, description = "By name", body = Vec<FileTag>)))]
async fn file_tags(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
) -> Api<Json<Vec<FileTag>>> {
    Ok(Json(services.explore.file_tags(&actor, dataset).await?))
}

/// Take a tag off all files
///
/// Of all versions. Can be undone within an hour.
#[utoipa::path(delete, path = "/datasets/{dataset_id}/file-tags/{tag_id}", tag = "datasets", responses((status = 200, description = "What came of it", body = TagChange)))]
async fn delete_file_tag(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(dataset, tag): Ids<DatasetId, FileTagId>,
) -> Api<Json<TagChange>> {
    Ok(Json(services.explore.delete_tag(&actor, dataset, tag).await?))
}

/// Undo a change of tags
///
/// One of the last hour, as far as nobody has changed the same since. The same once more does it again.
#[utoipa::path(post, path = "/datasets/{dataset_id}/file-tags/undo", tag = "datasets", request_body = UndoTags, responses((status = 200, description = "The tags of the dataset", body = Vec<FileTag>)))]
async fn undo_file_tags(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(dataset): Id<DatasetId>,
    Json(input): Json<UndoTags>,
) -> Api<Json<Vec<FileTag>>> {
    let undone = services.explore.undo_tags(&actor, dataset, input.change_id);
    Ok(Json(undone.await?))
}
