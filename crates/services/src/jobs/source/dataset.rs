//! The refresh of a project from a dataset, by what differs between the version that was taken last and the present one.
//!
//! No file is read or copied: the bytes are in the store, and items name them. Versions are taken in the order of their
//! keys, and how far is written down with the items in one unit of work, so that a refresh goes on where one was stopped
//! (docs/adr/0024).

mod ending;
mod which;

use super::Payload;
use super::labels::{Fit, Lost};
use crate::jobs::export::item;
use crate::jobs::version::{Done, Row, Rules, add, new_item};
use crate::media::tiles;
use crate::versions::files::root;
use crate::versions::nodes::{self, Ahead, DbNodes};
use crate::{Context, Error, Result};
use anyhow::anyhow;
use limn_domain::dataset::{LineageEdge, LineageNode, Version};
use limn_domain::datastore::{FileState, ProjectSource, SourceReport};
use limn_domain::project::Task;
use limn_domain::{Attributes, Digest, Timestamp, VersionId};
use limn_formats::{Detail, Findings};
use limn_jobs::{Permanent, Progress};
use limn_store::repo::item::Inserted;
use limn_store::repo::item::bulk::Stamp;
use limn_store::repo::source::going::{self, Place};
use limn_store::repo::source::{self, SeenFile};
use limn_store::{StoreError, Tx, repo};
use limn_versions::object::Labels;
use limn_versions::{Change, Diff, Entry, From, Hash, Reader};
use std::collections::HashMap;
use which::{Walk, Wanted, deleted, present, removed};

pub(super) use which::lost;

/// Items and labels of one unit of work, so that people's saves get their turn in between.
const ITEMS: usize = 300;
const LABELS: u64 = 5_000;
/// Files looked at for one of them where few are wanted.
const LOOKED: usize = 20_000;

/// A refresh under way.
struct Taking<'a> {
    ctx: &'a Context,
    progress: &'a Progress,
    payload: &'a Payload,
    source: ProjectSource,
    project_name: String,
    target: Version,
    /// `Street v3`.
    name: String,
    wanted: Wanted,
    fit: Option<Fit>,
    began: Timestamp,
    findings: Findings,
    lost: Lost,
    /// Files that match and are nothing for this project.
    passed: u64,
}

/// What is done in one unit of work.
#[derive(Default)]
struct Batch {
    take: Vec<Entry>,
    gone: Vec<String>,
    weight: u64,
}

/// What became of a file.
enum Became {
    Added,
    There,
    /// Its item has other content.
    Changed,
    /// Another item has its name.
    NameTaken,
}

/// A file that is new or different: what was known of it, and what of its labels finds no place.
struct Look {
    file: SeenFile,
    known: Option<FileState>,
    lost: Lost,
}

pub(super) async fn run(
    ctx: &Context,
    payload: &Payload,
    progress: &Progress,
    source: ProjectSource,
    (project_name, task): (String, Task),
) -> anyhow::Result<SourceReport> {
    let of = source
        .dataset
        .clone()
        .ok_or_else(|| anyhow!("the source {} is of nothing", source.id))?;
    let mut tx = ctx.db.read().await?;
    let target = present(&mut tx, &of).await?;
    let place = going::place(&mut tx, source.id).await?.ok_or_else(removed)?;
    let mut taking = Taking {
        ctx,
        progress,
        payload,
        wanted: Wanted::new(&source.glob, of.split, task)?,
        fit: if of.with_labels {
            Some(Fit::open(&mut tx, source.project_id, task).await?)
        } else {
            None
        },
        source,
        project_name,
        name: format!("{} v{}", of.name, target.number),
        target,
        began: ctx.now().max(Timestamp(1)),
        findings: Findings::default(),
        lost: Lost::default(),
        passed: 0,
    };
    if place.going_all.is_none() && place.taken_version == Some(taking.target.id) {
        drop(tx);
        return taking.nothing().await;
    }
    taking.go(tx, place).await?;
    taking.close().await
}

impl Batch {
    fn is_full(&self) -> bool {
        self.take.len() + self.gone.len() >= ITEMS || self.weight >= LABELS
    }
}

