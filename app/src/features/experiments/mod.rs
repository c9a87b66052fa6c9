//! Experiments and runs: the list, the table of runs, one run, several side by side.

mod api;
mod charts;
mod code;
mod columns;
mod compare;
mod files;
mod groups;
mod list;
mod metrics;
mod overview;
mod parallel;
mod parts;
mod run;
mod runs;
mod trained;
mod url;

pub use charts::{ChartsTab, SystemTab};
pub use compare::ComparePage;
pub use files::FilesTab;
pub use list::ExperimentsPage;
pub use overview::OverviewTab;
pub use run::RunLayout;
pub use runs::RunsPage;
