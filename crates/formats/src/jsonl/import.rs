//! Reads JSONL.

use super::{CategoryRecord, LabelRecord};
use crate::attributes::Values;
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedLinks, ImportedShape,
};
use crate::read::{Lines, Reader, bytes};
use limn_domain::attribute::ATTRIBUTES_MAX;
use limn_domain::category::MAX_LEVELS;
use limn_domain::validate;
use limn_domain::{AnnotationId, Attribute, Links};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, Read};

const TABLE_MAX: u64 = 16 << 20;
const LINE_MAX: u64 = 64 << 20;
const LABELS_MAX: usize = 5_000_000;
const CATEGORIES_MAX: usize = 10_000;

#[derive(Deserialize)]
struct ItemRecord {
    file: String,
    width: Option<f64>,
    height: Option<f64>,
    #[serde(default)]
    attributes: Values,
    /// Parsed one by one: a label that cannot be read costs only itself.
    #[serde(default)]
    annotations: Vec<Value>,
}

/// Reads `categories.json`, then items.
#[derive(Debug, Default)]
pub struct JsonlReader {
    categories: Vec<ImportedCategory>,
    by_id: HashMap<i64, u32>,
    by_name: HashMap<String, u32>,
}

impl JsonlReader {
    /// Those of the table, and those that labels named since.
    pub(crate) fn categories(&self) -> &[ImportedCategory] {
        &self.categories
    }

    fn add(&mut self, category: ImportedCategory) -> Option<u32> {
        if self.categories.len() >= CATEGORIES_MAX {
            return None;
        }
        let n = self.categories.len() as u32;
        if let Some(name) = &category.name {
            self.by_name.entry(name.clone()).or_insert(n);
        }
        self.categories.push(category);
        Some(n)
    }

    fn category(&mut self, label: &LabelRecord, line: u64) -> Result<u32, (&'static str, String)> {
        let name = label.category.as_deref().unwrap_or_default();
        self.named(label.category_id, name, line)
    }

    /// The category of an id of `categories.json`, else of a name. Errors: stable name and sentence.
    pub(crate) fn named(
        &mut self,
        id: Option<i64>,
        name: &str,
        line: u64,
    ) -> Result<u32, (&'static str, String)> {
        if let Some(n) = id.and_then(|id| self.by_id.get(&id)) {
            return Ok(*n);
        }
        let name = validate::name("category", name)
            .map_err(|why| ("bad_name", format!("The label's category cannot be used. {why}")))?;
        if let Some(n) = self.by_name.get(&name) {
            return Ok(*n);
        }
        let category = ImportedCategory {
            name: Some(name),
            line,
            ..ImportedCategory::default()
        };
        self.add(category).ok_or_else(|| {
            (
                "too_many",
                format!("Only {CATEGORIES_MAX} categories can be told apart."),
            )
        })
    }
}

