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

/// Something a person can do. The first group concerns the studio, the second one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    // studio
    ManagePeople,
    CreateProject,
    SeeServer,
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
    pub const ALL: [Self; 14] = [
        Self::ManagePeople,
        Self::CreateProject,
        Self::SeeServer,
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

    /// Whether the action belongs to a project (judged by the membership's role) or to the studio.
    pub const fn in_project(self) -> bool {
        !matches!(self, Self::ManagePeople | Self::CreateProject | Self::SeeServer)
    }

    /// The action in words, for "you may not ...".
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ManagePeople => "manage people",
            Self::CreateProject => "create projects",
            Self::SeeServer => "see the server's state",
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
/// For an action in a project, `role` is the membership's role, or `Admin` for a studio admin.
pub const fn allowed(role: Role, action: Action) -> bool {
    use Action as A;
    use Role as R;
    match action {
        A::ManagePeople | A::SeeServer => matches!(role, R::Admin),
        A::CreateProject
        | A::ManageItems
        | A::ManageCategories
        | A::ManageProject
        | A::ManageMembers
        | A::ImportData
        | A::DeleteProject => matches!(role, R::Admin | R::Manager),
        A::EditOthersLabels | A::ExportData => matches!(role, R::Admin | R::Manager | R::Reviewer),
        A::Label => matches!(role, R::Admin | R::Manager | R::Reviewer | R::Labeler),
        A::ViewItems | A::ViewProject => true,
    }
}
