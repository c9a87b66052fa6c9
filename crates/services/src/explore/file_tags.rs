//! Tags on files: put on what was found or selected, taken off, counted, undone.
//!
//! A change is written a few thousand rows at a time, so that nobody else waits for a quarter of a million; what a crash
//! leaves undone is done by asking again.

use super::{Explore, check};
use crate::authz::require_in_dataset;
use crate::versions::visible;
use crate::{Actor, Error, Result, audit};
use limn_domain::dataset::Version;
use limn_domain::explore::ExploreQuery;
use limn_domain::file_tag::{
    CHANGE_MAX, ChangeTags, FILES_MAX, FileTag, ON_FILE_MAX, PUT_MAX, TAGS_MAX, TagChange, TagHere, TagScope,
    TagsHere, check_name,
};
use limn_domain::validate::{Checks, name_key};
use limn_domain::{Action, Code, DatasetId, FileTagId, TagChangeId, VersionId};
use limn_explore::{Bits, Index, Layer};
use limn_store::repo;
use std::sync::Arc;

/// Rows of one unit of work.
const ROWS: usize = 4_000;
/// Seconds within which a change can be undone.
pub(crate) const UNDO_LIFE: i64 = 3_600;

/// One tag of a change, with the keys whose files do not have it yet, or have it.
struct Step {
    name: String,
    puts: bool,
    keys: Vec<String>,
}

impl Explore {
    /// The tags that files of a dataset have, by name.
    pub async fn file_tags(&self, actor: &Actor, dataset: DatasetId) -> Result<Vec<FileTag>> {
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await?;
        let tags = repo::file_tag::list(&mut tx, dataset).await?;
        Ok(tags.into_iter().map(|t| t.tag).collect())
    }

    /// The tags of a dataset, with how many of some files of a version have each. Errors: `WrongState` while the version
    /// is being indexed.
    pub async fn tags_here(&self, actor: &Actor, version: VersionId, of: TagScope) -> Result<TagsHere> {
        check_scope(&of)?;
        let (found, index, layer) = self.tagged(actor, version, Action::ViewDataset).await?;
        let tags = repo::file_tag::list(&mut self.0.db.read().await?, found.dataset_id).await?;
        let counted = tokio::task::spawn_blocking(move || -> Result<TagsHere> {
            let rows = rows_of(&index, &layer, &of)?;
            let tags = tags.into_iter().map(|t| TagHere {
                here: layer.get(&t.tag.name).map_or(0, |set| set.count_in(&rows)) as i64,
                id: t.tag.id,
                name: t.tag.name,
                files: t.tag.files,
            });
            Ok(TagsHere {
                files: rows.count() as i64,
                tags: tags.collect(),
            })
        });
        counted.await.map_err(anyhow::Error::from)?
    }

    /// Puts tags on files of a version and takes others off; the same paths of other versions have them too. Errors:
    /// `WrongState` while the version is being indexed, and where there would be too many tags.
    pub async fn change_tags(
        &self,
        actor: &Actor,
        version: VersionId,
        input: ChangeTags,
    ) -> Result<TagChange> {
        check_scope(&input.of)?;
        let mut checks = Checks::default();
        let add = checks.take("add", names(&input.add)).unwrap_or_default();
        let remove = checks.take("remove", names(&input.remove)).unwrap_or_default();
        let both = |name: &str| remove.iter().any(|r| name_key(r) == name_key(name));
        if add.len() + remove.len() > CHANGE_MAX {
            let why = format!("Change at most {CHANGE_MAX} tags at once.");
            checks.take::<()>("add", Err(why));
        } else if add.is_empty() && remove.is_empty() {
            checks.take::<()>(
                "add",
                Err("Name a tag to put on the files or to take off.".to_owned()),
            );
        } else if let Some(name) = add.iter().find(|n| both(n.as_str())) {
            let why = format!("“{name}” cannot be put on files and taken off at once.");
            checks.take::<()>("add", Err(why));
        }
        checks.finish()?;
        let (found, index, layer) = self.tagged(actor, version, Action::AddVersions).await?;
        let total = repo::file_tag::total(&mut self.0.db.read().await?, found.dataset_id).await?;
        let planned = tokio::task::spawn_blocking(move || -> Result<(usize, Vec<Step>)> {
            let rows = rows_of(&index, &layer, &input.of)?;
            plan(&index, &layer, &rows, (add.as_slice(), remove.as_slice()), total)
        });
        let (files, steps) = planned.await.map_err(anyhow::Error::from)??;
        let change = TagChangeId::new();
        if files > 0 {
            self.write(actor, &found, change, files, steps).await?;
        }
        self.changed(found.dataset_id, change, files as i64).await
    }

