//! Versions of datasets.

use super::extract::{Caller, Id, Ids, Json, Optional, Query};
use super::{Made, accepted, made};
use crate::error::Api;
use crate::middleware::Client;
use crate::ranges::{Asked, Content, Sending, send, stream};
use crate::state::AppState;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use limn_domain::dataset::{
    CheckPlaces, CheckReport, DiffQuery, DiffRow, DiffSummary, Download, Entry, EntryQuery, FolderPage,
    MakeProject, Split, Version, VersionImpact, VersionPlaces, VersionSchema,
};
use limn_domain::explore::{ExploreAnswer, ExploreFilter, ExploreQuery};
use limn_domain::export::VersionExport;
use limn_domain::file_tag::{ChangeTags, TagChange, TagScope, TagsHere};
use limn_domain::job::Job;
use limn_domain::map::{MapArea, MapAsk, MapFile};
use limn_domain::project::Project;
use limn_domain::{Page, VersionId};
use limn_services::explore::map::MapAnswer;
use limn_services::media::Rendition;
use limn_services::versions::{Downloadable, Pieces};
use limn_services::{Error, Services};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(get, delete))
        .routes(routes!(impact))
        .routes(routes!(schema))
        .routes(routes!(croissant))
        .routes(routes!(explore))
        .routes(routes!(map))
        .routes(routes!(map_files))
        .routes(routes!(map_area))
        .routes(routes!(change_tags))
        .routes(routes!(count_tags))
        .routes(routes!(places))
        .routes(routes!(check))
        .routes(routes!(entries))
        .routes(routes!(folder))
        .routes(routes!(export))
        .routes(routes!(project))
        .routes(routes!(diff))
        .routes(routes!(diff_files));
    super::describe::<CheckReport>(router.get_openapi_mut());
    router
}

/// Routes whose bodies are streams.
pub fn streams() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(file))
        .routes(routes!(zip))
        .routes(routes!(metadata))
}

