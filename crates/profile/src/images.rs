//! Images: what is measured of each, and the profile of all of them.

mod alike;
mod labels;
mod measure;

pub use labels::LabeledBox;
pub use measure::{Measured, measure};

use crate::figures::of_values;
use labels::Labels;
use limn_domain::profile::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Paths listed of one kind.
const LISTED: usize = 24;
/// Groups of duplicates listed.
const GROUPS: usize = 60;

/// What is kept of one file, by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ImageRecord {
    Read(ImageFigures),
    /// It cannot be decoded; why.
    Corrupt(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageFigures {
    /// Pixels, upright.
    pub width: u32,
    pub height: u32,
    /// `jpeg`, `png`...
    pub format: String,
    /// `gray`, `rgb`, `rgba`, with the bits of a sample where they are not eight.
    pub mode: String,
    /// None of pictures larger than are decoded whole.
    pub seen: Option<Measured>,
}

impl ImageFigures {
    /// NaN where nothing was measured.
    fn seen(&self, of: impl Fn(&Measured) -> f32) -> f64 {
        self.seen.as_ref().map_or(f64::NAN, |m| f64::from(of(m)))
    }
}

/// Collects images; every figure is over all of them.
#[derive(Debug, Default)]
pub struct Images {
    entries: Vec<Entry>,
    corrupt: Vec<TopPath>,
    corrupt_total: u64,
    labels: Labels,
    has_labels: bool,
}

#[derive(Debug)]
struct Entry {
    path: String,
    digest: String,
    bytes: u64,
    figures: ImageFigures,
}

impl Images {
    /// Adds a file. `boxes` are those of its labels; none where labels are not known at all.
    pub fn add(
        &mut self,
        path: &str,
        digest: &str,
        bytes: u64,
        record: &ImageRecord,
        boxes: Option<&[LabeledBox]>,
    ) {
        match record {
            ImageRecord::Corrupt(why) => {
                self.corrupt_total += 1;
                if self.corrupt.len() < LISTED * 4 {
                    self.corrupt.push(TopPath {
                        path: path.to_owned(),
                        note: why.clone(),
                    });
                }
            }
            ImageRecord::Read(figures) => {
                if let Some(boxes) = boxes {
                    self.has_labels = true;
                    self.labels.add(path, figures.width, figures.height, boxes);
                }
                self.entries.push(Entry {
                    path: path.to_owned(),
                    digest: digest.to_owned(),
                    bytes,
                    figures: figures.clone(),
                });
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.corrupt_total == 0
    }

    /// Values of the figures that drift is measured in, by name.
    pub fn series(&self) -> Vec<(&'static str, Vec<f64>)> {
        let of = |f: fn(&ImageFigures) -> f64| self.entries.iter().map(|e| f(&e.figures)).collect();
        vec![
            ("image width", of(|f| f64::from(f.width))),
            ("image height", of(|f| f64::from(f.height))),
            ("image aspect", of(aspect)),
            ("image brightness", of(|f| f.seen(|m| m.brightness))),
            ("image contrast", of(|f| f.seen(|m| m.contrast))),
            ("image sharpness", of(|f| f.seen(|m| m.sharpness))),
        ]
    }

    /// Objects by category.
    pub fn categories(&self) -> Option<BTreeMap<String, u64>> {
        self.has_labels.then(|| self.labels.objects())
    }

    pub fn profile(&self) -> ImagesProfile {
        let figure =
            |f: fn(&ImageFigures) -> f64, whole| of_values(self.entries.iter().map(|e| f(&e.figures)), whole);
        let mut profile = ImagesProfile {
            images: self.entries.len() as u64 + self.corrupt_total,
            bytes: self.entries.iter().map(|e| e.bytes).sum(),
            corrupt: self.corrupt.clone(),
            corrupt_total: self.corrupt_total,
            widths: figure(|f| f64::from(f.width), true),
            heights: figure(|f| f64::from(f.height), true),
            aspects: figure(aspect, false),
            file_sizes: of_values(self.entries.iter().map(|e| e.bytes as f64), true),
            brightness: figure(|f| f.seen(|m| m.brightness), false),
            contrast: figure(|f| f.seen(|m| m.contrast), false),
            sharpness: figure(|f| f.seen(|m| m.sharpness), false),
            sizes: self.ranked(|f| format!("{} x {}", f.width, f.height)),
            formats: self.ranked(|f| f.format.clone()),
            modes: self.ranked(|f| f.mode.clone()),
            duplicates: self.same_bytes(),
            look_alikes: self.look_alikes(),
            outliers: Vec::new(),
            labels: self.has_labels.then(|| self.labels.profile()),
        };
        profile.outliers = self.outliers(&profile);
        profile
    }

    fn ranked(&self, key: impl Fn(&ImageFigures) -> String) -> Vec<TopValue> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for e in &self.entries {
            *counts.entry(key(&e.figures)).or_default() += 1;
        }
        let mut ranked: Vec<_> = counts
            .into_iter()
            .map(|(value, count)| TopValue { value, count })
            .collect();
        ranked.sort_by_key(|t| std::cmp::Reverse(t.count));
        ranked.truncate(20);
        ranked
    }

    fn same_bytes(&self) -> DuplicateImages {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for e in &self.entries {
            groups.entry(&e.digest).or_default().push(&e.path);
        }
        listed(groups.into_values())
    }

    /// Files of the same bytes are one here: those are told already.
    fn look_alikes(&self) -> DuplicateImages {
        let mut first: BTreeMap<&str, &Entry> = BTreeMap::new();
        for e in &self.entries {
            let known = first.entry(&e.digest).or_insert(e);
            if e.path < known.path {
                *known = e;
            }
        }
        let (distinct, hashes): (Vec<&Entry>, Vec<&Measured>) = first
            .into_values()
            .filter_map(|e| e.figures.seen.as_ref().map(|m| (e, m)))
            .unzip();
        let groups = alike::groups(&hashes);
        listed(groups.into_iter().map(|g| {
            g.into_iter()
                .filter_map(|i| distinct.get(i).map(|e| e.path.as_str()))
                .collect()
        }))
    }

    fn outliers(&self, profile: &ImagesProfile) -> Vec<ImageOutlier> {
        let median = |p: &NumberProfile| p.quantiles.map_or(0.0, |q| q.median);
        let sharp = median(&profile.sharpness);
        let aspects = profile.aspects.quantiles.unwrap_or_default();
        let (low, high) = (aspects.q1 / 2.0, aspects.q3 * 2.0);
        let mut out = Vec::new();
        let mut list =
            |kind, value: &dyn Fn(&ImageFigures) -> f64, is_out: &dyn Fn(f64) -> bool, rising: bool| {
                let mut found: Vec<_> = self
                    .entries
                    .iter()
                    .map(|e| (value(&e.figures), &e.path))
                    .filter(|(v, _)| is_out(*v))
                    .collect();
                found.sort_by(|a, b| {
                    let order = a.0.total_cmp(&b.0);
                    (if rising { order } else { order.reverse() }).then_with(|| a.1.cmp(b.1))
                });
                out.extend(found.into_iter().take(LISTED).map(|(value, path)| ImageOutlier {
                    kind,
                    path: path.clone(),
                    value,
                }));
            };
        list(
            OutlierKind::Dark,
            &|f| f.seen(|m| m.brightness),
            &|v| v < 40.0,
            true,
        );
        list(
            OutlierKind::Bright,
            &|f| f.seen(|m| m.brightness),
            &|v| v > 225.0,
            false,
        );
        list(OutlierKind::Flat, &|f| f.seen(|m| m.contrast), &|v| v < 8.0, true);
        list(
            OutlierKind::Blurred,
            &|f| f.seen(|m| m.sharpness),
            &|v| v < sharp / 6.0,
            true,
        );
        list(OutlierKind::Shape, &aspect, &|v| v < low || v > high, true);
        list(
            OutlierKind::Small,
            &|f| f64::from(f.width.min(f.height)),
            &|v| v < 32.0,
            true,
        );
        out
    }
}

fn aspect(f: &ImageFigures) -> f64 {
    f64::from(f.width) / f64::from(f.height.max(1))
}

/// Groups of more than one, largest first.
pub fn listed<'a>(groups: impl Iterator<Item = Vec<&'a str>>) -> DuplicateImages {
    let mut groups: Vec<Vec<&str>> = groups.filter(|g| g.len() > 1).collect();
    for g in &mut groups {
        g.sort_unstable();
    }
    groups.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    DuplicateImages {
        groups_total: groups.len() as u64,
        extra: groups.iter().map(|g| g.len() as u64 - 1).sum(),
        groups: groups
            .into_iter()
            .take(GROUPS)
            .map(|g| DuplicateGroup {
                size: g.len() as u64,
                paths: g.into_iter().take(LISTED).map(str::to_owned).collect(),
            })
            .collect(),
    }
}
