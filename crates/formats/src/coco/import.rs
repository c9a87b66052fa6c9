//! Reads COCO instance files and COCO result files of any size, in one pass and any order of keys.

use super::extras;
use super::ids::Ids;
use super::naming::{category_name, record_name};
use super::options::{Coordinates, Options};
use super::record::{self, RawAnnotation, RawCategory, RawImage, Repairs};
use super::resolve;
use super::shapes::{outline, shape};
use crate::attributes::ImportedAttributes;
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::json::loose::{Key, Loose, Numbers};
use crate::json::scan::{self, Element, End, Sink};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedOutline, ImportedShape,
};
use limn_domain::Shape;
use limn_domain::attribute::TEXT_MAX;
use serde::de::DeserializeOwned;
use std::io::Read;
use std::ops::ControlFlow;

/// Longest file name kept of an image record, in bytes; longer ones are refused.
const NAME_MAX: usize = 4_096;

/// Reads a COCO file. The records that cannot be used are in `findings`, under the file set there; what is left is
/// returned. Annotations come sorted by image. Memory: some 100 bytes for every image and annotation, whatever the
/// size of the file. Errors only when nothing in the file is COCO, or reading fails.
pub fn read<R: Read>(reader: R, options: &Options, findings: &mut Findings) -> Result<Imported, FormatError> {
    let mut gather = Gather::new(*options, findings);
    let end = scan::scan(reader, options.record_max, &mut gather)?;
    gather.finish(end)
}

/// Everything read, with ids not yet resolved.
pub(super) struct Gather<'f> {
    pub options: Options,
    pub findings: &'f mut Findings,
    pub out: Imported,
    /// Sentences about images: the image's number, the line, the text.
    pub captions: Vec<(u32, u64, String)>,
    /// Ids in the order met; annotations hold indexes into these until resolved.
    pub image_ids: Ids,
    pub category_ids: Ids,
    pub has_images: bool,
    pub has_categories: bool,
    /// A missing list of images or categories was never written, rather than lost with the rest of a damaged file: ids
    /// may stand for the project's own.
    pub whole: bool,
    pub supercategories: Vec<Option<String>>,
    has_annotations: bool,
    is_list: bool,
    string_ids: bool,
    zero_ids: bool,
    full: bool,
    largest: f64,
    /// Some coordinate is no whole number; a file of single pixels is not normalised.
    fractions: bool,
    boxes: u64,
    /// Memory that attributes take so far.
    attribute_bytes: usize,
    attributes_full: bool,
}

/// What an annotation record says beside its shape.
struct Said {
    id: Loose,
    image: Key,
    category: Key,
    score: Loose,
    attributes: Option<Box<ImportedAttributes>>,
}

impl<'f> Gather<'f> {
    fn new(options: Options, findings: &'f mut Findings) -> Self {
        Self {
            options,
            findings,
            out: Imported::default(),
            captions: Vec::new(),
            image_ids: Ids::default(),
            category_ids: Ids::default(),
            has_images: false,
            has_categories: false,
            whole: false,
            supercategories: Vec::new(),
            has_annotations: false,
            is_list: false,
            string_ids: false,
            zero_ids: false,
            full: false,
            largest: 0.0,
            fractions: false,
            boxes: 0,
            attribute_bytes: 0,
            attributes_full: false,
        }
    }

