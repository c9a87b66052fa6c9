//! Registered models: names with increasing versions, aliases with a history, tags. Everybody signed in registers;
//! managers delete.

mod alias;
mod found;
mod version;

pub use version::Register;

use crate::authz::require;
use crate::experiments::{check_text, no_tag};
use crate::{Actor, Context, Error, Result, audit, cursor, markdown};
use found::{Wanted, matching};
use limn_domain::filter::{self, Clause};
use limn_domain::model::{self, RegisteredModel};
use limn_domain::run::{Tags, check_key};
use limn_domain::{Action, Code, Page};
use limn_store::{StoreError, Tx, repo};

const CURSOR: &str = "models";
/// The tag by which clients tell prompts, which there are none of, from models.
const PROMPT_TAG: &str = "mlflow.prompt.is_prompt";

#[derive(Clone)]
pub struct Models(pub(crate) Context);

impl Models {
    /// Creates a model without versions. Errors: `AlreadyExists`.
    pub async fn create(
        &self,
        actor: &Actor,
        name: &str,
        description: &str,
        tags: Tags,
    ) -> Result<RegisteredModel> {
        require(actor, Action::LogRuns)?;
        let (name, description) = (name.to_owned(), description.to_owned());
        check(&name, Some(&description), &tags)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    create(tx, &actor, &name, &description, &tags, now).await?;
                    find(tx, &name).await
                })
            })
            .await
    }

    pub async fn get(&self, actor: &Actor, name: &str) -> Result<RegisteredModel> {
        require(actor, Action::ViewRuns)?;
        let mut found = find(&mut self.0.db.read().await?, name).await?;
        let text = found.description.clone();
        found.description_html = tokio::task::spawn_blocking(move || markdown::to_safe_html(&text))
            .await
            .map_err(anyhow::Error::from)?;
        Ok(found)
    }

    /// Models that match, by name unless `order_by` says otherwise.
    pub async fn search(
        &self,
        actor: &Actor,
        text: &str,
        order_by: &[String],
        limit: i64,
        after: Option<&str>,
    ) -> Result<Page<RegisteredModel>> {
        require(actor, Action::ViewRuns)?;
        let clauses = filter::MODELS
            .parse(text)
            .map_err(|e| Error::field("filter", e))?;
        let sorts = sorts(&filter::MODELS, order_by)?;
        let wanted: Vec<Wanted> = clauses.into_iter().map(Wanted::Clause).collect();
        let found = matching(&mut self.0.db.read().await?, &wanted).await?;
        let mut all: Vec<RegisteredModel> = found.into_iter().map(|f| f.model).collect();
        for sort in sorts.iter().rev() {
            let way = |o: std::cmp::Ordering| if sort.ascending { o } else { o.reverse() };
            all.sort_by(|a, b| {
                way(match sort.key.as_str() {
                    "creation_timestamp" => a.created_at.cmp(&b.created_at),
                    "last_updated_timestamp" => a.updated_at.cmp(&b.updated_at),
                    _ => a.name.cmp(&b.name),
                })
            });
        }
        page(CURSOR, all, limit, after)
    }

    /// Renames a model. Its versions, aliases and their history go along.
    pub async fn rename(&self, actor: &Actor, name: &str, new: &str) -> Result<RegisteredModel> {
        require(actor, Action::LogRuns)?;
        check(new, None, &Tags::new())?;
        let (name, new) = (name.to_owned(), new.to_owned());
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (id, _, _) = repo::model::lock(tx, &name, now)
                        .await?
                        .ok_or_else(|| missing(&name))?;
                    if new != name && !repo::model::list(tx, Some(&new)).await?.is_empty() {
                        return Err(taken(&new));
                    }
                    match repo::model::update(tx, id, Some(&new), None, None).await {
                        Err(StoreError::Unique(_)) => return Err(taken(&new)),
                        other => other?,
                    }
                    let summary = format!("renamed the model “{name}” to “{new}”");
                    audit::write(tx, &actor, None, "model.update", &summary, now).await?;
                    find(tx, &new).await
                })
            })
            .await
    }

    pub async fn describe(&self, actor: &Actor, name: &str, description: &str) -> Result<RegisteredModel> {
        require(actor, Action::LogRuns)?;
        check_text("description", name, description, model::DESCRIPTION_MAX)?;
        let (name, description) = (name.to_owned(), description.to_owned());
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (id, _, _) = repo::model::lock(tx, &name, now)
                        .await?
                        .ok_or_else(|| missing(&name))?;
                    repo::model::update(tx, id, None, Some(&description), None).await?;
                    let summary = format!("changed the description of the model “{name}”");
                    audit::write(tx, &actor, None, "model.update", &summary, now).await?;
                    find(tx, &name).await
                })
            })
            .await
    }

    /// Sets a tag, or removes it.
    pub async fn set_tag(&self, actor: &Actor, name: &str, key: &str, value: Option<&str>) -> Result<()> {
        require(actor, Action::LogRuns)?;
        check_tag(key, value.unwrap_or_default())?;
        let (name, key, value) = (name.to_owned(), key.to_owned(), value.map(str::to_owned));
        let now = self.0.now();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let (id, _, mut tags) = repo::model::lock(tx, &name, now)
                        .await?
                        .ok_or_else(|| missing(&name))?;
                    match value {
                        Some(value) => drop(tags.insert(key, value)),
                        None if tags.remove(&key).is_some() => {}
                        None => return Err(no_tag(&key)),
                    }
                    Ok(repo::model::update(tx, id, None, None, Some(&tags)).await?)
                })
            })
            .await
    }

    /// Deletes a model with its versions. Errors: `Conflict` while aliases say that versions are in use.
    pub async fn delete(&self, actor: &Actor, name: &str) -> Result<()> {
        require(actor, Action::DeleteModels)?;
        let name = name.to_owned();
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (id, _, _) = repo::model::lock(tx, &name, now)
                        .await?
                        .ok_or_else(|| missing(&name))?;
                    let is = find(tx, &name).await?;
                    if !is.aliases.is_empty() {
                        let named: Vec<String> = is
                            .aliases
                            .iter()
                            .map(|a| format!("{} (v{})", a.name, a.number))
                            .collect();
                        return Err(Error::new(
                            Code::Conflict,
                            format!(
                                "The model “{name}” is in use: it has the aliases {}. Remove them first.",
                                named.join(", ")
                            ),
                        ));
                    }
                    unused(tx, &name, None).await?;
                    repo::model::delete(tx, id).await?;
                    let summary = format!("deleted the model “{name}” with {} versions", is.versions);
                    audit::write(tx, &actor, None, "model.delete", &summary, now).await
                })
            })
            .await
    }
}

