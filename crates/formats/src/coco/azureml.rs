//! COCO as Azure Machine Learning's labeling writes it: boxes and polygons as shares of the image, sizes as decimal numbers,
//! `area` 0, no `info`, `licenses`, `iscrowd` or `supercategory`, and labels of whole images without a box.

use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer, has_holes};
use limn_domain::Size;
use serde::Serialize;
use std::io;

/// The file, and the order of its pieces.
const FILE: &str = "annotations.json";
const IMAGES: u8 = 0;
const ANNOTATIONS: u8 = 1;
const END: u8 = 2;

#[derive(Debug)]
pub struct AzuremlWriter {
    dataset: Dataset,
    names: Vec<String>,
    images: u64,
    annotations: u64,
}

impl AzuremlWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            dataset,
            images: 0,
            annotations: 0,
        }
    }
}

/// Everything but its image and category; or why there is nothing.
fn record(id: u64, geometry: Geometry<'_>, size: Size) -> Result<Record, &'static str> {
    let mut record = Record {
        id,
        category_id: 0,
        image_id: 0,
        area: 0.0,
        bbox: None,
        segmentation: None,
    };
    let (w, h) = (size.width, size.height);
    let bounds = match geometry {
        Geometry::Whole => return Ok(record),
        Geometry::Box(rect) => Geometry::boxed(rect, size).ok_or("nothing of them lies in their image")?,
        Geometry::Polygon(_) | Geometry::Mask(_) | Geometry::RotatedBox(_) | Geometry::Ellipse(_) => {
            let parts = geometry
                .outline(size)
                .ok_or("nothing of them lies in their image")?;
            let ring = |r: &Vec<[f64; 2]>| r.iter().flat_map(|[x, y]| [x / w, y / h]).collect();
            record.segmentation = Some(parts.iter().filter_map(|p| p.first()).map(ring).collect());
            limn_domain::polygon::bounds(&parts)
        }
        _ => return Err("Azure ML has boxes and polygons only"),
    };
    record.bbox = Some([bounds.x / w, bounds.y / h, bounds.w / w, bounds.h / h]);
    Ok(record)
}

#[derive(Serialize)]
struct CategoryRecord<'a> {
    id: i64,
    name: &'a str,
}

#[derive(Serialize)]
struct ImageRecord<'a> {
    id: i64,
    width: f64,
    height: f64,
    file_name: &'a str,
}

#[derive(Serialize)]
struct Record {
    id: u64,
    category_id: i64,
    image_id: i64,
    area: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bbox: Option<[f64; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segmentation: Option<Vec<Vec<f64>>>,
}

impl Writer for AzuremlWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.append(FILE, IMAGES, b"{\"images\":[")?;
        out.append(FILE, ANNOTATIONS, b"\n],\n\"annotations\":[")
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let separator = |first: bool| if first { "\n" } else { ",\n" };
        let image = ImageRecord {
            id: item.id,
            width: f64::from(item.width),
            height: f64::from(item.height),
            file_name: item.name,
        };
        let text = format!(
            "{}{}",
            separator(self.images == 0),
            serde_json::to_string(&image)?
        );
        out.append(FILE, IMAGES, text.as_bytes())?;
        self.images += 1;
        tally.items += 1;
        let mut text = String::new();
        for label in labels {
            let geometry = Geometry::from(label.shape);
            match record(self.annotations + 1, geometry, item.size()) {
                Ok(mut record) => {
                    record.image_id = item.id;
                    record.category_id = self.dataset.categories.get(label.category).map_or(0, |c| c.id);
                    text.push_str(separator(self.annotations == 0));
                    text.push_str(&serde_json::to_string(&record)?);
                    self.annotations += 1;
                    tally.labels += 1;
                    changes(geometry, tally);
                }
                Err(why) => tally.left_out(geometry.kind(), why, item.name),
            }
        }
        out.append(FILE, ANNOTATIONS, text.as_bytes())
    }

    fn finish(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let categories: Vec<CategoryRecord<'_>> = self
            .names
            .iter()
            .zip(&self.dataset.categories)
            .map(|(name, c)| CategoryRecord { id: c.id, name })
            .collect();
        let text = format!("\n],\n\"categories\":{}}}\n", serde_json::to_string(&categories)?);
        out.append(FILE, END, text.as_bytes())
    }
}

fn changes(geometry: Geometry<'_>, tally: &mut Tally) {
    match geometry {
        Geometry::Polygon(parts) if has_holes(parts) => {
            tally.changed("outlines have holes, which Azure ML's polygons cannot; they are filled");
        }
        Geometry::Mask(mask) => {
            if has_holes(&mask.to_polygon()) {
                tally.changed("outlines have holes, which Azure ML's polygons cannot; they are filled");
            }
            tally.changed("masks are written as polygons along the borders of their pixels");
        }
        Geometry::RotatedBox(_) | Geometry::Ellipse(_) => {
            tally.changed("rotated boxes and ellipses are written as polygons");
        }
        _ => {}
    }
}
