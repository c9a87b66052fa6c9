//! The annotation files of an import are read, off the async threads, and their labels placed.

use super::place;
use super::sources::{Files, Upload};
use super::texts::Taken;
use super::write::Batch;
use super::{Import, attributes};
use crate::Error;
use anyhow::Context as _;
use limn_domain::attribute::ATTRIBUTES_MAX;
use limn_domain::import::ImportAs;
use limn_domain::{Attribute, Attributes, ItemId};
use limn_formats::coco::captions;
use limn_formats::read::{self, Reader, Role};
use limn_formats::{Detail, Findings, FormatError, Imported, ImportedImage};
use limn_jobs::{Cancelled, Progress};
use limn_storage::archive::{Archive, ArchiveLimits};
use limn_storage::{Source, StorageError};
use limn_store::repo::{project, transfer};
use std::io::Read;

/// Items whose attributes are written together.
const SAID: usize = 500;
/// Small files read together.
const TOGETHER: usize = 500;
/// Bytes between two notes on how far a file is read.
const NOTE_EVERY: u64 = 8 << 20;

/// A file read: where it came from, and what was in it unless it was refused whole.
type Parsed = (String, Option<Imported>);

impl Import<'_> {
    /// Takes the labels of every annotation file, in order; tables first, wherever they lie.
    pub(super) async fn take_annotations(&mut self, uploads: &[Upload]) -> anyhow::Result<()> {
        let format = self.input.format;
        let mut reader = if self.task.is_text() {
            limn_formats::texts::reader(format, self.input.columns.clone())
        } else {
            read::reader(format, self.task)
        };
        let group = if read::many_files(format) { TOGETHER } else { 1 };
        for role in [Role::Table, Role::Labels] {
            if role == Role::Labels {
                self.place_all(vec![(String::new(), Some(reader.begin()))])
                    .await?;
            }
            for upload in uploads {
                match &upload.files {
                    Files::One(own) if *own == role => {
                        let files = vec![(upload.name.clone(), None)];
                        let opened = Opened::Plain(upload.source.clone());
                        (_, reader) = self.read_group(opened, reader, role, files).await?;
                    }
                    Files::Archive { tables, labels, .. } => {
                        let entries = if role == Role::Table { tables } else { labels };
                        if !entries.is_empty() {
                            reader = self.read_archive(upload, entries, reader, role, group).await?;
                        }
                    }
                    Files::None | Files::One(_) => {}
                }
            }
        }
        self.findings.set_file("");
        reader.finish(&mut self.findings);
        std::mem::take(&mut self.losses).report(&mut self.findings);
        self.findings.set_file("");
        Ok(())
    }

    async fn read_archive(
        &mut self,
        upload: &Upload,
        entries: &[usize],
        mut reader: Box<dyn Reader>,
        role: Role,
        group: usize,
    ) -> anyhow::Result<Box<dyn Reader>> {
        let source = upload.source.clone();
        let archive = tokio::task::spawn_blocking(move || Archive::open(&source, ArchiveLimits::default()))
            .await?
            .with_context(|| format!("The archive `{}` cannot be opened again", upload.name))?;
        let names: Vec<(String, Option<usize>)> = entries
            .iter()
            .filter_map(|n| {
                Some((
                    format!("{}/{}", upload.name, archive.entries().get(*n)?.name),
                    Some(*n),
                ))
            })
            .collect();
        let mut opened = Opened::Archive(archive);
        for files in names.chunks(group) {
            (opened, reader) = self.read_group(opened, reader, role, files.to_vec()).await?;
        }
        Ok(reader)
    }

    /// Reads some files and places their labels.
    async fn read_group(
        &mut self,
        mut opened: Opened,
        mut reader: Box<dyn Reader>,
        role: Role,
        files: Vec<(String, Option<usize>)>,
    ) -> anyhow::Result<(Opened, Box<dyn Reader>)> {
        let message = match files.as_slice() {
            [(one, _)] => format!("Reading {one}"),
            [(first, _), ..] => format!("Reading {} files from {first}", files.len()),
            [] => return Ok((opened, reader)),
        };
        self.progress.report(0, 0, message).await?;
        let mut findings = std::mem::take(&mut self.findings);
        let progress = self.progress.clone();
        let (opened, reader, findings, parsed) = tokio::task::spawn_blocking(move || {
            let parsed: anyhow::Result<Vec<Parsed>> = files
                .into_iter()
                .map(|(shown, n)| {
                    findings.set_file(&shown);
                    let imported = opened.read(n, (&mut *reader, role), &shown, &progress, &mut findings)?;
                    Ok((shown, imported))
                })
                .collect();
            (opened, reader, findings, parsed)
        })
        .await
        .context("An annotation file could not be read")?;
        self.findings = findings;
        self.place_all(parsed?).await?;
        Ok((opened, reader))
    }

    async fn place_all(&mut self, parsed: Vec<Parsed>) -> anyhow::Result<()> {
        let total: usize = parsed
            .iter()
            .filter_map(|(_, i)| i.as_ref())
            .map(|i| i.images.len())
            .sum();
        let mut done = 0;
        let (mut batch, mut said) = (Batch::default(), Vec::new());
        let mut of_items = self.item_attributes().await?;
        for (shown, imported) in parsed {
            let Some(mut imported) = imported else { continue };
            self.findings.set_file(&shown);
            let targets = super::categories::resolve(
                self.ctx,
                self.project,
                &mut self.catalogue,
                self.input.create_categories,
                &imported.categories,
                &mut self.findings,
            )
            .await?;
            let keep = imported.captions > 0;
            let mut with_captions = 0_u64;
            if keep && self.want_captions(imported.captions, &of_items).await? {
                of_items = self.item_attributes().await?;
            }
            let taken = self.take_texts(&mut imported, &shown).await?;
            for (n, (image, labels)) in imported.items().enumerate() {
                done += 1;
                let item = match taken.get(n) {
                    Some(Taken::Item(item)) => *item,
                    Some(Taken::Refused) => {
                        // With their document.
                        self.findings.report_mut().refused += labels.len() as i64;
                        continue;
                    }
                    None | Some(Taken::Elsewhere) => {
                        let Some(item) = self.items.find(image, labels, &mut self.findings) else {
                            continue;
                        };
                        item
                    }
                };
                let mut captioned = false;
                if self.input.import_as == ImportAs::Labels && image.attributes.is_some() {
                    let values = self.said_of(&of_items, image);
                    captioned = keep && !values.is_empty();
                    with_captions += u64::from(captioned);
                    if !values.is_empty() {
                        said.push((item.id, values));
                    }
                    if said.len() >= SAID {
                        self.say(std::mem::take(&mut said), keep).await?;
                    }
                }
                let placed = place::labels(
                    self.task,
                    item,
                    (image, imported.normalised),
                    labels,
                    &targets,
                    &mut self.losses,
                    &mut self.findings,
                );
                if placed.is_empty() {
                    self.unlabeled += u64::from(self.input.import_as == ImportAs::Labels && !captioned);
                    continue;
                }
                batch.add(item.id, placed);
                if batch.is_full() {
                    self.write(std::mem::take(&mut batch)).await?;
                    self.progress
                        .report(done, total as i64, format!("Placing the labels of {shown}"))
                        .await?;
                }
            }
            self.say(std::mem::take(&mut said), keep).await?;
            if with_captions > 0 {
                self.findings.note("captions", || {
                    Detail::new(format!(
                        "{with_captions} items have their captions from this file."
                    ))
                });
            }
        }
        self.write(batch).await?;
        self.progress.report(done, total as i64, "Placing labels").await
    }

    async fn item_attributes(&self) -> anyhow::Result<Vec<Attribute>> {
        let mut tx = self.ctx.db.read().await?;
        Ok(transfer::item_attributes(&mut tx, self.project).await?)
    }

    /// What the file says of an item as a whole, as far as the project knows the attributes.
    fn said_of(&mut self, known: &[Attribute], image: &ImportedImage) -> Attributes {
        let place = attributes::Place {
            file: self.findings.file(),
            line: image.line,
            record: &|| image.label(),
        };
        attributes::matched(known, image.attributes.as_deref(), &place, &mut self.losses)
    }

    /// Adds the attributes of items that hold captions where the project lacks them, and the import may add categories too.
    /// Whether any were.
    async fn want_captions(&self, most: usize, known: &[Attribute]) -> anyhow::Result<bool> {
        let mut more: Vec<Attribute> = (1..=most).map(captions::attribute).collect();
        more.retain(|a| known.iter().all(|k| k.key != a.key));
        let room = ATTRIBUTES_MAX.saturating_sub(known.len());
        more.truncate(room);
        let wanted = self.input.import_as == ImportAs::Labels && self.input.create_categories;
        if more.is_empty() || !wanted {
            return Ok(false);
        }
        let (project, now) = (self.project, self.ctx.now());
        let written: Result<(), Error> = self
            .ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    project::lock(tx, project, now).await?;
                    Ok(transfer::add_item_attributes(tx, project, more).await?)
                })
            })
            .await;
        written?;
        Ok(true)
    }

    /// Writes what is said of items; beside what was said of them where `keep`.
    async fn say(&self, said: Vec<(ItemId, Attributes)>, keep: bool) -> anyhow::Result<()> {
        if said.is_empty() {
            return Ok(());
        }
        let (project, now) = (self.project, self.ctx.now());
        let written: Result<(), Error> = self
            .ctx
            .db
            .write(move |tx| {
                Box::pin(async move { Ok(transfer::say_of_items(tx, project, &said, keep, now).await?) })
            })
            .await;
        Ok(written?)
    }
}

