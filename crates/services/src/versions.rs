//! Versions of datasets: registered by jobs, read from their trees.

mod compare;
mod croissant;
mod download;
pub(crate) mod draft;
pub(crate) mod files;
mod impact;
pub(crate) mod labels;
pub(crate) mod nodes;
mod places;
mod stored_zip;

use crate::authz::{require, require_in, require_in_dataset, role_in, role_in_dataset};
use crate::jobs::{kind, queue, version as job};
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::dataset::{
    DatasetKind, LineageEdge, LineageNode, MakeProject, NOTE_MAX, NewVersion, Version, VersionSchema,
    VersionSource,
};
use limn_domain::item_explore::ItemChoice;
use limn_domain::job::Job;
use limn_domain::{Action, Code, DatasetId, ProjectId, VersionId, validate};
use limn_jobs::NewJob;
use limn_store::repo::version::Which;
use limn_store::{Tx, repo};
use limn_versions::{Glob, Hash};
use std::collections::HashSet;

pub(crate) use download::{AHEAD, Out, sum_up};
pub use download::{Downloadable, Pieces};
pub use files::VersionFile;

/// Most uploads of one registration.
const UPLOADS_MAX: usize = 1_000;
/// Most files that are named one by one.
const PATHS_MAX: usize = 50_000;
/// Most categories of a filter.
const CATEGORIES_MAX: usize = 1_000;
/// A crash in the middle costs one attempt.
const ATTEMPTS: i64 = 3;
/// Edges of the lineage shown.
const EDGES: i64 = 500;

#[derive(Clone)]
pub struct Versions(pub(crate) Context);

impl Versions {
    /// All versions of a dataset, newest first.
    pub async fn list(&self, actor: &Actor, dataset: DatasetId) -> Result<Vec<Version>> {
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await?;
        Ok(repo::version::list(&mut tx, dataset, Which::All).await?)
    }

    pub async fn get(&self, actor: &Actor, version: VersionId) -> Result<Version> {
        visible(&mut self.0.db.read().await?, actor, version, Action::ViewDataset).await
    }

