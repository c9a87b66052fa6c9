//! Writes LabelMe. Parts of one polygon share a `group_id`; one with holes is a mask. The picture itself stays out
//! (`imageData` is null).

use crate::pixels::Canvas;
use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer, has_holes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use limn_domain::{AttributeValue, Attributes, Mask};
use serde_json::{Map, Value, json};
use std::io;

#[derive(Debug)]
pub struct LabelmeWriter {
    names: Vec<String>,
}

impl LabelmeWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
        }
    }
}

impl Writer for LabelmeWriter {
    fn begin(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let (mut flags, mut shapes) = (Map::new(), Vec::new());
        let mut groups = 0;
        for label in labels {
            let name = self.names.get(label.category).map_or("", String::as_str);
            let geometry = Geometry::from(label.shape);
            let before = shapes.len();
            let written = match geometry {
                Geometry::Whole => {
                    flags.insert(name.to_owned(), Value::Bool(true));
                    true
                }
                Geometry::Box(rect) => Geometry::boxed(rect, item.size())
                    .map(|r| {
                        let points = json!([[r.x, r.y], [r.right(), r.bottom()]]);
                        shapes.push(shape(name, "rectangle", points, None, Value::Null));
                    })
                    .is_some(),
                Geometry::Polygon(parts) if has_holes(parts) => {
                    tally.changed(
                        "outlines have holes, which LabelMe's polygons cannot; they are written as masks",
                    );
                    match geometry.mask(item.size()) {
                        Some(mask) => pixels(name, &mask)?.map(|s| shapes.push(s)).is_some(),
                        None => false,
                    }
                }
                Geometry::Polygon(parts) => {
                    groups += u32::from(parts.len() > 1);
                    let group = (parts.len() > 1).then_some(groups);
                    for ring in parts.iter().filter_map(|p| p.first()) {
                        shapes.push(shape(name, "polygon", json!(ring), group, Value::Null));
                    }
                    true
                }
                Geometry::Mask(mask) => pixels(name, mask)?.map(|s| shapes.push(s)).is_some(),
                Geometry::RotatedBox(_) | Geometry::Ellipse(_) => {
                    tally.changed("rotated boxes and ellipses are written as polygons");
                    let outline = geometry.outline(item.size());
                    let ring = outline.as_deref().and_then(|parts| parts.first()?.first());
                    ring.map(|ring| shapes.push(shape(name, "polygon", json!(ring), None, Value::Null)))
                        .is_some()
                }
                Geometry::Line(points) => {
                    shapes.push(shape(name, "linestrip", json!(points), None, Value::Null));
                    true
                }
                Geometry::Points(points) => {
                    groups += u32::from(points.len() > 1);
                    let group = (points.len() > 1).then_some(groups);
                    let points = points
                        .iter()
                        .map(|p| shape(name, "point", json!([p]), group, Value::Null));
                    shapes.extend(points);
                    true
                }
                Geometry::Other(_) => {
                    tally.left_out(geometry.kind(), "LabelMe export does not know them", item.name);
                    continue;
                }
            };
            if written {
                tally.labels += 1;
                if !label.attributes.is_empty() {
                    if shapes.len() == before {
                        tally.changed("labels of whole images have attributes, which are left out");
                    }
                    for shape in &mut shapes[before..] {
                        said(shape, label.attributes);
                    }
                }
            } else {
                tally.left_out(geometry.kind(), "nothing of them lies in their image", item.name);
            }
        }
        tally.items += 1;
        let base = item.name.rsplit('/').next().unwrap_or(item.name);
        let file = json!({
            "version": "5.5.0",
            "flags": flags,
            "shapes": shapes,
            "imagePath": base,
            "imageData": null,
            "imageHeight": item.height,
            "imageWidth": item.width,
        });
        out.file(
            &format!("{}.json", item.stem()),
            &serde_json::to_vec_pretty(&file)?,
        )
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    /// Beside its file.
    fn picture(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// Adds values to a shape: yes and no as its flags, others under `attributes`, which LabelMe keeps and forks of it show.
fn said(shape: &mut Value, values: &Attributes) {
    let (mut flags, mut others) = (Map::new(), Map::new());
    for (key, value) in values {
        match value {
            AttributeValue::Flag(on) => flags.insert(key.clone(), Value::Bool(*on)),
            AttributeValue::Number(n) => others.insert(key.clone(), json!(n)),
            AttributeValue::Text(t) => others.insert(key.clone(), Value::String(t.clone())),
        };
    }
    shape["flags"] = Value::Object(flags);
    if !others.is_empty() {
        shape["attributes"] = Value::Object(others);
    }
}

fn shape(label: &str, kind: &str, points: Value, group: Option<u32>, mask: Value) -> Value {
    json!({
        "label": label,
        "points": points,
        "group_id": group,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": mask,
    })
}

/// The window's first and last pixel, and its pixels as a PNG of 0 and 1 in base64.
fn pixels(name: &str, mask: &Mask) -> io::Result<Option<Value>> {
    let moved = Mask {
        x: 0,
        y: 0,
        ..mask.clone()
    };
    let Some(mut canvas) = Canvas::new(mask.width, mask.height) else {
        return Ok(None);
    };
    canvas.paint(&moved, 1);
    let png = STANDARD.encode(canvas.grey8()?);
    let points = json!([
        [mask.x, mask.y],
        [mask.x + mask.width - 1, mask.y + mask.height - 1]
    ]);
    Ok(Some(shape(name, "mask", points, None, Value::String(png))))
}
