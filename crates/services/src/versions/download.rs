//! Whole versions as one file, made while it is read: the archive and the metadata. The same version gives the same bytes.

mod archive;

pub(super) use archive::archive_len;

use super::files::root;
use super::nodes::{self, Ahead, DbNodes};
use super::{Versions, visible};
use crate::{Actor, Context, Error, Result};
use anyhow::anyhow;
use bytes::Bytes;
use limn_domain::dataset::{Checksum, Download, METADATA_FILE, Metadata, Split, Version};
use limn_domain::{Action, Digest, VersionId};
use limn_jobs::Progress;
use limn_store::{Tx, repo};
use limn_versions::object::Labels;
use limn_versions::{Entry, From, Hash, Reader};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::ops::Range;
use tokio::sync::mpsc;

/// Pieces made ahead of whoever reads them.
pub(crate) const AHEAD: usize = 8;
/// Bytes of a piece.
const PIECE: usize = 128 << 10;
/// Files whose labels are fetched at once, and that are read from the tree together.
const BATCH: usize = 500;

/// Pieces of a file, in order; an error in the middle means that the file is not whole.
pub type Pieces = mpsc::Receiver<std::io::Result<Bytes>>;

/// A file that can be made again and again, wholly or in part.
pub struct Downloadable {
    ctx: Context,
    files: Hash,
    split: Option<Split>,
    what: Download,
    /// What people save it as.
    pub name: String,
    /// Names the content.
    pub etag: String,
    /// Its sum, once that has been worked out.
    pub sum: Option<Checksum>,
    /// Its size in bytes: of every archive, and of what has a sum.
    pub len: Option<u64>,
    /// The version whose archive this is, when its sum is not known.
    unsummed: Option<VersionId>,
}

impl Downloadable {
    /// Starts to make it; `part` is the range of its bytes that is wanted.
    pub fn pieces(&self, part: Option<Range<u64>>) -> Pieces {
        let (send, receive) = mpsc::channel(AHEAD);
        let mut out = Out::whole(send);
        let part = part.filter(|p| p.start > 0 || self.len.is_none_or(|len| p.end < len));
        if let Some(part) = &part {
            out.skip = part.start;
            out.left = part.end.saturating_sub(part.start);
        }
        match self.what {
            Download::Archive => {
                let unsummed = self.unsummed.zip(self.len).filter(|_| part.is_none());
                archive::archive(&self.ctx, self.files, self.split, unsummed, out);
            }
            Download::Metadata => metadata(&self.ctx, self.files, self.split, out),
        }
        receive
    }
}

impl Versions {
    /// All files of a version, or those of a split, as one file.
    pub async fn download(
        &self,
        actor: &Actor,
        version: VersionId,
        what: Download,
        split: Option<Split>,
    ) -> Result<Downloadable> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let dataset = crate::datasets::visible(&mut tx, actor, found.dataset_id).await?;
        let sums = repo::checksum::list(&mut tx, version).await?;
        let part = split.map_or_else(String::new, |s| format!("-{}", s.as_str()));
        let slug = format!(
            "{}-v{}{part}",
            crate::jobs::export::slug(&dataset.name),
            found.number
        );
        let mut made = of(&self.0, &mut tx, &found, what).await?;
        made.split = split;
        made.name = match what {
            Download::Archive => format!("{slug}.zip"),
            Download::Metadata => format!("{slug}-{METADATA_FILE}"),
        };
        made.etag.push_str(&part);
        // The sums are those of whole versions.
        made.sum = sums
            .into_iter()
            .find(|(w, _)| *w == what && split.is_none())
            .map(|(_, sum)| sum);
        made.len = made.sum.as_ref().map(|s| s.bytes.unsigned_abs());
        if what == Download::Archive && made.len.is_none() {
            made.len = Some(archive_len(&mut tx, made.files, split).await?);
            made.unsummed = split.is_none().then_some(version);
        }
        Ok(made)
    }
}

