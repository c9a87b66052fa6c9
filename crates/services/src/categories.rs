//! A project's categories.

use crate::{Actor, Context, Result};
use limn_domain::category::{Category, CategoryImpact, NewCategory, UpdateCategory};
use limn_domain::{CategoryId, ProjectId};

#[derive(Clone)]
pub struct Categories(pub(crate) Context);

impl Categories {
    /// In tree order: parents before children, siblings by position.
    pub async fn list(&self, actor: &Actor, project: ProjectId) -> Result<Vec<Category>> {
        todo!()
    }
    pub async fn create(&self, actor: &Actor, project: ProjectId, input: NewCategory) -> Result<Category> {
        todo!()
    }
    pub async fn update(
        &self,
        actor: &Actor,
        category: CategoryId,
        input: UpdateCategory,
    ) -> Result<Category> {
        todo!()
    }
    /// What removing or merging it would touch.
    pub async fn impact(&self, actor: &Actor, category: CategoryId) -> Result<CategoryImpact> {
        todo!()
    }
    /// Moves every label to `into` and removes the category.
    pub async fn merge(&self, actor: &Actor, category: CategoryId, into: CategoryId) -> Result<()> {
        todo!()
    }
    /// Removes the category, its descendants and their labels.
    pub async fn remove(&self, actor: &Actor, category: CategoryId) -> Result<()> {
        todo!()
    }
}
