//! Datasets: the list, new ones, and the pages of one.

mod acts;
mod api;
mod catalogue;
mod compare;
mod consume;
mod explore;
mod files;
mod layout;
mod lineage;
mod list;
mod new;
mod profile;
mod register;
mod settings;
mod shape;
mod source;
mod stored;
mod versions;

pub use catalogue::{OpenDatasetsPage, RecordPage};
pub use compare::CompareTab;
pub use consume::ConsumeTab;
pub use explore::ExploreTab;
pub use files::FilesTab;
pub use layout::DatasetLayout;
pub use lineage::LineageTab;
pub use list::DatasetsPage;
pub use new::NewDatasetPage;
pub use profile::ProfileTab;
pub use settings::SettingsTab;
pub use versions::VersionsTab;