    /// The newest version of a labeling project's labels that the caller may see; of the latest 50.
    pub async fn of_project(&self, actor: &Actor, project: ProjectId) -> Result<Option<Version>> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewProject, project).await?;
        for id in repo::lineage::versions_of_project(&mut tx, project, 50).await? {
            match visible(&mut tx, actor, id, Action::ViewDataset).await {
                Ok(found) => return Ok(Some(found)),
                Err(Error::Api(e)) if matches!(e.code, Code::NotFound | Code::Forbidden) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }

    /// By number (`3` or `v3`), alias, `latest`, digest or id.
    pub async fn find(&self, actor: &Actor, dataset: DatasetId, text: &str) -> Result<Version> {
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await?;
        named(&mut tx, dataset, text)
            .await?
            .ok_or_else(|| Error::not_found("version"))
    }

    /// What the labels of a version can say.
    pub async fn schema(&self, actor: &Actor, version: VersionId) -> Result<VersionSchema> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let (_, schema) = nodes::open(&mut tx, &Hash::from(&found.digest)).await?;
        Ok(labels::schema(&schema, &found.counts))
    }

    /// Queues a registration. The job's result is a [`limn_domain::dataset::VersionOutcome`].
    pub async fn register(&self, actor: &Actor, dataset: DatasetId, input: NewVersion) -> Result<Job> {
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &actor, Action::AddVersions, dataset).await?;
                    let target = crate::datasets::visible(tx, &actor, dataset).await?;
                    let mut checks = validate::Checks::default();
                    checks.take("note", validate::text("note", &input.note, NOTE_MAX));
                    checks.finish()?;
                    let from = check(tx, &actor, dataset, &input.source).await?;
                    let payload = job::Payload {
                        dataset,
                        input,
                        user: actor.user_id(),
                        user_name: actor.name().to_owned(),
                    };
                    let new = NewJob {
                        kind: kind::VERSION,
                        // Who sees the dataset sees the job, and perhaps not what it is made from.
                        title: format!("Register a version of {}", target.name),
                        project_id: None,
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
                        dedup_key: None,
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    let job = queue(tx, new, Some(dataset), now).await?;
                    let summary = format!(
                        "started to register a version of the dataset “{}” from {from}",
                        target.name
                    );
                    audit::write(tx, &actor, None, "version.start", &summary, now).await?;
                    Ok::<_, Error>(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// Queues the making of a labeling project from a version. The project is made at once and filled by the job.
    pub async fn make_project(
        &self,
        actor: &Actor,
        version: VersionId,
        input: MakeProject,
    ) -> Result<limn_domain::project::Project> {
        require(actor, Action::CreateProject)?;
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let dataset = crate::datasets::visible(&mut tx, actor, found.dataset_id).await?;
        check_filter(&input.filter)?;
        let (_, schema) = nodes::open(&mut tx, &Hash::from(&found.digest)).await?;
        drop(tx);
        let new = crate::jobs::version::project_of(&dataset, &found, &schema, &input)?;
        let project = crate::projects::Projects(self.0.clone())
            .create(actor, new)
            .await?;
        let id = project.summary.id;
        let payload = crate::jobs::version::ProjectPayload {
            version,
            project: id,
            input,
            user: actor.user_id(),
            user_name: actor.name().to_owned(),
        };
        let name = format!("{} v{}", dataset.name, found.number);
        let edge = LineageEdge {
            from: LineageNode::Version {
                dataset_id: Some(dataset.id),
                version_id: Some(version),
                name: name.clone(),
            },
            to: LineageNode::Project {
                project_id: Some(id),
                name: project.summary.name.clone(),
            },
            how: if payload.input.with_labels {
                "A labeling project with its labels".to_owned()
            } else {
                "A labeling project of its files".to_owned()
            },
            by_name: actor.name().to_owned(),
            at: self.0.now(),
        };
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let new = NewJob {
                        kind: kind::FROM_VERSION,
                        title: format!("Fill {} from {name}", project_name(&edge)),
                        project_id: Some(id),
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
                        dedup_key: None,
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    limn_jobs::enqueue(tx, new, now).await?;
                    repo::lineage::insert(tx, &edge).await?;
                    let summary = format!("began to fill the project from {name}");
                    audit::write(tx, &actor, Some(id), "project.from_version", &summary, now).await
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(project)
    }

    /// What the versions of a dataset were made from, and what was made from them. Ends the actor may not see keep
    /// their names to themselves.
    pub async fn lineage(&self, actor: &Actor, dataset: DatasetId) -> Result<Vec<LineageEdge>> {
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await?;
        let edges = repo::lineage::of_dataset(&mut tx, dataset, EDGES).await?;
        veil(&mut tx, actor, edges).await
    }

    /// The same of a labeling project.
    pub async fn lineage_of_project(&self, actor: &Actor, project: ProjectId) -> Result<Vec<LineageEdge>> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewProject, project).await?;
        let edges = repo::lineage::of_project(&mut tx, project, EDGES).await?;
        veil(&mut tx, actor, edges).await
    }
}

fn project_name(edge: &LineageEdge) -> &str {
    match &edge.to {
        LineageNode::Project { name, .. }
        | LineageNode::Version { name, .. }
        | LineageNode::Datastore { name, .. }
        | LineageNode::Catalogue { name, .. }
        | LineageNode::Upload { name } => name,
    }
}

/// Takes the names of what the actor may not see out of edges.
async fn veil(tx: &mut Tx, actor: &Actor, mut edges: Vec<LineageEdge>) -> Result<Vec<LineageEdge>> {
    let mut seen: std::collections::HashMap<String, bool> = std::collections::HashMap::new();
    for edge in &mut edges {
        for node in [&mut edge.from, &mut edge.to] {
            match node {
                LineageNode::Version {
                    dataset_id: dataset_id @ Some(_),
                    version_id,
                    name,
                } => {
                    let Some(id) = *dataset_id else { continue };
                    let key = format!("d{id}");
                    let sees = match seen.get(&key) {
                        Some(sees) => *sees,
                        None => role_in_dataset(tx, actor, id).await?.is_some(),
                    };
                    seen.insert(key, sees);
                    if !sees {
                        (*dataset_id, *version_id) = (None, None);
                        "A version you may not see".clone_into(name);
                    }
                }
                LineageNode::Project {
                    project_id: project_id @ Some(_),
                    name,
                } => {
                    let Some(id) = *project_id else { continue };
                    let key = format!("p{id}");
                    let sees = match seen.get(&key) {
                        Some(sees) => *sees,
                        None => role_in(tx, actor, id).await?.is_some(),
                    };
                    seen.insert(key, sees);
                    if !sees {
                        *project_id = None;
                        "A project you may not see".clone_into(name);
                    }
                }
                LineageNode::Version { .. }
                | LineageNode::Project { .. }
                | LineageNode::Datastore { .. }
                | LineageNode::Catalogue { .. }
                | LineageNode::Upload { .. } => {}
            }
        }
    }
    Ok(edges)
}

