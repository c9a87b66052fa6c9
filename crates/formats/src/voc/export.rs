//! Writes Pascal VOC: `Annotations/`, `JPEGImages/`, the list of pictures that readers ask for, and `labelmap.txt` with the
//! classes as CVAT and datumaro read them.

use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer};
use quick_xml::escape::escape;
use std::fmt::Write as _;
use std::io;

/// Boxes only: corners as they stand in the project, to the last digit.
#[derive(Debug)]
pub struct VocWriter {
    names: Vec<String>,
    colors: Vec<[u8; 3]>,
}

impl VocWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            colors: dataset.categories.iter().map(|c| c.color).collect(),
        }
    }
}

impl Writer for VocWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let mut text = String::from("# label:color_rgb:parts:actions\nbackground:0,0,0::\n");
        for (name, [r, g, b]) in self.names.iter().zip(&self.colors) {
            let _ = writeln!(text, "{}:{r},{g},{b}::", name.replace(':', " "));
        }
        out.file("labelmap.txt", text.as_bytes())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let mut xml = format!(
            "<annotation>\n\t<folder>JPEGImages</folder>\n\t<filename>{}</filename>\n\t<source><database>Unknown</database></source>\n\
             \t<size><width>{}</width><height>{}</height><depth>3</depth></size>\n\t<segmented>0</segmented>\n",
            escape(item.name),
            item.width,
            item.height
        );
        for label in labels {
            let geometry = Geometry::from(label.shape);
            let Geometry::Box(rect) = geometry else {
                tally.left_out(geometry.kind(), "Pascal VOC has boxes only", item.name);
                continue;
            };
            let Some(r) = Geometry::boxed(rect, item.size()) else {
                tally.left_out(geometry.kind(), "nothing of them lies in their image", item.name);
                continue;
            };
            let name = self.names.get(label.category).map_or("", String::as_str);
            let _ = writeln!(
                xml,
                "\t<object>\n\t\t<name>{}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n\
                 \t\t<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>\n\t</object>",
                escape(name),
                r.x,
                r.y,
                r.right(),
                r.bottom()
            );
            tally.labels += 1;
        }
        xml.push_str("</annotation>\n");
        tally.items += 1;
        out.append(
            "ImageSets/Main/default.txt",
            0,
            format!("{}\n", item.stem()).as_bytes(),
        )?;
        out.file(&format!("Annotations/{}.xml", item.stem()), xml.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn picture(&self, name: &str) -> String {
        format!("JPEGImages/{name}")
    }
}
