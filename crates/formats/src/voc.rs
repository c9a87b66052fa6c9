//! Pascal VOC: one small XML file for each image (the VOC2012 development kit, host.robots.ox.ac.uk/pascal/VOC).
//!
//! Corners are taken as they are: `x = xmin`, `y = ymin`, `w = xmax - xmin`, `h = ymax - ymin`. The first VOC sets
//! counted pixels from 1 and included the last one, but the tools that write VOC today (labelImg and its successors)
//! write edges from 0, and a box must come out of a round trip as it went in.

mod export;
mod xml;

pub use export::VocWriter;

use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedShape};
use crate::read::Role;
use limn_domain::{Point, Rect};
use std::io::Read;
use xml::{Next, Walker};

/// Longest file read, in bytes. Real ones have a few kilobytes.
pub const FILE_MAX: u64 = 16 << 20;
/// Most objects taken from one file.
const OBJECTS_MAX: usize = 100_000;
/// Longest text kept of one element.
const TEXT_MAX: usize = 4_096;

/// The role of a file; in lower case.
pub(crate) fn role(path: &str, extension: &str) -> Option<Role> {
    match extension {
        "xml" => Some(Role::Labels),
        // Lists of pictures and of classes say nothing that the files do not.
        "txt" if path.contains("imagesets/") || path.ends_with("labelmap.txt") => Some(Role::Passed),
        _ => None,
    }
}

/// Reads one VOC file; `stem` is its own name without folder and extension, by which the picture is looked for when the
/// file does not name one that exists. Objects that cannot be used are in `findings`; broken XML costs only what comes
/// after the break. Entities other than the predefined ones are not expanded, and nothing is ever fetched.
pub fn read<R: Read>(reader: R, stem: &str, findings: &mut Findings) -> Result<Imported, FormatError> {
    let mut bytes = Vec::new();
    reader.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    let file = quote(findings.file());
    if bytes.len() as u64 > FILE_MAX {
        let mib = FILE_MAX >> 20;
        return Err(FormatError::NotTheFormat(format!(
            "`{file}` is longer than {mib} MiB; a VOC file describes one picture."
        )));
    }
    let text = decode(bytes, findings);
    let mut parsed = Parsed::default();
    // The mark of the byte order would shift every position.
    parsed.walk(text.trim_start_matches('\u{feff}'), findings);
    if !parsed.is_voc {
        return Err(FormatError::NotTheFormat(format!(
            "`{file}` has no `annotation` element at its top, so it is not a Pascal VOC file."
        )));
    }
    Ok(parsed.finish(stem, findings))
}

