//! `registered-models/*`.

use super::experiments::done;
use super::fields::Fields;
use super::wire;
use crate::error::Api;
use crate::rest::extract::Caller;
use axum::Json;
use axum::extract::State;
use limn_domain::model::RegisteredModel;
use limn_services::{Actor, Services};
use serde_json::{Value, json};

async fn answer(s: &Services, actor: &Actor, model: &RegisteredModel) -> Api<Json<Value>> {
    let versions = s.models.versions(actor, &model.name).await?;
    Ok(Json(
        json!({ "registered_model": wire::registered(model, &versions) }),
    ))
}

pub async fn create(State(s): State<Services>, Caller(actor): Caller, mut f: Fields) -> Api<Json<Value>> {
    let tags = f.tags("tags")?;
    let description = f.text("description")?.unwrap_or_default();
    let made = s
        .models
        .create(&actor, &f.need("name")?, &description, tags)
        .await?;
    answer(&s, &actor, &made).await
}

pub async fn rename(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let is = s
        .models
        .rename(&actor, &f.need("name")?, &f.need("new_name")?)
        .await?;
    answer(&s, &actor, &is).await
}

pub async fn update(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let description = f.any("description")?.unwrap_or_default();
    let is = s.models.describe(&actor, &f.need("name")?, &description).await?;
    answer(&s, &actor, &is).await
}

pub async fn delete(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.models.delete(&actor, &f.need("name")?).await?;
    Ok(done())
}

pub async fn get(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let found = s.models.get(&actor, &f.need("name")?).await?;
    answer(&s, &actor, &found).await
}

pub async fn search(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let text = f.text("filter")?.unwrap_or_default();
    let token = f.text("page_token")?;
    let limit = f.int("max_results")?.unwrap_or(100);
    let page = s
        .models
        .search(&actor, &text, &f.texts("order_by")?, limit, token.as_deref())
        .await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for model in &page.rows {
        let versions = s.models.versions(&actor, &model.name).await?;
        rows.push(wire::registered(model, &versions));
    }
    Ok(Json(wire::object([
        ("registered_models", rows.into()),
        ("next_page_token", page.next.into()),
    ])))
}

/// The newest version of each stage, or of those asked for.
pub async fn latest(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let stages = f.texts("stages")?;
    let versions = s.models.versions(&actor, &f.need("name")?).await?;
    let wanted = |stage: &str| stages.is_empty() || stages.iter().any(|x| x.eq_ignore_ascii_case(stage));
    let rows: Value = wire::latest(&versions)
        .into_iter()
        .filter(|v| wanted(&v.stage))
        .map(|v| wire::version(v, true))
        .collect();
    Ok(Json(wire::object([("model_versions", rows)])))
}

pub async fn set_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let value = f.any("value")?.unwrap_or_default();
    s.models
        .set_tag(&actor, &f.need("name")?, &f.need("key")?, Some(&value))
        .await?;
    Ok(done())
}

pub async fn delete_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.models
        .set_tag(&actor, &f.need("name")?, &f.need("key")?, None)
        .await?;
    Ok(done())
}

pub async fn set_alias(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.models
        .set_alias(&actor, &f.need("name")?, &f.need("alias")?, Some(f.version()?))
        .await?;
    Ok(done())
}

pub async fn delete_alias(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.models
        .set_alias(&actor, &f.need("name")?, &f.need("alias")?, None)
        .await?;
    Ok(done())
}

pub async fn by_alias(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let found = s
        .models
        .by_alias(&actor, &f.need("name")?, &f.need("alias")?)
        .await?;
    Ok(Json(json!({ "model_version": wire::version(&found, true) })))
}
