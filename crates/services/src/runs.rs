//! Runs: started, logged to, ended, found, compared.
//!
//! For code of the studio that trains: [`Experiments::ensure`](crate::experiments::Experiments::ensure),
//! [`Runs::start`], [`Runs::log`] and [`Runs::finish`];
//! [`Artifacts::put_bytes`](crate::artifacts::Artifacts::put_bytes) for files and
//! [`Models::register`](crate::models::Models::register) for what came out.

mod groups;
mod log;
pub(crate) mod names;
mod search;

pub use groups::GROUPS_MAX;
pub use search::{Found, FoundRun, Search};

use crate::authz::require;
use crate::experiments::{missing as no_experiment, no_tag, state as experiment_state};
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::run::chart::{Series, thin_out};
use limn_domain::run::metrics::{Metrics, MetricsQuery};
use limn_domain::run::{ExperimentId, Metric, NAME_TAG, NewRun, Point, Run, RunInfo, RunStatus};
use limn_domain::{Action, Code, RunId};
use limn_store::{Tx, repo};

/// Most series of one chart.
pub const SERIES_MAX: usize = 200;

#[derive(Clone)]
pub struct Runs {
    ctx: Context,
    kept: search::Kept,
}

/// Changes of a run; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateRun {
    pub name: Option<String>,
    pub status: Option<RunStatus>,
    pub end_ms: Option<i64>,
}

impl Runs {
    pub(crate) fn new(ctx: Context) -> Self {
        Self {
            ctx,
            kept: search::Kept::default(),
        }
    }

    /// Starts a run, which is running from then on. Errors: `NotFound`, or `WrongState` for an experiment in the bin.
    pub async fn start(&self, actor: &Actor, experiment: ExperimentId, input: NewRun) -> Result<RunInfo> {
        require(actor, Action::LogRuns)?;
        let now = self.ctx.now();
        let mut tags = input.tags;
        let name = match (input.name.is_empty(), tags.get(NAME_TAG)) {
            (false, _) => input.name,
            (true, Some(name)) if !name.is_empty() => name.clone(),
            _ => names::make_up(),
        };
        tags.insert(NAME_TAG.to_owned(), name.clone());
        log::check_name(&name)?;
        for (key, value) in &tags {
            log::check_tag(key, value)?;
        }
        let user_name = if input.user_name.is_empty() {
            actor.name().to_owned()
        } else {
            input.user_name
        };
        crate::experiments::check_text("name", "user_id", &user_name, 256)?;
        let row = repo::run::NewRow {
            id: RunId::new(),
            experiment_id: experiment,
            name,
            user_name,
            created_by: actor.user_id(),
            start_ms: input.start_ms.unwrap_or(now.0 / 1000),
        };
        self.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    match repo::experiment::is_deleted(tx, experiment).await? {
                        None => return Err(no_experiment(experiment)),
                        Some(true) => return Err(experiment_state(experiment, true)),
                        Some(false) => {}
                    }
                    repo::run::insert(tx, &row, now).await?;
                    let tags: Vec<(&str, &str)> =
                        tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                    repo::run::put_tags(tx, row.id, &tags).await?;
                    info(tx, row.id).await
                })
            })
            .await
    }

    /// A run with what it logged, also one in the bin.
    pub async fn get(&self, actor: &Actor, id: RunId) -> Result<Run> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.ctx.db.read().await?;
        let info = info(&mut tx, id).await?;
        let kept = self
            .kept
            .of(&mut tx, std::slice::from_ref(&info))
            .await?
            .remove(0);
        Ok(Run {
            info,
            data: kept.data.clone(),
            inputs: kept.inputs.clone(),
            models: kept.models.clone(),
        })
    }

    /// Renames a run, changes its status, says when it ended.
    pub async fn update(&self, actor: &Actor, id: RunId, input: UpdateRun) -> Result<RunInfo> {
        require(actor, Action::LogRuns)?;
        if let Some(name) = &input.name {
            log::check_name(name)?;
        }
        let now = self.ctx.now();
        self.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    lock(tx, id, now).await?;
                    repo::run::update(tx, id, input.name.as_deref(), input.status, input.end_ms).await?;
                    if let Some(name) = &input.name {
                        repo::run::put_tags(tx, id, &[(NAME_TAG, name)]).await?;
                    }
                    info(tx, id).await
                })
            })
            .await
    }

    /// Ends a run: finished, failed or killed, now.
    pub async fn finish(&self, actor: &Actor, id: RunId, status: RunStatus) -> Result<RunInfo> {
        let input = UpdateRun {
            name: None,
            status: Some(status),
            end_ms: Some(self.ctx.now().0 / 1000),
        };
        self.update(actor, id, input).await
    }

    pub async fn delete_tag(&self, actor: &Actor, id: RunId, key: &str) -> Result<()> {
        require(actor, Action::LogRuns)?;
        let (key, now) = (key.to_owned(), self.ctx.now());
        self.ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    lock(tx, id, now).await?;
                    if repo::run::delete_tag(tx, id, &key).await? {
                        Ok(())
                    } else {
                        Err(no_tag(&key))
                    }
                })
            })
            .await
    }

    /// Puts a run into the bin, or takes it out.
    pub async fn set_deleted(&self, actor: &Actor, id: RunId, deleted: bool) -> Result<()> {
        require(actor, Action::LogRuns)?;
        let (actor, now) = (actor.clone(), self.ctx.now());
        self.ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (experiment, was) =
                        repo::run::touch(tx, id, now).await?.ok_or_else(|| missing(id))?;
                    if was == deleted {
                        return Err(state(id, was));
                    }
                    if !deleted && repo::experiment::is_deleted(tx, experiment).await? == Some(true) {
                        return Err(experiment_state(experiment, true));
                    }
                    repo::run::set_deleted(tx, id, deleted.then_some(now)).await?;
                    let name = info(tx, id).await?.name;
                    let (verb, summary) = if deleted {
                        ("run.delete", format!("put the run “{name}” into the bin"))
                    } else {
                        ("run.restore", format!("took the run “{name}” out of the bin"))
                    };
                    audit::write(tx, &actor, None, verb, &summary, now).await
                })
            })
            .await
    }

    /// Removes a run that lies in the bin for good, with its files. Errors: `Conflict` while versions of models name it
    /// as their origin.
    pub async fn purge(&self, actor: &Actor, id: RunId) -> Result<()> {
        require(actor, Action::PurgeRuns)?;
        let (actor, now) = (actor.clone(), self.ctx.now());
        self.ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (_, deleted) = repo::run::touch(tx, id, now).await?.ok_or_else(|| missing(id))?;
                    if !deleted {
                        return Err(state(id, false));
                    }
                    let name = info(tx, id).await?.name;
                    let used = repo::model::version::from_origin(tx, Some(id), None).await?;
                    not_in_use(&format!("the run “{name}”"), &used)?;
                    repo::run::delete(tx, id).await?;
                    let summary = format!("deleted the run “{name}” for good");
                    audit::write(tx, &actor, None, "run.purge", &summary, now).await
                })
            })
            .await
    }

    /// All values of a metric, by time, step and value.
    pub async fn history(&self, actor: &Actor, id: RunId, key: &str) -> Result<Vec<Point>> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.ctx.db.read().await?;
        info(&mut tx, id).await?;
        Ok(repo::metric::history(&mut tx, id, key).await?)
    }

    /// Series of metrics for a chart, each thinned to at most `most` points; pairs that are not there are left out.
    pub async fn series(&self, actor: &Actor, of: &[(RunId, String)], most: usize) -> Result<Vec<Series>> {
        require(actor, Action::ViewRuns)?;
        if of.len() > SERIES_MAX {
            return Err(Error::field(
                "runs",
                format!(
                    "A chart shows at most {SERIES_MAX} series; {} were asked for.",
                    of.len()
                ),
            ));
        }
        let most = most.clamp(10, 5_000);
        let mut tx = self.ctx.db.read().await?;
        let mut found = Vec::new();
        for (run_id, key) in of {
            let mut points = repo::metric::history(&mut tx, *run_id, key).await?;
            if points.is_empty() {
                continue;
            }
            points.sort_by_key(|p| (p.step, p.at_ms));
            found.push(Series {
                run_id: *run_id,
                key: key.clone(),
                total: points.len() as i64,
                points: thin_out(&points, most),
            });
        }
        Ok(found)
    }

    /// The latest values of a run's metrics with how many points each has.
    pub async fn metrics(&self, actor: &Actor, id: RunId) -> Result<Vec<(Metric, i64)>> {
        require(actor, Action::ViewRuns)?;
        Ok(repo::metric::of_run(&mut self.ctx.db.read().await?, id).await?)
    }

    /// Some of them.
    pub async fn some_metrics(&self, actor: &Actor, id: RunId, query: &MetricsQuery) -> Result<Metrics> {
        Ok(query.of(&self.metrics(actor, id).await?))
    }

    /// Keys of metrics and of parameters that runs of experiments have, by name, at most `limit` of each.
    pub async fn keys(
        &self,
        actor: &Actor,
        experiments: &[ExperimentId],
        limit: i64,
    ) -> Result<(Vec<String>, Vec<String>)> {
        require(actor, Action::ViewRuns)?;
        Ok(repo::run::keys(&mut self.ctx.db.read().await?, experiments, limit).await?)
    }
}

