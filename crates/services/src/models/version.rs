//! Versions of registered models.

use super::{Models, check_tag, matches_tags, page, sorts};
use crate::artifacts::{Owner, Place};
use crate::authz::require;
use crate::experiments::{check_text, no_tag};
use crate::{Actor, Error, Result, audit};
use limn_domain::filter::{self, Clause, Entity};
use limn_domain::model::{self, ModelFile, ModelVersion, NewModelVersion, STAGES};
use limn_domain::run::{ArtifactEntry, ModelUse, Tags, check_path, is_pickle};
use limn_domain::{Action, Code, LoggedModelId, ModelVersionId, Page, RunId};
use limn_store::repo::model::version::{NewRow, Which};
use limn_store::{Tx, repo};

const CURSOR: &str = "model-versions";
const SOURCE_MAX: usize = 2_000;

/// A version to register as the protocol's clients ask for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Register {
    pub name: String,
    /// `models:/m-...`, `runs:/...`, `mlflow-artifacts:/...`; anything else is noted and never opened.
    pub source: String,
    pub run_id: Option<RunId>,
    pub logged_model_id: Option<LoggedModelId>,
    pub dataset_version_id: Option<limn_domain::VersionId>,
    pub run_link: String,
    pub description: String,
    pub tags: Tags,
    /// Whether to create the model when it is not there.
    pub or_create: bool,
}

impl Models {
    /// Registers what a run made as the next version of a model, which is made when it is not there. The version gets the
    /// files in `path` of the run's artifacts, as they are now; what happens to the run's files later changes nothing.
    ///
    /// Errors: `NotFound` for the run; `InvalidInput` when no files lie there, or when the actor may not see the version
    /// of the dataset.
    pub async fn register(&self, actor: &Actor, new: NewModelVersion) -> Result<ModelVersion> {
        let run = new
            .run_id
            .ok_or_else(|| Error::field("run_id", "Name the run that made the model."))?;
        let path = check_path(&new.path).map_err(|e| Error::field("path", e))?;
        let source = if path.is_empty() {
            format!("runs:/{}", run.hex())
        } else {
            format!("runs:/{}/{path}", run.hex())
        };
        let register = Register {
            name: new.name,
            source,
            run_id: Some(run),
            dataset_version_id: new.dataset_version_id,
            description: new.description,
            tags: new.tags,
            or_create: true,
            ..Register::default()
        };
        self.add(actor, register, true).await
    }

    /// Registers a version from a source in the protocol's words.
    pub async fn register_source(&self, actor: &Actor, new: Register) -> Result<ModelVersion> {
        self.add(actor, new, false).await
    }

