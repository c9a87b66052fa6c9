//! Learning to find spans of documents, and proposing those it is sure of. The model is a tagger that learns from nothing in seconds, so it
//! runs among the other jobs.

use super::Run;
use super::learn::{Learned, kept};
use super::look::{self, Looked, Seen};
use super::marks::{self, Found};
use super::place::Said;
use crate::assist::port::{LabeledText, SpanTraining, TEXT_READ, TextSpan};
use crate::jobs::training::yield_to_others;
use limn_domain::item::ItemStatus;
use limn_domain::{CategoryId, Digest, ItemId, Shape, Source};
use limn_jobs::Permanent;
use limn_store::repo::assist::{AssistRow, ModelRow};
use limn_store::{Json, repo};
use std::collections::{HashMap, HashSet};
use std::time::Instant;

/// Characters of all documents together that are learned from at most.
const CHARACTERS_MAX: usize = 20_000_000;
/// Documents that are looked through for spans in one run, in the order of the queue; the others' turn comes as it goes on.
const LOOKED_THROUGH: usize = 10_000;
/// Documents read at once.
const BATCH: usize = 64;
/// Spans proposed for a document.
const SPANS_MAX: usize = 500;

pub(super) async fn learn(
    run: &Run<'_>,
    row: &AssistRow,
    looked: &Looked,
    train: bool,
) -> anyhow::Result<Learned> {
    let (mut learned, tries) = marks::before(run, row, run.engine.span_version(), train).await?;
    learned.holdout = judged(looked);
    if !tries {
        return Ok(learned);
    }
    learned.tried = true;
    let documents = labeled(run, looked).await?;
    let with = |holdout: bool| {
        let own = documents.iter().filter(|d| d.holdout == holdout);
        own.filter(|d| !d.spans.is_empty()).count()
    };
    if let Some(why) = marks::too_few(with(false), with(true), "documents", "spans") {
        learned.note = why;
        return Ok(learned);
    }
    match trained(run, documents).await? {
        Ok(model) => {
            learned.model = Some(kept(run, model).await?);
            learned.note = String::new();
        }
        Err(why) => learned.note = why,
    }
    Ok(learned)
}

/// Labeled documents of the holdout that nobody saw a proposal of.
fn judged(looked: &Looked) -> usize {
    let done = looked.items.iter().filter(|s| s.item.status == ItemStatus::Done);
    done.filter(|s| s.holdout && !s.item.proposed && s.features.is_some())
        .count()
}

/// The labeled documents with what people marked in them. Those of one content are one, which somebody labeled twice.
async fn labeled(run: &Run<'_>, looked: &Looked) -> anyhow::Result<Vec<LabeledText>> {
    let place: HashMap<CategoryId, usize> = run.categories.iter().enumerate().map(|(n, c)| (*c, n)).collect();
    let mut once = HashSet::new();
    let mut done = marks::labeled(looked);
    done.retain(|s| once.insert(&s.item.digest));
    let (mut documents, mut characters) = (Vec::with_capacity(done.len()), 0);
    for part in done.chunks(BATCH) {
        if characters >= CHARACTERS_MAX {
            break;
        }
        run.progress.check()?;
        let ids: Vec<ItemId> = part.iter().map(|s| s.item.id).collect();
        let mut labels = repo::annotation::of_items(&mut run.ctx.db.read().await?, &ids).await?;
        let digests: Vec<Digest> = part.iter().map(|s| s.item.digest.clone()).collect();
        let (names, texts, _) = look::texts(run, &digests).await?;
        let mut of: HashMap<Digest, String> = names.into_iter().zip(texts).collect();
        for seen in part {
            let Some(text) = of.remove(&seen.item.digest) else {
                continue;
            };
            let said = labels.remove(&seen.item.id).unwrap_or_default();
            let spans = said
                .iter()
                .filter(|a| a.source != Source::Prelabel)
                .filter_map(|a| {
                    let (start, end) = a.shape.span()?;
                    let category = *place.get(&a.category_id)?;
                    Some(TextSpan { category, start, end })
                });
            characters += text.len().min(TEXT_READ);
            documents.push(LabeledText {
                spans: spans.collect(),
                text,
                holdout: seen.holdout,
            });
        }
    }
    Ok(documents)
}

/// Trains and judges; the inner error says what is missing, in words.
async fn trained(run: &Run<'_>, documents: Vec<LabeledText>) -> anyhow::Result<Result<ModelRow, String>> {
    let (began, labels) = (Instant::now(), documents.len() as i64);
    run.progress
        .report(0, 0, format!("Learning from {labels} documents"))
        .await?;
    let training = SpanTraining {
        documents,
        categories: run.categories.clone(),
        accuracy: run.settings.accuracy,
        seed: 1,
    };
    let done = run
        .on_thread(move |engine, stop| {
            yield_to_others();
            engine.fit_spans(&training, stop)
        })
        .await?;
    Ok(done.map(|trained| ModelRow {
        version: 0,
        encoder_key: run.engine.span_version().to_owned(),
        categories: Json(run.categories.clone()),
        thresholds: Json(trained.thresholds),
        head: trained.head,
        figures: Json(trained.figures),
        labels,
        millis: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        trained_at: run.ctx.now(),
        registered: None,
    }))
}

/// What the model says of the documents that come next.
pub(super) async fn predict<'a>(
    run: &Run<'_>,
    mut todo: Vec<&'a Seen>,
    model: &ModelRow,
) -> anyhow::Result<(Vec<&'a Seen>, Vec<Said>)> {
    todo.sort_by_key(|s| s.item.queue_rank);
    todo.truncate(LOOKED_THROUGH);
    let mut all = Vec::with_capacity(todo.len());
    for part in todo.chunks(BATCH) {
        run.progress
            .report(all.len() as i64, todo.len() as i64, "Looking for spans")
            .await?;
        let digests: HashSet<&Digest> = part.iter().map(|s| &s.item.digest).collect();
        let digests: Vec<Digest> = digests.into_iter().cloned().collect();
        let (names, texts, _) = look::texts(run, &digests).await?;
        let head = model.head.clone();
        let answers = run
            .on_thread(move |engine, stop| {
                yield_to_others();
                engine.find_spans(&head, &texts, stop)
            })
            .await?
            .map_err(Permanent)?;
        let found: HashMap<Digest, Vec<(TextSpan, f32)>> = names.into_iter().zip(answers).collect();
        for seen in part {
            let of = found.get(&seen.item.digest).map_or(&[][..], Vec::as_slice);
            let spans = of.iter().take(SPANS_MAX).map(|(s, score)| Found {
                category: s.category,
                score: *score,
                shape: Some(Shape::Span {
                    start: s.start,
                    end: s.end,
                }),
            });
            let mut said = marks::told(run, model, spans);
            // As one reads them.
            said.proposals.sort_by_key(|p| p.shape.span());
            all.push(said);
        }
    }
    Ok((todo, all))
}
