//! Reads COCO panoptic: the JSON as a table, then its pictures of segments.

use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::json::scan::{self, Element, End, Sink};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedOutline, ImportedShape,
};
use crate::names::NameIndex;
use crate::pixels::{Canvas, Values, decode};
use crate::read::{Reader, bytes};
use limn_domain::validate;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

const FILE_MAX: u64 = 256 << 20;
const RECORD_MAX: usize = 16 << 20;
const CATEGORIES_MAX: usize = 10_000;
const ANNOTATIONS_MAX: usize = 2_000_000;
const SEGMENTS_MAX: usize = 20_000_000;
/// Segments without a record named for each picture.
const REPORTED: usize = 10;

#[derive(Deserialize)]
struct CategoryRecord {
    id: i64,
    name: String,
    color: Option<[u8; 3]>,
}

#[derive(Deserialize)]
struct ImageRecord {
    id: i64,
    file_name: String,
}

#[derive(Deserialize)]
struct AnnotationRecord {
    image_id: i64,
    file_name: String,
    segments_info: Vec<SegmentRecord>,
}

#[derive(Deserialize)]
struct SegmentRecord {
    id: u32,
    category_id: i64,
    #[serde(default)]
    iscrowd: u8,
}

/// One picture of segments, as the JSON describes it.
#[derive(Debug)]
struct Described {
    image: i64,
    file_name: String,
    line: u64,
    segments: Vec<SegmentOf>,
    read: bool,
}

#[derive(Debug, Clone, Copy)]
struct SegmentOf {
    id: u32,
    category: i64,
    crowd: bool,
}

/// Reads JSON files, then pictures of segments.
#[derive(Debug, Default)]
pub struct PanopticReader {
    categories: Vec<(i64, ImportedCategory)>,
    by_id: HashMap<i64, usize>,
    images: HashMap<i64, String>,
    described: Vec<Described>,
    names: NameIndex<usize>,
    segments: usize,
}

impl Reader for PanopticReader {
    fn table(&mut self, _: &str, reader: &mut dyn Read, findings: &mut Findings) -> Result<(), FormatError> {
        let before = self.described.len();
        let mut gather = Gather {
            to: self,
            findings,
            seen: false,
        };
        let end = scan::scan(reader, RECORD_MAX, &mut gather)?;
        let seen = gather.seen;
        let file = quote(findings.file());
        match end {
            End::Complete | End::Stopped => {}
            End::Truncated { line } | End::Malformed { line, .. } => findings.refused("truncated", || {
                Detail::new("The file ends or breaks here; what stands before was taken.").line(line)
            }),
            End::NotJson { .. } | End::Utf16 => {
                return Err(FormatError::NotTheFormat(format!(
                    "`{file}` is no JSON in UTF-8."
                )));
            }
        }
        if !seen {
            return Err(FormatError::NotTheFormat(format!(
                "`{file}` has no `annotations` with `segments_info`, so it is not COCO panoptic."
            )));
        }
        for n in before..self.described.len() {
            self.names.insert(&self.described[n].file_name, n);
        }
        Ok(())
    }

    fn begin(&mut self) -> Imported {
        Imported {
            categories: self.categories.iter().map(|(_, c)| c.clone()).collect(),
            ..Imported::default()
        }
    }

    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let Some(n) = self.names.find(path).item() else {
            findings.refused("unknown_png", || {
                Detail::new("No annotation of the JSON names this picture of segments in `file_name`.")
            });
            return Ok(Imported::default());
        };
        self.described[n].read = true;
        let bytes = bytes(reader, FILE_MAX, "a picture of segments is not so long", findings)?;
        let refused = |why: String| {
            FormatError::NotTheFormat(format!("`{}` is no picture of segments: {why}.", quote(path)))
        };
        let decoded = decode(&bytes).map_err(refused)?;
        let Values::Colors(values) = decoded.values else {
            return Err(refused(
                "it has no colours, and ids are red + 256 green + 65536 blue".to_owned(),
            ));
        };
        let canvas = Canvas {
            width: decoded.width,
            height: decoded.height,
            values,
        };
        Ok(self.segments(n, &canvas, findings))
    }

    fn finish(&mut self, findings: &mut Findings) {
        for d in self
            .described
            .iter()
            .filter(|d| !d.read && !d.segments.is_empty())
        {
            findings.refused("missing_png", || {
                let n = d.segments.len();
                Detail::new(format!(
                    "`{}` was not brought along, so its {n} segments have no pixels.",
                    quote(&d.file_name)
                ))
                .line(d.line)
            });
        }
    }
}

