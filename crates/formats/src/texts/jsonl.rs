//! JSONL: a document a line with its text, its spans and its labels, and `categories.json`.
//!
//! Reads ours, spaCy's (`ents`), Prodigy's (`spans`) and doccano's (`label: [[start, end, name]]`).

use super::DOCUMENTS;
use super::gather::{Found, Gather, by_id, nth};
use crate::attributes::{ImportedAttributes, Values};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::jsonl::JsonlReader;
use crate::model::{Imported, ImportedLinks};
use crate::read::{Lines, Reader};
use crate::write::{Dataset, Item, Label, Output, Tally, Writer};
use limn_domain::import::TextColumns;
use limn_domain::{AnnotationId, Links, Shape, Source, table};
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{self, BufRead, Read};

const FILE: &str = "documents.jsonl";
const LINE_MAX: u64 = 64 << 20;

#[derive(Debug)]
pub struct TextJsonlWriter {
    dataset: Dataset,
}

impl TextJsonlWriter {
    pub const fn new(dataset: Dataset) -> Self {
        Self { dataset }
    }
}

#[derive(Serialize)]
struct DocumentRecord<'a> {
    id: i64,
    name: &'a str,
    text: &'a str,
    /// What is said of the document as a whole.
    #[serde(skip_serializing_if = "Values::is_empty")]
    attributes: Values,
    /// Places are Unicode scalar values of `text`; `end` is not part of the span.
    spans: Vec<SpanRecord<'a>>,
    /// Names, or objects where something more is said.
    labels: Vec<LabelRecord<'a>>,
}

#[derive(Serialize)]
struct SpanRecord<'a> {
    start: u32,
    end: u32,
    label: &'a str,
    id: AnnotationId,
    category_id: i64,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Values::is_empty")]
    attributes: Values,
    /// Relations go to the ids of other spans.
    #[serde(flatten)]
    links: &'a Links,
}

#[derive(Serialize)]
#[serde(untagged)]
enum LabelRecord<'a> {
    Name(&'a str),
    More {
        label: &'a str,
        category_id: i64,
        attributes: Values,
    },
}

impl Writer for TextJsonlWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.file("categories.json", &crate::jsonl::categories(&self.dataset)?)
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let mut record = DocumentRecord {
            id: item.id,
            name: item.name,
            text: item.text,
            attributes: item.about.into(),
            spans: Vec::new(),
            labels: Vec::new(),
        };
        let names = self.dataset.categories.iter().map(|c| c.name.as_str());
        // Of two categories of one name the id tells which.
        let twice = |name: &str| names.clone().filter(|n| *n == name).count() > 1;
        for l in labels {
            let Some(category) = self.dataset.categories.get(l.category) else {
                continue;
            };
            let label = category.name.as_str();
            if let Shape::Span { start, end } = *l.shape {
                record.spans.push(SpanRecord {
                    start,
                    end,
                    label,
                    id: l.id,
                    category_id: category.id,
                    source: l.source,
                    score: l.score,
                    attributes: l.attributes.into(),
                    links: l.links,
                });
            } else if l.attributes.is_empty() && !twice(label) {
                record.labels.push(LabelRecord::Name(label));
            } else {
                record.labels.push(LabelRecord::More {
                    label,
                    category_id: category.id,
                    attributes: l.attributes.into(),
                });
            }
        }
        record.spans.sort_by_key(|s| (s.start, s.end, s.id));
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        tally.items += 1;
        tally.labels += labels.len() as u64;
        out.append(FILE, 0, &line)
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn picture(&self, name: &str) -> String {
        format!("{DOCUMENTS}/{name}")
    }
}

/// Reads `categories.json`, then documents.
#[derive(Debug, Default)]
pub struct TextJsonlReader {
    columns: Option<TextColumns>,
    categories: JsonlReader,
}

impl TextJsonlReader {
    pub fn new(columns: Option<TextColumns>) -> Self {
        Self {
            columns,
            categories: JsonlReader::default(),
        }
    }

