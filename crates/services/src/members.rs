//! Who works in a project.

use crate::{Actor, Context, Result};
use limn_domain::project::Member;
use limn_domain::user::User;
use limn_domain::{ProjectId, Role, UserId};

#[derive(Clone)]
pub struct Members(pub(crate) Context);

impl Members {
    pub async fn list(&self, actor: &Actor, project: ProjectId) -> Result<Vec<Member>> {
        todo!()
    }
    /// Adds a person or changes the role. `Admin` is no project role.
    pub async fn set(&self, actor: &Actor, project: ProjectId, user: UserId, role: Role) -> Result<Member> {
        todo!()
    }
    /// Removes a person; what they hold returns to the queue, what they labeled stays.
    pub async fn remove(&self, actor: &Actor, project: ProjectId, user: UserId) -> Result<()> {
        todo!()
    }
    /// Enabled people who are not members yet, for the picker.
    pub async fn candidates(&self, actor: &Actor, project: ProjectId) -> Result<Vec<User>> {
        todo!()
    }
}
