//! Logging to runs.

use super::{Runs, lock};
use crate::authz::require;
use crate::experiments::check_text;
use crate::{Actor, Error, Result};
use limn_domain::run::{
    self as model, LoggedMetric, ModelUse, NAME_TAG, NewPoint, Point, RunBatch, RunInput, RunModel,
};
use limn_domain::{Action, Code, RunId, Timestamp, VersionId};
use limn_store::{StoreError, Tx, repo};
use std::collections::BTreeMap;

/// Longest texts of an input, in bytes.
const INPUT_NAME: usize = 500;
const INPUT_DIGEST: usize = 64;
const INPUT_SOURCE: usize = 65_535;
const INPUT_SCHEMA: usize = 1_048_575;
const INPUT_PROFILE: usize = 16_777_215;
/// Most inputs, and most models, of a call.
const INPUTS: usize = 1_000;

pub(super) fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(Error::field(
            "run_name",
            "A run's name is one line of plain text.",
        ));
    }
    check_text("name", "run_name", name, 1_000)
}

pub(super) fn check_tag(key: &str, value: &str) -> Result<()> {
    model::check_key("tag", key).map_err(|e| Error::field("tags", e))?;
    check_text("tag", key, value, model::TAG_MAX)
}

impl Runs {
    /// Logs metrics, parameters and tags: all of it or nothing. Durable when it returns.
    ///
    /// The latest value of a metric is that of its highest step, then time, then value. Errors: `InvalidInput` for a
    /// parameter that was logged with another value, `WrongState` for a run in the bin.
    pub async fn log(&self, actor: &Actor, id: RunId, batch: RunBatch) -> Result<()> {
        require(actor, Action::LogRuns)?;
        for m in &batch.metrics {
            model::check_key("metric", &m.key).map_err(|e| Error::field("metrics", e))?;
        }
        for (key, value) in &batch.params {
            model::check_key("parameter", key).map_err(|e| Error::field("params", e))?;
            check_text("parameter", key, value, model::PARAM_MAX)?;
        }
        for (key, value) in &batch.tags {
            check_tag(key, value)?;
        }
        let now = self.ctx.now();
        self.ctx
            .db
            .write(move |tx| Box::pin(async move { write(tx, id, &batch, now).await }))
            .await
    }

    /// Notes the data that a run read; what is noted already stays as it is. A version of a dataset of ours is told by
    /// its id, or by an address of ours in the source.
    pub async fn log_inputs(&self, actor: &Actor, id: RunId, mut inputs: Vec<RunInput>) -> Result<()> {
        require(actor, Action::LogRuns)?;
        if inputs.len() > INPUTS {
            return Err(Error::field(
                "datasets",
                format!("At most {INPUTS} datasets at once."),
            ));
        }
        let mut tx = self.ctx.db.read().await?;
        for input in &mut inputs {
            check_input(input)?;
            let named = input.version_id.or_else(|| version_in(&input.source));
            input.version_id = match named {
                None => None,
                // Somebody who may not see it cannot find out whether it is there.
                Some(version) => crate::versions::visible(&mut tx, actor, version, Action::ViewDataset)
                    .await
                    .ok()
                    .map(|v| v.id),
            };
        }
        drop(tx);
        let now = self.ctx.now();
        self.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    lock(tx, id, now).await?;
                    match repo::run::put_inputs(tx, id, &inputs, now).await {
                        // The version of a dataset went at this moment.
                        Err(StoreError::ForeignKey(_)) => Err(Error::not_found("version")),
                        other => Ok(other?),
                    }
                })
            })
            .await
    }

    /// Notes the logged models that a run read or made.
    pub async fn log_models(&self, actor: &Actor, id: RunId, models: Vec<RunModel>) -> Result<()> {
        require(actor, Action::LogRuns)?;
        if models.len() > INPUTS {
            return Err(Error::field(
                "models",
                format!("At most {INPUTS} models at once."),
            ));
        }
        let now = self.ctx.now();
        self.ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    lock(tx, id, now).await?;
                    for m in &models {
                        crate::logged_models::find(tx, m.model_id).await?;
                    }
                    let mut models = models;
                    let uses = |u: ModelUse| u == ModelUse::Output;
                    models.sort_by_key(|m| (m.model_id, uses(m.role)));
                    models.dedup_by_key(|m| (m.model_id, uses(m.role)));
                    Ok(repo::run::put_models(tx, id, &models).await?)
                })
            })
            .await
    }
}

