//! CVAT for images 1.1 (docs.cvat.ai, "XML annotation format"): one XML file with the labels in `meta` and an element for
//! each image.

mod attributes;
mod export;
mod import;
mod rows;
mod shapes;
mod skeletons;

pub use export::CvatWriter;
pub use import::read;
