//! `mlflow-artifacts/*` and the lists of artifacts: bytes up and down as streams, ranges, uploads in parts.

use super::experiments::done;
use super::fields::{self, Fields, invalid};
use super::logged;
use super::wire;
use crate::error::{Api, Failure};
use crate::middleware::Client;
use crate::ranges::{Asked, Sending, send};
use crate::rest::extract::{Caller, stream};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderValue, StatusCode, header};
use limn_domain::Code;
use limn_domain::run::ArtifactEntry;
use limn_services::Services;
use limn_services::artifacts::{Owner, Part, Place};
use serde_json::{Value, json};

/// The content at a path may be replaced; whoever has it asks whether it is still the one.
const CACHE: &str = "private, no-cache";

/// Files and folders, named from the folder on when `from` is its path.
fn entries(all: &[ArtifactEntry], from: &str) -> Value {
    let skip = if from.is_empty() { 0 } else { from.len() + 1 };
    all.iter()
        .map(|e| {
            let size = if e.is_dir { Value::Null } else { e.size.into() };
            let path = e.path.get(skip..).unwrap_or(&e.path);
            wire::object([
                ("path", path.into()),
                ("is_dir", e.is_dir.into()),
                ("file_size", size),
            ])
        })
        .collect()
}

pub async fn list(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let place = Place::parse(&f.text("path")?.unwrap_or_default())?;
    let found = s.artifacts.list(&actor, place.owner, &place.path).await?;
    Ok(Json(wire::object([("files", entries(&found, &place.path))])))
}

pub async fn of_run(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let run = s.runs.get(&actor, f.run()?).await?.info;
    let owner = Owner::Run(run.id);
    let found = s
        .artifacts
        .list(&actor, owner, &f.text("path")?.unwrap_or_default())
        .await?;
    Ok(Json(wire::object([
        ("root_uri", Place::uri(run.experiment_id, owner).into()),
        ("files", entries(&found, "")),
    ])))
}

pub async fn of_model(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(model): Path<String>,
    f: Fields,
) -> Api<Json<Value>> {
    let model = s.logged_models.get(&actor, logged::id(&model)?).await?;
    let owner = Owner::Model(model.id);
    let folder = f.text("artifact_directory_path")?.unwrap_or_default();
    let found = s.artifacts.list(&actor, owner, &folder).await?;
    Ok(Json(wire::object([
        ("root_uri", Place::uri(model.experiment_id, owner).into()),
        ("files", entries(&found, "")),
    ])))
}

pub async fn download(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(path): Path<String>,
    asked: Asked,
) -> Api<Response> {
    let place = Place::parse(&path)?;
    let file = s.artifacts.open(&actor, place.owner, &place.path).await?;
    // Pictures are shown in pages; anything else a browser might run is for keeping.
    let shown = limn_domain::run::media::is_picture(&file.name);
    let how = Sending {
        media_type: &file.media_type,
        etag: &file.etag,
        attachment: (!shown).then_some(file.name.as_str()),
        cache: CACHE,
    };
    send(file.body.into(), how, &asked).await
}

pub async fn upload(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(path): Path<String>,
    body: Body,
) -> Api<Json<Value>> {
    let place = Place::parse(&path)?;
    s.artifacts
        .put_stream(&actor, place.owner, &place.path, stream(body))
        .await?;
    Ok(done())
}

pub async fn delete(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(path): Path<String>,
) -> Api<Json<Value>> {
    let place = Place::parse(&path)?;
    s.artifacts.delete(&actor, place.owner, &place.path).await?;
    Ok(done())
}

/// Clients put the folder into the address and the file's own path on their machine into the body.
fn file_in(path: &str, f: &Fields) -> Api<Place> {
    let mut place = Place::parse(path)?;
    let local = f.need("path")?;
    let name = local.rsplit(['/', '\\']).next().unwrap_or_default();
    place.path = if place.path.is_empty() {
        name.to_owned()
    } else {
        format!("{}/{name}", place.path)
    };
    Ok(place)
}

pub async fn create_parts(
    State(state): State<AppState>,
    Caller(actor): Caller,
    client: Option<Extension<Client>>,
    Path(path): Path<String>,
    f: Fields,
) -> Api<Json<Value>> {
    let place = file_in(&path, &f)?;
    let count = f.int("num_parts")?.unwrap_or(1);
    let parts = state
        .services
        .artifacts
        .create_parts(&actor, place.owner, &place.path, count)
        .await?;
    let origin = client.and_then(|Extension(c)| c.origin).ok_or_else(|| {
        Failure::new(
            Code::BadRequest,
            "The request names no host; set server.public_url.",
        )
    })?;
    let base = format!(
        "{origin}{}/mpu/part/{}/{}",
        super::FILES_PREFIX,
        parts.id.simple(),
        parts.secret
    );
    let credentials: Vec<Value> = (1..=parts.count)
        .map(|n| json!({ "url": format!("{base}/{n}"), "part_number": n, "headers": {} }))
        .collect();
    Ok(Json(
        json!({ "upload_id": parts.id.simple().to_string(), "credentials": credentials }),
    ))
}

fn upload_id(f: &Fields) -> Api<uuid::Uuid> {
    let text = f.need("upload_id")?;
    text.parse().map_err(|_| fields::nothing("upload", &text))
}

pub async fn complete_parts(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(path): Path<String>,
    mut f: Fields,
) -> Api<Json<Value>> {
    let place = file_in(&path, &f)?;
    let id = upload_id(&f)?;
    let mut parts = Vec::new();
    for part in f.objects("parts")? {
        parts.push(Part {
            number: part
                .int("part_number")?
                .ok_or_else(|| invalid("parts", "Missing value for required parameter 'part_number'."))?,
            etag: part.text("etag")?.unwrap_or_default(),
        });
    }
    s.artifacts
        .complete_parts(&actor, place.owner, &place.path, id, parts)
        .await?;
    Ok(done())
}

pub async fn abort_parts(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(path): Path<String>,
    f: Fields,
) -> Api<Json<Value>> {
    let place = file_in(&path, &f)?;
    s.artifacts
        .abort_parts(&actor, place.owner, &place.path, upload_id(&f)?)
        .await?;
    Ok(done())
}

/// A part of a file. The address holds the permission: clients send nothing else with it.
pub async fn put_part(
    State(s): State<Services>,
    Path((id, secret, number)): Path<(String, String, i64)>,
    body: Body,
) -> Api<Response> {
    let id = id.parse().map_err(|_| fields::nothing("upload", &id))?;
    let etag = s.artifacts.put_part(id, &secret, number, stream(body)).await?;
    let mut response = StatusCode::OK.into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{etag}\"")) {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response)
}