    fn finish(mut self, end: End) -> Result<Imported, FormatError> {
        let file = quote(self.findings.file());
        match end {
            End::Complete | End::Stopped => self.whole = true,
            End::Truncated { line } => self.findings.refused("truncated", || {
                Detail::new("The file ends in the middle of a record; everything before it was taken. Fetch or write the file again.")
                    .line(line)
            }),
            End::Malformed { line, found } => self.findings.refused("malformed", || {
                let found = char::from(found).escape_default();
                Detail::new(format!("`{found}` cannot stand here; what comes after it was not read. Mend the file from this line on."))
                    .line(line)
            }),
            End::NotJson { found: None } => {
                return Err(FormatError::NotTheFormat(format!("`{file}` is empty; a COCO file is a JSON object.")));
            }
            End::NotJson { found: Some(byte) } => {
                let found = char::from(byte).escape_default();
                return Err(FormatError::NotTheFormat(format!("`{file}` is not JSON: it begins with `{found}` instead of `{{`.")));
            }
            End::Utf16 => {
                return Err(FormatError::NotTheFormat(format!("`{file}` is UTF-16 text; save it as UTF-8.")));
            }
        }
        // Results are a plain list; what is cut off of it are more results.
        self.whole |= self.is_list;
        if !(self.has_images || self.has_annotations || self.has_categories) {
            return Err(FormatError::NotTheFormat(format!(
                "`{file}` has neither `images` nor `annotations`, so it is not a COCO file."
            )));
        }
        if self.string_ids {
            self.findings.note("string_ids", || {
                Detail::new("Some ids are texts; they were read as ids all the same.")
            });
        }
        if self.zero_ids {
            self.findings.note("zero_ids", || {
                Detail::new("Some ids are 0 or less. Exports count from 1, so those get new ones.")
            });
        }
        self.out.normalised = match self.options.coordinates {
            Coordinates::Detect => self.fractions && self.largest <= 1.5,
            Coordinates::Pixels => false,
            Coordinates::Normalised => true,
        };
        if self.out.normalised {
            let n = self.boxes;
            self.findings.fixed("normalised", || {
                Detail::new(format!(
                    "All {n} boxes run from 0 to 1, as Azure ML writes them; they were multiplied by the size of their image."
                ))
            });
        }
        Ok(resolve::resolve(self))
    }

    /// Parses a record, or says why it is left out.
    fn record<T: DeserializeOwned>(&mut self, e: &Element<'_>) -> Option<T> {
        let name = record_name(e);
        let Some(bytes) = e.bytes else {
            let mib = self.options.record_max >> 20;
            self.findings.refused("record_too_long", || {
                Detail::new(format!("The record is longer than {mib} MiB."))
                    .line(e.line)
                    .record(name)
            });
            return None;
        };
        match record::parse(bytes) {
            Ok((value, repairs)) => {
                self.repaired(e, repairs);
                Some(value)
            }
            Err(why) => {
                self.findings.refused("bad_record", || {
                    Detail::new(format!("The record cannot be read: {why}."))
                        .line(e.line)
                        .record(name)
                });
                None
            }
        }
    }

    fn repaired(&mut self, e: &Element<'_>, repairs: Repairs) {
        if repairs.nan {
            self.findings.fixed("nan", || {
                Detail::new("`NaN` and `Infinity` are not JSON; they were read as missing values.")
                    .line(e.line)
                    .record(record_name(e))
            });
        }
        if repairs.encoding {
            self.findings.fixed("not_utf8", || {
                Detail::new("Bytes that are not UTF-8 were replaced by �; save the file as UTF-8.")
                    .line(e.line)
                    .record(record_name(e))
            });
        }
    }

    fn id(&mut self, id: Loose) -> Option<Key> {
        let (key, text) = record::key(id);
        self.string_ids |= text;
        self.zero_ids |= key.as_ref().and_then(Key::int).is_some_and(|i| i < 1);
        key
    }

    /// True, with one finding, when a list has reached its limit.
    fn is_full(&mut self, count: usize, max: usize, e: &Element<'_>) -> bool {
        let full = count >= max;
        if full && !std::mem::replace(&mut self.full, true) {
            self.findings.refused("too_many", || {
                Detail::new(format!(
                    "Only the first {max} {} of a file are taken; split the file.",
                    e.section
                ))
                .line(e.line)
            });
        }
        full
    }

