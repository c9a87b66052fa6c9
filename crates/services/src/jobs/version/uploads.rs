//! A version of uploaded files: added to the newest version, or in its place.

use super::derive::Base;
use super::{Work, finding};
use crate::versions::draft::Made;
use crate::versions::labels::Tally;
use crate::versions::nodes::DbNodes;
use crate::{Actor, Context};
use limn_domain::dataset::{DatasetKind, LineageNode, Split, UploadMode};
use limn_domain::{Digest, UploadId, text, validate};
use limn_jobs::Permanent;
use limn_storage::archive::{Archive, ArchiveLimits};
use limn_storage::{BlobStore, ImageInfo, ImageKind, Source, Staged, StorageError};
use limn_store::repo::blob::NewBlob;
use limn_store::repo::version::Which;
use limn_store::{StoreError, repo};
use limn_versions::{Builder, Entry, Hash, Reader, update};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// Files unpacked ahead of whoever checks them.
const AT_ONCE: usize = 3;
/// Blob rows written together.
pub(in crate::jobs) const ROWS: usize = 200;
/// Files of at most so many bytes wait in memory until some of them are stored together.
pub(super) const SMALL: u64 = 64 << 10;

/// A file out of an upload, or of a datastore.
pub(in crate::jobs) struct Piece {
    pub path: String,
    pub staged: Result<Staged, StorageError>,
}

/// What was left out, and why.
#[derive(Default)]
pub(in crate::jobs) struct Left {
    pub unfit: Vec<String>,
    pub unreadable: Vec<String>,
    pub case: Vec<String>,
    pub names: Vec<String>,
}

