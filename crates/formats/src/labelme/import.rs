//! Reads LabelMe.

use crate::attributes::{ImportedAttributes, Values as Said};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::json::loose::{Key, Loose};
use crate::json::scan::{self, Element, Sink};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedOutline, ImportedShape,
};
use crate::pixels::{Canvas, Values, decode};
use crate::read::bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use limn_domain::polygon::Ring;
use limn_domain::{AttributeValue, Mask, Point, Rect, Shape as Own, TurnedRect, validate};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::ops::ControlFlow;

/// Longest file; most of it is the picture in `imageData`, where it is there.
const FILE_MAX: u64 = 256 << 20;
const RECORD_MAX: usize = 64 << 20;
const SHAPES_MAX: usize = 100_000;

#[derive(Deserialize)]
struct File {
    shapes: Option<IgnoredAny>,
    #[serde(rename = "imagePath")]
    image_path: Option<String>,
    #[serde(rename = "imageWidth", default)]
    width: Loose,
    #[serde(rename = "imageHeight", default)]
    height: Loose,
    #[serde(default)]
    flags: Option<BTreeMap<String, Loose>>,
}

#[derive(Deserialize)]
struct Shape {
    label: Option<String>,
    #[serde(default)]
    points: Vec<[f64; 2]>,
    #[serde(default)]
    group_id: Loose,
    shape_type: Option<String>,
    mask: Option<String>,
    #[serde(default)]
    flags: Said,
    #[serde(default)]
    attributes: Said,
    #[serde(default)]
    description: Loose,
}

impl Shape {
    /// What is said of the object: flags, the attributes that forks of LabelMe write, and the description.
    fn said(&mut self) -> Option<Box<ImportedAttributes>> {
        let mut said = ImportedAttributes::default();
        for values in [self.flags.0.take(), self.attributes.0.take()] {
            for (name, value) in values.into_iter().flat_map(|v| v.0) {
                said.put(&name, value);
            }
        }
        let text = std::mem::take(&mut self.description).text();
        if let Some(text) = text.filter(|t| !t.trim().is_empty()) {
            said.put("description", AttributeValue::Text(text));
        }
        said.boxed()
    }
}

/// Reads the file of one picture; `path` is its own. Errors: it is no LabelMe file, or reading fails.
pub fn read(path: &str, reader: &mut dyn Read, findings: &mut Findings) -> Result<Imported, FormatError> {
    let bytes = bytes(reader, FILE_MAX, "a LabelMe file describes one picture", findings)?;
    let not = |why: String| {
        FormatError::NotTheFormat(format!("`{}` is no LabelMe file: {why}.", quote(findings.file())))
    };
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let file: File = serde_json::from_slice(text).map_err(|e| not(e.to_string()))?;
    if file.shapes.is_none() {
        return Err(not("it has no `shapes`".to_owned()));
    }
    let size = match (file.width.number(), file.height.number()) {
        (Some(w), Some(h)) if w >= 1.0 && h >= 1.0 => Some((w, h)),
        _ => None,
    };
    let mut gather = Gather {
        findings,
        out: Imported {
            images: vec![image(path, file.image_path.as_deref(), size)],
            ..Imported::default()
        },
        size,
        by_name: HashMap::new(),
        groups: HashMap::new(),
    };
    for (name, _) in file.flags.into_iter().flatten().filter(|(_, set)| set.truthy()) {
        gather.whole(&name);
    }
    scan::scan(text, RECORD_MAX, &mut gather)?;
    Ok(gather.out)
}

