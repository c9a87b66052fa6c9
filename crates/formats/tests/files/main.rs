//! Formats of many files: written, read again, and compared with what the table says is kept.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(
    clippy::match_wildcard_for_single_variants,
    reason = "kinds of shapes are added"
)]

mod attributes;
mod azureml;
mod captions;
mod csv;
mod cvat;
mod cvat_exchange;
mod hostile;
mod jsonl;
mod label_studio;
mod labelme;
mod panoptic;
mod png_masks;
mod skeletons;
mod tracks;
mod turned;
mod voc;
mod yolo;
mod yolo_pose;

use limn_domain::export::ExportFormat;
use limn_domain::import::{ImportFormat, ImportReport};
use limn_domain::polygon::{self, Part};
use limn_domain::project::Task;
use limn_domain::{AnnotationId, Attributes, Mask, Rect, Shape, Size, Source};
use limn_formats::names::{ExportNames, NameIndex};
use limn_formats::read::{self, Role};
use limn_formats::write::{self, Category, Dataset, Files, Item, Label, Tally};
use limn_formats::{Findings, Fit, Imported, Placed};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An item of a test: name, width, height, labels by category.
pub type Sample = (String, u32, u32, Vec<(usize, Shape)>);

/// Frames of every video of the tests.
pub const FRAMES: u32 = 30;

/// No attributes.
static NOTHING: Attributes = Attributes::new();

pub const NAMES: [&str; 4] = ["cat", "traffic light", "a \"b\", <c>: 'd' # e & é", "dog/wolf"];

pub fn dataset(task: Task) -> Dataset {
    Dataset {
        name: "Test & co".into(),
        task,
        date: "2026-01-01 00:00:00".into(),
        categories: NAMES
            .iter()
            .zip(1..)
            .map(|(name, id)| Category {
                id,
                name: (*name).into(),
                parent: None,
                color: [id as u8 * 40, 255 - id as u8, 7],
                skeleton: None,
                attributes: Vec::new(),
            })
            .collect(),
    }
}

pub fn write(
    format: ExportFormat,
    dataset: Dataset,
    samples: &[Sample],
) -> (BTreeMap<String, Vec<u8>>, Tally) {
    let mut writer = write::writer(format, dataset).expect("a format of many files");
    let (mut out, mut tally) = (Files::default(), Tally::default());
    let mut names = ExportNames::with_stems(limn_domain::export::FileNames::Preserve);
    writer.begin(&mut out).unwrap();
    let times = limn_domain::video::times(FRAMES as usize, 30.0);
    for ((name, width, height, shapes), id) in samples.iter().zip(1..) {
        let name = names.name(name, id);
        let labels: Vec<Label<'_>> = shapes
            .iter()
            .zip(0..)
            .map(|((category, shape), z)| Label {
                id: AnnotationId::nil(),
                category: *category,
                shape,
                z,
                source: Source::Human,
                score: None,
                attributes: &NOTHING,
                links: &limn_domain::link::NO_LINKS,
            })
            .collect();
        // Tracks are of videos.
        let is_video = shapes.iter().any(|(_, s)| matches!(s, Shape::Track { .. }));
        let item = Item {
            text: "",
            id,
            name: &name,
            width: *width,
            height: *height,
            about: &limn_domain::attribute::NO_ATTRIBUTES,
            times_us: if is_video { &times } else { &[] },
        };
        writer.item(&item, &labels, &mut out, &mut tally).unwrap();
    }
    writer.finish(&mut out).unwrap();
    (out.finish(), tally)
}

/// What an import makes of files: by item, category and shape; and the report.
pub struct Read {
    pub items: BTreeMap<String, Vec<(String, Shape)>>,
    pub report: ImportReport,
    /// As the tables name them, before any label.
    pub categories: Vec<String>,
}

impl Read {
    pub fn codes(&self) -> Vec<&str> {
        self.report.entries.iter().map(|e| e.code.as_str()).collect()
    }
}

pub fn read(format: ImportFormat, files: &BTreeMap<String, Vec<u8>>, items: &[(&str, u32, u32)]) -> Read {
    let mut reader = read::reader(format, Task::Objects);
    let mut findings = Findings::default();
    let of = |role| {
        files
            .iter()
            .filter(move |(path, _)| read::role(format, path) == Some(role))
    };
    for (path, bytes) in of(Role::Table) {
        findings.set_file(path);
        reader.table(path, &mut bytes.as_slice(), &mut findings).unwrap();
    }
    let categories = reader
        .begin()
        .categories
        .into_iter()
        .filter_map(|c| c.name)
        .collect();
    let mut index = NameIndex::default();
    for (n, (name, ..)) in items.iter().enumerate() {
        index.insert(name, n);
    }
    let mut out = BTreeMap::new();
    for (path, bytes) in of(Role::Labels) {
        findings.set_file(path);
        match reader.labels(path, &mut bytes.as_slice(), &mut findings) {
            Ok(imported) => place(&imported, items, &index, &mut out),
            Err(e) => findings.refused("not_the_format", || limn_formats::Detail::new(e.to_string())),
        }
    }
    reader.finish(&mut findings);
    Read {
        items: out,
        report: findings.into_report(),
        categories,
    }
}

