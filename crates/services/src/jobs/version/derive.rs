//! A version of some of the files of another one.

use super::Work;
use crate::Context;
use crate::versions::draft::Made;
use crate::versions::files::Sieve;
use crate::versions::labels::Tally;
use crate::versions::nodes::{self, DbNodes};
use limn_domain::VersionId;
use limn_domain::dataset::{EntryFilter, LineageNode, Split, Version};
use limn_domain::explore::ExploreFilter;
use limn_explore::Bits;
use limn_jobs::Permanent;
use limn_store::{Tx, repo};
use limn_versions::object::{Root, Schema};
use limn_versions::{Builder, Entry, From, Hash, Reader};
use std::collections::HashSet;

/// Nodes gathered before they are written.
pub(super) const NODES: usize = 200;
/// Files between two reports.
pub(super) const REPORT: i64 = 2_000;

/// A version to go on from.
pub(super) struct Base {
    pub version: Version,
    pub root: Root,
    pub schema: Schema,
    pub node: LineageNode,
}

impl Base {
    pub async fn open(tx: &mut Tx, id: VersionId) -> anyhow::Result<Self> {
        let gone = || Permanent("The version was deleted.".to_owned());
        let version = repo::version::get(tx, id).await?.ok_or_else(gone)?;
        let dataset = repo::dataset::get(tx, version.dataset_id, None)
            .await?
            .ok_or_else(gone)?;
        let (root, schema) = nodes::open(tx, &Hash::from(&version.digest)).await?;
        Ok(Self {
            node: LineageNode::Version {
                dataset_id: Some(dataset.id),
                version_id: Some(id),
                name: format!("{} v{}", dataset.name, version.number),
            },
            version,
            root,
            schema,
        })
    }
}

impl Work<'_> {
    /// `how`: the choice in words, for the lineage.
    pub(super) async fn of_version(
        &mut self,
        id: VersionId,
        chosen: &Chosen,
        how: String,
    ) -> anyhow::Result<Made> {
        let mut tx = self.ctx.db.read().await?;
        let base = Base::open(&mut tx, id).await?;
        if base.root.kind != self.dataset.kind {
            return Err(Permanent(format!(
                "The version holds {}, and this dataset {}.",
                base.root.kind.label().to_lowercase(),
                self.dataset.kind.label().to_lowercase()
            ))
            .into());
        }
        let mut db = DbNodes::new(&mut tx);
        let mut reader = Reader::open(&mut db, &base.root.files, From::Start)
            .await?
            .only(chosen.split())
            .to_the_end();
        let (mut builder, mut tally, mut seen) = (Builder::default(), Tally::default(), 0_i64);
        while let Some(entry) = reader.next(&mut db).await? {
            seen += 1;
            if seen % REPORT == 0 {
                self.progress
                    .report(seen, base.version.files, "Choosing files")
                    .await?;
            }
            if !chosen.lets(&entry, seen as usize - 1) {
                continue;
            }
            tally.add(&entry);
            builder.push(entry)?;
            if builder.waiting() >= NODES {
                self.draft.nodes(builder.take()).await?;
            }
        }
        let built = builder.finish();
        if built.root.files() == 0 {
            return Err(Permanent(
                "No file of the version passes the filter; nothing was registered.".to_owned(),
            )
            .into());
        }
        self.draft.nodes(built.nodes).await?;
        Ok(Made {
            dataset: self.dataset.id,
            kind: self.dataset.kind,
            files: built.root,
            schema: Some(base.schema),
            tally,
            note: self.payload.input.note.clone(),
            by: self.payload.user,
            by_name: self.payload.user_name.clone(),
            from: vec![base.node],
            how,
            notes: Vec::new(),
        })
    }
}

/// Which files of the version.
pub(super) enum Chosen {
    Sieve(Sieve),
    /// By their place in the order of paths.
    Rows(Bits),
    /// By their keys.
    Keys(HashSet<String>),
}

impl Chosen {
    /// A selection, and the choice in words.
    pub async fn selected(
        ctx: &Context,
        id: VersionId,
        filter: &ExploreFilter,
        paths: &[String],
    ) -> anyhow::Result<(Self, String)> {
        if !paths.is_empty() {
            let keys: HashSet<String> = paths.iter().map(|p| limn_versions::key(p)).collect();
            let how = format!("{} selected files", keys.len());
            return Ok((Self::Keys(keys), how));
        }
        let version = repo::version::get(&mut ctx.db.read().await?, id)
            .await?
            .ok_or_else(|| Permanent("The version was deleted.".to_owned()))?;
        let rows = crate::explore::passing(ctx, &version, filter).await?;
        Ok((Self::Rows(rows), in_words(filter)))
    }

    fn split(&self) -> Option<Split> {
        match self {
            Self::Sieve(s) => s.split,
            Self::Rows(_) | Self::Keys(_) => None,
        }
    }

    fn lets(&self, entry: &Entry, place: usize) -> bool {
        match self {
            Self::Sieve(s) => s.lets(entry),
            Self::Rows(rows) => rows.contains(place),
            Self::Keys(keys) => keys.contains(&entry.key()),
        }
    }
}

/// A filter of the explorer in words.
pub(super) fn in_words(filter: &ExploreFilter) -> String {
    let mut parts: Vec<String> = filter
        .facets
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {}", values.join(" or ")))
        .collect();
    for (name, b) in &filter.ranges {
        match (b.min, b.max) {
            (Some(min), Some(max)) => parts.push(format!("{name} {min} to {max}")),
            (Some(min), None) => parts.push(format!("{name} from {min}")),
            (None, Some(max)) => parts.push(format!("{name} to {max}")),
            (None, None) => {}
        }
    }
    if !filter.text.trim().is_empty() {
        parts.push(format!("paths with “{}”", filter.text.trim()));
    }
    match parts.join(", ") {
        all if all.is_empty() => "all files".to_owned(),
        all => all.chars().take(400).collect(),
    }
}

/// A filter in words.
pub(super) fn how(filter: &EntryFilter) -> String {
    let mut parts = Vec::new();
    if let Some(split) = filter.split {
        parts.push(format!("split {}", split.as_str()));
    }
    if !filter.categories.is_empty() {
        parts.push(format!("with {}", filter.categories.join(", ")));
    }
    if let Some(glob) = &filter.glob {
        parts.push(format!("paths {glob}"));
    }
    if parts.is_empty() {
        return "All its files".to_owned();
    }
    let text = format!("Its files: {}", parts.join("; "));
    text.chars().take(300).collect()
}
