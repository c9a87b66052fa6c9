//! Who may do what: one pure table. `services::authz` enforces it, the pages use it to hide what it forbids.

use serde::{Deserialize, Serialize};

/// A role in the studio (workspace-wide) or in one project (membership).
///
/// A studio Admin may do everything everywhere. Everybody else sees the projects they are members of and acts there in
/// the membership's role; the studio role decides what they may do outside projects (a Manager may create projects).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    Viewer,
    Labeler,
    Reviewer,
    Manager,
    Admin,
}

impl Role {
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::Manager,
        Self::Reviewer,
        Self::Labeler,
        Self::Viewer,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Labeler => "labeler",
            Self::Reviewer => "reviewer",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Labeler => "Labeler",
            Self::Reviewer => "Reviewer",
            Self::Manager => "Manager",
            Self::Admin => "Admin",
        }
    }

    /// One line for the person who picks a role.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Viewer => "Sees projects, items and statistics",
            Self::Labeler => "Labels items from the queue",
            Self::Reviewer => "Labels, and edits what others labeled",
            Self::Manager => "Runs projects: data, categories, members, import and export",
            Self::Admin => "Everything, including people",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|r| r.as_str().eq_ignore_ascii_case(s))
            .ok_or_else(|| format!("`{s}` is not a role; use admin, manager, reviewer, labeler or viewer"))
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something a person can do. The first group concerns the studio, the second one dataset, the third one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    // studio
    ManagePeople,
    CreateProject,
    CreateDataset,
    SeeServer,
    ViewRuns,
    LogRuns,
    DeleteModels,
    PurgeRuns,
    UseDatastores,
    ManageDatastores,
    // dataset
    ViewDataset,
    AddVersions,
    ManageDataset,
    // project
    ViewProject,
    ViewItems,
    ExportData,
    Label,
    EditOthersLabels,
    ManageItems,
    ManageCategories,
    ManageProject,
    ManageMembers,
    ImportData,
    DeleteProject,
}

impl Action {
    pub const ALL: [Self; 24] = [
        Self::ManagePeople,
        Self::CreateProject,
        Self::CreateDataset,
        Self::SeeServer,
        Self::ViewRuns,
        Self::LogRuns,
        Self::DeleteModels,
        Self::PurgeRuns,
        Self::UseDatastores,
        Self::ManageDatastores,
        Self::ViewDataset,
        Self::AddVersions,
        Self::ManageDataset,
        Self::ViewProject,
        Self::ViewItems,
        Self::ExportData,
        Self::Label,
        Self::EditOthersLabels,
        Self::ManageItems,
        Self::ManageCategories,
        Self::ManageProject,
        Self::ManageMembers,
        Self::ImportData,
        Self::DeleteProject,
    ];

    /// Whether the action belongs to a project, and is judged by the membership's role in it.
    pub const fn in_project(self) -> bool {
        !matches!(
            self,
            Self::ManagePeople
                | Self::CreateProject
                | Self::CreateDataset
                | Self::SeeServer
                | Self::ViewRuns
                | Self::LogRuns
                | Self::DeleteModels
                | Self::PurgeRuns
                | Self::UseDatastores
                | Self::ManageDatastores
        ) && !self.in_dataset()
    }

    /// Whether the action belongs to a dataset, and is judged by the membership's role in it.
    pub const fn in_dataset(self) -> bool {
        matches!(self, Self::ViewDataset | Self::AddVersions | Self::ManageDataset)
    }

    /// The action in words, for "you may not ...".
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ManagePeople => "manage people",
            Self::CreateProject => "create projects",
            Self::CreateDataset => "create datasets",
            Self::ViewDataset => "see this dataset",
            Self::AddVersions => "register versions of this dataset",
            Self::ManageDataset => "change this dataset's settings",
            Self::SeeServer => "see the server's state",
            Self::ViewRuns => "see experiments, runs and models",
            Self::LogRuns => "log runs and register models",
            Self::DeleteModels => "delete registered models",
            Self::PurgeRuns => "delete runs and experiments for good",
            Self::UseDatastores => "use datastores",
            Self::ManageDatastores => "set up datastores",
            Self::ViewProject => "see this project",
            Self::ViewItems => "see this project's items",
            Self::ExportData => "export this project",
            Self::Label => "label in this project",
            Self::EditOthersLabels => "edit what others labeled",
            Self::ManageItems => "add, remove or requeue items",
            Self::ManageCategories => "change categories",
            Self::ManageProject => "change this project's settings",
            Self::ManageMembers => "manage this project's members",
            Self::ImportData => "import into this project",
            Self::DeleteProject => "delete this project",
        }
    }
}

/// The table: may somebody in `role` do `action`?
///
/// For an action in a project or dataset, `role` is the membership's role, or `Admin` for a studio admin; of a dataset that
/// the whole studio may read, `Viewer` for everybody else.
pub const fn allowed(role: Role, action: Action) -> bool {
    use Action as A;
    use Role as R;
    match action {
        A::ManagePeople | A::SeeServer | A::PurgeRuns | A::ManageDatastores => matches!(role, R::Admin),
        A::CreateProject
        | A::CreateDataset
        | A::DeleteModels
        | A::UseDatastores
        | A::AddVersions
        | A::ManageDataset
        | A::ManageItems
        | A::ManageCategories
        | A::ManageProject
        | A::ManageMembers
        | A::ImportData
        | A::DeleteProject => matches!(role, R::Admin | R::Manager),
        A::EditOthersLabels | A::ExportData => matches!(role, R::Admin | R::Manager | R::Reviewer),
        A::Label => matches!(role, R::Admin | R::Manager | R::Reviewer | R::Labeler),
        A::ViewItems | A::ViewProject | A::ViewDataset | A::ViewRuns | A::LogRuns => true,
    }
}
