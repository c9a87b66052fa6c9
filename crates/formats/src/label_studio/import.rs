//! Reads Label Studio's JSON, task by task.

use super::{attributes, brush};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::json::loose::{Key, Loose};
use crate::json::scan::{self, Element, End, Sink};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedOutline, ImportedShape,
};
use limn_domain::polygon::Ring;
use limn_domain::{Point, Rect, Shape, TurnedRect, validate};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::io::Read;
use std::ops::{ControlFlow, Range};

const RECORD_MAX: usize = 64 << 20;
const TASKS_MAX: usize = 2_000_000;
const LABELS_MAX: usize = 5_000_000;

#[derive(Deserialize)]
struct Task {
    #[serde(default)]
    data: Map<String, Value>,
    annotations: Option<Vec<Outcome>>,
    predictions: Option<Vec<Outcome>>,
}

/// An annotation or a prediction.
#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    result: Vec<Value>,
    #[serde(default)]
    was_cancelled: bool,
    #[serde(default)]
    ground_truth: bool,
    #[serde(default)]
    score: Loose,
}

#[derive(Deserialize)]
struct Region {
    /// Results of one region have the same.
    #[serde(default)]
    id: Loose,
    #[serde(default)]
    from_name: Loose,
    #[serde(rename = "type")]
    kind: String,
    original_width: Option<f64>,
    original_height: Option<f64>,
    #[serde(default)]
    value: Map<String, Value>,
    /// Of a relation: the regions it goes between, which way, and what it says.
    #[serde(default)]
    from_id: Loose,
    #[serde(default)]
    to_id: Loose,
    #[serde(default)]
    direction: Loose,
    #[serde(default)]
    labels: Vec<String>,
}

/// Reads a file. Errors: it holds no tasks, or reading fails.
pub fn read(_: &str, reader: &mut dyn Read, findings: &mut Findings) -> Result<Imported, FormatError> {
    let mut gather = Gather {
        findings,
        out: Imported::default(),
        by_name: HashMap::new(),
        tasks: 0,
        others: 0,
    };
    let end = scan::scan(reader, RECORD_MAX, &mut gather)?;
    let Gather {
        findings,
        out,
        tasks,
        others,
        ..
    } = gather;
    match end {
        End::Complete | End::Stopped => {}
        End::Truncated { line } | End::Malformed { line, .. } => findings.refused("truncated", || {
            Detail::new("The file ends or breaks here; the tasks before it were taken.").line(line)
        }),
        End::NotJson { .. } | End::Utf16 => {}
    }
    if tasks == 0 {
        return Err(FormatError::NotTheFormat(format!(
            "`{}` is not Label Studio's JSON: it must be a list of tasks with `data` and `annotations`.",
            quote(findings.file())
        )));
    }
    if others > 0 {
        findings.note("other_annotations", || {
            Detail::new(format!(
                "{others} tasks have annotations by several people; the ground truth or else the first was taken."
            ))
        });
    }
    Ok(out)
}

struct Gather<'f> {
    findings: &'f mut Findings,
    out: Imported,
    by_name: HashMap<String, u32>,
    tasks: usize,
    others: u64,
}

