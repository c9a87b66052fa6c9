//! Models of the assist as runs of an experiment with registered versions, where the project's managers want that: runs are seen
//! by the whole studio.

use super::Run;
use crate::artifacts::{Artifacts, Owner};
use crate::experiments::Experiments;
use crate::jobs::training::DEVICE_TAG;
use crate::models::Models;
use crate::runs::Runs;
use crate::versions::labels;
use crate::{Actor, Result};
use limn_domain::assist::{Registered, finds_marks, finds_spans, network_of};
use limn_domain::model::{NewModelVersion, check_name};
use limn_domain::project::Task;
use limn_domain::run::{NewPoint, NewRun, RunBatch, RunStatus};
use limn_domain::training::{ModelCategories, ModelCategory, TrainTask, file};
use limn_domain::{CategoryId, RunId};
use limn_store::repo;
use limn_store::repo::assist::ModelRow;
use limn_store::repo::transfer::CategoryHead;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Keeps a model. What goes wrong is said in the job's log and stops nothing: people wait for the proposals.
pub(super) async fn keep(run: &Run<'_>, model: &ModelRow) -> anyhow::Result<()> {
    let line = match kept(run, model).await {
        Ok(r) => format!(
            "Model {} is registered as {} v{}.",
            model.version, r.model, r.version
        ),
        Err(e) => format!(
            "Model {} is not in the registry: {}",
            model.version,
            e.into_api().message
        ),
    };
    run.progress.log(line).await
}

/// What a model is of.
struct About {
    project: String,
    task: Task,
    heads: Vec<CategoryHead>,
    encoder: Option<Vec<u8>>,
    /// Of its categories, with those above them.
    names: HashMap<CategoryId, String>,
}