/// Errors: `Conflict` while a training begins with it, or the assist of a project describes pictures or finds objects by it.
async fn unused(tx: &mut Tx, name: &str, number: Option<i64>) -> Result<()> {
    if repo::training::begun_with(tx, name, number).await? > 0 {
        return Err(Error::new(
            Code::Conflict,
            format!(
                "“{name}” is in use: a training begins with its weights. Wait until it has ended, or cancel it."
            ),
        ));
    }
    let by = repo::assist::described_by(tx, name, number).await?;
    let Some(first) = by.first() else { return Ok(()) };
    let others = match by.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Err(Error::new(
        Code::Conflict,
        format!(
            "“{name}” is in use: the assist of the project “{first}”{others} looks at pictures with it. Choose another there first."
        ),
    ))
}

/// Creates a model within a transaction.
pub(super) async fn create(
    tx: &mut Tx,
    actor: &Actor,
    name: &str,
    description: &str,
    tags: &Tags,
    now: limn_domain::Timestamp,
) -> Result<()> {
    if !repo::model::list(tx, Some(name)).await?.is_empty() {
        return Err(taken(name));
    }
    match repo::model::insert(tx, name, description, tags, actor.user_id(), now).await {
        Err(StoreError::Unique(_)) => return Err(taken(name)),
        other => other?,
    };
    audit::write(
        tx,
        actor,
        None,
        "model.create",
        &format!("registered the model “{name}”"),
        now,
    )
    .await
}

pub(super) async fn find(tx: &mut Tx, name: &str) -> Result<RegisteredModel> {
    repo::model::list(tx, Some(name))
        .await?
        .pop()
        .ok_or_else(|| missing(name))
}

pub(super) fn missing(name: &str) -> Error {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    Error::new(
        Code::NotFound,
        format!("There is no registered model named “{shown}”."),
    )
}

fn taken(name: &str) -> Error {
    Error::new(
        Code::AlreadyExists,
        format!("The registered model “{name}” exists already; use another name."),
    )
}

fn check(name: &str, description: Option<&str>, tags: &Tags) -> Result<()> {
    model::check_name(name).map_err(|e| Error::field("name", e))?;
    if let Some(text) = description {
        check_text("description", name, text, model::DESCRIPTION_MAX)?;
    }
    for (key, value) in tags {
        check_tag(key, value)?;
    }
    Ok(())
}

pub(super) fn check_tag(key: &str, value: &str) -> Result<()> {
    check_key("tag", key).map_err(|e| Error::field("key", e))?;
    check_text("tag", key, value, model::TAG_MAX)
}

pub(super) fn sorts(grammar: &filter::Grammar, order_by: &[String]) -> Result<Vec<filter::Sort>> {
    if order_by.len() > 10 {
        return Err(Error::field("order_by", "Sort by at most 10 things."));
    }
    order_by
        .iter()
        .map(|o| grammar.sort(o).map_err(|e| Error::field("order_by", e)))
        .collect()
}

/// Whether tags satisfy a clause. What has no such tag is no prompt.
pub(super) fn matches_tags(tags: &Tags, clause: &Clause) -> bool {
    let value = tags.get(&clause.key).map(String::as_str);
    if value.is_none() && clause.key == PROMPT_TAG {
        return clause.matches_text(Some("false"));
    }
    clause.matches_text(value)
}

/// A page of what was found.
pub(super) fn page<T>(tag: &str, all: Vec<T>, limit: i64, after: Option<&str>) -> Result<Page<T>> {
    if !(1..=200_000).contains(&limit) {
        return Err(Error::field("max_results", "A page has 1 to 200000 entries."));
    }
    let offset = match after {
        Some(text) => cursor::number(&cursor::decode(tag, text)?)?.max(0),
        None => 0,
    };
    let total = all.len() as i64;
    let end = offset.saturating_add(limit);
    let next = (end < total).then(|| cursor::encode(tag, &end.to_string()));
    let rows = all
        .into_iter()
        .skip(offset as usize)
        .take(limit as usize)
        .collect();
    Ok(Page {
        rows,
        next,
        total: Some(total),
    })
}
