//! Pictures and texts: renditions and originals of items, and the pictures in instructions.
//!
//! Outside `/api/v1` because pages name them in `<img>`; the same sessions, tokens and roles apply.

use crate::error::{Api, Failure};
use crate::ranges::{Asked, Content, Sending, send};
use crate::rest::extract::{Caller, Id, Query};
use crate::state::AppState;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use limn_domain::{AssetId, Code, DatastoreId, ItemId, VersionId};
use limn_services::media::{MediaBody, MediaFile, Rendition};
use limn_services::{Actor, Services};

/// The content under a path never changes, but it is not for everybody.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/media/items/{item_id}/{rendition}", get(item))
        .route("/media/items/{item_id}/tiles/{level}/{x}/{y}", get(tile))
        .route("/media/items/{item_id}/frames/{number}", get(frame))
        .route("/media/items/{item_id}/frames/{number}/thumb", get(frame_thumb))
        .route("/media/versions/{version_id}/{rendition}", get(version))
        .route("/media/datastores/{datastore_id}/thumb", get(stored))
        .route("/media/assets/{asset_id}", get(asset))
}

async fn item(
    State(services): State<Services>,
    Caller(actor): Caller,
    Path((item, rendition)): Path<(String, String)>,
    asked: Asked,
) -> Api<Response> {
    let item: ItemId = item
        .parse()
        .map_err(|e: limn_domain::InvalidId| Failure::new(Code::BadRequest, e.to_string()))?;
    let which = which(&rendition)?;
    let file = services.media.get(&actor, item, which).await?;
    answer(file, which, &asked).await
}

/// What a rendition is called.
fn which(rendition: &str) -> Result<Rendition, Failure> {
    Ok(match rendition {
        "thumb" => Rendition::Thumb,
        "screen" => Rendition::Screen,
        "full" => Rendition::Full,
        "original" => Rendition::Original,
        "text" => Rendition::Text,
        _ => {
            return Err(Failure::new(
                Code::NotFound,
                "There is no such rendition; use thumb, screen, full, original, or text of a document.",
            ));
        }
    })
}

#[derive(serde::Deserialize)]
struct File {
    path: String,
}

/// A file of a version, by its path.
async fn version(
    State(services): State<Services>,
    Caller(actor): Caller,
    Path((version, rendition)): Path<(String, String)>,
    Query(query): Query<File>,
    asked: Asked,
) -> Api<Response> {
    let version: VersionId = version
        .parse()
        .map_err(|e: limn_domain::InvalidId| Failure::new(Code::BadRequest, e.to_string()))?;
    let which = which(&rendition)?;
    let found = services
        .versions
        .file(&actor, version, &query.path, which)
        .await?;
    answer(found.file, which, &asked).await
}

/// A small picture of a picture in a datastore. What lies there may change, so it is kept for a moment only.
async fn stored(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(store): Id<DatastoreId>,
    Query(query): Query<File>,
    asked: Asked,
) -> Api<Response> {
    let thumb = services.datastores.thumb(&actor, store, &query.path).await?;
    let etag = blake3::hash(&thumb.bytes).to_hex();
    let how = Sending {
        media_type: thumb.media_type,
        etag: &etag,
        attachment: None,
        cache: "private, max-age=60",
    };
    send(Content::Bytes(thumb.bytes), how, &asked).await
}

async fn answer(file: MediaFile, which: Rendition, asked: &Asked) -> Api<Response> {
    let how = Sending {
        media_type: &file.media_type,
        etag: &file.etag,
        attachment: (which == Rendition::Original).then_some(file.name.as_str()),
        cache: if file.stands_in { "no-store" } else { IMMUTABLE },
    };
    send(file.body.into(), how, asked).await
}

async fn tile(
    State(services): State<Services>,
    Caller(actor): Caller,
    Path((item, level, x, y)): Path<(String, String, String, String)>,
    asked: Asked,
) -> Api<Response> {
    let item: ItemId = item
        .parse()
        .map_err(|e: limn_domain::InvalidId| Failure::new(Code::BadRequest, e.to_string()))?;
    let number = |text: &str| {
        text.parse::<u32>().map_err(|_| {
            Failure::new(
                Code::BadRequest,
                "Level, x and y of a tile are whole numbers from 0.",
            )
        })
    };
    let (level, x, y) = (number(&level)?, number(&x)?, number(&y)?);
    let tile = services.media.tile(&actor, item, level, x, y).await?;
    let MediaBody::Bytes(bytes) = tile.file.body else {
        return Err(Failure(limn_domain::ApiError::internal()));
    };
    let how = Sending {
        media_type: &tile.file.media_type,
        etag: &tile.file.etag,
        attachment: None,
        cache: IMMUTABLE,
    };
    let mut response = send(Content::Bytes(bytes), how, &asked).await?;
    if tile.gzip {
        response.headers_mut().insert(
            http::header::CONTENT_ENCODING,
            http::HeaderValue::from_static("gzip"),
        );
    }
    Ok(response)
}

async fn frame(
    State(services): State<Services>,
    Caller(actor): Caller,
    Path((item, number)): Path<(String, String)>,
    asked: Asked,
) -> Api<Response> {
    send_frame(&services, &actor, (&item, &number), false, &asked).await
}

async fn frame_thumb(
    State(services): State<Services>,
    Caller(actor): Caller,
    Path((item, number)): Path<(String, String)>,
    asked: Asked,
) -> Api<Response> {
    send_frame(&services, &actor, (&item, &number), true, &asked).await
}

async fn send_frame(
    services: &Services,
    actor: &Actor,
    (item, number): (&str, &str),
    small: bool,
    asked: &Asked,
) -> Api<Response> {
    let item: ItemId = item
        .parse()
        .map_err(|e: limn_domain::InvalidId| Failure::new(Code::BadRequest, e.to_string()))?;
    let number: u32 = number.parse().map_err(|_| {
        Failure::new(
            Code::BadRequest,
            "The number of a frame is a whole number from 0.",
        )
    })?;
    let file = services.media.frame(actor, item, number, small).await?;
    answer(file, Rendition::Full, asked).await
}

async fn asset(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(asset): Id<AssetId>,
    asked: Asked,
) -> Api<Response> {
    let (media_type, bytes) = services.assets.get(&actor, asset).await?;
    let etag = asset.to_string();
    let how = Sending {
        media_type: &media_type,
        etag: &etag,
        attachment: None,
        cache: IMMUTABLE,
    };
    send(Content::Bytes(bytes), how, &asked).await
}