impl Taking<'_> {
    async fn go(&mut self, mut tx: Tx, place: Place) -> anyhow::Result<()> {
        let resumes = place.going_version == Some(self.target.id)
            && (place.going_all == Some(true) || place.taken_version.is_some());
        // What is known is of one version only where the last refresh came to its end, and that version is still there.
        let all = if resumes {
            place.going_all == Some(true)
        } else {
            place.going_all.is_some() || place.taken_version.is_none()
        };
        let new = root(&mut tx, &self.target).await?.files;
        let old = match place.taken_version.filter(|_| !all) {
            Some(id) => {
                let version = repo::version::get(&mut tx, id).await?;
                let version = version.ok_or_else(|| anyhow!("the version {id} is not there"))?;
                Some(root(&mut tx, &version).await?.files)
            }
            None => None,
        };
        if !resumes {
            self.begin(all).await?;
        }
        let after = place.going_after.filter(|_| resumes);
        let folder = self.wanted.folder.clone();
        let from = match &after {
            Some(key) => From::After(key),
            None if folder.is_empty() => From::Start,
            None => From::At(&folder),
        };
        let mut db = DbNodes::new(&mut tx);
        let mut walk = match &old {
            Some(old) => Walk::Changes(Diff::open(&mut db, old, &new, from).await?),
            None => Walk::All(
                Reader::open(&mut db, &new, from)
                    .await?
                    .only(self.wanted.split)
                    .to_the_end(),
            ),
        };
        let mut ahead: Ahead = db.into_ahead();
        let total = if old.is_none() { self.target.files } else { 0 };
        let mut seen = 0_i64;
        let mut ended = false;
        while !ended {
            let (mut batch, mut last) = (Batch::default(), None);
            let mut db = DbNodes::with(&mut tx, std::mem::take(&mut ahead));
            for _ in 0..LOOKED {
                if batch.is_full() {
                    break;
                }
                let change = walk.next(&mut db).await?;
                let Some(change) = change.filter(|c| c.entry().key().starts_with(&folder)) else {
                    ended = true;
                    break;
                };
                seen += 1;
                last = Some(change.entry().key());
                self.sort(change, &mut batch);
            }
            ahead = db.into_ahead();
            if let Some(last) = last {
                self.keep(&mut tx, batch, last).await?;
            }
            let message = format!("Taking {}: {} new", self.name, self.findings.report().items_added);
            self.progress.report(seen, total, message).await?;
        }
        Ok(())
    }

    async fn begin(&self, all: bool) -> anyhow::Result<()> {
        let (id, version, edge) = (self.source.id, self.target.id, self.edge());
        let begun = self
            .ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let begun = going::begin(tx, id, version, all).await?;
                    if begun {
                        tell(tx, version, &edge).await?;
                    }
                    Ok(begun)
                })
            })
            .await;
        match begun {
            Ok(true) => Ok(()),
            Ok(false) => Err(removed().into()),
            Err(Error::Store(StoreError::ForeignKey(_))) => {
                Err(Permanent(deleted(self.source.name())).into())
            }
            Err(e) => Err(e.into()),
        }
    }

    /// What a difference between two versions is to this project.
    fn sort(&mut self, change: Change, batch: &mut Batch) {
        let (old, new) = match change {
            Change::Added(new) => (None, Some(new)),
            Change::Removed(old) => (Some(old), None),
            Change::Changed { old, new } => (Some(old), Some(new)),
        };
        let old = old.filter(|e| self.wanted.lets(e));
        if new
            .as_ref()
            .is_some_and(|e| self.wanted.matches(e) && !self.wanted.lets(e))
        {
            self.passed += 1;
        }
        let new = new.filter(|e| self.wanted.lets(e));
        let path = new.as_ref().map(|e| e.path.as_str());
        if let Some(old) = &old {
            if path != Some(old.path.as_str()) {
                batch.gone.push(old.path.clone());
            } else if new.as_ref().is_some_and(|e| e.blob == old.blob) {
                // Other labels, or another split, of the same picture.
                return;
            }
        }
        if let Some(new) = new {
            if self.fit.is_some() {
                batch.weight += new.label_count();
            }
            batch.take.push(new);
        }
    }

    /// Adds items and notes what became of files, up to a key.
    async fn keep(&mut self, tx: &mut Tx, batch: Batch, last: String) -> anyhow::Result<()> {
        let paths: Vec<String> = batch.take.iter().map(|e| e.path.clone()).collect();
        let known = source::known(tx, self.source.id, &paths).await?;
        let mut known: HashMap<String, SeenFile> = known.into_iter().map(|f| (f.path.clone(), f)).collect();
        let (mut seen, mut fresh, mut looks) = (Vec::new(), Vec::new(), Vec::new());
        for entry in batch.take {
            let digest: Digest = entry.blob.into();
            let known = known.remove(&entry.path);
            match known {
                Some(known) if known.tag == digest.as_str() => seen.push(known),
                known => {
                    let file = SeenFile {
                        path: entry.path.clone(),
                        byte_size: i64::try_from(entry.size).unwrap_or(i64::MAX),
                        tag: digest.as_str().to_owned(),
                        state: FileState::Taken,
                        digest: None,
                    };
                    looks.push(Look {
                        file,
                        known: known.map(|k| k.state),
                        lost: Lost::default(),
                    });
                    fresh.push(entry);
                }
            }
        }
        let at = self.ctx.now();
        let rows = self.rows(tx, fresh, &mut looks, at).await?;
        let any_large = rows
            .iter()
            .any(|r| tiles::is_large(self.ctx, r.0.width, r.0.height));
        let rules = Rules {
            project: self.source.project_id,
            with_labels: self.fit.is_some(),
            done: Done::Labeled,
            user: self.payload.user,
            // Nobody submitted these: they are done, but count as nobody's work.
            stamp: Stamp { by: None, now: at },
        };
        let gone = batch.gone;
        let (id, version, began, own) = (self.source.id, self.target.id, self.began, self.ctx.clone());
        let kept = self
            .ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    // First, so that the version and its files stay until the items name them.
                    if !going::advance(tx, id, version, &last).await? {
                        return Err(lost(tx, id, version).await);
                    }
                    going::gone(tx, id, &gone).await?;
                    let (inserted, labels) = if rows.is_empty() {
                        (Vec::new(), 0)
                    } else {
                        add(tx, &own, rules, rows).await?
                    };
                    let mut became = Vec::with_capacity(looks.len());
                    for (mut look, inserted) in looks.into_iter().zip(inserted) {
                        let what = Became::of(&look, &inserted);
                        look.file.state = what.state();
                        seen.push(look.file.clone());
                        became.push((look, what));
                    }
                    source::note(tx, id, &seen, began).await?;
                    Ok((became, labels))
                })
            })
            .await;
        let (became, labels) = kept.map_err(|e| match e {
            Error::Store(StoreError::ForeignKey(_)) => {
                anyhow::Error::from(Permanent("The project was deleted.".to_owned()))
            }
            e => anyhow::Error::from(e),
        })?;
        if any_large {
            self.ctx.jobs.wake();
        }
        self.findings.report_mut().annotations_added += labels;
        for (look, what) in became {
            self.count(look, &what);
        }
        Ok(())
    }

    /// The items of some files, with their labels where those are wanted.
    async fn rows(
        &self,
        tx: &mut Tx,
        fresh: Vec<Entry>,
        looks: &mut [Look],
        at: Timestamp,
    ) -> anyhow::Result<Vec<Row>> {
        let labels: HashMap<Hash, Labels> = if self.fit.is_some() {
            let wanted: Vec<Hash> = fresh.iter().filter_map(|e| e.labels).collect();
            nodes::objects(tx, &wanted).await?
        } else {
            HashMap::new()
        };
        let mut rows = Vec::with_capacity(fresh.len());
        for (entry, look) in fresh.into_iter().zip(looks) {
            let counts = entry.categories.clone();
            let item = item(entry, 0, at, &labels);
            let new = new_item(self.ctx, &item).await?;
            let (annotations, about) = match &self.fit {
                Some(fit) => {
                    let (annotations, about, lost) = fit.take(&counts, item.annotations, item.about);
                    look.lost = lost;
                    (annotations, about)
                }
                None => (Vec::new(), Attributes::new()),
            };
            rows.push((new, annotations, about));
        }
        Ok(rows)
    }

    fn edge(&self) -> LineageEdge {
        LineageEdge {
            from: LineageNode::Version {
                dataset_id: Some(self.target.dataset_id),
                version_id: Some(self.target.id),
                name: self.name.clone(),
            },
            to: LineageNode::Project {
                project_id: Some(self.source.project_id),
                name: self.project_name.clone(),
            },
            how: if self.fit.is_some() {
                "Its files as items with their labels, refreshed".to_owned()
            } else {
                "Its files as items, refreshed".to_owned()
            },
            by_name: self.payload.user_name.clone(),
            at: self.ctx.now(),
        }
    }

    fn count(&mut self, look: Look, what: &Became) {
        self.findings.set_file(look.file.path);
        match what {
            Became::Added => {
                self.findings.report_mut().items_added += 1;
                self.lost.add(look.lost);
            }
            Became::There => self.findings.report_mut().items_unchanged += 1,
            Became::Changed => self.findings.note("changed", || {
                Detail::new("This file has other content now. The item that was made of it, and its labels, stay as they were.")
            }),
            Became::NameTaken => self.findings.refused("name_taken", || {
                Detail::new("The project has another item of this name. It stays as it is; rename one of the two to have both.")
            }),
        }
    }
}

impl Became {
    fn of(look: &Look, inserted: &Inserted) -> Self {
        match (inserted, look.known) {
            (Inserted::Added { .. }, _) => Self::Added,
            (Inserted::Exists { digest, .. }, _) if digest.as_str() == look.file.tag => Self::There,
            (Inserted::Exists { .. }, Some(FileState::Taken | FileState::Changed)) => Self::Changed,
            (Inserted::Exists { .. }, None | Some(FileState::Refused)) => Self::NameTaken,
        }
    }

    const fn state(&self) -> FileState {
        match self {
            Self::Added | Self::There => FileState::Taken,
            Self::Changed => FileState::Changed,
            Self::NameTaken => FileState::Refused,
        }
    }
}

/// Writes the edge of the lineage unless it is there.
async fn tell(tx: &mut Tx, version: VersionId, edge: &LineageEdge) -> Result<()> {
    let there = repo::lineage::from_version(tx, version).await?;
    let project = |node: &LineageNode| match node {
        LineageNode::Project { project_id, .. } => *project_id,
        _ => None,
    };
    if there
        .iter()
        .all(|e| e.how != edge.how || project(&e.to) != project(&edge.to))
    {
        repo::lineage::insert(tx, edge).await?;
    }
    Ok(())
}
