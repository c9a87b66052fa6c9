//! The own account: name, password, theme, API tokens.

pub mod api;
mod page;
mod password;
mod tokens;

pub use page::AccountPage;
