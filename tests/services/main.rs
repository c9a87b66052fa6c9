//! The use cases on both databases.
#![allow(clippy::unwrap_used, reason = "tests")]

mod assist;
mod attributes;
mod categories;
mod clean_up;
mod item_explore;
mod item_list;
mod labels;
mod links;
mod models;
mod outlines;
mod pictures;
mod projects;
mod queue;
mod queue_at_once;
mod queue_random;
mod runs;
mod shapes;
mod sign_in;
mod spans;
mod speed;
mod trainings;
mod transfer;
mod users;

use limn_domain::{ApiError, Code};
use limn_services::Error;

/// What the client sees of a refusal.
fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> ApiError {
    result.expect_err("this must be refused").into_api()
}

/// Its code.
fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> Code {
    refusal(result).code
}
