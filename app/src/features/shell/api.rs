//! Server functions of the frame.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::user::{Me, SignIn};
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

/// Something the palette found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// `project` or `item`.
    pub kind: String,
    pub title: String,
    pub detail: String,
    pub href: String,
}

#[server(prefix = "/ui", endpoint = "shell/search", input = Json)]
pub async fn search(text: String) -> Result<Vec<Found>, AppError> {
    let (services, actor) = crate::context::request()?;
    let hits = services.search.find(&actor, &text).await?;
    Ok(hits
        .into_iter()
        .map(|h| Found {
            kind: h.kind,
            title: h.title,
            detail: h.detail,
            href: h.href,
        })
        .collect())
}

#[server(prefix = "/ui", endpoint = "shell/sign_in_again", input = Json)]
pub async fn sign_in_again(input: SignIn) -> Result<Me, AppError> {
    let services = crate::context::services()?;
    let (me, epoch) = services.auth.sign_in(&crate::context::client(), input).await?;
    crate::context::open_session(&me, epoch).await?;
    Ok(me)
}

#[server(prefix = "/ui", endpoint = "shell/sign_out", input = Json)]
pub async fn sign_out() -> Result<(), AppError> {
    crate::context::close_session().await
}
