//! Files of versions: lists, folders, single ones.

use super::nodes::{self, DbNodes};
use super::{Versions, labels, visible};
use crate::media::{MediaFile, Rendition};
use crate::{Actor, Error, Result, cursor};
use limn_domain::dataset::{Entry as Shown, EntryFilter, EntryQuery, Folder, FolderPage, Split, Version};
use limn_domain::{Action, Page, VersionId};
use limn_store::Tx;
use limn_store::repo::blob::ItemBlob;
use limn_versions::folder::{self, Inside};
use limn_versions::object::{Labels, Root};
use limn_versions::{Entry, From, Glob, Hash, Reader};
use std::collections::HashMap;

const LIMIT_DEFAULT: i64 = 60;
const LIMIT_MAX: i64 = 1_000;
/// Files looked at for one page of a list that filters; the page may be short then, with a cursor.
const LOOKED_MAX: usize = 50_000;
const CURSOR: &str = "entries";
const FOLDER: &str = "folder";

/// What a filter lets through.
pub(crate) struct Sieve {
    pub split: Option<Split>,
    categories: Vec<String>,
    glob: Option<Glob>,
}

impl Sieve {
    pub fn new(filter: &EntryFilter) -> Result<Self> {
        super::check_filter(filter)?;
        let glob = filter.glob.as_deref().map(Glob::new).transpose();
        Ok(Self {
            split: filter.split,
            categories: filter.categories.clone(),
            glob: glob.map_err(|e| Error::field("glob", e))?,
        })
    }

    pub fn lets(&self, e: &Entry) -> bool {
        self.split.is_none_or(|s| s == e.split)
            && (self.categories.is_empty() || self.categories.iter().any(|c| e.categories.contains_key(c)))
            && self.glob.as_ref().is_none_or(|g| g.matches(&e.path))
    }

    /// Whether it looks at more than splits.
    fn is_fine(&self) -> bool {
        !self.categories.is_empty() || self.glob.is_some()
    }
}

/// A file's bytes.
#[derive(Debug)]
pub struct VersionFile {
    pub file: MediaFile,
    pub path: String,
}

impl Versions {
    /// Files in the order of their paths.
    pub async fn entries(&self, actor: &Actor, version: VersionId, query: EntryQuery) -> Result<Page<Shown>> {
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX) as usize;
        let after = query
            .cursor
            .as_deref()
            .map(|c| cursor::decode(CURSOR, c))
            .transpose()?;
        let sieve = Sieve::new(&EntryFilter {
            split: query.split,
            categories: query.category.into_iter().filter(|c| !c.is_empty()).collect(),
            glob: query.glob.filter(|g| !g.trim().is_empty()),
        })?;
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let root = root(&mut tx, &found).await?;
        let mut nodes = DbNodes::new(&mut tx);
        let from = after.as_deref().map_or(From::Start, From::After);
        let mut reader = Reader::open(&mut nodes, &root.files, from)
            .await?
            .only(sieve.split);
        if sieve.is_fine() {
            reader = reader.to_the_end();
        }
        let (mut rows, mut looked, mut next, mut last) = (Vec::new(), 0, None, None);
        while let Some(entry) = reader.next(&mut nodes).await? {
            if rows.len() == limit || looked == LOOKED_MAX {
                next = last.map(|key: String| cursor::encode(CURSOR, &key));
                break;
            }
            looked += 1;
            last = Some(entry.key());
            if sieve.lets(&entry) {
                rows.push(entry);
            }
        }
        let total = match (sieve.is_fine(), sieve.split) {
            (true, _) => None,
            (false, None) => Some(found.files),
            (false, Some(s)) => Some(found.counts.splits[s.index()]),
        };
        Ok(Page {
            rows: show(&mut tx, rows, query.labels).await?,
            next,
            total,
        })
    }

    /// What lies directly in a folder (empty: at the top).
    pub async fn folder(
        &self,
        actor: &Actor,
        version: VersionId,
        path: &str,
        after: Option<&str>,
        limit: Option<i64>,
    ) -> Result<FolderPage> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX) as usize;
        let after = after.map(|c| cursor::decode(FOLDER, c)).transpose()?;
        if path.len() > limn_domain::validate::ITEM_NAME_MAX {
            return Err(Error::not_found("folder"));
        }
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let root = root(&mut tx, &found).await?;
        let mut nodes = DbNodes::new(&mut tx);
        let (inside, next) = folder::list(&mut nodes, &root.files, path, after.as_deref(), limit).await?;
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        for i in inside {
            match i {
                Inside::Folder(name) => folders.push(Folder { name }),
                Inside::File(e) => files.push(e),
            }
        }
        Ok(FolderPage {
            folders,
            files: show(&mut tx, files, false).await?,
            next: next.map(|key| cursor::encode(FOLDER, &key)),
        })
    }

    /// One file by its path, in whatever rendition it has.
    pub async fn file(
        &self,
        actor: &Actor,
        version: VersionId,
        path: &str,
        which: Rendition,
    ) -> Result<VersionFile> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let root = root(&mut tx, &found).await?;
        let mut nodes = DbNodes::new(&mut tx);
        let entry = Reader::find(&mut nodes, &root.files, path)
            .await?
            .ok_or_else(|| Error::not_found("file in this version"))?;
        drop(tx);
        let path = entry.path.clone();
        let blob = ItemBlob {
            project_id: limn_domain::ProjectId::nil(),
            name: entry.path,
            digest: entry.blob.into(),
            media_type: entry.media_type,
            byte_size: i64::try_from(entry.size).unwrap_or(i64::MAX),
            width: i64::from(entry.width),
            height: i64::from(entry.height),
            orientation: i64::from(entry.orientation),
        };
        let media = crate::media::Media(self.0.clone());
        let file = media.of_blob(&blob, which).await?;
        Ok(VersionFile { file, path })
    }
}

/// The root of a version.
pub(crate) async fn root(tx: &mut Tx, version: &Version) -> Result<Root> {
    nodes::object(tx, &Hash::from(&version.digest)).await
}

/// Files for people, with their labels when asked for.
pub(crate) async fn show(tx: &mut Tx, entries: Vec<Entry>, with_labels: bool) -> Result<Vec<Shown>> {
    let wanted: Vec<Hash> = entries.iter().filter_map(|e| e.labels).collect();
    let known: HashMap<Hash, Labels> = if with_labels {
        nodes::objects(tx, &wanted).await?
    } else {
        HashMap::new()
    };
    Ok(entries
        .into_iter()
        .map(|e| {
            let said = e.labels.and_then(|h| Some((h, known.get(&h)?)));
            Shown {
                annotations: said.map_or_else(Vec::new, |(h, l)| labels::shown(&e.path, &h, l)),
                about: said.map_or_else(Default::default, |(_, l)| l.about.clone()),
                size: i64::try_from(e.size).unwrap_or(i64::MAX),
                digest: e.blob.into(),
                media_type: e.media_type,
                width: i64::from(e.width),
                height: i64::from(e.height),
                length: i64::from(e.length),
                split: e.split,
                categories: e.categories.into_iter().map(|(c, n)| (c, i64::from(n))).collect(),
                labels_digest: e.labels.map(Into::into),
                path: e.path,
            }
        })
        .collect())
}
