//! Files in the order of how much they look like one of them. A job describes pictures that nobody has described, by content, and puts
//! the descriptions of a version into one file beside its index; questions compare all of them in memory.

use super::{Explore, Payload};
use crate::assist::port::{Engine, SmallPicture};
use crate::assist::{bytes, floats};
use crate::jobs::assist::small_picture;
use crate::jobs::kind;
use crate::versions::nodes::{self, DbNodes};
use crate::{Context, Error, Result};
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_domain::dataset::Version;
use limn_domain::job::Job;
use limn_domain::{Code, Digest};
use limn_explore::{Index, Looks};
use limn_jobs::{Handler, Permanent, Progress};
use limn_storage::StorageError;
use limn_store::repo;
use limn_store::repo::assist::Feature;
use limn_versions::{Entry, From, Hash, Reader};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Files looked at at once, and pictures decoded side by side.
const BATCH: usize = 128;
const AT_ONCE: usize = 4;
/// Longest side of what is looked at, in pixels.
const SIDE: u32 = 64;
/// Largest number of a description that is told from larger ones.
const TOP: f32 = 0.25;

/// Describes the pictures of a version. Safe to run again: what was described before a crash is kept by content.
pub(crate) struct SimilarJob(pub Context);

#[async_trait::async_trait]
impl Handler for SimilarJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let engine = self
            .0
            .engine
            .clone()
            .ok_or_else(|| Permanent(NO_MODELS.to_owned()))?;
        let version = Payload::version(&self.0, payload).await?;
        // Asked for twice while it waited.
        if self
            .0
            .looks
            .get(version.id, engine.look_version())
            .await?
            .is_some()
        {
            return Ok(None);
        }
        let (looks, fresh) = describe(&self.0, &version, &engine, &progress).await?;
        let (files, pictures) = (looks.rows(), looks.described().count());
        self.0.looks.put(version.id, looks).await?;
        progress
            .log(format!(
                "{pictures} of {files} files are pictures that can be compared; {fresh} were new."
            ))
            .await?;
        Ok(None)
    }
}

/// How far files are from one of them.
pub(super) enum Far {
    /// Row by row, NaN where it is not known.
    Known(Vec<f32>),
    /// The job that finds out.
    Waits(Box<Job>),
}

pub(super) const NO_MODELS: &str = "This server runs without models, which compare pictures.";

impl Explore {
    /// How far each file is from the one of a path. Errors: `Unavailable` without models, a field where the file is none that compares.
    pub(super) async fn distances(&self, version: &Version, index: &Index, path: &str) -> Result<Far> {
        let row = index.row(&limn_versions::key(path)).ok_or_else(|| {
            Error::field(
                "like",
                format!("This version has no file `{path}`; choose one that it has."),
            )
        })?;
        let Some(engine) = &self.0.engine else {
            return Err(Error::new(Code::Unavailable, NO_MODELS));
        };
        let Some(looks) = self.0.looks.get(version.id, engine.look_version()).await? else {
            let job = self
                .start(version, kind::SIMILAR, "Compare the pictures of")
                .await?;
            return Ok(Far::Waits(Box::new(job)));
        };
        let far = tokio::task::spawn_blocking(move || looks.distances(row));
        let far = far.await.map_err(anyhow::Error::from)?;
        far.map(Far::Known).ok_or_else(|| {
            let why = format!(
                "`{path}` is no picture that can be read, so nothing is like it; choose another file."
            );
            Error::field("like", why)
        })
    }
}

/// The descriptions of a version's files in the order of paths, and how many contents were new.
pub(super) async fn describe(
    ctx: &Context,
    version: &Version,
    engine: &Arc<dyn Engine>,
    progress: &Progress,
) -> anyhow::Result<(Looks, usize)> {
    let key = engine.look_version();
    let (mut looks, mut after, mut fresh) = (None::<Looks>, None::<String>, 0);
    // Rows before the first picture.
    let mut before = 0;
    let mut done = 0;
    loop {
        let batch = entries(ctx, version, after.as_deref()).await?;
        let Some(last) = batch.last() else { break };
        after = Some(last.key());
        let mut known = known_of(ctx, key, &batch).await?;
        let missing = missing(&batch, &known);
        fresh += missing.len();
        let new = look(ctx, engine, missing, progress).await?;
        keep(ctx, key, &new).await?;
        known.extend(new.into_iter().map(|f| (f.digest, floats(&f.vector))));
        for entry in &batch {
            let found = known.get(&Digest::from(entry.blob)).filter(|v| !v.is_empty());
            if let Some(looks) = &mut looks {
                looks.push(found.map(Vec::as_slice));
            } else if let Some(first) = found {
                let mut made = Looks::new(key, first.len(), TOP);
                for _ in 0..before {
                    made.push(None);
                }
                made.push(Some(first.as_slice()));
                looks = Some(made);
            } else {
                before += 1;
            }
        }
        done += batch.len() as i64;
        progress
            .report(done, version.files, "Looking at pictures")
            .await?;
    }
    let nothing = || {
        Permanent("The version has no picture that can be read, so there is nothing to compare.".to_owned())
    };
    Ok((looks.ok_or_else(nothing)?, fresh))
}