    /// Undoes a change of the last hour, as far as nobody has changed the same since; the same once more does it again.
    /// Answers the tags of the dataset.
    pub async fn undo_tags(
        &self,
        actor: &Actor,
        dataset: DatasetId,
        change: TagChangeId,
    ) -> Result<Vec<FileTag>> {
        let now = self.0.now();
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::AddVersions, dataset).await?;
        let name = crate::datasets::visible(&mut tx, actor, dataset).await?.name;
        let tags = repo::file_tag::changed(&mut tx, dataset, now.plus_seconds(-UNDO_LIFE)).await?;
        drop(tx);
        let mut turned = false;
        for tag in tags {
            let mut after = String::new();
            loop {
                let from = after.clone();
                let last = self.0.db.write::<_, Error, _>(move |tx| {
                    Box::pin(async move {
                        Ok(repo::file_tag::turn(tx, tag, change, &from, ROWS as i64, now).await?)
                    })
                });
                let Some(last) = last.await? else { break };
                (turned, after) = (true, last);
            }
        }
        if !turned {
            return Err(Error::new(
                Code::WrongState,
                "There is nothing left to undo: the tags were changed since, or more than an hour has passed.",
            ));
        }
        let actor = actor.clone();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let summary = format!("undid a change of tags in the dataset “{name}”");
                    audit::write(tx, &actor, None, "file_tag.undo", &summary, now).await?;
                    let tags = repo::file_tag::list(tx, dataset).await?;
                    Ok(tags.into_iter().map(|t| t.tag).collect())
                })
            })
            .await
    }

    /// Takes a tag off all paths of a dataset.
    pub async fn delete_tag(&self, actor: &Actor, dataset: DatasetId, tag: FileTagId) -> Result<TagChange> {
        let (change, now) = (TagChangeId::new(), self.0.now());
        let by = actor.clone();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &by, Action::AddVersions, dataset).await?;
                    let all = repo::file_tag::list(tx, dataset).await?;
                    let found = all.into_iter().find(|t| t.tag.id == tag);
                    let name = found.ok_or_else(|| Error::not_found("tag"))?.tag.name;
                    let of = crate::datasets::visible(tx, &by, dataset).await?.name;
                    let summary = format!("took the tag “{name}” off all files of the dataset “{of}”");
                    audit::write(tx, &by, None, "file_tag.delete", &summary, now).await
                })
            })
            .await?;
        let mut files = 0;
        loop {
            let keys = repo::file_tag::some_keys(&mut self.0.db.read().await?, tag, ROWS as i64).await?;
            if keys.is_empty() {
                break;
            }
            let taken = self.0.db.write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(repo::file_tag::set(tx, tag, change, &keys, false, now).await?) })
            });
            files += taken.await?.unwrap_or(0);
        }
        self.changed(dataset, change, files).await
    }

    /// A version with its index and the tags over it.
    pub(super) async fn tagged(
        &self,
        actor: &Actor,
        version: VersionId,
        action: Action,
    ) -> Result<(Version, Arc<Index>, Arc<Layer>)> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, action).await?;
        let Some(index) = self.0.indexes.get(version).await? else {
            drop(tx);
            let job = self.prepare(&found).await?;
            return Err(Error::new(
                Code::WrongState,
                format!(
                    "The version is being indexed; ask again when the job {} is done.",
                    job.id
                ),
            ));
        };
        let layer = self.0.layers.over(&mut tx, &found, &index).await?;
        Ok((found, index, layer))
    }

    async fn write(
        &self,
        actor: &Actor,
        version: &Version,
        change: TagChangeId,
        files: usize,
        steps: Vec<Step>,
    ) -> Result<()> {
        let (by, dataset, now) = (actor.clone(), version.dataset_id, self.0.now());
        let named: Vec<(String, bool)> = steps.iter().map(|s| (s.name.clone(), s.puts)).collect();
        let ids: Vec<FileTagId> = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &by, Action::AddVersions, dataset).await?;
                    let there = repo::file_tag::list(tx, dataset).await?;
                    let is_new = |name: &str| !there.iter().any(|t| name_key(&t.tag.name) == name_key(name));
                    let new = named.iter().filter(|(name, puts)| *puts && is_new(name)).count();
                    if there.len() + new > TAGS_MAX {
                        let n = there.len();
                        let why = format!(
                            "The dataset has {n} tags and {TAGS_MAX} are the most; take one off all its files first."
                        );
                        return Err(Error::new(Code::WrongState, why));
                    }
                    let mut ids = Vec::with_capacity(named.len());
                    for (name, _) in &named {
                        ids.push(repo::file_tag::make(tx, dataset, name, now).await?);
                    }
                    let of = crate::datasets::visible(tx, &by, dataset).await?.name;
                    let summary = in_words(&named, files, &of);
                    audit::write(tx, &by, None, "file_tag.change", &summary, now).await?;
                    Ok(ids)
                })
            })
            .await?;
        for (step, tag) in steps.into_iter().zip(ids) {
            for keys in step.keys.chunks(ROWS) {
                let (keys, puts) = (keys.to_vec(), step.puts);
                let written = self.0.db.write::<_, Error, _>(move |tx| {
                    Box::pin(async move { Ok(repo::file_tag::set(tx, tag, change, &keys, puts, now).await?) })
                });
                if written.await?.is_none() {
                    return Err(Error::not_found("dataset"));
                }
            }
        }
        Ok(())
    }

    async fn changed(&self, dataset: DatasetId, id: TagChangeId, files: i64) -> Result<TagChange> {
        let tags = repo::file_tag::list(&mut self.0.db.read().await?, dataset).await?;
        Ok(TagChange {
            id,
            files,
            tags: tags.into_iter().map(|t| t.tag).collect(),
        })
    }
}

