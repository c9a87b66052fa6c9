//! Writes YOLO.

use super::pose;
use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer, has_holes};
use limn_domain::polygon::{self, Part, Ring, Vertex};
use limn_domain::project::Task;
use limn_domain::{Mask, Point, Rect, Shape, Size};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// Pairs of corners compared to find the shortest bridges of one label; parts beyond that are joined as they come.
const PAIRS_MAX: usize = 20_000_000;

/// What stands on the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Boxes around a centre.
    Detect,
    /// Polygons.
    Segment,
    /// A box and this many keypoints.
    Pose(usize),
    /// The corners of boxes, turned or not.
    Oriented,
}

/// Detection, segmentation or keypoints as the project's task says, or oriented boxes.
#[derive(Debug)]
pub struct YoloWriter {
    names: Vec<String>,
    kind: Kind,
    /// What `data.yaml` says of keypoints.
    skeletons: String,
}

impl YoloWriter {
    pub fn new(dataset: Dataset) -> Self {
        let kind = match dataset.task {
            Task::Detection => Kind::Detect,
            Task::Keypoints => Kind::Pose(pose::count(&dataset)),
            _ => Kind::Segment,
        };
        Self {
            names: dataset.names(),
            skeletons: if matches!(kind, Kind::Pose(_)) {
                pose::yaml(&dataset)
            } else {
                String::new()
            },
            kind,
        }
    }

    /// For oriented boxes.
    pub fn oriented(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            kind: Kind::Oriented,
            skeletons: String::new(),
        }
    }

    /// The corners of a box in its own order, from the one that is top left before turning.
    fn oriented_numbers(
        geometry: Geometry<'_>,
        image: Size,
        tally: &mut Tally,
    ) -> Result<Vec<f64>, &'static str> {
        match geometry {
            Geometry::Box(rect) => {
                let r = Geometry::boxed(rect, image).ok_or("nothing of them lies in their image")?;
                Ok(shares(&corners(r), image))
            }
            Geometry::RotatedBox(r) | Geometry::Ellipse(r) => {
                if matches!(geometry, Geometry::Ellipse(_)) {
                    tally.changed("ellipses are written as the rotated boxes around them");
                }
                Ok(shares(&r.corners().map(|p| [p.x, p.y]), image))
            }
            _ => Err("YOLO OBB has boxes only"),
        }
    }

    /// The numbers after the class, or why there are none.
    fn numbers(
        &self,
        geometry: Geometry<'_>,
        image: Size,
        tally: &mut Tally,
    ) -> Result<Vec<f64>, &'static str> {
        let outlines = self.kind == Kind::Segment;
        match geometry {
            _ if self.kind == Kind::Oriented => Self::oriented_numbers(geometry, image, tally),
            Geometry::Box(rect) => {
                let r = Geometry::boxed(rect, image).ok_or("nothing of them lies in their image")?;
                let (w, h) = (image.width, image.height);
                if outlines {
                    return Ok(shares(&corners(r), image));
                }
                let center = r.center();
                Ok(vec![center.x / w, center.y / h, r.w / w, r.h / h])
            }
            _ if !outlines => Err("YOLO detection has upright boxes only"),
            Geometry::Polygon(_) | Geometry::Mask(_) | Geometry::RotatedBox(_) | Geometry::Ellipse(_) => {
                let mut parts = geometry
                    .outline(image)
                    .ok_or("nothing of them lies in their image")?;
                if matches!(geometry, Geometry::RotatedBox(_) | Geometry::Ellipse(_)) {
                    tally.changed("rotated boxes and ellipses are written as polygons");
                }
                if parts.len() > 1 {
                    tally.changed("outlines have several parts; they are joined by bridges of no width");
                }
                if matches!(geometry, Geometry::Mask(_)) {
                    tally.changed("masks are written as polygons along the borders of their pixels");
                }
                if has_holes(&parts) {
                    tally.changed("outlines have holes, which YOLO cannot say; they are filled");
                    if matches!(geometry, Geometry::Mask(_)) {
                        let outer = parts.iter().filter_map(|p| p.first()).map(Vec::as_slice);
                        let filled = Mask::from_rings(outer, image).ok_or("they have no pixels")?;
                        parts = Cow::Owned(filled.to_polygon());
                    }
                }
                Ok(shares(&joined(&filled(&parts)), image))
            }
            _ => Err("YOLO has boxes and polygons only"),
        }
    }
}

