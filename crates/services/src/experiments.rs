//! Experiments: folders of runs. Everybody signed in sees them and logs to them; admins remove them for good.

use crate::authz::require;
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::run::{self as model, Experiment, ExperimentId, Tags};
use limn_domain::{Action, Code};
use limn_store::repo::experiment::Which;
use limn_store::{StoreError, Tx, repo};

/// The experiment that is there from the beginning.
pub const DEFAULT: ExperimentId = ExperimentId(0);

#[derive(Clone)]
pub struct Experiments(pub(crate) Context);

impl Experiments {
    /// All of them, the newest first, also those in the bin.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Experiment>> {
        require(actor, Action::ViewRuns)?;
        Ok(repo::experiment::list(&mut self.0.db.read().await?, Which::All).await?)
    }

    pub async fn get(&self, actor: &Actor, id: ExperimentId) -> Result<Experiment> {
        require(actor, Action::ViewRuns)?;
        find(&mut self.0.db.read().await?, id).await
    }

    /// By its name, which is told apart by case. Also one in the bin.
    pub async fn by_name(&self, actor: &Actor, name: &str) -> Result<Experiment> {
        require(actor, Action::ViewRuns)?;
        repo::experiment::list(&mut self.0.db.read().await?, Which::Name(name))
            .await?
            .pop()
            .ok_or_else(|| Error::new(Code::NotFound, format!("There is no experiment named “{name}”.")))
    }

    /// Creates an experiment. Errors: `AlreadyExists` when the name is taken, also by one in the bin.
    pub async fn create(&self, actor: &Actor, name: &str, tags: Tags) -> Result<ExperimentId> {
        require(actor, Action::LogRuns)?;
        let name = check_name(name)?;
        check_tags(&tags)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let same = repo::experiment::list(tx, Which::Name(&name)).await?;
                    if let Some(there) = same.first() {
                        return Err(taken(&name, there.deleted_at.is_some()));
                    }
                    let id = match repo::experiment::insert(tx, &name, &tags, actor.user_id(), now).await {
                        Err(StoreError::Unique(_)) => return Err(taken(&name, false)),
                        other => other?,
                    };
                    let summary = format!("created the experiment “{name}”");
                    audit::write(tx, &actor, None, "experiment.create", &summary, now).await?;
                    Ok(id)
                })
            })
            .await
    }

    /// The experiment of this name, made when it is not there. Errors: `WrongState` when it lies in the bin.
    pub async fn ensure(&self, actor: &Actor, name: &str) -> Result<ExperimentId> {
        let there = |e: Experiment| match e.deleted_at {
            None => Ok(e.id),
            Some(_) => Err(Error::new(
                Code::WrongState,
                format!("The experiment “{name}” lies in the bin; restore it first, or use another name."),
            )),
        };
        match self.by_name(actor, name).await {
            Ok(found) => return there(found),
            Err(Error::Api(e)) if e.code == Code::NotFound => {}
            Err(e) => return Err(e),
        }
        match self.create(actor, name, Tags::new()).await {
            // Somebody was faster.
            Err(Error::Api(e)) if e.code == Code::AlreadyExists => there(self.by_name(actor, name).await?),
            other => other,
        }
    }

    pub async fn rename(&self, actor: &Actor, id: ExperimentId, name: &str) -> Result<()> {
        require(actor, Action::LogRuns)?;
        let name = check_name(name)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    active(tx, id, now).await?;
                    let same = repo::experiment::list(tx, Which::Name(&name)).await?;
                    if let Some(other) = same.first().filter(|e| e.id != id) {
                        return Err(taken(&name, other.deleted_at.is_some()));
                    }
                    let was = find(tx, id).await?.name;
                    match repo::experiment::rename(tx, id, &name).await {
                        Err(StoreError::Unique(_)) => return Err(taken(&name, false)),
                        other => other?,
                    }
                    let summary = format!("renamed the experiment “{was}” to “{name}”");
                    audit::write(tx, &actor, None, "experiment.update", &summary, now).await
                })
            })
            .await
    }

    /// Sets a tag, or removes it.
    pub async fn set_tag(
        &self,
        actor: &Actor,
        id: ExperimentId,
        key: &str,
        value: Option<&str>,
    ) -> Result<()> {
        require(actor, Action::LogRuns)?;
        model::check_key("tag", key).map_err(|e| Error::field("key", e))?;
        if let Some(value) = value {
            check_tags(&Tags::from([(key.to_owned(), value.to_owned())]))?;
        }
        let (key, value, now) = (key.to_owned(), value.map(str::to_owned), self.0.now());
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let mut tags = active(tx, id, now).await?;
                    match value {
                        Some(value) => drop(tags.insert(key, value)),
                        None if tags.remove(&key).is_some() => {}
                        None => return Err(no_tag(&key)),
                    }
                    Ok(repo::experiment::set_tags(tx, id, &tags).await?)
                })
            })
            .await
    }

    /// Puts it into the bin with its runs, or takes it out again with those.
    pub async fn set_deleted(&self, actor: &Actor, id: ExperimentId, deleted: bool) -> Result<()> {
        require(actor, Action::LogRuns)?;
        if id == DEFAULT && deleted {
            return Err(Error::new(
                Code::WrongState,
                "The first experiment stays: clients log there unless they are told otherwise.",
            ));
        }
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (_, was) = repo::experiment::lock(tx, id, now)
                        .await?
                        .ok_or_else(|| missing(id))?;
                    if was == deleted {
                        return Err(state(id, was));
                    }
                    repo::experiment::set_deleted(tx, id, deleted.then_some(now)).await?;
                    let name = find(tx, id).await?.name;
                    let (verb, did) = if deleted {
                        ("experiment.delete", "put the experiment “")
                    } else {
                        ("experiment.restore", "took the experiment “")
                    };
                    let where_to = if deleted {
                        "” into the bin"
                    } else {
                        "” out of the bin"
                    };
                    audit::write(tx, &actor, None, verb, &format!("{did}{name}{where_to}"), now).await
                })
            })
            .await
    }

    /// Removes an experiment that lies in the bin for good, with its runs and their files. Errors: `Conflict` while
    /// versions of models name runs of it as their origin.
    pub async fn purge(&self, actor: &Actor, id: ExperimentId) -> Result<()> {
        require(actor, Action::PurgeRuns)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let was = find(tx, id).await?;
                    if was.deleted_at.is_none() {
                        return Err(state(id, false));
                    }
                    let used = repo::model::version::from_origin(tx, None, Some(id)).await?;
                    crate::runs::not_in_use(&format!("the experiment “{}”", was.name), &used)?;
                    repo::experiment::delete(tx, id).await?;
                    let summary = format!("deleted the experiment “{}” for good", was.name);
                    audit::write(tx, &actor, None, "experiment.purge", &summary, now).await
                })
            })
            .await
    }
}

