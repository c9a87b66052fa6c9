//! LabelMe (github.com/wkentaro/labelme, file version 5): one JSON file for each picture, beside it.

mod export;
mod import;

pub use export::LabelmeWriter;
pub use import::read;
