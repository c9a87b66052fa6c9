//! Looking at pictures: each is described once by what the project's pictures taught, and that is kept.

use super::{Run, is_holdout};
use crate::assist::backbone::brought;
use crate::assist::port::{Engine, EngineError, PictureNet, SmallPicture, StopCheck, TEXT_READ};
use crate::assist::{bytes, floats};
use crate::jobs::training::yield_to_others;
use crate::{Context, Error};
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_domain::Digest;
use limn_domain::assist::Retrain;
use limn_jobs::Permanent;
use limn_storage::{RenditionKind, Source, StorageError, small_rgb};
use limn_store::repo;
use limn_store::repo::assist::{AssistItem, AssistRow, Feature};
use std::collections::HashMap;
use std::sync::Arc;

/// Pictures of a project that are looked at; 128 numbers each are held while it runs.
const ITEMS_MAX: usize = 200_000;
const PAGE: i64 = 2_000;
/// Pictures that filters are learned from.
const FIT_ON: usize = 1_000;
/// The filters are learned anew when there are so many times the pictures, until they were learned from as many as that.
const GROWN: i64 = 4;
/// Pictures described at once, and decoded side by side.
const BATCH: usize = 128;
const AT_ONCE: usize = 2;
/// Largest side of what is looked at.
const SIDE: u32 = 64;
/// Pictures of at most so many pixels a side are decoded themselves, others from their thumbnail.
const SMALL: i64 = 400;

/// A picture with its description.
pub(super) struct Seen {
    pub item: AssistItem,
    /// `None` of one that cannot be read.
    pub features: Option<Vec<f32>>,
    pub holdout: bool,
}

/// What was looked at.
pub(super) struct Looked {
    pub items: Vec<Seen>,
    pub encoder_key: String,
    /// Pictures described in this run.
    pub fresh: usize,
}

pub(super) async fn look(run: &Run<'_>, row: &AssistRow) -> anyhow::Result<Looked> {
    let nouns = run.task.media().nouns().1;
    let items = all_items(run).await?;
    if items.len() == ITEMS_MAX {
        run.progress
            .log(format!("Only the first {ITEMS_MAX} {nouns} are looked at."))
            .await?;
    }
    // Each content once, in an order that says nothing of the project's: the first are a fair sample.
    let mut of: HashMap<Digest, AssistItem> = HashMap::new();
    for item in &items {
        of.entry(item.digest.clone()).or_insert_with(|| item.clone());
    }
    let mut digests: Vec<Digest> = of.keys().cloned().collect();
    digests.sort_unstable();
    let (key, encoder) = encoder(run, row, &digests, &of).await?;
    let side = encoder.side();
    let encoder = Arc::new(encoder);
    let mut known: HashMap<Digest, Vec<f32>> = HashMap::with_capacity(digests.len());
    let kept = repo::assist::features(&mut run.ctx.db.read().await?, &key, &digests).await?;
    known.extend(kept.into_iter().map(|f| (f.digest, floats(&f.vector))));
    let missing: Vec<Digest> = digests.into_iter().filter(|d| !known.contains_key(d)).collect();
    let (total, mut done, mut unreadable) = (of.len() as i64, known.len() as i64, 0);
    let fresh = missing.len();
    for part in missing.chunks(BATCH) {
        run.progress
            .report(done, total, format!("Looking at {nouns}"))
            .await?;
        let (names, read, lost) = contents(run, part, &of, side).await?;
        unreadable += lost.len();
        let by = Arc::clone(&encoder);
        let vectors = run
            .on_thread(move |engine, stop| by.embed(engine, &read, stop))
            .await?
            .map_err(Permanent)?;
        let mut rows: Vec<Feature> = Vec::with_capacity(part.len());
        for (digest, vector) in names.into_iter().zip(vectors) {
            rows.push(Feature {
                digest: digest.clone(),
                vector: bytes(&vector),
            });
            known.insert(digest, vector);
        }
        rows.extend(lost.into_iter().map(|digest| Feature {
            digest,
            vector: Vec::new(),
        }));
        let name = key.clone();
        let written: Result<(), Error> = run
            .ctx
            .db
            .write(move |tx| Box::pin(async move { Ok(repo::assist::put_features(tx, &name, &rows).await?) }))
            .await;
        match written {
            // Somebody deleted one of the pictures meanwhile; the next run sees the rest.
            Err(Error::Store(limn_store::StoreError::ForeignKey(_))) | Ok(()) => {}
            Err(e) => return Err(e).context("What was seen could not be kept"),
        }
        done += part.len() as i64;
    }
    if unreadable > 0 {
        run.progress
            .log(format!(
                "{unreadable} {nouns} cannot be read and are left to people."
            ))
            .await?;
    }
    let items = items
        .into_iter()
        .map(|item| Seen {
            features: known.get(&item.digest).filter(|v| !v.is_empty()).cloned(),
            holdout: is_holdout(&item.digest),
            item,
        })
        .collect();
    Ok(Looked {
        items,
        encoder_key: key,
        fresh,
    })
}

