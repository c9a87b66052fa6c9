//! Datasets: what they are called, who may see them, their aliases.

use crate::authz::{bound_dataset, dataset_viewer, is_bound, require, require_in_dataset};
use crate::{Actor, Context, Error, Result, audit, cursor, markdown};
use limn_domain::dataset::{
    self as model, AliasMove, Dataset, DatasetMember, DatasetQuery, DatasetSummary, NewDataset,
    UpdateDataset, Version,
};
use limn_domain::user::User;
use limn_domain::validate::{self, Checks};
use limn_domain::{Action, Code, DatasetId, Page, Role, Timestamp, UserId, VersionId};
use limn_store::repo::dataset::{ListFilter, NewRow};
use limn_store::repo::version::Which;
use limn_store::{StoreError, Tx, repo};

const LIMIT_DEFAULT: i64 = 60;
const LIMIT_MAX: i64 = 200;
const CURSOR: &str = "datasets";
/// Moves of aliases shown.
const MOVES: i64 = 200;

#[derive(Clone)]
pub struct Datasets(pub(crate) Context);

impl Datasets {
    /// Those the actor may see, latest change first.
    pub async fn list(&self, actor: &Actor, query: DatasetQuery) -> Result<Page<DatasetSummary>> {
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
        let after = query.cursor.as_deref().map(after).transpose()?;
        let text = query.text.as_deref().map(str::trim).filter(|t| !t.is_empty());
        if text
            .or(query.tag.as_deref())
            .is_some_and(|t| t.len() > 500 || t.contains('\0'))
        {
            return Err(Error::field("text", "Look for at most 500 characters."));
        }
        let member = dataset_viewer(actor)?;
        let only = bound_dataset(actor);
        // A token of one project sees no datasets.
        if is_bound(actor) && only.is_none() {
            return Ok(Page::default());
        }
        let filter = ListFilter {
            member,
            only,
            text,
            kind: query.kind,
            tag: query.tag.as_deref().filter(|t| !t.is_empty()),
            after,
            limit: limit + 1,
        };
        let mut rows = repo::dataset::list(&mut self.0.db.read().await?, &filter).await?;
        let more = rows.len() as i64 > limit;
        rows.truncate(limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|d| cursor::encode(CURSOR, &format!("{}.{}", d.updated_at.0, d.id)));
        Ok(Page {
            rows,
            next,
            total: None,
        })
    }

