//! Background jobs: the list, and one with its log and result.

pub mod api;
mod detail;
mod list;
mod report;
mod result;

pub use detail::JobPage;
pub use list::JobsPage;
