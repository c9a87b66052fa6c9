//! Learning from labels.

use super::Run;
use super::look::Looked;
use crate::Error;
use crate::assist::port::{LabeledItem, Training};
use limn_domain::CategoryId;
use limn_domain::item::ItemStatus;
use limn_store::Json;
use limn_store::repo;
use limn_store::repo::assist::{AssistRow, ModelRow};
use std::collections::HashMap;
use std::time::Instant;

pub(super) struct Learned {
    /// The newest model that fits the descriptions.
    pub model: Option<ModelRow>,
    /// Labels of the holdout.
    pub holdout: usize,
    /// Items done when the labels were read.
    pub done: i64,
    /// Whether it was tried to train.
    pub tried: bool,
    /// Why there is no new model.
    pub note: String,
    /// The model is of a first, short training, and a full one is to follow at once.
    pub is_first: bool,
}

pub(super) async fn learn(
    run: &Run<'_>,
    row: &AssistRow,
    looked: &Looked,
    train: bool,
) -> anyhow::Result<Learned> {
    let mut tx = run.ctx.db.read().await?;
    let labels = repo::assist::labels(&mut tx, run.project).await?;
    let done = repo::item::counter::progress(&mut tx, run.project).await?.done;
    let latest = repo::assist::latest_model(&mut tx, run.project).await?;
    drop(tx);
    let place: HashMap<CategoryId, usize> = run.categories.iter().enumerate().map(|(n, c)| (*c, n)).collect();
    let mut items = Vec::new();
    for seen in looked.items.iter().filter(|s| s.item.status == ItemStatus::Done) {
        let Some(features) = &seen.features else { continue };
        let said = labels.get(&seen.item.id);
        // No category is an answer where an item can have any number.
        if said.is_none() && !run.task.takes_any() {
            continue;
        }
        let categories = said
            .into_iter()
            .flatten()
            .filter_map(|c| place.get(c).copied())
            .collect();
        items.push(LabeledItem {
            features: features.clone(),
            categories,
            holdout: seen.holdout,
            unseen: !seen.item.proposed,
        });
    }
    let holdout = items.iter().filter(|i| i.holdout && i.unseen).count();
    let usable = latest.filter(|m| m.encoder_key == looked.encoder_key && !m.head.is_empty());
    // One of other descriptions is of no use: it has to be trained, unless never.
    let stale = usable.is_none() && row.settings.retrain != limn_domain::assist::Retrain::Never;
    if !train && !stale {
        return Ok(Learned {
            model: usable,
            holdout,
            done,
            tried: false,
            note: row.note.clone(),
            is_first: false,
        });
    }
    run.progress
        .report(0, 0, format!("Learning from {} labels", items.len()))
        .await?;
    let labeled = items.len() as i64;
    let training = Training {
        items,
        categories: run.categories.clone(),
        parents: run.parents(&run.categories),
        multi: run.task.takes_any(),
        accuracy: run.settings.accuracy,
        seed: 1,
    };
    let began = Instant::now();
    let trained = run
        .on_thread(move |engine, stop| engine.train(&training, stop))
        .await?;
    let trained = match trained {
        Ok(trained) => trained,
        Err(note) => {
            return Ok(Learned {
                model: usable,
                holdout,
                done,
                tried: true,
                note,
                is_first: false,
            });
        }
    };
    let model = ModelRow {
        version: 0,
        encoder_key: looked.encoder_key.clone(),
        categories: Json(run.categories.clone()),
        thresholds: Json(trained.thresholds),
        head: trained.head,
        figures: Json(trained.figures),
        labels: labeled,
        millis: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        trained_at: run.ctx.now(),
        registered: None,
    };
    let model = kept(run, model).await?;
    Ok(Learned {
        model: Some(model),
        holdout,
        done,
        tried: true,
        note: String::new(),
        is_first: false,
    })
}

/// Keeps a model as [`noted`] does, and registers it where that is wished.
pub(super) async fn kept(run: &Run<'_>, model: ModelRow) -> anyhow::Result<ModelRow> {
    let model = noted(run, model).await?;
    if run.settings.register {
        super::keep::keep(run, &model).await?;
    }
    Ok(model)
}

/// Keeps a model under the next version, and says so in the log.
pub(super) async fn noted(run: &Run<'_>, mut model: ModelRow) -> anyhow::Result<ModelRow> {
    let (project, row) = (run.project, model.clone());
    model.version = run
        .ctx
        .db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::assist::insert_model(tx, project, &row).await?) })
        })
        .await?;
    let accuracy = model.figures.accuracy.value().unwrap_or_default();
    run.progress
        .log(format!(
            "Model {} learned from {} labeled items in {} ms: {:.1} % right.",
            model.version,
            model.labels,
            model.millis,
            accuracy * 100.0
        ))
        .await?;
    Ok(model)
}
