//! Server functions of the pages of experiments and runs.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::model::ModelVersion;
use limn_domain::run::chart::Series;
use limn_domain::run::metrics::{Metrics, MetricsQuery};
use limn_domain::run::table::{GroupedRuns, RunRows, RunsQuery};
use limn_domain::run::{ArtifactEntry, Experiment, ExperimentId, LoggedModel, Run};
use limn_domain::training::{RunTraining, TrainingReport};
use limn_domain::{DatasetId, LoggedModelId, RunId, VersionId};
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

/// Metrics and parameters shown when nobody has chosen columns.
#[cfg(feature = "ssr")]
const FIRST: (usize, usize) = (4, 3);
/// Metrics of a run that come with its page.
#[cfg(feature = "ssr")]
const METRICS: usize = 50;
/// Keys offered for columns.
#[cfg(feature = "ssr")]
const KEYS: i64 = 10_000;
/// What clients call the files that tell of an environment, how many are shown, and folders of a run that are looked into for them.
#[cfg(feature = "ssr")]
const ENVIRONMENT: [&str; 6] = [
    "requirements.txt",
    "python_env.yaml",
    "conda.yaml",
    "environment.yml",
    "pyproject.toml",
    "Dockerfile",
];
#[cfg(feature = "ssr")]
const ENVIRONMENT_FILES: usize = 12;
#[cfg(feature = "ssr")]
const ENVIRONMENT_FOLDERS: usize = 8;

/// A version of a dataset that a run read, for whoever may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedVersion {
    pub id: VersionId,
    pub dataset_id: DatasetId,
    pub dataset: String,
    pub number: i64,
}

/// Everything the page of a run shows at first but files and series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunDetail {
    /// Without its metrics.
    pub run: Run,
    pub experiment: Experiment,
    /// The first of its metrics, and of those of the machine it ran on.
    pub metrics: Metrics,
    pub system: Metrics,
    pub datasets: Vec<NamedVersion>,
    pub logged: Vec<LoggedModel>,
    pub versions: Vec<ModelVersion>,
    /// The description as safe HTML.
    pub note_html: String,
    /// Of a run that Limn itself trains.
    pub training: Option<RunTraining>,
}

/// A file that says in which environment a run, or a model that it logged, was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFile {
    /// Name of the logged model that it belongs to; none for the run's own.
    pub model: Option<String>,
    pub path: String,
    /// The beginning of a long one.
    pub text: String,
}

/// What can be shown of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilePreview {
    Text { text: String, is_cut: bool },
    Picture,
    Nothing,
}

#[server(prefix = "/ui", endpoint = "experiment/list", input = Json)]
pub async fn experiment_list() -> Result<Vec<Experiment>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.experiments.list(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "experiment/get", input = Json)]
pub async fn experiment_get(experiment: ExperimentId) -> Result<Experiment, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.experiments.get(&actor, experiment).await?)
}

#[server(prefix = "/ui", endpoint = "experiment/create", input = Json)]
pub async fn experiment_create(name: String) -> Result<ExperimentId, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .experiments
        .create(&actor, &name, Default::default())
        .await?)
}

#[server(prefix = "/ui", endpoint = "experiment/rename", input = Json)]
pub async fn experiment_rename(experiment: ExperimentId, name: String) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.experiments.rename(&actor, experiment, &name).await?)
}

#[server(prefix = "/ui", endpoint = "experiment/set_deleted", input = Json)]
pub async fn experiment_set_deleted(experiment: ExperimentId, deleted: bool) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .experiments
        .set_deleted(&actor, experiment, deleted)
        .await?)
}

#[server(prefix = "/ui", endpoint = "experiment/purge", input = Json)]
pub async fn experiment_purge(experiment: ExperimentId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.experiments.purge(&actor, experiment).await?)
}

/// Keys of metrics and of parameters.
#[server(prefix = "/ui", endpoint = "run/keys", input = Json)]
pub async fn run_keys(experiments: Vec<ExperimentId>) -> Result<(Vec<String>, Vec<String>), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.runs.keys(&actor, &experiments, KEYS).await?)
}

#[server(prefix = "/ui", endpoint = "run/list", input = Json)]
pub async fn run_list(query: RunsQuery) -> Result<RunRows, AppError> {
    use limn_domain::filter::Entity;
    use limn_domain::run::table::{Column, RunRow};
    let (services, actor) = crate::context::request()?;
    let (columns, search) = asked(&services, &actor, query).await?;
    let found = services.runs.search(&actor, search).await?;
    let rows = found
        .runs
        .into_iter()
        .map(|r| {
            let data = &r.logged.data;
            let cell = |c: &Column| match c.entity {
                Entity::Param => data.params.get(&c.key).cloned(),
                Entity::Tag => data.tags.get(&c.key).cloned(),
                _ => {
                    let at = data
                        .metrics
                        .binary_search_by(|m| m.key.as_str().cmp(&c.key))
                        .ok()?;
                    Some(crate::fmt::measured(data.metrics[at].last.value))
                }
            };
            RunRow {
                cells: columns.iter().map(cell).collect(),
                info: r.info,
            }
        })
        .collect();
    Ok(RunRows {
        columns,
        rows,
        total: found.total.unwrap_or(0),
    })
}

