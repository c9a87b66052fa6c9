//! The drawing of a skeleton that CVAT keeps as the `svg` of its label: a circle for each keypoint, a line for each edge.

use super::shapes::Attributes;
use limn_domain::Skeleton;
use limn_domain::keypoint::KEYPOINTS_MAX;
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Sides of CVAT's drawing.
const SIDE: f64 = 100.0;
const EDGES_MAX: usize = 10 * KEYPOINTS_MAX;
/// Farthest place that is taken for one.
const FAR: f64 = 1e6;

/// Places of keypoints by their names, from 0 to 1, and lines between them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Drawing {
    points: Vec<(String, [f64; 2])>,
    edges: Vec<[usize; 2]>,
}

impl Drawing {
    /// Reads it; what is neither a keypoint nor an edge is passed over. `Err` says what is wrong with it.
    pub fn read(svg: &str) -> Result<Self, &'static str> {
        let mut xml = Reader::from_str(svg);
        let mut out = Self::default();
        let mut nodes: HashMap<String, usize> = HashMap::new();
        let mut lines: Vec<[String; 2]> = Vec::new();
        loop {
            let tag = match xml.read_event() {
                Ok(Event::Start(tag) | Event::Empty(tag)) => tag,
                Ok(Event::Eof) => break,
                Ok(_) => continue,
                Err(_) => return Err("its XML is broken"),
            };
            let of = Attributes::of(&tag);
            match tag.name().into_inner() {
                b"circle" => {
                    let Some(node) = of.text("data-node-id") else {
                        continue;
                    };
                    let name = of
                        .text("data-label-name")
                        .ok_or("a circle has no data-label-name")?;
                    let number = |key| of.number(key).filter(|v| v.abs() <= FAR);
                    let (Some(x), Some(y)) = (number("cx"), number("cy")) else {
                        return Err("a circle needs the numbers cx and cy");
                    };
                    if out.points.len() >= KEYPOINTS_MAX {
                        return Err("it has too many circles");
                    }
                    if nodes.insert(node.trim().to_owned(), out.points.len()).is_some() {
                        return Err("two circles have the same data-node-id");
                    }
                    out.points.push((name.trim().to_owned(), [x, y]));
                }
                b"line" => {
                    let (Some(from), Some(to)) = (of.text("data-node-from"), of.text("data-node-to")) else {
                        continue;
                    };
                    if lines.len() >= EDGES_MAX {
                        return Err("it has too many lines");
                    }
                    lines.push([from.trim().to_owned(), to.trim().to_owned()]);
                }
                _ => {}
            }
        }
        for [from, to] in &lines {
            match (nodes.get(from), nodes.get(to)) {
                (Some(a), Some(b)) if a != b => out.edges.push([*a, *b]),
                _ => return Err("a line does not join two of its circles"),
            }
        }
        out.scale();
        Ok(out)
    }

    /// Places in CVAT's drawing as shares of it; those of a drawing of another size as shares of the figure.
    fn scale(&mut self) {
        let inside = |v: &f64| (0.0..=SIDE).contains(v);
        let is_own = self.points.iter().all(|(_, at)| at.iter().all(inside));
        for axis in 0..2 {
            let (mut low, mut high) = (0.0, SIDE);
            if !is_own {
                let all = || self.points.iter().map(move |(_, at)| at[axis]);
                low = all().fold(f64::INFINITY, f64::min);
                high = all().fold(f64::NEG_INFINITY, f64::max);
            }
            for (_, at) in &mut self.points {
                let share = if high > low {
                    (at[axis] - low) / (high - low)
                } else {
                    0.5
                };
                at[axis] = rounded(share).clamp(0.0, 1.0);
            }
        }
    }

    /// Which of these keypoints lie where, and the edges between them.
    pub fn of(&self, names: &[String]) -> Figure {
        let index: HashMap<&str, usize> = names.iter().map(|n| n.trim()).zip(0..).collect();
        let known: Vec<Option<usize>> = self
            .points
            .iter()
            .map(|(name, _)| index.get(name.as_str()).copied())
            .collect();
        let places = known.iter().zip(&self.points);
        let places = places.filter_map(|(n, (_, at))| Some(((*n)?, *at))).collect();
        let end = |node: usize| known.get(node).copied().flatten();
        let edges = self.edges.iter().filter_map(|[a, b]| Some([end(*a)?, end(*b)?]));
        // Two circles of one name are one keypoint.
        (places, edges.filter(|[a, b]| a != b).collect())
    }
}

/// Places in 0..1 and edges of keypoints, by their numbers.
type Figure = (Vec<(usize, [f64; 2])>, Vec<[usize; 2]>);

/// Free of the last digits that dividing by the side leaves.
fn rounded(v: f64) -> f64 {
    (v * 1e9).round() / 1e9
}

/// The drawing as CVAT's own editor makes it.
pub(super) fn write(skeleton: &Skeleton) -> String {
    let mut svg = String::new();
    let at = |n: usize| skeleton.keypoints.get(n).map(|k| k.at.map(|v| rounded(v * SIDE)));
    for [from, to] in &skeleton.edges {
        let (Some([x1, y1]), Some([x2, y2])) = (at(*from), at(*to)) else {
            continue;
        };
        let _ = write!(
            svg,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"black\" data-type=\"edge\" data-node-from=\"{}\" \
             stroke-width=\"0.5\" data-node-to=\"{}\"></line>",
            from + 1,
            to + 1
        );
    }
    for (k, n) in skeleton.keypoints.iter().zip(1..) {
        let [x, y] = k.at.map(|v| rounded(v * SIDE));
        let _ = write!(
            svg,
            "<circle r=\"1.5\" stroke=\"black\" fill=\"#b3b3b3\" cx=\"{x}\" cy=\"{y}\" stroke-width=\"0.1\" \
             data-type=\"element node\" data-element-id=\"{n}\" data-node-id=\"{n}\" data-label-name=\"{}\"></circle>",
            escape(&k.name)
        );
    }
    svg
}