pub(crate) async fn find(tx: &mut Tx, id: ExperimentId) -> Result<Experiment> {
    repo::experiment::list(tx, Which::Id(id))
        .await?
        .pop()
        .ok_or_else(|| missing(id))
}

/// Locks an experiment that is not in the bin; answers its tags.
async fn active(tx: &mut Tx, id: ExperimentId, now: limn_domain::Timestamp) -> Result<Tags> {
    match repo::experiment::lock(tx, id, now).await? {
        Some((tags, false)) => Ok(tags),
        Some((_, true)) => Err(state(id, true)),
        None => Err(missing(id)),
    }
}

pub(crate) fn missing(id: ExperimentId) -> Error {
    Error::new(
        Code::NotFound,
        format!("There is no experiment with the id {id}."),
    )
}

pub(crate) fn state(id: ExperimentId, deleted: bool) -> Error {
    let what = if deleted {
        "lies in the bin; restore it first."
    } else {
        "is not in the bin; delete it first."
    };
    Error::new(Code::WrongState, format!("The experiment {id} {what}"))
}

fn taken(name: &str, in_bin: bool) -> Error {
    let mend = if in_bin {
        "lies in the bin; restore it, delete it for good, or use another name."
    } else {
        "exists already; use another name."
    };
    Error::new(Code::AlreadyExists, format!("The experiment “{name}” {mend}"))
}

pub(crate) fn no_tag(key: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no tag `{key}`."))
}

fn check_name(name: &str) -> Result<String> {
    let good = !name.trim().is_empty()
        && name.len() <= model::EXPERIMENT_NAME_MAX
        && !name.chars().any(char::is_control);
    if good {
        Ok(name.to_owned())
    } else {
        Err(Error::field(
            "name",
            format!(
                "An experiment's name has 1 to {} bytes and no control characters.",
                model::EXPERIMENT_NAME_MAX
            ),
        ))
    }
}

fn check_tags(tags: &Tags) -> Result<()> {
    for (key, value) in tags {
        model::check_key("tag", key).map_err(|e| Error::field("tags", e))?;
        check_text("tag", key, value, model::EXPERIMENT_TAG_MAX)?;
    }
    Ok(())
}

/// Checks the value of a parameter or tag.
pub(crate) fn check_text(what: &str, key: &str, value: &str, most: usize) -> Result<()> {
    if value.len() > most {
        return Err(Error::field(
            "value",
            format!(
                "The {what} `{key}` has {} bytes; {most} are the most. Log longer texts as files.",
                value.len()
            ),
        ));
    }
    if value.contains('\0') {
        return Err(Error::field(
            "value",
            format!("The {what} `{key}` holds a NUL character."),
        ));
    }
    Ok(())
}
