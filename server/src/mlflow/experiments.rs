//! `experiments/*`.

use super::fields::{Fields, invalid};
use super::wire;
use crate::error::Api;
use crate::rest::extract::Caller;
use axum::Json;
use axum::extract::State;
use limn_domain::filter::{self, Clause, Entity};
use limn_domain::run::{Experiment, View};
use limn_services::Services;
use serde_json::{Value, json};

/// What a call without an answer answers.
pub(super) fn done() -> Json<Value> {
    Json(json!({}))
}

/// Which of what lies in the bin and out of it.
pub(super) fn view(fields: &Fields, field: &str) -> Api<View> {
    match fields.text(field)?.as_deref() {
        None | Some("ACTIVE_ONLY" | "1") => Ok(View::Active),
        Some("DELETED_ONLY" | "2") => Ok(View::Deleted),
        Some("ALL" | "3") => Ok(View::All),
        Some(_) => Err(invalid(
            field,
            format!("Parameter '{field}' is ACTIVE_ONLY, DELETED_ONLY or ALL."),
        )),
    }
}

pub async fn by_name(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let found = s.experiments.by_name(&actor, &f.need("experiment_name")?).await?;
    Ok(Json(json!({ "experiment": wire::experiment(&found) })))
}

pub async fn get(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let found = s.experiments.get(&actor, f.experiment()?).await?;
    Ok(Json(json!({ "experiment": wire::experiment(&found) })))
}

pub async fn create(State(s): State<Services>, Caller(actor): Caller, mut f: Fields) -> Api<Json<Value>> {
    if let Some(place) = f.text("artifact_location")?
        && !place.starts_with("mlflow-artifacts:")
    {
        return Err(invalid(
            "artifact_location",
            "This server keeps artifacts itself; leave artifact_location out.",
        ));
    }
    let tags = f.tags("tags")?;
    let id = s.experiments.create(&actor, &f.need("name")?, tags).await?;
    Ok(Json(json!({ "experiment_id": id.to_string() })))
}

pub async fn update(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.experiments
        .rename(&actor, f.experiment()?, &f.need("new_name")?)
        .await?;
    Ok(done())
}

pub async fn delete(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.experiments.set_deleted(&actor, f.experiment()?, true).await?;
    Ok(done())
}

pub async fn restore(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.experiments.set_deleted(&actor, f.experiment()?, false).await?;
    Ok(done())
}

pub async fn set_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let value = f.any("value")?.unwrap_or_default();
    s.experiments
        .set_tag(&actor, f.experiment()?, &f.need("key")?, Some(&value))
        .await?;
    Ok(done())
}

pub async fn delete_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.experiments
        .set_tag(&actor, f.experiment()?, &f.need("key")?, None)
        .await?;
    Ok(done())
}

pub async fn search(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let text = f.text("filter")?.unwrap_or_default();
    let clauses = filter::EXPERIMENTS
        .parse(&text)
        .map_err(|e| invalid("filter", e))?;
    let view = view(&f, "view_type")?;
    let mut all = s.experiments.list(&actor).await?;
    all.retain(|e| {
        let fits = match view {
            View::Active => e.deleted_at.is_none(),
            View::Deleted => e.deleted_at.is_some(),
            View::All => true,
        };
        fits && clauses.iter().all(|c| matches(e, c))
    });
    // Newest first, as the list is; the order asked for goes before that.
    let mut sorts = Vec::new();
    for order in f.texts("order_by")? {
        sorts.push(
            filter::EXPERIMENTS
                .sort(&order)
                .map_err(|e| invalid("order_by", e))?,
        );
    }
    for sort in sorts.iter().rev() {
        let way = |o: std::cmp::Ordering| if sort.ascending { o } else { o.reverse() };
        all.sort_by(|a, b| {
            way(match sort.key.as_str() {
                "creation_time" => a.created_at.cmp(&b.created_at),
                "last_update_time" => a.updated_at.cmp(&b.updated_at),
                "experiment_id" => a.id.cmp(&b.id),
                _ => a.name.cmp(&b.name),
            })
        });
    }
    let (rows, next) = page(&f, all, 1_000)?;
    Ok(Json(wire::object([
        ("experiments", rows.iter().map(wire::experiment).collect()),
        ("next_page_token", next.into()),
    ])))
}

/// A page of a list that is there whole: `max_results` from `page_token` on, which is where it begins.
pub(super) fn page<T>(f: &Fields, all: Vec<T>, default: i64) -> Api<(Vec<T>, Option<String>)> {
    let limit = f.int("max_results")?.unwrap_or(default);
    if !(1..=50_000).contains(&limit) {
        return Err(invalid(
            "max_results",
            format!("Invalid value {limit} for parameter 'max_results' supplied: it is 1 to 50000."),
        ));
    }
    let start: usize = match f.text("page_token")? {
        None => 0,
        Some(token) => token
            .strip_prefix("at-")
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| {
                invalid(
                    "page_token",
                    "This is no page token of this list; leave it out to begin again.",
                )
            })?,
    };
    let end = start.saturating_add(limit as usize);
    let next = (end < all.len()).then(|| format!("at-{end}"));
    Ok((all.into_iter().skip(start).take(limit as usize).collect(), next))
}

fn matches(e: &Experiment, clause: &Clause) -> bool {
    match (clause.entity, clause.key.as_str()) {
        (Entity::Tag, key) => clause.matches_text(e.tags.get(key).map(String::as_str)),
        (_, "creation_time") => clause.matches_number(Some(wire::ms(e.created_at) as f64)),
        (_, "last_update_time") => clause.matches_number(Some(wire::ms(e.updated_at) as f64)),
        (_, "experiment_id") => clause.matches_text(Some(&e.id.to_string())),
        _ => clause.matches_text(Some(&e.name)),
    }
}