/// By number (`3` or `v3`), alias, `latest`, digest or id.
pub(crate) async fn named(tx: &mut Tx, dataset: DatasetId, text: &str) -> Result<Option<Version>> {
    let text = text.trim().to_lowercase();
    let number = text.strip_prefix('v').unwrap_or(&text).parse::<i64>().ok();
    let digest = limn_domain::Digest::parse(&text)
        .ok()
        .map(|d| *Hash::from(&d).bytes());
    let which = match (number, &digest, text.parse::<VersionId>()) {
        (Some(n), ..) => Which::Number(n),
        (_, Some(d), _) => Which::Digest(d),
        (.., Ok(id)) => Which::Id(id),
        _ if text == limn_domain::dataset::LATEST => Which::Latest,
        _ if text.contains('\0') => return Ok(None),
        _ => Which::Alias(&text),
    };
    Ok(repo::version::list(tx, dataset, which).await?.pop())
}

/// A version for whoever may do this with its dataset; anybody else learns only that there is none.
pub(crate) async fn visible(
    tx: &mut Tx,
    actor: &Actor,
    version: VersionId,
    action: Action,
) -> Result<Version> {
    actor_known(actor)?;
    let missing = || Error::not_found("version");
    let found = repo::version::get(tx, version).await?.ok_or_else(missing)?;
    match require_in_dataset(tx, actor, action, found.dataset_id).await {
        Err(Error::Api(e)) if e.code == Code::NotFound => Err(missing()),
        other => other.map(|_| found),
    }
}

/// Who is not signed in learns that, and not which versions there are.
fn actor_known(actor: &Actor) -> Result<()> {
    if !matches!(actor, Actor::System) {
        actor.me()?;
    }
    Ok(())
}

