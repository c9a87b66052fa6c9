//! The store on both databases: every repository function, and the schemas side by side.

mod jobs;
mod items;
mod parity;
mod people;
mod projects;
mod queue;
