//! The start page: what waits for me, what I worked on, what runs.

pub mod api;
mod page;
mod parts;

pub use page::HomePage;