pub(crate) async fn info(tx: &mut Tx, id: RunId) -> Result<RunInfo> {
    repo::run::get(tx, id).await?.ok_or_else(|| missing(id))
}

/// Locks a run that is not in the bin, for a change of it; answers its experiment.
pub(crate) async fn lock(tx: &mut Tx, id: RunId, now: limn_domain::Timestamp) -> Result<ExperimentId> {
    match repo::run::touch(tx, id, now).await? {
        Some((experiment, false)) => Ok(experiment),
        Some((_, true)) => Err(state(id, true)),
        None => Err(missing(id)),
    }
}

pub(crate) fn missing(id: RunId) -> Error {
    Error::new(
        Code::NotFound,
        format!("There is no run with the id {}.", id.hex()),
    )
}

fn state(id: RunId, deleted: bool) -> Error {
    let what = if deleted {
        "lies in the bin; restore it first."
    } else {
        "is not in the bin; delete it first."
    };
    Error::new(Code::WrongState, format!("The run {} {what}", id.hex()))
}

/// Refuses to remove what versions of models came from.
pub(crate) fn not_in_use(what: &str, versions: &[(String, i64)]) -> Result<()> {
    if versions.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = versions
        .iter()
        .take(5)
        .map(|(m, n)| format!("{m} v{n}"))
        .collect();
    let more = if versions.len() > 5 { " and others" } else { "" };
    Err(Error::new(
        Code::Conflict,
        format!(
            "The registered models {}{more} came from {what}; delete those versions first.",
            named.join(", ")
        ),
    ))
}