    pub async fn get(&self, actor: &Actor, dataset: DatasetId) -> Result<Dataset> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, dataset).await?;
        rendered(tx, found).await
    }

    /// By id, or by name regardless of case.
    pub async fn find(&self, actor: &Actor, id_or_name: &str) -> Result<Dataset> {
        dataset_viewer(actor)?;
        let mut tx = self.0.db.read().await?;
        let text = id_or_name.trim();
        let named = match validate::name("dataset", text) {
            Ok(name) => repo::dataset::id_by_name(&mut tx, &name).await?,
            Err(_) => None,
        };
        let id = named
            .or_else(|| text.parse().ok())
            .ok_or_else(|| Error::not_found("dataset"))?;
        let found = visible(&mut tx, actor, id).await?;
        rendered(tx, found).await
    }

    /// Creates a dataset without versions; the creator becomes its manager.
    pub async fn create(&self, actor: &Actor, input: NewDataset) -> Result<Dataset> {
        require(actor, Action::CreateDataset)?;
        let mut checks = Checks::default();
        let name = checks.take("name", validate::name("dataset", &input.name));
        let (tags, licence) = texts(&mut checks, &input.description, &input.tags, &input.licence);
        checks.finish()?;
        let row = NewRow {
            id: DatasetId::new(),
            name: name.unwrap_or_default(),
            kind: input.kind,
            description: input.description,
            tags,
            licence,
            visibility: input.visibility,
            created_by: actor.user_id(),
        };
        let (actor, now) = (actor.clone(), self.0.now());
        let made = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    insert(tx, &row, now).await?;
                    let summary = format!("created the dataset “{}”", row.name);
                    audit::write(tx, &actor, None, "dataset.create", &summary, now).await?;
                    visible(tx, &actor, row.id).await
                })
            })
            .await?;
        rendered(self.0.db.read().await?, made).await
    }

    pub async fn update(&self, actor: &Actor, dataset: DatasetId, input: UpdateDataset) -> Result<Dataset> {
        let (actor, now) = (actor.clone(), self.0.now());
        let is = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &actor, Action::ManageDataset, dataset).await?;
                    repo::dataset::lock(tx, dataset, now).await?;
                    let mut is = visible(tx, &actor, dataset).await?;
                    let was = is.clone();
                    let mut checks = Checks::default();
                    if let Some(name) = &input.name {
                        is.name = checks
                            .take("name", validate::name("dataset", name))
                            .unwrap_or_default();
                    }
                    is.description = input.description.unwrap_or(is.description);
                    is.tags = input.tags.unwrap_or(is.tags);
                    is.licence = input.licence.unwrap_or(is.licence);
                    is.visibility = input.visibility.unwrap_or(is.visibility);
                    (is.tags, is.licence) = texts(&mut checks, &is.description, &is.tags, &is.licence);
                    checks.finish()?;
                    if repo::dataset::id_by_name(tx, &is.name)
                        .await?
                        .is_some_and(|other| other != dataset)
                    {
                        return Err(name_taken(&is.name));
                    }
                    match repo::dataset::update(tx, &is, now).await {
                        Err(StoreError::Unique(_)) => return Err(name_taken(&is.name)),
                        other => other?,
                    }
                    if let Some(summary) = changes(&was, &is) {
                        audit::write(tx, &actor, None, "dataset.update", &summary, now).await?;
                    }
                    visible(tx, &actor, dataset).await
                })
            })
            .await?;
        rendered(self.0.db.read().await?, is).await
    }

    /// Deletes the dataset with its versions; files that nothing uses any more go by clean-up. While projects take files
    /// from it that is refused, unless `even_if_used`: their items stay, and their refreshes say what became of it.
    pub async fn delete(&self, actor: &Actor, dataset: DatasetId, even_if_used: bool) -> Result<()> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &actor, Action::ManageDataset, dataset).await?;
                    let was = visible(tx, &actor, dataset).await?;
                    let projects = repo::source::projects_of_dataset(tx, dataset).await?;
                    if projects > 0 && !even_if_used {
                        let take = if projects == 1 {
                            "1 project takes".to_owned()
                        } else {
                            format!("{projects} projects take")
                        };
                        return Err(Error::new(
                            Code::WrongState,
                            format!(
                                "{take} files from “{}”. Remove it from their sources first, or delete it with \
                                 `even_if_used`: their items stay.",
                                was.name
                            ),
                        ));
                    }
                    repo::source::outlive_dataset(tx, dataset, &was.name).await?;
                    repo::dataset::delete(tx, dataset).await?;
                    let summary = format!("deleted the dataset “{}”", was.name);
                    audit::write(tx, &actor, None, "dataset.delete", &summary, now).await
                })
            })
            .await
    }

    /// By name.
    pub async fn members(&self, actor: &Actor, dataset: DatasetId) -> Result<Vec<DatasetMember>> {
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await?;
        Ok(repo::dataset::members(&mut tx, dataset).await?)
    }

    /// Enabled people who are not members yet, for the picker.
    pub async fn candidates(&self, actor: &Actor, dataset: DatasetId) -> Result<Vec<User>> {
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ManageDataset, dataset).await?;
        Ok(repo::dataset::candidates(&mut tx, dataset).await?)
    }

    /// Adds a person or changes the role: manager or viewer.
    pub async fn set_member(
        &self,
        actor: &Actor,
        dataset: DatasetId,
        user: UserId,
        role: Role,
    ) -> Result<DatasetMember> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &actor, Action::ManageDataset, dataset).await?;
                    if !model::ROLES.contains(&role) {
                        return Err(Error::field(
                            "role",
                            "A member of a dataset is a manager or a viewer.",
                        ));
                    }
                    let person = repo::user::get(tx, user)
                        .await?
                        .ok_or_else(|| Error::not_found("person"))?;
                    let was = repo::dataset::access(tx, dataset, user).await?.and_then(|a| a.0);
                    if was.is_none() && person.disabled {
                        let why = format!(
                            "The account of {} is disabled; ask an admin to enable it first.",
                            person.name
                        );
                        return Err(Error::field("user_id", why));
                    }
                    repo::dataset::put_member(tx, dataset, user, role, now).await?;
                    if was != Some(role) {
                        let name = visible(tx, &Actor::System, dataset).await?.name;
                        let summary =
                            format!("made {} {} of the dataset “{name}”", person.name, role.label());
                        audit::write(tx, &actor, None, "dataset.member", &summary, now).await?;
                    }
                    let members = repo::dataset::members(tx, dataset).await?;
                    members
                        .into_iter()
                        .find(|m| m.user_id == user)
                        .ok_or_else(|| Error::not_found("member"))
                })
            })
            .await
    }

    pub async fn remove_member(&self, actor: &Actor, dataset: DatasetId, user: UserId) -> Result<()> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &actor, Action::ManageDataset, dataset).await?;
                    if !repo::dataset::delete_member(tx, dataset, user).await? {
                        return Err(Error::not_found("member"));
                    }
                    let person = repo::user::get(tx, user)
                        .await?
                        .map_or_else(|| "somebody".to_owned(), |u| u.name);
                    let name = visible(tx, &Actor::System, dataset).await?.name;
                    let summary = format!("removed {person} from the dataset “{name}”");
                    audit::write(tx, &actor, None, "dataset.member", &summary, now).await
                })
            })
            .await
    }

    /// Points an alias to a version of the dataset, or removes it.
    pub async fn set_alias(
        &self,
        actor: &Actor,
        dataset: DatasetId,
        alias: &str,
        to: Option<VersionId>,
    ) -> Result<Vec<Version>> {
        let alias = model::check_alias(alias).map_err(|e| Error::field("alias", e));
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in_dataset(tx, &actor, Action::AddVersions, dataset).await?;
                    let alias = alias?;
                    repo::dataset::lock(tx, dataset, now).await?;
                    let dataset_name = visible(tx, &Actor::System, dataset).await?.name;
                    let (number, summary) = if let Some(id) = to {
                        let version = repo::version::list(tx, dataset, Which::Id(id))
                            .await?
                            .pop()
                            .ok_or_else(|| Error::not_found("version"))?;
                        if version.aliases.contains(&alias) {
                            return Ok(repo::version::list(tx, dataset, Which::All).await?);
                        }
                        repo::dataset::put_alias(tx, dataset, &alias, id).await?;
                        let n = version.number;
                        (
                            Some(n),
                            format!(
                                "pointed the alias {alias} of the dataset “{dataset_name}” to version {n}"
                            ),
                        )
                    } else {
                        if !repo::dataset::delete_alias(tx, dataset, &alias).await? {
                            return Err(Error::not_found("alias"));
                        }
                        (
                            None,
                            format!("removed the alias {alias} of the dataset “{dataset_name}”"),
                        )
                    };
                    let went = AliasMove {
                        name: alias,
                        number,
                        by_name: actor.name().to_owned(),
                        at: now,
                    };
                    repo::dataset::log_alias(tx, dataset, &went).await?;
                    audit::write(tx, &actor, None, "dataset.alias", &summary, now).await?;
                    Ok(repo::version::list(tx, dataset, Which::All).await?)
                })
            })
            .await
    }

    /// Where the aliases went, newest first.
    pub async fn alias_moves(&self, actor: &Actor, dataset: DatasetId) -> Result<Vec<AliasMove>> {
        let mut tx = self.0.db.read().await?;
        require_in_dataset(&mut tx, actor, Action::ViewDataset, dataset).await?;
        Ok(repo::dataset::alias_moves(&mut tx, dataset, MOVES).await?)
    }
}