    async fn add(&self, actor: &Actor, new: Register, needs_files: bool) -> Result<ModelVersion> {
        require(actor, Action::LogRuns)?;
        model::check_name(&new.name).map_err(|e| Error::field("name", e))?;
        check_text("source", "source", &new.source, SOURCE_MAX)?;
        check_text("link", "run_link", &new.run_link, SOURCE_MAX)?;
        check_text(
            "description",
            "description",
            &new.description,
            model::DESCRIPTION_MAX,
        )?;
        for (key, value) in &new.tags {
            check_tag(key, value)?;
        }
        let origin = origin(&new)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut new = new;
                    if repo::model::lock(tx, &new.name, now).await?.is_none() && new.or_create {
                        super::create(tx, &actor, &new.name, "", &Tags::new(), now).await?;
                    }
                    let (model_id, number, _) = repo::model::lock(tx, &new.name, now)
                        .await?
                        .ok_or_else(|| super::missing(&new.name))?;
                    fill(tx, &actor, &mut new).await?;
                    let row = NewRow {
                        id: ModelVersionId::new(),
                        model_id,
                        number,
                        description: new.description,
                        tags: new.tags,
                        source: new.source,
                        run_id: new.run_id,
                        logged_model_id: new.logged_model_id,
                        dataset_version_id: new.dataset_version_id,
                        run_link: new.run_link,
                        by_name: actor.name().to_owned(),
                    };
                    repo::model::use_number(tx, model_id).await?;
                    repo::model::version::insert(tx, &row, now).await?;
                    let mut copied = 0;
                    if let Some(place) = &origin {
                        copied =
                            repo::artifact::copy(tx, place.owner.uuid(), &place.path, row.id.0, now).await?;
                    }
                    if copied == 0 && needs_files {
                        let folder = origin.map_or_else(String::new, |p| p.path);
                        return Err(Error::field(
                            "path",
                            format!("The run has no files in `{folder}`; log them before registering."),
                        ));
                    }
                    let summary = format!("registered version {number} of the model “{}”", new.name);
                    audit::write(tx, &actor, None, "model_version.create", &summary, now).await?;
                    find(tx, &new.name, number).await
                })
            })
            .await
    }

    pub async fn version(&self, actor: &Actor, name: &str, number: i64) -> Result<ModelVersion> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.0.db.read().await?;
        super::find(&mut tx, name).await?;
        find(&mut tx, name, number).await
    }

    /// The versions of a model, the newest first.
    pub async fn versions(&self, actor: &Actor, name: &str) -> Result<Vec<ModelVersion>> {
        require(actor, Action::ViewRuns)?;
        let mut tx = self.0.db.read().await?;
        super::find(&mut tx, name).await?;
        Ok(repo::model::version::list(&mut tx, Which::Model(name)).await?)
    }

    /// The versions that came from a run.
    pub async fn of_run(&self, actor: &Actor, run: RunId) -> Result<Vec<ModelVersion>> {
        require(actor, Action::ViewRuns)?;
        Ok(repo::model::version::list(&mut self.0.db.read().await?, Which::Run(run)).await?)
    }

    /// Versions of all models that match; by name and then the newest first unless `order_by` says otherwise.
    pub async fn search_versions(
        &self,
        actor: &Actor,
        text: &str,
        order_by: &[String],
        limit: i64,
        after: Option<&str>,
    ) -> Result<Page<ModelVersion>> {
        require(actor, Action::ViewRuns)?;
        let clauses = filter::VERSIONS
            .parse(text)
            .map_err(|e| Error::field("filter", e))?;
        let sorts = sorts(&filter::VERSIONS, order_by)?;
        // Clients ask for the versions of one model most of all.
        let name = clauses.iter().find_map(|c| match (&c.value, c.op) {
            (filter::Value::Text(name), filter::Op::Eq)
                if c.entity == Entity::Attribute && c.key == "name" =>
            {
                Some(name)
            }
            _ => None,
        });
        let which = name.map_or(Which::All, |n| Which::Model(n));
        let mut all = repo::model::version::list(&mut self.0.db.read().await?, which).await?;
        all.retain(|v| clauses.iter().all(|c| matches(v, c)));
        all.sort_by(|a, b| a.model_name.cmp(&b.model_name).then(b.number.cmp(&a.number)));
        if sorts.is_empty() {
            all.sort_by_key(|m| std::cmp::Reverse(m.updated_at));
        }
        for sort in sorts.iter().rev() {
            let way = |o: std::cmp::Ordering| if sort.ascending { o } else { o.reverse() };
            all.sort_by(|a, b| {
                way(match sort.key.as_str() {
                    "version_number" => a.number.cmp(&b.number),
                    "creation_timestamp" => a.created_at.cmp(&b.created_at),
                    "last_updated_timestamp" => a.updated_at.cmp(&b.updated_at),
                    _ => a.model_name.cmp(&b.model_name),
                })
            });
        }
        page(CURSOR, all, limit, after)
    }

    pub async fn describe_version(
        &self,
        actor: &Actor,
        name: &str,
        number: i64,
        text: &str,
    ) -> Result<ModelVersion> {
        check_text("description", name, text, model::DESCRIPTION_MAX)?;
        let text = text.to_owned();
        self.change(actor, name, number, move |_| Ok((Some(text), None, None)))
            .await
    }

    /// Sets a tag, or removes it.
    pub async fn set_version_tag(
        &self,
        actor: &Actor,
        name: &str,
        number: i64,
        key: &str,
        value: Option<&str>,
    ) -> Result<ModelVersion> {
        check_tag(key, value.unwrap_or_default())?;
        let (key, value) = (key.to_owned(), value.map(str::to_owned));
        self.change(actor, name, number, move |is| {
            let mut tags = is.tags.clone();
            match value {
                Some(value) => drop(tags.insert(key, value)),
                None if tags.remove(&key).is_some() => {}
                None => return Err(no_tag(&key)),
            }
            Ok((None, Some(tags), None))
        })
        .await
    }

    async fn change<F>(&self, actor: &Actor, name: &str, number: i64, how: F) -> Result<ModelVersion>
    where
        F: FnOnce(&ModelVersion) -> Result<(Option<String>, Option<Tags>, Option<String>)> + Send + 'static,
    {
        require(actor, Action::LogRuns)?;
        let (name, now) = (name.to_owned(), self.0.now());
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    repo::model::lock(tx, &name, now)
                        .await?
                        .ok_or_else(|| super::missing(&name))?;
                    let is = find(tx, &name, number).await?;
                    let (description, tags, stage) = how(&is)?;
                    repo::model::version::update(
                        tx,
                        is.id,
                        description.as_deref(),
                        tags.as_ref(),
                        stage.as_deref(),
                        now,
                    )
                    .await?;
                    find(tx, &name, number).await
                })
            })
            .await
    }

    /// Puts a version into one of the stages of old clients: `None`, `Staging`, `Production`, `Archived`. Staging and
    /// Production are the aliases `staging` and `production` too, so that the history knows them; with `archive` the
    /// others in that stage become Archived.
    pub async fn set_stage(
        &self,
        actor: &Actor,
        name: &str,
        number: i64,
        stage: &str,
        archive: bool,
    ) -> Result<ModelVersion> {
        require(actor, Action::LogRuns)?;
        let stage = STAGES
            .into_iter()
            .find(|s| s.eq_ignore_ascii_case(stage))
            .ok_or_else(|| Error::field("stage", format!("The stages are {}.", STAGES.join(", "))))?;
        let is_live = matches!(stage, "Staging" | "Production");
        if archive && !is_live {
            return Err(Error::field(
                "archive_existing_versions",
                "Only Staging and Production archive what was in them.",
            ));
        }
        let was = self.version(actor, name, number).await?;
        if archive {
            for other in self.versions(actor, name).await? {
                if other.number != number && other.stage == stage {
                    self.change(actor, name, other.number, |_| {
                        Ok((None, None, Some("Archived".to_owned())))
                    })
                    .await?;
                }
            }
        }
        self.change(actor, name, number, move |_| {
            Ok((None, None, Some(stage.to_owned())))
        })
        .await?;
        for live in ["Staging", "Production"] {
            let alias = live.to_lowercase();
            if live == stage {
                self.set_alias(actor, name, &alias, Some(number)).await?;
            } else if was.stage == live && was.aliases.contains(&alias) {
                self.set_alias(actor, name, &alias, None).await?;
            }
        }
        self.version(actor, name, number).await
    }

    /// Deletes a version. Errors: `Conflict` while an alias points to it.
    pub async fn delete_version(&self, actor: &Actor, name: &str, number: i64) -> Result<()> {
        require(actor, Action::DeleteModels)?;
        let name = name.to_owned();
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    repo::model::lock(tx, &name, now).await?.ok_or_else(|| super::missing(&name))?;
                    let is = find(tx, &name, number).await?;
                    if !is.aliases.is_empty() {
                        return Err(Error::new(
                            Code::Conflict,
                            format!(
                                "Version {number} of “{name}” is in use: it is {}. Point the alias to another version, or \
                                 remove it, first.",
                                is.aliases.join(" and ")
                            ),
                        ));
                    }
                    super::unused(tx, &name, Some(number)).await?;
                    repo::model::version::delete(tx, is.id).await?;
                    let summary = format!("deleted version {number} of the model “{name}”");
                    audit::write(tx, &actor, None, "model_version.delete", &summary, now).await
                })
            })
            .await
    }

    /// Where the files of a version are: its own, or, when it was registered before there were any, those of its origin.
    pub async fn place(&self, actor: &Actor, name: &str, number: i64) -> Result<(ModelVersion, Place)> {
        let found = self.version(actor, name, number).await?;
        let own = Place {
            owner: Owner::Version(found.id),
            path: String::new(),
        };
        if found.files > 0 {
            return Ok((found, own));
        }
        let register = Register {
            source: found.source.clone(),
            run_id: found.run_id,
            logged_model_id: found.logged_model_id,
            ..Register::default()
        };
        let place = origin(&register).ok().flatten().unwrap_or(own);
        Ok((found, place))
    }

    /// The files of a version with their digests.
    pub async fn version_files(&self, actor: &Actor, name: &str, number: i64) -> Result<Vec<ModelFile>> {
        let (_, place) = self.place(actor, name, number).await?;
        let mut tx = self.0.db.read().await?;
        let files = repo::artifact::all(&mut tx, place.owner.uuid(), &place.path).await?;
        Ok(files
            .into_iter()
            .map(|f| ModelFile {
                is_pickle: is_pickle(&f.path),
                digest: Some(f.digest),
                entry: ArtifactEntry {
                    path: f.path,
                    is_dir: false,
                    size: f.byte_size,
                },
            })
            .collect())
    }
}

