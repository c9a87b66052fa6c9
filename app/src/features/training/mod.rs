//! Training a network on a version of a dataset: the page that starts it. What comes of it is a run's page.

mod api;
mod page;
mod tasks;

pub use page::TrainPage;
