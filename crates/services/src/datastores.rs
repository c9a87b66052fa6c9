//! Datastores: admins set them up, managers use them. Credentials come in, are encrypted, and never leave again.

pub(crate) mod connect;
mod look;

pub use look::Thumb;

use crate::authz::{require, role_in, role_in_dataset};
use crate::{Actor, Context, Error, Result, audit};
use connect::{api, live};
use limn_connect::Secret;
use limn_domain::datastore::{
    Datastore, DatastoreKind, DatastoreUsage, Health, NewDatastore, RotateSecrets, TestOutcome,
    UpdateDatastore, UsedByProject, fields,
};
use limn_domain::{Action, ApiError, Code, DatastoreId, FieldError, validate};
use limn_store::{StoreError, repo};
use std::collections::BTreeMap;

/// Rows of a usage list.
const USAGE: i64 = 500;

#[derive(Clone)]
pub struct Datastores(pub(crate) Context);

type Texts = BTreeMap<String, String>;

impl Datastores {
    /// All of them, by name.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Datastore>> {
        require(actor, Action::UseDatastores)?;
        Ok(repo::datastore::list(&mut self.0.db.read().await?).await?)
    }

    pub async fn get(&self, actor: &Actor, id: DatastoreId) -> Result<Datastore> {
        require(actor, Action::UseDatastores)?;
        let found = repo::datastore::get(&mut self.0.db.read().await?, id).await?;
        found.ok_or_else(|| Error::not_found("datastore"))
    }

    /// By name, regardless of case, or by id.
    pub async fn find(&self, actor: &Actor, text: &str) -> Result<Datastore> {
        require(actor, Action::UseDatastores)?;
        if text.contains('\0') {
            return Err(Error::not_found("datastore"));
        }
        let mut tx = self.0.db.read().await?;
        let id = match text.parse() {
            Ok(id) => Some(id),
            Err(_) => repo::datastore::find(&mut tx, text).await?,
        };
        let found = match id {
            Some(id) => repo::datastore::get(&mut tx, id).await?,
            None => None,
        };
        found.ok_or_else(|| Error::not_found("datastore"))
    }

    /// Tries settings and credentials that are not kept. A connection that fails is an outcome and no error; what cannot
    /// be settings at all is one, by field.
    pub async fn try_new(&self, actor: &Actor, input: &NewDatastore) -> Result<TestOutcome> {
        require(actor, Action::ManageDatastores)?;
        let (settings, secrets) = checked(input.kind, &input.settings, &input.secrets)?;
        outcome(self.probe(input.kind, &settings, &secrets).await)
    }

    /// Sets one up. It is tested first, and kept only when that works.
    pub async fn create(&self, actor: &Actor, input: NewDatastore) -> Result<Datastore> {
        require(actor, Action::ManageDatastores)?;
        let mut checks = validate::Checks::default();
        let name = checks.take("name", validate::name("datastore", &input.name));
        let description = checks.take(
            "description",
            validate::text(
                "description",
                &input.description,
                limn_domain::datastore::DESCRIPTION_MAX,
            ),
        );
        checks.finish()?;
        let (Some(name), Some(description)) = (name, description) else {
            return Err(Error::field("name", "Give the datastore a name."));
        };
        let (mut settings, secrets) = checked(input.kind, &input.settings, &input.secrets)?;
        if repo::datastore::find(&mut self.0.db.read().await?, &name)
            .await?
            .is_some()
        {
            return Err(name_taken(&name));
        }
        let test = self.probe(input.kind, &settings, &secrets).await?;
        settings.extend(test.learned.clone());
        let id = DatastoreId::new();
        let sealed = self.seal(id, &secrets).await?;
        let row = repo::datastore::NewRow {
            id,
            name,
            kind: input.kind,
            description,
            settings,
            secret_keys: secrets.into_keys().collect(),
            sealed,
            created_by: actor.user_id(),
        };
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    match repo::datastore::insert(tx, &row, now).await {
                        Err(StoreError::Unique(_)) => return Err(name_taken(&row.name)),
                        other => other?,
                    }
                    repo::datastore::set_health(tx, id, Health::Ok, "", &test.warnings, now).await?;
                    let summary = format!("set up the datastore “{}” ({})", row.name, row.kind.label());
                    audit::write(tx, &actor, None, "datastore.create", &summary, now).await?;
                    there(tx, id).await
                })
            })
            .await
    }

    /// Looks at one and notes how it is.
    pub async fn test(&self, actor: &Actor, id: DatastoreId) -> Result<TestOutcome> {
        require(actor, Action::UseDatastores)?;
        self.get(actor, id).await?;
        let result = self.look(id).await;
        let (health, text, warnings) = match &result {
            Ok(test) => (Health::Ok, String::new(), test.warnings.clone()),
            Err(Error::Api(e)) => (Health::Failing, e.message.clone(), Vec::new()),
            Err(_) => return outcome(result),
        };
        let now = self.0.now();
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    Ok(repo::datastore::set_health(tx, id, health, &text, &warnings, now).await?)
                })
            })
            .await?;
        outcome(result)
    }

    async fn look(&self, id: DatastoreId) -> Result<TestOutcome> {
        let live = live(&self.0, id).await?;
        live.opened.test().await.map_err(api)
    }

    /// Changes name, description, settings and whether it is in use. Settings that say whom credentials are shown to need
    /// those anew; see [`Self::rotate`].
    pub async fn update(&self, actor: &Actor, id: DatastoreId, input: UpdateDatastore) -> Result<Datastore> {
        require(actor, Action::ManageDatastores)?;
        let was = self.get(actor, id).await?;
        let mut checks = validate::Checks::default();
        let name = input.name.as_deref().unwrap_or(&was.name);
        let name = checks.take("name", validate::name("datastore", name));
        let description = input.description.as_deref().unwrap_or(&was.description);
        let description = checks.take(
            "description",
            validate::text(
                "description",
                description,
                limn_domain::datastore::DESCRIPTION_MAX,
            ),
        );
        checks.finish()?;
        let (Some(name), Some(description)) = (name, description) else {
            return Err(Error::field("name", "Give the datastore a name."));
        };
        if let Some(settings) = &input.settings {
            let tidy: Texts = settings
                .iter()
                .filter(|(_, v)| !v.trim().is_empty())
                .map(|(k, v)| (k.clone(), v.trim().to_owned()))
                .collect();
            if tidy != was.settings {
                if !was.secrets.is_empty() {
                    for spec in fields(was.kind).iter().filter(|s| s.target) {
                        if tidy.get(spec.key) != was.settings.get(spec.key) {
                            return Err(Error::field(
                                &format!("settings.{}", spec.key),
                                format!(
                                    "“{}” says whom the credentials are shown to; give them anew with it (rotate).",
                                    spec.label
                                ),
                            ));
                        }
                    }
                }
                let secrets = connect::secrets(&self.0, id).await?;
                self.replace(id, was.kind, &tidy, &secrets).await?;
            }
        }
        let enabled = input.enabled.unwrap_or(was.enabled);
        let mut words = Vec::new();
        if name != was.name {
            words.push(format!("renamed it to “{name}”"));
        }
        if enabled != was.enabled {
            words.push(if enabled { "enabled it" } else { "disabled it" }.to_owned());
        }
        if words.is_empty() {
            words.push("changed its settings".to_owned());
        }
        let summary = format!("datastore “{}”: {}", was.name, words.join(", "));
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    match repo::datastore::update(tx, id, &name, &description, enabled, now).await {
                        Err(StoreError::Unique(_)) => return Err(name_taken(&name)),
                        other => other?,
                    };
                    audit::write(tx, &actor, None, "datastore.update", &summary, now).await?;
                    there(tx, id).await
                })
            })
            .await
    }

    /// Takes new credentials once they work; what runs goes on with them. The old ones stay until then.
    pub async fn rotate(&self, actor: &Actor, id: DatastoreId, input: RotateSecrets) -> Result<Datastore> {
        require(actor, Action::ManageDatastores)?;
        let was = self.get(actor, id).await?;
        let mut settings = was.settings.clone();
        settings.extend(input.settings);
        let (settings, secrets) = checked(was.kind, &settings, &input.secrets)?;
        self.replace(id, was.kind, &settings, &secrets).await?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let summary = format!("rotated the credentials of the datastore “{}”", was.name);
                    audit::write(tx, &actor, None, "datastore.rotate", &summary, now).await?;
                    there(tx, id).await
                })
            })
            .await
    }

    /// Tests settings and credentials and puts them in the place of the old ones.
    async fn replace(
        &self,
        id: DatastoreId,
        kind: DatastoreKind,
        settings: &Texts,
        secrets: &Texts,
    ) -> Result<()> {
        let before = repo::datastore::keyed(&mut self.0.db.read().await?, id)
            .await?
            .ok_or_else(|| Error::not_found("datastore"))?;
        let (mut settings, secrets) = checked(kind, settings, secrets)?;
        let test = self.probe(kind, &settings, &secrets).await?;
        settings.extend(test.learned.clone());
        let sealed = self.seal(id, &secrets).await?;
        let keys: Vec<String> = secrets.into_keys().collect();
        let now = self.0.now();
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if !repo::datastore::rekey(tx, id, &before.sealed, &settings, &keys, &sealed, now).await?
                    {
                        return Err(Error::new(
                            Code::Conflict,
                            "Somebody else changed this datastore in between; look at it again.",
                        ));
                    }
                    Ok(repo::datastore::set_health(tx, id, Health::Ok, "", &test.warnings, now).await?)
                })
            })
            .await
    }

    /// Deletes one. While projects take files from it that is refused, unless `even_if_used`: then their sources go with
    /// it. What was taken stays. While files of versions were left in it that is refused in any case.
    pub async fn delete(&self, actor: &Actor, id: DatastoreId, even_if_used: bool) -> Result<()> {
        require(actor, Action::ManageDatastores)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = there(tx, id).await?;
                    if found.projects > 0 && !even_if_used {
                        return Err(Error::new(
                            Code::WrongState,
                            format!(
                                "{} projects take files from “{}”. Remove it from them first, or delete it all the same: \
                                 their items stay.",
                                found.projects, found.name
                            ),
                        ));
                    }
                    repo::place::forget_needless(tx, id).await?;
                    let (files, bytes) = repo::place::in_use(tx, id).await?;
                    if files > 0 {
                        return Err(Error::new(
                            Code::WrongState,
                            format!(
                                "{files} files of dataset versions ({bytes} bytes) were left in “{}” and are read there, so it \
                                 cannot be deleted. Delete those versions, or register their files as copies. Files of versions \
                                 that were deleted count until the next hourly clean-up.",
                                found.name
                            ),
                        ));
                    }
                    repo::source::delete_of_datastore(tx, id).await?;
                    repo::datastore::delete(tx, id).await?;
                    let summary = format!("deleted the datastore “{}”", found.name);
                    audit::write(tx, &actor, None, "datastore.delete", &summary, now).await
                })
            })
            .await
    }

    /// Who uses it. Projects and datasets the actor may not see are counted alone.
    pub async fn usage(&self, actor: &Actor, id: DatastoreId) -> Result<DatastoreUsage> {
        require(actor, Action::UseDatastores)?;
        let mut tx = self.0.db.read().await?;
        there(&mut tx, id).await?;
        let mut usage = DatastoreUsage::default();
        for (source, name) in repo::source::of_datastore(&mut tx, id, USAGE).await? {
            if role_in(&mut tx, actor, source.project_id).await?.is_none() {
                usage.hidden += 1;
                continue;
            }
            usage.projects.push(UsedByProject {
                project_id: source.project_id,
                name,
                glob: source.glob,
                files: source.files,
                last_at: source.last_at,
            });
        }
        for used in repo::datastore::datasets(&mut tx, id, USAGE).await? {
            if role_in_dataset(&mut tx, actor, used.dataset_id).await?.is_none() {
                usage.hidden += 1;
            } else {
                usage.datasets.push(used);
            }
        }
        Ok(usage)
    }

    async fn seal(&self, id: DatastoreId, secrets: &Texts) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(secrets).map_err(anyhow::Error::from)?;
        let sealer = self.0.sealer().await?;
        Ok(sealer
            .seal(&connect::sealed_for(id), &plain)
            .map_err(anyhow::Error::from)?)
    }

    async fn probe(&self, kind: DatastoreKind, settings: &Texts, secrets: &Texts) -> Result<TestOutcome> {
        let secrets = secrets.iter().map(|(k, v)| (k.clone(), Secret::new(v))).collect();
        let opened = limn_connect::open(kind, settings, &secrets, &self.0.limits.reach)
            .await
            .map_err(api)?;
        opened.test().await.map_err(api)
    }
}

