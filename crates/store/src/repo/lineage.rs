//! lineage rows: what was made from what.

use crate::{StoreError, Tx, on_tx};
use limn_domain::dataset::{LineageEdge, LineageNode};
use limn_domain::{ActivityId, DatasetId, DatastoreId, ProjectId, Timestamp, VersionId};
use sqlx::FromRow;

#[derive(FromRow)]
struct Row {
    from_kind: String,
    from_version: Option<VersionId>,
    from_dataset: Option<DatasetId>,
    from_project: Option<ProjectId>,
    from_datastore: Option<DatastoreId>,
    from_catalogue: Option<String>,
    from_name: String,
    to_kind: String,
    to_version: Option<VersionId>,
    to_dataset: Option<DatasetId>,
    to_project: Option<ProjectId>,
    to_name: String,
    how: String,
    by_name: String,
    at: Timestamp,
}

const fn parts(node: &LineageNode) -> (&'static str, Option<VersionId>, Option<ProjectId>, &String) {
    match node {
        LineageNode::Version { version_id, name, .. } => ("version", *version_id, None, name),
        LineageNode::Project { project_id, name } => ("project", None, *project_id, name),
        // Datastores and records of the catalogue are told apart by their columns.
        LineageNode::Upload { name }
        | LineageNode::Datastore { name, .. }
        | LineageNode::Catalogue { name, .. } => ("upload", None, None, name),
    }
}

fn node(
    kind: &str,
    version_id: Option<VersionId>,
    dataset_id: Option<DatasetId>,
    project_id: Option<ProjectId>,
    name: String,
) -> LineageNode {
    match kind {
        "version" => LineageNode::Version {
            dataset_id,
            version_id,
            name,
        },
        "project" => LineageNode::Project { project_id, name },
        _ => LineageNode::Upload { name },
    }
}

/// Writes down an edge.
pub async fn insert(tx: &mut Tx, edge: &LineageEdge) -> Result<(), StoreError> {
    let (from_kind, from_version, from_project, from_name) = parts(&edge.from);
    let datastore = match &edge.from {
        LineageNode::Datastore { datastore_id, .. } => Some(*datastore_id),
        _ => None,
    };
    let slug = match &edge.from {
        LineageNode::Catalogue { slug, .. } => Some(slug),
        _ => None,
    };
    let (to_kind, to_version, to_project, to_name) = parts(&edge.to);
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO lineage (id, from_kind, from_version, from_project, from_name, to_kind, to_version, \
             to_project, to_name, how, by_name, at, from_datastore, from_catalogue) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
             $9, $10, $11, $12, $13, $14)",
        )
        .bind(ActivityId::new())
        .bind(from_kind)
        .bind(from_version)
        .bind(from_project)
        .bind(from_name)
        .bind(to_kind)
        .bind(to_version)
        .bind(to_project)
        .bind(to_name)
        .bind(&edge.how)
        .bind(&edge.by_name)
        .bind(edge.at)
        .bind(datastore)
        .bind(slug)
        .execute(conn)
        .await?;
    });
    Ok(())
}

macro_rules! edges {
    ($tail:literal) => {
        concat!(
            "SELECT l.from_kind, l.from_version, a.dataset_id AS from_dataset, l.from_project, l.from_datastore, \
             l.from_catalogue, l.from_name, l.to_kind, \
             l.to_version, b.dataset_id AS to_dataset, l.to_project, l.to_name, l.how, l.by_name, l.at FROM lineage l \
             LEFT JOIN dataset_version a ON a.id = l.from_version LEFT JOIN dataset_version b ON b.id = l.to_version ",
            $tail
        )
    };
}

fn read(rows: Vec<Row>) -> Vec<LineageEdge> {
    rows.into_iter()
        .map(|r| LineageEdge {
            from: match (r.from_datastore, r.from_catalogue) {
                (Some(datastore_id), _) => LineageNode::Datastore {
                    datastore_id,
                    name: r.from_name,
                },
                (None, Some(slug)) => LineageNode::Catalogue {
                    slug,
                    name: r.from_name,
                },
                (None, None) => node(
                    &r.from_kind,
                    r.from_version,
                    r.from_dataset,
                    r.from_project,
                    r.from_name,
                ),
            },
            to: node(&r.to_kind, r.to_version, r.to_dataset, r.to_project, r.to_name),
            how: r.how,
            by_name: r.by_name,
            at: r.at,
        })
        .collect()
}

/// The edges to and from the versions of a dataset, oldest first.
pub async fn of_dataset(tx: &mut Tx, dataset: DatasetId, limit: i64) -> Result<Vec<LineageEdge>, StoreError> {
    let rows = on_tx!(tx, conn => {
        sqlx::query_as(edges!("WHERE a.dataset_id = $1 OR b.dataset_id = $1 ORDER BY l.at, l.id LIMIT $2"))
            .bind(dataset)
            .bind(limit)
            .fetch_all(conn)
            .await?
    });
    Ok(read(rows))
}

/// The versions that were made of a labeling project, newest first.
pub async fn versions_of_project(
    tx: &mut Tx,
    project: ProjectId,
    limit: i64,
) -> Result<Vec<VersionId>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT to_version FROM lineage WHERE from_project = $1 AND to_version IS NOT NULL \
             ORDER BY at DESC, id DESC LIMIT $2",
        )
        .bind(project)
        .bind(limit)
        .fetch_all(conn)
        .await?
    }))
}

/// A version that was made of a record of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CatalogueUse {
    pub slug: String,
    pub dataset_id: DatasetId,
    pub dataset_name: String,
    pub version_id: VersionId,
    pub number: i64,
}

/// The versions that were made of records of the catalogue, newest first; of one record where a slug is given.
pub async fn catalogue_uses(
    tx: &mut Tx,
    slug: Option<&str>,
    limit: i64,
) -> Result<Vec<CatalogueUse>, StoreError> {
    Ok(on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "SELECT l.from_catalogue AS slug, d.id AS dataset_id, d.name AS dataset_name, v.id AS version_id, v.number \
             FROM lineage l JOIN dataset_version v ON v.id = l.to_version JOIN dataset d ON d.id = v.dataset_id \
             WHERE l.from_catalogue ",
        );
        match slug {
            Some(slug) => q.push("= ").push_bind(slug),
            None => q.push("IS NOT NULL"),
        };
        q.push(" ORDER BY l.at DESC, l.id DESC LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    }))
}

/// The edges that go out from a version.
pub async fn from_version(tx: &mut Tx, version: VersionId) -> Result<Vec<LineageEdge>, StoreError> {
    let rows = on_tx!(tx, conn => {
        sqlx::query_as(edges!("WHERE l.from_version = $1 ORDER BY l.at, l.id"))
            .bind(version)
            .fetch_all(conn)
            .await?
    });
    Ok(read(rows))
}

/// The edges to and from a labeling project, oldest first.
pub async fn of_project(tx: &mut Tx, project: ProjectId, limit: i64) -> Result<Vec<LineageEdge>, StoreError> {
    let rows = on_tx!(tx, conn => {
        sqlx::query_as(edges!("WHERE l.from_project = $1 OR l.to_project = $1 ORDER BY l.at, l.id LIMIT $2"))
            .bind(project)
            .bind(limit)
            .fetch_all(conn)
            .await?
    });
    Ok(read(rows))
}
