//! Writes CSV. Items without labels have a line without a category.

use super::COLUMNS;
use crate::write::{Dataset, Item, Label, Output, Tally, Writer};
use limn_domain::Shape;
use std::fmt::Write as _;
use std::io;

const FILE: &str = "labels.csv";

#[derive(Debug)]
pub struct CsvWriter {
    names: Vec<String>,
    /// Some category has attributes, so there is a column for them.
    attributes: bool,
}

impl CsvWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            attributes: dataset.categories.iter().any(|c| !c.attributes.is_empty()),
        }
    }
}

impl Writer for CsvWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let more = if self.attributes { ",attributes" } else { "" };
        out.append(FILE, 0, format!("{COLUMNS}{more}\n").as_bytes())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let head = format!("{},{},{}", quoted(item.name), item.width, item.height);
        let mut text = String::new();
        if labels.is_empty() {
            let more = if self.attributes { "," } else { "" };
            let _ = writeln!(text, "{head},,,,,,,{more}");
        }
        for label in labels {
            let name = self.names.get(label.category).map_or("", String::as_str);
            let kind = label.shape.kind();
            let _ = write!(text, "{head},{},{kind},", quoted(name));
            if let Some(r) = label.shape.bounds() {
                let _ = write!(text, "{},{},{},{},", r.x, r.y, r.w, r.h);
            } else {
                text.push_str(",,,,");
            }
            if !matches!(label.shape, Shape::Whole | Shape::Box { .. }) {
                text.push_str(&quoted(&serde_json::to_string(label.shape)?));
            }
            if self.attributes {
                text.push(',');
                if !label.attributes.is_empty() {
                    text.push_str(&quoted(&serde_json::to_string(label.attributes)?));
                }
            }
            text.push('\n');
            tally.labels += 1;
        }
        tally.items += 1;
        out.append(FILE, 0, text.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }
}

/// In quotes where it has to be.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r', ';', '\t']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
