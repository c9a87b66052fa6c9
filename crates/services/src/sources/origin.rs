//! Where a new source takes files from: a datastore, or a version of a dataset.

use super::may_use;
use crate::authz::require_in_dataset;
use crate::{Actor, Error, Result, versions};
use limn_domain::dataset::{DatasetKind, DatasetSummary, LATEST};
use limn_domain::datastore::{AddSource, DatasetChoice, Datastore, ProjectSource};
use limn_domain::project::{Media, Task};
use limn_domain::{Action, Code, DatastoreId};
use limn_store::repo::source::NewFrom;
use limn_store::{Tx, repo};

/// Where a source takes files from, checked.
#[derive(Debug)]
pub(super) enum Origin {
    Datastore(Box<Datastore>),
    Dataset(Box<DatasetSummary>, DatasetChoice),
}

impl Origin {
    /// Checks that it is there, that it fits the project, and that the actor may read it. Later refreshes do not ask again.
    pub async fn check(tx: &mut Tx, actor: &Actor, task: Task, input: &AddSource) -> Result<Self> {
        match (input.datastore_id, &input.dataset) {
            (Some(id), None) => datastore(tx, actor, id).await,
            (None, Some(choice)) => dataset(tx, actor, task, choice).await,
            _ => Err(Error::field("datastore_id", "Name a datastore or a dataset.")),
        }
    }

    /// In words, after the pattern: `of the datastore “Photos”`.
    pub fn words(&self) -> String {
        match self {
            Self::Datastore(store) => format!("the datastore “{}”", store.name),
            Self::Dataset(dataset, choice) => match choice.split {
                Some(split) => format!(
                    "the dataset “{}” ({}, {})",
                    dataset.name,
                    choice.version,
                    split.as_str()
                ),
                None => format!("the dataset “{}” ({})", dataset.name, choice.version),
            },
        }
    }

    /// Whether a source takes from here the same way, patterns aside.
    pub fn is_of(&self, source: &ProjectSource) -> bool {
        match self {
            Self::Datastore(store) => source.datastore_id == Some(store.id),
            Self::Dataset(dataset, choice) => source.dataset.as_ref().is_some_and(|of| {
                of.dataset_id == Some(dataset.id) && of.version == choice.version && of.split == choice.split
            }),
        }
    }

    pub fn row(&self) -> NewFrom {
        match self {
            Self::Datastore(store) => NewFrom::Datastore(store.id),
            Self::Dataset(dataset, choice) => NewFrom::Dataset(choice.clone(), dataset.name.clone()),
        }
    }
}

async fn datastore(tx: &mut Tx, actor: &Actor, id: DatastoreId) -> Result<Origin> {
    may_use(actor)?;
    let wrong = |why: String| Err(Error::field("datastore_id", why));
    let Some(store) = repo::datastore::get(tx, id).await? else {
        return wrong("There is no such datastore.".to_owned());
    };
    if store.kind.is_sql() {
        return wrong("A database has no files; make a dataset of a query instead.".to_owned());
    }
    if !store.enabled {
        return wrong(format!("The datastore “{}” is disabled.", store.name));
    }
    Ok(Origin::Datastore(Box::new(store)))
}

async fn dataset(tx: &mut Tx, actor: &Actor, task: Task, choice: &DatasetChoice) -> Result<Origin> {
    let id = choice.dataset_id;
    match require_in_dataset(tx, actor, Action::ViewDataset, id).await {
        // Outsiders learn no more than that.
        Err(Error::Api(e)) if e.code == Code::NotFound => {
            return Err(Error::field("dataset.dataset_id", "There is no such dataset."));
        }
        other => other?,
    };
    let dataset = crate::datasets::visible(tx, actor, id).await?;
    let fits = match dataset.kind {
        DatasetKind::Images => task.media() == Media::Image,
        DatasetKind::Text => task.media() == Media::Text,
        DatasetKind::Files => true,
        DatasetKind::Tabular => false,
    };
    if !fits {
        let what = match task.media() {
            Media::Image => "pictures",
            Media::Text => "documents",
        };
        let why = format!(
            "“{}” is a dataset of the kind {}, and this project labels {what}.",
            dataset.name,
            dataset.kind.label().to_lowercase()
        );
        return Err(Error::field("dataset.dataset_id", why));
    }
    let wanted = choice.version.trim().to_lowercase();
    let text = if wanted.is_empty() {
        LATEST
    } else {
        wanted.as_str()
    };
    let Some(version) = versions::named(tx, id, text).await? else {
        let why = if text == LATEST {
            format!("“{}” has no version yet; register one first.", dataset.name)
        } else {
            format!(
                "“{}” has no version `{text}`; use `{LATEST}`, an alias or a number that it has.",
                dataset.name
            )
        };
        return Err(Error::field("dataset.version", why));
    };
    let strange = |of: Task| !of.kinds().iter().any(|kind| task.allows(*kind));
    if choice.with_labels
        && let Some(of) = version.task.filter(|of| strange(*of))
    {
        let why = format!(
            "Version {} of “{}” has labels for {}, and this project is for {}; take its files without labels.",
            version.number,
            dataset.name,
            of.label().to_lowercase(),
            task.label().to_lowercase()
        );
        return Err(Error::field("dataset.with_labels", why));
    }
    // By digest or id it is always the same one, too.
    let version = if version.aliases.iter().any(|a| a == text) {
        text.to_owned()
    } else {
        version.number.to_string()
    };
    Ok(Origin::Dataset(
        Box::new(dataset),
        DatasetChoice {
            version,
            ..choice.clone()
        },
    ))
}
