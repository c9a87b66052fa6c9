//! What the readers have in common: which files of an upload are whose, and one way to read them all.

mod limited;
mod lines;

use crate::error::FormatError;
use crate::findings::Findings;
use crate::model::Imported;
use limn_domain::ShapeKind;
use limn_domain::import::ImportFormat;
use limn_domain::project::Task;
use std::io::Read;

pub(crate) use limited::{bytes, text};
pub(crate) use lines::Lines;

/// What a file is to an import of some format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Becomes an item.
    Picture,
    /// Becomes an item of frames.
    Video,
    /// Holds labels.
    Labels,
    /// Says what the files of labels mean (names of classes); read before them.
    Table,
    /// Belongs to the format and says nothing that is imported.
    Passed,
}

/// The role of a file by its path, without case; `None` for what the format does not know. Pictures are the caller's
/// to recognise, except where a format keeps labels in pictures.
pub fn role(format: ImportFormat, path: &str) -> Option<Role> {
    let path = path.to_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    match format {
        ImportFormat::Coco => (extension == "json").then_some(Role::Labels),
        ImportFormat::Yolo | ImportFormat::YoloObb => crate::yolo::role(&path, name, extension),
        ImportFormat::Voc => crate::voc::role(&path, extension),
        ImportFormat::Cvat => (extension == "xml").then_some(Role::Labels),
        ImportFormat::Mot => crate::mot::role(name, extension),
        ImportFormat::Png => crate::png_masks::role(&path, name, extension),
        ImportFormat::CocoPanoptic => crate::panoptic::role(&path, extension),
        ImportFormat::Labelme | ImportFormat::LabelStudio => (extension == "json").then_some(Role::Labels),
        ImportFormat::Csv => matches!(extension, "csv" | "tsv").then_some(Role::Labels),
        ImportFormat::Jsonl => crate::jsonl::role(name, extension),
        ImportFormat::Conll | ImportFormat::Spacy | ImportFormat::Images => None,
    }
}

/// Reads the files of one import, one after another: tables first.
pub trait Reader: Send {
    /// A file that says what others mean.
    fn table(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<(), FormatError> {
        let _ = (path, reader, findings);
        Ok(())
    }

    /// What the tables alone say: categories to have in this order. Asked once, between tables and labels.
    fn begin(&mut self) -> Imported {
        Imported::default()
    }

    /// A file of labels. `path` is its own, in the upload.
    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError>;

    /// All files were read: says what was announced and did not come.
    fn finish(&mut self, findings: &mut Findings) {
        let _ = findings;
    }
}

/// The reader of a format, for a project's task: its labels' kinds are looked for.
pub fn reader(format: ImportFormat, task: Task) -> Box<dyn Reader> {
    match format {
        ImportFormat::Yolo => Box::new(crate::yolo::YoloReader::new(task.allows(ShapeKind::Keypoints))),
        ImportFormat::YoloObb => Box::new(crate::yolo::YoloReader::oriented()),
        ImportFormat::Voc => Box::new(Plain(|path, reader, findings| {
            let base = path.rsplit('/').next().unwrap_or(path);
            crate::voc::read(reader, crate::names::stem(base), findings)
        })),
        ImportFormat::Cvat => Box::new(Plain(|_, reader, findings| crate::cvat::read(reader, findings))),
        ImportFormat::Mot => Box::new(crate::mot::MotReader::default()),
        ImportFormat::Labelme => Box::new(Plain(crate::labelme::read)),
        ImportFormat::LabelStudio => Box::new(Plain(crate::label_studio::read)),
        ImportFormat::Csv => Box::new(Plain(|_, reader, findings| crate::csv::read(reader, findings))),
        ImportFormat::Jsonl => Box::new(crate::jsonl::JsonlReader::default()),
        ImportFormat::Png => Box::new(crate::png_masks::PngReader::default()),
        ImportFormat::CocoPanoptic => Box::new(crate::panoptic::PanopticReader::default()),
        ImportFormat::Coco | ImportFormat::Images | ImportFormat::Conll | ImportFormat::Spacy => {
            Box::new(Coco(crate::coco::Options {
                outlines: task.allows(ShapeKind::Polygon) || task.allows(ShapeKind::Mask),
                keypoints: task.allows(ShapeKind::Keypoints),
                turned: task.allows(ShapeKind::RotatedBox),
                ..crate::coco::Options::default()
            }))
        }
    }
}

/// Folders in front of the pictures' names that say nothing, longest first: taken off when all pictures lie there.
pub const fn picture_folders(format: ImportFormat) -> &'static [&'static str] {
    match format {
        ImportFormat::Coco
        | ImportFormat::Cvat
        | ImportFormat::CocoPanoptic
        | ImportFormat::Csv
        | ImportFormat::Jsonl
        | ImportFormat::LabelStudio
        | ImportFormat::Conll
        | ImportFormat::Spacy => &["images/"],
        ImportFormat::Yolo | ImportFormat::YoloObb => &["images/train/", "images/"],
        ImportFormat::Voc => &["JPEGImages/"],
        ImportFormat::Png => &["JPEGImages/", "images/"],
        ImportFormat::Labelme | ImportFormat::Images | ImportFormat::Mot => &[],
    }
}

/// Whether the files of labels are small and many: read together, some hundred at a time.
pub const fn many_files(format: ImportFormat) -> bool {
    matches!(
        format,
        ImportFormat::Yolo | ImportFormat::YoloObb | ImportFormat::Voc | ImportFormat::Labelme
    )
}

struct Coco(crate::coco::Options);

impl Reader for Coco {
    fn labels(
        &mut self,
        _: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        crate::coco::read(reader, &self.0, findings)
    }
}

/// A format whose files stand for themselves.
struct Plain(fn(&str, &mut dyn Read, &mut Findings) -> Result<Imported, FormatError>);

impl Reader for Plain {
    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        (self.0)(path, reader, findings)
    }
}
