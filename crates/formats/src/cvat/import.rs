//! Reads CVAT for images 1.1, image by image, in one pass.

use super::attributes::Definition;
use super::rows;
use crate::attributes::ImportedAttributes;
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedOutline, ImportedShape,
};
use crate::read::Lines;
use limn_domain::polygon::{Ring, VERTICES_MAX};
use limn_domain::{AttributeValue, Point, Rect, Shape, TurnedRect, validate};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

/// Most bytes of one tag with its attributes, or of the text between two tags.
const TAG_MAX: u64 = 64 << 20;
const DEPTH_MAX: usize = 64;
const IMAGES_MAX: usize = 2_000_000;
const LABELS_MAX: usize = 5_000_000;
const CATEGORIES_MAX: usize = 10_000;
/// Longest text kept of an element.
const TEXT_MAX: usize = 64 << 10;

/// Reads a file. Entities of its own are not expanded. Errors: it is no such file, or reading fails underneath.
pub fn read<R: Read>(reader: R, findings: &mut Findings) -> Result<Imported, FormatError> {
    let mut xml = Reader::from_reader(Lines::new(reader, TAG_MAX));
    xml.config_mut().allow_dangling_amp = true;
    let mut gather = Gather::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        xml.get_mut().record();
        let line = xml.get_ref().line();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => {
                if gather.path.len() >= DEPTH_MAX {
                    let why = format!("elements are nested more than {DEPTH_MAX} deep");
                    return gather.broken(line, &why, findings);
                }
                gather.open(&tag, line, findings)?;
                gather.path.push(tag.name().as_ref().to_vec());
                gather.text.clear();
            }
            Ok(Event::Empty(tag)) => {
                gather.open(&tag, line, findings)?;
                if gather.path.len() == 1 || tag.name().as_ref() == b"attribute" {
                    gather.text.clear();
                    gather.close(tag.name().as_ref(), line);
                } else if gather.path.len() == 2 {
                    gather.current = None;
                }
            }
            Ok(Event::End(tag)) => {
                if gather.path.pop().is_none() {
                    return gather.broken(line, "an element is closed that was never opened", findings);
                }
                gather.close(tag.name().as_ref(), line);
            }
            Ok(Event::Text(t)) => gather.text(&String::from_utf8_lossy(&t)),
            Ok(Event::CData(t)) => gather.text(&String::from_utf8_lossy(&t)),
            Ok(Event::GeneralRef(r)) => {
                let c = match &*r {
                    b"amp" => Some('&'),
                    b"lt" => Some('<'),
                    b"gt" => Some('>'),
                    b"quot" => Some('"'),
                    b"apos" => Some('\''),
                    _ => r.resolve_char_ref().ok().flatten(),
                };
                if let Some(c) = c {
                    gather.text(c.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::Eof) => {
                if !gather.path.is_empty() {
                    return gather.broken(line, "it ends before its elements are closed", findings);
                }
                return gather.finish(findings);
            }
            Ok(_) => {}
            Err(quick_xml::Error::Io(e)) if e.kind() != std::io::ErrorKind::InvalidData => {
                let own = |e: Arc<std::io::Error>| std::io::Error::new(e.kind(), e.to_string());
                return Err(FormatError::Io(Arc::try_unwrap(e).unwrap_or_else(own)));
            }
            Err(e) => return gather.broken(line, &e.to_string(), findings),
        }
    }
}

#[derive(Default)]
struct Gather {
    path: Vec<Vec<u8>>,
    text: String,
    is_cvat: bool,
    out: Imported,
    by_name: HashMap<String, u32>,
    /// The image under way: its labels with their z order.
    labels: Vec<(i64, ImportedAnnotation)>,
    in_image: bool,
    /// By group and category: where in `labels` the first polygon of it is.
    groups: HashMap<(i64, u32), usize>,
    /// The label whose element is open, in `labels`.
    current: Option<usize>,
    /// The name of the attribute whose element is open, and the values of the current label so far.
    attribute: Option<String>,
    values: ImportedAttributes,
    /// The label of `meta` that is open, and its attribute.
    defining: Option<u32>,
    definition: Definition,
}

/// The attributes of a tag as text.
struct Attributes(HashMap<Vec<u8>, String>);