async fn write(tx: &mut Tx, id: RunId, batch: &RunBatch, now: Timestamp) -> Result<()> {
    lock(tx, id, now).await?;
    params(tx, id, &batch.params).await?;
    if !batch.tags.is_empty() {
        // Of a tag that is there twice the last counts.
        let tags: BTreeMap<&str, &str> = batch.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if let Some(name) = tags.get(NAME_TAG).filter(|n| !n.trim().is_empty()) {
            repo::run::update(tx, id, Some(name), None, None).await?;
        }
        repo::run::put_tags(tx, id, &tags.into_iter().collect::<Vec<_>>()).await?;
    }
    let mut points: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
    for m in &batch.metrics {
        points.entry(&m.key).or_default().push(m.point);
    }
    repo::metric::append(tx, id, &points).await?;
    of_models(tx, id, &batch.metrics).await
}

async fn params(tx: &mut Tx, id: RunId, params: &[(String, String)]) -> Result<()> {
    if params.is_empty() {
        return Ok(());
    }
    let mut new: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in params {
        if let Some(other) = new.insert(key, value).filter(|v| *v != value.as_str()) {
            return Err(changed(id, key, other, value));
        }
    }
    let keys: Vec<&str> = new.keys().copied().collect();
    for (key, is) in repo::run::params_of(tx, id, &keys).await? {
        match new.remove(key.as_str()) {
            Some(value) if value != is => return Err(changed(id, &key, &is, value)),
            _ => {}
        }
    }
    Ok(repo::run::put_params(tx, id, &new.into_iter().collect::<Vec<_>>()).await?)
}

fn changed(id: RunId, key: &str, was: &str, is: &str) -> Error {
    let short = |t: &str| t.chars().take(100).collect::<String>();
    Error::field(
        "params",
        format!(
            "Changing param values is not allowed: the param `{key}` of the run {} was logged as '{}', and now as '{}'. Log \
             it under another name, or start another run.",
            id.hex(),
            short(was),
            short(is)
        ),
    )
}

/// What was measured of logged models is theirs too.
async fn of_models(tx: &mut Tx, run: RunId, metrics: &[NewPoint]) -> Result<()> {
    let of: Vec<_> = metrics
        .iter()
        .filter_map(|m| {
            let (model, dataset_name, dataset_digest) = m.model.clone()?;
            let metric = LoggedMetric {
                key: m.key.clone(),
                last: m.point,
                run_id: run,
                dataset_name,
                dataset_digest,
            };
            Some((model, metric))
        })
        .collect();
    match repo::logged_model::put_metrics(tx, &of).await {
        Err(StoreError::ForeignKey(_)) => Err(Error::new(
            Code::NotFound,
            "One of the metrics names a logged model that is not there.",
        )),
        other => Ok(other?),
    }
}

fn check_input(i: &RunInput) -> Result<()> {
    if i.name.is_empty() || i.digest.is_empty() {
        return Err(Error::field("datasets", "A dataset needs a name and a digest."));
    }
    for (what, value, most) in [
        ("name", &i.name, INPUT_NAME),
        ("digest", &i.digest, INPUT_DIGEST),
        ("source_type", &i.source_type, INPUT_NAME),
        ("source", &i.source, INPUT_SOURCE),
        ("schema", &i.schema, INPUT_SCHEMA),
        ("profile", &i.profile, INPUT_PROFILE),
    ] {
        check_text("dataset's", what, value, most)?;
    }
    for (key, value) in &i.tags {
        model::check_key("tag", key).map_err(|e| Error::field("datasets", e))?;
        check_text("tag", key, value, 500)?;
    }
    Ok(())
}

/// The version of a dataset that an address in a source names: `.../versions/<id>...`.
fn version_in(source: &str) -> Option<VersionId> {
    source
        .split("/versions/")
        .skip(1)
        .find_map(|rest| rest.get(..36)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn addresses_of_versions() {
        let id = "0192f0c1-2d3e-7abc-8def-0123456789ab";
        let source = format!("{{\"url\": \"http://limn.test/api/v1/versions/{id}/file?path=a.csv\"}}");
        assert_eq!(version_in(&source).map(|v| v.to_string()).as_deref(), Some(id));
        for none in [
            "",
            "/versions/",
            "/versions/1",
            "/versions/öööööööööööööööööööö",
            "s3://b/versions/latest",
        ] {
            assert_eq!(version_in(none), None, "{none}");
        }
    }
}
