//! Sign-in, the set-up link, accepting invitations; sessions and tokens becoming actors.

use crate::{Actor, Context, Result};
use limn_domain::UserId;
use limn_domain::user::{ChangePassword, Invitation, Me, NewUser, SignIn};

/// Session key of the signed-in person's id.
pub const SESSION_USER: &str = "user_id";
/// Session key of the epoch at sign-in; a raised epoch ends the session.
pub const SESSION_EPOCH: &str = "epoch";

#[derive(Clone)]
pub struct Auth(pub(crate) Context);

impl Auth {
    /// Whether nobody has an account yet, so that the set-up link is the way in.
    pub async fn needs_setup(&self) -> Result<bool> {
        todo!()
    }
    /// A fresh one-time set-up secret for the start message; `None` when somebody has an account.
    pub async fn new_setup_secret(&self) -> Result<Option<String>> {
        todo!()
    }
    /// Creates the first admin with the set-up secret; answers the person and the session epoch.
    pub async fn set_up(&self, secret: &str, user: NewUser) -> Result<(Me, i64)> {
        todo!()
    }
    /// Checks credentials, slowed down per address and per client; answers the person and the session epoch.
    pub async fn sign_in(&self, client: &str, input: SignIn) -> Result<(Me, i64)> {
        todo!()
    }
    /// The person of a session, `Anonymous` when the session no longer stands.
    pub async fn session_actor(&self, user: UserId, epoch: i64) -> Result<Actor> {
        todo!()
    }
    /// The actor of a bearer token; 401 when unknown, expired, revoked or its owner is disabled.
    pub async fn token_actor(&self, secret: &str) -> Result<Actor> {
        todo!()
    }
    /// Changes the own password and ends all other sessions; answers the new epoch.
    pub async fn change_password(&self, actor: &Actor, input: ChangePassword) -> Result<i64> {
        todo!()
    }
    /// Changes the own display name.
    pub async fn rename(&self, actor: &Actor, name: &str) -> Result<Me> {
        todo!()
    }
    /// What an invitation link offers, without its secret.
    pub async fn invitation(&self, secret: &str) -> Result<Invitation> {
        todo!()
    }
    /// Creates the invited account.
    pub async fn accept_invitation(&self, secret: &str, user: NewUser) -> Result<(Me, i64)> {
        todo!()
    }
}
