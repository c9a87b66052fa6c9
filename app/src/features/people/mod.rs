//! People and invitations, for admins.

pub mod api;
mod invitations;
mod page;
mod person;

pub use page::PeoplePage;
