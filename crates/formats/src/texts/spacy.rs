//! spaCy's JSONL: `{"text": ..., "ents": [[start, end, label]]}` a line. Python counts scalar values too.

use super::DOCUMENTS;
use crate::write::{Dataset, Item, Label, Output, Tally, Writer};
use limn_domain::Shape;
use serde::Serialize;
use std::io;

const FILE: &str = "entities.jsonl";

#[derive(Debug)]
pub struct SpacyWriter {
    names: Vec<String>,
}

impl SpacyWriter {
    pub fn new(dataset: &Dataset) -> Self {
        Self {
            names: dataset.names(),
        }
    }
}

#[derive(Serialize)]
struct Record<'a> {
    name: &'a str,
    text: &'a str,
    ents: Vec<(u32, u32, &'a str)>,
}

impl Writer for SpacyWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        // There even when no document is.
        out.append(FILE, 0, b"")
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let mut ents: Vec<(u32, u32, &str)> = Vec::new();
        for l in labels {
            match (l.shape, self.names.get(l.category)) {
                (Shape::Span { start, end }, Some(name)) => ents.push((*start, *end, name)),
                _ => tally.left_out("labels", "the format has only spans", item.name),
            }
        }
        ents.sort_unstable();
        let reach = ents.iter().scan(0, |reach, e| {
            let overlaps = e.0 < *reach;
            *reach = (*reach).max(e.1);
            Some(overlaps)
        });
        for _ in reach.filter(|overlaps| *overlaps) {
            tally.changed("spans overlap another one: spaCy takes them in `doc.spans`, not in `doc.ents`");
        }
        tally.items += 1;
        tally.labels += ents.len() as u64;
        let mut line = serde_json::to_vec(&Record {
            name: item.name,
            text: item.text,
            ents,
        })?;
        line.push(b'\n');
        out.append(FILE, 0, &line)
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn picture(&self, name: &str) -> String {
        format!("{DOCUMENTS}/{name}")
    }
}
