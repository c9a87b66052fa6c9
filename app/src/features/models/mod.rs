//! Registered models: the list, one model with its versions and aliases, one version.

mod api;
mod list;
mod page;
mod parts;
mod version;

pub use list::ModelsPage;
pub use page::ModelPage;
pub use version::VersionPage;