async fn kept(run: &Run<'_>, model: &ModelRow) -> Result<Registered> {
    let mut tx = run.ctx.db.read().await?;
    let (project, task) = repo::transfer::title(&mut tx, run.project)
        .await?
        .ok_or_else(|| crate::Error::not_found("project"))?;
    let heads = repo::transfer::categories(&mut tx, run.project).await?;
    let encoder = repo::assist::encoder(&mut tx, run.project).await?;
    drop(tx);
    let paths = labels::paths(&heads);
    let names: HashMap<_, _> = model
        .categories
        .iter()
        .map(|c| (*c, paths.get(c).cloned().unwrap_or_else(|| c.to_string())))
        .collect();
    let actor = Actor::System;
    let experiment = Experiments(run.ctx.clone()).ensure(&actor, &project).await?;
    let runs = Runs::new(run.ctx.clone());
    let new = NewRun {
        name: format!("assist model {}", model.version),
        tags: [
            ("mlflow.source.name", "Limn"),
            ("mlflow.source.type", "JOB"),
            ("limn.version", env!("CARGO_PKG_VERSION")),
            ("limn.assist", "true"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into(),
        start_ms: Some(model.trained_at.0 / 1000 - model.millis),
        ..NewRun::default()
    };
    let id = runs.start(&actor, experiment, new).await?.id;
    let about = About {
        project,
        task,
        heads,
        encoder,
        names,
    };
    let done = filled(run, model, &runs, id, about).await;
    if done.is_err() {
        // Nobody will log to it any more. That it cannot be said either is the lesser trouble.
        drop(runs.finish(&actor, id, RunStatus::Failed).await);
    }
    done
}

/// Figures and files of the run, and the version of a model that is made of them.
async fn filled(run: &Run<'_>, model: &ModelRow, runs: &Runs, id: RunId, about: About) -> Result<Registered> {
    let (ctx, actor) = (run.ctx, Actor::System);
    let About {
        project,
        task,
        heads,
        encoder,
        names,
    } = about;
    let f = &model.figures;
    let at = model.trained_at.0 / 1000;
    let figures = [
        ("accuracy", f.accuracy.value()),
        ("proposed_accuracy", f.proposed.value()),
        ("mAP50", f.map50),
        ("mIoU", f.miou),
        ("covered", f.covered.value()),
        ("calibration_error", Some(f.calibration_error)),
        ("labels", Some(model.labels as f64)),
    ];
    // Known since it was trained just now, in this process.
    let trainer = network_of(task).and(ctx.trainer.as_ref());
    let device = trainer.and_then(|t| t.device().ok());
    let batch = RunBatch {
        metrics: figures
            .iter()
            .filter_map(|(key, value)| Some(NewPoint::new(*key, model.version, at, (*value)?)))
            .collect(),
        params: vec![
            ("task".to_owned(), task.as_str().to_owned()),
            ("labels".to_owned(), model.labels.to_string()),
            ("categories".to_owned(), names.len().to_string()),
            ("accuracy_asked".to_owned(), run.settings.accuracy.to_string()),
            ("encoder".to_owned(), model.encoder_key.clone()),
            ("engine".to_owned(), run.engine.version().to_owned()),
        ],
        tags: device.map(|d| (DEVICE_TAG.to_owned(), d)).into_iter().collect(),
    };
    runs.log(&actor, id, batch).await?;
    let card = card(&project, model, &names, finds_marks(task));
    let json = |v: &serde_json::Value| serde_json::to_vec_pretty(v).map_err(anyhow::Error::from);
    let mut files = vec![
        ("model/README.md".to_owned(), card.clone().into_bytes()),
        (
            "assist_figures.json".to_owned(),
            json(&serde_json::to_value(f).map_err(anyhow::Error::from)?)?,
        ),
    ];
    if let Some(learns) = network_of(task) {
        files.extend(network(run, learns, model, &names, &heads)?);
    } else {
        let categories: Vec<_> = model
            .categories
            .iter()
            .zip(model.thresholds.iter())
            .map(|(c, threshold)| serde_json::json!({ "name": names[c], "threshold": threshold }))
            .collect();
        if finds_spans(task) {
            files.push(("model/tagger.bin".to_owned(), model.head.clone()));
        } else {
            files.push(("model/head.bin".to_owned(), model.head.clone()));
            files.push(("model/encoder.bin".to_owned(), encoder.unwrap_or_default()));
        }
        files.push((
            "model/categories.json".to_owned(),
            json(&serde_json::json!(categories))?,
        ));
    }
    for (path, bytes) in files {
        Artifacts(ctx.clone())
            .put_bytes(&actor, Owner::Run(id), &path, bytes.into())
            .await?;
    }
    let clean: String = project.replace(['/', ':'], "-").chars().take(60).collect();
    let name = format!("{clean} assist");
    check_name(&name).map_err(|e| crate::Error::field("name", e))?;
    let new = NewModelVersion {
        name,
        run_id: Some(id),
        path: file::MODEL_DIR.to_owned(),
        description: card,
        ..NewModelVersion::default()
    };
    let made = Models(ctx.clone()).register(&actor, new).await?;
    runs.finish(&actor, id, RunStatus::Finished).await?;
    let registered = Registered {
        run_id: id,
        model: made.model_name,
        version: made.number,
    };
    let (project, version, noted) = (run.project, model.version, registered.clone());
    ctx.db
        .write::<_, crate::Error, _>(move |tx| {
            Box::pin(async move { Ok(repo::assist::set_registered(tx, project, version, &noted).await?) })
        })
        .await?;
    Ok(registered)
}

/// A network as trainings keep it, so that it answers of any picture like theirs. What is not proposed here is worth nothing there.
fn network(
    run: &Run<'_>,
    task: TrainTask,
    model: &ModelRow,
    names: &HashMap<CategoryId, String>,
    heads: &[CategoryHead],
) -> Result<Vec<(String, Vec<u8>)>> {
    let color = |id: &CategoryId| heads.iter().find(|h| h.id == *id).map(|h| h.color.clone());
    let trainer = run.ctx.trainer.as_ref();
    let about = ModelCategories {
        task,
        trainer: model.encoder_key.clone(),
        side: trainer.map_or(0, |t| t.side(task)),
        categories: model
            .categories
            .iter()
            .zip(model.thresholds.iter())
            .map(|(c, threshold)| ModelCategory {
                name: names[c].clone(),
                color: color(c).unwrap_or_default(),
                threshold: threshold.map_or(1.0, f64::from),
            })
            .collect(),
    };
    let about = serde_json::to_vec_pretty(&about).map_err(anyhow::Error::from)?;
    let at = |name: &str| format!("{}/{name}", file::MODEL_DIR);
    Ok(vec![
        (at(file::MODEL), model.head.clone()),
        (at(file::CATEGORIES), about),
    ])
}

fn card(project: &str, model: &ModelRow, names: &HashMap<CategoryId, String>, marks: bool) -> String {
    let f = &model.figures;
    let share = |s: &limn_domain::assist::Share| {
        s.value().map_or_else(
            || "not known yet".to_owned(),
            |v| {
                format!(
                    "{:.1} % ({:.0} to {:.0} %)",
                    v * 100.0,
                    s.low * 100.0,
                    s.high * 100.0
                )
            },
        )
    };
    let mut card = format!(
        "The assist's model {} of the labeling project {}, which learned from {} labels.\n\n",
        model.version,
        project.replace(['|', '<', '>'], " "),
        model.labels
    );
    let _ = writeln!(card, "| | |\n|---|---|");
    let _ = writeln!(card, "| right | {} |", share(&f.accuracy));
    let _ = writeln!(card, "| right among those proposed | {} |", share(&f.proposed));
    let covered = if marks {
        "found by proposals"
    } else {
        "sure enough to be proposed"
    };
    let _ = writeln!(card, "| {covered} | {} |", share(&f.covered));
    if let Some(miou) = f.miou {
        let _ = writeln!(card, "| mean IoU of the categories | {:.1} % |", miou * 100.0);
    }
    let _ = writeln!(card, "| categories | {} |", names.len());
    for warning in &f.warnings {
        let _ = writeln!(card, "\n{warning}");
    }
    card
}