async fn all_items(run: &Run<'_>) -> anyhow::Result<Vec<AssistItem>> {
    let mut tx = run.ctx.db.read().await?;
    let (mut items, mut after) = (Vec::new(), 0);
    while items.len() < ITEMS_MAX {
        let page = repo::assist::items(&mut tx, run.project, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.export_id;
        items.extend(page);
    }
    items.truncate(ITEMS_MAX);
    Ok(items)
}

/// What describes the project's pictures or documents.
enum Encoder {
    /// Learned from them.
    Own(Vec<u8>),
    OwnTexts(Vec<u8>),
    Brought(Arc<dyn PictureNet>),
}

/// Items as they are described.
enum Contents {
    Pictures(Vec<SmallPicture>),
    Texts(Vec<String>),
}

impl Contents {
    const fn len(&self) -> usize {
        match self {
            Self::Pictures(list) => list.len(),
            Self::Texts(list) => list.len(),
        }
    }

    fn extend(&mut self, more: Self) {
        match (self, more) {
            (Self::Pictures(list), Self::Pictures(more)) => list.extend(more),
            (Self::Texts(list), Self::Texts(more)) => list.extend(more),
            _ => {}
        }
    }
}

impl Encoder {
    fn side(&self) -> u32 {
        match self {
            Self::Own(_) | Self::OwnTexts(_) => SIDE,
            Self::Brought(net) => net.side(),
        }
    }

    /// Blocking.
    fn embed(
        &self,
        engine: &dyn Engine,
        contents: &Contents,
        stop: &StopCheck,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        match (self, contents) {
            (Self::Own(bytes), Contents::Pictures(list)) => engine.embed(bytes, list, stop),
            (Self::OwnTexts(bytes), Contents::Texts(list)) => engine.embed_texts(bytes, list, stop),
            (Self::Brought(net), Contents::Pictures(list)) => {
                yield_to_others();
                net.embed(list, stop)
            }
            _ => Err(EngineError::Broken(
                "A network for pictures was given documents.".to_owned(),
            )),
        }
    }
}

/// The network that the settings name, else filters that the pictures teach: when there are none, when they are of another make, or when the
/// project has grown a lot.
async fn encoder(
    run: &Run<'_>,
    row: &AssistRow,
    digests: &[Digest],
    of: &HashMap<Digest, AssistItem>,
) -> anyhow::Result<(String, Encoder)> {
    if let Some(wanted) = &run.settings.backbone {
        let brought = brought(run.ctx, wanted).await.map_err(|e| {
            let why = e.into_api().message;
            Permanent(format!(
                "The pictures cannot be described by {wanted}: {why} Choose another in the settings of the assist."
            ))
        })?;
        let key = format!("{}:{}", brought.net.name(), &brought.digest.as_str()[..16]);
        if row.encoder_key.as_ref() != Some(&key) {
            keep(run, &key, &[], digests.len() as i64).await?;
        }
        return Ok((key, Encoder::Brought(brought.net)));
    }
    let version = if run.task.is_text() {
        run.engine.text_version()
    } else {
        run.engine.version()
    };
    let own = |bytes| {
        if run.task.is_text() {
            Encoder::OwnTexts(bytes)
        } else {
            Encoder::Own(bytes)
        }
    };
    let ours = row.encoder_key.as_ref().filter(|k| k.starts_with(version));
    let grown = row.fitted_on < FIT_ON as i64 && digests.len() as i64 >= row.fitted_on * GROWN;
    if let Some(key) = ours.filter(|_| !grown || run.settings.retrain == Retrain::Never) {
        let mut tx = run.ctx.db.read().await?;
        let kept = repo::assist::encoder(&mut tx, run.project).await?;
        drop(tx);
        if let Some(bytes) = kept {
            if can_be_read(run, &bytes).await? {
                return Ok((key.clone(), own(bytes)));
            }
            run.progress
                .log("What was learned to describe the items cannot be read any more; it is learned anew.")
                .await?;
        }
    }
    let sample = &digests[..digests.len().min(FIT_ON)];
    let mut small = if run.task.is_text() {
        Contents::Texts(Vec::with_capacity(sample.len()))
    } else {
        Contents::Pictures(Vec::with_capacity(sample.len()))
    };
    for part in sample.chunks(BATCH) {
        run.progress
            .report(
                small.len() as i64,
                sample.len() as i64,
                format!("Learning what the {} are like", run.task.media().nouns().1),
            )
            .await?;
        small.extend(contents(run, part, of, SIDE).await?.1);
    }
    let fitted_on = small.len() as i64;
    let encoder = run
        .on_thread(move |engine, stop| match &small {
            Contents::Pictures(list) => engine.fit(list, 1, stop),
            Contents::Texts(list) => engine.fit_texts(list, 1, stop),
        })
        .await?
        .map_err(Permanent)?;
    let key = format!("{version}:{}", &blake3::hash(&encoder).to_hex()[..16]);
    keep(run, &key, &encoder, fitted_on).await?;
    run.progress
        .log(format!(
            "Learned to describe {} from {fitted_on} of them.",
            run.task.media().nouns().1
        ))
        .await?;
    Ok((key, own(encoder)))
}

/// Whether stored filters are whole, and of a layout that is known.
async fn can_be_read(run: &Run<'_>, encoder: &[u8]) -> anyhow::Result<bool> {
    let (is_text, bytes) = (run.task.is_text(), encoder.to_vec());
    let read = run
        .on_thread(move |engine, stop| {
            if is_text {
                engine.embed_texts(&bytes, &[], stop)
            } else {
                engine.embed(&bytes, &[], stop)
            }
        })
        .await;
    match read {
        Ok(read) => Ok(read.is_ok()),
        Err(e) if e.is::<Permanent>() => Ok(false),
        Err(e) => Err(e),
    }
}

/// Notes what describes the project's pictures from now on.
async fn keep(run: &Run<'_>, key: &str, encoder: &[u8], fitted_on: i64) -> anyhow::Result<()> {
    let (project, key, bytes) = (run.project, key.to_owned(), encoder.to_vec());
    run.ctx
        .db
        .write::<_, Error, _>(move |tx| {
            Box::pin(
                async move { Ok(repo::assist::set_encoder(tx, project, &key, &bytes, fitted_on).await?) },
            )
        })
        .await?;
    Ok(())
}

/// The items that can be read, and those that cannot.
async fn contents(
    run: &Run<'_>,
    digests: &[Digest],
    of: &HashMap<Digest, AssistItem>,
    side: u32,
) -> anyhow::Result<(Vec<Digest>, Contents, Vec<Digest>)> {
    if !run.task.is_text() {
        let (read, lost) = pictures(run, digests, of, side).await?;
        let (names, small) = read.into_iter().unzip();
        return Ok((names, Contents::Pictures(small), lost));
    }
    let (names, texts, lost) = texts(run, digests).await?;
    Ok((names, Contents::Texts(texts), lost))
}

/// The documents that can be read, as much of each as counts, and those that cannot.
pub(super) async fn texts(
    run: &Run<'_>,
    digests: &[Digest],
) -> anyhow::Result<(Vec<Digest>, Vec<String>, Vec<Digest>)> {
    let (mut found, mut lost) = (Vec::new(), Vec::new());
    for digest in digests {
        match run.ctx.content(digest).await {
            Ok(local) => found.push((digest.clone(), local)),
            // Another time it may be there.
            Err(e) if e.is_away() => return Err(e.into()),
            Err(e) => {
                tracing::debug!(%digest, error = %e, "a document cannot be had");
                if !of_datastore(&e) {
                    lost.push(digest.clone());
                }
            }
        }
    }
    let read = tokio::task::spawn_blocking(move || {
        let (mut names, mut texts) = (Vec::new(), Vec::new());
        for (digest, local) in found {
            match local.source().read_text() {
                Ok(mut text) => {
                    let end = text.char_indices().nth(TEXT_READ).map(|(at, _)| at);
                    if let Some(end) = end {
                        text.truncate(end);
                        text.shrink_to_fit();
                    }
                    names.push(digest);
                    texts.push(text);
                }
                Err(e) if e.is_away() => return Err(e),
                Err(e) => {
                    tracing::debug!(%digest, error = %e, "a document cannot be read");
                    lost.push(digest);
                }
            }
        }
        Ok((names, texts, lost))
    });
    Ok(read.await??)
}

/// The pictures that can be read, with at most `side` pixels a side, and those that cannot.
pub(super) async fn pictures(
    run: &Run<'_>,
    digests: &[Digest],
    of: &HashMap<Digest, AssistItem>,
    side: u32,
) -> anyhow::Result<(Vec<(Digest, SmallPicture)>, Vec<Digest>)> {
    let mut work = Vec::with_capacity(digests.len());
    for digest in digests {
        if let Some(item) = of.get(digest) {
            work.push(picture(run, item, side));
        }
    }
    let mut all = futures::stream::iter(work).buffered(AT_ONCE);
    let (mut read, mut lost) = (Vec::new(), Vec::new());
    while let Some((digest, found)) = all.next().await {
        run.progress.check()?;
        match found {
            Ok(small) => read.push((digest, small)),
            Err(e) if e.is_away() => return Err(e.into()),
            Err(e) => {
                tracing::debug!(%digest, error = %e, "a picture cannot be looked at");
                if !of_datastore(&e) {
                    lost.push(digest);
                }
            }
        }
    }
    Ok((read, lost))
}

/// What is wrong with a datastore is no property of what lies there: the next run looks again.
const fn of_datastore(e: &StorageError) -> bool {
    matches!(e, StorageError::SourceChanged(_) | StorageError::SourceAway(_))
}

async fn picture(
    run: &Run<'_>,
    item: &AssistItem,
    side: u32,
) -> (Digest, Result<SmallPicture, StorageError>) {
    let digest = item.digest.clone();
    let found = decoded(run, item, side).await;
    (digest, found)
}

async fn decoded(run: &Run<'_>, item: &AssistItem, side: u32) -> Result<SmallPicture, StorageError> {
    small_picture(run.ctx, &item.digest, (item.width, item.height), side).await
}

/// A stored picture of a size in pixels, with at most `side` pixels a side.
pub(crate) async fn small_picture(
    ctx: &Context,
    digest: &Digest,
    (width, height): (i64, i64),
    side: u32,
) -> Result<SmallPicture, StorageError> {
    let renditions = &ctx.renditions;
    let limits = *renditions.limits();
    // Held while its source is in use.
    let (local, source, pixels) = if width.max(height) <= SMALL {
        let local = ctx.content(digest).await?;
        let source = local.source();
        (Some(local), source, width * height)
    } else {
        let thumb = ctx.rendition(digest, RenditionKind::Thumb).await?;
        (None, Source::Bytes(thumb), 320 * 320)
    };
    let rgb = renditions
        .pool()
        .run(pixels.unsigned_abs() * 16, move || {
            small_rgb(&source, &limits, side)
        })
        .await?;
    drop(local);
    Ok(SmallPicture {
        width: rgb.width,
        height: rgb.height,
        rgb: rgb.pixels,
    })
}
