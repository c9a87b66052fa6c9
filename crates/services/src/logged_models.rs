//! Models as runs log them, before anybody registers them.

use crate::authz::require;
use crate::experiments::{check_text, missing as no_experiment, no_tag, state as experiment_state};
use crate::{Actor, Context, Error, Result, cursor};
use limn_domain::filter::{self, Clause, Entity};
use limn_domain::run::{self as model, ExperimentId, LoggedModel, LoggedStatus, Tags};
use limn_domain::{Action, Code, LoggedModelId, Page, RunId, Timestamp};
use limn_store::repo::logged_model::Which;
use limn_store::{Tx, repo};

const CURSOR: &str = "logged-models";

#[derive(Clone)]
pub struct LoggedModels(pub(crate) Context);

/// A model to log.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLoggedModel {
    pub experiment_id: ExperimentId,
    pub run_id: Option<RunId>,
    pub name: String,
    pub model_type: String,
    pub params: Tags,
    pub tags: Tags,
}

impl LoggedModels {
    pub async fn create(&self, actor: &Actor, input: NewLoggedModel) -> Result<LoggedModel> {
        require(actor, Action::LogRuns)?;
        limn_domain::model::check_name(&input.name).map_err(|e| Error::field("name", e))?;
        check_text("name", "model_type", &input.model_type, 500)?;
        check(&input.params, &input.tags)?;
        let now = self.0.now();
        let made = LoggedModel {
            id: LoggedModelId::new(),
            experiment_id: input.experiment_id,
            run_id: input.run_id,
            name: input.name,
            model_type: input.model_type,
            status: LoggedStatus::Pending,
            params: input.params,
            tags: input.tags,
            metrics: Vec::new(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    match repo::experiment::is_deleted(tx, made.experiment_id).await? {
                        None => return Err(no_experiment(made.experiment_id)),
                        Some(true) => return Err(experiment_state(made.experiment_id, true)),
                        Some(false) => {}
                    }
                    if let Some(run) = made.run_id {
                        crate::runs::info(tx, run).await?;
                    }
                    repo::logged_model::insert(tx, &made).await?;
                    Ok(made)
                })
            })
            .await
    }

    pub async fn get(&self, actor: &Actor, id: LoggedModelId) -> Result<LoggedModel> {
        require(actor, Action::ViewRuns)?;
        find(&mut self.0.db.read().await?, id).await
    }

    /// Those that a run logged.
    pub async fn of_run(&self, actor: &Actor, run: RunId) -> Result<Vec<LoggedModel>> {
        require(actor, Action::ViewRuns)?;
        let mut all = repo::logged_model::list(&mut self.0.db.read().await?, Which::Run(run)).await?;
        all.retain(|m| m.deleted_at.is_none());
        Ok(all)
    }

    pub async fn set_status(
        &self,
        actor: &Actor,
        id: LoggedModelId,
        status: LoggedStatus,
    ) -> Result<LoggedModel> {
        require(actor, Action::LogRuns)?;
        let now = self.0.now();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    lock(tx, id, now).await?;
                    repo::logged_model::set_status(tx, id, status).await?;
                    find(tx, id).await
                })
            })
            .await
    }

    /// Adds parameters and tags. Errors: `InvalidInput` for a parameter that has another value.
    pub async fn add_texts(
        &self,
        actor: &Actor,
        id: LoggedModelId,
        params: Tags,
        tags: Tags,
    ) -> Result<LoggedModel> {
        require(actor, Action::LogRuns)?;
        check(&params, &tags)?;
        let now = self.0.now();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let (mut is, mut has) = lock(tx, id, now).await?;
                    for (key, value) in params {
                        if is.get(&key).is_some_and(|v| *v != value) {
                            let why = format!("The parameter `{key}` of the logged model has another value; it cannot change.");
                            return Err(Error::field("params", why));
                        }
                        is.insert(key, value);
                    }
                    has.extend(tags);
                    repo::logged_model::set_texts(tx, id, &is, &has).await?;
                    find(tx, id).await
                })
            })
            .await
    }

    pub async fn delete_tag(&self, actor: &Actor, id: LoggedModelId, key: &str) -> Result<()> {
        require(actor, Action::LogRuns)?;
        let (key, now) = (key.to_owned(), self.0.now());
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let (params, mut tags) = lock(tx, id, now).await?;
                    if tags.remove(&key).is_none() {
                        return Err(no_tag(&key));
                    }
                    Ok(repo::logged_model::set_texts(tx, id, &params, &tags).await?)
                })
            })
            .await
    }

    /// Puts it out of sight; its files stay with the experiment.
    pub async fn delete(&self, actor: &Actor, id: LoggedModelId) -> Result<()> {
        require(actor, Action::LogRuns)?;
        let now = self.0.now();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    lock(tx, id, now).await?;
                    Ok(repo::logged_model::set_deleted(tx, id, now).await?)
                })
            })
            .await
    }

    /// Those of experiments that match; `order` is a name of the grammar with its direction. `datasets` (name, digest)
    /// restrict which measurements count.
    pub async fn search(
        &self,
        actor: &Actor,
        experiments: &[ExperimentId],
        text: &str,
        order: &[(String, bool)],
        datasets: &[(String, Option<String>)],
        (limit, after): (i64, Option<&str>),
    ) -> Result<Page<LoggedModel>> {
        require(actor, Action::ViewRuns)?;
        let clauses = filter::LOGGED_MODELS
            .parse(text)
            .map_err(|e| Error::field("filter", e))?;
        let mut sorts = Vec::new();
        for (name, ascending) in order {
            let mut sort = filter::LOGGED_MODELS
                .sort(name)
                .map_err(|e| Error::field("order_by", e))?;
            sort.ascending = *ascending;
            sorts.push(sort);
        }
        if !(1..=1_000).contains(&limit) {
            return Err(Error::field("max_results", "A page has 1 to 1000 models."));
        }
        let offset = match after {
            Some(text) => cursor::number(&cursor::decode(CURSOR, text)?)?.max(0),
            None => 0,
        };
        let which = Which::Experiments(experiments);
        let mut all = repo::logged_model::list(&mut self.0.db.read().await?, which).await?;
        let measured = |m: &LoggedModel, key: &str| {
            let fits = |name: &str, digest: &str| {
                datasets.is_empty()
                    || datasets
                        .iter()
                        .any(|(n, d)| n == name && d.as_deref().is_none_or(|d| d == digest))
            };
            m.metrics
                .iter()
                .filter(|x| x.key == key && fits(&x.dataset_name, &x.dataset_digest))
                .map(|x| x.last.value)
                .next()
        };
        all.retain(|m| m.deleted_at.is_none() && clauses.iter().all(|c| matches(m, c, measured(m, &c.key))));
        for sort in sorts.iter().rev() {
            let way = |o: std::cmp::Ordering| if sort.ascending { o } else { o.reverse() };
            match sort.entity {
                Entity::Metric => {
                    all.sort_by(|a, b| match (measured(a, &sort.key), measured(b, &sort.key)) {
                        (Some(a), Some(b)) => way(a.total_cmp(&b)),
                        (a, b) => b.is_some().cmp(&a.is_some()),
                    });
                }
                _ => all.sort_by(|a, b| match (number(a, &sort.key), number(b, &sort.key)) {
                    (Some(a), Some(b)) => way(a.total_cmp(&b)),
                    _ => way(text_of(a, sort.entity, &sort.key).cmp(&text_of(b, sort.entity, &sort.key))),
                }),
            }
        }
        let total = all.len() as i64;
        let rows = all
            .into_iter()
            .skip(offset as usize)
            .take(limit as usize)
            .collect();
        let next = (offset + limit < total).then(|| cursor::encode(CURSOR, &(offset + limit).to_string()));
        Ok(Page {
            rows,
            next,
            total: Some(total),
        })
    }
}

