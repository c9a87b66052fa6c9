//! Datastores: the list, the connect wizard, and the page of one.

mod acts;
mod api;
mod browse;
mod form;
mod list;
mod new;
mod page;
mod tables;

pub use list::DatastoresPage;
pub use new::NewDatastorePage;
pub use page::DatastorePage;
