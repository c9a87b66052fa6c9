//! Server functions of the pages of registered models.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::DatasetId;
use limn_domain::model::{ModelAliasMove, ModelFile, ModelVersion, ModelsFound, RegisteredModel};
use limn_domain::run::{Metric, Tags};
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

/// Models of the list; a search finds the others.
#[cfg(feature = "ssr")]
const LISTED: usize = 100;
/// Versions whose metrics stand side by side, and metrics of each.
#[cfg(feature = "ssr")]
const SIDE_BY_SIDE: (usize, usize) = (6, 200);

/// A model with its versions, the newest first, and where its aliases went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDetail {
    pub model: RegisteredModel,
    pub versions: Vec<ModelVersion>,
    pub moves: Vec<ModelAliasMove>,
    /// Of the newest versions that came from runs, the latest metrics of these, by the version's number.
    pub measured: Vec<(i64, Vec<Metric>)>,
}

/// The run a version came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    pub run_name: String,
    pub metrics: Vec<Metric>,
    pub params: Tags,
}

/// A version with what is known of its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionDetail {
    pub version: ModelVersion,
    pub description_html: String,
    pub files: Vec<ModelFile>,
    pub origin: Option<Origin>,
    /// Dataset, its name and the version's number; for whoever may see it.
    pub dataset: Option<(DatasetId, String, i64)>,
    /// The `MLmodel` file, when there is one.
    pub signature: Option<String>,
}

/// Models that match a filter, such as `tags.team = 'vision'`, or words such as `digits team:vision alias:production`.
#[server(prefix = "/ui", endpoint = "model/list", input = Json)]
pub async fn model_list(text: String) -> Result<ModelsFound, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.models.find(&actor, text.trim(), LISTED).await?)
}

#[server(prefix = "/ui", endpoint = "model/get", input = Json)]
pub async fn model_get(name: String) -> Result<ModelDetail, AppError> {
    let (services, actor) = crate::context::request()?;
    let versions = services.models.versions(&actor, &name).await?;
    let mut measured = Vec::new();
    for v in versions.iter().take(SIDE_BY_SIDE.0) {
        // A run that is gone for good has none.
        if let Some(run) = v.run_id
            && let Ok(found) = services.runs.get(&actor, run).await
        {
            let mut metrics = found.data.metrics;
            metrics.retain(|m| !m.key.starts_with(limn_domain::run::metrics::SYSTEM));
            metrics.truncate(SIDE_BY_SIDE.1);
            if !metrics.is_empty() {
                measured.push((v.number, metrics));
            }
        }
    }
    Ok(ModelDetail {
        model: services.models.get(&actor, &name).await?,
        moves: services.models.alias_moves(&actor, &name).await?,
        versions,
        measured,
    })
}

#[server(prefix = "/ui", endpoint = "model/describe", input = Json)]
pub async fn model_describe(name: String, description: String) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    services.models.describe(&actor, &name, &description).await?;
    Ok(())
}

#[server(prefix = "/ui", endpoint = "model/rename", input = Json)]
pub async fn model_rename(name: String, new: String) -> Result<String, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.models.rename(&actor, &name, &new).await?.name)
}

/// Sets a tag, or removes it without a value.
#[server(prefix = "/ui", endpoint = "model/set_tag", input = Json)]
pub async fn model_set_tag(
    name: String,
    number: Option<i64>,
    key: String,
    value: Option<String>,
) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    match number {
        None => {
            services
                .models
                .set_tag(&actor, &name, &key, value.as_deref())
                .await?;
        }
        Some(n) => drop(
            services
                .models
                .set_version_tag(&actor, &name, n, &key, value.as_deref())
                .await?,
        ),
    }
    Ok(())
}

/// Points an alias to a version, or removes it without a number.
#[server(prefix = "/ui", endpoint = "model/set_alias", input = Json)]
pub async fn model_set_alias(name: String, alias: String, number: Option<i64>) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.models.set_alias(&actor, &name, &alias, number).await?)
}

/// Points an alias back to the version before; answers its number.
#[server(prefix = "/ui", endpoint = "model/roll_back", input = Json)]
pub async fn model_roll_back(name: String, alias: String) -> Result<i64, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.models.roll_back(&actor, &name, &alias).await?)
}

#[server(prefix = "/ui", endpoint = "model/delete", input = Json)]
pub async fn model_delete(name: String) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.models.delete(&actor, &name).await?)
}

#[server(prefix = "/ui", endpoint = "model/delete_version", input = Json)]
pub async fn model_delete_version(name: String, number: i64) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.models.delete_version(&actor, &name, number).await?)
}

#[server(prefix = "/ui", endpoint = "model/describe_version", input = Json)]
pub async fn model_describe_version(name: String, number: i64, description: String) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    services
        .models
        .describe_version(&actor, &name, number, &description)
        .await?;
    Ok(())
}

#[server(name = GetModelVersion, prefix = "/ui", endpoint = "model/version", input = Json)]
pub async fn model_version(name: String, number: i64) -> Result<VersionDetail, AppError> {
    use limn_services::artifacts::Preview;
    let (services, actor) = crate::context::request()?;
    let (version, place) = services.models.place(&actor, &name, number).await?;
    let files = services.models.version_files(&actor, &name, number).await?;
    let origin = match version.run_id {
        Some(id) => services.runs.get(&actor, id).await.ok().map(|r| Origin {
            run_name: r.info.name,
            metrics: r.data.metrics,
            params: r.data.params,
        }),
        None => None,
    };
    let mut dataset = None;
    if let Some(id) = version.dataset_version_id
        && let Ok(v) = services.versions.get(&actor, id).await
        && let Ok(d) = services.datasets.get(&actor, v.dataset_id).await
    {
        dataset = Some((v.dataset_id, d.summary.name, v.number));
    }
    let mut signature = None;
    if let Some(file) = files
        .iter()
        .find(|f| f.entry.path.rsplit('/').next() == Some("MLmodel"))
        && let Ok(Preview::Text { text, .. }) = services
            .artifacts
            .preview(&actor, place.owner, &file.entry.path)
            .await
    {
        signature = Some(text);
    }
    Ok(VersionDetail {
        description_html: limn_services::markdown::to_safe_html(&version.description),
        version,
        files,
        origin,
        dataset,
        signature,
    })
}
