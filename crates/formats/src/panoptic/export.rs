//! Writes COCO panoptic.

use crate::pixels::Canvas;
use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer};
use serde::Serialize;
use std::collections::HashMap;
use std::io;

/// The file, and the order of its pieces.
const FILE: &str = "annotations/panoptic_default.json";
const HEAD: u8 = 0;
const IMAGES: u8 = 1;
const BETWEEN: u8 = 2;
const ANNOTATIONS: u8 = 3;

#[derive(Debug)]
pub struct PanopticWriter {
    dataset: Dataset,
    images: u64,
}

impl PanopticWriter {
    pub const fn new(dataset: Dataset) -> Self {
        Self { dataset, images: 0 }
    }
}

#[derive(Serialize)]
struct CategoryRecord<'a> {
    id: i64,
    name: &'a str,
    supercategory: &'a str,
    isthing: u8,
    color: [u8; 3],
}

#[derive(Serialize)]
struct ImageRecord<'a> {
    id: i64,
    width: u32,
    height: u32,
    file_name: &'a str,
    license: u8,
}

#[derive(Serialize)]
struct AnnotationRecord {
    image_id: i64,
    file_name: String,
    segments_info: Vec<Segment>,
}

#[derive(Serialize)]
struct Segment {
    id: u32,
    category_id: i64,
    area: u64,
    bbox: [u32; 4],
    iscrowd: u8,
}

impl Writer for PanopticWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let all = &self.dataset.categories;
        let categories: Vec<CategoryRecord<'_>> = all
            .iter()
            .map(|c| CategoryRecord {
                id: c.id,
                name: &c.name,
                supercategory: c.parent.and_then(|p| all.get(p)).map_or(&c.name, |p| &p.name),
                isthing: 1,
                color: c.color,
            })
            .collect();
        let info = serde_json::json!({
            "description": self.dataset.name,
            "version": "1.0",
            "year": self.dataset.date.get(..4).and_then(|y| y.parse().ok()).unwrap_or(0_i32),
            "contributor": "",
            "url": "",
            "date_created": self.dataset.date,
        });
        let licenses = serde_json::json!([{ "id": 1, "name": "Unknown", "url": "" }]);
        let head = format!(
            "{{\"info\":{info},\n\"licenses\":{licenses},\n\"categories\":{},\n\"images\":[",
            serde_json::to_string(&categories)?
        );
        out.append(FILE, HEAD, head.as_bytes())?;
        out.append(FILE, BETWEEN, b"\n],\n\"annotations\":[")
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        tally.items += 1;
        let mut segments_info = Vec::new();
        if let Some(canvas) = paint(item, labels, tally) {
            let masks: HashMap<u32, _> = canvas.masks().into_iter().collect();
            for (label, id) in labels.iter().zip(1_u32..) {
                let geometry = Geometry::from(label.shape);
                if !has_pixels(&geometry) {
                    continue;
                }
                let Some(mask) = masks.get(&id) else {
                    tally.left_out(geometry.kind(), "others lie over all of their pixels", item.name);
                    continue;
                };
                segments_info.push(Segment {
                    id,
                    category_id: self.dataset.categories.get(label.category).map_or(0, |c| c.id),
                    area: mask.area(),
                    bbox: [mask.x, mask.y, mask.width, mask.height],
                    iscrowd: 0,
                });
                tally.labels += 1;
            }
            let name = format!("annotations/panoptic_default/{}.png", item.stem());
            out.file(&name, &canvas.rgb()?)?;
        }
        let separator = if self.images == 0 { "\n" } else { ",\n" };
        self.images += 1;
        let image = ImageRecord {
            id: item.id,
            width: item.width,
            height: item.height,
            file_name: item.name,
            license: 1,
        };
        let annotation = AnnotationRecord {
            image_id: item.id,
            file_name: format!("{}.png", item.stem()),
            segments_info,
        };
        let record = |text: String| format!("{separator}{text}");
        out.append(FILE, IMAGES, record(serde_json::to_string(&image)?).as_bytes())?;
        out.append(
            FILE,
            ANNOTATIONS,
            record(serde_json::to_string(&annotation)?).as_bytes(),
        )
    }

    fn finish(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.append(FILE, ANNOTATIONS, b"\n]}\n")
    }
}

const fn has_pixels(geometry: &Geometry<'_>) -> bool {
    matches!(
        geometry,
        Geometry::Polygon(_) | Geometry::Mask(_) | Geometry::RotatedBox(_) | Geometry::Ellipse(_)
    )
}

/// The labels by their place in the list from 1, the later over the earlier.
fn paint(item: &Item<'_>, labels: &[Label<'_>], tally: &mut Tally) -> Option<Canvas> {
    let canvas = Canvas::new(item.width, item.height);
    let Some(mut canvas) = canvas else {
        for label in labels {
            let kind = Geometry::from(label.shape).kind();
            tally.left_out(
                kind,
                "their image is too large for a picture of segments",
                item.name,
            );
        }
        return None;
    };
    for (label, id) in labels.iter().zip(1_u32..) {
        let geometry = Geometry::from(label.shape);
        if !has_pixels(&geometry) {
            tally.left_out(geometry.kind(), "COCO panoptic has outlines only", item.name);
        } else if let Some(mask) = geometry.mask(item.size()) {
            canvas.paint(&mask, id);
        }
    }
    Some(canvas)
}
