//! Which models are as wanted, by what is said of them or of their versions.

use super::{Models, matches_tags};
use crate::authz::require;
use crate::{Actor, Result};
use limn_domain::filter::{self, Clause, Entity, Term};
use limn_domain::model::{FoundModel, ModelsFound, RegisteredModel};
use limn_domain::run::Tags;
use limn_domain::{Action, ModelId};
use limn_store::{Tx, repo};
use std::collections::HashMap;

/// Versions that are named of a model that was found by them.
const VERSIONS: usize = 5;
/// What stands in a filter and seldom in anything else.
const SIGNS: [char; 3] = ['=', '<', '>'];

/// One of the things that all have to be so.
pub(super) enum Wanted {
    Clause(Clause),
    Term(Term),
}

impl Wanted {
    /// Whether the model itself is so.
    fn of_model(&self, m: &RegisteredModel) -> bool {
        let clause = match self {
            Self::Term(term) => return term.is_in_name(&m.name) || term.is_in_tags(&m.tags),
            Self::Clause(clause) => clause,
        };
        match (clause.entity, clause.key.as_str()) {
            (Entity::Tag, _) => matches_tags(&m.tags, clause),
            (Entity::VersionTag, _) | (_, "alias") => false,
            (_, "creation_timestamp") => clause.matches_number(Some((m.created_at.0 / 1000) as f64)),
            (_, "last_updated_timestamp") => clause.matches_number(Some((m.updated_at.0 / 1000) as f64)),
            _ => clause.matches_text(Some(&m.name)),
        }
    }

    /// Whether a version with these tags and aliases is so, which says nothing of the model itself.
    fn of_version(&self, tags: &Tags, aliases: &[&str]) -> bool {
        match self {
            Self::Term(term) => term.is_in_tags(tags) || aliases.iter().any(|a| term.is_in_alias(a)),
            Self::Clause(c) if c.entity == Entity::VersionTag => matches_tags(tags, c),
            Self::Clause(c) if c.entity == Entity::Attribute && c.key == "alias" => {
                aliases.iter().any(|a| c.matches_text(Some(a)))
            }
            Self::Clause(_) => false,
        }
    }

    /// Whether versions have a say in it.
    fn asks_versions(&self) -> bool {
        match self {
            Self::Term(term) => !matches!(term, Term::Name(_)),
            Self::Clause(c) => {
                c.entity == Entity::VersionTag || c.entity == Entity::Attribute && c.key == "alias"
            }
        }
    }
}

/// The models of which all is so, by name. What is not so of a model itself has to be so of one of its versions, all of it of the same.
pub(super) async fn matching(tx: &mut Tx, wanted: &[Wanted]) -> Result<Vec<FoundModel>> {
    let mut of: HashMap<ModelId, Vec<(i64, Tags)>> = HashMap::new();
    if wanted.iter().any(Wanted::asks_versions) {
        for (model, number, tags) in repo::model::version::tags(tx).await? {
            of.entry(model).or_default().push((number, tags));
        }
    }
    let mut found = Vec::new();
    for model in repo::model::list(tx, None).await? {
        let left: Vec<&Wanted> = wanted.iter().filter(|w| !w.of_model(&model)).collect();
        let mut versions = Vec::new();
        if !left.is_empty() {
            for (number, tags) in of.get(&model.id).into_iter().flatten() {
                let own = model.aliases.iter().filter(|a| a.number == *number);
                let aliases: Vec<&str> = own.map(|a| a.name.as_str()).collect();
                if left.iter().all(|w| w.of_version(tags, &aliases)) {
                    versions.push(*number);
                }
            }
            if versions.is_empty() {
                continue;
            }
            versions.truncate(VERSIONS);
        }
        found.push(FoundModel { model, versions });
    }
    Ok(found)
}

impl Models {
    /// What people look for: a filter, or words of which each is a part of the name, a tag of the model or of a version, or an alias
    /// ([`filter::terms`]). At most `limit`, those first that changed last.
    pub async fn find(&self, actor: &Actor, text: &str, limit: usize) -> Result<ModelsFound> {
        require(actor, Action::ViewRuns)?;
        let (wanted, hint) = match filter::MODELS.parse(text) {
            Ok(clauses) => (clauses.into_iter().map(Wanted::Clause).collect(), None),
            Err(why) => {
                let words: Vec<Wanted> = filter::terms(text).into_iter().map(Wanted::Term).collect();
                (words, text.contains(SIGNS).then_some(why))
            }
        };
        let mut rows = matching(&mut self.0.db.read().await?, &wanted).await?;
        rows.sort_by_key(|f| std::cmp::Reverse(f.model.updated_at));
        let total = rows.len() as i64;
        rows.truncate(limit);
        Ok(ModelsFound { rows, total, hint })
    }
}
