//! Tables: a document a line with its text and its categories; of spans a line each, without the text.

use super::DOCUMENTS;
use super::gather::{Found, Gather, Refusal, by_id, nth};
use crate::csv::{Records, attributes, quoted};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::jsonl::JsonlReader;
use crate::model::Imported;
use crate::read::Reader;
use crate::write::{Dataset, Item, Label, Output, Tally, Writer};
use limn_domain::import::TextColumns;
use limn_domain::{table, text};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Read};

const FILE: &str = "labels.csv";
const RECORD_MAX: u64 = 64 << 20;
/// Between the categories of a document.
const BETWEEN: char = '|';

#[derive(Debug)]
pub struct TableWriter {
    names: Vec<String>,
    spans: bool,
    attributes: bool,
}

impl TableWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            spans: dataset.task.marks_objects(),
            attributes: dataset.categories.iter().any(|c| !c.attributes.is_empty()),
        }
    }

    fn name(&self, label: &Label<'_>) -> &str {
        self.names.get(label.category).map_or("", String::as_str)
    }

    fn rows(&self, item: &Item<'_>, labels: &[Label<'_>], tally: &mut Tally) -> io::Result<String> {
        let mut out = String::new();
        let name = quoted(item.name);
        let more = if self.attributes { "," } else { "" };
        if !self.spans {
            let all: Vec<&str> = labels.iter().map(|l| self.name(l)).collect();
            for _ in all.iter().filter(|n| n.contains(BETWEEN)) {
                tally.changed("categories have a | in their name, which an import takes for two");
            }
            let all = all.join(&BETWEEN.to_string());
            // Writing to a text cannot fail.
            let _ = write!(out, "{},{name},{},{}", item.id, quoted(item.text), quoted(&all));
            if self.attributes {
                let said: HashMap<&str, _> = labels
                    .iter()
                    .filter(|l| !l.attributes.is_empty())
                    .map(|l| (self.name(l), l.attributes))
                    .collect();
                out.push(',');
                if !said.is_empty() {
                    let sorted: std::collections::BTreeMap<_, _> = said.into_iter().collect();
                    out.push_str(&quoted(&serde_json::to_string(&sorted)?));
                }
            }
            out.push('\n');
            return Ok(out);
        }
        if labels.is_empty() {
            let _ = writeln!(out, "{},{name},,,,{more}", item.id);
            return Ok(out);
        }
        // One walk over the text for all spans.
        let of = text::Text::new(item.text.to_owned());
        let mut sorted: Vec<(u32, u32, &Label<'_>)> = labels
            .iter()
            .filter_map(|l| l.shape.span().map(|(start, end)| (start, end, l)))
            .collect();
        sorted.sort_by_key(|(start, end, l)| (*start, *end, l.id));
        for (start, end, l) in sorted {
            let covered = quoted(of.slice(start, end));
            let _ = write!(
                out,
                "{},{name},{},{start},{end},{covered}",
                item.id,
                quoted(self.name(l))
            );
            if self.attributes {
                out.push(',');
                if !l.attributes.is_empty() {
                    out.push_str(&quoted(&serde_json::to_string(l.attributes)?));
                }
            }
            out.push('\n');
        }
        Ok(out)
    }
}

impl Writer for TableWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let columns = if self.spans {
            "id,name,label,start,end,quote"
        } else {
            "id,name,text,label"
        };
        let more = if self.attributes { ",attributes" } else { "" };
        out.append(FILE, 0, format!("{columns}{more}\n").as_bytes())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let rows = self.rows(item, labels, tally)?;
        tally.items += 1;
        tally.labels += labels.len() as u64;
        out.append(FILE, 0, rows.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn picture(&self, name: &str) -> String {
        format!("{DOCUMENTS}/{name}")
    }
}

/// Reads tables.
#[derive(Debug, Default)]
pub struct TableReader {
    columns: Option<TextColumns>,
    categories: JsonlReader,
}

impl TableReader {
    pub fn new(columns: Option<TextColumns>) -> Self {
        Self {
            columns,
            categories: JsonlReader::default(),
        }
    }
}

/// Where each column is.
struct Places {
    text: Option<usize>,
    name: Option<usize>,
    label: Option<usize>,
    id: Option<usize>,
    attributes: Option<usize>,
    span: Option<(usize, usize)>,
    /// Fields of the header.
    width: usize,
}

impl Places {
    /// Errors: what is missing, as a sentence.
    fn of(header: &[String], chosen: Option<&TextColumns>) -> Result<Self, String> {
        let at = |name: &str| header.iter().position(|h| h.trim() == name.trim());
        let usual = |names: &[&str]| {
            table::guess(header, names).and_then(|name| header.iter().position(|h| h == name))
        };
        let spans = usual(&["start"]).zip(usual(&["end"]));
        let missing = |name: &str| {
            let all: Vec<_> = header.iter().take(20).map(|h| quote(h)).collect();
            let name = quote(name);
            format!("The table has no column `{name}`; it has {}.", all.join(", "))
        };
        let wanted = |name: &Option<String>| match name.as_deref() {
            None => Ok(None),
            Some(name) => at(name).map(Some).ok_or_else(|| missing(name)),
        };
        let (text, name, label, id) = match chosen {
            Some(c) => (
                Some(at(&c.text).ok_or_else(|| missing(&c.text))?),
                wanted(&c.name)?,
                wanted(&c.label)?,
                wanted(&c.id)?,
            ),
            None => (
                usual(table::TEXT),
                usual(table::NAME),
                usual(table::LABEL),
                usual(table::ID),
            ),
        };
        // Spans without texts are of documents that the project has.
        if text.is_none() && !(spans.is_some() && name.is_some() && label.is_some()) {
            return Err(missing("text"));
        }
        Ok(Self {
            text,
            name,
            label,
            id,
            attributes: usual(&["attributes"]),
            span: spans.filter(|_| text.is_none()),
            width: header.len(),
        })
    }
}

