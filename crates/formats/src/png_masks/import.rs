//! Reads masks as pictures.

use super::table::{self, Class};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedOutline, ImportedShape,
};
use crate::pixels::{Canvas, Decoded, Values, decode};
use crate::read::{Reader, bytes, text};
use limn_domain::validate;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

const FILE_MAX: u64 = 256 << 20;
const TABLE_MAX: u64 = 4 << 20;
/// Numbers that mean nothing unless the table names them: background, and the border of Pascal VOC.
const NOTHING: [u32; 2] = [0, 255];
const NOTHING_NAMES: [&str; 5] = ["background", "void", "unlabeled", "unlabelled", "ignore"];
/// Values without a class reported of one picture.
const REPORTED: usize = 10;

/// Reads class tables, then pictures of masks: all pixels of a class are one label.
#[derive(Debug, Default)]
pub struct PngReader {
    classes: Vec<Class>,
}

fn is_nothing(class: &Class) -> bool {
    let name = class.name.to_lowercase();
    NOTHING_NAMES.contains(&name.as_str())
}

impl Reader for PngReader {
    fn table(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<(), FormatError> {
        let text = text(reader, TABLE_MAX, "a class table has a few kilobytes", findings)?;
        let (classes, bad) = table::read(&text);
        for line in bad {
            findings.refused("bad_class", || {
                Detail::new("The line names no class; write `index,name,color`, as in `3,dog,#ff0000`.")
                    .line(line)
            });
        }
        let own = path.to_lowercase().ends_with("classes.csv");
        // Ours says the numbers outright and goes before the others.
        if self.classes.is_empty() || own {
            self.classes = classes;
        }
        Ok(())
    }

    fn begin(&mut self) -> Imported {
        let named = self.classes.iter().filter(|c| !is_nothing(c));
        Imported {
            categories: named.filter_map(category).collect(),
            ..Imported::default()
        }
    }

    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let bytes = bytes(reader, FILE_MAX, "a picture of masks is not so long", findings)?;
        let decoded = decode(&bytes).map_err(|why| {
            FormatError::NotTheFormat(format!(
                "`{}` is no picture of masks: {why}.",
                quote(findings.file())
            ))
        })?;
        let (width, height) = (decoded.width, decoded.height);
        let mut out = Imported {
            images: vec![picture(path, (f64::from(width), f64::from(height)))],
            ..Imported::default()
        };
        for (place, mask) in self.known(decoded, findings).masks() {
            let Some(class) = self.classes.get(place as usize - 1) else {
                continue;
            };
            let Some(category) = category(class) else {
                findings.refused("bad_name", || {
                    Detail::new(format!(
                        "The class name `{}` cannot be used for a category.",
                        quote(&class.name)
                    ))
                });
                continue;
            };
            let index = out.annotations.len() as u32;
            out.annotations.push(ImportedAnnotation {
                image: 0,
                category: out.categories.len() as u32,
                shape: ImportedShape::Outline(Box::new(ImportedOutline::Mask {
                    mask,
                    size: (width, height),
                })),
                score: None,
                attributes: None,
                id: None,
                index,
                line: 0,
                links: None,
            });
            out.categories.push(category);
        }
        Ok(out)
    }
}

impl PngReader {
    /// The pixels as places in the table, from 1; what it does not name is in the findings and becomes 0.
    fn known(&self, decoded: Decoded, findings: &mut Findings) -> Canvas {
        let (mut values, by_color) = match decoded.values {
            Values::Numbers(v) => (v, false),
            Values::Colors(v) => (v, true),
        };
        let mut places: HashMap<u32, u32> = HashMap::new();
        for (class, place) in self.classes.iter().zip(1_u32..) {
            let key = if by_color { class.color } else { Some(class.index) };
            let place = if is_nothing(class) { 0 } else { place };
            if let Some(key) = key {
                places.entry(key).or_insert(place);
            }
        }
        for nothing in if by_color { &[0][..] } else { &NOTHING[..] } {
            places.entry(*nothing).or_insert(0);
        }
        let mut unknown: BTreeMap<u32, u64> = BTreeMap::new();
        let mut last = (0, places.get(&0).copied());
        for v in &mut values {
            if last.0 != *v {
                last = (*v, places.get(v).copied());
            }
            if last.1.is_none() && (unknown.len() < 10_000 || unknown.contains_key(v)) {
                *unknown.entry(*v).or_default() += 1;
            }
            *v = last.1.unwrap_or(0);
        }
        for (value, pixels) in unknown.into_iter().take(REPORTED) {
            findings.refused("unknown_class", || {
                let what = if by_color {
                    format!("#{:02x}{:02x}{:02x}", value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff)
                } else {
                    value.to_string()
                };
                Detail::new(format!(
                    "{pixels} pixels have the value {what}, which no class has; name it in classes.csv as `index,name,color`."
                ))
            });
        }
        Canvas {
            width: decoded.width,
            height: decoded.height,
            values,
        }
    }
}

fn category(class: &Class) -> Option<ImportedCategory> {
    let color = class
        .color
        .map(|c| format!("#{:02x}{:02x}{:02x}", c & 0xff, c >> 8 & 0xff, c >> 16 & 0xff));
    Some(ImportedCategory {
        name: Some(validate::name("category", &class.name).ok()?),
        color,
        line: 1,
        ..ImportedCategory::default()
    })
}

/// The picture that a file of masks belongs to: the same path below the folder of masks, with any extension.
pub(crate) fn picture(path: &str, size: (f64, f64)) -> ImportedImage {
    let base = path.rsplit('/').next().unwrap_or(path);
    let extension = base.len() - crate::names::stem(base).len();
    let stem = &path[..path.len() - extension];
    // Each path that is left when folders are taken off the front, longest first.
    let mut names: Vec<String> = stem
        .match_indices('/')
        .map(|(n, _)| stem[n + 1..].to_owned())
        .take(16)
        .collect();
    names.insert(0, stem.to_owned());
    for end in ["_mask", "_labelids", "_gt", "_l"] {
        let last = names.last().cloned().unwrap_or_default();
        if last.to_lowercase().ends_with(end) {
            names.push(last[..last.len() - end.len()].to_owned());
        }
    }
    ImportedImage {
        file_name: Some(names.remove(0)),
        alternatives: names,
        without_extension: true,
        size: Some(size),
        ..ImportedImage::default()
    }
}
