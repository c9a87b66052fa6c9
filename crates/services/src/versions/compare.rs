//! What differs between two versions.

use super::files::show;
use super::nodes::{self, DbNodes};
use super::{Versions, visible};
use crate::{Actor, Result, cursor};
use limn_domain::dataset::{DiffKind, DiffQuery, DiffRow, DiffSummary, EntryChange};
use limn_domain::{Action, Page, VersionId};
use limn_versions::object::Category;
use limn_versions::{Change, Diff, Entry, From, Hash};
use std::collections::BTreeMap;

const LIMIT_DEFAULT: i64 = 60;
const LIMIT_MAX: i64 = 1_000;
/// Differences looked at for one page of a list that filters.
const LOOKED_MAX: usize = 50_000;
const CURSOR: &str = "diff";

impl Versions {
    /// Counts of what differs from `old` to `new`.
    pub async fn diff(&self, actor: &Actor, old: VersionId, new: VersionId) -> Result<DiffSummary> {
        let mut tx = self.0.db.read().await?;
        let old = visible(&mut tx, actor, old, Action::ViewDataset).await?;
        let new = visible(&mut tx, actor, new, Action::ViewDataset).await?;
        let (root_old, schema_old) = nodes::open(&mut tx, &Hash::from(&old.digest)).await?;
        let (root_new, schema_new) = nodes::open(&mut tx, &Hash::from(&new.digest)).await?;
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        let mut touched = 0;
        let mut db = DbNodes::new(&mut tx);
        let mut diff = Diff::open(&mut db, &root_old.files, &root_new.files, From::Start).await?;
        while let Some(change) = diff.next(&mut db).await? {
            touched += i64::from(!matches!(change, Change::Added(_)));
            for kind in kinds(&change) {
                *counts.entry(kind.as_str()).or_default() += 1;
            }
        }
        let by_path = |list: &[Category]| -> BTreeMap<String, Category> {
            list.iter().map(|c| (c.path.clone(), c.clone())).collect()
        };
        let (a, b) = (by_path(&schema_old.categories), by_path(&schema_new.categories));
        let count = |kind: DiffKind| counts.get(kind.as_str()).copied().unwrap_or(0);
        Ok(DiffSummary {
            added: count(DiffKind::Added),
            removed: count(DiffKind::Removed),
            content: count(DiffKind::Content),
            labels: count(DiffKind::Labels),
            split: count(DiffKind::Split),
            other: count(DiffKind::Other),
            unchanged: old.files - touched,
            categories_added: b.keys().filter(|p| !a.contains_key(*p)).cloned().collect(),
            categories_removed: a.keys().filter(|p| !b.contains_key(*p)).cloned().collect(),
            categories_changed: a
                .iter()
                .filter(|(p, c)| b.get(*p).is_some_and(|d| d != *c))
                .map(|(p, _)| p.clone())
                .collect(),
            old,
            new,
        })
    }

    /// The files that differ, in the order of their paths.
    pub async fn diff_files(
        &self,
        actor: &Actor,
        old: VersionId,
        new: VersionId,
        query: DiffQuery,
    ) -> Result<Page<DiffRow>> {
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX) as usize;
        let after = query
            .cursor
            .as_deref()
            .map(|c| cursor::decode(CURSOR, c))
            .transpose()?;
        let mut tx = self.0.db.read().await?;
        let old = visible(&mut tx, actor, old, Action::ViewDataset).await?;
        let new = visible(&mut tx, actor, new, Action::ViewDataset).await?;
        let (root_old, _) = nodes::open(&mut tx, &Hash::from(&old.digest)).await?;
        let (root_new, _) = nodes::open(&mut tx, &Hash::from(&new.digest)).await?;
        let from = after.as_deref().map_or(From::Start, From::After);
        let mut db = DbNodes::new(&mut tx);
        let mut diff = Diff::open(&mut db, &root_old.files, &root_new.files, from).await?;
        let (mut found, mut looked, mut last, mut next) = (Vec::new(), 0, None::<String>, None);
        while let Some(change) = diff.next(&mut db).await? {
            if found.len() == limit || looked == LOOKED_MAX {
                next = last.map(|key| cursor::encode(CURSOR, &key));
                break;
            }
            looked += 1;
            last = Some(change.entry().key());
            let kinds = kinds(&change);
            if query.kind.is_none_or(|k| kinds.contains(&k)) {
                found.push((change, kinds));
            }
        }
        let mut rows = Vec::with_capacity(found.len());
        for (change, kinds) in found {
            let path = change.entry().path.clone();
            let (old, new) = match change {
                Change::Added(e) => (None, Some(e)),
                Change::Removed(e) => (Some(e), None),
                Change::Changed { old, new } => (Some(old), Some(new)),
            };
            let mut shown = show(&mut tx, old.iter().chain(&new).cloned().collect(), false).await?;
            let new = new.and_then(|_| shown.pop());
            rows.push(DiffRow {
                path,
                kinds,
                change: EntryChange {
                    old: shown.pop(),
                    new,
                },
            });
        }
        Ok(Page {
            rows,
            next,
            total: None,
        })
    }
}

fn kinds(change: &Change) -> Vec<DiffKind> {
    match change {
        Change::Added(_) => vec![DiffKind::Added],
        Change::Removed(_) => vec![DiffKind::Removed],
        Change::Changed { old, new } => {
            let mut kinds = Vec::new();
            if old.blob != new.blob {
                kinds.push(DiffKind::Content);
            }
            if (old.labels, &old.categories) != (new.labels, &new.categories) {
                kinds.push(DiffKind::Labels);
            }
            if old.split != new.split {
                kinds.push(DiffKind::Split);
            }
            let rest = Entry {
                blob: new.blob,
                size: new.size,
                labels: new.labels,
                categories: new.categories.clone(),
                split: new.split,
                ..old.clone()
            };
            if kinds.is_empty() || (old.blob == new.blob && rest != *new) {
                kinds.push(DiffKind::Other);
            }
            kinds
        }
    }
}
