//! Server functions of the page that starts trainings.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::dataset::{DatasetSummary, Version};
use limn_domain::training::{NewTraining, Training, TrainingOffer};
use limn_domain::{DatasetId, ProjectId, VersionId};
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

/// What can be chosen, with what is chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// Those of pictures that have versions.
    pub datasets: Vec<DatasetSummary>,
    pub dataset: Option<DatasetId>,
    /// Of that dataset, newest first.
    pub versions: Vec<Version>,
    pub offer: Option<TrainingOffer>,
    /// A labeling project that was asked for and has no version of its labels yet.
    pub project: Option<ProjectId>,
}

/// Names a version, or a dataset for its newest one, or a labeling project for the newest version of its labels, or nothing for the dataset that was
/// changed last.
#[server(prefix = "/ui", endpoint = "training/choices", input = Json)]
pub async fn training_choices(
    dataset: Option<DatasetId>,
    version: Option<VersionId>,
    project: Option<ProjectId>,
) -> Result<Choices, AppError> {
    use limn_domain::dataset::{DatasetKind, DatasetQuery};
    let (services, actor) = crate::context::request()?;
    let query = DatasetQuery {
        kind: Some(DatasetKind::Images),
        limit: Some(200),
        ..DatasetQuery::default()
    };
    let mut datasets = services.datasets.list(&actor, query).await?.rows;
    datasets.retain(|d| d.versions > 0);
    let named = match (version, project) {
        (Some(id), _) => Some(services.versions.get(&actor, id).await?),
        (None, Some(id)) => services.versions.of_project(&actor, id).await?,
        (None, None) => None,
    };
    // Of a project nothing else will do.
    let missing = project.filter(|_| named.is_none());
    let dataset = named.as_ref().map(|v| v.dataset_id).or(dataset);
    let dataset = dataset.or_else(|| datasets.iter().max_by_key(|d| d.updated_at).map(|d| d.id));
    let Some(id) = dataset.filter(|_| missing.is_none()) else {
        return Ok(Choices {
            datasets,
            dataset: None,
            versions: Vec::new(),
            offer: None,
            project: missing,
        });
    };
    // One of another kind, or one of very many.
    if datasets.iter().all(|d| d.id != id) {
        datasets.push(services.datasets.get(&actor, id).await?.summary);
    }
    let versions = services.versions.list(&actor, id).await?;
    let chosen = named.map(|v| v.id).or(versions.first().map(|v| v.id));
    let offer = match chosen {
        Some(version) => Some(services.trainings.offer(&actor, version).await?),
        None => None,
    };
    Ok(Choices {
        datasets,
        dataset: Some(id),
        versions,
        offer,
        project: None,
    })
}

#[server(prefix = "/ui", endpoint = "training/start", input = Json)]
pub async fn training_start(version: VersionId, input: NewTraining) -> Result<Training, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.trainings.start(&actor, version, input).await?)
}
