//! What the writers of formats of many files have in common: the items they are fed, the files they put out, and a tally
//! of what a format could not say.

mod geometry;
mod tally;

pub use geometry::{Geometry, has_holes};
pub use tally::Tally;

use limn_domain::export::ExportFormat;
use limn_domain::project::Task;
use limn_domain::{AnnotationId, Attribute, Attributes, Links, Shape, Size, Skeleton, Source, validate};
use std::collections::{BTreeMap, HashMap};
use std::io;

/// What the whole export says of its project.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub name: String,
    pub task: Task,
    /// Of the last change to the data, `YYYY-MM-DD HH:MM:SS`: never the time of the export.
    pub date: String,
    /// In the order of their export ids.
    pub categories: Vec<Category>,
}

/// A category of the project.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Export id, from 1.
    pub id: i64,
    pub name: String,
    /// Index of the parent among the categories.
    pub parent: Option<usize>,
    /// Red, green, blue.
    pub color: [u8; 3],
    pub skeleton: Option<Skeleton>,
    /// What is said of its objects.
    pub attributes: Vec<Attribute>,
}

/// An item; size in pixels, orientation applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item<'a> {
    /// Export id, from 1.
    pub id: i64,
    /// Relative path with forward slashes, safe on every file system, and unique without its extension.
    pub name: &'a str,
    pub width: u32,
    pub height: u32,
    /// The text of a document; empty for a picture.
    pub text: &'a str,
    /// What is said of it as a whole.
    pub about: &'a Attributes,
    /// When each frame of a video is shown, in microseconds; empty for a picture or a document.
    pub times_us: &'a [i64],
}

impl Item<'_> {
    pub fn size(&self) -> Size {
        Size {
            width: f64::from(self.width),
            height: f64::from(self.height),
        }
    }

    /// The name without its extension, for files that stand beside the picture.
    pub fn stem(&self) -> &str {
        let base = self.name.rsplit('/').next().unwrap_or(self.name);
        let extension = base.len() - crate::names::stem(base).len();
        &self.name[..self.name.len() - extension]
    }
}

/// A confirmed label of an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label<'a> {
    pub id: AnnotationId,
    /// Index into [`Dataset::categories`].
    pub category: usize,
    pub shape: &'a Shape,
    pub z: i64,
    pub source: Source,
    pub score: Option<f64>,
    /// Values of the category's attributes, by their keys; no others.
    pub attributes: &'a Attributes,
    /// Relations only to labels of the same item.
    pub links: &'a Links,
}

/// Where files go. Names are relative paths with forward slashes; none is given twice.
pub trait Output {
    /// A small file, whole.
    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// More of a long file, which is put together at the end: its parts in the order of their numbers, each in the order
    /// of the calls.
    fn append(&mut self, name: &str, part: u8, bytes: &[u8]) -> io::Result<()>;
}

/// Files in memory, for tests and small sets.
#[derive(Debug, Default)]
pub struct Files {
    pub whole: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<(String, u8), Vec<u8>>,
}

impl Files {
    /// All files by name.
    pub fn finish(mut self) -> BTreeMap<String, Vec<u8>> {
        for ((name, _), bytes) in self.parts {
            self.whole.entry(name).or_default().extend(bytes);
        }
        self.whole
    }
}

impl Output for Files {
    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.whole.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn append(&mut self, name: &str, part: u8, bytes: &[u8]) -> io::Result<()> {
        let of = self.parts.entry((name.to_owned(), part)).or_default();
        of.extend_from_slice(bytes);
        Ok(())
    }
}

/// A format of many files. Fed item by item in memory that does not grow with their number; the same data gives the same
/// files.
pub trait Writer: Send {
    /// Files that do not depend on items. Called once, first.
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()>;

    /// An item and its labels in drawing order. What cannot be said is counted in `tally`.
    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()>;

    /// Called once, last.
    fn finish(&mut self, out: &mut dyn Output) -> io::Result<()>;

    /// Where a picture lies in the archive.
    fn picture(&self, name: &str) -> String {
        format!("images/{name}")
    }