async fn of(ctx: &Context, tx: &mut Tx, version: &Version, what: Download) -> Result<Downloadable> {
    let kind = match what {
        Download::Archive => "zip",
        Download::Metadata => "metadata",
    };
    Ok(Downloadable {
        ctx: ctx.clone(),
        files: root(tx, version).await?.files,
        split: None,
        what,
        name: String::new(),
        etag: format!("{}-{kind}", version.digest),
        sum: None,
        len: None,
        unsummed: None,
    })
}

/// Works out the sums of a version that are not known yet.
pub(crate) async fn sum_up(ctx: &Context, version: &Version, progress: &Progress) -> anyhow::Result<()> {
    let id = version.id;
    let mut tx = ctx.db.read().await?;
    let known = repo::checksum::list(&mut tx, id).await?;
    let places = repo::place::of_version(&mut tx, Hash::from(&version.digest).bytes()).await?;
    drop(tx);
    for what in [Download::Archive, Download::Metadata] {
        // Files that were left where they are would all be read for it.
        if what == Download::Archive && !places.is_empty() {
            continue;
        }
        if known.iter().any(|(w, _)| *w == what) {
            continue;
        }
        let mut pieces = of(ctx, &mut ctx.db.read().await?, version, what)
            .await?
            .pieces(None);
        let (mut sum, mut bytes) = (Sha256::new(), 0_i64);
        while let Some(piece) = pieces.recv().await {
            progress.check()?;
            let piece = piece?;
            bytes += i64::try_from(piece.len())?;
            if what == Download::Archive {
                progress.note(
                    bytes.min(version.bytes),
                    version.bytes,
                    "Working out checksums".to_owned(),
                );
            }
            // A piece is small; a thread of its own would cost more than this does.
            sum.update(&piece);
        }
        let sum = Checksum {
            bytes,
            sha256: hex::encode(sum.finalize()),
        };
        ctx.db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(repo::checksum::put(tx, id, what, &sum).await?) })
            })
            .await?;
    }
    Ok(())
}

fn metadata(ctx: &Context, root: Hash, split: Option<Split>, mut out: Out) {
    let (files, mut entries) = mpsc::channel::<Entry>(BATCH);
    feed(ctx, root, split, files, out.send.clone());
    let ctx = ctx.clone();
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        while entries.recv_many(&mut batch, BATCH).await > 0 {
            let lines = match lines(&ctx, std::mem::take(&mut batch)).await {
                Ok(lines) => lines,
                Err(e) => {
                    let e = std::io::Error::other(format!("{e}"));
                    drop(out.send.send(Err(e)).await);
                    return;
                }
            };
            if out.put(lines).await.is_err() {
                return;
            }
        }
    });
}

/// What goes wrong half-way must not look like an end.
fn told(what: &str, written: std::io::Result<()>, send: &mpsc::Sender<std::io::Result<Bytes>>) {
    if let Err(e) = written {
        if e.kind() == std::io::ErrorKind::BrokenPipe {
            return;
        }
        tracing::warn!(error = %e, "{what} broke off");
        drop(send.blocking_send(Err(e)));
    }
}