impl Work<'_> {
    pub(super) async fn of_uploads(
        &mut self,
        uploads: &[UploadId],
        mode: UploadMode,
    ) -> anyhow::Result<Made> {
        let (base, sources) = self.prepare(uploads, mode).await?;
        let (mut files, mut left) = (BTreeMap::<String, Entry>::new(), Left::default());
        let mut rows: Vec<(Digest, i64, String)> = Vec::new();
        let mut waiting = Vec::new();
        let mut names = Vec::with_capacity(sources.len());
        let mut done = 0;
        for (name, path) in sources {
            names.push(name.clone());
            let mut pieces = unpack(name, path, self.ctx.blobs.clone(), self.ctx.limits.upload_bytes);
            while let Some(piece) = pieces.recv().await {
                done += 1;
                self.progress.report(done, 0, "Reading files").await?;
                let (entry, staged) = match look(self.ctx, self.dataset.kind, piece).await? {
                    Ok(found) => found,
                    Err(out) => {
                        left.add(out);
                        continue;
                    }
                };
                // Of an object store each is a request of its own in any case.
                if staged.len() <= SMALL && !self.ctx.blobs.is_remote() {
                    waiting.push(staged);
                } else {
                    self.ctx.blobs.commit(staged).await?;
                }
                rows.push((
                    entry.blob.into(),
                    i64::try_from(entry.size)?,
                    entry.media_type.clone(),
                ));
                if rows.len() >= ROWS {
                    // The bytes before what says that they are there.
                    self.ctx.blobs.commit_many(std::mem::take(&mut waiting)).await?;
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
        self.ctx.blobs.commit_many(waiting).await?;
        self.note_blobs(rows).await?;
        if files.is_empty() && base.is_none() {
            return Err(Permanent(empty(self.dataset.kind, &left, "the upload")).into());
        }
        let from = LineageNode::Upload {
            name: match names.as_slice() {
                [one] => one.chars().take(200).collect(),
                all => format!("{} files", all.len()),
            },
        };
        self.assemble(base, files, left, from, "uploaded", mode).await
    }

    pub(super) async fn prepare(
        &self,
        uploads: &[UploadId],
        mode: UploadMode,
    ) -> anyhow::Result<(Option<Base>, Vec<(String, PathBuf)>)> {
        let mut tx = self.ctx.db.read().await?;
        let newest = repo::version::list(&mut tx, self.dataset.id, Which::Latest)
            .await?
            .pop();
        let base = match newest {
            Some(v) if mode == UploadMode::Add => Some(Base::open(&mut tx, v.id).await?),
            _ => None,
        };
        let mut sources = Vec::with_capacity(uploads.len());
        for id in uploads {
            let upload = crate::uploads::complete(&mut tx, &Actor::System, *id)
                .await
                .map_err(|_| {
                    Permanent(format!(
                        "The uploaded file {id} is not there any more. Upload the files again and register anew."
                    ))
                })?;
            sources.push((upload.name, *id));
        }
        drop(tx);
        let mut files = Vec::with_capacity(sources.len());
        for (name, id) in sources {
            files.push((name, crate::uploads::file(self.ctx, id).await?));
        }
        Ok((base, files))
    }

    /// Checks a file and stores its bytes; `None` when it is left out.
    pub(super) async fn take(&self, piece: Piece, left: &mut Left) -> anyhow::Result<Option<Entry>> {
        Ok(match take(self.ctx, self.dataset.kind, piece).await? {
            Ok(entry) => Some(entry),
            Err(out) => {
                left.add(out);
                None
            }
        })
    }

    pub(super) async fn note_blobs(&self, rows: Vec<(Digest, i64, String)>) -> anyhow::Result<()> {
        note_blobs(self.ctx, rows).await
    }

    /// Adds the files to a base, or makes a tree of them. `verb` is what was done to them.
    pub(super) async fn assemble(
        &mut self,
        base: Option<Base>,
        files: BTreeMap<String, Entry>,
        mut left: Left,
        origin: LineageNode,
        verb: &str,
        mode: UploadMode,
    ) -> anyhow::Result<Made> {
        let (mut unlabeled, mut replaced) = (Vec::new(), 0_u64);
        let added = files.len();
        let (built, tally, schema, mut from) = if let Some(base) = base {
            let mut tx = self.ctx.db.read().await?;
            let mut db = DbNodes::new(&mut tx);
            let mut tally = Tally::from(&base.version.counts);
            let mut edits = BTreeMap::new();
            for (key, mut entry) in files {
                if let Some(old) = Reader::find(&mut db, &base.root.files, &entry.path).await? {
                    if old.path != entry.path {
                        left.case.push(format!("{} ({})", entry.path, old.path));
                        continue;
                    }
                    if old.blob == entry.blob {
                        continue;
                    }
                    replaced += 1;
                    if old.labels.is_some() {
                        unlabeled.push(entry.path.clone());
                    }
                    entry.split = old.split;
                    tally.remove(&old);
                }
                tally.add(&entry);
                edits.insert(key, Some(entry));
            }
            let built = update(&mut db, &base.root.files, edits).await?;
            (built, tally, Some(base.schema), vec![base.node])
        } else {
            let (mut builder, mut tally) = (Builder::default(), Tally::default());
            for entry in files.into_values() {
                tally.add(&entry);
                builder.push(entry)?;
                if builder.waiting() >= super::derive::NODES {
                    self.draft.nodes(builder.take()).await?;
                }
            }
            (builder.finish(), tally, None, Vec::new())
        };
        self.draft.nodes(built.nodes).await?;
        from.push(origin);
        let mut notes = Vec::new();
        finding(&mut notes, &left.unfit, unfit(self.dataset.kind));
        finding(
            &mut notes,
            &left.unreadable,
            "could not be read and were left out",
        );
        finding(
            &mut notes,
            &left.names,
            "have names that cannot be used and were left out",
        );
        finding(
            &mut notes,
            &left.case,
            "differ from another in the case of their path alone and were left out",
        );
        finding(
            &mut notes,
            &unlabeled,
            "have new content, and the labels of the old one were dropped",
        );
        Ok(Made {
            dataset: self.dataset.id,
            kind: self.dataset.kind,
            files: built.root,
            schema,
            tally,
            note: self.payload.input.note.clone(),
            by: self.payload.user,
            by_name: self.payload.user_name.clone(),
            from,
            how: match mode {
                UploadMode::Add if replaced > 0 => {
                    format!("{added} files {verb}, {replaced} in the place of others")
                }
                UploadMode::Add => format!("{added} files {verb}"),
                UploadMode::Replace => format!("{added} files {verb} in the place of all"),
            },
            notes,
        })
    }
}

/// A file that is left out.
pub(in crate::jobs) enum Out {
    Unfit(String),
    /// With the reason.
    Unreadable(String),
    Name(String),
}

impl Left {
    pub fn add(&mut self, out: Out) {
        match out {
            Out::Unfit(path) => self.unfit.push(path),
            Out::Unreadable(why) => self.unreadable.push(why),
            Out::Name(name) => self.names.push(name),
        }
    }
}

/// Checks a file of a dataset of this kind and stores its bytes. Errors: the disk.
pub(in crate::jobs) async fn take(
    ctx: &Context,
    kind: DatasetKind,
    piece: Piece,
) -> anyhow::Result<Result<Entry, Out>> {
    match look(ctx, kind, piece).await? {
        Ok((entry, staged)) => {
            ctx.blobs.commit(staged).await?;
            Ok(Ok(entry))
        }
        Err(out) => Ok(Err(out)),
    }
}

/// The same without storing its bytes.
pub(super) async fn look(
    ctx: &Context,
    kind: DatasetKind,
    piece: Piece,
) -> anyhow::Result<Result<(Entry, Staged), Out>> {
    let Ok(path) = validate::item_name(&piece.path) else {
        return Ok(Err(Out::Name(piece.path.escape_debug().to_string())));
    };
    let refused = |e: StorageError| -> Result<Out, anyhow::Error> {
        if e.is_refusal() || e.is_too_large() {
            Ok(Out::Unreadable(format!("{path} ({e})")))
        } else {
            Err(anyhow::Error::new(e).context(format!("The registration stopped at `{path}`")))
        }
    };
    let staged = match piece.staged {
        Ok(staged) => staged,
        Err(e) => return Ok(Err(refused(e)?)),
    };
    let mut entry = plain(&path, &staged);
    let is_picture = ImageKind::from_name(&path).is_some();
    match kind {
        DatasetKind::Images => {
            if !is_picture {
                return Ok(Err(Out::Unfit(path)));
            }
            match ctx.renditions.inspect(staged.digest(), staged.source()).await {
                Ok(info) => picture(&mut entry, &info),
                Err(e) => return Ok(Err(refused(e)?)),
            }
        }
        DatasetKind::Text => {
            let (source, limit) = (staged.source(), ctx.limits.text_bytes);
            let length = tokio::task::spawn_blocking(move || characters(&source, limit)).await??;
            let Some(length) = length else {
                return Ok(Err(Out::Unfit(path)));
            };
            entry.length = length;
            text::MEDIA_TYPE.clone_into(&mut entry.media_type);
        }
        DatasetKind::Files | DatasetKind::Tabular => {
            if is_picture {
                let (source, limits) = (staged.source(), *ctx.renditions.limits());
                let info =
                    tokio::task::spawn_blocking(move || limn_storage::header(&source, &limits)).await?;
                match info {
                    Ok(info) => picture(&mut entry, &info),
                    // Bytes that only claim to be one.
                    Err(_) => OCTETS.clone_into(&mut entry.media_type),
                }
            }
        }
    }
    Ok(Ok((entry, staged)))
}

/// What a file is by its name and size alone.
pub(in crate::jobs) fn plain(path: &str, staged: &Staged) -> Entry {
    Entry {
        size: staged.len(),
        blob: Hash::from(staged.digest()),
        media_type: media_type(path).to_owned(),
        width: 0,
        height: 0,
        orientation: 1,
        length: 0,
        split: Split::None,
        labels: None,
        categories: BTreeMap::new(),
        path: path.to_owned(),
    }
}

/// Writes that these bytes are there.
pub(in crate::jobs) async fn note_blobs(
    ctx: &Context,
    rows: Vec<(Digest, i64, String)>,
) -> anyhow::Result<()> {
    let now = ctx.now();
    ctx.db
        .write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let blobs: Vec<NewBlob<'_>> = rows
                    .iter()
                    .map(|(digest, byte_size, media_type)| NewBlob {
                        digest,
                        byte_size: *byte_size,
                        media_type,
                    })
                    .collect();
                repo::blob::put_many(tx, &blobs, now).await
            })
        })
        .await?;
    Ok(())
}

