//! Server functions of the people page.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::user::{Invitation, NewInvitation, UpdateUser, User};
use limn_domain::{InvitationId, UserId};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "people/list", input = Json)]
pub async fn people() -> Result<Vec<User>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.users.list(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "people/update", input = Json)]
pub async fn update_person(user: UserId, input: UpdateUser) -> Result<User, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.users.update(&actor, user, input).await?)
}

#[server(prefix = "/ui", endpoint = "people/invitations", input = Json)]
pub async fn invitations() -> Result<Vec<Invitation>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.users.invitations(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "people/invite", input = Json)]
pub async fn invite(input: NewInvitation) -> Result<Invitation, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.users.invite(&actor, input).await?)
}

#[server(prefix = "/ui", endpoint = "people/revoke_invitation", input = Json)]
pub async fn revoke_invitation(invitation: InvitationId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.users.revoke_invitation(&actor, invitation).await?)
}
