//! Label Studio's JSON (labelstud.io/guide/export, "JSON"): a list of tasks, each with the results of its annotations.
//! Coordinates are percent of the image; masks are its own packed run lengths.

mod attributes;
mod brush;
mod export;
mod import;

pub use export::LabelStudioWriter;
pub use import::read;
