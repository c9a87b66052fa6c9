//! COCO JSON.

mod azureml;
pub mod captions;
mod export;
mod extras;
mod ids;
mod import;
mod naming;
mod options;
mod record;
mod resolve;
mod shapes;

pub use azureml::AzuremlWriter;
pub use captions::CaptionsWriter;
pub use export::{Category, CocoWriter, Image, Info, Label, LabelShape, Written};
pub use import::read;
pub use options::{Coordinates, Options};
