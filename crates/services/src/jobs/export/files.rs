//! Items into formats of many files, straight into the zip, on a blocking thread. A long file that grows with every item
//! is kept in temporary files until it can be added whole.

use super::archive::{self, Zip};
use super::{Labels, Picture, frames};
use crate::Context;
use limn_domain::CategoryId;
use limn_domain::export::{ExportFormat, NewExport};
use limn_domain::format::{Aspect, Keeps};
use limn_formats::names::ExportNames;
use limn_formats::write::{self as format, Category, Dataset, Item, Label, Output, Tally};
use limn_storage::StorageError;
use limn_store::repo::item::ExportItem;
use limn_store::repo::transfer::{CategoryHead, Head};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc::Receiver;

/// Why the format cannot hold the project's labels at all, for people.
pub(super) fn refusal(head: &Head, categories: &[CategoryHead], kind: ExportFormat) -> Option<String> {
    let index = categories.iter().enumerate().map(|(n, c)| (c.id, n)).collect();
    format::refusal(kind, &dataset(head, categories, &index))
}

/// Writes `zip.part` from the pages that arrive. Blocking.
pub(super) fn write(
    dir: &Path,
    head: &Head,
    categories: &[CategoryHead],
    input: NewExport,
    ctx: &Context,
    mut pages: Receiver<Vec<ExportItem>>,
) -> std::io::Result<Labels> {
    let index: HashMap<CategoryId, usize> = categories.iter().enumerate().map(|(n, c)| (c.id, n)).collect();
    let mut writer = format::writer(input.format, dataset(head, categories, &index))
        .ok_or_else(|| std::io::Error::other("the format has no files"))?;
    let mut out = ZipOutput {
        zip: archive::begin(dir)?,
        dir: dir.to_owned(),
        long: BTreeMap::new(),
    };
    let mut names = ExportNames::with_stems(input.file_names);
    let (mut tally, mut pictures) = (Tally::default(), Vec::new());
    let loses_items = matches!(input.format.keeps(Aspect::ItemAttributes), Keeps::Not(_));
    let loses_links = matches!(input.format.keeps(Aspect::Links), Keeps::Not(_));
    let loses = matches!(input.format.keeps(Aspect::Attributes), Keeps::Not(_));
    writer.begin(&mut out)?;
    while let Some(page) = pages.blocking_recv() {
        let current = page.into_iter().map(|mut row| {
            super::current_values(&mut row, |id| {
                Some(categories.get(*index.get(id)?)?.attributes.as_slice())
            });
            row
        });
        let whole = input.format.says_tracks();
        let rows = current.flat_map(|row| -> Box<dyn Iterator<Item = ExportItem>> {
            if whole {
                Box::new(std::iter::once(row))
            } else {
                frames::as_pictures(row, false)
            }
        });
        for row in rows {
            let times: Vec<i64> = row.frames.iter().map(|f| f.time_us).collect();
            let name = names.name(&row.name, row.export_id);
            let text = if head.task.is_text() {
                document(ctx, &row)?
            } else {
                String::new()
            };
            let item = Item {
                text: &text,
                id: row.export_id,
                name: &name,
                width: u32::try_from(row.width).unwrap_or(0),
                height: u32::try_from(row.height).unwrap_or(0),
                about: &row.about,
                times_us: &times,
            };
            // Every label has its category: the snapshot holds both.
            let labels: Vec<Label<'_>> = row
                .annotations
                .iter()
                .filter_map(|a| {
                    Some(Label {
                        id: a.id,
                        category: *index.get(&a.category_id)?,
                        shape: &a.shape,
                        z: a.z,
                        source: a.source,
                        score: a.score,
                        attributes: &a.attributes,
                        links: &a.links,
                    })
                })
                .collect();
            if loses_items && !row.about.is_empty() {
                tally.changed("items have attributes, which are left out");
            }
            if loses_links {
                for _ in row.annotations.iter().filter(|a| !a.links.is_empty()) {
                    tally.changed("labels have groups or relations, which are left out");
                }
            }
            if loses {
                for _ in row.annotations.iter().filter(|a| !a.attributes.is_empty()) {
                    tally.changed("labels have attributes, which are left out");
                }
            }
            writer.item(&item, &labels, &mut out, &mut tally)?;
            if input.with_images && frames::is_video(&row) {
                pictures.extend(row.frames.iter().zip(0_u32..).map(|(f, n)| Picture {
                    digest: f.digest.clone(),
                    name: writer.frame(&name, n, &f.media_type),
                    width: row.width,
                    height: row.height,
                    orientation: f.orientation,
                }));
            } else if input.with_images && !input.format.is_of_videos() {
                pictures.push(Picture {
                    digest: row.digest,
                    name: writer.picture(&name),
                    width: row.width,
                    height: row.height,
                    orientation: row.orientation,
                });
            }
        }
    }
    writer.finish(&mut out)?;
    Ok(Labels {
        items: tally.items,
        labels: tally.labels,
        notes: tally.notes(),
        pictures,
        zip: Some(out.finish()?),
    })
}