/// Sends the entries of a version.
fn feed(
    ctx: &Context,
    root: Hash,
    split: Option<Split>,
    to: mpsc::Sender<Entry>,
    failed: mpsc::Sender<std::io::Result<Bytes>>,
) {
    let ctx = ctx.clone();
    tokio::spawn(async move {
        let fed: Result<()> = async {
            let mut reader = {
                let mut tx = ctx.db.read().await?;
                let reader = Reader::open(&mut DbNodes::new(&mut tx), &root, From::Start).await?;
                reader.only(split).to_the_end()
            };
            let mut ahead = Ahead::new();
            loop {
                let mut batch = Vec::with_capacity(BATCH);
                {
                    // Whoever reads may take hours, or stop: no connection waits for them.
                    let mut tx = ctx.db.read().await?;
                    let mut nodes = DbNodes::with(&mut tx, ahead);
                    while batch.len() < BATCH
                        && let Some(entry) = reader.next(&mut nodes).await?
                    {
                        batch.push(entry);
                    }
                    ahead = nodes.into_ahead();
                }
                if batch.is_empty() {
                    return Ok(());
                }
                for entry in batch {
                    if to.send(entry).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
        .await;
        if let Err(e) = fed {
            // Whoever reads must not take half a file for a whole one: the entries end after this is said.
            drop(failed.send(Err(std::io::Error::other(format!("{e}")))).await);
        }
        drop(to);
    });
}

/// Lines of metadata.
async fn lines(ctx: &Context, entries: Vec<Entry>) -> anyhow::Result<Vec<u8>> {
    let wanted: Vec<Hash> = entries.iter().filter_map(|e| e.labels).collect();
    let known: HashMap<Hash, Labels> = nodes::objects(&mut ctx.db.read().await?, &wanted).await?;
    let mut lines = Vec::with_capacity(entries.len() * 256);
    for e in entries {
        let labels = match e.labels {
            Some(hash) => Some(
                known
                    .get(&hash)
                    .ok_or_else(|| anyhow!("the labels {hash} are missing"))?,
            ),
            None => None,
        };
        serde_json::to_writer(&mut lines, &line(e, labels))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn line(e: Entry, labels: Option<&Labels>) -> Metadata {
    let (mut bbox, mut bbox_category) = (Vec::new(), Vec::new());
    for label in labels.iter().flat_map(|l| &l.labels) {
        if let Some(b) = label.shape.bounds() {
            bbox.push([b.x, b.y, b.w, b.h]);
            bbox_category.push(label.category.clone());
        }
    }
    Metadata {
        digest: Digest::from(e.blob).to_string(),
        split: (e.split != Split::None).then(|| e.split.as_str().to_owned()),
        media_type: e.media_type,
        bytes: i64::try_from(e.size).unwrap_or(i64::MAX),
        width: i64::from(e.width),
        height: i64::from(e.height),
        categories: e.categories.into_keys().collect(),
        bbox,
        bbox_category,
        file_name: e.path,
    }
}

/// Hands what is written on in pieces, from `skip` on, at most `left` bytes of it.
pub(crate) struct Out {
    send: mpsc::Sender<std::io::Result<Bytes>>,
    buffer: Vec<u8>,
    skip: u64,
    left: u64,
    /// Of what was handed on, where somebody wants to know, and its bytes.
    sum: Option<Sha256>,
    sent: u64,
}

impl Out {
    /// All that is written.
    pub fn whole(send: mpsc::Sender<std::io::Result<Bytes>>) -> Self {
        Self {
            send,
            buffer: Vec::new(),
            skip: 0,
            left: u64::MAX,
            sum: None,
            sent: 0,
        }
    }

    /// As if so many bytes had been written of which none are wanted.
    const fn pass_over(&mut self, bytes: u64) {
        self.skip = self.skip.saturating_sub(bytes);
    }

    /// The part of these bytes that is wanted.
    fn wanted<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        let rest = &bytes[skipped..];
        let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
        self.left -= taken as u64;
        &rest[..taken]
    }

    async fn put(&mut self, bytes: Vec<u8>) -> Result<(), std::io::Error> {
        let piece = Bytes::copy_from_slice(self.wanted(&bytes));
        if !piece.is_empty() && self.send.send(Ok(piece)).await.is_err() {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        if self.left == 0 {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }
}

impl std::io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let wanted = self.wanted(bytes);
        self.buffer.extend_from_slice(wanted);
        if self.buffer.len() >= PIECE || self.left == 0 {
            self.flush()?;
        }
        if self.left == 0 {
            // All that is wanted is there: nothing more need be made.
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.buffer));
        if let Some(sum) = &mut self.sum {
            sum.update(&piece);
        }
        self.sent += piece.len() as u64;
        self.send
            .blocking_send(Ok(piece))
            .map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}
