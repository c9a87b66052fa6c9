//! Writes masks as pictures.

use crate::pixels::Canvas;
use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer};
use std::fmt::Write as _;
use std::io;

/// Indexed, or grey of 16 bits where the classes are more than a palette holds.
#[derive(Debug)]
pub struct PngWriter {
    names: Vec<String>,
    /// Red, green, blue of background and the classes.
    palette: Vec<u8>,
}

impl PngWriter {
    pub fn new(dataset: Dataset) -> Self {
        let colors = dataset.categories.iter().flat_map(|c| c.color);
        Self {
            names: dataset.names(),
            palette: [0; 3].into_iter().chain(colors).collect(),
        }
    }
}

impl Writer for PngWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let mut csv = String::from("index,name,color\n0,background,#000000\n");
        let mut map = String::from("# label:color_rgb:parts:actions\nbackground:0,0,0::\n");
        for ((name, color), n) in self
            .names
            .iter()
            .zip(self.palette.chunks_exact(3).skip(1))
            .zip(1..)
        {
            let (r, g, b) = (color[0], color[1], color[2]);
            let quoted = name.replace('"', "\"\"");
            let _ = writeln!(csv, "{n},\"{quoted}\",#{r:02x}{g:02x}{b:02x}");
            let _ = writeln!(map, "{}:{r},{g},{b}::", name.replace(':', " "));
        }
        out.file("classes.csv", csv.as_bytes())?;
        out.file("labelmap.txt", map.as_bytes())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        tally.items += 1;
        let Some(mut canvas) = Canvas::new(item.width, item.height) else {
            for label in labels {
                let kind = Geometry::from(label.shape).kind();
                tally.left_out(kind, "their image is too large for a picture of masks", item.name);
            }
            return Ok(());
        };
        for label in labels {
            let geometry = Geometry::from(label.shape);
            match geometry {
                Geometry::Polygon(_) | Geometry::Mask(_) | Geometry::RotatedBox(_) | Geometry::Ellipse(_) => {
                    match geometry.mask(item.size()) {
                        Some(mask) => {
                            canvas.paint(&mask, label.category as u32 + 1);
                            tally.labels += 1;
                        }
                        None => {
                            tally.left_out(geometry.kind(), "no middle of a pixel lies in them", item.name);
                        }
                    }
                }
                _ => tally.left_out(geometry.kind(), "pictures of masks have outlines only", item.name),
            }
        }
        let png = match canvas.indexed(&self.palette)? {
            Some(png) => png,
            None => canvas.grey()?,
        };
        out.append(
            "ImageSets/Segmentation/default.txt",
            0,
            format!("{}\n", item.stem()).as_bytes(),
        )?;
        out.file(&format!("SegmentationClass/{}.png", item.stem()), &png)
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn picture(&self, name: &str) -> String {
        format!("JPEGImages/{name}")
    }
}
