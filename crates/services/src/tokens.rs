//! API tokens of the actor.

use crate::auth::secret;
use crate::authz::{require_account, role_in, role_in_dataset};
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::token::{CreatedToken, NewToken, Token};
use limn_domain::validate::{self, Checks};
use limn_domain::{Code, TokenId};
use limn_store::repo;

/// Tokens one person may have.
const MAX: usize = 100;
/// Longest life that can be asked for, in days.
const DAYS_MAX: i64 = 3_650;
/// Characters of the secret that stay visible: `limn_` and 6 more.
const PREFIX_LEN: usize = 11;

#[derive(Clone)]
pub struct Tokens(pub(crate) Context);

impl Tokens {
    /// Newest first.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Token>> {
        let me = require_account(actor)?;
        Ok(repo::token::list(&mut self.0.db.read().await?, me.id).await?)
    }

    /// Makes a token; its secret is in the answer and nowhere else.
    pub async fn create(&self, actor: &Actor, input: NewToken) -> Result<CreatedToken> {
        let me = require_account(actor)?.clone();
        let mut checks = Checks::default();
        let name = checks
            .take("name", validate::name("token", &input.name))
            .unwrap_or_default();
        checks.take("expires_in_days", check_days(input.expires_in_days));
        if input.project_id.is_some() && input.dataset_id.is_some() {
            checks.take::<()>(
                "dataset_id",
                Err("A token is for a project or for a dataset, not for both.".to_owned()),
            );
        }
        checks.finish()?;
        let now = self.0.now();
        let secret = secret::new_token();
        let digest = secret::digest(&secret);
        let token = Token {
            id: TokenId::new(),
            name,
            prefix: secret[..PREFIX_LEN].to_owned(),
            scope: input.scope,
            project_id: input.project_id,
            dataset_id: input.dataset_id,
            created_at: now,
            expires_at: input
                .expires_in_days
                .map(|days| now.plus_seconds(days * 24 * 3600)),
            last_used_at: None,
        };
        let s3 = crate::keys::s3(&self.0, token.id).await?;
        let actor = actor.clone();
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(project) = token.project_id
                        && role_in(tx, &actor, project).await?.is_none()
                    {
                        return Err(Error::field(
                            "project_id",
                            "You are in no such project; choose one of the list.",
                        ));
                    }
                    if let Some(dataset) = token.dataset_id
                        && role_in_dataset(tx, &actor, dataset).await?.is_none()
                    {
                        return Err(Error::field(
                            "dataset_id",
                            "You may see no such dataset; choose one of the list.",
                        ));
                    }
                    if repo::token::list(tx, me.id).await?.len() >= MAX {
                        return Err(Error::new(
                            Code::WrongState,
                            format!("You have {MAX} tokens, which is the most; revoke those you do not use."),
                        ));
                    }
                    repo::token::insert(tx, me.id, &token, &digest).await?;
                    let summary = format!("made the API token “{}” ({})", token.name, token.scope.as_str());
                    audit::write(tx, &actor, None, "token.create", &summary, now).await?;
                    Ok(CreatedToken { token, secret, s3 })
                })
            })
            .await
    }

    pub async fn revoke(&self, actor: &Actor, token: TokenId) -> Result<()> {
        let me = require_account(actor)?.clone();
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let name = repo::token::delete(tx, me.id, token)
                        .await?
                        .ok_or_else(|| Error::not_found("token"))?;
                    let summary = format!("revoked the API token “{name}”");
                    audit::write(tx, &actor, None, "token.delete", &summary, now).await
                })
            })
            .await
    }
}

fn check_days(days: Option<i64>) -> Result<(), String> {
    match days {
        Some(days) if !(1..=DAYS_MAX).contains(&days) => Err(format!(
            "A token can last 1 to {DAYS_MAX} days; leave the number out for one without an end."
        )),
        _ => Ok(()),
    }
}
