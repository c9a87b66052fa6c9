//! Writes CVAT XML. Parts of one polygon share a `group_id`, and so do labels of one group; a polygon with holes, which CVAT's
//! cannot have, is a mask.

use super::{attributes, drawing, rows};
use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer, has_holes};
use limn_domain::attribute::{self, Attribute, AttributeValue};
use limn_domain::polygon::Vertex;
use limn_domain::{Attributes, GroupId, Mask, Shape, Visibility};
use quick_xml::escape::escape;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io;

/// What CVAT says of a shape in a place of its own.
pub(super) const OCCLUDED: &str = "occluded";

/// The file, and the order of its pieces.
const FILE: &str = "annotations.xml";
const HEAD: u8 = 0;
const SIZE: u8 = 1;
const LABELS: u8 = 2;
const IMAGES: u8 = 3;

#[derive(Debug)]
pub struct CvatWriter {
    dataset: Dataset,
    names: Vec<String>,
    images: u64,
}

impl CvatWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            dataset,
            images: 0,
        }
    }

    /// The keypoints of a skeleton as elements; `None` for other shapes, and for skeletons of another number of keypoints.
    fn pose(&self, label: &Label<'_>) -> Option<String> {
        let Shape::Keypoints { keypoints } = label.shape else {
            return None;
        };
        let skeleton = self.dataset.categories.get(label.category)?.skeleton.as_ref()?;
        if keypoints.len() != skeleton.keypoints.len() {
            return None;
        }
        let mut out = String::new();
        for (k, of) in keypoints.iter().zip(&skeleton.keypoints) {
            let outside = u8::from(k.visibility == Visibility::Absent);
            let occluded = u8::from(k.visibility == Visibility::Hidden);
            let _ = writeln!(
                out,
                "      <points label=\"{}\" source=\"manual\" outside=\"{outside}\" occluded=\"{occluded}\" points=\"{},{}\"></points>",
                escape(&of.name),
                k.x,
                k.y
            );
        }
        Some(out)
    }
}

/// Attributes that every shape has.
struct Common<'a> {
    label: &'a str,
    z: i64,
    /// 0 for none.
    group: u32,
    /// What its category defines, and what it says of that.
    list: &'a [Attribute],
    attributes: &'a Attributes,
}

impl Common<'_> {
    /// CVAT keeps it apart from attributes, which have it too.
    fn is_occluded(&self) -> bool {
        attribute::find(self.list, OCCLUDED)
            .is_some_and(|a| self.attributes.get(&a.key) == Some(&AttributeValue::Flag(true)))
    }

    fn open(&self, xml: &mut String, element: &str) {
        let _ = write!(
            xml,
            "    <{element} label=\"{}\" source=\"manual\" occluded=\"{}\"",
            escape(self.label),
            u8::from(self.is_occluded())
        );
    }

    fn group(&self, xml: &mut String) {
        if self.group > 0 {
            let _ = write!(xml, " group_id=\"{}\"", self.group);
        }
    }

    fn close(&self, xml: &mut String, element: &str) {
        self.group(xml);
        let _ = write!(xml, " z_order=\"{}\"", self.z);
        attributes::end(xml, element, self.list, self.attributes, "");
    }

    fn line(&self, xml: &mut String, element: &str, points: &[Vertex]) {
        self.open(xml, element);
        xml.push_str(" points=\"");
        for (n, [x, y]) in points.iter().enumerate() {
            let between = if n == 0 { "" } else { ";" };
            let _ = write!(xml, "{between}{x},{y}");
        }
        xml.push('"');
        self.close(xml, element);
    }

    fn mask(&self, xml: &mut String, mask: &Mask) -> bool {
        let Some(runs) = rows::write(mask) else {
            return false;
        };
        self.open(xml, "mask");
        let _ = write!(
            xml,
            " rle=\"{runs}\" left=\"{}\" top=\"{}\" width=\"{}\" height=\"{}\"",
            mask.x, mask.y, mask.width, mask.height
        );
        self.close(xml, "mask");
        true
    }
}