/// The next files of a version, those behind a key.
async fn entries(ctx: &Context, version: &Version, after: Option<&str>) -> anyhow::Result<Vec<Entry>> {
    let mut tx = ctx.db.read().await?;
    let (root, _) = nodes::open(&mut tx, &Hash::from(&version.digest)).await?;
    let mut db = DbNodes::new(&mut tx);
    let from = after.map_or(From::Start, From::After);
    let mut reader = Reader::open(&mut db, &root.files, from).await?.to_the_end();
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH
        && let Some(entry) = reader.next(&mut db).await?
    {
        batch.push(entry);
    }
    Ok(batch)
}

/// The descriptions there are of some files; empty of those that cannot be read.
async fn known_of(ctx: &Context, key: &str, batch: &[Entry]) -> anyhow::Result<HashMap<Digest, Vec<f32>>> {
    let digests: HashSet<Digest> = batch.iter().map(|e| Digest::from(e.blob)).collect();
    let digests: Vec<Digest> = digests.into_iter().collect();
    let kept = repo::assist::features(&mut ctx.db.read().await?, key, &digests).await?;
    Ok(kept.into_iter().map(|f| (f.digest, floats(&f.vector))).collect())
}

/// Pictures that are not described, each content once.
fn missing<'a>(batch: &'a [Entry], known: &HashMap<Digest, Vec<f32>>) -> Vec<(Digest, &'a Entry)> {
    let mut seen = HashSet::new();
    let pictures = batch
        .iter()
        .filter(|e| e.width > 0)
        .map(|e| (Digest::from(e.blob), e));
    pictures
        .filter(|(digest, _)| !known.contains_key(digest) && seen.insert(digest.clone()))
        .collect()
}

/// Describes pictures; those that cannot be read get an empty description.
async fn look(
    ctx: &Context,
    engine: &Arc<dyn Engine>,
    missing: Vec<(Digest, &Entry)>,
    progress: &Progress,
) -> anyhow::Result<Vec<Feature>> {
    let mut work = Vec::with_capacity(missing.len());
    for (digest, entry) in missing {
        work.push(picture(
            ctx,
            digest,
            (i64::from(entry.width), i64::from(entry.height)),
        ));
    }
    let mut all = futures::stream::iter(work).buffered(AT_ONCE);
    let (mut names, mut small, mut features) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((digest, read)) = all.next().await {
        progress.check()?;
        match read {
            Ok(picture) => {
                names.push(digest);
                small.push(picture);
            }
            // What is wrong with the server is no property of the picture.
            Err(StorageError::SourceChanged(text)) => return Err(Permanent(text).into()),
            Err(e @ StorageError::SourceAway(_)) => return Err(e.into()),
            Err(e @ (StorageError::NotFound | StorageError::Io(_) | StorageError::Stopped)) => {
                return Err(e)
                    .with_context(|| format!("The stored file {digest} cannot be read on the server"));
            }
            Err(e) => {
                tracing::debug!(%digest, error = %e, "a picture cannot be compared");
                features.push(Feature {
                    digest,
                    vector: Vec::new(),
                });
            }
        }
    }
    let by = Arc::clone(engine);
    let vectors = tokio::task::spawn_blocking(move || by.looks(&small)).await??;
    features.extend(names.into_iter().zip(vectors).map(|(digest, vector)| Feature {
        digest,
        vector: bytes(&vector),
    }));
    Ok(features)
}

async fn picture(
    ctx: &Context,
    digest: Digest,
    size: (i64, i64),
) -> (Digest, std::result::Result<SmallPicture, StorageError>) {
    let read = small_picture(ctx, &digest, size, SIDE).await;
    (digest, read)
}

async fn keep(ctx: &Context, key: &str, features: &[Feature]) -> anyhow::Result<()> {
    if features.is_empty() {
        return Ok(());
    }
    let (key, rows) = (key.to_owned(), features.to_vec());
    let written: Result<()> = ctx
        .db
        .write(move |tx| Box::pin(async move { Ok(repo::assist::put_features(tx, &key, &rows).await?) }))
        .await;
    match written {
        // The version was deleted meanwhile, and its files with it.
        Err(Error::Store(limn_store::StoreError::ForeignKey(_))) | Ok(()) => Ok(()),
        Err(e) => Err(e).context("What pictures look like could not be kept"),
    }
}