/// Writes a dataset that was checked; its creator becomes its manager.
pub(crate) async fn insert(tx: &mut Tx, row: &NewRow, now: Timestamp) -> Result<()> {
    if repo::dataset::id_by_name(tx, &row.name).await?.is_some() {
        return Err(name_taken(&row.name));
    }
    match repo::dataset::insert(tx, row, now).await {
        Err(StoreError::Unique(_)) => return Err(name_taken(&row.name)),
        other => other?,
    }
    if let Some(user) = row.created_by {
        repo::dataset::put_member(tx, row.id, user, Role::Manager, now).await?;
    }
    Ok(())
}

/// The dataset as the actor sees it.
pub(crate) async fn visible(tx: &mut Tx, actor: &Actor, dataset: DatasetId) -> Result<DatasetSummary> {
    require_in_dataset(tx, actor, Action::ViewDataset, dataset).await?;
    repo::dataset::get(tx, dataset, dataset_viewer(actor)?)
        .await?
        .ok_or_else(|| Error::not_found("dataset"))
}

async fn rendered(mut tx: Tx, summary: DatasetSummary) -> Result<Dataset> {
    let projects = repo::source::projects_of_dataset(&mut tx, summary.id).await?;
    drop(tx);
    let text = summary.description.clone();
    let description_html = tokio::task::spawn_blocking(move || markdown::to_safe_html(&text))
        .await
        .map_err(anyhow::Error::from)?;
    Ok(Dataset {
        summary,
        description_html,
        projects,
    })
}

