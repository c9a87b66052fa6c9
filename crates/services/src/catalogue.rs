//! The catalogue of open datasets: what there is to have, and having it.

use crate::authz::{require, require_in_dataset, role_in_dataset};
use crate::jobs::{catalogue as job, kind, queue};
use crate::{Actor, Context, Error, Result, audit, markdown};
use limn_connect::Secret;
use limn_connect::Url;
use limn_domain::catalogue::{
    AddDataset, Catalogue, CatalogueDetail, CatalogueEntry, CatalogueFile, CatalogueUse, Record,
};
use limn_domain::job::Job;
use limn_domain::{Action, Code, DatasetId, validate};
use limn_jobs::NewJob;
use limn_store::repo::dataset::NewRow;
use limn_store::{Tx, repo};
use std::collections::HashMap;
use std::sync::Arc;

/// Attempts at a job: fetched files stay between them.
const ATTEMPTS: i64 = 3;
/// Versions looked at for what was added already.
const USES: i64 = 2_000;
/// Of them shown for a record.
const USES_SHOWN: usize = 20;

/// The open datasets on offer, and how they are fetched.
#[derive(Debug, Clone)]
pub struct CatalogueSettings {
    /// Whether there is a catalogue at all.
    pub enabled: bool,
    pub records: Arc<Catalogue>,
    /// Put in front of host and path in the place of the scheme; without a slash at its end.
    pub mirror: Option<String>,
    /// A proxy that fetches; empty for none.
    pub proxy: Secret,
}

impl Default for CatalogueSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            records: Arc::default(),
            mirror: None,
            proxy: Secret::default(),
        }
    }
}

impl CatalogueSettings {
    /// Reads where a mirror is: an address that begins the mirrored ones.
    pub fn mirror(text: &str) -> Result<Option<String>, String> {
        let text = text.trim().trim_end_matches('/');
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || format!("`{text}` is no address; write it as https://mirror.example.org/datasets");
        let url: Url = text.parse().map_err(|_| wrong())?;
        limn_connect::http::plain_address(&url).map_err(|_| wrong())?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        Ok(Some(text.to_owned()))
    }

    /// Where a file of the catalogue is fetched from: `{mirror}/{host}/{path}`, or its own address without a mirror.
    pub fn address(&self, url: &str) -> String {
        match (&self.mirror, url.split_once("://")) {
            (Some(mirror), Some((_, rest))) => format!("{mirror}/{rest}"),
            _ => url.to_owned(),
        }
    }
}

#[derive(Clone)]
pub struct Catalogues(pub(crate) Context);

impl Catalogues {
    /// All records, in the order of the catalogue.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<CatalogueEntry>> {
        self.open(actor)?;
        let mut tx = self.0.db.read().await?;
        let mut uses = seen(&mut tx, actor, None).await?;
        let records = self.0.limits.catalogue.records.records();
        Ok(records
            .iter()
            .map(|r| entry(r, uses.remove(&r.slug).unwrap_or_default()))
            .collect())
    }

    pub async fn get(&self, actor: &Actor, slug: &str) -> Result<CatalogueDetail> {
        self.open(actor)?;
        let record = self.record(slug)?.clone();
        let mut tx = self.0.db.read().await?;
        let added = seen(&mut tx, actor, Some(slug)).await?.remove(slug);
        drop(tx);
        let card = record.card.clone();
        let card_html = tokio::task::spawn_blocking(move || markdown::to_safe_html(&card))
            .await
            .map_err(anyhow::Error::from)?;
        let settings = &self.0.limits.catalogue;
        Ok(CatalogueDetail {
            entry: entry(&record, added.unwrap_or_default()),
            format: record.loader.name().to_owned(),
            splits: record.splits(),
            names: record.loader.names(),
            sources: record
                .files
                .iter()
                .map(|f| CatalogueFile {
                    name: f.name.clone(),
                    urls: f.urls.iter().map(|u| settings.address(u)).collect(),
                    bytes: f.bytes.and_then(|b| i64::try_from(b).ok()),
                    digest: f.digest.as_ref().map(ToString::to_string),
                })
                .collect(),
            home: record.home,
            citation: record.citation,
            card: record.card,
            card_html,
        })
    }

    /// Queues the making of a dataset of a record. The job's result is a
    /// [`limn_domain::catalogue::CatalogueOutcome`]. A dataset of this name that was made of the record gets a new
    /// version, if anything has changed.
    pub async fn add(&self, actor: &Actor, slug: &str, input: AddDataset) -> Result<Job> {
        self.open(actor)?;
        let record = self.record(slug)?.clone();
        let name = input.name.as_deref().map_or(record.name.as_str(), str::trim);
        let name = validate::name("dataset", name).map_err(|e| Error::field("name", e))?;
        let (actor, now) = (actor.clone(), self.0.now());
        let job = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let known = known(tx, &actor, &record, &name).await?;
                    let summary = match known {
                        Some(_) => format!(
                            "started to add {} of the catalogue to the dataset “{name}”",
                            record.name
                        ),
                        None => format!(
                            "started to make the dataset “{name}” of {} of the catalogue",
                            record.name
                        ),
                    };
                    let dedup = format!("catalogue:{}:{}", record.slug, validate::name_key(&name));
                    let title = format!("Add {} from the catalogue", record.name);
                    let payload = job::Payload {
                        dataset: row(&record, name, known, &input, &actor),
                        record,
                        user: actor.user_id(),
                        user_name: actor.name().to_owned(),
                    };
                    let new = NewJob {
                        kind: kind::CATALOGUE,
                        title,
                        project_id: None,
                        created_by: actor.user_id(),
                        payload: serde_json::to_value(payload).map_err(anyhow::Error::from)?,
                        dedup_key: Some(dedup),
                        priority: 0,
                        max_attempts: ATTEMPTS,
                    };
                    let job = queue(tx, new, known, now).await?;
                    audit::write(tx, &actor, None, "catalogue.add", &summary, now).await?;
                    Ok::<_, Error>(job)
                })
            })
            .await?;
        self.0.jobs.wake();
        Ok(job)
    }

    /// Whoever may create datasets.
    fn open(&self, actor: &Actor) -> Result<()> {
        require(actor, Action::CreateDataset)?;
        if self.0.limits.catalogue.enabled {
            return Ok(());
        }
        Err(Error::new(
            Code::NotFound,
            "The catalogue of open datasets is switched off on this server (`catalogue.enabled`).",
        ))
    }

    fn record(&self, slug: &str) -> Result<&Record> {
        self.0
            .limits
            .catalogue
            .records
            .get(slug)
            .ok_or_else(|| Error::not_found("record of the catalogue"))
    }
}