fn number(m: &LoggedModel, key: &str) -> Option<f64> {
    match key {
        "creation_timestamp" => Some((m.created_at.0 / 1000) as f64),
        "last_updated_timestamp" => Some((m.updated_at.0 / 1000) as f64),
        _ => None,
    }
}

fn text_of(m: &LoggedModel, entity: Entity, key: &str) -> Option<String> {
    match (entity, key) {
        (Entity::Param, key) => m.params.get(key).cloned(),
        (Entity::Tag, key) => m.tags.get(key).cloned(),
        (_, "model_id") => Some(m.id.tag()),
        (_, "model_type") => Some(m.model_type.clone()),
        (_, "status") => Some(m.status.wire().trim_start_matches("LOGGED_MODEL_").to_owned()),
        (_, "source_run_id") => m.run_id.map(RunId::hex),
        _ => Some(m.name.clone()),
    }
}

fn matches(m: &LoggedModel, clause: &Clause, measured: Option<f64>) -> bool {
    match clause.entity {
        Entity::Metric => clause.matches_number(measured),
        entity => match number(m, &clause.key).filter(|_| entity == Entity::Attribute) {
            Some(n) => clause.matches_number(Some(n)),
            None => clause.matches_text(text_of(m, entity, &clause.key).as_deref()),
        },
    }
}

pub(crate) async fn find(tx: &mut Tx, id: LoggedModelId) -> Result<LoggedModel> {
    repo::logged_model::list(tx, Which::Id(id))
        .await?
        .pop()
        .filter(|m| m.deleted_at.is_none())
        .ok_or_else(|| missing(id))
}

/// Locks a model for a change of it; answers its parameters and tags.
pub(crate) async fn lock(tx: &mut Tx, id: LoggedModelId, now: Timestamp) -> Result<(Tags, Tags)> {
    match repo::logged_model::lock(tx, id, now).await? {
        Some((params, tags, false)) => Ok((params, tags)),
        _ => Err(missing(id)),
    }
}

fn missing(id: LoggedModelId) -> Error {
    Error::new(
        Code::NotFound,
        format!("There is no logged model with the id {}.", id.tag()),
    )
}

fn check(params: &Tags, tags: &Tags) -> Result<()> {
    for (key, value) in params {
        model::check_key("parameter", key).map_err(|e| Error::field("params", e))?;
        check_text("parameter", key, value, model::PARAM_MAX)?;
    }
    for (key, value) in tags {
        model::check_key("tag", key).map_err(|e| Error::field("tags", e))?;
        check_text("tag", key, value, model::TAG_MAX)?;
    }
    Ok(())
}