/// The text of a document. A lost file ends the export: labels without their text say nothing.
fn document(ctx: &Context, row: &ExportItem) -> std::io::Result<String> {
    // This is a blocking thread of the runtime's.
    let found = tokio::runtime::Handle::current().block_on(ctx.content(&row.digest));
    found
        .and_then(|local| local.source().read_text())
        .map_err(|e| match e {
            // It says all that is to be said.
            StorageError::SourceChanged(_) | StorageError::SourceAway(_) => e.into(),
            e => {
                let e = std::io::Error::from(e);
                let why = format!("the stored text of `{}` cannot be read: {e}", row.name);
                std::io::Error::new(e.kind(), why)
            }
        })
}

fn dataset(head: &Head, categories: &[CategoryHead], index: &HashMap<CategoryId, usize>) -> Dataset {
    Dataset {
        name: head.name.clone(),
        task: head.task,
        date: head.data_time.date_time(),
        categories: categories
            .iter()
            .map(|c| Category {
                id: c.export_id,
                name: c.name.clone(),
                parent: c.parent_id.and_then(|p| index.get(&p).copied()),
                color: format::rgb(&c.color),
                skeleton: c.skeleton.clone(),
                attributes: c.attributes.clone(),
            })
            .collect(),
    }
}

/// The files of a format on their way into the zip.
struct ZipOutput {
    zip: Zip,
    dir: PathBuf,
    /// By name and part: the temporary file.
    long: BTreeMap<(String, u8), (PathBuf, BufWriter<File>)>,
}

impl Output for ZipOutput {
    fn file(&mut self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        if Path::new(name).extension().is_some_and(|e| e == "png") {
            archive::stored(&mut self.zip, name)?;
        } else {
            archive::text(&mut self.zip, name, bytes.len() as u64)?;
        }
        self.zip.write_all(bytes)
    }

    fn append(&mut self, name: &str, part: u8, bytes: &[u8]) -> std::io::Result<()> {
        let key = (name.to_owned(), part);
        if let Some((_, file)) = self.long.get_mut(&key) {
            return file.write_all(bytes);
        }
        let path = self.dir.join(format!("long-{}.part", self.long.len()));
        let mut file = BufWriter::with_capacity(128 << 10, File::create(&path)?);
        file.write_all(bytes)?;
        self.long.insert(key, (path, file));
        Ok(())
    }
}

impl ZipOutput {
    /// The archive with the long files added.
    fn finish(mut self) -> std::io::Result<Zip> {
        let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
        for ((name, _), (path, file)) in &mut self.long {
            file.flush()?;
            *sizes.entry(name.clone()).or_default() += std::fs::metadata(&*path)?.len();
        }
        let mut open = None;
        for ((name, _), (path, _)) in self.long {
            if open.as_ref() != Some(&name) {
                archive::text(
                    &mut self.zip,
                    &name,
                    sizes.get(&name).copied().unwrap_or_default(),
                )?;
                open = Some(name);
            }
            std::io::copy(&mut File::open(&path)?, &mut self.zip)?;
            std::fs::remove_file(&path)?;
        }
        Ok(self.zip)
    }
}
