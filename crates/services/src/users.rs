//! People and invitations, for admins.

use crate::{Actor, Context, Result};
use limn_domain::user::{Invitation, NewInvitation, NewUser, UpdateUser, User};
use limn_domain::{InvitationId, Role, UserId};

#[derive(Clone)]
pub struct Users(pub(crate) Context);

impl Users {
    pub async fn list(&self, actor: &Actor) -> Result<Vec<User>> {
        todo!()
    }
    /// Creates an account directly (command line, `Actor::System`, or an admin).
    pub async fn create(&self, actor: &Actor, user: NewUser, role: Role) -> Result<User> {
        todo!()
    }
    /// Changes name, role or disabled; disabling ends sessions and tokens at once. The last enabled admin stays one.
    pub async fn update(&self, actor: &Actor, user: UserId, input: UpdateUser) -> Result<User> {
        todo!()
    }
    /// Invitations not accepted yet.
    pub async fn invitations(&self, actor: &Actor) -> Result<Vec<Invitation>> {
        todo!()
    }
    pub async fn invite(&self, actor: &Actor, input: NewInvitation) -> Result<Invitation> {
        todo!()
    }
    pub async fn revoke_invitation(&self, actor: &Actor, invitation: InvitationId) -> Result<()> {
        todo!()
    }
}