    fn category(&mut self, e: &Element<'_>) {
        if self.is_full(self.out.categories.len(), self.options.categories_max, e) {
            return;
        }
        let Some(raw) = self.record::<RawCategory>(e) else {
            return;
        };
        let Some(id) = self.id(raw.id) else {
            return self.findings.refused("no_id", || {
                Detail::new("The category has no id, so no annotation can name it.")
                    .line(e.line)
                    .record(record_name(e))
            });
        };
        let name = match category_name(raw.name) {
            Ok((name, None)) => name,
            Ok((name, Some(was))) => {
                self.findings.fixed("category_name", || {
                    Detail::new(format!(
                        "`{}` became `{}`: a name is one line of at most 120 characters.",
                        quote(&was),
                        quote(&name)
                    ))
                    .line(e.line)
                    .record(record_name(e))
                });
                name
            }
            Err(()) => {
                let name = format!(
                    "category {}",
                    id.int().map_or_else(|| id.to_string(), |i| i.to_string())
                );
                self.findings.fixed("category_name", || {
                    Detail::new(format!("The category has no name and became `{}`.", quote(&name)))
                        .line(e.line)
                        .record(record_name(e))
                });
                name
            }
        };
        let int = id.int();
        let shown = id.to_string();
        let number = self.category_ids.number(id) as usize;
        if let Some(first) = self.category_ids.records[number] {
            let first = self.out.categories[first as usize]
                .name
                .clone()
                .unwrap_or_default();
            return self.findings.refused("duplicate_id", || {
                Detail::new(format!(
                    "Category id {shown} is taken by `{}`; `{}` was left out. Give every category an id of its own.",
                    quote(&first),
                    quote(&name)
                ))
                .line(e.line)
                .record(record_name(e))
            });
        }
        self.category_ids.records[number] = Some(self.out.categories.len() as u32);
        let skeleton = extras::skeleton(e.bytes).unwrap_or_else(|why| {
            self.findings.refused("bad_skeleton", || {
                Detail::new(format!("The skeleton of `{}` was left out: {why}.", quote(&name)))
                    .line(e.line)
                    .record(record_name(e))
            });
            None
        });
        self.out.categories.push(ImportedCategory {
            id: int,
            name: Some(name),
            skeleton,
            line: e.line,
            ..ImportedCategory::default()
        });
        self.supercategories.push(raw.supercategory.text());
    }

    fn image(&mut self, e: &Element<'_>) {
        if self.is_full(self.out.images.len(), self.options.images_max, e) {
            return;
        }
        let Some(raw) = self.record::<RawImage>(e) else {
            return;
        };
        let Some(id) = self.id(raw.id) else {
            return self.findings.refused("no_id", || {
                Detail::new("The image has no id, so no annotation can name it.")
                    .line(e.line)
                    .record(record_name(e))
            });
        };
        let size = match (raw.width.number(), raw.height.number()) {
            (Some(w), Some(h)) if w >= 1.0 && h >= 1.0 => Some((w, h)),
            _ => None,
        };
        let url = raw.coco_url.text();
        let (file_name, alternatives) = match (raw.file_name.text().filter(|n| !n.trim().is_empty()), url) {
            (Some(name), url) => (Some(name), url),
            (None, url) => (url, None),
        };
        let file_name = match file_name {
            Some(name) if name.len() <= NAME_MAX => name,
            other => {
                let why = if other.is_some() {
                    "a file name of more than 4096 bytes"
                } else {
                    "no file_name"
                };
                return self.findings.refused("no_file_name", || {
                    Detail::new(format!("The image has {why}, so it cannot be found."))
                        .line(e.line)
                        .record(record_name(e))
                });
            }
        };
        let shown = id.to_string();
        let int = id.int();
        let number = self.image_ids.number(id) as usize;
        if let Some(first) = self.image_ids.records[number] {
            let first = self.out.images[first as usize].label();
            return self.findings.refused("duplicate_id", || {
                Detail::new(format!(
                    "Image id {shown} is taken by `{}`; `{}` was left out. Give every image an id of its own.",
                    quote(&first),
                    quote(&file_name)
                ))
                .line(e.line)
                .record(record_name(e))
            });
        }
        self.image_ids.records[number] = Some(self.out.images.len() as u32);
        let alternatives = alternatives
            .into_iter()
            .filter(|n| n.len() <= NAME_MAX && *n != file_name)
            .collect();
        self.out.images.push(ImportedImage {
            id: int,
            file_name: Some(file_name),
            alternatives,
            without_extension: false,
            text: None,
            size,
            line: e.line,
            attributes: None,
        });
    }