type Refusal = (&'static str, String);

impl Gather<'_> {
    fn task(&mut self, e: &Element<'_>) -> Result<(), Refusal> {
        let bytes = e
            .bytes
            .ok_or_else(|| ("record_too_long", "The task is longer than 64 MiB.".to_owned()))?;
        let task: Task = serde_json::from_slice(bytes)
            .map_err(|e| ("bad_record", format!("The task cannot be read: {e}.")))?;
        if task.annotations.is_none() && task.predictions.is_none() && task.data.is_empty() {
            return Err((
                "bad_record",
                "The task has neither `data` nor `annotations`.".to_owned(),
            ));
        }
        if self.tasks >= TASKS_MAX {
            return Err((
                "too_many",
                format!("Only the first {TASKS_MAX} tasks of a file are taken."),
            ));
        }
        self.tasks += 1;
        let path = picture(&task.data).ok_or_else(|| {
            (
                "no_file_name",
                "The task's `data` names no picture, so it cannot be found.".to_owned(),
            )
        })?;
        let mut done: Vec<Outcome> = task
            .annotations
            .into_iter()
            .flatten()
            .filter(|a| !a.was_cancelled)
            .collect();
        self.others += u64::from(done.len() > 1);
        let best = done.iter().position(|a| a.ground_truth).unwrap_or(0);
        let chosen = if best < done.len() {
            Some((done.swap_remove(best), None))
        } else {
            let first = task.predictions.into_iter().flatten().next();
            first.map(|p| {
                let score = p.score.number().map(|s| s.clamp(0.0, 1.0));
                (p, score)
            })
        };
        let image = self.out.images.len() as u32;
        let mut image_of = ImportedImage {
            file_name: Some(path),
            line: e.line,
            ..ImportedImage::default()
        };
        image_of.alternatives = unprefixed(image_of.file_name.as_deref().unwrap_or_default());
        self.out.images.push(image_of);
        let Some((outcome, score)) = chosen else {
            return Ok(());
        };
        let first = self.out.annotations.len();
        let (mut regions, mut later, mut relations) = (HashMap::new(), Vec::new(), Vec::new());
        let result = |value| {
            serde_json::from_value::<Region>(value)
                .map_err(|e| ("bad_record", format!("The result cannot be read: {e}.")))
        };
        let refuse = |findings: &mut Findings, index: u32, (code, why): Refusal| {
            let record = format!("[{}].result[{index}]", e.index);
            findings.refused(code, || Detail::new(why).line(e.line).record(record));
        };
        for (value, index) in outcome.result.into_iter().zip(0_u32..) {
            let region = match result(value) {
                Ok(region) if region.kind == "relation" => {
                    relations.push((index, region));
                    continue;
                }
                Ok(mut region) => {
                    let id = std::mem::take(&mut region.id).key();
                    if id.is_some() && attributes::is_value(&region.kind) {
                        // It may say something of a region that comes after it.
                        later.push((index, id, region));
                        continue;
                    }
                    let from = self.out.annotations.len();
                    let taken = self.region(region, image, (index, e.line), score);
                    if let Some(id) = id {
                        regions.insert(id, from..self.out.annotations.len());
                    }
                    taken
                }
                Err(why) => Err(why),
            };
            if let Err(why) = region {
                refuse(self.findings, index, why);
            }
        }
        for (index, id, region) in later {
            if let Some(of) = id.and_then(|id| regions.get(&id)) {
                let control = region.from_name.text().unwrap_or_default();
                for annotation in &mut self.out.annotations[of.clone()] {
                    let mut said = annotation.attributes.take().unwrap_or_default();
                    attributes::take(&region.kind, &control, &region.value, &mut said);
                    annotation.attributes = said.boxed();
                }
            } else if let Err(why) = self.region(region, image, (index, e.line), score) {
                refuse(self.findings, index, why);
            }
        }
        for (index, relation) in relations {
            if let Err(why) = self.relation(relation, &regions) {
                refuse(self.findings, index, why);
            }
        }
        self.out.annotations[first..].sort_by_key(|a| a.index);
        Ok(())
    }

    /// Between the first labels of two regions.
    fn relation(&mut self, r: Region, regions: &HashMap<Key, Range<usize>>) -> Result<(), Refusal> {
        let backwards = r.direction.text().is_some_and(|d| d == "left");
        let ends = r.from_id.key().zip(r.to_id.key());
        let known = ends.and_then(|(from, to)| {
            let mut known = |id: &Key| {
                let at = regions.get(id)?.clone().next()?;
                let links = self.out.annotations[at].links.get_or_insert_default();
                let key = links.key.get_or_insert_with(|| at.to_string()).clone();
                Some((at, key))
            };
            Some((known(&from)?, known(&to)?))
        });
        let Some((mut from, mut to)) = known else {
            return Err((
                "relation_broken",
                "The relation goes to a result that is not there or was left out.".to_owned(),
            ));
        };
        if backwards {
            std::mem::swap(&mut from, &mut to);
        }
        let kind = r.labels.into_iter().next().unwrap_or_default();
        let links = self.out.annotations[from.0].links.get_or_insert_default();
        links.relations.push((to.1, kind));
        Ok(())
    }

    fn region(
        &mut self,
        region: Region,
        image: u32,
        (index, line): (u32, u64),
        score: Option<f64>,
    ) -> Result<(), Refusal> {
        let size = region
            .original_width
            .zip(region.original_height)
            .filter(|(w, h)| *w >= 1.0 && *h >= 1.0);
        let names = region.value.get(region.kind.as_str()).and_then(Value::as_array);
        let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
        let shape = shape(&region.kind, &region.value, size)?;
        if names.is_empty() {
            return Err((
                "no_label",
                format!("The result has no `{}`.", quote(&region.kind)),
            ));
        }
        if let Some(of) = self
            .out
            .images
            .get_mut(image as usize)
            .filter(|i| i.size.is_none())
        {
            of.size = size;
        }
        for name in names {
            let name = validate::name("category", name)
                .map_err(|why| ("bad_name", format!("The label cannot be used. {why}")))?;
            if self.out.annotations.len() >= LABELS_MAX {
                return Err((
                    "too_many",
                    format!("Only the first {LABELS_MAX} labels of a file are taken."),
                ));
            }
            let next = self.by_name.len() as u32;
            let category = *self.by_name.entry(name).or_insert_with_key(|name| {
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
                shape: shape.clone(),
                score,
                attributes: None,
                id: None,
                index,
                line: u32::try_from(line).unwrap_or(0),
                links: None,
            });
        }
        Ok(())
    }
}

