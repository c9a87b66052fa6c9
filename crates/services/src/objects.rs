//! Versions as an object store sees them: a bucket a dataset, whose keys begin with what names a version.
//!
//! `raccoons/v3/images/a.png` is a file of version 3 of the dataset "Raccoons"; `latest`, aliases and digests stand in
//! place of `v3`. A bucket `raccoons@v3` holds the files of one version alone. Keys are found regardless of case.

mod list;

use crate::authz::require_in_dataset;
use crate::media::{MediaBody, Rendition};
use crate::versions::{Downloadable, Versions};
use crate::{Actor, Context, Error, Result};
use limn_domain::dataset::{DatasetQuery, DatasetSummary, Download, METADATA_FILE, Version, bucket_name};
use limn_domain::{Action, Code, DatasetId, Timestamp};
use limn_store::repo;
use limn_store::repo::version::Which;
use std::collections::HashMap;

pub use list::{Asked, Found, Listed};

/// Datasets that are looked through.
const DATASETS_MAX: usize = 10_000;

#[derive(Clone)]
pub struct Objects(pub(crate) Context);

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    pub name: String,
    pub created_at: Timestamp,
}

/// An object's bytes.
pub enum Content {
    Stored(MediaBody),
    /// Made while it is read.
    Made(Box<Downloadable>),
}

/// An object, opened.
pub struct Object {
    pub content: Content,
    pub bytes: u64,
    pub media_type: String,
    /// Names the content, without quotes.
    pub etag: String,
    pub created_at: Timestamp,
}

/// A dataset and, where the bucket names one, its version.
struct Place {
    dataset: DatasetSummary,
    version: Option<Version>,
}

impl Objects {
    /// Those the actor may see, in the order of their names. Where two would have the same name, both go by their ids.
    pub async fn buckets(&self, actor: &Actor) -> Result<Vec<Bucket>> {
        let datasets = self.datasets(actor).await?;
        let mut uses: HashMap<String, usize> = HashMap::new();
        for d in &datasets {
            *uses.entry(bucket_name(&d.name, d.id)).or_default() += 1;
        }
        let mut list: Vec<Bucket> = datasets
            .into_iter()
            .map(|d| {
                let name = bucket_name(&d.name, d.id);
                Bucket {
                    name: if uses.get(&name) == Some(&1) {
                        name
                    } else {
                        d.id.to_string()
                    },
                    created_at: d.created_at,
                }
            })
            .collect();
        list.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// Errors: `NotFound` when there is none the actor may see.
    pub async fn bucket(&self, actor: &Actor, bucket: &str) -> Result<Bucket> {
        let place = self.place(actor, bucket).await?;
        Ok(Bucket {
            name: bucket.to_owned(),
            created_at: place.dataset.created_at,
        })
    }

    /// Opens an object.
    pub async fn get(&self, actor: &Actor, bucket: &str, key: &str) -> Result<Object> {
        let missing = || Error::not_found("object");
        let place = self.place(actor, bucket).await?;
        let (version, path) = if let Some(version) = place.version {
            (version, key)
        } else {
            let (name, path) = key.split_once('/').ok_or_else(missing)?;
            (self.version(actor, place.dataset.id, name).await?, path)
        };
        if path.is_empty() || path.ends_with('/') {
            return Err(missing());
        }
        let versions = Versions(self.0.clone());
        match versions.file(actor, version.id, path, Rendition::Original).await {
            Ok(found) => Ok(Object {
                bytes: found.file.body.size(),
                content: Content::Stored(found.file.body),
                media_type: found.file.media_type,
                etag: found.file.etag.trim_matches('"').to_owned(),
                created_at: version.created_at,
            }),
            Err(Error::Api(e)) if e.code == Code::NotFound && path == METADATA_FILE => {
                let made = versions
                    .download(actor, version.id, Download::Metadata, None)
                    .await?;
                let sum = made.sum.as_ref().ok_or_else(missing)?;
                Ok(Object {
                    bytes: sum.bytes.unsigned_abs(),
                    media_type: "application/jsonlines".to_owned(),
                    etag: made.etag.clone(),
                    created_at: version.created_at,
                    content: Content::Made(Box::new(made)),
                })
            }
            Err(e) => Err(e),
        }
    }

    async fn datasets(&self, actor: &Actor) -> Result<Vec<DatasetSummary>> {
        let service = crate::datasets::Datasets(self.0.clone());
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let query = DatasetQuery {
                cursor,
                limit: Some(200),
                ..DatasetQuery::default()
            };
            let page = service.list(actor, query).await?;
            all.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() || all.len() >= DATASETS_MAX {
                return Ok(all);
            }
        }
    }

    async fn place(&self, actor: &Actor, bucket: &str) -> Result<Place> {
        let missing = || Error::not_found("bucket");
        let (name, version) = match bucket.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (bucket, None),
        };
        let dataset = if let Ok(id) = name.parse::<DatasetId>() {
            let mut tx = self.0.db.read().await?;
            require_in_dataset(&mut tx, actor, Action::ViewDataset, id).await?;
            crate::datasets::visible(&mut tx, actor, id).await?
        } else {
            let wanted = name.to_lowercase();
            let mut named = self.datasets(actor).await?;
            named.retain(|d| bucket_name(&d.name, d.id) == wanted);
            match named.len() {
                0 => return Err(missing()),
                1 => named.remove(0),
                _ => {
                    let ids: Vec<String> = named
                        .iter()
                        .take(5)
                        .map(|d| format!("{} ({})", d.id, d.name))
                        .collect();
                    return Err(Error::new(
                        Code::WrongState,
                        format!(
                            "Several datasets would be called so; use an id: {}.",
                            ids.join(", ")
                        ),
                    ));
                }
            }
        };
        let version = match version {
            Some(text) => Some(self.version(actor, dataset.id, text).await?),
            None => None,
        };
        Ok(Place { dataset, version })
    }

    async fn version(&self, actor: &Actor, dataset: DatasetId, text: &str) -> Result<Version> {
        Versions(self.0.clone()).find(actor, dataset, text).await
    }

    /// What stands in place of a folder at the top of a bucket: names of versions, sorted, as far as a prefix lets them.
    async fn names(&self, actor: &Actor, dataset: DatasetId, prefix: &str) -> Result<Vec<(String, Version)>> {
        if let Some((name, _)) = prefix.split_once('/') {
            // Also by its digest, which no list shows.
            return match self.version(actor, dataset, name).await {
                Ok(version) => Ok(vec![(name.to_owned(), version)]),
                Err(Error::Api(e)) if e.code == Code::NotFound => Ok(Vec::new()),
                Err(e) => Err(e),
            };
        }
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await?;
        let versions = repo::version::list(&mut tx, dataset, Which::All).await?;
        let mut names: Vec<(String, Version)> = Vec::new();
        if let Some(newest) = versions.first() {
            names.push((limn_domain::dataset::LATEST.to_owned(), newest.clone()));
        }
        for v in &versions {
            names.push((format!("v{}", v.number), v.clone()));
            names.extend(v.aliases.iter().map(|a| (a.clone(), v.clone())));
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        names.dedup_by(|a, b| a.0 == b.0);
        Ok(names)
    }
}