impl PanopticReader {
    fn segments(&self, n: usize, canvas: &Canvas, findings: &mut Findings) -> Imported {
        let described = &self.described[n];
        let name = self.images.get(&described.image).cloned();
        let mut out = Imported {
            categories: self.categories.iter().map(|(_, c)| c.clone()).collect(),
            images: vec![ImportedImage {
                without_extension: name.is_none(),
                file_name: Some(name.unwrap_or_else(|| crate::names::stem(&described.file_name).to_owned())),
                size: Some((f64::from(canvas.width), f64::from(canvas.height))),
                line: described.line,
                ..ImportedImage::default()
            }],
            ..Imported::default()
        };
        let mut masks: HashMap<u32, _> = HashMap::new();
        let known: HashMap<u32, SegmentOf> = described.segments.iter().map(|s| (s.id, *s)).collect();
        let mut unknown = 0;
        for (id, mask) in canvas.masks() {
            if known.contains_key(&id) {
                masks.insert(id, mask);
                continue;
            }
            unknown += 1;
            if unknown <= REPORTED {
                let pixels = mask.area();
                findings.refused("unknown_segment", || {
                    Detail::new(format!(
                        "{pixels} pixels belong to segment {id}, which `segments_info` does not list."
                    ))
                });
            }
        }
        for (segment, index) in described.segments.iter().zip(0_u32..) {
            let record = format!("segments_info[{index}] (id {})", segment.id);
            let mut refuse = |code, why: &str| {
                findings.refused(code, || {
                    Detail::new(why).line(described.line).record(record.clone())
                });
            };
            if segment.crowd {
                refuse("crowd", "The segment marks a crowd (iscrowd 1), not one object.");
                continue;
            }
            let Some(category) = self.by_id.get(&segment.category) else {
                refuse("unknown_category", "Its category_id is not in `categories`.");
                continue;
            };
            let Some(mask) = masks.remove(&segment.id) else {
                refuse("missing_segment", "No pixel of the picture has this id.");
                continue;
            };
            out.annotations.push(ImportedAnnotation {
                image: 0,
                category: *category as u32,
                shape: ImportedShape::Outline(Box::new(ImportedOutline::Mask {
                    mask,
                    size: (canvas.width, canvas.height),
                })),
                score: None,
                attributes: None,
                id: Some(i64::from(segment.id)),
                index,
                line: u32::try_from(described.line).unwrap_or(0),
                links: None,
            });
        }
        out
    }
}

struct Gather<'a> {
    to: &'a mut PanopticReader,
    findings: &'a mut Findings,
    seen: bool,
}

impl Gather<'_> {
    fn parse<T: serde::de::DeserializeOwned>(&mut self, e: &Element<'_>) -> Option<T> {
        let parsed = e.bytes.map(serde_json::from_slice);
        match parsed {
            Some(Ok(record)) => Some(record),
            other => {
                let why = match other {
                    Some(Err(e)) => e.to_string(),
                    _ => "it is too long".to_owned(),
                };
                let (line, record) = (e.line, format!("{}[{}]", e.section, e.index));
                self.findings.refused("bad_record", || {
                    Detail::new(format!("The record cannot be read: {why}."))
                        .line(line)
                        .record(record)
                });
                None
            }
        }
    }

    fn category(&mut self, e: &Element<'_>) -> Option<()> {
        let c: CategoryRecord = self.parse(e)?;
        let to = &mut *self.to;
        let name = validate::name("category", &c.name).ok();
        if name.is_none() || to.categories.len() >= CATEGORIES_MAX || to.by_id.contains_key(&c.id) {
            let (line, record) = (e.line, format!("categories[{}]", e.index));
            self.findings.refused("bad_category", || {
                Detail::new("The category has no usable name, or an id that another has.")
                    .line(line)
                    .record(record)
            });
            return None;
        }
        to.by_id.insert(c.id, to.categories.len());
        let category = ImportedCategory {
            id: Some(c.id),
            name,
            color: c.color.map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}")),
            line: e.line,
            ..ImportedCategory::default()
        };
        to.categories.push((c.id, category));
        Some(())
    }

    fn annotation(&mut self, e: &Element<'_>) -> Option<()> {
        let a: AnnotationRecord = self.parse(e)?;
        self.seen = true;
        self.to.segments += a.segments_info.len();
        if self.to.described.len() >= ANNOTATIONS_MAX || self.to.segments > SEGMENTS_MAX {
            self.findings.refused("too_many", || {
                Detail::new("The file has too many segments; split it.").line(e.line)
            });
            return None;
        }
        self.to.described.push(Described {
            image: a.image_id,
            file_name: a.file_name,
            line: e.line,
            segments: a
                .segments_info
                .iter()
                .map(|s| SegmentOf {
                    id: s.id,
                    category: s.category_id,
                    crowd: s.iscrowd != 0,
                })
                .collect(),
            read: false,
        });
        Some(())
    }
}

impl Sink for Gather<'_> {
    fn wants(&self, section: &str) -> bool {
        matches!(section, "images" | "annotations" | "categories")
    }

    fn element(&mut self, e: Element<'_>) -> ControlFlow<()> {
        match e.section {
            "categories" => {
                self.category(&e);
            }
            "images" => {
                if let Some(image) = self.parse::<ImageRecord>(&e) {
                    self.to.images.insert(image.id, image.file_name);
                }
            }
            _ => {
                self.annotation(&e);
            }
        }
        ControlFlow::Continue(())
    }

    fn empty(&mut self, section: &str) {
        self.seen |= section == "annotations";
    }

    fn not_an_array(&mut self, section: &str, line: u64) {
        self.findings.refused("not_a_list", || {
            Detail::new(format!("`{section}` must be a list.")).line(line)
        });
    }
}
