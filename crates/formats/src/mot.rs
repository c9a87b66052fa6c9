//! MOTChallenge (motchallenge.net, "Data format"): for each video a folder with `gt/gt.txt`, a box a line
//! (`frame,id,left,top,width,height,conf,class,visibility`), `seqinfo.ini`, and the frames in `img1/`. Frames, ids and classes
//! count from 1. `gt/labels.txt` names the classes, a name a line, as CVAT and datumaro write it. Coordinates are pixels from 0,
//! as those two have them.

mod export;
mod import;
mod keys;

pub use export::MotWriter;
pub use import::MotReader;

use crate::read::Role;

/// The role of a file; in lower case.
pub(crate) fn role(name: &str, extension: &str) -> Option<Role> {
    match name {
        "gt.txt" => Some(Role::Labels),
        "labels.txt" | "seqinfo.ini" => Some(Role::Table),
        // Detections and public results beside the ground truth.
        "det.txt" => Some(Role::Passed),
        _ => (extension == "txt" && name.starts_with("gt")).then_some(Role::Labels),
    }
}

/// The classes of MOT16 to MOT20, from 1, for files without `labels.txt`.
const CLASSES: [&str; 12] = [
    "pedestrian",
    "person on vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non motorized vehicle",
    "static person",
    "distractor",
    "occluder",
    "occluder on the ground",
    "occluder full",
    "reflection",
];
