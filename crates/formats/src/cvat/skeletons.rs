//! Skeletons in CVAT's XML: `<skeleton>` with `<points>` for each keypoint; in `meta` a label for each keypoint whose `parent` is
//! the skeleton's.

use super::drawing::Drawing;
use super::shapes::{Attributes, Refusal, other, ring};
use crate::findings::quote;
use crate::model::ImportedShape;
use crate::skeletons;
use limn_domain::keypoint::KEYPOINTS_MAX;
use limn_domain::{Keypoint, Point, Shape, Skeleton, Visibility};
use std::collections::HashMap;

/// Most skeletons that `meta` may define.
const PARENTS_MAX: usize = 10_000;

/// What `meta` says of skeletons, by their labels.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Their keypoints as it lists them.
    points: HashMap<String, Vec<String>>,
    drawings: HashMap<String, Drawing>,
}

impl Labels {
    pub fn add(&mut self, parent: String, name: String) {
        if self.points.len() < PARENTS_MAX || self.points.contains_key(&parent) {
            let list = self.points.entry(parent).or_default();
            // One more than there may be, which is refused when it is used.
            if list.len() <= KEYPOINTS_MAX {
                list.push(name);
            }
        }
    }

    /// The drawing of a label; one that shows nothing is none.
    pub fn draw(&mut self, label: &str, drawing: Drawing) {
        if drawing != Drawing::default() && self.drawings.len() < PARENTS_MAX {
            self.drawings.insert(label.to_owned(), drawing);
        }
    }

    /// The skeleton of these keypoints as it is drawn.
    fn drawn(&self, label: &str, names: Vec<String>) -> Result<Option<Skeleton>, String> {
        let (places, edges) = self.drawings.get(label).map(|d| d.of(&names)).unwrap_or_default();
        skeletons::of_places(names, &places, edges)
    }

    /// What `meta` says of a label, if it can be used.
    pub fn of(&self, label: &str) -> Option<Skeleton> {
        self.drawn(label, self.points.get(label)?.clone()).ok().flatten()
    }

    /// The skeleton of a label; where `meta` says nothing of it, that of the label itself.
    pub fn skeleton(&self, pose: &Pose) -> Result<Skeleton, Refusal> {
        let names = self.points.get(pose.label.trim()).cloned();
        let names = names.unwrap_or_else(|| pose.points.iter().map(|p| p.name.clone()).collect());
        let no = || "it has no keypoints".to_owned();
        self.drawn(pose.label.trim(), names)
            .and_then(|s| s.ok_or_else(no))
            .map_err(|why| {
                (
                    "bad_skeleton",
                    format!("The skeleton of `{}` cannot be used: {why}.", quote(&pose.label)),
                )
            })
    }
}

/// A skeleton under way.
#[derive(Debug)]
pub(super) struct Pose {
    pub label: String,
    pub z: i64,
    pub group: i64,
    pub line: u64,
    points: Vec<Dot>,
}

#[derive(Debug)]
struct Dot {
    name: String,
    /// Nothing where the tag is wrong.
    keypoint: Option<Keypoint>,
}

impl Pose {
    pub const fn new(label: String, (z, group): (i64, i64), line: u64) -> Self {
        Self {
            label,
            z,
            group,
            line,
            points: Vec::new(),
        }
    }

    /// A `points` element of it. What is outside the image is not labeled, what is occluded is hidden.
    pub fn point(&mut self, tag: &Attributes) {
        if self.points.len() > KEYPOINTS_MAX {
            return;
        }
        let is = |name| matches!(tag.text(name), Some("1" | "true" | "True"));
        let at = ring(tag.text("points").unwrap_or_default());
        let keypoint = match at.as_deref() {
            _ if is("outside") => Some(Keypoint::default()),
            Ok([[x, y]]) => {
                let seen = if is("occluded") {
                    Visibility::Hidden
                } else {
                    Visibility::Visible
                };
                Some(Keypoint::new(Point::new(*x, *y), seen))
            }
            _ => None,
        };
        let name = tag.text("label").unwrap_or_default().trim().to_owned();
        self.points.push(Dot { name, keypoint });
    }

    /// The keypoints in the order of the skeleton; those it does not name are not labeled.
    pub fn shape(&self, skeleton: &Skeleton) -> Result<ImportedShape, Refusal> {
        let mut keypoints = vec![Keypoint::default(); skeleton.keypoints.len()];
        for dot in &self.points {
            let name = quote(&dot.name);
            let n = skeleton
                .keypoints
                .iter()
                .position(|k| k.name == dot.name)
                .ok_or_else(|| {
                    let why = format!(
                        "The skeleton has a keypoint `{name}` that its label in `meta` does not have."
                    );
                    ("keypoint_unknown", why)
                })?;
            keypoints[n] = dot.keypoint.ok_or_else(|| {
                (
                    "bad_keypoints",
                    format!("The keypoint `{name}` needs one point, as in points=\"1.5,2\"."),
                )
            })?;
        }
        Ok(other(Shape::Keypoints { keypoints }))
    }
}
