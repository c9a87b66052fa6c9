//! Projects: the list, the wizard, and the tabs of one project.

#![allow(
    clippy::large_types_passed_by_value,
    reason = "bundles of signal handles are made to be copied"
)]

pub mod api;
mod assist;
mod categories;
mod explore;
mod instructions;
mod items;
mod layout;
mod list;
mod local;
mod markdown;
mod members;
mod new;
mod overview;
mod settings;
mod sources;
mod transfer;

pub use assist::AssistTab;
pub use categories::CategoriesTab;
pub use explore::ExploreTab;
pub use instructions::InstructionsTab;
pub use items::ItemsTab;
pub use items::alike::AlikeTab;
pub use layout::ProjectLayout;
pub use list::ProjectsPage;
pub use members::MembersTab;
pub use new::NewProjectPage;
pub use overview::OverviewTab;
pub use settings::SettingsTab;
pub use sources::SourcesTab;