impl Writer for CvatWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let mut head = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n",
        );
        let _ = write!(
            head,
            "  <meta>\n    <task>\n      <name>{}</name>\n",
            escape(&self.dataset.name)
        );
        out.append(FILE, HEAD, head.as_bytes())?;
        let mut labels = String::from("      <mode>annotation</mode>\n      <labels>\n");
        for (name, category) in self.names.iter().zip(&self.dataset.categories) {
            let [r, g, b] = category.color;
            let kind = if category.skeleton.is_some() {
                "skeleton"
            } else {
                "any"
            };
            let svg = category.skeleton.as_ref().map(drawing::write);
            let svg = svg.map_or_else(String::new, |svg| format!("<svg>{}</svg>", escape(&svg)));
            let _ = writeln!(
                labels,
                "        <label><name>{}</name><color>#{r:02x}{g:02x}{b:02x}</color><type>{kind}</type><attributes>{}</attributes>{svg}</label>",
                escape(name),
                attributes::definitions(&category.attributes)
            );
            for k in category.skeleton.iter().flat_map(|s| &s.keypoints) {
                let _ = writeln!(
                    labels,
                    "        <label><name>{}</name><color>#{r:02x}{g:02x}{b:02x}</color><type>points</type><attributes></attributes><parent>{}</parent></label>",
                    escape(&k.name),
                    escape(name)
                );
            }
        }
        labels.push_str("      </labels>\n    </task>\n  </meta>\n");
        out.append(FILE, LABELS, labels.as_bytes())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let mut xml = String::new();
        let _ = writeln!(
            xml,
            "  <image id=\"{}\" name=\"{}\" width=\"{}\" height=\"{}\">",
            self.images,
            escape(item.name),
            item.width,
            item.height
        );
        let mut groups = 0;
        let mut numbers: HashMap<GroupId, u32> = HashMap::new();
        // Polygons of one label, group and `z_order` are parts of one object: of several objects in a group each lies a step higher,
        // and with it all that lie above.
        let (mut outlines, mut raised) = (HashSet::new(), 0_i64);
        for label in labels {
            if !label.links.relations.is_empty() {
                tally.changed("labels have relations, which are left out");
            }
            let geometry = Geometry::from(label.shape);
            let category = self.dataset.categories.get(label.category);
            let mut common = Common {
                label: self.names.get(label.category).map_or("", String::as_str),
                z: label.z.saturating_add(raised),
                group: label.links.group.map_or(0, |group| {
                    *numbers.entry(group).or_insert_with(|| {
                        groups += 1;
                        groups
                    })
                }),
                list: category.map_or(&[][..], |c| c.attributes.as_slice()),
                attributes: label.attributes,
            };
            let is_polygon = matches!(geometry, Geometry::Polygon(parts) if !has_holes(parts));
            while is_polygon && common.group > 0 && !outlines.insert((common.group, label.category, common.z))
            {
                raised += 1;
                common.z = label.z.saturating_add(raised);
            }
            if let Some(points) = self.pose(label) {
                let _ = write!(
                    xml,
                    "    <skeleton label=\"{}\" source=\"manual\"",
                    escape(common.label)
                );
                common.group(&mut xml);
                let _ = write!(xml, " z_order=\"{}\"", common.z);
                attributes::end(&mut xml, "skeleton", common.list, label.attributes, &points);
                tally.labels += 1;
                continue;
            }
            let written = match geometry {
                Geometry::Whole => {
                    let _ = write!(
                        xml,
                        "    <tag label=\"{}\" source=\"manual\"",
                        escape(common.label)
                    );
                    common.group(&mut xml);
                    attributes::end(&mut xml, "tag", common.list, label.attributes, "");
                    true
                }
                Geometry::Box(rect) => match Geometry::boxed(rect, item.size()) {
                    Some(r) => {
                        common.open(&mut xml, "box");
                        let (right, bottom) = (r.right(), r.bottom());
                        let _ = write!(
                            xml,
                            " xtl=\"{}\" ytl=\"{}\" xbr=\"{right}\" ybr=\"{bottom}\"",
                            r.x, r.y
                        );
                        common.close(&mut xml, "box");
                        true
                    }
                    None => false,
                },
                Geometry::Polygon(parts) if has_holes(parts) => {
                    tally.changed(
                        "outlines have holes, which CVAT's polygons cannot; they are written as masks",
                    );
                    geometry
                        .mask(item.size())
                        .is_some_and(|mask| common.mask(&mut xml, &mask))
                }
                Geometry::Polygon(parts) => {
                    if parts.len() > 1 && common.group == 0 {
                        groups += 1;
                        common.group = groups;
                    }
                    for ring in parts.iter().filter_map(|p| p.first()) {
                        common.line(&mut xml, "polygon", ring);
                    }
                    true
                }
                Geometry::Mask(mask) => common.mask(&mut xml, mask),
                // Clockwise degrees from 0, about the centre of the box as it is before.
                Geometry::RotatedBox(r) => {
                    common.open(&mut xml, "box");
                    let (left, top) = (r.cx - r.w / 2.0, r.cy - r.h / 2.0);
                    let (right, bottom) = (r.cx + r.w / 2.0, r.cy + r.h / 2.0);
                    let _ = write!(
                        xml,
                        " xtl=\"{left}\" ytl=\"{top}\" xbr=\"{right}\" ybr=\"{bottom}\" rotation=\"{}\"",
                        r.angle.rem_euclid(360.0)
                    );
                    common.close(&mut xml, "box");
                    true
                }
                Geometry::Ellipse(r) => {
                    common.open(&mut xml, "ellipse");
                    let _ = write!(
                        xml,
                        " cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\" rotation=\"{}\"",
                        r.cx,
                        r.cy,
                        r.w / 2.0,
                        r.h / 2.0,
                        r.angle.rem_euclid(360.0)
                    );
                    common.close(&mut xml, "ellipse");
                    true
                }
                Geometry::Line(points) => {
                    common.line(&mut xml, "polyline", points);
                    true
                }
                Geometry::Points(points) => {
                    common.line(&mut xml, "points", points);
                    true
                }
                Geometry::Other(_) => {
                    tally.left_out(geometry.kind(), "CVAT export does not know them", item.name);
                    continue;
                }
            };
            if written {
                tally.labels += 1;
            } else {
                tally.left_out(geometry.kind(), "nothing of them lies in their image", item.name);
            }
        }
        xml.push_str("  </image>\n");
        self.images += 1;
        tally.items += 1;
        out.append(FILE, IMAGES, xml.as_bytes())
    }

    fn finish(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.append(
            FILE,
            SIZE,
            format!("      <size>{}</size>\n", self.images).as_bytes(),
        )?;
        out.append(FILE, IMAGES, b"</annotations>\n")
    }
}