fn place(
    imported: &Imported,
    items: &[(&str, u32, u32)],
    index: &NameIndex<usize>,
    out: &mut BTreeMap<String, Vec<(String, Shape)>>,
) {
    for (image, labels) in imported.items() {
        let mut names = image.file_name.iter().chain(&image.alternatives);
        let found = names.find_map(|n| {
            let found = if image.without_extension {
                index.find_stem(n)
            } else {
                index.find(n)
            };
            found.item()
        });
        let (name, width, height) = items[found.unwrap_or_else(|| panic!("{image:?}"))];
        let fit = Fit::new(
            image.size,
            (f64::from(width), f64::from(height)),
            1,
            imported.normalised,
        );
        assert!(fit.note().is_none(), "{image:?}");
        let of = out.entry(name.to_owned()).or_default();
        for label in labels {
            let category = imported.categories[label.category as usize].name.clone().unwrap();
            let shape = match fit.place(&label.shape) {
                Placed::Other { shape, .. } => shape,
                Placed::Whole => Shape::Whole,
                Placed::Box { rect, .. } => Shape::Box { rect },
                Placed::Polygon { parts, .. } => Shape::Polygon { parts },
                Placed::Mask { mask } => Shape::Mask { mask },
                Placed::Refused(code, why) => panic!("{code}: {why} {label:?}"),
            };
            of.push((category, shape));
        }
    }
}

/// Writes and reads again; every item must be found.
pub fn around(format: ExportFormat, into: ImportFormat, task: Task, samples: &[Sample]) -> (Read, Tally) {
    let (files, tally) = write(format, dataset(task), samples);
    let (again, _) = write(format, dataset(task), samples);
    assert_eq!(files, again, "the same data gives the same bytes");
    let items: Vec<(&str, u32, u32)> = samples.iter().map(|(n, w, h, _)| (n.as_str(), *w, *h)).collect();
    (read(into, &files, &items), tally)
}

pub fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

pub fn files(of: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    of.iter()
        .map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec()))
        .collect()
}

pub fn size(w: u32, h: u32) -> Size {
    Size {
        width: f64::from(w),
        height: f64::from(h),
    }
}

/// Largest difference of two boxes in pixels.
pub fn apart(a: Rect, b: Rect) -> f64 {
    [
        a.x - b.x,
        a.y - b.y,
        a.right() - b.right(),
        a.bottom() - b.bottom(),
    ]
    .into_iter()
    .fold(0.0, |m, d| m.max(d.abs()))
}

pub fn rect_of(shape: &Shape) -> Rect {
    match shape {
        Shape::Box { rect } => *rect,
        other => panic!("{other:?} is no box"),
    }
}

pub fn parts_of(shape: &Shape) -> &[Part] {
    match shape {
        Shape::Polygon { parts } => parts,
        other => panic!("{other:?} is no polygon"),
    }
}

/// The pixels of any outline.
pub fn mask_of(shape: &Shape, image: Size) -> Option<Mask> {
    match shape {
        Shape::Mask { mask } => mask.tidied(),
        Shape::Polygon { parts } => Mask::from_polygon(parts, image),
        Shape::Box { rect } => {
            let ring = vec![
                [rect.x, rect.y],
                [rect.right(), rect.y],
                [rect.right(), rect.bottom()],
                [rect.x, rect.bottom()],
            ];
            Mask::from_polygon(&[vec![ring]], image)
        }
        _ => None,
    }
}

pub const SIDE: u32 = 64;

pub fn a_box() -> impl Strategy<Value = Shape> {
    (0.0..50.0, 0.0..50.0, 0.5..14.0, 0.5..14.0).prop_map(|(x, y, w, h)| Shape::Box {
        rect: Rect::new(x, y, w, h),
    })
}

/// Kept as the project keeps it: mended.
pub fn a_polygon(parts: usize) -> impl Strategy<Value = Shape> {
    let ring = prop::collection::vec((0.0..64.0, 0.0..64.0), 3..9)
        .prop_map(|v| v.into_iter().map(|(x, y)| [x, y]).collect::<Vec<_>>());
    prop::collection::vec(ring, 1..=parts).prop_filter_map("no polygon", move |rings| {
        let parts: Vec<Part> = rings.into_iter().map(|r| vec![r]).collect();
        let (parts, _) = polygon::mend(&parts, size(SIDE, SIDE)).ok()?;
        Some(Shape::Polygon { parts })
    })
}

pub fn a_mask() -> impl Strategy<Value = Shape> {
    (0..40_u32, 0..40_u32, 1..20_u32, 1..20_u32, any::<u64>()).prop_filter_map(
        "no pixels",
        |(x, y, w, h, seed)| {
            let pixels: Vec<u8> = (0..w * h)
                .map(|i| u8::from(seed.rotate_left(i * 7 % 64) & 3 != 0))
                .collect();
            Some(Shape::Mask {
                mask: Mask::from_pixels(x, y, w, h, &pixels)?,
            })
        },
    )
}

pub fn samples(shape: impl Strategy<Value = Shape>) -> impl Strategy<Value = Vec<Sample>> {
    let labels = prop::collection::vec((0..NAMES.len(), shape), 0..5);
    prop::collection::vec(labels, 1..4).prop_map(|items| {
        let names = ["a/x.1.jpg", "a/x.2.jpg", "b/x.1.png", "y.jpg"];
        items
            .into_iter()
            .zip(names)
            .map(|(labels, name)| (name.to_owned(), SIDE, SIDE, labels))
            .collect()
    })
}