    /// The field that was chosen, or the first of the usual names there is. Nothing else is looked at once somebody has
    /// chosen.
    fn field<'r>(
        &self,
        record: &'r Map<String, Value>,
        chosen: impl Fn(&TextColumns) -> Option<&str>,
        usual: &[&str],
    ) -> Option<&'r Value> {
        match &self.columns {
            Some(columns) => record.get(chosen(columns)?),
            None => usual.iter().find_map(|n| record.get(*n)),
        }
        .filter(|v| !v.is_null())
    }

    fn document(
        &mut self,
        record: &Map<String, Value>,
        (path, line, n): (&str, u64, u64),
        gather: &mut Gather,
        findings: &mut Findings,
    ) -> Result<(), (&'static str, String)> {
        let text = self.field(record, |c| Some(&c.text), table::TEXT);
        let name = self.field(record, |c| c.name.as_deref(), table::NAME);
        let id = self.field(record, |c| c.id.as_deref(), table::ID);
        let text = match text {
            None => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::String(_)) => return Err(("empty_text", "The document's text is empty.".to_owned())),
            Some(_) => return Err(("bad_record", "The document's text is no text.".to_owned())),
        };
        let own_name = scalar(name);
        if text.is_none() && own_name.is_none() {
            let why = "The line has neither a text nor the name of a document of the project.";
            return Err(("no_text", why.to_owned()));
        }
        let name = own_name
            .or_else(|| scalar(id).map(|id| by_id(path, &id)))
            .unwrap_or_else(|| nth(path, n));
        let document = gather.document(name, text, line)?;
        let about = record
            .get("attributes")
            .and_then(|v| serde_json::from_value::<Values>(v.clone()).ok());
        if let Some(image) = gather.out.images.last_mut() {
            image.attributes = about.and_then(|v| v.0);
        }
        let chosen = self.columns.as_ref().and_then(|c| c.label.clone());
        let usual = [
            "spans", "ents", "entities", "labels", "label", "category", "class",
        ];
        let fields: Vec<&str> = match (&self.columns, &chosen) {
            // Spans have one meaning, whatever column was chosen for the label.
            (Some(_), Some(label)) => {
                let mut all = vec!["spans", "ents", "entities", label.as_str()];
                all.dedup();
                all
            }
            (Some(_), None) => vec!["spans", "ents", "entities"],
            (None, _) => usual.to_vec(),
        };
        for field in fields {
            let values = match record.get(field) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(list)) => list.as_slice(),
                Some(one) => std::slice::from_ref(one),
            };
            for (i, value) in values.iter().enumerate() {
                let record = format!("{field}[{i}]");
                let place = (line, Some(record.as_str()));
                match found(value) {
                    Some(found) => gather.label(&mut self.categories, document, found, place, findings),
                    None => findings.refused("bad_record", || {
                        Detail::new(
                            "This is no label: a name, {\"start\", \"end\", \"label\"} or [start, end, label] is.",
                        )
                        .line(line)
                        .record(record.clone())
                    }),
                }
            }
        }
        Ok(())
    }
}

/// A text or a number as text.
fn scalar(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(s) if !s.trim().is_empty() => Some(s.trim().to_owned()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// The label that a value says; `None` for what is none.
fn found(value: &Value) -> Option<Found<'_>> {
    match value {
        Value::String(name) => Some(Found::whole(name)),
        Value::Array(list) => match list.as_slice() {
            [start, end, Value::String(name), ..] => Some(Found {
                span: Some((start.as_i64()?, end.as_i64()?)),
                ..Found::whole(name)
            }),
            _ => None,
        },
        Value::Object(object) => {
            let any = |names: &[&str]| names.iter().find_map(|n| object.get(*n));
            let id = object.get("category_id").and_then(Value::as_i64);
            let name = any(&["label", "category", "type", "tag", "entity_group"]).and_then(Value::as_str);
            let start = any(&["start", "start_offset", "begin"]);
            let end = any(&["end", "end_offset"]);
            let span = match (start, end) {
                (None, None) => None,
                (start, end) => Some((start?.as_i64()?, end?.as_i64()?)),
            };
            let attributes: Option<Values> = object
                .get("attributes")
                .and_then(|v| serde_json::from_value(v.clone()).ok());
            let attributes: Option<Box<ImportedAttributes>> = attributes.and_then(|v| v.0);
            (name.is_some() || id.is_some()).then_some(Found {
                category_id: id,
                category: name.unwrap_or_default(),
                span,
                score: object.get("score").and_then(Value::as_f64),
                attributes,
                links: links(object),
            })
        }
        _ => None,
    }
}

/// Group and relations, as ours are written.
fn links(object: &Map<String, Value>) -> Option<Box<ImportedLinks>> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let relations = object.get("relations").and_then(Value::as_array);
    let relation = |r: &Value| {
        let kind = r.get("kind").and_then(Value::as_str).unwrap_or_default();
        Some((r.get("to")?.as_str()?.to_owned(), kind.to_owned()))
    };
    ImportedLinks {
        key: text("id"),
        group: text("group"),
        relations: relations.into_iter().flatten().filter_map(relation).collect(),
    }
    .some()
}

impl Reader for TextJsonlReader {
    fn table(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<(), FormatError> {
        self.categories.table(path, reader, findings)
    }

    fn begin(&mut self) -> Imported {
        self.categories.begin()
    }

    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let mut lines = Lines::new(reader, LINE_MAX);
        let mut gather = Gather::default();
        let (mut buffer, mut n, mut any) = (Vec::new(), 0, false);
        loop {
            buffer.clear();
            lines.record();
            let line = lines.line();
            match lines.read_until(b'\n', &mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                    findings.refused("record_too_long", || {
                        Detail::new(format!("{e}; what stands before was taken.")).line(line)
                    });
                    break;
                }
                Err(e) => return Err(e.into()),
            }
            if line == 1 && buffer.starts_with(b"\xef\xbb\xbf") {
                buffer.drain(..3);
            }
            if buffer.trim_ascii().is_empty() {
                continue;
            }
            n += 1;
            let read = match serde_json::from_slice::<Map<String, Value>>(&buffer) {
                Ok(record) => {
                    any = true;
                    self.document(&record, (path, line, n), &mut gather, findings)
                }
                Err(_) if std::str::from_utf8(&buffer).is_err() => Err((
                    "not_utf8",
                    "The line is not UTF-8. Save the file as UTF-8.".to_owned(),
                )),
                Err(e) => Err(("bad_record", format!("The line is no JSON object: {e}."))),
            };
            if let Err((code, why)) = read {
                findings.refused(code, || Detail::new(why).line(line));
            }
        }
        if !any && findings.count("bad_record") + findings.count("not_utf8") > 0 {
            return Err(FormatError::NotTheFormat(format!(
                "`{}` has no line that is a document, as in {{\"text\": \"...\", \"labels\": []}}.",
                quote(findings.file())
            )));
        }
        Ok(gather.finish(&self.categories))
    }
}
