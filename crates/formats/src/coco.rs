//! COCO JSON.

mod azureml;
mod export;
mod extras;
mod import;
mod naming;
mod record;
mod resolve;
mod shapes;

pub use azureml::AzuremlWriter;
pub use export::{Category, CocoWriter, Image, Info, Label, LabelShape, Written};
pub use import::{Coordinates, Options, read};