/// Where files are read from.
enum Opened {
    Plain(Source),
    Archive(Archive),
}

impl Opened {
    /// Reads one file in its role. `Ok(None)`: it holds no labels, or was refused whole and the findings say why. Errors:
    /// cancelled, or the disk.
    fn read(
        &mut self,
        n: Option<usize>,
        to: (&mut dyn Reader, Role),
        shown: &str,
        progress: &Progress,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Imported>> {
        progress.check()?;
        let result = match (&mut *self, n) {
            (Self::Archive(archive), Some(n)) => match archive.reader(n) {
                Ok(reader) => parse(reader, to, shown, progress, findings),
                Err(e) => Err(FormatError::Io(e.into())),
            },
            (Self::Plain(source), _) => match source.reader() {
                Ok(reader) => parse(reader, to, shown, progress, findings),
                Err(e) => Err(FormatError::Io(e.into())),
            },
            (Self::Archive(_), None) => return Ok(None),
        };
        match result {
            Ok(imported) => Ok(imported),
            Err(FormatError::NotTheFormat(why)) => {
                findings.refused("not_the_format", || Detail::new(why));
                Ok(None)
            }
            Err(FormatError::Io(e)) => {
                progress.check()?;
                match StorageError::from(e) {
                    e if e.is_refusal() => {
                        findings.refused(e.code(), || Detail::new(format!("`{shown}`: {e}")));
                        Ok(None)
                    }
                    e => Err(anyhow::Error::from(e).context(format!("`{shown}` cannot be read"))),
                }
            }
        }
    }
}

fn parse<R: Read>(
    reader: R,
    (to, role): (&mut dyn Reader, Role),
    shown: &str,
    progress: &Progress,
    findings: &mut Findings,
) -> Result<Option<Imported>, FormatError> {
    let mut reader = Watched {
        inner: reader,
        progress,
        shown,
        read: 0,
        noted: 0,
    };
    if role == Role::Table {
        return to.table(shown, &mut reader, findings).map(|()| None);
    }
    to.labels(shown, &mut reader, findings).map(Some)
}

/// Stops reading when the job is cancelled, and says how far it is.
struct Watched<'a, R> {
    inner: R,
    progress: &'a Progress,
    shown: &'a str,
    read: u64,
    noted: u64,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.progress.token().is_cancelled() {
            return Err(std::io::Error::other(Cancelled));
        }
        let n = self.inner.read(buf)?;
        self.read += n as u64;
        if self.read - self.noted >= NOTE_EVERY {
            self.noted = self.read;
            self.progress
                .note(0, 0, format!("Reading {} ({} MiB)", self.shown, self.read >> 20));
        }
        Ok(n)
    }
}
