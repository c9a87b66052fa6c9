//! What a dataset holds, as figures: of tables all rows, of images and documents every file, in bounded memory.
//!
//! States merge: of the profile of each file comes that of all of them, so a new version of a dataset profiles only its new
//! files. Exact while the distinct values are few, sketched with a stated error beyond. This crate must not know a
//! database, HTTP or async; pictures are decoded elsewhere and come here as pixels.

mod alerts;
mod chance;
mod column;
mod correlate;
mod dataset;
mod drift;
mod figures;
mod finish;
mod hash;
mod html;
mod hugging_face;
mod images;
mod numbers;
pub mod read;
pub mod show;
pub mod sketch;
mod store;
mod table;
mod text;
mod texts;
mod value;
mod when;

pub use alerts::percent;
pub use dataset::Dataset;
pub use drift::table_drift;
pub use html::{report, scope};
pub use hugging_face::statistics;
pub use images::{ImageFigures, ImageRecord, Images, LabeledBox, Measured, measure};
pub use read::{ReadError, ReadOptions, SharedFile, TableFormat, Watch, profile_lines, profile_parquet};
pub use store::{BadState, STATE_FORMAT};
pub use table::TableState;
pub use texts::{Documents, TextFigures, TextRecord, measure_text};
pub use value::Cell;
pub use when::written as written_time;
