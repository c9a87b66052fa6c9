//! Writes CVAT for video 1.1: for each video a folder with `annotations.xml`, a `<track>` for each object and in it its shape
//! on every frame where it is there, keyframes marked, and `outside` where it leaves.

use super::attributes;
use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer, has_holes};
use limn_domain::attribute::Attribute;
use limn_domain::polygon::Vertex;
use limn_domain::{Shape, track, video};
use quick_xml::escape::escape;
use std::fmt::Write as _;
use std::io;

#[derive(Debug)]
pub struct CvatVideoWriter {
    dataset: Dataset,
    names: Vec<String>,
}

impl CvatVideoWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            dataset,
        }
    }

    fn meta(&self, item: &Item<'_>) -> String {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n",
        );
        let (frames, stem) = (item.times_us.len(), escape(item.stem()));
        let _ = write!(
            xml,
            "  <meta>\n    <task>\n      <name>{stem}</name>\n      <size>{frames}</size>\n      <mode>interpolation</mode>\n      \
             <start_frame>0</start_frame>\n      <stop_frame>{}</stop_frame>\n      <labels>\n",
            frames.saturating_sub(1)
        );
        for (name, category) in self.names.iter().zip(&self.dataset.categories) {
            let [r, g, b] = category.color;
            let _ = writeln!(
                xml,
                "        <label><name>{}</name><color>#{r:02x}{g:02x}{b:02x}</color><type>any</type><attributes>{}</attributes></label>",
                escape(name),
                attributes::definitions(&category.attributes)
            );
        }
        let _ = write!(
            xml,
            "      </labels>\n      <original_size><width>{}</width><height>{}</height></original_size>\n    </task>\n    \
             <source>{}</source>\n  </meta>\n",
            item.width,
            item.height,
            escape(item.name)
        );
        xml
    }
}

/// What the shapes of a frame have in common.
struct At<'a, 'l> {
    frame: u32,
    key: bool,
    outside: bool,
    occluded: bool,
    label: &'a Label<'l>,
    /// What the label's category defines.
    list: &'a [Attribute],
}

impl At<'_, '_> {
    /// Writes the shape; `false` when CVAT has no such shape in tracks.
    fn shape(&self, xml: &mut String, shape: &Shape, tally: &mut Tally) -> bool {
        let bit = u8::from;
        let open = |xml: &mut String, element: &str| {
            let _ = write!(
                xml,
                "    <{element} frame=\"{}\" keyframe=\"{}\" outside=\"{}\" occluded=\"{}\"",
                self.frame,
                bit(self.key),
                bit(self.outside),
                bit(self.occluded)
            );
        };
        let points = |xml: &mut String, points: &[Vertex]| {
            xml.push_str(" points=\"");
            for (n, [x, y]) in points.iter().enumerate() {
                let between = if n == 0 { "" } else { ";" };
                let _ = write!(xml, "{between}{x},{y}");
            }
            xml.push('"');
        };
        let corners = |xml: &mut String, [left, top, right, bottom]: [f64; 4]| {
            let _ = write!(
                xml,
                " xtl=\"{left}\" ytl=\"{top}\" xbr=\"{right}\" ybr=\"{bottom}\""
            );
        };
        let element = match Geometry::from(shape) {
            Geometry::Box(r) => {
                open(xml, "box");
                corners(xml, [r.x, r.y, r.right(), r.bottom()]);
                "box"
            }
            Geometry::RotatedBox(r) => {
                open(xml, "box");
                let (w, h) = (r.w / 2.0, r.h / 2.0);
                corners(xml, [r.cx - w, r.cy - h, r.cx + w, r.cy + h]);
                let _ = write!(xml, " rotation=\"{}\"", r.angle.rem_euclid(360.0));
                "box"
            }
            Geometry::Ellipse(r) => {
                open(xml, "ellipse");
                let (rx, ry, angle) = (r.w / 2.0, r.h / 2.0, r.angle.rem_euclid(360.0));
                let _ = write!(
                    xml,
                    " cx=\"{}\" cy=\"{}\" rx=\"{rx}\" ry=\"{ry}\" rotation=\"{angle}\"",
                    r.cx, r.cy
                );
                "ellipse"
            }
            Geometry::Polygon(parts) => {
                if self.key && (parts.len() > 1 || has_holes(parts)) {
                    tally.changed("keyframes have holes or several parts; only the outline of the first part is written");
                }
                open(xml, "polygon");
                points(
                    xml,
                    parts.first().and_then(|p| p.first()).map_or(&[], Vec::as_slice),
                );
                "polygon"
            }
            Geometry::Line(list) => {
                open(xml, "polyline");
                points(xml, list);
                "polyline"
            }
            Geometry::Points(list) => {
                open(xml, "points");
                points(xml, list);
                "points"
            }
            Geometry::Whole | Geometry::Mask(_) | Geometry::Other(_) => return false,
        };
        let _ = write!(xml, " z_order=\"{}\"", self.label.z);
        // Attributes never change on the way: they are said where CVAT looks for them first.
        let values = self.label.attributes;
        attributes::end(xml, element, self.list, values, "");
        true
    }
}

impl Writer for CvatVideoWriter {
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
        let frames = u32::try_from(item.times_us.len()).unwrap_or(u32::MAX);
        if frames == 0 {
            tally.left_out(
                "pictures",
                "CVAT for video holds videos only; export CVAT for images too",
                item.name,
            );
            return Ok(());
        }
        let file = format!("{}/annotations.xml", item.stem());
        out.append(&file, 0, self.meta(item).as_bytes())?;
        let mut id = 0;
        for label in labels {
            let keyframes = label.shape.keyframes();
            let known = |s: &Shape| {
                !matches!(
                    Geometry::from(s),
                    Geometry::Whole | Geometry::Mask(_) | Geometry::Other(_)
                )
            };
            if keyframes.is_empty() || !keyframes.iter().all(|k| known(&k.shape)) {
                let kind = keyframes
                    .iter()
                    .find(|k| !known(&k.shape))
                    .map_or(Geometry::from(label.shape).kind(), |k| {
                        Geometry::from(&k.shape).kind()
                    });
                tally.left_out(kind, "CVAT for video is not written with them", item.name);
                continue;
            }
            let name = self.names.get(label.category).map_or("", String::as_str);
            let category = self.dataset.categories.get(label.category);
            let mut xml = format!(
                "  <track id=\"{id}\" label=\"{}\" source=\"manual\">\n",
                escape(name)
            );
            let mut keys = keyframes.iter().peekable();
            for frame in keyframes[0].frame..frames {
                let key = keys.next_if(|k| k.frame == frame);
                let mut at = At {
                    frame,
                    key: key.is_some(),
                    outside: false,
                    occluded: false,
                    label,
                    list: category.map_or(&[][..], |c| c.attributes.as_slice()),
                };
                if let Some(seen) = track::at(keyframes, frame) {
                    at.occluded = seen.occluded;
                    at.shape(&mut xml, &seen.shape, tally);
                } else if let Some(key) = key {
                    at.outside = true;
                    at.occluded = key.occluded;
                    at.shape(&mut xml, &key.shape, tally);
                }
            }
            xml.push_str("  </track>\n");
            out.append(&file, 1, xml.as_bytes())?;
            id += 1;
            tally.labels += 1;
        }
        tally.items += 1;
        out.append(&file, 2, b"</annotations>\n")
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn frame(&self, name: &str, frame: u32, media_type: &str) -> String {
        let base = video::frame_name(name, frame, media_type);
        let (folder, file) = base.rsplit_once('/').unwrap_or(("", &base));
        format!("{folder}/images/frame_{file}")
    }
}