fn check_scope(of: &TagScope) -> Result<()> {
    if of.paths.len() > FILES_MAX {
        return Err(Error::field(
            "paths",
            format!("Name at most {FILES_MAX} files, or filter for them."),
        ));
    }
    check(&ExploreQuery {
        filter: of.filter.clone(),
        ..ExploreQuery::default()
    })
}

/// Names, tidied, none twice.
fn names(list: &[String]) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    for text in list.iter().take(CHANGE_MAX + 1) {
        let name = check_name(text)?;
        if !out.iter().any(|n| name_key(n) == name_key(&name)) {
            out.push(name);
        }
    }
    Ok(out)
}

/// Blocking. Errors name a path that is not there, or a facet or column.
fn rows_of(index: &Index, layer: &Layer, of: &TagScope) -> Result<Bits> {
    if of.paths.is_empty() {
        let passing = index.passing(std::slice::from_ref(layer), &of.filter);
        return passing.map_err(|e| Error::field("filter", e));
    }
    let mut rows = Bits::none(index.rows());
    for path in &of.paths {
        let row = index.row(&limn_versions::key(path)).ok_or_else(|| {
            Error::field(
                "paths",
                format!("The version has no file `{path}`; take it out of the list."),
            )
        })?;
        rows.insert(row);
    }
    Ok(rows)
}

/// What has to be written, and how many files that changes. Blocking.
fn plan(
    index: &Index,
    layer: &Layer,
    rows: &Bits,
    (add, remove): (&[String], &[String]),
    total: i64,
) -> Result<(usize, Vec<Step>)> {
    let n = index.rows();
    let (mut changed, mut parts, mut more) = (Bits::none(n), Vec::new(), 0_i64);
    for (name, puts) in add
        .iter()
        .map(|a| (a, true))
        .chain(remove.iter().map(|r| (r, false)))
    {
        let mut part = rows.clone();
        let has = layer
            .get(name)
            .map_or_else(|| Bits::none(n), |set| set.to_bits(n));
        if puts {
            part.minus(&has);
            more += part.count() as i64;
        } else {
            part.and(&has);
            more -= part.count() as i64;
        }
        changed.or(&part);
        parts.push((name, puts, part));
    }
    let files = changed.count();
    if files > FILES_MAX {
        let why = format!(
            "That would change {files} files at once, and {FILES_MAX} are the most; filter for fewer."
        );
        return Err(Error::new(Code::WrongState, why));
    }
    if more > 0 && total + more > PUT_MAX {
        let why = format!(
            "The files of the dataset would have {} tags together, and {PUT_MAX} are the most; take some off first.",
            total + more
        );
        return Err(Error::new(Code::WrongState, why));
    }
    let mut on = vec![0_i32; n];
    for (_, set) in layer.values() {
        let mut bits = set.to_bits(n);
        bits.and(&changed);
        for row in bits.iter() {
            on[row] += 1;
        }
    }
    for (_, puts, part) in &parts {
        for row in part.iter() {
            on[row] += if *puts { 1 } else { -1 };
        }
    }
    if let Some(row) = on.iter().position(|n| *n > ON_FILE_MAX as i32) {
        let (key, n) = (index.key(row), on[row]);
        let why = format!(
            "`{key}` would have {n} tags, and a file has at most {ON_FILE_MAX}; take some off first."
        );
        return Err(Error::new(Code::WrongState, why));
    }
    let steps = parts.into_iter().map(|(name, puts, part)| Step {
        name: name.clone(),
        puts,
        keys: part.iter().map(|row| index.key(row).to_owned()).collect(),
    });
    Ok((files, steps.filter(|s| !s.keys.is_empty()).collect()))
}

fn in_words(named: &[(String, bool)], files: usize, dataset: &str) -> String {
    let of = |puts: bool| {
        let names: Vec<String> = named
            .iter()
            .filter(|(_, p)| *p == puts)
            .map(|(n, _)| format!("“{n}”"))
            .collect();
        names.join(", ")
    };
    let mut parts = Vec::new();
    for (puts, verb) in [(true, "put"), (false, "took off")] {
        let names = of(puts);
        if !names.is_empty() {
            parts.push(format!("{verb} {names}"));
        }
    }
    let noun = if files == 1 { "file" } else { "files" };
    format!(
        "changed the tags of {files} {noun} of the dataset “{dataset}”: {}",
        parts.join("; ")
    )
}
