//! A project's items: adding, listing, changing many at once.

use super::extract::{Caller, Id, Json, Query, stream};
use crate::error::{Api, Failure};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::response::IntoResponse as _;
use http::StatusCode;
use limn_domain::item::{
    AddItemOutcome, BulkAction, BulkOutcome, Item, ItemQuery, ItemSelection, ItemWithAnnotations,
};
use limn_domain::picture::Picture;
use limn_domain::upload::{UploadCheck, UploadMissing};
use limn_domain::video::Frames;
use limn_domain::{ApiError, Code, ItemId, Page, ProjectId};
use limn_services::Services;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(check))
        .routes(routes!(bulk))
        .routes(routes!(get))
        .routes(routes!(picture))
        .routes(routes!(frames))
}

/// Routes whose bodies are streams.
pub fn streams() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(add_form))
}

/// List items
///
/// With their labels, by filter and in pages.
#[utoipa::path(get, path = "/projects/{project_id}/items", tag = "items", params(ItemQuery), responses((status = 200, description = "Items", body = Page<ItemWithAnnotations>)))]
async fn list(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Query(query): Query<ItemQuery>,
) -> Api<Json<Page<ItemWithAnnotations>>> {
    Ok(Json(services.items.list(&actor, project, query).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AddItem {
    /// The item's name: a relative path with forward slashes.
    name: String,
}

/// Add an image
///
/// The body is the file itself. The same name with the same bytes is answered with 200 and `unchanged`; with other bytes
/// with 409.
#[utoipa::path(post, path = "/projects/{project_id}/items", tag = "items", params(AddItem),
    request_body(content = String, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "Added", body = AddItemOutcome),
        (status = 200, description = "Already there, with these very bytes", body = AddItemOutcome),
    ))]
async fn add(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Query(query): Query<AddItem>,
    body: Body,
) -> Api<(StatusCode, Json<AddItemOutcome>)> {
    let outcome = services
        .ingest
        .add(&actor, project, &query.name, stream(body))
        .await?;
    let status = match outcome {
        AddItemOutcome::Added { .. } => StatusCode::CREATED,
        AddItemOutcome::Unchanged { .. } => StatusCode::OK,
    };
    Ok((status, Json(outcome)))
}

/// What became of one file of a form.
#[derive(Debug, Serialize, ToSchema)]
struct FormOutcome {
    name: String,
    /// Absent when the file was refused.
    outcome: Option<AddItemOutcome>,
    error: Option<ApiError>,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form")]
struct ItemForm {
    /// One or more files; their file names become the items' names.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<String>,
}

/// Add images from a form
///
/// For `curl -F file=@a.jpg -F file=@b.jpg`. A file that is refused does not stop the others.
#[utoipa::path(post, path = "/projects/{project_id}/items/form", tag = "items",
    request_body(content = ItemForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "What became of each file", body = Vec<FormOutcome>)))]
async fn add_form(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    form: Result<Multipart, MultipartRejection>,
) -> Api<Json<Vec<FormOutcome>>> {
    let mut form = form.map_err(|e| Failure::new(Code::UnsupportedMedia, e.body_text()))?;
    let mut outcomes = Vec::new();
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return Ok(Json(outcomes)),
            Err(e) if outcomes.is_empty() => {
                let status = e.into_response().status();
                tracing::debug!(%status, "a form could not be read");
                return Err(Failure::new(
                    Code::BadRequest,
                    "The form did not arrive whole. Send it again.",
                ));
            }
            // What came before is done and durable: tell about it.
            Err(e) => {
                outcomes.push(FormOutcome {
                    name: String::new(),
                    outcome: None,
                    error: Some(ApiError::new(Code::BadRequest, e.body_text())),
                });
                return Ok(Json(outcomes));
            }
        };
        let Some(name) = field.file_name().map(str::to_owned) else {
            continue;
        };
        match services.ingest.add(&actor, project, &name, field).await {
            Ok(outcome) => outcomes.push(FormOutcome {
                name,
                outcome: Some(outcome),
                error: None,
            }),
            Err(e) => {
                let error = e.into_api();
                // Nothing the next file could change.
                if matches!(
                    error.code,
                    Code::SignInRequired | Code::Forbidden | Code::NotFound
                ) {
                    return Err(Failure(error));
                }
                outcomes.push(FormOutcome {
                    name,
                    outcome: None,
                    error: Some(error),
                });
            }
        }
    }
}

/// Which files still need sending
///
/// So that an interrupted upload of a folder goes on where it stopped.
#[utoipa::path(post, path = "/projects/{project_id}/items/check", tag = "items", request_body = UploadCheck, responses((status = 200, description = "Missing names", body = UploadMissing)))]
async fn check(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<UploadCheck>,
) -> Api<Json<UploadMissing>> {
    Ok(Json(services.ingest.check(&actor, project, input).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct Bulk {
    /// `{"ids": [...]}`, `{"matching": {...filter...}}`, or `{"found": {...filter of the explorer...}}`.
    selection: ItemSelection,
    /// `"requeue"`, `"delete"`, `"clear_annotations"` or `{"classify": category}`.
    action: BulkAction,
}

/// Change many items at once
#[utoipa::path(post, path = "/projects/{project_id}/items/bulk", tag = "items", request_body = Bulk, responses((status = 200, description = "How many changed", body = BulkOutcome)))]
async fn bulk(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(project): Id<ProjectId>,
    Json(input): Json<Bulk>,
) -> Api<Json<BulkOutcome>> {
    Ok(Json(
        services
            .items
            .bulk(&actor, project, input.selection, input.action)
            .await?,
    ))
}

/// Get an item
#[utoipa::path(get, path = "/items/{item_id}", tag = "items", responses((status = 200, description = "The item", body = Item)))]
async fn get(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
) -> Api<Json<Item>> {
    Ok(Json(services.items.get(&actor, item).await?))
}

/// How an item's picture is shown
///
/// Whole, or by tiles: `/media/items/{item_id}/tiles/{level}/{x}/{y}`. Tiles that are missing are made.
#[utoipa::path(get, path = "/items/{item_id}/picture", tag = "items", responses((status = 200, description = "The picture", body = Picture)))]
async fn picture(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
) -> Api<Json<Picture>> {
    Ok(Json(services.media.picture(&actor, item).await?))
}

/// The frames of a video
///
/// When each is shown. Their pictures are at `/media/items/{item_id}/frames/{number}`, numbered from 0; with `/thumb` behind, at
/// most 320 pixels.
#[utoipa::path(get, path = "/items/{item_id}/frames", tag = "items", responses((status = 200, description = "The frames", body = Frames)))]
async fn frames(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(item): Id<ItemId>,
) -> Api<Json<Frames>> {
    Ok(Json(services.media.frames(&actor, item).await?))
}
