//! File names: finding the picture a file means, and names that unpack anywhere.

mod export;
mod index;

pub use export::ExportNames;
pub use index::{Found, NameIndex, stem};