async fn there(tx: &mut limn_store::Tx, id: DatastoreId) -> Result<Datastore> {
    repo::datastore::get(tx, id)
        .await?
        .ok_or_else(|| Error::not_found("datastore"))
}

/// A failed connection as an outcome; what is a mistake in a field stays an error.
fn outcome(result: Result<TestOutcome>) -> Result<TestOutcome> {
    match result {
        Err(Error::Api(e)) if e.fields.is_empty() => Ok(TestOutcome {
            ok: false,
            message: e.message,
            warnings: Vec::new(),
            learned: BTreeMap::new(),
        }),
        other => other,
    }
}

fn checked(kind: DatastoreKind, settings: &Texts, secrets: &Texts) -> Result<(Texts, Texts)> {
    limn_connect::check(kind, settings, secrets).map_err(|wrong| {
        let fields: Vec<FieldError> = wrong
            .into_iter()
            .map(|(field, message)| FieldError { field, message })
            .collect();
        let message = fields.first().map(|f| f.message.clone()).unwrap_or_default();
        Error::Api(ApiError {
            code: Code::InvalidInput,
            message,
            fields,
        })
    })
}

fn name_taken(name: &str) -> Error {
    Error::Api(ApiError {
        code: Code::AlreadyExists,
        ..ApiError::field(
            "name",
            format!(
                "There is a datastore called “{name}” already (case does not count); choose another name."
            ),
        )
    })
}
