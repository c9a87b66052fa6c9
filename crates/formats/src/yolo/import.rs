//! Reads YOLO.

use super::names;
use super::pose::Layout;
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedOutline, ImportedShape,
};
use crate::read::{Reader, text};
use limn_domain::{Rect, Shape, Skeleton, validate};
use std::collections::BTreeMap;
use std::io::Read;

/// Longest file of labels and of names, in bytes.
const FILE_MAX: u64 = 64 << 20;
const TABLE_MAX: u64 = 4 << 20;
/// Most labels of one file.
const LABELS_MAX: usize = 100_000;
/// A share of the image beyond this is no share.
const SHARE_MAX: f64 = 4.0;

/// Reads `data.yaml` or `classes.txt`, then files of labels. Coordinates are shares of the image. A class without a name is
/// refused by its number.
#[derive(Debug, Default)]
pub struct YoloReader {
    names: BTreeMap<usize, String>,
    /// `data.yaml` was read; it goes before a plain list.
    from_yaml: bool,
    /// The project takes keypoints.
    keypoints: bool,
    /// Lines are the corners of boxes.
    oriented: bool,
    /// `data.yaml` speaks of keypoints.
    pose: Option<Layout>,
}

impl YoloReader {
    /// `keypoints`: the project takes them; else boxes are taken of lines with keypoints.
    pub fn new(keypoints: bool) -> Self {
        Self {
            keypoints,
            ..Self::default()
        }
    }

    /// For oriented boxes.
    pub fn oriented() -> Self {
        Self {
            oriented: true,
            ..Self::default()
        }
    }

    /// The skeleton of a class, if the project takes keypoints.
    fn skeleton(&self, class: usize) -> Option<Skeleton> {
        self.pose.as_ref().filter(|_| self.keypoints)?.skeleton(class)
    }
}

impl Reader for YoloReader {
    fn table(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<(), FormatError> {
        let text = text(
            reader,
            TABLE_MAX,
            "a list of classes has a few kilobytes",
            findings,
        )?;
        let is_yaml = std::path::Path::new(path)
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"));
        if is_yaml && !self.oriented {
            match Layout::of(&text) {
                Some(Ok(layout)) => self.pose = Some(layout),
                Some(Err(why)) => findings.refused("bad_names", || {
                    Detail::new(format!("The keypoints cannot be read: {why}."))
                }),
                None => {}
            }
        }
        let found = if is_yaml {
            names::from_yaml(&text)
        } else {
            names::from_list(&text)
        };
        match found {
            Ok(names) if is_yaml || !self.from_yaml => {
                if !self.names.is_empty() && self.names != names {
                    findings.note("other_names", || {
                        Detail::new("An earlier file names other classes; the names of this one were taken.")
                    });
                }
                self.names = names;
                self.from_yaml |= is_yaml;
            }
            Ok(_) => {}
            Err(why) => findings.refused("bad_names", || {
                Detail::new(format!("The names of the classes cannot be read: {why}. Write `names:` with a line `0: name` for each class."))
            }),
        }
        Ok(())
    }

    fn begin(&mut self) -> Imported {
        let categories = self
            .names
            .iter()
            .filter_map(|(class, n)| Some((class, validate::name("category", n).ok()?)))
            .map(|(class, name)| ImportedCategory {
                name: Some(name),
                skeleton: self.skeleton(*class),
                ..ImportedCategory::default()
            })
            .collect();
        Imported {
            categories,
            ..Imported::default()
        }
    }

    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let text = text(reader, FILE_MAX, "a YOLO file describes one picture", findings)?;
        let mut out = Imported {
            images: vec![picture(path)],
            normalised: true,
            ..Imported::default()
        };
        let mut known: BTreeMap<usize, u32> = BTreeMap::new();
        for (n, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            if out.annotations.len() >= LABELS_MAX {
                findings.refused("too_many", || {
                    Detail::new(format!("Only the first {LABELS_MAX} labels of a file are taken."))
                        .line(n as u64 + 1)
                });
                break;
            }
            match self.line(line) {
                Ok((class, shape, score)) => {
                    let category = *known.entry(class.0).or_insert_with(|| {
                        out.categories.push(ImportedCategory {
                            name: Some(class.1),
                            skeleton: self.skeleton(class.0),
                            line: n as u64 + 1,
                            ..ImportedCategory::default()
                        });
                        out.categories.len() as u32 - 1
                    });
                    out.annotations.push(ImportedAnnotation {
                        image: 0,
                        category,
                        shape,
                        score,
                        attributes: None,
                        id: None,
                        index: n as u32,
                        line: n as u32 + 1,
                        links: None,
                    });
                }
                Err((code, why)) => findings.refused(code, || Detail::new(why).line(n as u64 + 1)),
            }
        }
        Ok(out)
    }
}

type Line = ((usize, String), ImportedShape, Option<f64>);