/// The groups of a table that is grouped.
#[server(prefix = "/ui", endpoint = "run/groups", input = Json)]
pub async fn run_groups(query: RunsQuery) -> Result<GroupedRuns, AppError> {
    let (services, actor) = crate::context::request()?;
    let by = query
        .group
        .clone()
        .ok_or_else(|| limn_services::Error::field("group", "Say what to group by."))?;
    let (columns, search) = asked(&services, &actor, query).await?;
    let (groups, more) = services.runs.groups(&actor, &search, &by, &columns).await?;
    Ok(GroupedRuns {
        columns,
        groups,
        more,
    })
}

/// The columns of a table, the first ones there are when none were chosen, and what to search for.
#[cfg(feature = "ssr")]
async fn asked(
    services: &limn_services::Services,
    actor: &limn_services::Actor,
    query: RunsQuery,
) -> Result<(Vec<limn_domain::run::table::Column>, limn_services::runs::Search), AppError> {
    use limn_domain::filter::Entity;
    use limn_domain::run::table::Column;
    let mut columns = query.columns;
    if columns.is_empty() {
        let most = FIRST.0.max(FIRST.1) as i64;
        let (metrics, params) = services.runs.keys(actor, &query.experiments, most).await?;
        let of = |entity| move |key| Column { entity, key };
        columns.extend(metrics.into_iter().take(FIRST.0).map(of(Entity::Metric)));
        columns.extend(params.into_iter().take(FIRST.1).map(of(Entity::Param)));
    }
    let search = limn_services::runs::Search {
        experiments: query.experiments,
        filter: query.filter,
        order_by: Some(query.sort).filter(|s| !s.is_empty()).into_iter().collect(),
        view: query.view,
        limit: query.limit.clamp(1, 500),
        offset: query.offset,
        count: true,
        within: query.within,
        ..Default::default()
    };
    Ok((columns, search))
}

#[server(prefix = "/ui", endpoint = "run/get", input = Json)]
pub async fn run_get(run: RunId) -> Result<RunDetail, AppError> {
    let (services, actor) = crate::context::request()?;
    let mut found = services.runs.get(&actor, run).await?;
    found.data.metrics = Vec::new();
    let metrics = services.runs.metrics(&actor, run).await?;
    let mut datasets = Vec::new();
    for id in found.inputs.iter().filter_map(|i| i.version_id) {
        // Those the person may not see stay without a name.
        if let Ok(version) = services.versions.get(&actor, id).await
            && let Ok(dataset) = services.datasets.get(&actor, version.dataset_id).await
        {
            datasets.push(NamedVersion {
                id,
                dataset_id: version.dataset_id,
                dataset: dataset.summary.name,
                number: version.number,
            });
        }
    }
    let note = found
        .data
        .tags
        .get(limn_domain::run::NOTE_TAG)
        .cloned()
        .unwrap_or_default();
    Ok(RunDetail {
        experiment: services.experiments.get(&actor, found.info.experiment_id).await?,
        metrics: MetricsQuery::first(false, METRICS).of(&metrics),
        system: MetricsQuery::first(true, METRICS).of(&metrics),
        logged: services.logged_models.of_run(&actor, run).await?,
        versions: services.models.of_run(&actor, run).await?,
        note_html: limn_services::markdown::to_safe_html(&note),
        training: services.trainings.of_run(&actor, run).await?,
        datasets,
        run: found,
    })
}

/// Some of a run's metrics.
#[server(prefix = "/ui", endpoint = "run/metrics", input = Json)]
pub async fn run_metrics(run: RunId, query: MetricsQuery) -> Result<Metrics, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.runs.some_metrics(&actor, run, &query).await?)
}

/// What came of a run's training; `None` while there is nothing, and for runs that others log.
#[server(prefix = "/ui", endpoint = "run/report", input = Json)]
pub async fn run_report(run: RunId) -> Result<Option<TrainingReport>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.trainings.report(&actor, run).await?)
}

/// Several runs whole, in the order asked for.
#[server(prefix = "/ui", endpoint = "run/some", input = Json)]
pub async fn run_some(runs: Vec<RunId>) -> Result<Vec<Run>, AppError> {
    let (services, actor) = crate::context::request()?;
    let mut found = Vec::new();
    for id in runs.into_iter().take(100) {
        found.push(services.runs.get(&actor, id).await?);
    }
    Ok(found)
}

