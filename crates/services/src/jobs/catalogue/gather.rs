//! From samples to a version: each is checked and kept, labels become objects, and the dataset comes to be at the end.

use super::Payload;
use super::coco::Placer;
use super::load::{self, Content, Sample, Sources, To};
use crate::Context;
use crate::jobs::version::uploads::{Left, Out, Piece, ROWS, empty, note_blobs, plain, take, unfit};
use crate::jobs::version::{finding, gone};
use crate::versions::draft::{Draft, Made};
use crate::versions::labels::Tally;
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_domain::catalogue::{CatalogueTask, FetchedFile, Loader};
use limn_domain::dataset::{DatasetKind, LineageNode, VersionOutcome};
use limn_domain::{Digest, Shape, Source};
use limn_jobs::{Permanent, Progress};
use limn_versions::object::{Label, Labels, Schema};
use limn_versions::{Builder, Entry};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::mpsc;

/// Samples checked at once, and made ahead of that.
const AT_ONCE: usize = 8;
/// Nodes gathered before they are written.
const NODES: usize = 200;
/// Most files of a dataset that is made here.
const FILES_MAX: usize = 3_000_000;

pub async fn register(
    ctx: &Context,
    payload: &Payload,
    files: Vec<(FetchedFile, PathBuf)>,
    progress: &Progress,
) -> anyhow::Result<VersionOutcome> {
    let record = Arc::new(payload.record.clone());
    let sources = Arc::new(Sources(
        files.into_iter().map(|(f, path)| (f.name, path)).collect(),
    ));
    let mut placer = placer(payload, &sources, ctx.limits.upload_bytes, progress).await?;
    let (send, receive) = mpsc::channel(AT_ONCE);
    let total = Arc::new(AtomicI64::new(placer.as_ref().map_or(0, |p| p.images() as i64)));
    let to = To {
        send,
        progress: progress.clone(),
        blobs: ctx.blobs.clone(),
        limit: ctx.limits.upload_bytes,
        total: total.clone(),
    };
    let (own, from) = (record.clone(), sources.clone());
    let loading = tokio::task::spawn_blocking(move || load::run(&own.loader, &from, &to));
    let mut gathered = Gathered {
        ctx,
        draft: Draft::new(ctx),
        files: BTreeMap::new(),
        left: Left::default(),
        rows: Vec::new(),
    };
    let result = gathered
        .all(record.kind(), receive, &mut placer, &total, progress)
        .await;
    // The loader's error says more than that samples stopped coming; and it must have ended before its files go.
    let loaded = loading.await.context("A loader ended without an answer")?;
    result?;
    let loaded = loaded?;
    gathered.finish(payload, loaded, placer, progress).await
}

/// Labels that lie apart from their pictures.
async fn placer(
    payload: &Payload,
    sources: &Arc<Sources>,
    limit: u64,
    progress: &Progress,
) -> anyhow::Result<Option<Placer>> {
    let Loader::Coco(coco) = &payload.record.loader else {
        return Ok(None);
    };
    progress.report(0, 0, "Reading the annotations").await?;
    let (coco, task, sources, own) = (
        coco.clone(),
        payload.record.task,
        sources.clone(),
        progress.clone(),
    );
    let read = tokio::task::spawn_blocking(move || Placer::read(&coco, task, &sources, limit, &own));
    Ok(Some(read.await.context("The annotations could not be read")??))
}

struct Gathered<'a> {
    ctx: &'a Context,
    draft: Draft<'a>,
    files: BTreeMap<String, Entry>,
    left: Left,
    /// Blobs that are not noted yet.
    rows: Vec<(Digest, i64, String)>,
}

