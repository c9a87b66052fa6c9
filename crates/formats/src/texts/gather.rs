//! What the readers of documents have in common.

use crate::attributes::ImportedAttributes;
use crate::findings::{Detail, Findings};
use crate::jsonl::JsonlReader;
use crate::model::{Imported, ImportedAnnotation, ImportedImage, ImportedLinks, ImportedShape};
use limn_domain::Shape;

const DOCUMENTS_MAX: usize = 1_000_000;
const LABELS_MAX: usize = 5_000_000;
/// Bytes of text taken from one file, which are in memory at once.
const TEXT_MAX: usize = 256 << 20;

/// Stable name and sentence of why something was left out.
pub(super) type Refusal = (&'static str, String);

/// A label as a file gives it.
pub(super) struct Found<'a> {
    pub category_id: Option<i64>,
    pub category: &'a str,
    /// Start and end; `None` for the whole document.
    pub span: Option<(i64, i64)>,
    pub score: Option<f64>,
    pub attributes: Option<Box<ImportedAttributes>>,
    pub links: Option<Box<ImportedLinks>>,
}

impl<'a> Found<'a> {
    pub const fn whole(category: &'a str) -> Self {
        Self {
            category_id: None,
            category,
            span: None,
            score: None,
            attributes: None,
            links: None,
        }
    }
}

/// Documents and labels while a file is read. Categories are kept over several files.
#[derive(Default)]
pub(super) struct Gather {
    pub out: Imported,
    bytes: usize,
}

impl Gather {
    /// A document of the file; without a text it is one that the project has.
    pub fn document(&mut self, name: String, text: Option<String>, line: u64) -> Result<u32, Refusal> {
        if self.out.images.len() >= DOCUMENTS_MAX {
            let why = format!("Only the first {DOCUMENTS_MAX} documents of a file are taken; split it.");
            return Err(("too_many", why));
        }
        self.bytes += text.as_ref().map_or(0, String::len);
        if self.bytes > TEXT_MAX {
            let why = format!(
                "Only the first {} MiB of text of a file are taken; split it.",
                TEXT_MAX >> 20
            );
            return Err(("too_much_text", why));
        }
        let n = self.out.images.len() as u32;
        self.out.images.push(ImportedImage {
            file_name: Some(name),
            text,
            line,
            ..ImportedImage::default()
        });
        Ok(n)
    }

    /// A label of a document; one that cannot be used is in the findings.
    pub fn label(
        &mut self,
        categories: &mut JsonlReader,
        document: u32,
        found: Found<'_>,
        (line, record): (u64, Option<&str>),
        findings: &mut Findings,
    ) {
        if let Err((code, why)) = self.put(categories, document, found, line) {
            findings.refused(code, || {
                let detail = Detail::new(why).line(line);
                match record {
                    Some(record) => detail.record(record),
                    None => detail,
                }
            });
        }
    }

    fn put(
        &mut self,
        categories: &mut JsonlReader,
        document: u32,
        found: Found<'_>,
        line: u64,
    ) -> Result<(), Refusal> {
        if self.out.annotations.len() >= LABELS_MAX {
            let why = format!("Only the first {LABELS_MAX} labels of a file are taken.");
            return Err(("too_many", why));
        }
        let shape = match found.span {
            None => ImportedShape::Whole,
            Some((start, end)) => {
                let (Ok(from), Ok(to)) = (u32::try_from(start), u32::try_from(end)) else {
                    return Err(("bad_span", format!("The span from {start} to {end} is none.")));
                };
                if from >= to {
                    let why = format!("The span from {start} to {end} is empty; its end is not part of it.");
                    return Err(("bad_span", why));
                }
                ImportedShape::Other(Box::new(Shape::Span { start: from, end: to }))
            }
        };
        let category = categories.named(found.category_id, found.category, line)?;
        self.out.annotations.push(ImportedAnnotation {
            image: document,
            category,
            shape,
            score: found.score.filter(|s| s.is_finite()).map(|s| s.clamp(0.0, 1.0)),
            attributes: found.attributes,
            links: found.links,
            id: None,
            index: self.out.annotations.len() as u32,
            line: u32::try_from(line).unwrap_or(0),
        });
        Ok(())
    }

    /// What was read.
    pub fn finish(mut self, categories: &JsonlReader) -> Imported {
        self.out.categories = categories.categories().to_vec();
        self.out.annotations.sort_by_key(|a| (a.image, a.index));
        self.out
    }
}

/// The name of a document without one: the file's, and its place there.
pub(super) fn nth(path: &str, n: u64) -> String {
    let base = path.rsplit('/').next().unwrap_or(path);
    format!("{}/{n:06}.txt", crate::names::stem(base))
}

/// A name for a document by an id of the file: what would make a folder does not.
pub(super) fn by_id(path: &str, id: &str) -> String {
    let base = path.rsplit('/').next().unwrap_or(path);
    let plain: String = id
        .chars()
        .map(|c| if matches!(c, '/' | '\\') { '_' } else { c })
        .collect();
    format!("{}/{plain}.txt", crate::names::stem(base))
}