/// Checks a source and the right to read it; answers what it is, in words.
async fn check(tx: &mut Tx, actor: &Actor, dataset: DatasetId, source: &VersionSource) -> Result<String> {
    match source {
        VersionSource::Project {
            project_id,
            categories,
            ..
        } => {
            require_in(tx, actor, Action::ExportData, *project_id).await?;
            check_categories(categories)?;
            let (name, _) = repo::transfer::title(tx, *project_id)
                .await?
                .ok_or_else(|| Error::not_found("project"))?;
            Ok(format!("the project {name}"))
        }
        VersionSource::Found {
            project_id,
            filter,
            items,
        } => {
            require_in(tx, actor, Action::ExportData, *project_id).await?;
            crate::explore::items::check_choice(&ItemChoice {
                filter: filter.clone(),
                items: items.clone(),
            })?;
            let (name, _) = repo::transfer::title(tx, *project_id)
                .await?
                .ok_or_else(|| Error::not_found("project"))?;
            Ok(format!("items of the project {name}"))
        }
        VersionSource::Uploads { uploads, .. } => {
            let n = uploads.len();
            if n == 0 || n > UPLOADS_MAX {
                let why = format!("Name 1 to {UPLOADS_MAX} uploads, not {n}; pack more into a zip.");
                return Err(Error::field("uploads", why));
            }
            let mut seen = HashSet::new();
            for (i, id) in uploads.iter().enumerate() {
                let field = format!("uploads[{i}]");
                if !seen.insert(*id) {
                    return Err(Error::field(&field, "This upload is named twice."));
                }
                crate::uploads::complete(tx, actor, *id)
                    .await
                    .map_err(|e| match e {
                        Error::Api(e) => Error::field(&field, e.message),
                        e => e,
                    })?;
            }
            Ok(if n == 1 {
                "a file".to_owned()
            } else {
                format!("{n} files")
            })
        }
        VersionSource::Version { version_id, filter } => {
            check_filter(filter)?;
            let found = visible(tx, actor, *version_id, Action::ViewDataset).await?;
            if found.dataset_id == dataset {
                return Ok(format!("version {}", found.number));
            }
            let name = crate::datasets::visible(tx, actor, found.dataset_id).await?.name;
            Ok(format!("{name} v{}", found.number))
        }
        VersionSource::Selection {
            version_id,
            filter,
            paths,
        } => {
            if paths.len() > PATHS_MAX {
                return Err(Error::field(
                    "paths",
                    format!("Select at most {PATHS_MAX} files, or filter for them."),
                ));
            }
            let query = limn_domain::explore::ExploreQuery {
                filter: filter.clone(),
                ..Default::default()
            };
            crate::explore::check(&query)?;
            let found = visible(tx, actor, *version_id, Action::ViewDataset).await?;
            let name = crate::datasets::visible(tx, actor, found.dataset_id).await?.name;
            Ok(format!("a selection of {name} v{}", found.number))
        }
        VersionSource::Splits { version_id, plan } => {
            plan.shares.check().map_err(|e| Error::field("plan.shares", e))?;
            let found = visible(tx, actor, *version_id, Action::ViewDataset).await?;
            if found.dataset_id != dataset {
                return Err(Error::field(
                    "version_id",
                    "Splits are made of a version of the same dataset.",
                ));
            }
            Ok(format!("version {} with splits", found.number))
        }
        VersionSource::Datastore {
            datastore_id, glob, ..
        } => {
            let store = datastore(tx, actor, *datastore_id).await?;
            let glob = limn_domain::datastore::check_glob(glob).map_err(|e| Error::field("glob", e))?;
            if store.kind.is_sql() {
                return Err(Error::field(
                    "datastore_id",
                    "A database has no files; give a query.",
                ));
            }
            Ok(format!("`{glob}` of the datastore “{}”", store.name))
        }
        VersionSource::Query {
            datastore_id,
            sql,
            name,
            ..
        } => {
            let store = datastore(tx, actor, *datastore_id).await?;
            if !store.kind.is_sql() {
                return Err(Error::field(
                    "datastore_id",
                    "Only databases take queries; give a pattern of paths.",
                ));
            }
            limn_connect::sql::check_query(sql).map_err(|e| Error::field("sql", e.to_string()))?;
            if !name.trim().is_empty() {
                validate::item_name(&format!("{}.parquet", name.trim()))
                    .map_err(|e| Error::field("name", e))?;
            }
            let kind = crate::datasets::visible(tx, actor, dataset).await?.kind;
            if !matches!(kind, DatasetKind::Tabular | DatasetKind::Files) {
                return Err(Error::field(
                    "sql",
                    "What a query answers is a table; the dataset has to be of the kind tabular or files.",
                ));
            }
            Ok(format!("a query of the datastore “{}”", store.name))
        }
    }
}

/// A datastore that is in use, for whoever may use it.
async fn datastore(
    tx: &mut Tx,
    actor: &Actor,
    id: limn_domain::DatastoreId,
) -> Result<limn_domain::datastore::Datastore> {
    crate::sources::may_use(actor)?;
    let store = repo::datastore::get(tx, id)
        .await?
        .ok_or_else(|| Error::field("datastore_id", "There is no such datastore."))?;
    if store.enabled {
        Ok(store)
    } else {
        Err(Error::field(
            "datastore_id",
            format!("The datastore “{}” is disabled.", store.name),
        ))
    }
}

pub(crate) fn check_filter(filter: &limn_domain::dataset::EntryFilter) -> Result<()> {
    check_categories(&filter.categories)?;
    if let Some(glob) = &filter.glob {
        Glob::new(glob).map_err(|e| Error::field("glob", e))?;
    }
    Ok(())
}

fn check_categories(categories: &[String]) -> Result<()> {
    if categories.len() > CATEGORIES_MAX {
        return Err(Error::field(
            "categories",
            format!("Name at most {CATEGORIES_MAX} categories."),
        ));
    }
    Ok(())
}
