//! Reads CSV: our columns, or those of many others (`filename`, `class`, `xmin`, `ymin`, `xmax`, `ymax`).

use super::records::Records;
use crate::attributes::{ImportedAttributes, Values};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedShape};
use limn_domain::{Point, Rect, Shape, validate};
use std::collections::HashMap;
use std::io::Read;

const RECORD_MAX: u64 = 64 << 20;
const IMAGES_MAX: usize = 2_000_000;
const LABELS_MAX: usize = 5_000_000;

/// Where each column is.
struct Columns {
    file: usize,
    category: usize,
    width: Option<usize>,
    height: Option<usize>,
    kind: Option<usize>,
    geometry: Option<usize>,
    score: Option<usize>,
    attributes: Option<usize>,
    /// x, y, w, h
    sides: Option<[usize; 4]>,
    /// xmin, ymin, xmax, ymax
    corners: Option<[usize; 4]>,
}

impl Columns {
    fn of(header: &[String]) -> Option<Self> {
        let names: Vec<String> = header.iter().map(|h| h.trim().to_lowercase()).collect();
        let find = |all: &[&str]| all.iter().find_map(|n| names.iter().position(|h| h == n));
        let four = |all: [&[&str]; 4]| Some([find(all[0])?, find(all[1])?, find(all[2])?, find(all[3])?]);
        Some(Self {
            file: find(&["file", "filename", "file_name", "image", "image_path", "path"])?,
            category: find(&["category", "class", "label", "name", "class_name"])?,
            width: find(&["width", "image_width"]),
            height: find(&["height", "image_height"]),
            kind: find(&["kind"]),
            geometry: find(&["geometry"]),
            score: find(&["score", "confidence"]),
            attributes: find(&["attributes"]),
            sides: four([&["x"], &["y"], &["w"], &["h"]]),
            corners: four([&["xmin", "x1"], &["ymin", "y1"], &["xmax", "x2"], &["ymax", "y2"]]),
        })
    }
}

/// Reads a file. Errors: no header that names a file and a category, or reading fails.
pub fn read(reader: &mut dyn Read, findings: &mut Findings) -> Result<Imported, FormatError> {
    let mut records = Records::new(reader, RECORD_MAX);
    let header = records.header()?.unwrap_or_default();
    let Some(columns) = Columns::of(&header) else {
        return Err(FormatError::NotTheFormat(format!(
            "The first line of `{}` must name the columns, among them `file` and `category`.",
            quote(findings.file())
        )));
    };
    let mut gather = Gather {
        out: Imported::default(),
        images: HashMap::new(),
        categories: HashMap::new(),
    };
    loop {
        let line = records.line();
        let record = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
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
        if let Err((code, why)) = gather.take(&columns, &record, line, findings) {
            findings.refused(code, || Detail::new(why).line(line));
        }
    }
    gather.out.annotations.sort_by_key(|a| (a.image, a.index));
    Ok(gather.out)
}

struct Gather {
    out: Imported,
    images: HashMap<String, u32>,
    categories: HashMap<String, u32>,
}