impl Reader for JsonlReader {
    fn table(&mut self, _: &str, reader: &mut dyn Read, findings: &mut Findings) -> Result<(), FormatError> {
        let bytes = bytes(
            reader,
            TABLE_MAX,
            "a list of categories has a few kilobytes",
            findings,
        )?;
        let records: Vec<CategoryRecord> = serde_json::from_slice(&bytes).map_err(|e| {
            FormatError::NotTheFormat(format!(
                "`{}` is no list of categories: {e}.",
                quote(findings.file())
            ))
        })?;
        let mut parents = Vec::new();
        for record in records {
            let Ok(name) = validate::name("category", &record.name) else {
                findings.refused("bad_name", || {
                    Detail::new(format!("The category `{}` cannot be used.", quote(&record.name)))
                });
                continue;
            };
            let color = record.color.map(|c| c.to_lowercase()).filter(|c| {
                c.len() == 7 && c.starts_with('#') && c[1..].bytes().all(|b| b.is_ascii_hexdigit())
            });
            let attributes = definitions(record.attributes, &name, findings);
            let added = self.add(ImportedCategory {
                attributes,
                id: Some(record.id),
                name: Some(name),
                color,
                skeleton: record.skeleton,
                line: 1,
                ..ImportedCategory::default()
            });
            if let Some(n) = added {
                self.by_id.insert(record.id, n);
                parents.push((n as usize, record.parent));
            }
        }
        for (n, parent) in parents {
            self.categories[n].parent = parent.and_then(|p| self.by_id.get(&p)).map(|p| *p as usize);
        }
        // Cycles and trees too deep stay flat.
        for n in 0..self.categories.len() {
            let (mut at, mut levels) = (n, 1);
            while let Some(p) = self.categories[at].parent {
                at = p;
                levels += 1;
                if levels > MAX_LEVELS {
                    self.categories[n].parent = None;
                    break;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Imported {
        Imported {
            categories: self.categories.clone(),
            ..Imported::default()
        }
    }

    fn labels(
        &mut self,
        _: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let mut lines = Lines::new(reader, LINE_MAX);
        let mut out = Imported::default();
        let (mut buffer, mut any) = (Vec::new(), false);
        loop {
            buffer.clear();
            lines.record();
            let line = lines.line();
            match lines.read_until(b'\n', &mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                    findings.refused("record_too_long", || {
                        Detail::new(format!("{e}; what stands before was taken.")).line(line)
                    });
                    break;
                }
                Err(e) => return Err(e.into()),
            }
            if buffer.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice::<ItemRecord>(&buffer) {
                Ok(item) => {
                    any = true;
                    self.item(item, line, &mut out, findings);
                }
                Err(e) => findings.refused("bad_record", || {
                    Detail::new(format!("The line is no item: {e}.")).line(line)
                }),
            }
        }
        if !any && findings.count("bad_record") > 0 {
            return Err(FormatError::NotTheFormat(format!(
                "`{}` has no line that is an item, as in {{\"file\": \"x.jpg\", \"annotations\": []}}.",
                quote(findings.file())
            )));
        }
        out.categories.clone_from(&self.categories);
        Ok(out)
    }
}

fn links(id: Option<AnnotationId>, links: Links) -> Option<Box<ImportedLinks>> {
    ImportedLinks {
        key: id.map(|id| id.to_string()),
        group: links.group.map(|g| g.to_string()),
        relations: links
            .relations
            .into_iter()
            .map(|r| (r.to.to_string(), r.kind))
            .collect(),
    }
    .some()
}

/// The attributes of the category `name`; those that cannot be read are in the findings.
fn definitions(list: Vec<Value>, name: &str, findings: &mut Findings) -> Vec<Attribute> {
    let mut out = Vec::new();
    // One more than there may be: who creates the category says what is wrong with that.
    for value in list.into_iter().take(ATTRIBUTES_MAX + 1) {
        match serde_json::from_value(value) {
            Ok(attribute) => out.push(attribute),
            Err(e) => findings.fixed("bad_attribute", || {
                Detail::new(format!(
                    "An attribute of `{}` cannot be read and was left out: {e}.",
                    quote(name)
                ))
            }),
        }
    }
    out
}

impl JsonlReader {
    fn item(&mut self, item: ItemRecord, line: u64, out: &mut Imported, findings: &mut Findings) {
        let size = item
            .width
            .zip(item.height)
            .filter(|(w, h)| *w >= 1.0 && *h >= 1.0);
        let pixels = size.map_or((0, 0), |(w, h)| (w as u32, h as u32));
        let image = out.images.len() as u32;
        out.images.push(ImportedImage {
            file_name: Some(item.file),
            size,
            attributes: item.attributes.0,
            line,
            ..ImportedImage::default()
        });
        let mut labels = Vec::new();
        for (value, index) in item.annotations.into_iter().zip(0_u32..) {
            let record = || format!("annotations[{index}]");
            let label: LabelRecord = match serde_json::from_value(value) {
                Ok(label) => label,
                Err(e) => {
                    let why = format!("The label cannot be read: {e}.");
                    findings.refused("bad_record", || Detail::new(why).line(line).record(record()));
                    continue;
                }
            };
            let category = match self.category(&label, line) {
                Ok(category) if out.annotations.len() < LABELS_MAX => category,
                Ok(_) => {
                    findings.refused("too_many", || {
                        Detail::new(format!("Only the first {LABELS_MAX} labels of a file are taken."))
                            .line(line)
                    });
                    return;
                }
                Err((code, why)) => {
                    findings.refused(code, || Detail::new(why).line(line).record(record()));
                    continue;
                }
            };
            labels.push((
                label.z,
                ImportedAnnotation {
                    image,
                    category,
                    shape: ImportedShape::own(label.shape, pixels),
                    score: label.score.map(|s| s.clamp(0.0, 1.0)),
                    attributes: label.attributes.0,
                    links: links(label.id, label.links),
                    id: None,
                    index,
                    line: u32::try_from(line).unwrap_or(0),
                },
            ));
        }
        labels.sort_by_key(|(z, _)| *z);
        out.annotations.extend(labels.into_iter().map(|(_, a)| a));
    }
}
