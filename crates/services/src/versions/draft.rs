//! A version in the making: objects go to the database some hundred at a time, those that others name first; the row of
//! the version comes last. Whatever stops in between leaves objects that nothing names, for clean-up.

use super::labels::Tally;
use crate::{Context, Error, Result};
use limn_domain::dataset::{DatasetKind, LineageEdge, LineageNode, VersionCounts, VersionOutcome};
use limn_domain::{DatasetId, Digest, UserId, VersionId};
use limn_store::repo::dataset::NewRow as NewDataset;
use limn_store::repo::object::NewObject;
use limn_store::repo::version::Which;
use limn_store::{StoreError, Tx, repo};
use limn_versions::object::{self, Labels, Root, Schema};
use limn_versions::{Hash, NewNode, Ref};
use std::collections::HashSet;

/// Objects written in one unit of work; others wait no longer than for so many.
const PIECE: usize = 300;
/// Label objects remembered, so that equal ones are written once.
const SEEN: usize = 1 << 20;

/// Objects on their way into the database.
pub(crate) struct Draft<'a> {
    ctx: &'a Context,
    waiting: Vec<NewNode>,
    seen: HashSet<Hash>,
}

impl<'a> Draft<'a> {
    pub fn new(ctx: &'a Context) -> Self {
        Self {
            ctx,
            waiting: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// Keeps what is said of a file; nothing when nothing is.
    pub async fn labels(&mut self, labels: &Labels) -> Result<Option<Hash>> {
        if labels.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.object(labels).await?))
    }

    async fn object<T: serde::Serialize>(&mut self, value: &T) -> Result<Hash> {
        let (hash, bytes) = object::encode(value);
        if self.seen.len() < SEEN && !self.seen.insert(hash) {
            return Ok(hash);
        }
        self.waiting.push(NewNode {
            hash,
            bytes,
            objects: Vec::new(),
            blobs: Vec::new(),
        });
        self.flush(PIECE).await?;
        Ok(hash)
    }

    /// Keeps nodes in their order.
    pub async fn nodes(&mut self, nodes: Vec<NewNode>) -> Result<()> {
        self.waiting.extend(nodes);
        self.flush(PIECE).await
    }

    /// Writes what waits while it is at least `least`.
    async fn flush(&mut self, least: usize) -> Result<()> {
        while self.waiting.len() >= least.max(1) {
            let rest = self.waiting.split_off(self.waiting.len().min(PIECE));
            let piece = std::mem::replace(&mut self.waiting, rest);
            let now = self.ctx.now();
            self.ctx
                .db
                .write::<_, StoreError, _>(move |tx| {
                    Box::pin(async move {
                        let objects: Vec<NewObject<'_>> = piece
                            .iter()
                            .map(|n| NewObject {
                                digest: n.hash.bytes(),
                                bytes: &n.bytes,
                            })
                            .collect();
                        repo::object::put(tx, &objects, now).await?;
                        let edges: Vec<_> = piece
                            .iter()
                            .flat_map(|n| n.objects.iter().map(|c| (*n.hash.bytes(), *c.bytes())))
                            .collect();
                        repo::object::link(tx, &edges).await?;
                        let blobs: Vec<_> = piece
                            .iter()
                            .flat_map(|n| n.blobs.iter().map(|b| (*n.hash.bytes(), Digest::from(*b))))
                            .collect();
                        repo::object::link_blobs(tx, &blobs).await
                    })
                })
                .await?;
        }
        Ok(())
    }

    /// Writes the rest and the version itself, all or nothing. Content the dataset has already is answered with the
    /// version that has it.
    pub async fn finish(self, made: Made) -> Result<VersionOutcome> {
        self.finish_in(made, None).await
    }

    /// The same for a dataset that comes to be together with its first version.
    pub async fn finish_in(mut self, made: Made, create: Option<NewDataset>) -> Result<VersionOutcome> {
        let schema = made.schema.unwrap_or_default();
        let counts = made.tally.finish(&schema);
        let has_schema = schema != Schema::default();
        let task = schema.task;
        let schema = if has_schema {
            Some(self.object(&schema).await?)
        } else {
            None
        };
        let root = Root {
            limn: object::FORMAT,
            kind: made.kind,
            files: made.files.hash,
            schema,
        };
        let (hash, bytes) = object::encode(&root);
        self.waiting.push(NewNode {
            hash,
            bytes,
            objects: std::iter::once(made.files.hash).chain(schema).collect(),
            blobs: Vec::new(),
        });
        self.flush(1).await?;
        let row = Row {
            dataset: made.dataset,
            hash,
            files: i64::try_from(made.files.files()).unwrap_or(i64::MAX),
            bytes: i64::try_from(made.files.bytes).unwrap_or(i64::MAX),
            note: made.note,
            task,
            counts,
            by: made.by,
            by_name: made.by_name,
            from: made.from,
            how: made.how,
            notes: made.notes,
        };
        let now = self.ctx.now();
        self.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    if let Some(new) = create {
                        make_dataset(tx, &new, &row.by_name, now).await?;
                    }
                    commit(tx, row, now).await
                })
            })
            .await
    }
}

