//! Labeling projects.

use crate::{Actor, Context, Result};
use limn_domain::ProjectId;
use limn_domain::project::{NewProject, Project, ProjectSummary, UpdateProject};

#[derive(Clone)]
pub struct Projects(pub(crate) Context);

impl Projects {
    /// Projects the actor is in (all, for an admin), latest change first.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<ProjectSummary>> {
        todo!()
    }
    pub async fn get(&self, actor: &Actor, project: ProjectId) -> Result<Project> {
        todo!()
    }
    /// By id, or by name regardless of case.
    pub async fn find(&self, actor: &Actor, id_or_name: &str) -> Result<Project> {
        todo!()
    }
    /// Creates the project with its categories; the creator becomes its manager.
    pub async fn create(&self, actor: &Actor, input: NewProject) -> Result<Project> {
        todo!()
    }
    pub async fn update(&self, actor: &Actor, project: ProjectId, input: UpdateProject) -> Result<Project> {
        todo!()
    }
    /// Deletes the project with its items, labels and jobs; blobs that nothing uses any more go by clean-up.
    pub async fn delete(&self, actor: &Actor, project: ProjectId) -> Result<()> {
        todo!()
    }
    /// Instructions as sanitised HTML, for previews.
    pub async fn render_markdown(&self, actor: &Actor, text: &str) -> Result<String> {
        todo!()
    }
}