/// The picture lies beside the file: its folder goes before the name in it, which may itself lead elsewhere.
fn image(path: &str, named: Option<&str>, size: Option<(f64, f64)>) -> ImportedImage {
    let (folder, base) = path.rsplit_once('/').map_or(("", path), |(f, b)| (f, b));
    let named = named
        .map(|n| n.replace('\\', "/"))
        .filter(|n| !n.trim().is_empty() && n.len() <= 4_096);
    let name = named.unwrap_or_else(|| crate::names::stem(base).to_owned());
    let mut names = vec![name.clone()];
    if !folder.is_empty() && !name.contains('/') {
        names.insert(0, format!("{folder}/{name}"));
        // Below the archive's name.
        if let Some((_, below)) = folder.split_once('/') {
            names.insert(1, format!("{below}/{name}"));
        }
    }
    ImportedImage {
        file_name: Some(names.remove(0)),
        alternatives: names,
        size,
        line: 1,
        ..ImportedImage::default()
    }
}

struct Gather<'f> {
    findings: &'f mut Findings,
    out: Imported,
    size: Option<(f64, f64)>,
    by_name: HashMap<String, u32>,
    /// By group and category: the label that holds its first polygon.
    groups: HashMap<(Key, u32), usize>,
}

type Refusal = (&'static str, String);

impl Gather<'_> {
    fn category(&mut self, name: &str, line: u64) -> Result<u32, Refusal> {
        let name = validate::name("category", name)
            .map_err(|why| ("bad_name", format!("The label's name cannot be used. {why}")))?;
        if let Some(n) = self.by_name.get(&name) {
            return Ok(*n);
        }
        let n = self.out.categories.len() as u32;
        self.by_name.insert(name.clone(), n);
        self.out.categories.push(ImportedCategory {
            name: Some(name),
            line,
            ..ImportedCategory::default()
        });
        Ok(n)
    }

    fn push(
        &mut self,
        category: u32,
        shape: ImportedShape,
        attributes: Option<Box<ImportedAttributes>>,
        (index, line): (u64, u64),
    ) {
        self.out.annotations.push(ImportedAnnotation {
            image: 0,
            category,
            shape,
            score: None,
            attributes,
            id: None,
            index: index as u32,
            line: u32::try_from(line).unwrap_or(0),
            links: None,
        });
    }

    fn whole(&mut self, name: &str) {
        match self.category(name, 1) {
            Ok(category) => self.push(category, ImportedShape::Whole, None, (0, 1)),
            Err((code, why)) => self.findings.refused(code, || Detail::new(why).record("flags")),
        }
    }

    fn take(&mut self, e: &Element<'_>) -> Result<(), Refusal> {
        let bytes = e
            .bytes
            .ok_or_else(|| ("record_too_long", "The shape is longer than 64 MiB.".to_owned()))?;
        let mut shape: Shape = serde_json::from_slice(bytes)
            .map_err(|e| ("bad_record", format!("The shape cannot be read: {e}.")))?;
        if self.out.annotations.len() >= SHAPES_MAX {
            return Err((
                "too_many",
                format!("Only the first {SHAPES_MAX} shapes of a file are taken."),
            ));
        }
        let said = shape.said();
        let category = self.category(shape.label.as_deref().unwrap_or_default(), e.line)?;
        let drawn = match shape.shape_type.as_deref().unwrap_or("polygon") {
            "rectangle" => match shape.points.as_slice() {
                [a, b] => {
                    ImportedShape::Box(Rect::from_corners(Point::new(a[0], a[1]), Point::new(b[0], b[1])))
                }
                _ => {
                    return Err((
                        "bad_box",
                        "A rectangle needs two points, opposite corners.".to_owned(),
                    ));
                }
            },
            "polygon" => {
                if let Some(group) = shape.group_id.key() {
                    let group = (group, category);
                    if let Some(n) = self.groups.get(&group)
                        && let Some(first) = self.out.annotations.get_mut(*n)
                        && let ImportedShape::Outline(outline) = &mut first.shape
                        && let ImportedOutline::Polygons(rings) = &mut **outline
                    {
                        rings.push(shape.points);
                        return Ok(());
                    }
                    self.groups.insert(group, self.out.annotations.len());
                }
                let rings: Vec<Ring> = vec![shape.points];
                ImportedShape::Outline(Box::new(ImportedOutline::Polygons(rings)))
            }
            "line" | "linestrip" => own(Own::Polyline { points: shape.points }),
            "point" | "points" => {
                if let Some(group) = shape.group_id.key() {
                    let group = (group, category);
                    if let Some(n) = self.groups.get(&group)
                        && let Some(first) = self.out.annotations.get_mut(*n)
                        && let ImportedShape::Other(other) = &mut first.shape
                        && let Own::Points { points } = &mut **other
                    {
                        points.extend(shape.points);
                        return Ok(());
                    }
                    self.groups.insert(group, self.out.annotations.len());
                }
                own(Own::Points { points: shape.points })
            }
            "circle" => match shape.points.as_slice() {
                // The centre, and a point on the circle.
                [c, p] => {
                    let side = 2.0 * (c[0] - p[0]).hypot(c[1] - p[1]);
                    let rect = TurnedRect {
                        cx: c[0],
                        cy: c[1],
                        w: side,
                        h: side,
                        angle: 0.0,
                    };
                    own(Own::Ellipse { rect })
                }
                _ => {
                    return Err((
                        "bad_circle",
                        "A circle needs two points, its centre and one on it.".to_owned(),
                    ));
                }
            },
            "mask" => mask(
                &shape.points,
                shape.mask.as_deref().unwrap_or_default(),
                self.size,
            )?,
            other => {
                return Err((
                    "kind_unknown",
                    format!(
                        "A `{}` is not imported; rectangles, polygons, masks, lines, points and circles are.",
                        quote(other)
                    ),
                ));
            }
        };
        self.push(category, drawn, said, (e.index, e.line));
        Ok(())
    }
}

