//! The store on both databases: every repository function, and the schemas side by side.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cancelled;
mod datasets;
mod items;
mod jobs;
mod labels;
mod parity;
mod people;
mod places;
mod projects;
mod queue;
mod upgrade;
