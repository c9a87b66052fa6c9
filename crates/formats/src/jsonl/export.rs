//! Writes JSONL.

use super::{CategoryRecord, LabelRecord};
use crate::attributes::Values;
use crate::write::{Dataset, Item, Label, Output, Tally, Writer};
use serde::Serialize;
use std::io;

const FILE: &str = "items.jsonl";

#[derive(Debug)]
pub struct JsonlWriter {
    dataset: Dataset,
}

impl JsonlWriter {
    pub const fn new(dataset: Dataset) -> Self {
        Self { dataset }
    }
}

#[derive(Serialize)]
struct ItemRecord<'a> {
    file: &'a str,
    width: u32,
    height: u32,
    #[serde(skip_serializing_if = "Values::is_empty")]
    attributes: Values,
    /// When each frame of a video is shown, in microseconds.
    #[serde(skip_serializing_if = "<[i64]>::is_empty")]
    times_us: &'a [i64],
    annotations: Vec<LabelRecord>,
}

impl Writer for JsonlWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.file("categories.json", &categories(&self.dataset)?)
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let record = ItemRecord {
            file: item.name,
            width: item.width,
            height: item.height,
            attributes: item.about.into(),
            times_us: item.times_us,
            annotations: labels
                .iter()
                .map(|l| LabelRecord {
                    id: Some(l.id),
                    category_id: self.dataset.categories.get(l.category).map(|c| c.id),
                    category: self.dataset.categories.get(l.category).map(|c| c.name.clone()),
                    shape: l.shape.clone(),
                    z: l.z,
                    source: l.source,
                    score: l.score,
                    attributes: l.attributes.into(),
                    links: l.links.clone(),
                })
                .collect(),
        };
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        tally.items += 1;
        tally.labels += labels.len() as u64;
        out.append(FILE, 0, &line)
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }
}

/// `categories.json`: the tree with its colours, skeletons and attributes.
pub(crate) fn categories(dataset: &Dataset) -> io::Result<Vec<u8>> {
    let all = &dataset.categories;
    let records: Vec<CategoryRecord> = all
        .iter()
        .map(|c| {
            let [r, g, b] = c.color;
            let attributes = c.attributes.iter().map(serde_json::to_value);
            Ok(CategoryRecord {
                id: c.id,
                name: c.name.clone(),
                parent: c.parent.and_then(|p| all.get(p)).map(|p| p.id),
                color: Some(format!("#{r:02x}{g:02x}{b:02x}")),
                skeleton: c.skeleton.clone(),
                attributes: attributes.collect::<Result<_, _>>()?,
            })
        })
        .collect::<io::Result<_>>()?;
    Ok(serde_json::to_vec_pretty(&records)?)
}