/// Fills in what follows from what is given: the run of a logged model, the data of a run.
async fn fill(tx: &mut Tx, actor: &Actor, new: &mut Register) -> Result<()> {
    if new.logged_model_id.is_none() {
        new.logged_model_id = new
            .source
            .strip_prefix("models:/")
            .and_then(|id| LoggedModelId::parse_tag(id).ok());
    }
    if let Some(id) = new.logged_model_id {
        let logged = crate::logged_models::find(tx, id).await?;
        new.run_id = new.run_id.or(logged.run_id);
    }
    if let Some(run) = new.run_id {
        crate::runs::info(tx, run).await?;
    }
    match (new.dataset_version_id, new.run_id) {
        (Some(version), _) => {
            crate::versions::visible(tx, actor, version, Action::ViewDataset)
                .await
                .map_err(|_| {
                    Error::field(
                        "dataset_version_id",
                        "There is no such version of a dataset, or you may not see it.",
                    )
                })?;
        }
        (None, Some(run)) => {
            let inputs = repo::run::inputs(tx, &[run]).await?;
            let all = inputs.get(&run).map(Vec::as_slice).unwrap_or_default();
            new.dataset_version_id = all.iter().find_map(|i| i.version_id);
        }
        (None, None) => {}
    }
    // Which logged model the run made, where only the run is named.
    if new.logged_model_id.is_none()
        && let Some(run) = new.run_id
        && new.source.is_empty()
    {
        let models = repo::run::models(tx, &[run]).await?;
        let made = models
            .get(&run)
            .and_then(|m| m.iter().find(|m| m.role == ModelUse::Output));
        new.logged_model_id = made.map(|m| m.model_id);
    }
    Ok(())
}

