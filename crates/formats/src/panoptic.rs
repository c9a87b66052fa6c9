//! COCO panoptic (cocodataset.org, "Panoptic Segmentation"): a JSON file with the segments of each image, and a PNG for each
//! whose colours are their ids, red + 256 green + 65536 blue. Segments do not overlap: of two labels the higher has the pixels.

mod export;
mod import;

pub use export::PanopticWriter;
pub use import::PanopticReader;

use crate::read::Role;

/// The role of a file; in lower case.
pub(crate) fn role(path: &str, extension: &str) -> Option<Role> {
    match extension {
        "json" => Some(Role::Table),
        "png" if path.contains("panoptic") || !crate::png_masks::is_picture(path) => Some(Role::Labels),
        _ => None,
    }
}
