//! The `limn` program's parts: configuration, composition, HTTP, command line.
//!
//! The composition root: everything is wired here and nothing here is reusable elsewhere. No use case, no SQL and no
//! role check lives in this crate; handlers call `limn_services`.
#![recursion_limit = "256"]

pub mod app;
pub mod compose;
pub mod config;
pub mod error;
mod front;
mod health;
mod media;
pub mod metrics;
pub mod middleware;
pub mod mlflow;
mod ranges;
pub mod rest;
mod s3;
pub mod session;
pub mod state;

pub mod cli;

pub use app::{build, build_router};
pub use config::Config;