impl Attributes {
    fn of(tag: &BytesStart<'_>) -> Self {
        let all = tag.attributes().flatten().take(64);
        Self(
            all.map(|a| {
                let raw = String::from_utf8_lossy(&a.value).into_owned();
                let text = quick_xml::escape::unescape(&raw)
                    .map(|t| t.into_owned())
                    .unwrap_or(raw);
                (a.key.as_ref().to_vec(), text)
            })
            .collect(),
        )
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name.as_bytes()).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?
            .trim()
            .parse()
            .ok()
            .filter(|v: &f64| v.is_finite())
    }

    fn whole(&self, name: &str) -> Option<u32> {
        let v = self.number(name)?;
        (v >= 0.0 && v <= f64::from(u32::MAX) && v.fract() == 0.0).then_some(v as u32)
    }
}

type Refusal = (&'static str, String);

impl Gather {
    fn text(&mut self, text: &str) {
        let room = TEXT_MAX.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn open(&mut self, tag: &BytesStart<'_>, line: u64, findings: &mut Findings) -> Result<(), FormatError> {
        let name = tag.name();
        let name = name.as_ref();
        match self.path.len() {
            0 => self.is_cvat = name == b"annotations",
            1 if self.is_cvat && name == b"track" => {
                return Err(FormatError::NotTheFormat(format!(
                    "`{}` holds tracks: it is CVAT for video. Export it from CVAT as \"CVAT for images 1.1\".",
                    quote(findings.file())
                )));
            }
            1 if self.is_cvat && name == b"image" => self.image(&Attributes::of(tag), line, findings),
            3 if self.current.is_some() && name == b"attribute" => {
                self.attribute = Attributes::of(tag).text("name").map(str::to_owned);
            }
            2 if self.in_image && name != b"attribute" => {
                self.current = None;
                self.label(
                    &String::from_utf8_lossy(name),
                    &Attributes::of(tag),
                    line,
                    findings,
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn image(&mut self, attributes: &Attributes, line: u64, findings: &mut Findings) {
        if self.out.images.len() >= IMAGES_MAX {
            findings.refused("too_many", || {
                Detail::new(format!("Only the first {IMAGES_MAX} images of a file are taken.")).line(line)
            });
            return;
        }
        let Some(name) = attributes
            .text("name")
            .filter(|n| !n.trim().is_empty() && n.len() <= 4_096)
        else {
            findings.refused("no_file_name", || {
                Detail::new("The image has no name, so it cannot be found.").line(line)
            });
            return;
        };
        let size = attributes.number("width").zip(attributes.number("height"));
        self.out.images.push(ImportedImage {
            file_name: Some(name.to_owned()),
            size: size.filter(|(w, h)| *w >= 1.0 && *h >= 1.0),
            line,
            ..ImportedImage::default()
        });
        self.in_image = true;
    }

    fn close(&mut self, name: &[u8], line: u64) {
        let path: Vec<&[u8]> = self.path.iter().map(Vec::as_slice).collect();
        match (path.as_slice(), name) {
            ([b"annotations"], b"image") if self.in_image => {
                self.in_image = false;
                self.groups.clear();
                // Higher lies above; equal ones in the file's order.
                self.labels.sort_by_key(|(z, _)| *z);
                self.out.annotations.extend(self.labels.drain(..).map(|(_, a)| a));
            }
            ([b"annotations", b"image", _], b"attribute") => {
                if let Some(name) = self.attribute.take() {
                    self.values
                        .put(&name, AttributeValue::Text(std::mem::take(&mut self.text)));
                }
            }
            ([b"annotations", b"image"], _) => self.values_end(),
            ([b"annotations", b"meta", .., b"label"], b"name") => {
                self.defining = validate::name("category", &std::mem::take(&mut self.text))
                    .ok()
                    .and_then(|name| self.category(name, line));
            }
            ([b"annotations", b"meta", ..], b"label") => self.defining = None,
            ([b"annotations", b"meta", .., b"label", b"attributes", b"attribute"], element) => {
                self.definition.take(element, &self.text);
            }
            ([b"annotations", b"meta", .., b"label", b"attributes"], b"attribute") => {
                let definition = std::mem::take(&mut self.definition);
                let label = self
                    .defining
                    .and_then(|n| self.out.categories.get_mut(n as usize));
                if let Some(label) = label {
                    definition.finish(&mut label.attributes);
                }
            }
            ([b"annotations", b"meta", .., b"label"], b"color") => {
                let color = self.text.trim().to_lowercase();
                let good = color.len() == 7
                    && color.starts_with('#')
                    && color[1..].bytes().all(|b| b.is_ascii_hexdigit());
                let label = self
                    .defining
                    .and_then(|n| self.out.categories.get_mut(n as usize));
                if let Some(last) = label.filter(|_| good) {
                    last.color = Some(color);
                }
            }
            _ => {}
        }
        self.text.clear();
    }

    /// The current label has all its values. Of parts of one object the first that says something counts.
    fn values_end(&mut self) {
        let values = std::mem::take(&mut self.values).boxed();
        let label = self.current.take().and_then(|n| self.labels.get_mut(n));
        if let Some((_, label)) = label
            && label.attributes.is_none()
        {
            label.attributes = values;
        }
    }

    fn category(&mut self, name: String, line: u64) -> Option<u32> {
        if let Some(n) = self.by_name.get(&name) {
            return Some(*n);
        }
        if self.out.categories.len() >= CATEGORIES_MAX {
            return None;
        }
        let n = self.out.categories.len() as u32;
        self.by_name.insert(name.clone(), n);
        self.out.categories.push(ImportedCategory {
            name: Some(name),
            line,
            ..ImportedCategory::default()
        });
        Some(n)
    }

    fn label(&mut self, kind: &str, attributes: &Attributes, line: u64, findings: &mut Findings) {
        let index = self.labels.len() as u32;
        let refuse = |findings: &mut Findings, (code, why): Refusal| {
            findings.refused(code, || {
                Detail::new(why).line(line).record(format!("{kind}[{index}]"))
            });
        };
        if self.out.annotations.len() + self.labels.len() >= LABELS_MAX {
            return refuse(
                findings,
                (
                    "too_many",
                    format!("Only the first {LABELS_MAX} labels of a file are taken."),
                ),
            );
        }
        let name = match validate::name("category", attributes.text("label").unwrap_or_default()) {
            Ok(name) => name,
            Err(why) => {
                return refuse(
                    findings,
                    ("bad_name", format!("The label's name cannot be used. {why}")),
                );
            }
        };
        let size = self.out.images.last().and_then(|i| i.size);
        let shape = match shape(kind, attributes, size) {
            Ok(shape) => shape,
            Err(why) => return refuse(findings, why),
        };
        let Some(category) = self.category(name, line) else {
            return refuse(
                findings,
                (
                    "too_many",
                    format!("Only {CATEGORIES_MAX} labels can be told apart."),
                ),
            );
        };
        let group = attributes.number("group_id").map_or(0, |g| g as i64);
        if group != 0
            && let ImportedShape::Outline(more) = &shape
            && let ImportedOutline::Polygons(more) = &**more
        {
            if let Some(n) = self.groups.get(&(group, category))
                && let Some((_, first)) = self.labels.get_mut(*n)
                && let ImportedShape::Outline(rings) = &mut first.shape
                && let ImportedOutline::Polygons(rings) = &mut **rings
            {
                rings.extend(more.iter().cloned());
                self.current = Some(*n);
                return;
            }
            self.groups.insert((group, category), self.labels.len());
        }
        let z = attributes.number("z_order").map_or(0, |z| z as i64);
        self.current = Some(self.labels.len());
        self.labels.push((
            z,
            ImportedAnnotation {
                image: self.out.images.len() as u32 - 1,
                category,
                shape,
                score: None,
                attributes: None,
                id: None,
                index,
                line: u32::try_from(line).unwrap_or(0),
            },
        ));
    }

    fn broken(mut self, line: u64, why: &str, findings: &mut Findings) -> Result<Imported, FormatError> {
        if !self.is_cvat {
            return self.finish(findings);
        }
        if self.in_image {
            // What was complete of the image is taken.
            self.path = vec![b"annotations".to_vec()];
            self.close(b"image", line);
        }
        findings.refused("bad_xml", || {
            Detail::new(format!(
                "The XML is broken here ({why}); what stands before it was taken."
            ))
            .line(line)
        });
        self.finish(findings)
    }

    fn finish(self, findings: &Findings) -> Result<Imported, FormatError> {
        if self.is_cvat {
            Ok(self.out)
        } else {
            Err(FormatError::NotTheFormat(format!(
                "`{}` has no `annotations` element at its top, so it is not a CVAT file.",
                quote(findings.file())
            )))
        }
    }
}

fn other(shape: Shape) -> ImportedShape {
    ImportedShape::Other(Box::new(shape))
}

fn shape(kind: &str, attributes: &Attributes, image: Option<(f64, f64)>) -> Result<ImportedShape, Refusal> {
    let angle = attributes.number("rotation").unwrap_or(0.0);
    match kind {
        "tag" => Ok(ImportedShape::Whole),
        "box" => {
            let corner = |x, y| attributes.number(x).zip(attributes.number(y));
            match (corner("xtl", "ytl"), corner("xbr", "ybr")) {
                (Some(a), Some(b)) => {
                    let rect = Rect::from_corners(Point::new(a.0, a.1), Point::new(b.0, b.1));
                    if angle % 360.0 == 0.0 {
                        return Ok(ImportedShape::Box(rect));
                    }
                    let rect = TurnedRect {
                        angle,
                        ..TurnedRect::upright(rect)
                    };
                    Ok(other(Shape::RotatedBox { rect }))
                }
                _ => Err((
                    "bad_box",
                    "The box needs the numbers xtl, ytl, xbr and ybr.".to_owned(),
                )),
            }
        }
        "ellipse" => {
            let number = |name| attributes.number(name);
            let [Some(cx), Some(cy), Some(rx), Some(ry)] =
                [number("cx"), number("cy"), number("rx"), number("ry")]
            else {
                return Err((
                    "bad_box",
                    "The ellipse needs the numbers cx, cy, rx and ry.".to_owned(),
                ));
            };
            let rect = TurnedRect {
                cx,
                cy,
                w: 2.0 * rx,
                h: 2.0 * ry,
                angle,
            };
            Ok(other(Shape::Ellipse { rect }))
        }
        "polyline" => ring(attributes.text("points").unwrap_or_default())
            .map(|points| other(Shape::Polyline { points })),
        "points" => {
            ring(attributes.text("points").unwrap_or_default()).map(|points| other(Shape::Points { points }))
        }
        "polygon" => ring(attributes.text("points").unwrap_or_default())
            .map(|ring| ImportedShape::Outline(Box::new(ImportedOutline::Polygons(vec![ring])))),
        "mask" => {
            let side = |name| attributes.whole(name);
            let window = [side("left"), side("top"), side("width"), side("height")];
            let [Some(x), Some(y), Some(w), Some(h)] = window else {
                return Err((
                    "bad_mask",
                    "The mask needs whole numbers for left, top, width and height.".to_owned(),
                ));
            };
            let Some((width, height)) = image else {
                return Err((
                    "bad_mask",
                    "The image gives no width and height, so its masks have no place.".to_owned(),
                ));
            };
            let size = (width as u32, height as u32);
            rows::read(attributes.text("rle").unwrap_or_default(), [x, y, w, h])
                .map(|mask| ImportedShape::Outline(Box::new(ImportedOutline::Mask { mask, size })))
                .map_err(|why| ("bad_mask", why.to_owned()))
        }
        other => Err((
            "kind_unknown",
            format!(
                "A `{}` is not imported; boxes, polygons, masks and tags are.",
                quote(other)
            ),
        )),
    }
}

/// `x,y;x,y;...`
fn ring(points: &str) -> Result<Ring, Refusal> {
    let bad = || {
        let why = "The polygon's points must be pairs of numbers, as in 1.5,2;3,4;5,6.";
        ("bad_outline", why.to_owned())
    };
    let mut ring = Ring::new();
    for pair in points.split(';') {
        let (x, y) = pair.split_once(',').ok_or_else(bad)?;
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
        ring.push([number(x).ok_or_else(bad)?, number(y).ok_or_else(bad)?]);
        if ring.len() > VERTICES_MAX {
            return Err((
                "outline_too_many",
                format!("The polygon has more than {VERTICES_MAX} corners."),
            ));
        }
    }
    Ok(ring)
}
