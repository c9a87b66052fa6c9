//! CVAT for images 1.1 and for video 1.1 (docs.cvat.ai, "XML annotation format"): an XML file with the labels in `meta` and an
//! element for each image, or each track of a video.

mod attributes;
mod drawing;
mod export;
mod groups;
mod import;
mod rows;
mod shapes;
mod skeletons;
mod tracks;
mod video;

pub use export::CvatWriter;
pub use import::read;
pub use video::CvatVideoWriter;
