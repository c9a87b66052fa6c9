//! Keypoints of an object, and the skeleton of a category that says which there are.

use crate::geometry::{Point, Rect};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Most keypoints of a skeleton.
pub const KEYPOINTS_MAX: usize = 200;
/// Longest name of a keypoint, in characters.
const NAME_MAX: usize = 60;

/// How well a keypoint is seen, with COCO's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// 0: not labeled; it has no place.
    #[default]
    Absent,
    /// 1: labeled, hidden by something.
    Hidden,
    /// 2: labeled and seen.
    Visible,
}

/// A keypoint of an object in image pixels; `[x, y, v]` on the wire with COCO's `v`: 0 not labeled (then x and y are 0),
/// 1 hidden, 2 visible.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "[f64; 3]", into = "[f64; 3]")]
pub struct Keypoint {
    pub x: f64,
    pub y: f64,
    pub visibility: Visibility,
}

impl TryFrom<[f64; 3]> for Keypoint {
    type Error = String;

    fn try_from([x, y, v]: [f64; 3]) -> Result<Self, String> {
        let visibility = match v {
            0.0 => return Ok(Self::default()),
            1.0 => Visibility::Hidden,
            2.0 => Visibility::Visible,
            _ => {
                return Err(format!(
                    "{v} is not a visibility; use 0 (not labeled), 1 (hidden) or 2 (visible)"
                ));
            }
        };
        Ok(Self { x, y, visibility })
    }
}

impl From<Keypoint> for [f64; 3] {
    fn from(k: Keypoint) -> Self {
        let v = f64::from(k.visibility as u8);
        [k.x, k.y, v]
    }
}

impl Keypoint {
    pub const fn new(at: Point, visibility: Visibility) -> Self {
        Self {
            x: at.x,
            y: at.y,
            visibility,
        }
    }

    /// Where it is, if it is labeled.
    pub fn at(self) -> Option<Point> {
        (self.visibility != Visibility::Absent).then_some(Point::new(self.x, self.y))
    }
}

/// The box around the labeled keypoints; empty without any.
pub fn bounds(keypoints: &[Keypoint]) -> Rect {
    keypoints
        .iter()
        .filter_map(|k| k.at())
        .map(|p| Rect::new(p.x, p.y, 0.0, 0.0))
        .reduce(|a, b| {
            Rect::from_corners(
                Point::new(a.x.min(b.x), a.y.min(b.y)),
                Point::new(a.right().max(b.right()), a.bottom().max(b.bottom())),
            )
        })
        .unwrap_or_default()
}

/// Which keypoints the objects of a category have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Skeleton {
    /// In the order of the annotations' keypoints.
    pub keypoints: Vec<SkeletonPoint>,
    /// Pairs of keypoints that a line joins, by place from 0.
    #[serde(default)]
    pub edges: Vec<[usize; 2]>,
    /// Pairs that change places when the picture is mirrored, by place from 0.
    #[serde(default)]
    pub symmetry: Vec<[usize; 2]>,
}

/// A keypoint of a skeleton.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SkeletonPoint {
    pub name: String,
    /// Its usual place in the box around the object, from 0 to 1, `[x, y]` from the top left.
    pub at: [f64; 2],
}