    /// Where the frame of a video lies; `name` is the video's.
    fn frame(&self, name: &str, frame: u32, media_type: &str) -> String {
        format!(
            "images/{}",
            limn_domain::video::frame_name(name, frame, media_type)
        )
    }
}

/// Why a format cannot hold a project's labels at all: a sentence with the mend. Asked before anything is written.
pub fn refusal(format: ExportFormat, dataset: &Dataset) -> Option<String> {
    match format {
        ExportFormat::Yolo if dataset.task == Task::Keypoints => {
            crate::yolo::one_number_of_keypoints(dataset)
        }
        _ => None,
    }
}

/// The writer of a format; `None` for what does not suit the task, and for COCO, which has [`crate::coco::CocoWriter`].
pub fn writer(format: ExportFormat, dataset: Dataset) -> Option<Box<dyn Writer>> {
    if dataset.task.is_text() {
        return crate::texts::writer(format, dataset);
    }
    Some(match format {
        ExportFormat::Coco | ExportFormat::Conll | ExportFormat::Spacy => return None,
        ExportFormat::Yolo => Box::new(crate::yolo::YoloWriter::new(dataset)),
        ExportFormat::YoloObb => Box::new(crate::yolo::YoloWriter::oriented(dataset)),
        ExportFormat::Voc => Box::new(crate::voc::VocWriter::new(dataset)),
        ExportFormat::Cvat => Box::new(crate::cvat::CvatWriter::new(dataset)),
        ExportFormat::CvatVideo => Box::new(crate::cvat::CvatVideoWriter::new(dataset)),
        ExportFormat::Mot => Box::new(crate::mot::MotWriter::new(dataset)),
        ExportFormat::Labelme => Box::new(crate::labelme::LabelmeWriter::new(dataset)),
        ExportFormat::Csv => Box::new(crate::csv::CsvWriter::new(dataset)),
        ExportFormat::Jsonl => Box::new(crate::jsonl::JsonlWriter::new(dataset)),
        ExportFormat::LabelStudio => Box::new(crate::label_studio::LabelStudioWriter::new(dataset)),
        ExportFormat::CocoCaptions => Box::new(crate::coco::CaptionsWriter::new(dataset)),
        ExportFormat::CocoAzureml => Box::new(crate::coco::AzuremlWriter::new(dataset)),
        ExportFormat::Png => Box::new(crate::png_masks::PngWriter::new(dataset)),
        ExportFormat::CocoPanoptic => Box::new(crate::panoptic::PanopticWriter::new(dataset)),
    })
}

impl Dataset {
    /// Names that tell the categories apart in formats without a tree: of equal ones each gets its parents in front
    /// (`car/wheel`), and if that is not enough its export id behind.
    pub fn names(&self) -> Vec<String> {
        let count = |names: &[String]| {
            let mut seen: HashMap<String, usize> = HashMap::new();
            for name in names {
                *seen.entry(validate::name_key(name)).or_default() += 1;
            }
            seen
        };
        let mut names: Vec<String> = self.categories.iter().map(|c| c.name.clone()).collect();
        let seen = count(&names);
        for (n, name) in names.iter_mut().enumerate() {
            if seen.get(&validate::name_key(name)).is_some_and(|k| *k > 1) {
                *name = self.path(n);
            }
        }
        let seen = count(&names);
        for (name, category) in names.iter_mut().zip(&self.categories) {
            if seen.get(&validate::name_key(name)).is_some_and(|k| *k > 1) {
                *name = format!("{name} {}", category.id);
            }
        }
        names
    }

    fn path(&self, n: usize) -> String {
        let (mut parts, mut at) = (Vec::new(), Some(n));
        while let Some(category) = at.and_then(|n| self.categories.get(n))
            && parts.len() < limn_domain::category::MAX_LEVELS
        {
            parts.push(category.name.as_str());
            at = category.parent;
        }
        parts.reverse();
        parts.join("/")
    }
}

/// `#rrggbb` as red, green, blue; grey for anything else.
pub fn rgb(color: &str) -> [u8; 3] {
    let digits = color.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii());
    let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
    value.map_or([128; 3], |v| [(v >> 16) as u8, (v >> 8) as u8, v as u8])
}
