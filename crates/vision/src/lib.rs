//! What can be seen in a picture without a trained model: regions of a like colour, edges to follow, superpixels, objects
//! cut out of their surroundings.
//!
//! A [`Scene`] holds the pixels of one view of one image and answers the [`Ask`](limn_domain::smart::Ask)s of the smart
//! tools. Plain arithmetic over numbers, compiled for the browser's worker and tested anywhere; it must not know a page, a
//! worker or a network. On the server, what models say of an object is laid on the picture's edges by [`cut::by_odds`].

mod colors;
pub mod cut;
mod edges;
mod flow;
mod grid;
mod picture;
mod region;
mod scene;
pub mod superpixels;
pub mod wand;
pub mod wire;

pub use colors::Colors;
pub use edges::Edges;
pub use flow::Flow;
pub use grid::Grid;
pub use picture::{Lab, Picture};
pub use region::tidied;
pub use scene::{Scene, Unfit};