type Refusal = (&'static str, String);

impl Gather {
    fn take(
        &mut self,
        columns: &Columns,
        record: &[String],
        line: u64,
        findings: &mut Findings,
    ) -> Result<(), Refusal> {
        let field = |n: usize| record.get(n).map_or("", |f| f.trim());
        let number = |n: usize| field(n).parse::<f64>().ok().filter(|v| v.is_finite());
        let file = field(columns.file);
        if file.is_empty() || file.len() > 4_096 {
            return Err(("no_file_name", "The line names no file.".to_owned()));
        }
        let size = columns
            .width
            .and_then(number)
            .zip(columns.height.and_then(number));
        let size = size.filter(|(w, h)| *w >= 1.0 && *h >= 1.0);
        let image = self.image(file, size, line)?;
        let name = field(columns.category);
        if name.is_empty() {
            // An item without labels.
            return Ok(());
        }
        if self.out.annotations.len() >= LABELS_MAX {
            return Err((
                "too_many",
                format!("Only the first {LABELS_MAX} labels of a file are taken."),
            ));
        }
        let name = validate::name("category", name)
            .map_err(|why| ("bad_name", format!("The category cannot be used. {why}")))?;
        let shape = shape(columns, &field, size)?;
        let next = self.categories.len() as u32;
        let category = *self.categories.entry(name).or_insert_with_key(|name| {
            self.out.categories.push(ImportedCategory {
                name: Some(name.clone()),
                line,
                ..ImportedCategory::default()
            });
            next
        });
        self.out.annotations.push(ImportedAnnotation {
            image,
            category,
            shape,
            score: columns.score.and_then(number).map(|s| s.clamp(0.0, 1.0)),
            attributes: attributes(columns.attributes.map_or("", field), line, findings),
            id: None,
            index: self.out.annotations.len() as u32,
            line: u32::try_from(line).unwrap_or(0),
            links: None,
        });
        Ok(())
    }

    fn image(&mut self, file: &str, size: Option<(f64, f64)>, line: u64) -> Result<u32, Refusal> {
        if let Some(n) = self.images.get(file) {
            return Ok(*n);
        }
        if self.images.len() >= IMAGES_MAX {
            return Err((
                "too_many",
                format!("Only the first {IMAGES_MAX} images of a file are taken."),
            ));
        }
        let n = self.images.len() as u32;
        self.images.insert(file.to_owned(), n);
        self.out.images.push(ImportedImage {
            file_name: Some(file.to_owned()),
            size,
            line,
            ..ImportedImage::default()
        });
        Ok(n)
    }
}

/// The values of a label; what is no JSON object costs only itself.
pub(crate) fn attributes(text: &str, line: u64, findings: &mut Findings) -> Option<Box<ImportedAttributes>> {
    if text.is_empty() {
        return None;
    }
    let values: Result<Values, _> = serde_json::from_str(text);
    values.map_or_else(
        |e| {
        findings.fixed("bad_attributes", || {
            Detail::new(format!(
                "The attributes are no JSON object and were left out: {e}. Write them as in {{\"color\": \"red\"}}."
            ))
            .line(line)
        });
        None
    }, |v| v.0)
}

fn shape<'r>(
    columns: &Columns,
    field: &impl Fn(usize) -> &'r str,
    size: Option<(f64, f64)>,
) -> Result<ImportedShape, Refusal> {
    let geometry = columns.geometry.map_or("", field);
    if !geometry.is_empty() {
        let shape: Shape = serde_json::from_str(geometry)
            .map_err(|e| ("bad_geometry", format!("The geometry is no shape: {e}.")))?;
        let size = size.map_or((0, 0), |(w, h)| (w as u32, h as u32));
        return Ok(ImportedShape::own(shape, size));
    }
    let kind = columns.kind.map_or("", field);
    if kind == "whole" {
        return Ok(ImportedShape::Whole);
    }
    let four = |columns: [usize; 4]| {
        let texts = columns.map(field);
        if texts.iter().all(|t| t.is_empty()) {
            return Ok(None);
        }
        let numbers = texts.map(|t| t.parse::<f64>().ok().filter(|v| v.is_finite()));
        match numbers {
            [Some(a), Some(b), Some(c), Some(d)] => Ok(Some([a, b, c, d])),
            _ => Err(("bad_box", "The box needs four numbers.".to_owned())),
        }
    };
    if let Some([x, y, w, h]) = columns.sides.map_or(Ok(None), four)? {
        return Ok(ImportedShape::Box(Rect::new(x, y, w, h)));
    }
    if let Some([x0, y0, x1, y1]) = columns.corners.map_or(Ok(None), four)? {
        return Ok(ImportedShape::Box(Rect::from_corners(
            Point::new(x0, y0),
            Point::new(x1, y1),
        )));
    }
    if matches!(kind, "" | "box") && columns.sides.is_none() && columns.corners.is_none() {
        return Ok(ImportedShape::Whole);
    }
    Err(("bad_box", "The line has no box and no geometry.".to_owned()))
}