    fn annotation(&mut self, e: &Element<'_>) {
        if self.is_full(self.out.annotations.len(), self.options.annotations_max, e) {
            return;
        }
        let Some(raw) = self.record::<RawAnnotation>(e) else {
            return;
        };
        let refuse = |findings: &mut Findings, code, why: &str| {
            findings.refused(code, || Detail::new(why).line(e.line).record(record_name(e)));
        };
        if raw.caption != Loose::Missing && raw.category_id == Loose::Missing {
            return self.caption(e, raw);
        }
        let Some(image) = self.id(raw.image_id) else {
            return refuse(self.findings, "no_image_id", "The annotation has no image_id.");
        };
        let Some(category) = self.id(raw.category_id) else {
            return refuse(
                self.findings,
                "no_category_id",
                "The annotation has no category_id.",
            );
        };
        if raw.iscrowd.truthy() {
            let why = "The annotation marks a crowd (iscrowd 1), not one object; as a box it would be a wrong label.";
            return refuse(self.findings, "crowd", why);
        }
        let of = Said {
            id: raw.id,
            image,
            category,
            score: raw.score,
            attributes: raw.attributes.0,
        };
        if self.options.keypoints || self.options.turned {
            match extras::shape(e.bytes, &self.options) {
                Ok(Some(shape)) => return self.keep(e, of, shape),
                Ok(None) => {}
                Err((code, why)) => return refuse(self.findings, code, &why),
            }
        }
        if self.options.outlines {
            match outline(e.bytes) {
                Ok(Some(outline)) => {
                    return self.keep(e, of, ImportedShape::Outline(Box::new(outline)));
                }
                // A box or a class is told apart later.
                Ok(None) => {}
                Err((code, why)) => return refuse(self.findings, code, &why),
            }
        }
        let shape = match shape(&raw.bbox, raw.segmentation) {
            Ok((ImportedShape::Whole, _)) if raw.keypoints != Numbers::Missing => {
                return refuse(
                    self.findings,
                    "keypoints",
                    "Keypoints without a bbox are not imported.",
                );
            }
            Ok((shape, derived)) => {
                if derived {
                    self.findings.fixed("box_from_outline", || {
                        Detail::new("The annotation has no bbox; the box around its segmentation was taken.")
                            .line(e.line)
                            .record(record_name(e))
                    });
                }
                shape
            }
            Err((code, why)) => return refuse(self.findings, code, why),
        };
        self.keep(e, of, shape);
    }

    /// A sentence about an image.
    fn caption(&mut self, e: &Element<'_>, raw: RawAnnotation) {
        let text = raw.caption.text().map(|t| t.trim().to_owned());
        let Some(text) = text.filter(|t| !t.is_empty() && t.chars().count() <= TEXT_MAX) else {
            return self.findings.refused("caption", || {
                Detail::new(format!("A caption is a text of 1 to {TEXT_MAX} characters."))
                    .line(e.line)
                    .record(record_name(e))
            });
        };
        let Some(image) = self.id(raw.image_id) else {
            return self.findings.refused("no_image_id", || {
                Detail::new("The caption has no image_id.")
                    .line(e.line)
                    .record(record_name(e))
            });
        };
        let weight = 64 + text.len();
        if self.attribute_bytes + weight > self.options.attribute_bytes_max {
            return self.findings.refused("too_many", || {
                let max = self.options.attribute_bytes_max >> 20;
                Detail::new(format!(
                    "The captions of a file may take {max} MiB of memory; split the file."
                ))
                .line(e.line)
                .record(record_name(e))
            });
        }
        self.attribute_bytes += weight;
        let image = self.image_ids.number(image);
        self.captions.push((image, e.line, text));
    }