/// Get a version
#[utoipa::path(get, path = "/versions/{version_id}", tag = "versions", responses((status = 200, description = "The version", body = Version)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Json<Version>> {
    Ok(Json(services.versions.get(&actor, version).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Delete {
    /// Also when something was made from it.
    #[serde(default)]
    even_if_used: bool,
}

/// Delete a version
///
/// Not while an alias points to it. Files that nothing else uses go by the next clean-up.
#[utoipa::path(delete, path = "/versions/{version_id}", tag = "versions", params(Delete), responses((status = 204, description = "Deleted")))]
async fn delete(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(query): Query<Delete>,
) -> Api<StatusCode> {
    services
        .versions
        .delete(&actor, version, query.even_if_used)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get what deleting a version would free
#[utoipa::path(get, path = "/versions/{version_id}/impact", tag = "versions", responses((status = 200, description = "Exact to the byte", body = VersionImpact)))]
async fn impact(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Json<VersionImpact>> {
    Ok(Json(services.versions.impact(&actor, version).await?))
}

/// Get the categories and attributes of a version
#[utoipa::path(get, path = "/versions/{version_id}/schema", tag = "versions", responses((status = 200, description = "What its labels can say", body = VersionSchema)))]
async fn schema(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Json<VersionSchema>> {
    Ok(Json(services.versions.schema(&actor, version).await?))
}

/// Get where the files of a version lie
///
/// The datastores that hold files which were registered in place and are not in this server's store, and the last check of
/// them.
#[utoipa::path(get, path = "/versions/{version_id}/places", tag = "versions", responses((status = 200, description = "Datastores, and a job", body = VersionPlaces)))]
async fn places(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Json<VersionPlaces>> {
    Ok(Json(services.versions.places(&actor, version).await?))
}

/// Check files that were left where they lie
///
/// A job; its result is a `CheckReport` that names the files which changed or are gone.
#[utoipa::path(post, path = "/versions/{version_id}/check", tag = "versions", request_body = CheckPlaces, responses((status = 202, description = "Queued", body = Job)))]
async fn check(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Optional(input): Optional<CheckPlaces>,
) -> Api<Made<Job>> {
    Ok(accepted(services.versions.check(&actor, version, input).await?))
}

/// List files
///
/// In the order of their paths. A page of a list with filters may be short and still have a next one.
#[utoipa::path(get, path = "/versions/{version_id}/entries", tag = "versions", params(EntryQuery), responses((status = 200, description = "Files", body = Page<Entry>)))]
async fn entries(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(query): Query<EntryQuery>,
) -> Api<Json<Page<Entry>>> {
    Ok(Json(services.versions.entries(&actor, version, query).await?))
}

/// Explore the files of a version
///
/// Filters by values, numbers and parts of paths, with how many files have each value. While the version is being indexed
/// the answer is the job that does it.
#[utoipa::path(post, path = "/versions/{version_id}/explore", tag = "versions", request_body = ExploreQuery, responses((status = 200, description = "A page, or a job", body = ExploreAnswer)))]
async fn explore(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Optional(query): Optional<ExploreQuery>,
) -> Api<Json<ExploreAnswer>> {
    Ok(Json(services.explore.page(&actor, version, query).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MapOf {
    /// An `ExploreFilter` as JSON; all files when absent.
    #[serde(default)]
    filter: Option<String>,
    /// The name of a facet that gives the colours.
    #[serde(default)]
    color: Option<String>,
}

/// Get the map of a version
///
/// Its pictures as points in a plane, those together that look alike. As bytes: `LIMNMAP1`, then as little-endian numbers the length of
/// the head (4 bytes) and the head as JSON, the number of points (4 bytes), their rows (4 bytes each, the place of the file in the order of
/// paths), their x and y (2 bytes each, 65,535 is the whole side), and their marks (1 byte each: 128 for what passes the filter, and the
/// colour: 0 without a value, 1 to 16 the values of the head's legend, 17 other values). At most 200,000 points. While the pictures are being
/// looked at and laid out the answer is the job that does it.
#[utoipa::path(get, path = "/versions/{version_id}/explore/map", tag = "versions", params(MapOf), responses((status = 200, description = "The points", content_type = "application/octet-stream", body = String), (status = 202, description = "The job that prepares", body = Job)))]
async fn map(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(of): Query<MapOf>,
    asked: Asked,
) -> Api<Response> {
    let filter: ExploreFilter = match of.filter.as_deref().filter(|f| !f.trim().is_empty()) {
        Some(text) => serde_json::from_str(text)
            .map_err(|e| Error::field("filter", format!("`filter` is no filter as JSON: {e}.")))?,
        None => ExploreFilter::default(),
    };
    let color = of.color.filter(|c| !c.is_empty());
    match services.explore.map(&actor, version, filter, color).await? {
        MapAnswer::Waits(job) => Ok(accepted(*job).into_response()),
        MapAnswer::Points(points) => {
            let bytes = points.to_bytes();
            let etag = blake3::hash(&bytes).to_hex();
            let how = Sending {
                media_type: "application/octet-stream",
                etag: &etag[..32],
                attachment: None,
                // Tags and filters change what it says; whoever has it asks whether it still holds.
                cache: "private, no-cache",
            };
            send(Content::Bytes(bytes.into()), how, &asked).await
        }
    }
}

/// Name files of a map
///
/// By their rows, and by their paths; those that are not there are left out. At most 10,000 at once.
#[utoipa::path(post, path = "/versions/{version_id}/explore/map/files", tag = "versions", request_body = MapAsk, responses((status = 200, description = "Files in the order of paths", body = Vec<MapFile>)))]
async fn map_files(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Optional(ask): Optional<MapAsk>,
) -> Api<Json<Vec<MapFile>>> {
    Ok(Json(services.explore.map_files(&actor, version, ask).await?))
}

/// List the files in an area of a map
///
/// Those that pass the filter and lie within the corners, also where the map shows only some of them as points. At most 10,000.
#[utoipa::path(post, path = "/versions/{version_id}/explore/map/area", tag = "versions", request_body = MapArea, responses((status = 200, description = "Files in the order of paths", body = Vec<MapFile>)))]
async fn map_area(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Json(area): Json<MapArea>,
) -> Api<Json<Vec<MapFile>>> {
    Ok(Json(services.explore.map_area(&actor, version, area).await?))
}

/// Tag files
///
/// Puts tags on files of the version and takes others off: on those of `paths`, or on all that pass the filter when there
/// are none. Tags are on paths of the dataset, not in the version, which never changes: other versions with the same paths
/// have them too. At most 250,000 files change at once.
#[utoipa::path(post, path = "/versions/{version_id}/tags", tag = "versions", request_body = ChangeTags, responses((status = 200, description = "What came of it", body = TagChange)))]
async fn change_tags(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Json(input): Json<ChangeTags>,
) -> Api<Json<TagChange>> {
    Ok(Json(services.explore.change_tags(&actor, version, input).await?))
}

/// Count tags
///
/// The tags of the dataset, with how many of some files of the version have each.
#[utoipa::path(post, path = "/versions/{version_id}/tags/count", tag = "versions", request_body = TagScope, responses((status = 200, description = "Tags by name", body = TagsHere)))]
async fn count_tags(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Optional(of): Optional<TagScope>,
) -> Api<Json<TagsHere>> {
    Ok(Json(services.explore.tags_here(&actor, version, of).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InFolder {
    /// Relative path of the folder; empty for the top.
    #[serde(default)]
    path: String,
    #[serde(default)]
    cursor: Option<String>,
    /// 1..=1000, 60 when absent.
    #[serde(default)]
    limit: Option<i64>,
}

/// List a folder
#[utoipa::path(get, path = "/versions/{version_id}/folder", tag = "versions", params(InFolder), responses((status = 200, description = "What lies directly in it", body = FolderPage)))]
async fn folder(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(query): Query<InFolder>,
) -> Api<Json<FolderPage>> {
    let page = services
        .versions
        .folder(&actor, version, &query.path, query.cursor.as_deref(), query.limit)
        .await?;
    Ok(Json(page))
}

/// Export a version
///
/// A job; its result is an `ExportResult` with the file's address and digest. The same version gives the same bytes,
/// whatever happens to the project it came from.
#[utoipa::path(post, path = "/versions/{version_id}/exports", tag = "versions", request_body = VersionExport, responses((status = 202, description = "Queued", body = Job)))]
async fn export(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Optional(input): Optional<VersionExport>,
) -> Api<Made<Job>> {
    Ok(accepted(
        services.exports.start_of_version(&actor, version, input).await?,
    ))
}

/// Make a labeling project from a version
///
/// The project is made at once; a job fills it with the version's files and, if asked for, its labels.
#[utoipa::path(post, path = "/versions/{version_id}/project", tag = "versions", request_body = MakeProject, responses((status = 201, description = "The project", body = Project)))]
async fn project(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Json(input): Json<MakeProject>,
) -> Api<Made<Project>> {
    Ok(made(
        services.versions.make_project(&actor, version, input).await?,
    ))
}

/// Compare two versions
///
/// What has changed from the first to the second, in counts.
#[utoipa::path(get, path = "/versions/{version_id}/diff/{other_version_id}", tag = "versions", responses((status = 200, description = "Counts", body = DiffSummary)))]
async fn diff(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(old, new): Ids<VersionId, VersionId>,
) -> Api<Json<DiffSummary>> {
    Ok(Json(services.versions.diff(&actor, old, new).await?))
}

/// List files that differ between two versions
#[utoipa::path(get, path = "/versions/{version_id}/diff/{other_version_id}/files", tag = "versions", params(DiffQuery), responses((status = 200, description = "Files", body = Page<DiffRow>)))]
async fn diff_files(
    State(services): State<Services>,
    Caller(actor): Caller,
    Ids(old, new): Ids<VersionId, VersionId>,
    Query(query): Query<DiffQuery>,
) -> Api<Json<Page<DiffRow>>> {
    Ok(Json(services.versions.diff_files(&actor, old, new, query).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct File {
    /// Relative path with forward slashes; case does not count.
    path: String,
}

/// Download a file
///
/// As it is stored. Ranges work.
#[utoipa::path(get, path = "/versions/{version_id}/file", tag = "versions", params(File), responses((status = 200, description = "The file", content_type = "application/octet-stream", body = String)))]
async fn file(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(query): Query<File>,
    asked: Asked,
) -> Api<Response> {
    let found = services
        .versions
        .file(&actor, version, &query.path, Rendition::Original)
        .await?;
    let how = Sending {
        media_type: &found.file.media_type,
        etag: found.file.etag.trim_matches('"'),
        attachment: Some(&found.file.name),
        cache: "private, max-age=31536000, immutable",
    };
    send(found.file.body.into(), how, &asked).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Zip {
    /// Only the files of this split.
    #[serde(default)]
    split: Option<Split>,
}

/// Download all files as a zip
///
/// Made while it is read. The same version gives the same bytes, and ranges work. A file that was left in its datastore and is not what it
/// was breaks the archive off.
#[utoipa::path(get, path = "/versions/{version_id}/zip", tag = "versions", params(Zip), responses((status = 200, description = "The archive", content_type = "application/zip", body = String)))]
async fn zip(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(query): Query<Zip>,
    asked: Asked,
) -> Api<Response> {
    let made = services
        .versions
        .download(&actor, version, Download::Archive, query.split)
        .await?;
    download(made, "application/zip", &asked).await
}

/// Download what is known of each file
///
/// A line of JSON a file: `file_name`, `split`, `media_type`, `bytes`, `digest`, `width`, `height`, `categories`, `bbox`
/// (`[x, y, width, height]` in pixels of the upright image) and `bbox_category`. Made while it is read; the same version
/// gives the same bytes.
#[utoipa::path(get, path = "/versions/{version_id}/metadata", tag = "versions", params(Zip), responses((status = 200, description = "Lines of JSON", content_type = "application/jsonlines", body = String)))]
async fn metadata(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
    Query(query): Query<Zip>,
    asked: Asked,
) -> Api<Response> {
    let made = services
        .versions
        .download(&actor, version, Download::Metadata, query.split)
        .await?;
    download(made, "application/jsonlines", &asked).await
}

/// Get the Croissant metadata of a version
///
/// JSON-LD as Croissant 1.0 has it, with checksums; they are worked out with the profile. Where files were left in their datastores, that of
/// the archive is given once it was downloaded whole; until then `isLiveDataset` says that it is missing.
#[utoipa::path(get, path = "/versions/{version_id}/croissant", tag = "versions", responses((status = 200, description = "JSON-LD", content_type = "application/ld+json", body = serde_json::Value)))]
async fn croissant(
    State(services): State<Services>,
    Extension(client): Extension<Client>,
    Caller(actor): Caller,
    Id(version): Id<VersionId>,
) -> Api<Response> {
    let origin = client.origin.unwrap_or_default();
    let document = services.versions.croissant(&actor, version, &origin).await?;
    let mut response = Json(document).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/ld+json"),
    );
    Ok(response)
}

async fn download(made: Downloadable, media_type: &'static str, asked: &Asked) -> Api<Response> {
    let (name, etag) = (made.name.clone(), made.etag.clone());
    let cache = "private, no-cache";
    if let Some(len) = made.len {
        let how = Sending {
            media_type,
            etag: &etag,
            attachment: Some(&name),
            cache,
        };
        return send(
            Content::Made {
                of: Box::new(made),
                len,
            },
            how,
            asked,
        )
        .await;
    }
    let mut response = stream(made.pieces(None)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(value) = HeaderValue::from_str(&crate::ranges::disposition(&name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// A zip that is made while it is sent.
pub(super) fn archive(pieces: Pieces, name: &str) -> Response {
    let mut response = stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    if let Ok(value) = HeaderValue::from_str(&crate::ranges::disposition(name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