impl Skeleton {
    /// Trims the names and checks everything. Errors name what is wrong and the mend.
    pub fn check(mut self) -> Result<Self, String> {
        if self.keypoints.is_empty() {
            return Err("A skeleton needs at least one keypoint.".to_owned());
        }
        if self.keypoints.len() > KEYPOINTS_MAX {
            return Err(format!("A skeleton has at most {KEYPOINTS_MAX} keypoints."));
        }
        let mut names = HashSet::new();
        for (n, k) in self.keypoints.iter_mut().enumerate() {
            let name = k.name.trim().to_owned();
            if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
                return Err(format!(
                    "Keypoint {} needs a name of 1 to {NAME_MAX} characters.",
                    n + 1
                ));
            }
            if !names.insert(name.to_lowercase()) {
                return Err(format!(
                    "Two keypoints are called `{name}`; give each a name of its own."
                ));
            }
            if !k.at.iter().all(|v| (0.0..=1.0).contains(v)) {
                return Err(format!("The place of `{name}` must lie between 0 and 1."));
            }
            k.name = name;
        }
        let count = self.keypoints.len();
        for (what, pairs) in [("edges", &mut self.edges), ("symmetry", &mut self.symmetry)] {
            let mut seen = HashSet::new();
            for pair in pairs.iter() {
                if pair.iter().any(|i| *i >= count) {
                    return Err(format!(
                        "`{what}` names keypoint {}, but there are {count}, counted from 0.",
                        pair[0].max(pair[1])
                    ));
                }
                if pair[0] == pair[1] {
                    return Err(format!("`{what}` joins keypoint {} with itself.", pair[0]));
                }
            }
            pairs.retain(|[a, b]| seen.insert((*a.min(b), *a.max(b))));
        }
        let mut mirrored = HashSet::new();
        if !self.symmetry.iter().flatten().all(|i| mirrored.insert(*i)) {
            return Err("`symmetry` names a keypoint twice; each has one counterpart.".to_owned());
        }
        Ok(self)
    }

    /// The skeleton's usual figure in a box, all keypoints visible.
    pub fn placed(&self, rect: Rect) -> Vec<Keypoint> {
        self.keypoints
            .iter()
            .map(|k| {
                Keypoint::new(
                    Point::new(rect.x + k.at[0] * rect.w, rect.y + k.at[1] * rect.h),
                    Visibility::Visible,
                )
            })
            .collect()
    }

    /// The person of COCO's keypoint task: 17 keypoints, 19 edges, in COCO's order.
    pub fn coco_person() -> Self {
        const POINTS: [(&str, f64, f64); 17] = [
            ("nose", 0.5, 0.08),
            ("left_eye", 0.55, 0.05),
            ("right_eye", 0.45, 0.05),
            ("left_ear", 0.61, 0.07),
            ("right_ear", 0.39, 0.07),
            ("left_shoulder", 0.7, 0.2),
            ("right_shoulder", 0.3, 0.2),
            ("left_elbow", 0.82, 0.36),
            ("right_elbow", 0.18, 0.36),
            ("left_wrist", 0.88, 0.51),
            ("right_wrist", 0.12, 0.51),
            ("left_hip", 0.62, 0.52),
            ("right_hip", 0.38, 0.52),
            ("left_knee", 0.65, 0.75),
            ("right_knee", 0.35, 0.75),
            ("left_ankle", 0.66, 0.97),
            ("right_ankle", 0.34, 0.97),
        ];
        const EDGES: [[usize; 2]; 19] = [
            [15, 13],
            [13, 11],
            [16, 14],
            [14, 12],
            [11, 12],
            [5, 11],
            [6, 12],
            [5, 6],
            [5, 7],
            [6, 8],
            [7, 9],
            [8, 10],
            [1, 2],
            [0, 1],
            [0, 2],
            [1, 3],
            [2, 4],
            [3, 5],
            [4, 6],
        ];
        Self {
            keypoints: POINTS
                .iter()
                .map(|(name, x, y)| SkeletonPoint {
                    name: (*name).to_owned(),
                    at: [*x, *y],
                })
                .collect(),
            edges: EDGES.to_vec(),
            symmetry: (0..8).map(|i| [2 * i + 1, 2 * i + 2]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keypoints_are_triples_with_cocos_numbers() {
        let list: Vec<Keypoint> = serde_json::from_str("[[3.5,4,2],[7,8,1],[9,9,0]]").unwrap();
        assert_eq!(list[1].visibility, Visibility::Hidden);
        assert_eq!(list[2], Keypoint::default(), "what is not labeled has no place");
        assert_eq!(
            serde_json::to_string(&list).unwrap(),
            "[[3.5,4.0,2.0],[7.0,8.0,1.0],[0.0,0.0,0.0]]"
        );
        assert_eq!(bounds(&list), Rect::new(3.5, 4.0, 3.5, 4.0));
        let wrong = serde_json::from_str::<Keypoint>("[1,2,3]")
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("3 is not a visibility"), "{wrong}");
    }

    #[test]
    fn skeletons_are_checked() {
        let person = Skeleton::coco_person();
        assert_eq!(person.clone().check().as_ref(), Ok(&person));
        let with = |f: fn(&mut Skeleton)| {
            let mut s = Skeleton::coco_person();
            f(&mut s);
            s.check().unwrap_err()
        };
        assert!(with(|s| s.keypoints.clear()).contains("at least one"));
        assert!(with(|s| s.keypoints[3].name = " NOSE ".to_owned()).contains("called `NOSE`"));
        assert!(with(|s| s.keypoints[3].name = String::new()).contains("Keypoint 4"));
        assert!(with(|s| s.edges.push([0, 17])).contains("keypoint 17, but there are 17"));
        assert!(with(|s| s.edges.push([4, 4])).contains("with itself"));
        assert!(with(|s| s.symmetry.push([1, 3])).contains("twice"));
        assert!(with(|s| s.keypoints[0].at = [0.0, f64::NAN]).contains("between 0 and 1"));
        let mut twice = person.clone();
        twice.edges.push([13, 15]);
        assert_eq!(twice.check(), Ok(person), "an edge given twice is there once");
    }
}
