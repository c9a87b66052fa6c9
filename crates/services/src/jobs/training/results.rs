//! What comes of a training: files of the run, its last figures, a version of a registered model.

use super::{Parts, Work, draw, log_text};
use crate::artifacts::{Artifacts, Owner};
use crate::models::Models;
use crate::runs::Runs;
use crate::training::port::{Examples as _, TrainedNet};
use anyhow::Context as _;
use bytes::Bytes;
use limn_domain::model::{ModelVersion, NewModelVersion};
use limn_domain::run::{NewPoint, RunBatch, RunStatus, Tags};
use limn_domain::training::{
    CategoryFigure, Confusion, Figures, ModelCategories, ModelCategory, ShownExample, TrainTask, file,
};
use limn_jobs::Permanent;
use limn_store::repo;
use std::fmt::Write as _;
use std::sync::Arc;

/// Rows of the model card's table.
const CARD_ROWS: usize = 200;
/// What stands for nothing in a confusion matrix, where objects or pixels are found.
const NOTHING: &str = "nothing";

impl Work<'_> {
    /// Keeps everything. Safe to do again after a crash in the middle: files are replaced, and a version is registered once.
    pub(super) async fn results(&self, net: &TrainedNet, parts: &Parts) -> anyhow::Result<serde_json::Value> {
        let steps = self.payload.input.steps.unwrap_or(1);
        self.progress
            .report(steps, steps, "Writing down what came of it")
            .await?;
        if net.by_category.len() != self.categories.len() || net.threshold.len() != self.categories.len() {
            return Err(Permanent(
                "The network that was trained says nothing of some categories; that is a fault of the program. Report it.".to_owned(),
            )
            .into());
        }
        let figures = self.figures(net, parts.valid.len() as i64);
        self.put(&in_model(file::MODEL), net.model.clone()).await?;
        let about = self.about(net);
        self.put(&in_model(file::CATEGORIES), serde_json::to_vec_pretty(&about)?)
            .await?;
        let card = self.card(&figures, parts);
        self.put(&in_model(file::CARD), card.clone().into_bytes()).await?;
        self.put(file::FIGURES, serde_json::to_vec_pretty(&figures)?)
            .await?;
        if !net.confusion.is_empty() {
            let confusion = self.confusion(net);
            self.put(file::CONFUSION, serde_json::to_vec(&confusion)?).await?;
            self.put(file::CONFUSION_CSV, csv(&confusion).into_bytes())
                .await?;
        }
        if self.payload.input.examples == Some(true) {
            self.examples(net, parts).await?;
        }
        self.last_figures(net).await?;
        let registered = self.register(card).await?;
        let main = self.payload.input.task.main_figure();
        let said = match net.figures.iter().find(|(k, _)| main.ends_with(k.as_str())) {
            Some((key, value)) => format!("{key} {value:.3}"),
            None => "no figures, for want of pictures held back".to_owned(),
        };
        let line = match registered {
            Some(v) => format!("Trained: {said}. Registered as {} v{}.", v.model_name, v.number),
            None => format!("Trained: {said}."),
        };
        // Jobs are cleared away in time, a run keeps its log.
        let log = log_text(self.ctx, self.payload.run, &line).await?;
        self.put(file::LOG, log.into_bytes()).await?;
        Runs::new(self.ctx.clone())
            .finish(&self.actor, self.payload.run, RunStatus::Finished)
            .await?;
        self.progress.log(line).await?;
        self.result().await
    }

    /// The job's result.
    pub(super) async fn result(&self) -> anyhow::Result<serde_json::Value> {
        let registered = self.registered().await?;
        let mut tx = self.ctx.db.read().await?;
        let run = repo::run::get(&mut tx, self.payload.run).await?;
        Ok(serde_json::json!({
            "run_id": self.payload.run.hex(),
            "experiment_id": run.map(|r| r.experiment_id),
            "model": registered.as_ref().map(|v| v.model_name.clone()),
            "model_version": registered.as_ref().map(|v| v.number),
        }))
    }

    async fn put(&self, path: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
        Artifacts(self.ctx.clone())
            .put_bytes(
                &self.actor,
                Owner::Run(self.payload.run),
                path,
                Bytes::from(bytes),
            )
            .await
            .with_context(|| format!("`{path}` cannot be kept"))
    }

    fn figures(&self, net: &TrainedNet, pictures: i64) -> Figures {
        let finite = |v: f64| v.is_finite().then_some(v);
        Figures {
            task: self.payload.input.task,
            figures: net
                .figures
                .iter()
                .filter(|(_, v)| v.is_finite())
                .cloned()
                .collect(),
            by_category: self
                .categories
                .iter()
                .zip(&net.by_category)
                .zip(&net.threshold)
                .map(|((c, figure), threshold)| CategoryFigure {
                    category: c.path.clone(),
                    color: c.color.clone(),
                    figure: figure.and_then(finite),
                    threshold: f64::from(*threshold),
                })
                .collect(),
            pictures,
        }
    }

    fn about(&self, net: &TrainedNet) -> ModelCategories {
        let task = self.payload.input.task;
        ModelCategories {
            task,
            trainer: self.trainer.version().to_owned(),
            side: self.side(),
            categories: self
                .categories
                .iter()
                .zip(&net.threshold)
                .map(|(c, threshold)| ModelCategory {
                    name: c.path.clone(),
                    color: c.color.clone(),
                    threshold: f64::from(*threshold),
                })
                .collect(),
        }
    }

    fn confusion(&self, net: &TrainedNet) -> Confusion {
        let mut names: Vec<String> = self.categories.iter().map(|c| c.path.clone()).collect();
        if net.confusion.len() > names.len() {
            names.push(NOTHING.to_owned());
        }
        Confusion {
            names,
            rows: net.confusion.clone(),
        }
    }

    async fn examples(&self, net: &TrainedNet, parts: &Parts) -> anyhow::Result<()> {
        let (task, valid) = (self.payload.input.task, Arc::clone(&parts.valid));
        let (predictions, thresholds) = (net.predictions.clone(), net.threshold.clone());
        let categories = self.categories.clone();
        let (trainer, model) = (Arc::clone(&self.trainer), net.model.clone());
        let made = tokio::task::spawn_blocking(move || {
            let cutter = match task {
                TrainTask::InstanceSegmentation => Some(trainer.load(&model)?),
                _ => None,
            };
            let said = draw::Said {
                task,
                predictions: &predictions,
                cutter: cutter.as_deref(),
                categories: &categories,
                thresholds: &thresholds,
            };
            draw::examples(&valid, &said)
        })
        .await?
        .map_err(|e| Permanent(e.to_string()))?;
        let mut shown: Vec<ShownExample> = Vec::with_capacity(made.len());
        for example in made {
            self.put(&example.shown.file, example.jpeg).await?;
            shown.push(example.shown);
        }
        if !shown.is_empty() {
            self.put(file::EXAMPLES, serde_json::to_vec_pretty(&shown)?)
                .await?;
        }
        Ok(())
    }

    /// Figures of the finished network, where the last judgement was not logged at the last step already.
    async fn last_figures(&self, net: &TrainedNet) -> anyhow::Result<()> {
        let run = self.payload.run;
        let (step, at) = (self.payload.input.steps.unwrap_or(1), self.ctx.now().0 / 1000);
        let known = repo::metric::of_run(&mut self.ctx.db.read().await?, run).await?;
        let metrics = net
            .figures
            .iter()
            .map(|(key, value)| NewPoint::new(format!("valid_{key}"), step, at, *value))
            .filter(|p| known.iter().all(|(m, _)| m.key != p.key || m.last.step < step))
            .collect();
        let batch = RunBatch {
            metrics,
            ..RunBatch::default()
        };
        Runs::new(self.ctx.clone()).log(&self.actor, run, batch).await?;
        Ok(())
    }

    async fn registered(&self) -> anyhow::Result<Option<ModelVersion>> {
        let Some(name) = &self.payload.model else {
            return Ok(None);
        };
        let all = Models(self.ctx.clone())
            .of_run(&crate::Actor::System, self.payload.run)
            .await?;
        Ok(all.into_iter().find(|v| v.model_name == *name))
    }

    async fn register(&self, card: String) -> anyhow::Result<Option<ModelVersion>> {
        let Some(name) = self.payload.model.clone() else {
            return Ok(None);
        };
        if let Some(there) = self.registered().await? {
            return Ok(Some(there));
        }
        let task = self.payload.input.task.as_str();
        let mut tags = Tags::from([("limn.task".to_owned(), task.to_owned())]);
        if let Some(start) = &self.start {
            tags.insert("limn.backbone".to_owned(), start.name.clone());
        }
        let new = NewModelVersion {
            name,
            run_id: Some(self.payload.run),
            path: file::MODEL_DIR.to_owned(),
            description: card,
            tags,
            ..NewModelVersion::default()
        };
        Ok(Some(Models(self.ctx.clone()).register(&self.actor, new).await?))
    }

    /// The model card: what it says, what it learned from, how good it is, and what it is not for.
    fn card(&self, figures: &Figures, parts: &Parts) -> String {
        let task = self.payload.input.task;
        let says = match task {
            TrainTask::Detection => "where objects are in a picture, as boxes with a category each",
            TrainTask::InstanceSegmentation => {
                "where objects are in a picture and which pixels are theirs, with a category each"
            }
            TrainTask::Classification => "which one category a picture has",
            TrainTask::Multilabel => "which categories a picture has",
            TrainTask::Segmentation => "which category every pixel of a picture has",
        };
        let mut card = format!("Says {says}.\n\n");
        let mut line = |text: String| {
            let _ = writeln!(card, "{text}");
        };
        line("| | |\n|---|---|".to_owned());
        line(format!(
            "| learned from | {}, version {} |",
            plain(&self.dataset.name),
            self.version.number
        ));
        line(format!("| its digest | `{}` |", self.version.digest));
        if let Some(start) = &self.start {
            line(format!(
                "| began with | {}, weights of a {} |",
                plain(&start.name),
                start.tuning.network
            ));
        }
        line(format!("| pictures learned from | {} |", parts.train.len()));
        line(format!("| pictures held back | {} |", parts.valid.len()));
        line(format!(
            "| steps, seed | {}, {} |",
            self.payload.input.steps.unwrap_or(1),
            self.payload.input.seed
        ));
        line(format!("| made by | {} |\n", self.trainer.version()));
        if figures.figures.is_empty() {
            line("No pictures were held back, so nobody knows how good it is. Try it on pictures that it has not seen.\n".to_owned());
        } else {
            line("On the pictures held back:\n\n| figure | |\n|---|---|".to_owned());
            for (key, value) in &figures.figures {
                line(format!("| {key} | {value:.4} |"));
            }
            line(format!("\n| category | {} |\n|---|---|", task.category_figure()));
            for c in figures.by_category.iter().take(CARD_ROWS) {
                let value = c
                    .figure
                    .map_or_else(|| "none to be found".to_owned(), |v| format!("{v:.4}"));
                line(format!("| {} | {value} |", plain(&c.category)));
            }
            line(String::new());
        }
        let few = parts.valid.len() < 50;
        line("**Limits.** It knows these categories alone, and pictures like those it learned from; of others it may be sure and wrong.".to_owned());
        if few && !figures.figures.is_empty() {
            line(format!(
                "The figures come from {} pictures; with so few they may be off by much.",
                parts.valid.len()
            ));
        }
        line(format!(
            "\n`{}` is read by Limn: `POST /api/v1/models/NAME/versions/NUMBER/predict` with a picture as the body.",
            file::MODEL
        ));
        card
    }
}

