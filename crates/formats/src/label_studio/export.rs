//! Writes Label Studio's JSON, and the labeling configuration that its results belong to.

use super::attributes::Controls;
use super::brush;
use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer};
use limn_domain::ShapeKind;
use limn_domain::project::Task;
use quick_xml::escape::escape;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io;

const FILE: &str = "label-studio.json";

#[derive(Debug)]
pub struct LabelStudioWriter {
    dataset: Dataset,
    names: Vec<String>,
    controls: Controls,
    tasks: u64,
}

impl LabelStudioWriter {
    pub fn new(dataset: Dataset) -> Self {
        let names = dataset.names();
        Self {
            controls: Controls::new(&dataset.categories),
            names,
            dataset,
            tasks: 0,
        }
    }

    fn config(&self) -> String {
        let mut out = String::from("<View>\n  <Image name=\"image\" value=\"$image\"/>\n");
        let choice = match self.dataset.task {
            Task::Classification => "Choices choice=\"single\"",
            _ => "Choices choice=\"multiple\"",
        };
        let controls = [
            (choice, "choice", "Choice", ShapeKind::Whole),
            ("RectangleLabels", "box", "Label", ShapeKind::Box),
            ("PolygonLabels", "polygon", "Label", ShapeKind::Polygon),
            ("BrushLabels", "brush", "Label", ShapeKind::Mask),
            ("EllipseLabels", "ellipse", "Label", ShapeKind::Ellipse),
            ("KeyPointLabels", "point", "Label", ShapeKind::Points),
        ];
        let controls = controls.into_iter().filter(|c| self.dataset.task.allows(c.3));
        for (control, name, entry, _) in controls {
            let _ = writeln!(out, "  <{control} name=\"{name}\" toName=\"image\">");
            for (label, category) in self.names.iter().zip(&self.dataset.categories) {
                let [r, g, b] = category.color;
                let _ = writeln!(
                    out,
                    "    <{entry} value=\"{}\" background=\"#{r:02x}{g:02x}{b:02x}\"/>",
                    escape(label)
                );
            }
            let element = control.split(' ').next().unwrap_or(control);
            let _ = writeln!(out, "  </{element}>");
        }
        self.controls.config(&self.names, &mut out);
        out.push_str("</View>\n");
        out
    }
}

/// The control, the type of the result, its value; or why there is none.
fn value(
    geometry: Geometry<'_>,
    name: &str,
    item: &Item<'_>,
    tally: &mut Tally,
) -> Result<(&'static str, &'static str, Value), &'static str> {
    let size = item.size();
    let (px, py) = (|x: f64| 100.0 * x / size.width, |y: f64| 100.0 * y / size.height);
    let mask = match geometry {
        Geometry::Whole => return Ok(("choice", "choices", json!({ "choices": [name] }))),
        Geometry::Box(rect) => {
            let r = Geometry::boxed(rect, size).ok_or("nothing of them lies in their image")?;
            let value = json!({
                "x": px(r.x), "y": py(r.y), "width": px(r.w), "height": py(r.h), "rotation": 0,
                "rectanglelabels": [name],
            });
            return Ok(("box", "rectanglelabels", value));
        }
        Geometry::Polygon([part]) if part.len() == 1 => {
            let points: Vec<[f64; 2]> = part.iter().flatten().map(|[x, y]| [px(*x), py(*y)]).collect();
            let value = json!({ "points": points, "closed": true, "polygonlabels": [name] });
            return Ok(("polygon", "polygonlabels", value));
        }
        Geometry::Polygon(_) => {
            tally.changed("outlines have holes or several parts, which Label Studio's polygons cannot; they are written as brush masks");
            geometry.mask(size)
        }
        Geometry::Mask(_) => geometry.mask(size),
        // Turned about the corner that is top left before.
        Geometry::RotatedBox(r) => {
            let [corner, ..] = r.corners();
            let value = json!({
                "x": px(corner.x), "y": py(corner.y), "width": px(r.w), "height": py(r.h),
                "rotation": r.angle, "rectanglelabels": [name],
            });
            return Ok(("box", "rectanglelabels", value));
        }
        Geometry::Ellipse(r) => {
            let value = json!({
                "x": px(r.cx), "y": py(r.cy), "radiusX": px(r.w / 2.0), "radiusY": py(r.h / 2.0),
                "rotation": r.angle, "ellipselabels": [name],
            });
            return Ok(("ellipse", "ellipselabels", value));
        }
        Geometry::Points([[x, y]]) => {
            let value = json!({ "x": px(*x), "y": py(*y), "width": 0.5, "keypointlabels": [name] });
            return Ok(("point", "keypointlabels", value));
        }
        _ => return Err("Label Studio has no such shape"),
    };
    let mask = mask.ok_or("no middle of a pixel lies in them")?;
    let rle =
        brush::write(&mask, item.width, item.height).ok_or("their image is too large for a brush mask")?;
    let value = json!({ "format": "rle", "rle": rle, "brushlabels": [name] });
    Ok(("brush", "brushlabels", value))
}

impl Writer for LabelStudioWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.file("label-config.xml", self.config().as_bytes())?;
        out.append(FILE, 0, b"[")
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let mut result = Vec::with_capacity(labels.len());
        let mut choices: Vec<&str> = Vec::new();
        for label in labels {
            let geometry = Geometry::from(label.shape);
            let name = self.names.get(label.category).map_or("", String::as_str);
            if geometry == Geometry::Whole {
                if !label.attributes.is_empty() {
                    tally.changed("labels of whole images have attributes, which are left out");
                }
                choices.push(name);
                tally.labels += 1;
                continue;
            }
            match value(geometry, name, item, tally) {
                Ok((control, kind, value)) => {
                    let id = label.id.to_string();
                    let said = self.controls.results(label, &value);
                    result.push(record(&id, control, kind, item, value));
                    let said = said
                        .into_iter()
                        .map(|(control, kind, value)| record(&id, control, kind, item, value));
                    result.extend(said);
                    tally.labels += 1;
                }
                Err(why) => tally.left_out(geometry.kind(), why, item.name),
            }
        }
        for label in labels {
            if label.links.group.is_some() {
                tally.changed("labels are in groups, which are left out");
            }
            for r in &label.links.relations {
                let kinds: Vec<&str> = Some(r.kind.as_str())
                    .filter(|k| !k.is_empty())
                    .into_iter()
                    .collect();
                result.push(json!({
                    "type": "relation", "from_id": label.id.to_string(), "to_id": r.to.to_string(),
                    "direction": "right", "labels": kinds,
                }));
            }
        }
        if !choices.is_empty() {
            let id = format!("choices-{}", item.id);
            result.push(record(
                &id,
                "choice",
                "choices",
                item,
                json!({ "choices": choices }),
            ));
        }
        let annotations = if result.is_empty() {
            json!([])
        } else {
            json!([{ "result": result, "was_cancelled": false, "ground_truth": false }])
        };
        let task = json!({
            "id": item.id,
            "data": { "image": format!("images/{}", item.name) },
            "annotations": annotations,
        });
        let separator = if self.tasks == 0 { "\n" } else { ",\n" };
        self.tasks += 1;
        tally.items += 1;
        out.append(FILE, 0, format!("{separator}{task}").as_bytes())
    }

    fn finish(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.append(FILE, 0, b"\n]\n")
    }
}

fn record(id: &str, control: &str, kind: &str, item: &Item<'_>, value: Value) -> Value {
    json!({
        "id": id,
        "type": kind,
        "from_name": control,
        "to_name": "image",
        "original_width": item.width,
        "original_height": item.height,
        "image_rotation": 0,
        "value": value,
    })
}
