//! My queue: what there is for me to label, and what I did.

pub mod api;
mod page;

pub use page::QueuePage;
