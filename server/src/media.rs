//! Pictures and texts: renditions and originals of items, and the pictures in instructions.
//!
//! Outside `/api/v1` because pages name them in `<img>`; the same sessions, tokens and roles apply.

use crate::error::{Api, Failure};
use crate::ranges::{Content, Sending, send};
use crate::rest::extract::{Caller, Id};
use crate::state::AppState;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;
use limn_domain::{AssetId, Code, ItemId};
use limn_services::Services;
use limn_services::media::{MediaBody, Rendition};

/// The content under a path never changes, but it is not for everybody.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/media/items/{item_id}/{rendition}", get(item))
        .route("/media/items/{item_id}/tiles/{level}/{x}/{y}", get(tile))
        .route("/media/assets/{asset_id}", get(asset))
}

async fn item(
    State(services): State<Services>,
    Caller(actor): Caller,
    Path((item, rendition)): Path<(String, String)>,
    headers: HeaderMap,
) -> Api<Response> {
    let item: ItemId = item
        .parse()
        .map_err(|e: limn_domain::InvalidId| Failure::new(Code::BadRequest, e.to_string()))?;
    let which = match rendition.as_str() {
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
    };
    let file = services.media.get(&actor, item, which).await?;
    let content = match file.body {
        MediaBody::Bytes(b) => Content::Bytes(b),
        MediaBody::File { path, len } => Content::File { path, len },
    };
    let how = Sending {
        media_type: &file.media_type,
        etag: &file.etag,
        attachment: (which == Rendition::Original).then_some(file.name.as_str()),
        cache: if file.stands_in { "no-store" } else { IMMUTABLE },
    };
    send(content, how, &headers).await
}

async fn tile(
    State(services): State<Services>,
    Caller(actor): Caller,
    Path((item, level, x, y)): Path<(String, String, String, String)>,
    headers: HeaderMap,
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
    let mut response = send(Content::Bytes(bytes), how, &headers).await?;
    if tile.gzip {
        response.headers_mut().insert(
            http::header::CONTENT_ENCODING,
            http::HeaderValue::from_static("gzip"),
        );
    }
    Ok(response)
}

async fn asset(
    State(services): State<Services>,
    Caller(actor): Caller,
    Id(asset): Id<AssetId>,
    headers: HeaderMap,
) -> Api<Response> {
    let (media_type, bytes) = services.assets.get(&actor, asset).await?;
    let etag = asset.to_string();
    let how = Sending {
        media_type: &media_type,
        etag: &etag,
        attachment: None,
        cache: IMMUTABLE,
    };
    send(Content::Bytes(bytes), how, &headers).await
}