    /// Notes how large coordinates are, which tells pixels from shares of the image.
    fn measure(&mut self, numbers: impl Iterator<Item = f64>) {
        self.boxes += 1;
        for v in numbers {
            self.fractions |= v.fract() != 0.0;
            self.largest = self.largest.max(v.abs());
        }
    }

    /// The attributes, as long as there is room for those of a file.
    fn room(
        &mut self,
        e: &Element<'_>,
        attributes: Option<Box<ImportedAttributes>>,
    ) -> Option<Box<ImportedAttributes>> {
        let weight = attributes.as_ref()?.weight();
        if self.attribute_bytes + weight <= self.options.attribute_bytes_max {
            self.attribute_bytes += weight;
            return attributes;
        }
        if !std::mem::replace(&mut self.attributes_full, true) {
            self.findings.fixed("too_many_attributes", || {
                let max = self.options.attribute_bytes_max >> 20;
                Detail::new(format!(
                    "The attributes of a file may take {max} MiB of memory; labels from here on came in without. Split the file."
                ))
                .line(e.line)
                .record(record_name(e))
            });
        }
        None
    }

    fn keep(&mut self, e: &Element<'_>, of: Said, shape: ImportedShape) {
        match &shape {
            ImportedShape::Whole | ImportedShape::Corners(_) => {}
            ImportedShape::Other(shape) => match &**shape {
                Shape::Keypoints { keypoints } => {
                    self.measure(keypoints.iter().flat_map(|k| [k.x, k.y]));
                }
                // Our own fields are in pixels.
                _ => self.measure(std::iter::once(f64::INFINITY)),
            },
            ImportedShape::Box(r) => self.measure([r.x, r.y, r.w, r.h].into_iter()),
            ImportedShape::Outline(outline) => match &**outline {
                ImportedOutline::Polygons(rings) => self.measure(rings.iter().flatten().flatten().copied()),
                // COCO has no holes.
                ImportedOutline::Parts(_) => {}
                // Pixels, whatever their number.
                ImportedOutline::Mask { .. } => self.measure(std::iter::once(f64::INFINITY)),
            },
        }
        let id = self.id(of.id).as_ref().and_then(Key::int);
        let attributes = self.room(e, of.attributes);
        let annotation = ImportedAnnotation {
            image: self.image_ids.number(of.image),
            category: self.category_ids.number(of.category),
            shape,
            score: of.score.number().map(|s| s.clamp(0.0, 1.0)),
            attributes,
            id,
            index: u32::try_from(e.index).unwrap_or(u32::MAX),
            line: u32::try_from(e.line).unwrap_or(0),
            links: None,
        };
        self.out.annotations.push(annotation);
    }
}

impl Sink for Gather<'_> {
    fn wants(&self, section: &str) -> bool {
        matches!(section, "" | "images" | "annotations" | "categories")
    }

    fn element(&mut self, e: Element<'_>) -> ControlFlow<()> {
        match e.section {
            "images" => {
                self.has_images = true;
                self.image(&e);
            }
            "categories" => {
                self.has_categories = true;
                self.category(&e);
            }
            _ => {
                self.has_annotations = true;
                self.is_list |= e.section.is_empty();
                self.annotation(&e);
            }
        }
        ControlFlow::Continue(())
    }

    fn empty(&mut self, section: &str) {
        match section {
            "images" => self.has_images = true,
            "categories" => self.has_categories = true,
            _ => self.has_annotations = true,
        }
    }

    fn not_an_array(&mut self, section: &str, line: u64) {
        if !section.is_empty() {
            self.findings.refused("not_a_list", || {
                Detail::new(format!("`{section}` must be a list.")).line(line)
            });
        }
    }
}