fn in_model(name: &str) -> String {
    format!("{}/{name}", file::MODEL_DIR)
}

/// A name within a table of Markdown.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c == '|' || c.is_control() { ' ' } else { c })
        .collect::<String>()
        .replace(['<', '>', '`', '[', ']', '*'], " ")
}

/// The matrix as a table for people: rows are what is right, columns what was said. The JSON beside it has the names as they are.
fn csv(confusion: &Confusion) -> String {
    let cell = |text: &str| {
        // To spreadsheets it would be a formula, in quotes too. Left off, two names could become one.
        let sign = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            "'"
        } else {
            ""
        };
        format!("\"{sign}{}\"", text.replace('"', "\"\""))
    };
    let mut out = String::from("\"right \\ said\"");
    for name in &confusion.names {
        let _ = write!(out, ",{}", cell(name));
    }
    out.push('\n');
    for (name, row) in confusion.names.iter().zip(&confusion.rows) {
        out.push_str(&cell(name));
        for n in row {
            let _ = write!(out, ",{n}");
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_table_are_no_formulas_and_stay_apart() {
        let names = ["=1+1", "1+1", "-1", "a \"b\", c"];
        let confusion = Confusion {
            names: names.map(str::to_owned).to_vec(),
            rows: vec![vec![1, 0, 0, 0]; 4],
        };
        let table = csv(&confusion);
        let head = table.lines().next().unwrap_or_default();
        assert_eq!(head, r#""right \ said","'=1+1","1+1","'-1","a ""b"", c""#);
        assert_eq!(table.lines().nth(1), Some(r#""'=1+1",1,0,0,0"#));
    }
}