impl Gathered<'_> {
    async fn all(
        &mut self,
        kind: DatasetKind,
        receive: mpsc::Receiver<Sample>,
        placer: &mut Option<Placer>,
        total: &AtomicI64,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let ctx = self.ctx.clone();
        let samples = futures::stream::unfold(receive, |mut receive| async move {
            receive.recv().await.map(|sample| (sample, receive))
        });
        let mut checked = samples
            .map(move |sample| checked(ctx.clone(), kind, sample))
            .buffered(AT_ONCE)
            .boxed();
        let mut done = 0;
        while let Some(next) = checked.next().await {
            let (entry, category) = next?;
            done += 1;
            progress
                .report(done, total.load(Ordering::Relaxed).max(0), "Converting")
                .await?;
            match entry {
                Ok(entry) => self.add(entry, category, placer.as_mut()).await?,
                Err(out) => self.left.add(out),
            }
        }
        note_blobs(self.ctx, std::mem::take(&mut self.rows)).await
    }

    async fn add(
        &mut self,
        mut entry: Entry,
        category: Option<String>,
        placer: Option<&mut Placer>,
    ) -> anyhow::Result<()> {
        self.rows.push((
            entry.blob.into(),
            i64::try_from(entry.size)?,
            entry.media_type.clone(),
        ));
        if self.rows.len() >= ROWS {
            note_blobs(self.ctx, std::mem::take(&mut self.rows)).await?;
        }
        let key = entry.key();
        if let Some(other) = self.files.get(&key) {
            self.left.case.push(format!("{} ({})", entry.path, other.path));
            return Ok(());
        }
        if self.files.len() >= FILES_MAX {
            return Err(Permanent(format!("There are more than {FILES_MAX} files in it.")).into());
        }
        let labels = match (placer, category) {
            (Some(placer), _) => placer.said(&entry),
            (None, Some(category)) => Labels {
                labels: vec![Label {
                    category,
                    shape: Shape::Whole,
                    source: Source::Import,
                    score: None,
                    attributes: limn_domain::Attributes::new(),
                    group: None,
                    relations: Vec::new(),
                }],
                ..Labels::default()
            },
            (None, None) => Labels::default(),
        };
        entry.labels = self.draft.labels(&labels).await?;
        entry.categories = labels.counts();
        self.files.insert(key, entry);
        Ok(())
    }

    async fn finish(
        mut self,
        payload: &Payload,
        loaded: load::Loaded,
        placer: Option<Placer>,
        progress: &Progress,
    ) -> anyhow::Result<VersionOutcome> {
        let record = &payload.record;
        if self.files.is_empty() {
            return Err(Permanent(empty(record.kind(), &self.left, "what was fetched")).into());
        }
        let count = self.files.len();
        let (mut builder, mut tally) = (Builder::default(), Tally::default());
        for (n, entry) in std::mem::take(&mut self.files).into_values().enumerate() {
            tally.add(&entry);
            builder.push(entry)?;
            if builder.waiting() >= NODES {
                progress
                    .report(n as i64, count as i64, "Writing the version")
                    .await?;
                self.draft.nodes(builder.take()).await?;
            }
        }
        let built = builder.finish();
        self.draft.nodes(built.nodes).await?;
        progress.report(0, 0, "Finishing").await?;
        let mut notes = loaded.notes;
        let left = &self.left;
        finding(&mut notes, &left.unfit, unfit(record.kind()));
        finding(
            &mut notes,
            &left.unreadable,
            "could not be read and were left out",
        );
        finding(
            &mut notes,
            &left.names,
            "have names that cannot be used and were left out",
        );
        finding(
            &mut notes,
            &left.case,
            "differ from another in the case of their path alone, or have its path, and were left out",
        );
        let schema = match &placer {
            Some(p) => Some((p.categories.clone(), p.attributes.clone())),
            None => loaded.categories.map(|c| (c, Vec::new())),
        };
        let schema = schema.map(|(categories, attributes)| Schema {
            // Captions are attributes; there is nothing to label.
            task: record
                .task
                .labels()
                .filter(|_| record.task != CatalogueTask::ImageCaptioning),
            categories,
            attributes,
            relations: Vec::new(),
        });
        if let Some(placer) = placer {
            notes.extend(placer.notes());
        }
        let made = Made {
            dataset: payload.dataset.id,
            kind: record.kind(),
            files: built.root,
            schema,
            tally,
            note: String::new(),
            by: payload.user,
            by_name: payload.user_name.clone(),
            from: vec![LineageNode::Catalogue {
                slug: record.slug.clone(),
                name: record.name.clone(),
            }],
            how: format!("{count} files fetched and converted ({})", record.loader.name()),
            notes,
        };
        self.draft
            .finish_in(made, Some(payload.dataset.clone().into()))
            .await
            .map_err(gone)
    }
}

/// A sample with its bytes in the store; its category.
async fn checked(
    ctx: Context,
    kind: DatasetKind,
    sample: Sample,
) -> anyhow::Result<(Result<Entry, Out>, Option<String>)> {
    let entry = match sample.content {
        Content::Picture {
            staged,
            width,
            height,
        } => {
            let mut entry = plain(&sample.path, &staged);
            "image/png".clone_into(&mut entry.media_type);
            (entry.width, entry.height) = (width, height);
            ctx.blobs.commit(staged).await?;
            Ok(entry)
        }
        Content::File(staged) => {
            let path = sample.path;
            take(&ctx, kind, Piece { path, staged }).await?
        }
    };
    let entry = entry.map(|e| Entry {
        split: sample.split,
        ..e
    });
    Ok((entry, sample.category))
}