/// In pixels of the image the result was made on.
fn shape(kind: &str, value: &Map<String, Value>, size: Option<(f64, f64)>) -> Result<ImportedShape, Refusal> {
    if kind == "choices" {
        return Ok(ImportedShape::Whole);
    }
    const KINDS: [&str; 5] = [
        "rectanglelabels",
        "polygonlabels",
        "brushlabels",
        "ellipselabels",
        "keypointlabels",
    ];
    if !KINDS.contains(&kind) {
        return Err((
            "kind_unknown",
            format!(
                "A result of type `{}` is not imported; choices, {} are.",
                quote(kind),
                KINDS.join(", ")
            ),
        ));
    }
    let (width, height) = size.ok_or_else(|| {
        let why = "The result has no original_width and original_height, so its percent mean nothing.";
        ("no_size", why.to_owned())
    })?;
    let number = |name: &str| value.get(name).and_then(Value::as_f64);
    let angle = number("rotation").unwrap_or(0.0);
    // Of percent, which are seldom exact: rounded a little finer than the numbers are good for, so that a corner in the middle of a pixel comes back there, and with it
    // the pixels of its outline.
    let exact = |v: f64| (v * 1e10).round() / 1e10;
    let part = |of: f64, percent: f64| exact(percent * of / 100.0);
    let (px, py) = (
        |percent: f64| part(width, percent),
        |percent: f64| part(height, percent),
    );
    match kind {
        "rectanglelabels" => {
            let sides = [number("x"), number("y"), number("width"), number("height")];
            let [Some(x), Some(y), Some(w), Some(h)] = sides else {
                return Err((
                    "bad_box",
                    "The box needs the numbers x, y, width and height.".to_owned(),
                ));
            };
            let rect = Rect::new(px(x), py(y), px(w), py(h));
            if angle % 360.0 == 0.0 {
                return Ok(ImportedShape::Box(rect));
            }
            // Turned about its top left corner: so is its centre.
            let about = TurnedRect {
                cx: rect.x,
                cy: rect.y,
                w: 0.0,
                h: 0.0,
                angle,
            };
            let center = about.to_image(Point::new(rect.w / 2.0, rect.h / 2.0));
            let rect = TurnedRect {
                cx: exact(center.x),
                cy: exact(center.y),
                w: rect.w,
                h: rect.h,
                angle,
            };
            Ok(other(Shape::RotatedBox { rect }))
        }
        "ellipselabels" => {
            let sides = [number("x"), number("y"), number("radiusX"), number("radiusY")];
            let [Some(x), Some(y), Some(rx), Some(ry)] = sides else {
                return Err((
                    "bad_box",
                    "The ellipse needs the numbers x, y, radiusX and radiusY.".to_owned(),
                ));
            };
            let rect = TurnedRect {
                cx: px(x),
                cy: py(y),
                w: px(2.0 * rx),
                h: py(2.0 * ry),
                angle,
            };
            Ok(other(Shape::Ellipse { rect }))
        }
        "keypointlabels" => match (number("x"), number("y")) {
            (Some(x), Some(y)) => Ok(other(Shape::Points {
                points: vec![[px(x), py(y)]],
            })),
            _ => Err(("bad_box", "The point needs the numbers x and y.".to_owned())),
        },
        "polygonlabels" => {
            let points = value.get("points").and_then(Value::as_array);
            let ring: Option<Ring> = points
                .into_iter()
                .flatten()
                .map(|p| {
                    let [x, y] = p.as_array()?.as_slice() else {
                        return None;
                    };
                    Some([px(x.as_f64()?), py(y.as_f64()?)])
                })
                .collect();
            let ring = ring.ok_or_else(|| {
                (
                    "bad_outline",
                    "The polygon's points must be pairs of numbers.".to_owned(),
                )
            })?;
            Ok(ImportedShape::Outline(Box::new(ImportedOutline::Polygons(vec![
                ring,
            ]))))
        }
        _ => {
            let bytes = value.get("rle").and_then(Value::as_array);
            let bytes: Option<Vec<u8>> = bytes
                .ok_or_else(|| ("bad_mask", "The mask has no rle.".to_owned()))?
                .iter()
                .map(|v| v.as_u64().and_then(|v| u8::try_from(v).ok()))
                .collect();
            let bytes =
                bytes.ok_or_else(|| ("bad_mask", "The mask's rle is no list of bytes.".to_owned()))?;
            let size = (width as u32, height as u32);
            let mask = brush::read(&bytes, size.0, size.1).map_err(|why| ("bad_mask", why.to_owned()))?;
            Ok(ImportedShape::Outline(Box::new(ImportedOutline::Mask {
                mask,
                size,
            })))
        }
    }
}

