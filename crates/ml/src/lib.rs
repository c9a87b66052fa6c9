//! Models that learn from a team's own labels: features of pictures without downloaded weights, heads, what a head is worth,
//! and which items to label next; networks trained from nothing, and networks that people bring (ResNets, MobileNets, ViTs, ONNX). On the CPU; Burn's networks on a graphics processor too,
//! with the feature `gpu`.
//!
//! Pure functions over plain data: every one takes its seed and a [`Stop`] to ask between steps, and gives the same answer
//! for the same input (of networks on a graphics processor, about the same). [`LocalEngine`] and [`LocalTrainer`] are the ports that the services call. Nothing here knows the database, files, jobs or
//! HTTP.

mod average_precision;
pub mod backbone;
mod boxes;
mod cluster;
mod error;
mod features;
mod head;
mod instances;
mod judge;
mod linear;
mod look;
mod marks;
mod masks;
mod nets;
#[cfg(feature = "onnx")]
mod onnx;
mod order;
mod picture;
mod plane;
mod port;
mod principal;
mod processor;
mod rng;
mod safetensors;
mod spans;
mod tagger;
mod train;
mod tree;
mod words;

pub use average_precision::{Found, Precision, Truth, average_precision};
pub use cluster::{Clusters, kmeans};
pub use error::{MlError, Result, Stop};
pub use features::Encoder;
pub use head::{Classes, Examples, Head};
pub use judge::{HOLDOUT_MIN, Judged, Word, passes, temperature, thresholds, verdict};
pub use linear::{Matrix, symmetric_eigen};
pub use look::{LOOK_DIMS, look};
pub use nets::LocalTrainer;
pub use order::{by_cluster, cosine, margin, most_useful};
pub use picture::Picture;
pub use plane::{Things, plane};
pub use port::LocalEngine;
pub use principal::DIMS;
pub use processor::{Opened, Processor};
pub use rng::Rng;
pub use tagger::Tagger;
pub use train::{Example, LABELS_MIN, Task, Trained, train};
pub use tree::Tree;
pub use words::Words;
