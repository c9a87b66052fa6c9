//! CSV (RFC 4180): a line for each label with its box, and its exact shape as JSON where a box does not say it.

mod export;
mod import;
mod records;

pub(crate) use records::Records;

pub use export::CsvWriter;
pub(crate) use export::quoted;
pub(crate) use import::attributes;
pub use import::read;

/// The columns, as written; `attributes` follows where a category has some.
const COLUMNS: &str = "file,width,height,category,kind,x,y,w,h,geometry";
