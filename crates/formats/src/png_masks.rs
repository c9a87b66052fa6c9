//! Masks as pictures: a PNG for each item whose pixels are numbers of classes, and a table of the classes, in the folders of
//! Pascal VOC's segmentation sets (`SegmentationClass/`, `labelmap.txt`), so that CVAT and datumaro read them too.
//!
//! Semantic: which object a pixel belongs to is lost, and of labels that overlap the higher one wins. 0 is background.

mod export;
mod import;
mod table;

pub use export::PngWriter;
pub use import::PngReader;

use crate::read::Role;

/// Folders that hold pictures and not masks.
const PICTURES: [&str; 12] = [
    "images",
    "image",
    "imgs",
    "img",
    "jpegimages",
    "pictures",
    "photos",
    "leftimg8bit",
    "train",
    "val",
    "test",
    "rgb",
];

/// Whether a path lies in a folder for pictures; in lower case.
pub(crate) fn is_picture(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    // The folder nearest to the file decides.
    folders.rsplit('/').any(|f| PICTURES.contains(&f))
        && !folders
            .split('/')
            .any(|f| f.contains("mask") || f.contains("label") || f.contains("annot") || f.contains("seg"))
}

/// The role of a file; in lower case.
pub(crate) fn role(path: &str, name: &str, extension: &str) -> Option<Role> {
    match (name, extension) {
        ("classes.csv" | "labelmap.txt" | "classes.txt" | "label_colors.txt", _) => Some(Role::Table),
        (_, "png") if path.contains("segmentationobject/") => Some(Role::Passed),
        (_, "png") if !is_picture(path) => Some(Role::Labels),
        (_, "txt") if path.contains("imagesets/") => Some(Role::Passed),
        _ => None,
    }
}
