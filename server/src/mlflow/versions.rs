//! `model-versions/*`.

use super::experiments::done;
use super::fields::{self, Fields};
use super::{logged, wire};
use crate::error::Api;
use crate::rest::extract::Caller;
use axum::Json;
use axum::extract::State;
use limn_services::Services;
use limn_services::artifacts::{Owner, Place};
use limn_services::models::Register;
use serde_json::{Value, json};

fn answer(v: &limn_domain::model::ModelVersion) -> Json<Value> {
    Json(json!({ "model_version": wire::version(v, true) }))
}

pub async fn create(State(s): State<Services>, Caller(actor): Caller, mut f: Fields) -> Api<Json<Value>> {
    let run_id = match f.text("run_id")? {
        Some(text) => Some(fields::run_id(&text)?),
        None => None,
    };
    let logged_model_id = match f.text("model_id")? {
        Some(text) => Some(logged::id(&text)?),
        None => None,
    };
    let input = Register {
        name: f.need("name")?,
        source: f.need("source")?,
        run_id,
        logged_model_id,
        dataset_version_id: None,
        run_link: f.text("run_link")?.unwrap_or_default(),
        description: f.text("description")?.unwrap_or_default(),
        tags: f.tags("tags")?,
        or_create: false,
    };
    Ok(answer(&s.models.register_source(&actor, input).await?))
}

pub async fn update(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let text = f.any("description")?.unwrap_or_default();
    let is = s
        .models
        .describe_version(&actor, &f.need("name")?, f.version()?, &text)
        .await?;
    Ok(answer(&is))
}

pub async fn stage(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let archive = f.flag("archive_existing_versions");
    let is = s
        .models
        .set_stage(&actor, &f.need("name")?, f.version()?, &f.need("stage")?, archive)
        .await?;
    Ok(answer(&is))
}

pub async fn delete(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.models
        .delete_version(&actor, &f.need("name")?, f.version()?)
        .await?;
    Ok(done())
}

pub async fn get(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    Ok(answer(
        &s.models.version(&actor, &f.need("name")?, f.version()?).await?,
    ))
}

pub async fn search(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let text = f.text("filter")?.unwrap_or_default();
    let token = f.text("page_token")?;
    let limit = f.int("max_results")?.unwrap_or(10_000);
    let page = s
        .models
        .search_versions(&actor, &text, &f.texts("order_by")?, limit, token.as_deref())
        .await?;
    Ok(Json(wire::object([
        (
            "model_versions",
            page.rows.iter().map(|v| wire::version(v, true)).collect(),
        ),
        ("next_page_token", page.next.into()),
    ])))
}

pub async fn download_uri(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let (version, place) = s.models.place(&actor, &f.need("name")?, f.version()?).await?;
    let experiment = match place.owner {
        Owner::Version(_) => limn_services::experiments::DEFAULT,
        Owner::Run(id) => s.runs.get(&actor, id).await?.info.experiment_id,
        Owner::Model(id) => s.logged_models.get(&actor, id).await?.experiment_id,
    };
    let ours = version.files > 0 || !matches!(place.owner, Owner::Version(_));
    let mut uri = if ours {
        Place::uri(experiment, place.owner)
    } else {
        version.source
    };
    if ours && !place.path.is_empty() {
        uri = format!("{uri}/{}", place.path);
    }
    Ok(Json(json!({ "artifact_uri": uri })))
}

pub async fn set_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let value = f.any("value")?.unwrap_or_default();
    s.models
        .set_version_tag(
            &actor,
            &f.need("name")?,
            f.version()?,
            &f.need("key")?,
            Some(&value),
        )
        .await?;
    Ok(done())
}

pub async fn delete_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.models
        .set_version_tag(&actor, &f.need("name")?, f.version()?, &f.need("key")?, None)
        .await?;
    Ok(done())
}