fn other(shape: Shape) -> ImportedShape {
    ImportedShape::Other(Box::new(shape))
}

/// The picture of a task: `image`, or the first text of its data that looks like a path.
fn picture(data: &Map<String, Value>) -> Option<String> {
    let text = |v: &Value| {
        v.as_str()
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
    };
    let named = ["image", "img", "picture", "file_upload"]
        .into_iter()
        .find_map(|k| data.get(k).and_then(text));
    let path = named.or_else(|| data.values().find_map(|v| text(v).filter(|t| t.contains('.'))))?;
    // Local files are served as /data/local-files/?d=folder/x.jpg
    let path = path.split_once("?d=").map_or(path.as_str(), |(_, d)| d);
    let path = decoded(path);
    (path.len() <= 4_096).then_some(path)
}

/// `%20` and the like as what they stand for; what is no such thing stays.
fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let (mut out, mut n) = (Vec::with_capacity(bytes.len()), 0);
    while n < bytes.len() {
        let hex = text.get(n + 1..n + 3).filter(|_| bytes[n] == b'%');
        if let Some(b) = hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            out.push(b);
            n += 3;
        } else {
            out.push(bytes[n]);
            n += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Uploads get eight hex digits and a dash in front of their names.
fn unprefixed(path: &str) -> Vec<String> {
    let base = path.rsplit('/').next().unwrap_or(path);
    let rest = base
        .split_once('-')
        .filter(|(hex, _)| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    rest.map(|(_, rest)| rest.to_owned()).into_iter().collect()
}

impl Sink for Gather<'_> {
    fn wants(&self, section: &str) -> bool {
        section.is_empty()
    }

    fn element(&mut self, e: Element<'_>) -> ControlFlow<()> {
        if let Err((code, why)) = self.task(&e) {
            self.findings.refused(code, || {
                Detail::new(why).line(e.line).record(format!("[{}]", e.index))
            });
        }
        ControlFlow::Continue(())
    }

    fn empty(&mut self, _: &str) {}

    fn not_an_array(&mut self, _: &str, _: u64) {}
}
