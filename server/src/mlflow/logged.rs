//! `logged-models/*`.

use super::experiments::done;
use super::fields::{self, Fields, invalid};
use super::wire;
use crate::error::Api;
use crate::rest::extract::Caller;
use axum::Json;
use axum::extract::{Path, State};
use limn_domain::LoggedModelId;
use limn_domain::run::{LoggedStatus, Tags};
use limn_services::Services;
use limn_services::logged_models::NewLoggedModel;
use serde_json::{Value, json};

pub(super) fn id(text: &str) -> Api<LoggedModelId> {
    LoggedModelId::parse_tag(text).map_err(|_| fields::nothing("logged model", text))
}

pub async fn create(State(s): State<Services>, Caller(actor): Caller, mut f: Fields) -> Api<Json<Value>> {
    let run_id = match f.text("source_run_id")? {
        Some(text) => Some(fields::run_id(&text)?),
        None => None,
    };
    let input = NewLoggedModel {
        experiment_id: f.experiment()?,
        run_id,
        // Clients may leave the name to the server.
        name: f.text("name")?.unwrap_or_else(|| "model".to_owned()),
        model_type: f.text("model_type")?.unwrap_or_default(),
        params: f.tags("params")?,
        tags: f.tags("tags")?,
    };
    let made = s.logged_models.create(&actor, input).await?;
    Ok(Json(json!({ "model": wire::logged_model(&made) })))
}

pub async fn get(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(model): Path<String>,
) -> Api<Json<Value>> {
    let found = s.logged_models.get(&actor, id(&model)?).await?;
    Ok(Json(json!({ "model": wire::logged_model(&found) })))
}

pub async fn finalize(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(model): Path<String>,
    f: Fields,
) -> Api<Json<Value>> {
    let status = f.need("status")?;
    let status = LoggedStatus::from_wire(&status).ok_or_else(|| {
        invalid(
            "status",
            "Parameter 'status' is LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED or LOGGED_MODEL_PENDING.",
        )
    })?;
    let is = s.logged_models.set_status(&actor, id(&model)?, status).await?;
    Ok(Json(json!({ "model": wire::logged_model(&is) })))
}

pub async fn delete(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(model): Path<String>,
) -> Api<Json<Value>> {
    s.logged_models.delete(&actor, id(&model)?).await?;
    Ok(done())
}

pub async fn log_params(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(model): Path<String>,
    mut f: Fields,
) -> Api<Json<Value>> {
    let params = f.tags("params")?;
    s.logged_models
        .add_texts(&actor, id(&model)?, params, Tags::new())
        .await?;
    Ok(done())
}

pub async fn set_tags(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path(model): Path<String>,
    mut f: Fields,
) -> Api<Json<Value>> {
    let tags = f.tags("tags")?;
    s.logged_models
        .add_texts(&actor, id(&model)?, Tags::new(), tags)
        .await?;
    Ok(done())
}

pub async fn delete_tag(
    State(s): State<Services>,
    Caller(actor): Caller,
    Path((model, key)): Path<(String, String)>,
) -> Api<Json<Value>> {
    s.logged_models.delete_tag(&actor, id(&model)?, &key).await?;
    Ok(done())
}

pub async fn search(State(s): State<Services>, Caller(actor): Caller, mut f: Fields) -> Api<Json<Value>> {
    let experiments: Vec<_> = f
        .texts("experiment_ids")?
        .iter()
        .filter_map(|t| t.parse().ok())
        .collect();
    let mut order = Vec::new();
    for by in f.objects("order_by")? {
        // Ascending unless said otherwise.
        let down = by.has("ascending") && !by.flag("ascending");
        order.push((by.need("field_name")?, !down));
    }
    let mut datasets = Vec::new();
    for data in f.objects("datasets")? {
        datasets.push((data.need("dataset_name")?, data.text("dataset_digest")?));
    }
    let text = f.text("filter")?.unwrap_or_default();
    let token = f.text("page_token")?;
    let limit = f.int("max_results")?.unwrap_or(100);
    let page = s
        .logged_models
        .search(
            &actor,
            &experiments,
            &text,
            &order,
            &datasets,
            (limit, token.as_deref()),
        )
        .await?;
    Ok(Json(wire::object([
        ("models", page.rows.iter().map(wire::logged_model).collect()),
        ("next_page_token", page.next.into()),
    ])))
}