#[server(prefix = "/ui", endpoint = "run/series", input = Json)]
pub async fn run_series(of: Vec<(RunId, String)>, most: i64) -> Result<Vec<Series>, AppError> {
    let (services, actor) = crate::context::request()?;
    let most = usize::try_from(most).unwrap_or(500);
    Ok(services.runs.series(&actor, &of, most).await?)
}

/// Renames a run, or changes its description.
#[server(prefix = "/ui", endpoint = "run/update", input = Json)]
pub async fn run_update(run: RunId, name: Option<String>, note: Option<String>) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    if let Some(name) = name {
        let input = limn_services::runs::UpdateRun {
            name: Some(name),
            ..Default::default()
        };
        services.runs.update(&actor, run, input).await?;
    }
    if let Some(note) = note {
        let batch = limn_domain::run::RunBatch {
            tags: vec![(limn_domain::run::NOTE_TAG.to_owned(), note)],
            ..Default::default()
        };
        services.runs.log(&actor, run, batch).await?;
    }
    Ok(())
}

#[server(prefix = "/ui", endpoint = "run/set_deleted", input = Json)]
pub async fn run_set_deleted(runs: Vec<RunId>, deleted: bool) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    for run in runs {
        services.runs.set_deleted(&actor, run, deleted).await?;
    }
    Ok(())
}

#[server(prefix = "/ui", endpoint = "run/purge", input = Json)]
pub async fn run_purge(runs: Vec<RunId>) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    for run in runs {
        services.runs.purge(&actor, run).await?;
    }
    Ok(())
}

/// Whose files: the run's own, or those of a model that it logged.
#[cfg(feature = "ssr")]
fn owner(run: RunId, model: Option<LoggedModelId>) -> limn_services::artifacts::Owner {
    use limn_services::artifacts::Owner;
    model.map_or(Owner::Run(run), Owner::Model)
}

#[server(prefix = "/ui", endpoint = "run/files", input = Json)]
pub async fn run_files(
    run: RunId,
    model: Option<LoggedModelId>,
    folder: String,
) -> Result<Vec<ArtifactEntry>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services
        .artifacts
        .list(&actor, owner(run, model), &folder)
        .await?)
}

/// The files of a run and of the models that it logged which tell of their environment.
#[server(prefix = "/ui", endpoint = "run/environment", input = Json)]
pub async fn run_environment(run: RunId) -> Result<Vec<EnvironmentFile>, AppError> {
    use limn_services::artifacts::Preview;
    let (services, actor) = crate::context::request()?;
    let artifacts = &services.artifacts;
    let mut places = vec![(None, None, String::new())];
    // Older clients put a model into a folder of the run.
    let top = artifacts.list(&actor, owner(run, None), "").await?;
    let folders = top.into_iter().filter(|e| e.is_dir).take(ENVIRONMENT_FOLDERS);
    places.extend(folders.map(|e| (None, None, e.path)));
    let logged = services.logged_models.of_run(&actor, run).await?;
    let logged = logged.into_iter().take(ENVIRONMENT_FOLDERS);
    places.extend(logged.map(|m| (Some(m.id), Some(m.name), String::new())));
    let mut found: Vec<EnvironmentFile> = Vec::new();
    for (id, model, folder) in places {
        for entry in artifacts.list(&actor, owner(run, id), &folder).await? {
            let name = entry.path.rsplit('/').next().unwrap_or_default();
            if entry.is_dir || !ENVIRONMENT.contains(&name) || found.len() >= ENVIRONMENT_FILES {
                continue;
            }
            let shown = artifacts.preview(&actor, owner(run, id), &entry.path).await?;
            if let Preview::Text { text, .. } = shown {
                found.push(EnvironmentFile {
                    model: model.clone(),
                    path: entry.path,
                    text,
                });
            }
        }
    }
    Ok(found)
}

#[server(prefix = "/ui", endpoint = "run/preview", input = Json)]
pub async fn run_preview(
    run: RunId,
    model: Option<LoggedModelId>,
    path: String,
) -> Result<FilePreview, AppError> {
    use limn_services::artifacts::Preview;
    let (services, actor) = crate::context::request()?;
    let owner = owner(run, model);
    Ok(match services.artifacts.preview(&actor, owner, &path).await? {
        Preview::Text { text, is_cut } => FilePreview::Text { text, is_cut },
        Preview::Picture => FilePreview::Picture,
        Preview::None => FilePreview::Nothing,
    })
}

/// Registers a folder of the run's files as the next version of a model; answers its number.
#[server(prefix = "/ui", endpoint = "run/register", input = Json)]
pub async fn run_register(run: RunId, name: String, path: String) -> Result<i64, AppError> {
    let (services, actor) = crate::context::request()?;
    let new = limn_domain::model::NewModelVersion {
        name,
        run_id: Some(run),
        path,
        ..Default::default()
    };
    Ok(services.models.register(&actor, new).await?.number)
}
