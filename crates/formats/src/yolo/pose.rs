//! Keypoints in YOLO: `class x y width height px py v ...`, the same number for all classes, and what `data.yaml` says of them
//! (`kpt_shape`, `flip_idx`, `kpt_names`).

use super::names;
use crate::skeletons;
use crate::write::Dataset;
use limn_domain::keypoint::{self, KEYPOINTS_MAX};
use limn_domain::{Keypoint, Point, Rect, Size, Skeleton, Visibility};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Why classes with these skeletons cannot be one YOLO set: it has one number of keypoints.
pub(crate) fn one_number_of_keypoints(dataset: &Dataset) -> Option<String> {
    let mut all = dataset
        .categories
        .iter()
        .filter_map(|c| Some((&c.name, c.skeleton.as_ref()?.keypoints.len())));
    let (first, count) = all.next()?;
    let (other, more) = all.find(|(_, n)| *n != count)?;
    Some(format!(
        "YOLO has one number of keypoints for all classes, but `{first}` has {count} and `{other}` {more}. Give them skeletons of \
         as many keypoints, or export as COCO."
    ))
}

/// How many keypoints the classes have; 0 when none has any.
pub(super) fn count(dataset: &Dataset) -> usize {
    let mut all = dataset.categories.iter().filter_map(|c| c.skeleton.as_ref());
    all.next().map_or(0, |s| s.keypoints.len())
}

/// Each keypoint's counterpart in a mirrored picture.
fn flipped(skeleton: &Skeleton) -> Vec<usize> {
    let mut out: Vec<usize> = (0..skeleton.keypoints.len()).collect();
    for [a, b] in &skeleton.symmetry {
        if *a < out.len() && *b < out.len() {
            out[*a] = *b;
            out[*b] = *a;
        }
    }
    out
}

/// What `data.yaml` says of keypoints. `flip_idx` is there where all classes have the same: without it Ultralytics does not
/// mirror pictures.
pub(super) fn yaml(dataset: &Dataset) -> String {
    let count = count(dataset);
    if count == 0 {
        return String::new();
    }
    let mut out = format!("kpt_shape: [{count}, 3]\n");
    let mut flips = dataset
        .categories
        .iter()
        .filter_map(|c| c.skeleton.as_ref())
        .map(flipped);
    if let Some(flip) = flips.next()
        && flips.all(|other| other == flip)
    {
        let _ = writeln!(out, "flip_idx: {flip:?}");
    }
    out.push_str("kpt_names:\n");
    for (n, category) in dataset.categories.iter().enumerate() {
        let Some(skeleton) = &category.skeleton else {
            continue;
        };
        let _ = writeln!(out, "  {n}:");
        for k in &skeleton.keypoints {
            // Every JSON string is a double-quoted YAML scalar.
            let _ = writeln!(out, "    - {}", serde_json::Value::from(k.name.as_str()));
        }
    }
    out
}

/// The numbers of a line: the box around the labeled keypoints, a pixel wide at least, and each with its visibility.
pub(super) fn numbers(list: &[Keypoint], count: usize, image: Size) -> Result<Vec<f64>, &'static str> {
    if list.len() != count {
        return Err("they have not as many keypoints as their skeleton");
    }
    if list.iter().all(|k| k.at().is_none()) {
        return Err("none of their keypoints is labeled");
    }
    let tight = keypoint::bounds(list);
    let (w, h) = (tight.w.max(1.0), tight.h.max(1.0));
    let (x, y) = (
        tight.x.min(image.width - w).max(0.0),
        tight.y.min(image.height - h).max(0.0),
    );
    let center = Rect::new(x, y, w, h).center();
    let mut out = vec![
        center.x / image.width,
        center.y / image.height,
        w / image.width,
        h / image.height,
    ];
    for k in list {
        let v = f64::from(k.visibility as u8);
        out.extend([k.x / image.width, k.y / image.height, v]);
    }
    Ok(out)
}

/// Keypoints as `data.yaml` describes them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub count: usize,
    /// 2: without visibility, 3: with it.
    pub dims: usize,
    flip: Vec<usize>,
    /// By class.
    names: BTreeMap<usize, Vec<String>>,
}

/// The whole numbers in the value of a key at the top of a YAML file, in flow or block style; no more than `most`.
fn whole_numbers(text: &str, key: &str, most: usize) -> Option<Vec<usize>> {
    let (first, below) = names::value(text, key)?;
    let lines = std::iter::once(first).chain(below);
    let text: Vec<&str> = lines
        .map(|l| l.split('#').next().unwrap_or_default())
        .take(most)
        .collect();
    let text = text.join(" ");
    let words = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
        .filter(|w| !w.is_empty());
    words.take(most).map(|w| w.parse().ok()).collect()
}

impl Layout {
    /// `None`: the file says nothing of keypoints. `Err`: why what it says cannot be used.
    pub fn of(text: &str) -> Option<Result<Self, String>> {
        let shape = match whole_numbers(text, "kpt_shape", 3) {
            Some(shape) => shape,
            None if names::value(text, "kpt_shape").is_none() => return None,
            None => Vec::new(),
        };
        let [count, dims @ (2 | 3)] = shape[..] else {
            return Some(Err(
                "write `kpt_shape: [17, 3]`, the number of keypoints and 2 or 3 numbers for each".to_owned(),
            ));
        };
        if count == 0 || count > KEYPOINTS_MAX {
            return Some(Err(format!(
                "`kpt_shape` gives {count} keypoints; a skeleton has 1 to {KEYPOINTS_MAX}"
            )));
        }
        let flip = whole_numbers(text, "flip_idx", KEYPOINTS_MAX + 1).unwrap_or_default();
        Some(Ok(Self {
            count,
            dims,
            flip,
            names: names::keypoints(text),
        }))
    }

    /// The keypoints of a line, in shares of the image. Without visibility 0, 0 is none. Fractions are the confidence of a
    /// model, seen from a half on.
    pub fn keypoints(&self, numbers: &[f64]) -> Vec<Keypoint> {
        let one = |c: &[f64]| {
            let visibility = match c.get(2) {
                None if c[0] == 0.0 && c[1] == 0.0 => Visibility::Absent,
                Some(v) if *v <= 0.0 => Visibility::Absent,
                Some(v) if *v == 1.0 => Visibility::Hidden,
                Some(v) if *v < 0.5 => Visibility::Absent,
                _ => Visibility::Visible,
            };
            match visibility {
                Visibility::Absent => Keypoint::default(),
                seen => Keypoint::new(Point::new(c[0], c[1]), seen),
            }
        };
        numbers
            .chunks_exact(self.dims)
            .take(self.count)
            .map(one)
            .collect()
    }

    /// The skeleton of a class. Where names are missing keypoints are called by their number from 1.
    pub fn skeleton(&self, class: usize) -> Option<Skeleton> {
        let names = self.names.get(&class).filter(|n| n.len() == self.count).cloned();
        let names = names.unwrap_or_else(|| (1..=self.count).map(|n| n.to_string()).collect());
        let person = Skeleton::coco_person();
        if person.keypoints.iter().map(|k| &k.name).eq(names.iter()) {
            return Some(person);
        }
        let counterpart = |a: usize| Some((a, *self.flip.get(a)?));
        let symmetry = (0..self.count)
            .filter_map(counterpart)
            .filter(|(a, b)| a < b && self.flip.get(*b) == Some(a))
            .map(|(a, b)| [a, b])
            .collect();
        Skeleton {
            keypoints: skeletons::on_a_circle(names),
            edges: Vec::new(),
            symmetry,
        }
        .check()
        .ok()
    }
}