/// The file as text; XML may come as UTF-16 or, mislabeled, in an 8-bit code.
fn decode(bytes: Vec<u8>, findings: &mut Findings) -> String {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|c| from([c[0], c[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => return wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return wide(u16::from_be_bytes),
        _ => {}
    }
    String::from_utf8(bytes).unwrap_or_else(|e| {
        findings.fixed("not_utf8", || {
            Detail::new("The file is not UTF-8 and was read as Latin-1; check names with accents.")
        });
        e.into_bytes().into_iter().map(char::from).collect()
    })
}

#[derive(Default)]
struct Parsed {
    is_voc: bool,
    file_name: Option<String>,
    path: Option<String>,
    width: Option<f64>,
    height: Option<f64>,
    objects: Vec<Object>,
}

#[derive(Default, Clone)]
struct Object {
    line: u64,
    name: Option<String>,
    has_box: bool,
    /// xmin, ymin, xmax, ymax
    corners: [Option<f64>; 4],
}

impl Parsed {
    fn walk(&mut self, text: &str, findings: &mut Findings) {
        let mut walker = Walker::new(text, TEXT_MAX);
        let mut object: Option<Object> = None;
        loop {
            match walker.next() {
                Ok(Next::Open {
                    path: ["annotation"], ..
                }) => self.is_voc = true,
                Ok(Next::Open {
                    path: ["annotation", "object"],
                    line,
                }) => {
                    object = Some(Object {
                        line,
                        ..Object::default()
                    });
                }
                Ok(Next::Open {
                    path: ["annotation", "object", "bndbox"],
                    ..
                }) => {
                    if let Some(o) = &mut object {
                        o.has_box = true;
                    }
                }
                Ok(Next::Close {
                    path: ["annotation", "object"],
                    ..
                }) => {
                    if self.objects.len() < OBJECTS_MAX {
                        self.objects.extend(object.take());
                    } else if object.take().is_some() {
                        findings.refused("too_many", || {
                            Detail::new(format!(
                                "Only the first {OBJECTS_MAX} objects of a file are taken."
                            ))
                        });
                    }
                }
                Ok(Next::Close { path, text }) => self.field(path, text, object.as_mut()),
                Ok(Next::Entity { line }) => findings.note("entity", || {
                    Detail::new("The file declares or uses entities of its own; they are not expanded.")
                        .line(line)
                }),
                Ok(Next::Open { .. }) => {}
                Ok(Next::End) => {
                    if walker.is_open() {
                        let line = walker.line();
                        findings.refused("truncated", || {
                            Detail::new("The file ends before its elements are closed; the objects before that were taken.").line(line)
                        });
                    }
                    return;
                }
                Err((line, why)) => {
                    findings.refused("bad_xml", || {
                        Detail::new(format!(
                            "The XML is broken here ({why}); the objects before it were taken."
                        ))
                        .line(line)
                    });
                    return;
                }
            }
        }
    }

    fn field(&mut self, path: &[&str], text: &str, object: Option<&mut Object>) {
        let text = text.trim();
        let number = || text.parse::<f64>().ok().filter(|n| n.is_finite());
        match (path, object) {
            (["annotation", "filename"], _) => self.file_name = Some(text.to_owned()),
            (["annotation", "path"], _) => self.path = Some(text.to_owned()),
            (["annotation", "size", "width"], _) => self.width = number(),
            (["annotation", "size", "height"], _) => self.height = number(),
            (["annotation", "object", "name"], Some(o)) => o.name = Some(text.to_owned()),
            (["annotation", "object", "bndbox", corner], Some(o)) => {
                if let Some(i) = ["xmin", "ymin", "xmax", "ymax"].iter().position(|c| c == corner) {
                    o.corners[i] = number();
                }
            }
            _ => {}
        }
    }

    fn finish(self, stem: &str, findings: &mut Findings) -> Imported {
        let named = |n: &Option<String>| n.clone().filter(|n| !n.is_empty());
        let file_name = named(&self.file_name)
            .or_else(|| named(&self.path))
            .unwrap_or_else(|| stem.to_owned());
        let mut alternatives: Vec<String> = Vec::new();
        for other in [named(&self.path), Some(stem.to_owned())].into_iter().flatten() {
            if other != file_name && !other.is_empty() && !alternatives.contains(&other) {
                alternatives.push(other);
            }
        }
        let size = match (self.width, self.height) {
            (Some(w), Some(h)) if w >= 1.0 && h >= 1.0 => Some((w, h)),
            _ => None,
        };
        let mut out = Imported {
            images: vec![ImportedImage {
                id: None,
                file_name: Some(file_name),
                alternatives,
                without_extension: false,
                text: None,
                size,
                line: 1,
                attributes: None,
            }],
            ..Imported::default()
        };
        for (i, object) in self.objects.iter().enumerate() {
            let record = format!("object[{i}]");
            let (category, rect) = match object.check() {
                Ok(good) => good,
                Err((code, why)) => {
                    findings.refused(code, || Detail::new(why).line(object.line).record(record));
                    continue;
                }
            };
            let known = out
                .categories
                .iter()
                .position(|c| c.name.as_deref() == Some(&category));
            let category = known.unwrap_or_else(|| {
                out.categories.push(ImportedCategory {
                    id: None,
                    name: Some(category),
                    parent: None,
                    skeleton: None,
                    color: None,
                    attributes: Vec::new(),
                    line: object.line,
                });
                out.categories.len() - 1
            });
            out.annotations.push(ImportedAnnotation {
                image: 0,
                category: category as u32,
                shape: ImportedShape::Box(rect),
                score: None,
                attributes: None,
                id: None,
                index: i as u32,
                line: u32::try_from(object.line).unwrap_or(0),
                links: None,
            });
        }
        out
    }
}

impl Object {
    fn check(&self) -> Result<(String, Rect), (&'static str, String)> {
        let name = self.name.as_deref().unwrap_or_default();
        let name = limn_domain::validate::name("category", name)
            .map_err(|why| ("bad_name", format!("The object's name cannot be used. {why}")))?;
        let [Some(x0), Some(y0), Some(x1), Some(y1)] = self.corners else {
            let why = if self.has_box {
                "Its bndbox needs the four numbers xmin, ymin, xmax and ymax."
            } else {
                "It has no bndbox; only boxes are imported."
            };
            return Err(("bad_box", format!("`{}`: {why}", quote(&name))));
        };
        let rect = if x1 < x0 || y1 < y0 {
            // The reader of the label mends and reports corners in the wrong order.
            Rect::new(x0, y0, x1 - x0, y1 - y0)
        } else {
            Rect::from_corners(Point::new(x0, y0), Point::new(x1, y1))
        };
        Ok((name, rect))
    }
}

#[cfg(test)]
mod tests;