fn picture(entry: &mut Entry, info: &ImageInfo) {
    info.kind.media_type().clone_into(&mut entry.media_type);
    (entry.width, entry.height, entry.orientation) = (info.width, info.height, info.orientation);
}

pub(in crate::jobs) fn unfit(kind: DatasetKind) -> &'static str {
    match kind {
        DatasetKind::Images => "are no pictures and were left out",
        DatasetKind::Text => "are no text in UTF-8 and were left out",
        DatasetKind::Tabular | DatasetKind::Files => "were left out",
    }
}

pub(in crate::jobs) fn empty(kind: DatasetKind, left: &Left, place: &str) -> String {
    let mut notes = Vec::new();
    finding(&mut notes, &left.unfit, unfit(kind));
    finding(&mut notes, &left.unreadable, "could not be read");
    finding(&mut notes, &left.names, "have names that cannot be used");
    let what = match kind {
        DatasetKind::Images => "pictures",
        DatasetKind::Text => "documents",
        DatasetKind::Tabular | DatasetKind::Files => "files",
    };
    format!(
        "There are no {what} in {place}, so there is nothing to register. {}",
        notes.join(" ")
    )
    .trim_end()
    .to_owned()
}

/// The files of an upload, one after another, a few ahead of whoever takes them.
fn unpack(name: String, path: PathBuf, blobs: BlobStore, limit: u64) -> mpsc::Receiver<Piece> {
    let (send, receive) = mpsc::channel(AT_ONCE);
    tokio::task::spawn_blocking(move || {
        let source = Source::File(path);
        let single = |staged| {
            drop(send.blocking_send(Piece {
                path: name.clone(),
                staged,
            }));
        };
        let is_zip = std::path::Path::new(&name)
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("zip"));
        if !is_zip {
            return single(stage(&source, &blobs, limit));
        }
        let mut archive = match Archive::open(&source, ArchiveLimits::default()) {
            Ok(archive) => archive,
            Err(e) => return single(Err(e)),
        };
        for refused in archive.refused() {
            let error = StorageError::BadName(refused.error.to_string());
            let piece = Piece {
                path: refused.name.replace(['/', '\\'], "_"),
                staged: Err(error),
            };
            if send.blocking_send(piece).is_err() {
                return;
            }
        }
        for n in 0..archive.entries().len() {
            let path = archive.entries()[n].name.to_string();
            let staged = archive.stage(n, blobs.stage(limit));
            // Nobody takes any more when the registration was stopped.
            if send.blocking_send(Piece { path, staged }).is_err() {
                return;
            }
        }
    });
    receive
}