impl Writer for YoloWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        let mut yaml = String::from("train: images/train\nval: images/train\nnames:\n");
        for (n, name) in self.names.iter().enumerate() {
            // Every JSON string is a double-quoted YAML scalar.
            let quoted = serde_json::to_string(name)?;
            let _ = writeln!(yaml, "  {n}: {quoted}");
        }
        if self.names.is_empty() {
            yaml = yaml.replace("names:\n", "names: {}\n");
        }
        yaml.push_str(&self.skeletons);
        out.file("data.yaml", yaml.as_bytes())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let mut text = String::new();
        for label in labels {
            let geometry = Geometry::from(label.shape);
            let numbers = match (self.kind, label.shape) {
                (Kind::Pose(count), Shape::Keypoints { keypoints }) => {
                    pose::numbers(keypoints, count, item.size())
                }
                (Kind::Pose(_), _) => Err("YOLO pose has keypoints only"),
                _ => self.numbers(geometry, item.size(), tally),
            };
            let share = if self.kind == Kind::Oriented {
                beyond
            } else {
                share
            };
            match numbers {
                Ok(numbers) => {
                    let _ = write!(text, "{}", label.category);
                    for n in numbers {
                        let _ = write!(text, " {}", share(n));
                    }
                    text.push('\n');
                    tally.labels += 1;
                }
                Err(why) => tally.left_out(geometry.kind(), why, item.name),
            }
        }
        tally.items += 1;
        out.file(&format!("labels/train/{}.txt", item.stem()), text.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn picture(&self, name: &str) -> String {
        format!("images/train/{name}")
    }
}

/// Nine decimals, without zeros at the end: a hundred-thousandth of a pixel in an image of 10,000.
fn share(v: f64) -> String {
    // Visibilities are no shares.
    beyond(if v == 2.0 { v } else { v.clamp(0.0, 1.0) })
}

/// The same for corners, which may lie outside the image.
fn beyond(v: f64) -> String {
    let text = format!("{v:.9}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    short.to_owned()
}

fn shares(ring: &[Vertex], image: Size) -> Vec<f64> {
    ring.iter()
        .flat_map(|[x, y]| [x / image.width, y / image.height])
        .collect()
}

fn corners(r: Rect) -> [Vertex; 4] {
    [
        [r.x, r.y],
        [r.right(), r.y],
        [r.right(), r.bottom()],
        [r.x, r.bottom()],
    ]
}

/// One ring through all parts, each joined to what is there already by the shortest bridge between two corners, walked
/// there and back: what `merge_multi_segment` of Ultralytics does.
fn joined(rings: &[&Ring]) -> Ring {
    let Some((first, rest)) = rings.split_first() else {
        return Ring::new();
    };
    let mut out: Ring = (*first).clone();
    let mut pairs = PAIRS_MAX;
    for ring in rest {
        let (at, from) = match pairs.checked_sub(out.len().saturating_mul(ring.len())) {
            Some(left) => {
                pairs = left;
                nearest(&out, ring)
            }
            None => (out.len().saturating_sub(1), 0),
        };
        let back = out[at];
        let after = out.split_off(at + 1);
        out.extend(ring[from..].iter().chain(&ring[..=from]));
        out.push(back);
        out.extend(after);
    }
    out
}

/// The outer rings, without those that lie in a hole of another part: with the hole filled they are covered already.
fn filled(parts: &[Part]) -> Vec<&Ring> {
    let holed: Vec<(usize, [Part; 1])> = parts
        .iter()
        .enumerate()
        .filter(|(_, p)| p.len() > 1)
        .filter_map(|(n, p)| Some((n, [vec![p.first()?.clone()]])))
        .collect();
    let covered = |n: usize, ring: &Ring| {
        holed.iter().any(|(other, outer)| {
            let bounds = polygon::bounds(outer);
            let inner = ring.iter().map(|v| Point::new(v[0], v[1]));
            // Rings of a polygon do not cross: a corner off the border tells.
            let tells = |p: &Point| !bounds.contains(*p) || polygon::edge_distance(outer, *p) > 1e-6;
            *other != n && inner.filter(tells).map(|p| polygon::contains(outer, p)).next() == Some(true)
        })
    };
    let outer = parts
        .iter()
        .enumerate()
        .filter_map(|(n, p)| Some((n, p.first()?)));
    outer
        .filter(|(n, ring)| !covered(*n, ring))
        .map(|(_, ring)| ring)
        .collect()
}

fn nearest(a: &[Vertex], b: &[Vertex]) -> (usize, usize) {
    let mut best = (f64::INFINITY, (0, 0));
    for (i, p) in a.iter().enumerate() {
        for (j, q) in b.iter().enumerate() {
            let d = (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2);
            if d < best.0 {
                best = (d, (i, j));
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_by_bridges_walked_twice() {
        let a = vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        let b = vec![[5.0, 1.5], [6.0, 2.0], [5.0, 3.0]];
        let ring = joined(&[&a, &b]);
        assert_eq!(
            ring,
            [
                [0.0, 0.0],
                [2.0, 0.0],
                [2.0, 2.0],
                [5.0, 1.5],
                [6.0, 2.0],
                [5.0, 3.0],
                [5.0, 1.5],
                [2.0, 2.0],
                [0.0, 2.0]
            ]
        );
        assert_eq!(share(0.5), "0.5");
        assert_eq!(share(1.0), "1");
        assert_eq!(share(0.0), "0");
        assert_eq!(share(1.0 / 3.0), "0.333333333");
    }
}
