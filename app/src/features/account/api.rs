//! Server functions of the account page.

use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::TokenId;
#[cfg(feature = "ssr")]
use limn_domain::dataset::DatasetQuery;
use limn_domain::dataset::DatasetSummary;
use limn_domain::project::ProjectSummary;
use limn_domain::token::{CreatedToken, NewToken, Token};
use limn_domain::user::{ChangePassword, Me};
use server_fn::codec::Json;

#[server(prefix = "/ui", endpoint = "account/rename", input = Json)]
pub async fn rename(name: String) -> Result<Me, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.auth.rename(&actor, &name).await?)
}

#[server(prefix = "/ui", endpoint = "account/password", input = Json)]
pub async fn account_password(input: ChangePassword) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    let epoch = services.auth.change_password(&actor, input).await?;
    crate::context::keep_session(epoch).await
}

#[server(prefix = "/ui", endpoint = "account/tokens", input = Json)]
pub async fn tokens() -> Result<Vec<Token>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.tokens.list(&actor).await?)
}

#[server(prefix = "/ui", endpoint = "account/create_token", input = Json)]
pub async fn create_token(input: NewToken) -> Result<CreatedToken, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.tokens.create(&actor, input).await?)
}

#[server(prefix = "/ui", endpoint = "account/revoke_token", input = Json)]
pub async fn revoke_token(token: TokenId) -> Result<(), AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.tokens.revoke(&actor, token).await?)
}

#[server(prefix = "/ui", endpoint = "account/projects", input = Json)]
pub async fn token_projects() -> Result<Vec<ProjectSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.projects.list(&actor).await?)
}

/// The first of them by name; a token for another one is made over the API.
#[server(prefix = "/ui", endpoint = "account/datasets", input = Json)]
pub async fn token_datasets() -> Result<Vec<DatasetSummary>, AppError> {
    let (services, actor) = crate::context::request()?;
    let query = DatasetQuery {
        limit: Some(200),
        ..DatasetQuery::default()
    };
    Ok(services.datasets.list(&actor, query).await?.rows)
}
