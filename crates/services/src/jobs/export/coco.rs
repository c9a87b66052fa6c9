//! Items into COCO JSON, on a blocking thread.

use super::{JSON_PART, Labels, Picture, SPOOL_PART, archive, frames};
use limn_domain::export::NewExport;
use limn_domain::project::Task;
use limn_domain::{Attribute, CategoryId};
use limn_formats::coco::{self as format, CocoWriter, Image, Info, Label, LabelShape};
use limn_formats::names::ExportNames;
use limn_store::repo::item::ExportItem;
use limn_store::repo::transfer::{CategoryHead, Head};
use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use tokio::sync::mpsc::Receiver;

/// Bytes written at once.
const BUFFER: usize = 256 << 10;

/// Writes `json.part` from the pages that arrive, or the JSON at the front of a zip when pictures will follow. Blocking.
pub(super) fn write(
    dir: &Path,
    head: &Head,
    categories: &[CategoryHead],
    input: NewExport,
    mut pages: Receiver<Vec<ExportItem>>,
) -> std::io::Result<Labels> {
    let out = BufWriter::with_capacity(BUFFER, File::create(dir.join(JSON_PART))?);
    let spool = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(dir.join(SPOOL_PART))?;
    let date = head.data_time.date_time();
    let info = Info {
        year: date.get(..4).and_then(|y| y.parse().ok()).unwrap_or_default(),
        version: "1.0",
        description: &head.name,
        contributor: "",
        url: "",
        date_created: &date,
    };
    let names: HashMap<CategoryId, &str> = categories.iter().map(|c| (c.id, c.name.as_str())).collect();
    let ids: HashMap<CategoryId, i64> = categories.iter().map(|c| (c.id, c.export_id)).collect();
    let defined: HashMap<CategoryId, &[Attribute]> = categories
        .iter()
        .map(|c| (c.id, c.attributes.as_slice()))
        .collect();
    let listed: Vec<format::Category<'_>> = categories
        .iter()
        .map(|c| {
            let parent = c.parent_id.and_then(|p| names.get(&p).copied());
            format::Category::new(
                c.export_id,
                &c.name,
                parent.unwrap_or(&c.name),
                c.skeleton.as_ref(),
            )
        })
        .collect();
    let mut writer = CocoWriter::new(out, spool, &info, &listed, input.box_segmentation)?;
    let mut file_names = ExportNames::new(input.file_names);
    let (mut pictures, mut linked, mut about) = (Vec::new(), 0_u64, 0_u64);
    while let Some(page) = pages.blocking_recv() {
        let current = page.into_iter().map(|mut item| {
            super::current_values(&mut item, |id| defined.get(id).copied());
            item
        });
        for item in current.flat_map(|item| frames::as_pictures(item, true)) {
            about += u64::from(!item.about.is_empty());
            linked += item.annotations.iter().filter(|a| !a.links.is_empty()).count() as u64;
            let name = file_names.name(&item.name, item.export_id);
            let image = Image {
                id: item.export_id,
                width: item.width,
                height: item.height,
                file_name: &name,
            };
            // Every label has its category: the snapshot holds both.
            let labels = item.annotations.iter().filter_map(|a| {
                Some(Label {
                    category_id: *ids.get(&a.category_id)?,
                    shape: LabelShape::from(&a.shape),
                    attributes: Some(&a.attributes),
                })
            });
            writer.image(&image, labels)?;
            if input.with_images {
                pictures.push(Picture {
                    digest: item.digest,
                    name: format!("images/{name}"),
                    width: item.width,
                    height: item.height,
                    orientation: item.orientation,
                });
            }
        }
    }
    let (_, counts) = writer.finish()?;
    let zip = if input.with_images {
        let mut zip = archive::begin(dir)?;
        let mut json = File::open(dir.join(JSON_PART))?;
        let size = json.metadata()?.len();
        archive::text(&mut zip, "annotations/instances_default.json", size)?;
        std::io::copy(&mut json, &mut zip)?;
        Some(zip)
    } else {
        None
    };
    Ok(Labels {
        items: counts.images,
        labels: counts.annotations,
        notes: notes(head.task, &counts, linked, about),
        pictures,
        zip,
    })
}

/// What the person who exports should know.
fn notes(task: Task, counts: &format::Written, linked: u64, about: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if !task.marks_objects() && counts.annotations > 0 {
        notes.push(
            "COCO has no form for labels of whole images; each is written as a box over its whole image."
                .to_owned(),
        );
    }
    if counts.holes > 0 {
        notes.push(format!(
            "{} outlines have holes, which COCO's polygons cannot; they are written as run-length masks.",
            counts.holes
        ));
    }
    for (kind, n) in &counts.formless {
        notes.push(format!(
            "{n} labels were left out: COCO has no form for a {}.",
            kind.label()
        ));
    }
    if counts.clipped > 0 {
        notes.push(format!(
            "{} boxes reached beyond their image and were cut to it.",
            counts.clipped
        ));
    }
    if counts.dropped > 0 {
        let examples = counts.examples.join(", ");
        notes.push(format!(
            "{} boxes were left out because nothing of them lies in their image, for example in {examples}.",
            counts.dropped
        ));
    }
    if linked > 0 {
        notes.push(format!(
            "{linked} labels have groups or relations, which are left out."
        ));
    }
    if about > 0 {
        notes.push(format!("{about} items have attributes, which are left out."));
    }
    notes
}