fn own(shape: Own) -> ImportedShape {
    ImportedShape::Other(Box::new(shape))
}

fn mask(points: &[[f64; 2]], text: &str, size: Option<(f64, f64)>) -> Result<ImportedShape, Refusal> {
    let bad = |why: &str| ("bad_mask", why.to_owned());
    let (width, height) =
        size.ok_or_else(|| bad("The file gives no imageWidth and imageHeight, so the mask has no place."))?;
    let png = STANDARD
        .decode(text)
        .map_err(|_| bad("The mask is no PNG in base64."))?;
    let decoded = decode(&png).map_err(|why| ("bad_mask", format!("The mask cannot be used: {why}.")))?;
    let [first, ..] = points else {
        return Err(bad("A mask needs two points, its first and last pixel."));
    };
    let corner = |v: f64| (v >= 0.0 && v <= f64::from(u32::MAX)).then(|| v.round() as u32);
    let (Some(x), Some(y)) = (corner(first[0]), corner(first[1])) else {
        return Err(bad("The mask begins outside the image."));
    };
    let (Values::Numbers(values) | Values::Colors(values)) = decoded.values;
    let window = Canvas {
        width: decoded.width,
        height: decoded.height,
        values: values.into_iter().map(|v| u32::from(v != 0)).collect(),
    };
    let (_, mask) = window.masks().pop().ok_or_else(|| bad("The mask is empty."))?;
    let (x, y) = (x.checked_add(mask.x), y.checked_add(mask.y));
    let (Some(x), Some(y)) = (x, y) else {
        return Err(bad("The mask begins outside the image."));
    };
    let mask = Mask { x, y, ..mask };
    let size = (width as u32, height as u32);
    Ok(ImportedShape::Outline(Box::new(ImportedOutline::Mask {
        mask,
        size,
    })))
}

impl Sink for Gather<'_> {
    fn wants(&self, section: &str) -> bool {
        section == "shapes"
    }

    fn element(&mut self, e: Element<'_>) -> ControlFlow<()> {
        if let Err((code, why)) = self.take(&e) {
            self.findings.refused(code, || {
                Detail::new(why)
                    .line(e.line)
                    .record(format!("shapes[{}]", e.index))
            });
        }
        ControlFlow::Continue(())
    }

    fn empty(&mut self, _: &str) {}

    fn not_an_array(&mut self, section: &str, line: u64) {
        self.findings.refused("not_a_list", || {
            Detail::new(format!("`{section}` must be a list.")).line(line)
        });
    }
}
