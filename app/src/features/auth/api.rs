//! Server functions of the ways in.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::user::{Invitation, Me, NewUser, SignIn};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "auth/sign_in", input = Json)]
pub async fn auth_sign_in(input: SignIn) -> Result<Me, AppError> {
    let services = crate::context::services()?;
    let (me, epoch) = services.auth.sign_in(&crate::context::client(), input).await?;
    crate::context::open_session(&me, epoch).await?;
    Ok(me)
}

#[server(prefix = "/ui", endpoint = "auth/needs_setup", input = Json)]
pub async fn needs_setup() -> Result<bool, AppError> {
    Ok(crate::context::services()?.auth.needs_setup().await?)
}

#[server(prefix = "/ui", endpoint = "auth/set_up", input = Json)]
pub async fn set_up(secret: String, user: NewUser) -> Result<Me, AppError> {
    let services = crate::context::services()?;
    let (me, epoch) = services.auth.set_up(&secret, user).await?;
    crate::context::open_session(&me, epoch).await?;
    Ok(me)
}

#[server(prefix = "/ui", endpoint = "auth/invitation", input = Json)]
pub async fn auth_invitation(secret: String) -> Result<Invitation, AppError> {
    Ok(crate::context::services()?.auth.invitation(&secret).await?)
}

#[server(prefix = "/ui", endpoint = "auth/accept_invitation", input = Json)]
pub async fn accept_invitation(secret: String, user: NewUser) -> Result<Me, AppError> {
    let services = crate::context::services()?;
    let (me, epoch) = services.auth.accept_invitation(&secret, user).await?;
    crate::context::open_session(&me, epoch).await?;
    Ok(me)
}
