//! Aliases of registered models and where they went.

use super::{Models, find, missing};
use crate::authz::require;
use crate::{Actor, Error, Result, audit};
use limn_domain::model::{self, ModelAliasMove, ModelVersion};
use limn_domain::{Action, Code, Timestamp};
use limn_store::repo;
use limn_store::repo::model::version::Which;

/// Moves shown.
const MOVES: i64 = 500;

impl Models {
    /// Points an alias to a version, or removes it. Every move stays in the history.
    pub async fn set_alias(&self, actor: &Actor, name: &str, alias: &str, to: Option<i64>) -> Result<()> {
        require(actor, Action::LogRuns)?;
        model::check_alias(alias).map_err(|e| Error::field("alias", e))?;
        let (name, alias) = (name.to_owned(), alias.to_owned());
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (id, _, _) = repo::model::lock(tx, &name, now)
                        .await?
                        .ok_or_else(|| missing(&name))?;
                    let is = find(tx, &name)
                        .await?
                        .aliases
                        .into_iter()
                        .find(|a| a.name == alias)
                        .map(|a| a.number);
                    let summary = if let Some(number) = to {
                        if repo::model::version::list(tx, Which::Number(&name, number))
                            .await?
                            .is_empty()
                        {
                            return Err(super::version::missing(&name, number));
                        }
                        if is == to {
                            return Ok(());
                        }
                        repo::model::put_alias(tx, id, &alias, number).await?;
                        format!("pointed the alias {alias} of the model “{name}” to version {number}")
                    } else {
                        if !repo::model::delete_alias(tx, id, &alias).await? {
                            return Err(no_alias(&name, &alias));
                        }
                        format!("removed the alias {alias} of the model “{name}”")
                    };
                    let went = ModelAliasMove {
                        name: alias,
                        number: to,
                        by_name: actor.name().to_owned(),
                        at: now,
                    };
                    repo::model::log_alias(tx, id, &went).await?;
                    audit::write(tx, &actor, None, "model.alias", &summary, now).await
                })
            })
            .await
    }

    /// Points an alias back to the version it had before the present one. Answers that version's number.
    pub async fn roll_back(&self, actor: &Actor, name: &str, alias: &str) -> Result<i64> {
        require(actor, Action::LogRuns)?;
        let mut tx = self.0.db.read().await?;
        let is = find(&mut tx, name).await?;
        let now = is.aliases.iter().find(|a| a.name == alias).map(|a| a.number);
        let moves = repo::model::alias_moves(&mut tx, is.id, Some(alias), None, MOVES).await?;
        let there: Vec<i64> = repo::model::version::list(&mut tx, Which::Model(name))
            .await?
            .into_iter()
            .map(|v| v.number)
            .collect();
        drop(tx);
        let before = moves
            .iter()
            .filter_map(|m| m.number)
            .find(|n| Some(*n) != now && there.contains(n))
            .ok_or_else(|| {
                Error::new(
                    Code::WrongState,
                    format!("The alias {alias} has pointed to no other version that is still there."),
                )
            })?;
        self.set_alias(actor, name, alias, Some(before)).await?;
        Ok(before)
    }

    /// The version an alias points to (`latest`: the newest one).
    pub async fn by_alias(&self, actor: &Actor, name: &str, alias: &str) -> Result<ModelVersion> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.0.db.read().await?;
        let is = find(&mut tx, name).await?;
        let number = if alias.eq_ignore_ascii_case("latest") {
            is.latest_number
        } else {
            is.aliases.iter().find(|a| a.name == alias).map(|a| a.number)
        };
        let number = number.ok_or_else(|| no_alias(name, alias))?;
        repo::model::version::list(&mut tx, Which::Number(name, number))
            .await?
            .pop()
            .ok_or_else(|| super::version::missing(name, number))
    }

    /// The number of the version an alias pointed to at a time; none when it did not exist then. The version itself may
    /// be gone by now.
    pub async fn alias_at(
        &self,
        actor: &Actor,
        name: &str,
        alias: &str,
        at: Timestamp,
    ) -> Result<Option<ModelAliasMove>> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.0.db.read().await?;
        let is = find(&mut tx, name).await?;
        let moves = repo::model::alias_moves(&mut tx, is.id, Some(alias), Some(at), 1).await?;
        Ok(moves.into_iter().next().filter(|m| m.number.is_some()))
    }

    /// Where the aliases went, newest first.
    pub async fn alias_moves(&self, actor: &Actor, name: &str) -> Result<Vec<ModelAliasMove>> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.0.db.read().await?;
        let is = find(&mut tx, name).await?;
        Ok(repo::model::alias_moves(&mut tx, is.id, None, None, MOVES).await?)
    }
}

fn no_alias(name: &str, alias: &str) -> Error {
    let shown: String = alias.chars().filter(|c| !c.is_control()).take(60).collect();
    Error::new(
        Code::NotFound,
        format!("The registered model “{name}” has no alias `{shown}`."),
    )
}