impl YoloReader {
    fn line(&self, line: &str) -> Result<Line, (&'static str, String)> {
        let mut words = line.split_ascii_whitespace();
        let class = words.next().unwrap_or_default();
        let id: usize = class
            .parse::<f64>()
            .ok()
            .filter(|v| *v >= 0.0 && v.fract() == 0.0 && *v < 1e9)
            .map(|v| v as usize)
            .ok_or_else(|| {
                let class = quote(class);
                (
                    "bad_class",
                    format!("`{class}` is not the number of a class; a line is `class x y width height`."),
                )
            })?;
        let numbers: Vec<f64> = words
            .map(|w| w.parse::<f64>().ok().filter(|v| v.is_finite()))
            .collect::<Option<_>>()
            .ok_or_else(|| ("not_a_number", "A coordinate is not a finite number.".to_owned()))?;
        let (coordinates, score) = match numbers.len() {
            n if n < 4 => {
                return Err((
                    "too_few_numbers",
                    format!("The line has {n} numbers after its class; a box has 4, a polygon at least 6."),
                ));
            }
            n if self.pose.is_some() => {
                let want = self.pose.as_ref().map_or(0, |p| 4 + p.count * p.dims);
                if n != want && n != want + 1 {
                    return Err((
                        "keypoint_count",
                        format!(
                            "The line has {n} numbers after its class; with the `kpt_shape` of data.yaml it has {want}."
                        ),
                    ));
                }
                (&numbers[..want], numbers.get(want).map(|s| s.clamp(0.0, 1.0)))
            }
            n if self.oriented && n != 8 && n != 9 => {
                return Err((
                    "too_few_numbers",
                    format!(
                        "The line has {n} numbers after its class; an oriented box has the 8 of its corners."
                    ),
                ));
            }
            // Predictions have their confidence at the end.
            n if n % 2 == 1 => (&numbers[..n - 1], Some(numbers[n - 1].clamp(0.0, 1.0))),
            _ => (&numbers[..], None),
        };
        if coordinates.iter().any(|v| v.abs() > SHARE_MAX) {
            return Err((
                "not_shares",
                "A coordinate is far beyond 1: YOLO gives shares of the image, not pixels. Divide by its width and height.".to_owned(),
            ));
        }
        let name = self.names.get(&id).ok_or_else(|| {
            let known = self.names.len();
            (
                "unknown_class",
                format!("Class {id} has no name: {known} are named. Bring data.yaml or classes.txt with a name for it."),
            )
        })?;
        let name = validate::name("category", name).map_err(|why| {
            (
                "bad_name",
                format!("The name of class {id} cannot be used. {why}"),
            )
        })?;
        let shape = match (coordinates, &self.pose) {
            ([_, _, _, _, points @ ..], Some(layout)) if self.keypoints => {
                let keypoints = layout.keypoints(points);
                ImportedShape::Other(Box::new(Shape::Keypoints { keypoints }))
            }
            ([x0, y0, x1, y1, x2, y2, x3, y3], None) if self.oriented => {
                ImportedShape::Corners(Box::new([[*x0, *y0], [*x1, *y1], [*x2, *y2], [*x3, *y3]]))
            }
            ([x, y, w, h, ..], Some(_)) | ([x, y, w, h], None) => {
                ImportedShape::Box(Rect::new(x - w / 2.0, y - h / 2.0, *w, *h))
            }
            (ring, _) => {
                let ring = ring.chunks_exact(2).map(|c| [c[0], c[1]]).collect();
                ImportedShape::Outline(Box::new(ImportedOutline::Polygons(vec![ring])))
            }
        };
        Ok(((id, name), shape, score))
    }
}

/// The picture a file of labels belongs to: the same path without extension, `labels` being `images` there or nothing.
fn picture(path: &str) -> ImportedImage {
    let base = path.rsplit('/').next().unwrap_or(path);
    let extension = base.len() - crate::names::stem(base).len();
    let stem = &path[..path.len() - extension];
    let mut names = Vec::new();
    if let Some((before, after)) = split_folder(stem, "labels") {
        names.push(format!("{before}images/{after}"));
        if let Some((_, below)) = after.split_once('/') {
            names.push(below.to_owned());
        }
        names.push(after.to_owned());
    } else {
        names.push(stem.to_owned());
    }
    let file_name = names.remove(0);
    ImportedImage {
        file_name: Some(file_name),
        alternatives: names,
        without_extension: true,
        line: 1,
        ..ImportedImage::default()
    }
}

/// What stands before and after the last folder of that name.
fn split_folder<'p>(path: &'p str, folder: &str) -> Option<(&'p str, &'p str)> {
    let mut at = path.len();
    while let Some(slash) = path[..at].rfind('/') {
        let from = path[..slash].rfind('/').map_or(0, |s| s + 1);
        if path[from..slash].eq_ignore_ascii_case(folder) {
            return Some((&path[..from], &path[slash + 1..]));
        }
        at = slash;
    }
    None
}