/// Makes the dataset, unless an earlier attempt has.
async fn make_dataset(
    tx: &mut Tx,
    new: &NewDataset,
    by_name: &str,
    now: limn_domain::Timestamp,
) -> Result<()> {
    if repo::dataset::exists(tx, new.id).await? {
        return Ok(());
    }
    crate::datasets::insert(tx, new, now).await?;
    let activity = limn_domain::activity::Activity {
        id: limn_domain::ActivityId::new(),
        at: now,
        actor_id: new.created_by,
        actor_name: by_name.to_owned(),
        project_id: None,
        verb: "dataset.create".to_owned(),
        summary: format!("created the dataset “{}”", new.name),
    };
    Ok(repo::activity::insert(tx, &activity, &serde_json::json!({ "dataset_id": new.id })).await?)
}

/// What a finished draft is.
pub(crate) struct Made {
    pub dataset: DatasetId,
    pub kind: DatasetKind,
    /// Root of the tree.
    pub files: Ref,
    pub schema: Option<Schema>,
    pub tally: Tally,
    pub note: String,
    pub by: Option<UserId>,
    pub by_name: String,
    /// What it was made from.
    pub from: Vec<LineageNode>,
    /// How, in words.
    pub how: String,
    /// Findings for people.
    pub notes: Vec<String>,
}

struct Row {
    dataset: DatasetId,
    hash: Hash,
    files: i64,
    bytes: i64,
    note: String,
    task: Option<limn_domain::project::Task>,
    counts: VersionCounts,
    by: Option<UserId>,
    by_name: String,
    from: Vec<LineageNode>,
    how: String,
    notes: Vec<String>,
}

async fn commit(tx: &mut Tx, row: Row, now: limn_domain::Timestamp) -> Result<VersionOutcome> {
    let Some(number) = repo::dataset::lock(tx, row.dataset, now).await? else {
        return Err(Error::not_found("dataset"));
    };
    let same = repo::version::list(tx, row.dataset, Which::Digest(row.hash.bytes()))
        .await?
        .pop();
    if let Some(same) = same {
        let mut notes = row.notes;
        notes.push(format!(
            "Nothing has changed since version {}: it has this very content, and no new version was made.",
            same.number
        ));
        return Ok(VersionOutcome {
            dataset_id: row.dataset,
            version_id: same.id,
            number: same.number,
            digest: same.digest,
            is_new: false,
            files: same.files,
            notes,
        });
    }
    let id = VersionId::new();
    let new = repo::version::NewRow {
        id,
        dataset_id: row.dataset,
        number,
        digest: *row.hash.bytes(),
        note: row.note,
        task: row.task,
        files: row.files,
        bytes: row.bytes,
        counts: row.counts,
        created_by: row.by,
    };
    repo::version::insert(tx, &new, now).await?;
    repo::dataset::use_number(tx, row.dataset).await?;
    let name = repo::dataset::get(tx, row.dataset, None)
        .await?
        .map_or_else(String::new, |d| d.name);
    let to = LineageNode::Version {
        dataset_id: Some(row.dataset),
        version_id: Some(id),
        name: format!("{name} v{number}"),
    };
    for from in row.from {
        let edge = LineageEdge {
            from,
            to: to.clone(),
            how: row.how.clone(),
            by_name: row.by_name.clone(),
            at: now,
        };
        repo::lineage::insert(tx, &edge).await?;
    }
    let activity = limn_domain::activity::Activity {
        id: limn_domain::ActivityId::new(),
        at: now,
        actor_id: row.by,
        actor_name: row.by_name,
        project_id: None,
        verb: "version.register".to_owned(),
        summary: format!("registered version {number} of the dataset “{name}”"),
    };
    repo::activity::insert(tx, &activity, &serde_json::json!({ "version_id": id })).await?;
    Ok(VersionOutcome {
        dataset_id: row.dataset,
        version_id: id,
        number,
        digest: row.hash.into(),
        is_new: true,
        files: row.files,
        notes: row.notes,
    })
}