/// The files that a source names, when they are ours.
fn origin(new: &Register) -> Result<Option<Place>> {
    let source = new.source.as_str();
    if let Some(rest) = source.strip_prefix("runs:/") {
        let (run, path) = rest.trim_start_matches('/').split_once('/').unwrap_or((rest, ""));
        let owner = run.parse().map(Owner::Run).map_err(|_| {
            Error::field(
                "source",
                format!("`{source}` names no run; write it as runs:/RUN/PATH."),
            )
        })?;
        let path = check_path(path).map_err(|e| Error::field("source", e))?;
        return Ok(Some(Place { owner, path }));
    }
    if let Some(id) = source
        .strip_prefix("models:/")
        .and_then(|id| LoggedModelId::parse_tag(id).ok())
    {
        return Ok(Some(Place {
            owner: Owner::Model(id),
            path: String::new(),
        }));
    }
    if let Some(rest) = source.strip_prefix("mlflow-artifacts:") {
        // Also with a host, as in mlflow-artifacts://host:80/1/...
        let path = match rest.strip_prefix("//") {
            Some(after) if !after.starts_with('/') => after.split_once('/').map_or("", |(_, p)| p),
            _ => rest,
        };
        return Place::parse(path).map(Some);
    }
    if source.contains("..") {
        return Err(Error::field("source", "A source has no `..` in it."));
    }
    Ok(new.logged_model_id.map(|id| Place {
        owner: Owner::Model(id),
        path: String::new(),
    }))
}

pub(super) async fn find(tx: &mut Tx, name: &str, number: i64) -> Result<ModelVersion> {
    repo::model::version::list(tx, Which::Number(name, number))
        .await?
        .pop()
        .ok_or_else(|| missing(name, number))
}

pub(super) fn missing(name: &str, number: i64) -> Error {
    Error::new(
        Code::NotFound,
        format!("The registered model “{name}” has no version {number}."),
    )
}

fn matches(v: &ModelVersion, clause: &Clause) -> bool {
    let ms = |t: limn_domain::Timestamp| clause.matches_number(Some((t.0 / 1000) as f64));
    match (clause.entity, clause.key.as_str()) {
        (Entity::Tag, _) => matches_tags(&v.tags, clause),
        (_, "version_number") => clause.matches_number(Some(v.number as f64)),
        (_, "creation_timestamp") => ms(v.created_at),
        (_, "last_updated_timestamp") => ms(v.updated_at),
        (_, "run_id") => clause.matches_text(v.run_id.map(RunId::hex).as_deref()),
        (_, "source_path") => clause.matches_text(Some(&v.source)),
        _ => clause.matches_text(Some(&v.model_name)),
    }
}
