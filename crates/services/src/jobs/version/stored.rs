//! A version of files of a datastore, copied as they are now, or of what a query answers.

use super::Work;
use super::query::{self, Snapshot};
use super::uploads::{Left, Piece, ROWS, empty};
use crate::datastores::connect::{Live, live};
use crate::jobs::source::{Failed, Matching, fetch_file};
use crate::versions::draft::Made;
use futures::{FutureExt as _, StreamExt as _};
use limn_connect::{ConnectError, Entry as Stored};
use limn_domain::DatastoreId;
use limn_domain::Digest;
use limn_domain::dataset::{DatasetKind, LineageNode, UploadMode};
use limn_jobs::Permanent;
use limn_storage::StorageError;
use limn_versions::Entry;
use std::collections::BTreeMap;

/// Files copied at once.
const AT_ONCE: usize = 6;
/// What a name of a snapshot is when none is given.
const QUERY: &str = "query";

impl Work<'_> {
    /// Copies what a pattern names. A file that cannot be had is left out and said; trouble of the store ends the job.
    pub(super) async fn of_datastore(
        &mut self,
        id: DatastoreId,
        glob: &str,
        mode: UploadMode,
    ) -> anyhow::Result<Made> {
        let glob = limn_domain::datastore::check_glob(glob).map_err(Permanent)?;
        let (base, _) = self.prepare(&[], mode).await?;
        let mut live = live(self.ctx, id).await?;
        let walked = crate::datastores::connect::live(self.ctx, id).await?;
        let mut walk = Matching::new(&walked, &glob)?;
        let (mut files, mut left) = (BTreeMap::<String, Entry>::new(), Left::default());
        let mut rows: Vec<(Digest, i64, String)> = Vec::new();
        let mut done = 0;
        while let Some(page) = walk.next().await? {
            for part in page.chunks(AT_ONCE * 4) {
                for piece in self.copy(id, &mut live, part).await? {
                    done += 1;
                    self.progress
                        .report(done, 0, format!("Copying files from {}", live.name))
                        .await?;
                    let piece = match piece {
                        Ok(piece) => piece,
                        Err(e) => {
                            left.unreadable.push(e.to_string());
                            continue;
                        }
                    };
                    let Some(entry) = self.take(piece, &mut left).await? else {
                        continue;
                    };
                    rows.push((
                        entry.blob.into(),
                        i64::try_from(entry.size)?,
                        entry.media_type.clone(),
                    ));
                    if rows.len() >= ROWS {
                        self.note_blobs(std::mem::take(&mut rows)).await?;
                    }
                    let key = entry.key();
                    if let Some(other) = files.get(&key).filter(|o| o.path != entry.path) {
                        left.case.push(format!("{} ({})", entry.path, other.path));
                    } else {
                        files.insert(key, entry);
                    }
                }
            }
        }
        self.note_blobs(rows).await?;
        if done == 0 {
            return Err(Permanent(walk.nothing()).into());
        }
        if files.is_empty() && base.is_none() {
            return Err(Permanent(empty(self.dataset.kind, &left, &format!("what `{glob}` names"))).into());
        }
        let from = LineageNode::Datastore {
            datastore_id: id,
            name: format!("{}: {glob}", live.name),
        };
        self.used = Some((id, glob));
        self.assemble(base, files, left, from, "copied", mode).await
    }

    /// Fetches some files at once; with new credentials where they were rotated meanwhile.
    async fn copy(
        &self,
        id: DatastoreId,
        live: &mut Live,
        part: &[Stored],
    ) -> anyhow::Result<Vec<Result<Piece, ConnectError>>> {
        for round in 0..2 {
            let (ctx, own, limit) = (self.ctx, &*live, self.ctx.limits.upload_bytes);
            // By number: the compiler does not see that futures over borrowed entries may be sent.
            let fetched: Vec<_> = futures::stream::iter(0..part.len())
                .map(move |n| fetch_file(ctx, own, &part[n], limit).boxed())
                .buffered(AT_ONCE)
                .collect()
                .await;
            let mut out = Vec::with_capacity(part.len());
            let mut denied = None;
            for (entry, fetched) in part.iter().zip(fetched) {
                let path = entry.path.clone();
                match fetched {
                    Ok(staged) => out.push(Ok(Piece {
                        path,
                        staged: Ok(staged),
                    })),
                    Err(Failed::Storage(e)) if e.is_too_large() => {
                        out.push(Ok(Piece { path, staged: Err(e) }));
                    }
                    Err(Failed::Storage(e)) => return Err(e.into()),
                    Err(Failed::Store(e)) if e.is_of_file() => out.push(Err(e)),
                    Err(Failed::Store(e @ ConnectError::Denied(_))) => denied = Some((path, e)),
                    Err(Failed::Store(e)) => return Err(stopped(&path, &live.name, e)),
                }
            }
            let Some((path, e)) = denied else { return Ok(out) };
            let now = crate::datastores::connect::live(self.ctx, id).await?;
            if round > 0 || now.sealed == live.sealed {
                return Err(stopped(&path, &live.name, e));
            }
            self.progress
                .log("The credentials were rotated; going on with the new ones.")
                .await?;
            *live = now;
        }
        Ok(Vec::new())
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

/// Trouble of a store with the place; passing trouble is tried again.
fn stopped(path: &str, store: &str, e: ConnectError) -> anyhow::Error {
    crate::jobs::source::stopped(path, store, e)
}

/// A snapshot's storage errors.
pub(super) fn storage(e: StorageError) -> anyhow::Error {
    if e.is_too_large() {
        Permanent("What the query answers is larger than the largest upload; ask for less.".to_owned()).into()
    } else {
        e.into()
    }
}