/// Checks what is said of a dataset; answers tags and licence, tidied.
fn texts(checks: &mut Checks, description: &str, tags: &[String], licence: &str) -> (Vec<String>, String) {
    checks.take(
        "description",
        validate::text("description", description, model::README_MAX),
    );
    let tags = checks.take("tags", model::check_tags(tags)).unwrap_or_default();
    let licence = licence.trim();
    let fine = licence.chars().count() <= model::LICENCE_MAX && !licence.chars().any(char::is_control);
    let checked = if fine {
        Ok(licence.to_owned())
    } else {
        Err(format!(
            "A licence is one line of at most {} characters, such as `CC-BY-4.0`.",
            model::LICENCE_MAX
        ))
    };
    (tags, checks.take("licence", checked).unwrap_or_default())
}

pub(crate) fn name_taken(name: &str) -> Error {
    Error::Api(limn_domain::ApiError {
        code: Code::AlreadyExists,
        ..limn_domain::ApiError::field(
            "name",
            format!("There is a dataset called “{name}” already (case does not count); choose another name."),
        )
    })
}

/// What changed, in words; `None` when nothing did.
fn changes(was: &DatasetSummary, is: &DatasetSummary) -> Option<String> {
    let mut parts = Vec::new();
    if was.name != is.name {
        parts.push(format!("renamed it to “{}”", is.name));
    }
    if was.description != is.description {
        parts.push("changed the description".to_owned());
    }
    if was.tags != is.tags || was.licence != is.licence {
        parts.push("changed tags or licence".to_owned());
    }
    if was.visibility != is.visibility {
        parts.push(
            match is.visibility {
                model::Visibility::Private => "made it private to its members",
                model::Visibility::Studio => "let the whole studio read it",
            }
            .to_owned(),
        );
    }
    (!parts.is_empty()).then(|| format!("changed the dataset “{}”: {}", was.name, parts.join(", ")))
}

fn after(text: &str) -> Result<(Timestamp, DatasetId)> {
    let key = cursor::decode(CURSOR, text)?;
    let (at, id) = key.split_once('.').ok_or_else(cursor::invalid)?;
    Ok((
        Timestamp(cursor::number(at)?),
        id.parse().map_err(|_| cursor::invalid())?,
    ))
}
