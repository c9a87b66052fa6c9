//! The zip of a version's files. Names and sizes say where everything lies in it; of files before the part that is wanted the
//! CRC-32 is enough, which is noted with the blob by whoever writes an archive first.

use super::{BATCH, Out, feed, told};
use crate::elsewhere::{self, Local, Remote};
use crate::versions::nodes::DbNodes;
use crate::versions::stored_zip::{Layout, Member, Writer};
use crate::{Context, Error, Result};
use futures::StreamExt as _;
use limn_domain::dataset::{Checksum, Download, Split};
use limn_domain::{Digest, VersionId};
use limn_store::{Tx, repo};
use limn_versions::{Entry, From, Hash, Reader};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;
use tokio::sync::mpsc;

/// Files that are known some steps before they are written.
const LISTED: usize = 50;
/// Files made ready at once for an archive.
const FETCHED: usize = 4;

/// Bytes of the archive of a tree, or of a split of it: names and sizes say that.
pub(in crate::versions) async fn archive_len(tx: &mut Tx, root: Hash, split: Option<Split>) -> Result<u64> {
    let mut nodes = DbNodes::new(tx);
    let mut reader = Reader::open(&mut nodes, &root, From::Start)
        .await?
        .only(split)
        .to_the_end();
    let mut layout = Layout::default();
    while let Some(entry) = reader.next(&mut nodes).await? {
        layout.add(Member::new(&entry.path, entry.size));
    }
    Ok(layout.total())
}

/// A file on its way into the archive.
enum Inside {
    Here(Local),
    /// Too large to be fetched first.
    There(Remote),
    /// It lies before the part that is wanted, so that its CRC-32 is enough.
    Before(u32),
}

impl Inside {
    /// `to_its_end` when all of its bytes go out, or none behind its end do: others are verified before the first one does.
    async fn of(ctx: &Context, entry: &Entry, to_its_end: bool) -> Result<Self> {
        let digest: Digest = entry.blob.into();
        if to_its_end
            && elsewhere::is_large(entry.size)
            && !ctx.blobs.exists(&digest).await.map_err(anyhow::Error::from)?
            && let Some(remote) = ctx.remote(&digest).await?
            && remote.is_large()
        {
            return Ok(Self::There(remote));
        }
        match ctx.content(&digest).await {
            Ok(local) => Ok(Self::Here(local)),
            Err(e) => Err(elsewhere::refusal(&e).unwrap_or_else(|| {
                let context = format!("the stored file of `{}`", entry.path);
                Error::Internal(anyhow::Error::new(e).context(context))
            })),
        }
    }

    /// Blocking.
    fn write(self, to: &mut impl std::io::Write) -> std::io::Result<()> {
        match self {
            Self::Before(_) => Ok(()),
            Self::Here(local) => std::io::copy(&mut local.source().reader()?, to).map(drop),
            Self::There(remote) => {
                let whole = remote.pieces(0..remote.size());
                let mut pieces = tokio::runtime::Handle::current()
                    .block_on(whole)
                    .map_err(std::io::Error::other)?;
                while let Some(piece) = pieces.blocking_recv() {
                    to.write_all(&piece?)?;
                }
                Ok(())
            }
        }
    }
}

/// A file of the archive, and its CRC-32 where that is known.
type Known = (Entry, Option<u32>);
type Ready = (Entry, Option<u32>, Inside);

/// Looks up what is known of the files.
fn known(ctx: &Context, mut entries: mpsc::Receiver<Entry>) -> mpsc::Receiver<std::io::Result<Known>> {
    let (send, receive) = mpsc::channel(LISTED);
    let ctx = ctx.clone();
    tokio::spawn(async move {
        let mut batch: Vec<Entry> = Vec::with_capacity(LISTED);
        while entries.recv_many(&mut batch, LISTED).await > 0 {
            let crcs = match crcs(&ctx, &batch).await {
                Ok(crcs) => crcs,
                Err(e) => {
                    drop(send.send(Err(std::io::Error::other(e))).await);
                    return;
                }
            };
            for entry in batch.drain(..) {
                let crc = crcs.get(&Digest::from(entry.blob)).copied();
                if send.send(Ok((entry, crc))).await.is_err() {
                    return;
                }
            }
        }
    });
    receive
}

async fn crcs(ctx: &Context, entries: &[Entry]) -> Result<HashMap<Digest, u32>> {
    let digests: Vec<Digest> = entries.iter().map(|e| e.blob.into()).collect();
    let known = repo::blob::crcs(&mut ctx.db.read().await?, &digests).await?;
    Ok(known.into_iter().collect())
}