fn stage(source: &Source, blobs: &BlobStore, limit: u64) -> limn_storage::Result<Staged> {
    let mut writer = blobs.stage(limit);
    let mut reader = source.reader()?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return writer.finish(),
            Ok(n) => writer.push(&buffer[..n])?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(StorageError::from(e)),
        }
    }
}

/// Unicode scalar values of a text in UTF-8 of at most `limit` bytes; `None` when it is none.
fn characters(source: &Source, limit: u64) -> limn_storage::Result<Option<u32>> {
    if source.len()? > limit {
        return Ok(None);
    }
    let bytes = source.read_all()?;
    Ok(std::str::from_utf8(&bytes)
        .ok()
        .filter(|t| !t.contains('\0'))
        .and_then(|t| u32::try_from(t.chars().count()).ok()))
}

const OCTETS: &str = "application/octet-stream";

/// By the name; pictures are told by their content.
fn media_type(path: &str) -> &'static str {
    let extension = path.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    match extension.as_str() {
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "json" => "application/json",
        "jsonl" | "ndjson" => "application/x-ndjson",
        "parquet" => "application/vnd.apache.parquet",
        "arrow" | "feather" => "application/vnd.apache.arrow.file",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "txt" | "md" => "text/plain",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => OCTETS,
    }
}