impl Reader for TableReader {
    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let mut records = Records::new(reader, RECORD_MAX);
        let header = records.header()?.unwrap_or_default();
        if header.iter().any(|h| h.contains('\0')) {
            return Err(FormatError::NotTheFormat(format!(
                "`{}` is no text in UTF-8. Save the table as CSV in UTF-8.",
                quote(findings.file())
            )));
        }
        let places = Places::of(&header, self.columns.as_ref()).map_err(|why| {
            let why = format!("{why} Choose the columns, or name one `text`.");
            FormatError::NotTheFormat(format!("`{}`: {why}", quote(findings.file())))
        })?;
        let mut table = Table {
            places,
            path,
            gather: Gather::default(),
            known: HashMap::new(),
            n: 0,
        };
        loop {
            let line = records.line();
            let record = match records.next_bytes() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                    findings.refused("record_too_long", || {
                        Detail::new(format!(
                            "The file cannot be read on from here: {e}. Is a quote left open?"
                        ))
                        .line(line)
                    });
                    break;
                }
                Err(e) => return Err(e.into()),
            };
            table.n += 1;
            if let Err((code, why)) = table.take(&mut self.categories, &record, line, findings) {
                findings.refused(code, || Detail::new(why).line(line));
            }
        }
        Ok(table.gather.finish(&self.categories))
    }
}

struct Table<'a> {
    places: Places,
    path: &'a str,
    gather: Gather,
    /// Documents without a text, by name.
    known: HashMap<String, u32>,
    n: u64,
}

impl Table<'_> {
    fn take(
        &mut self,
        categories: &mut JsonlReader,
        record: &[Vec<u8>],
        line: u64,
        findings: &mut Findings,
    ) -> Result<(), Refusal> {
        let (have, want) = (record.len(), self.places.width);
        if have != want {
            let why = format!("The line has {have} fields, the header {want}. Is a quote missing?");
            return Err(("ragged_row", why));
        }
        let mut fields = Vec::with_capacity(have);
        for (n, field) in record.iter().enumerate() {
            fields.push(std::str::from_utf8(field).map_err(|e| {
                let (column, byte) = (n + 1, e.valid_up_to() + 1);
                let why = format!("Column {column} is not UTF-8 at its byte {byte}. Save the file as UTF-8.");
                ("not_utf8", why)
            })?);
        }
        let at = |n: Option<usize>| n.map(|n| fields[n]).filter(|f| !f.trim().is_empty());
        let name = match (at(self.places.name), at(self.places.id)) {
            (Some(name), _) => name.trim().to_owned(),
            (None, Some(id)) => by_id(self.path, id.trim()),
            (None, None) => nth(self.path, self.n),
        };
        let said = at(self.places.attributes).unwrap_or_default();
        let label = at(self.places.label);
        if let Some((start, end)) = self.places.span {
            let document = if let Some(n) = self.known.get(&name) {
                *n
            } else {
                let n = self.gather.document(name.clone(), None, line)?;
                self.known.insert(name, n);
                n
            };
            let (Some(label), Some(start), Some(end)) = (label, at(Some(start)), at(Some(end))) else {
                // A document without spans.
                return Ok(());
            };
            let number = |t: &str| t.trim().parse::<i64>().ok();
            let span = number(start).zip(number(end)).ok_or_else(|| {
                let why = "The span needs two whole numbers.".to_owned();
                ("bad_span", why)
            })?;
            let found = Found {
                span: Some(span),
                attributes: attributes(said, line, findings),
                ..Found::whole(label.trim())
            };
            self.gather
                .label(categories, document, found, (line, None), findings);
            return Ok(());
        }
        let Some(text) = at(self.places.text) else {
            return Err(("empty_text", "The document's text is empty.".to_owned()));
        };
        let document = self.gather.document(name, Some(text.to_owned()), line)?;
        let by_category: HashMap<String, crate::attributes::Values> =
            serde_json::from_str(said).unwrap_or_default();
        let mut by_category = by_category;
        for one in label.into_iter().flat_map(|l| l.split(BETWEEN)) {
            let one = one.trim();
            if one.is_empty() {
                continue;
            }
            let found = Found {
                attributes: by_category.remove(one).and_then(|v| v.0),
                ..Found::whole(one)
            };
            self.gather
                .label(categories, document, found, (line, None), findings);
        }
        Ok(())
    }
}