/// Gets the files ready, a few ahead of whoever writes them. Those before what is `wanted` are not read where that can be
/// helped.
fn ready(
    ctx: &Context,
    mut known: mpsc::Receiver<std::io::Result<Known>>,
    wanted: Range<u64>,
) -> mpsc::Receiver<std::io::Result<Ready>> {
    let (send, receive) = mpsc::channel(1);
    let ctx = ctx.clone();
    tokio::spawn(async move {
        let known = futures::stream::poll_fn(move |cx| known.poll_recv(cx));
        let mut layout = Layout::default();
        let mut found = std::pin::pin!(
            known
                .map(|known| {
                    let placed = known.map(|(entry, crc)| {
                        let place = layout.add(Member::new(&entry.path, entry.size));
                        (entry, crc, place)
                    });
                    let (ctx, wanted) = (ctx.clone(), wanted.clone());
                    async move {
                        let (entry, crc, place) = placed?;
                        let inside = match crc {
                            Some(crc) if place.end <= wanted.start => Inside::Before(crc),
                            _ => Inside::of(&ctx, &entry, place.bytes.end <= wanted.end)
                                .await
                                .map_err(std::io::Error::other)?,
                        };
                        Ok::<Ready, std::io::Error>((entry, crc, inside))
                    }
                })
                .buffered(FETCHED)
        );
        while let Some(found) = found.next().await {
            if send.send(found).await.is_err() {
                break;
            }
        }
    });
    receive
}

/// Writes an archive. One that is written whole leaves its sum with the version that is named, when it has the size that is.
pub(super) fn archive(
    ctx: &Context,
    root: Hash,
    split: Option<Split>,
    unsummed: Option<(VersionId, u64)>,
    mut out: Out,
) {
    let (files, entries) = mpsc::channel::<Entry>(LISTED);
    feed(ctx, root, split, files, out.send.clone());
    let wanted = out.skip..out.skip.saturating_add(out.left);
    let mut found = ready(ctx, known(ctx, entries), wanted);
    if unsummed.is_some() {
        out.sum = Some(Sha256::new());
    }
    let ctx = ctx.clone();
    tokio::task::spawn_blocking(move || {
        let send = out.send.clone();
        let mut learnt = Vec::new();
        let written = write(&ctx, &mut found, &mut out, &mut learnt);
        // Also of an archive that broke off: it goes on from there without what came before.
        note(&ctx, &mut learnt);
        if written.is_ok()
            && let (Some((version, len)), Some(sum)) = (unsummed, out.sum.take())
            && out.sent == len
        {
            let sum = Checksum {
                bytes: i64::try_from(len).unwrap_or(i64::MAX),
                sha256: hex::encode(sum.finalize()),
            };
            keep(&ctx, version, sum);
        }
        told("a zip of a version", written, &send);
    });
}

fn write(
    ctx: &Context,
    found: &mut mpsc::Receiver<std::io::Result<Ready>>,
    out: &mut Out,
    learnt: &mut Vec<(Digest, u32)>,
) -> std::io::Result<()> {
    let mut zip = Writer::default();
    while let Some(file) = found.blocking_recv() {
        let (entry, known, inside) = file?;
        let member = Member::new(&entry.path, entry.size);
        out.write_all(&Writer::before(member))?;
        let crc = if let Inside::Before(crc) = inside {
            out.pass_over(entry.size);
            crc
        } else {
            let mut summed = Summed {
                out: &mut *out,
                crc: crc32fast::Hasher::new(),
                len: 0,
            };
            inside.write(&mut summed)?;
            if summed.len != entry.size {
                let (path, len) = (&entry.path, summed.len);
                return Err(std::io::Error::other(format!(
                    "`{path}` has {len} bytes, not {}",
                    entry.size
                )));
            }
            summed.crc.finalize()
        };
        // Also where another one was noted: of bytes that a disk had spoilt and that are whole again.
        if known != Some(crc) {
            learnt.push((entry.blob.into(), crc));
            if learnt.len() >= BATCH {
                note(ctx, learnt);
            }
        }
        out.write_all(&zip.behind(member, crc))?;
    }
    out.write_all(&zip.finish())?;
    out.flush()
}

/// Notes the CRC-32 of files. Blocking. Whoever reads the archive has nothing to do with its failing.
fn note(ctx: &Context, crcs: &mut Vec<(Digest, u32)>) {
    let crcs = std::mem::take(crcs);
    if crcs.is_empty() {
        return;
    }
    let noted = ctx
        .db
        .write::<_, Error, _>(move |tx| Box::pin(async move { Ok(repo::blob::set_crcs(tx, &crcs).await?) }));
    if let Err(e) = tokio::runtime::Handle::current().block_on(noted) {
        tracing::warn!(error = %e, "checksums of files were not noted");
    }
}

/// Keeps the sum of a version's archive; see [`note`].
fn keep(ctx: &Context, version: VersionId, sum: Checksum) {
    let kept = ctx.db.write::<_, Error, _>(move |tx| {
        Box::pin(async move { Ok(repo::checksum::put(tx, version, Download::Archive, &sum).await?) })
    });
    if let Err(e) = tokio::runtime::Handle::current().block_on(kept) {
        tracing::warn!(error = %e, "the sum of an archive was not kept");
    }
}

/// Works out the CRC-32 of what goes through.
struct Summed<'o> {
    out: &'o mut Out,
    crc: crc32fast::Hasher,
    len: u64,
}

impl std::io::Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.crc.update(&bytes[..written]);
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
