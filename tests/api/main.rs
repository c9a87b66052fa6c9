//! The application over HTTP: requests into its router, on every database there is.
#![allow(clippy::unwrap_used, reason = "tests")]

mod auth;
#[path = "../authz_matrix.rs"]
mod authz_matrix;
mod bodies;
mod direct;
mod headers;
mod hostile;
mod journey;
mod media;
mod mlflow;
mod openapi;
mod origin;
mod processes;
mod program;
mod s3;
mod scale;
mod support;
mod texts;
mod trainings;
mod uploads;
mod videos;
