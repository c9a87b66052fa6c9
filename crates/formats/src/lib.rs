//! Annotation file formats over `Read` and `Write`: COCO, YOLO, Pascal VOC, CVAT, LabelMe, Label Studio, pictures of
//! masks and segments, CSV and our own JSONL; and for documents JSONL, CoNLL, spaCy and CSV.
//!
//! Files from outside are hostile and sloppy: readers work in bounded memory, take every record they can, and write
//! down what they repaired or left out in [`Findings`], by file, line and record. This crate must not know a database,
//! HTTP, async or the file system: the caller opens files and applies what was read.

mod attributes;
pub mod cifar;
pub mod coco;
pub mod csv;
pub mod cvat;
mod error;
mod findings;
mod fit;
pub mod idx;
mod json;
pub mod jsonl;
pub mod label_studio;
pub mod labelme;
mod model;
pub mod mot;
pub mod names;
pub mod panoptic;
mod pixels;
pub mod png_masks;
pub mod read;
mod skeletons;
pub mod tables;
pub mod texts;
pub mod voc;
pub mod write;
pub mod yolo;

pub use attributes::ImportedAttributes;
pub use error::FormatError;
pub use findings::{Detail, Findings};
pub use fit::{Fit, Placed};
pub use model::{
    Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedLinks, ImportedOutline,
    ImportedShape,
};
