//! YOLO as Ultralytics writes and trains on it (docs.ultralytics.com/datasets/detect, /segment, /pose and /obb): a text file for each
//! picture, a line for each label with the class's number from 0 and coordinates as shares of the image, and `data.yaml`
//! with the names of the classes.

mod export;
mod import;
mod names;
mod pose;

pub use export::YoloWriter;
pub use import::YoloReader;
pub(crate) use pose::one_number_of_keypoints;

use crate::read::Role;

/// The role of a file; all in lower case.
pub(crate) fn role(path: &str, name: &str, extension: &str) -> Option<Role> {
    // Below labels/<split>/ lies what belongs to a picture, whatever its name.
    let of_a_picture = ["labels/train/", "labels/val/", "labels/test/"]
        .iter()
        .any(|f| path.contains(f));
    let named = !of_a_picture && matches!(name, "classes.txt" | "obj.names" | "predefined_classes.txt");
    match extension {
        _ if named => Some(Role::Table),
        "yaml" | "yml" => Some(Role::Table),
        // Lists of pictures, as Darknet and older Ultralytics sets have them.
        "txt"
            if matches!(name, "train.txt" | "val.txt" | "valid.txt" | "test.txt")
                && !path.contains("labels/") =>
        {
            Some(Role::Passed)
        }
        "txt" if name.starts_with("readme") => Some(Role::Passed),
        "txt" => Some(Role::Labels),
        "data" | "cache" => Some(Role::Passed),
        _ => None,
    }
}
