//! The pages, one folder a feature. A feature does not import its siblings.

pub mod account;
pub mod auth;
pub mod datasets;
pub mod datastores;
pub mod experiments;
pub mod gallery;
pub mod home;
pub mod jobs;
pub mod label;
pub mod models;
pub mod people;
pub mod projects;
pub mod queue;
pub mod shell;
pub mod training;
