//! A version of files of a datastore, copied as they are now or left where they lie, or of what a query answers.

mod read;

use super::Work;
use super::derive::Base;
use super::query::{self, Snapshot};
use super::uploads::{Left, Piece, empty};
use crate::datastores::connect::live;
use crate::jobs::source::{Matching, Refusals};
use crate::versions::draft::Made;
use crate::versions::nodes;
use limn_connect::Entry as Stored;
use limn_domain::DatastoreId;
use limn_domain::dataset::{DatasetKind, LineageNode, UploadMode};
use limn_domain::datastore::DatastoreKind;
use limn_jobs::Permanent;
use limn_storage::StorageError;
use limn_store::repo;
use limn_store::repo::version::Which;
use limn_versions::{Entry, Hash};
use read::Took;
use std::collections::BTreeMap;

/// Files whose state is written down together: so few that a stop costs little of what a store has sent.
const TOGETHER: usize = 48;
/// The same of a folder of this machine, where small files take longer to be written down than to be read.
const TOGETHER_HERE: usize = 256;
/// So many bytes are enough for [`TOGETHER`].
const BYTES: u64 = 32 << 20;
/// What a name of a snapshot is when none is given.
const QUERY: &str = "query";

/// Where files come from, and whether they stay there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub store: DatastoreId,
    pub in_place: bool,
}

impl Work<'_> {
    /// Takes what a pattern names. A file that may not be read, or does not hold still while it is read, is left out and said; trouble of
    /// the store, or credentials that open nothing, end the job, which goes on there later.
    pub(super) async fn of_datastore(
        &mut self,
        from: Place,
        glob: &str,
        mode: UploadMode,
    ) -> anyhow::Result<Made> {
        let id = from.store;
        let glob = limn_domain::datastore::check_glob(glob).map_err(Permanent)?;
        let (base, _) = self.prepare(&[], mode).await?;
        let newest = self.newest(base.as_ref()).await?;
        let mut live = live(self.ctx, id).await?;
        let most = if live.kind == DatastoreKind::Folder {
            TOGETHER_HERE
        } else {
            TOGETHER
        };
        let walked = crate::datastores::connect::live(self.ctx, id).await?;
        let mut walk = Matching::new(&walked, &glob)?;
        let (mut files, mut left) = (BTreeMap::<String, Entry>::new(), Left::default());
        let (mut done, mut known) = (0_i64, 0_i64);
        let mut refusals = Refusals::default();
        while let Some(page) = walk.next().await? {
            self.progress.check()?;
            for part in parts(&page, most) {
                let message = format!("Reading files of {}", live.name);
                self.progress.report(done, 0, message).await?;
                for took in self
                    .read(from, newest.as_ref(), &mut live, &mut refusals, part)
                    .await?
                {
                    done += 1;
                    let kept = match took {
                        Took::Kept(kept) => kept,
                        Took::Out(out) => {
                            left.add(out);
                            continue;
                        }
                        Took::Lost(e) => {
                            left.unreadable.push(e.to_string());
                            continue;
                        }
                    };
                    known += i64::from(kept.is_known);
                    let entry = kept.entry;
                    let key = entry.key();
                    if let Some(other) = files.get(&key).filter(|o| o.path != entry.path) {
                        left.case.push(format!("{} ({})", entry.path, other.path));
                    } else {
                        files.insert(key, entry);
                    }
                }
            }
        }
        if done == 0 {
            return Err(Permanent(walk.nothing()).into());
        }
        refusals.settle(self.progress, &live).await?;
        if known > 0 {
            let line = format!(
                "{known} of {done} files are as they were when they were read, and were not read again."
            );
            self.progress.log(line).await?;
        }
        if files.is_empty() && base.is_none() {
            return Err(Permanent(empty(self.dataset.kind, &left, &format!("what `{glob}` names"))).into());
        }
        let origin = LineageNode::Datastore {
            datastore_id: id,
            name: format!("{}: {glob}", live.name),
        };
        self.used = Some((id, glob));
        let verb = if from.in_place {
            "left where they lie"
        } else {
            "copied"
        };
        self.assemble(base, files, left, origin, verb, mode).await
    }

    /// The tree of the newest version, which may be what the new one is added to.
    async fn newest(&self, base: Option<&Base>) -> anyhow::Result<Option<Hash>> {
        if let Some(base) = base {
            return Ok(Some(base.root.files));
        }
        let mut tx = self.ctx.db.read().await?;
        let versions = repo::version::list(&mut tx, self.dataset.id, Which::Latest).await?;
        match versions.last() {
            Some(version) => {
                let (root, _) = nodes::open(&mut tx, &Hash::from(&version.digest)).await?;
                Ok(Some(root.files))
            }
            None => Ok(None),
        }
    }

    /// Keeps what a query answers as one Parquet file.
    pub(super) async fn of_query(
        &mut self,
        id: DatastoreId,
        sql: &str,
        name: &str,
        mode: UploadMode,
    ) -> anyhow::Result<Made> {
        if !matches!(self.dataset.kind, DatasetKind::Tabular | DatasetKind::Files) {
            return Err(Permanent(
                "What a query answers is a table; make a dataset of the kind “tabular”.".to_owned(),
            )
            .into());
        }
        let name = if name.trim().is_empty() {
            QUERY
        } else {
            name.trim()
        };
        let (base, _) = self.prepare(&[], mode).await?;
        let live = live(self.ctx, id).await?;
        let Snapshot { staged, rows, notes } = query::snapshot(self.ctx, self.progress, &live, sql).await?;
        let piece = Piece {
            path: format!("{name}.parquet"),
            staged: Ok(staged),
        };
        let mut left = Left::default();
        let Some(entry) = self.take(piece, &mut left).await? else {
            return Err(Permanent(empty(self.dataset.kind, &left, "the answer")).into());
        };
        self.note_blobs(vec![(
            entry.blob.into(),
            i64::try_from(entry.size)?,
            entry.media_type.clone(),
        )])
        .await?;
        let mut files = BTreeMap::new();
        files.insert(entry.key(), entry);
        let from = LineageNode::Datastore {
            datastore_id: id,
            name: format!("{}: a query", live.name),
        };
        self.used = Some((id, sql.chars().take(500).collect()));
        let mut made = self.assemble(base, files, left, from, "snapshot", mode).await?;
        made.how = format!("A snapshot of {rows} rows");
        made.notes.extend(notes);
        Ok(made)
    }
}