/// The dataset of this name, where it was made of the record and the actor may add versions to it. Errors: the name is
/// another one's.
async fn known(tx: &mut Tx, actor: &Actor, record: &Record, name: &str) -> Result<Option<DatasetId>> {
    let Some(id) = repo::dataset::id_by_name(tx, name).await? else {
        return Ok(None);
    };
    let uses = repo::lineage::catalogue_uses(tx, Some(&record.slug), USES).await?;
    let is_own = uses.iter().any(|u| u.dataset_id == id);
    match require_in_dataset(tx, actor, Action::AddVersions, id).await {
        Ok(_) if is_own => Ok(Some(id)),
        Ok(_) => Err(crate::datasets::name_taken(name)),
        Err(Error::Api(_)) => Err(crate::datasets::name_taken(name)),
        Err(e) => Err(e),
    }
}

/// The dataset to make; of one that is there only the id counts.
fn row(
    record: &Record,
    name: String,
    known: Option<DatasetId>,
    input: &AddDataset,
    actor: &Actor,
) -> job::Target {
    job::Target {
        id: known.unwrap_or_else(DatasetId::new),
        name,
        visibility: input.visibility,
        description: description(record),
        tags: record.tags.clone(),
        licence: record.licence.name.clone(),
        created_by: actor.user_id(),
        kind: record.kind(),
    }
}

impl From<job::Target> for NewRow {
    fn from(t: job::Target) -> Self {
        Self {
            id: t.id,
            name: t.name,
            kind: t.kind,
            description: t.description,
            tags: t.tags,
            licence: t.licence,
            visibility: t.visibility,
            created_by: t.created_by,
        }
    }
}

/// The card, and where the data comes from.
fn description(record: &Record) -> String {
    let licence = match &record.licence.url {
        Some(url) => format!("[{}]({url})", record.licence.name),
        None => record.licence.name.clone(),
    };
    let mut out = format!(
        "{}\n\n## Source\n\n- Publisher: <{}>\n- Licence: {licence}\n- Record of the catalogue: `{}`\n",
        record.card.trim_end(),
        record.home,
        record.slug
    );
    if !record.citation.trim().is_empty() {
        out.push_str("\n## Citation\n\n```\n");
        out.push_str(&record.citation.trim().replace("```", "'''"));
        out.push_str("\n```\n");
    }
    out
}

fn entry(record: &Record, mut added: Vec<CatalogueUse>) -> CatalogueEntry {
    added.truncate(USES_SHOWN);
    CatalogueEntry {
        slug: record.slug.clone(),
        name: record.name.clone(),
        summary: record.summary.clone(),
        kind: record.kind(),
        task: record.task,
        tags: record.tags.clone(),
        licence: record.licence.clone(),
        bytes: record.bytes().and_then(|b| i64::try_from(b).ok()),
        files: record.files.len() as i64,
        digests: record.digests(),
        added,
    }
}

/// What was made of records, as far as the actor sees it, by slug.
async fn seen(tx: &mut Tx, actor: &Actor, slug: Option<&str>) -> Result<HashMap<String, Vec<CatalogueUse>>> {
    let mut sees: HashMap<DatasetId, bool> = HashMap::new();
    let mut out: HashMap<String, Vec<CatalogueUse>> = HashMap::new();
    for u in repo::lineage::catalogue_uses(tx, slug, USES).await? {
        let visible = match sees.get(&u.dataset_id) {
            Some(visible) => *visible,
            None => role_in_dataset(tx, actor, u.dataset_id).await?.is_some(),
        };
        sees.insert(u.dataset_id, visible);
        if visible {
            out.entry(u.slug).or_default().push(CatalogueUse {
                dataset_id: u.dataset_id,
                name: u.dataset_name,
                version_id: u.version_id,
                number: u.number,
            });
        }
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_takes_the_place_of_the_scheme() {
        let settings = CatalogueSettings {
            mirror: CatalogueSettings::mirror("http://mirror.local/sets/").unwrap(),
            ..CatalogueSettings::default()
        };
        assert_eq!(
            settings.address("https://example.org/a/b.gz?x=1"),
            "http://mirror.local/sets/example.org/a/b.gz?x=1"
        );
        assert_eq!(
            CatalogueSettings::default().address("https://example.org/a"),
            "https://example.org/a"
        );
        assert_eq!(CatalogueSettings::mirror("  "), Ok(None));
        for bad in [
            "mirror.local",
            "file:///srv",
            "http://",
            "http://user:pw@m",
            "http://m/?x=1",
        ] {
            assert!(CatalogueSettings::mirror(bad).is_err(), "{bad}");
        }
    }
}