/// Cuts a page into the files that are read and written down together.
fn parts(page: &[Stored], most: usize) -> Vec<&[Stored]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0_u64);
    for (n, file) in page.iter().enumerate() {
        bytes = bytes.saturating_add(file.size.unwrap_or(BYTES));
        let files = n + 1 - start;
        if files >= most || (files >= TOGETHER && bytes >= BYTES) {
            parts.push(&page[start..=n]);
            (start, bytes) = (n + 1, 0);
        }
    }
    if start < page.len() {
        parts.push(&page[start..]);
    }
    parts
}

/// A snapshot's storage errors.
pub(super) fn storage(e: StorageError) -> anyhow::Error {
    if e.is_too_large() {
        Permanent("What the query answers is larger than the largest upload; ask for less.".to_owned()).into()
    } else {
        e.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(files: usize, size: Option<u64>) -> Vec<Stored> {
        let file = |n: usize| Stored {
            is_folder: false,
            size,
            ..Stored::folder(format!("{n}"))
        };
        (0..files).map(file).collect()
    }

    fn cut(files: usize, size: Option<u64>, most: usize) -> Vec<usize> {
        let page = page(files, size);
        let parts = parts(&page, most);
        assert_eq!(parts.concat(), page, "each file once, in order");
        parts.iter().map(|p| p.len()).collect()
    }

    #[test]
    fn small_files_are_taken_many_at_a_time_and_large_ones_few() {
        assert_eq!(cut(0, Some(1), 256), [0_usize; 0]);
        assert_eq!(cut(1, Some(1), 256), [1]);
        assert_eq!(cut(256, Some(1), 256), [256]);
        assert_eq!(cut(600, Some(1), 256), [256, 256, 88]);
        assert_eq!(cut(100, Some(1), TOGETHER), [48, 48, 4]);
        // Of files that are large, or of any size, no more than ever.
        assert_eq!(cut(100, Some(BYTES), 256), [48, 48, 4]);
        assert_eq!(cut(100, None, 256), [48, 48, 4]);
        assert_eq!(cut(200, Some(BYTES / 64), 256), [64, 64, 64, 8]);
    }
}
