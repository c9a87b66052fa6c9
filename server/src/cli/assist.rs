//! `assist`: the model that learns while people label.

use super::api::Client;
use super::{Remote, print, watch};
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use limn_domain::assist::{
    Assist, AssistOrder, Basis, Retrain, Share, UpdateAssist, finds_instances, finds_masks, finds_spans,
};
use limn_domain::job::Job;
use limn_domain::project::Task;
use limn_domain::{CategoryId, ProjectId};
use reqwest::Method;
use std::collections::HashMap;

#[derive(Debug, Subcommand)]
pub enum AssistCommand {
    /// What it does, and how good it is
    Status {
        #[command(flatten)]
        of: Of,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Train now and wait for it
    Train {
        #[command(flatten)]
        of: Of,
    },
    /// Change the settings; without options, show them
    Settings {
        #[command(flatten)]
        of: Of,
        /// Turn it on or off
        #[arg(long, value_name = "on|off", value_parser = PossibleValuesParser::new(["on", "off"]).map(|s| s == "on"))]
        enabled: Option<bool>,
        /// Accuracy that proposals must meet, 0.5 to 0.999
        #[arg(long, value_name = "SHARE")]
        accuracy: Option<f64>,
        /// In which order other items come
        #[arg(long, value_parser = PossibleValuesParser::new(AssistOrder::ALL.map(AssistOrder::as_str)).try_map(|s| s.parse::<AssistOrder>()))]
        order: Option<AssistOrder>,
        /// When to train anew
        #[arg(long, value_parser = PossibleValuesParser::new(Retrain::ALL.map(Retrain::as_str)).try_map(|s| s.parse::<Retrain>()))]
        retrain: Option<Retrain>,
        /// New labels between trainings by schedule
        #[arg(long, value_name = "LABELS")]
        every: Option<i64>,
        /// Keep every model in the registry, which the whole studio sees
        #[arg(long, value_name = "on|off", value_parser = PossibleValuesParser::new(["on", "off"]).map(|s| s == "on"))]
        register: Option<bool>,
        /// What describes the pictures: a registered network (ResNet, MobileNet, ViT, ONNX), or nothing for their own patches
        #[arg(long, value_name = "NAME/VERSION")]
        backbone: Option<String>,
        /// What finds objects by clicks on the label page: a registered pair of encoder.onnx and decoder.onnx, or nothing
        #[arg(long, value_name = "NAME/VERSION")]
        segmenter: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct Of {
    #[command(flatten)]
    remote: Remote,
    /// The project, by name or id
    #[arg(long)]
    project: String,
}

struct Place {
    client: Client,
    project: ProjectId,
    task: Task,
    path: String,
}

impl Of {
    async fn place(&self) -> Result<Place> {
        let client = Client::new(&self.remote)?;
        let found = client.project(&self.project).await?.summary;
        let project = found.id;
        let path = format!("/api/v1/projects/{project}/assist");
        Ok(Place {
            client,
            project,
            task: found.task,
            path,
        })
    }
}

/// Runs one command.
pub async fn run(command: AssistCommand) -> Result<()> {
    match command {
        AssistCommand::Status { of, json } => {
            let place = of.place().await?;
            let assist: Assist = place.client.get(&place.path).await?;
            if json {
                return print(&serde_json::to_string_pretty(&assist)?);
            }
            let categories: Vec<limn_domain::category::Category> = place
                .client
                .get(&format!("/api/v1/projects/{}/categories", place.project))
                .await?;
            let names = categories.into_iter().map(|c| (c.id, c.name)).collect();
            print(&status(&assist, place.task, &names))
        }
        AssistCommand::Train { of } => {
            let place = of.place().await?;
            let body = serde_json::json!({});
            let job: Job = place.client.post(&format!("{}/train", place.path), &body).await?;
            watch::job(&place.client, job.id).await?;
            let assist: Assist = place.client.get(&place.path).await?;
            print(&assist.message)
        }
        AssistCommand::Settings {
            of,
            enabled,
            accuracy,
            order,
            retrain,
            every,
            register,
            backbone,
            segmenter,
        } => {
            let place = of.place().await?;
            let change = UpdateAssist {
                enabled,
                accuracy,
                order,
                retrain,
                every,
                register,
                backbone,
                segmenter,
            };
            let request = place.client.request(Method::PATCH, &place.path)?.json(&change);
            let assist: Assist = place.client.send(request).await?.json().await?;
            print(&settings(&assist))
        }
    }
}

fn settings(a: &Assist) -> String {
    let s = &a.settings;
    format!(
        "assist\t{}\naccuracy\t{}\norder\t{}\nretrain\t{}\nevery\t{}\nregister\t{}\nbackbone\t{}\nsegmenter\t{}",
        if s.enabled { "on" } else { "off" },
        s.accuracy,
        s.order.as_str(),
        s.retrain.as_str(),
        s.every,
        if s.register { "on" } else { "off" },
        s.backbone
            .as_ref()
            .map_or_else(|| "built in".to_owned(), ToString::to_string),
        s.segmenter
            .as_ref()
            .map_or_else(|| "none".to_owned(), ToString::to_string),
    )
}

fn status(a: &Assist, task: Task, names: &HashMap<CategoryId, String>) -> String {
    let mut out = vec![a.message.clone()];
    let i = &a.items;
    out.push(format!(
        "to do {}: {} prelabeled, {} clustered, {} manual; {} of {} {} looked at",
        i.todo,
        i.prelabeled,
        i.clustered,
        i.manual,
        i.seen,
        i.total,
        task.media().nouns().1
    ));
    if let Some(m) = &a.model {
        let f = &m.figures;
        out.push(format!(
            "model {}: learned from {} labels; {} right {}",
            m.version,
            f.trained_on,
            share(&f.accuracy),
            match f.basis {
                Basis::Holdout => "on the holdout",
                Basis::CrossValidated => "by cross-validation",
            }
        ));
        if finds_instances(task) {
            let ap = f.map50.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
            out.push(format!(
                "instances: mask mAP50 {ap}; proposals find {}",
                share(&f.covered)
            ));
            out.push(format!("right when proposed: {}", share(&f.proposed)));
        } else if let Some(ap) = f.map50 {
            out.push(format!(
                "boxes: mAP50 {ap:.3}; proposals find {}",
                share(&f.covered)
            ));
            out.push(format!("right when proposed: {}", share(&f.proposed)));
        } else if finds_masks(task) {
            let iou = f.miou.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
            out.push(format!(
                "masks: mean IoU {iou}; proposals find {}",
                share(&f.covered)
            ));
            out.push(format!("right when proposed: {}", share(&f.proposed)));
        } else if finds_spans(task) {
            out.push(format!("spans: proposals find {}", share(&f.covered)));
            out.push(format!("right when proposed: {}", share(&f.proposed)));
        } else {
            out.push(format!(
                "sure enough: {} of the items, {} of them right",
                share(&f.covered),
                share(&f.proposed)
            ));
        }
        let painted = finds_masks(task);
        let head = "category\tlabels\tfound\tthreshold\tright when proposed";
        out.push(format!("{head}{}", if painted { "\tIoU" } else { "" }));
        for c in &f.categories {
            let iou = c.iou.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
            out.push(format!(
                "{}\t{}\t{}\t{}\t{}{}",
                names.get(&c.category_id).map_or("(removed)", String::as_str),
                c.trained_on,
                share(&c.found),
                c.threshold.map_or_else(|| "-".to_owned(), |t| format!("{t:.3}")),
                share(&c.proposed),
                if painted {
                    format!("\t{iou}")
                } else {
                    String::new()
                }
            ));
        }
        out.extend(f.warnings.iter().map(|w| format!("note: {w}")));
    }
    if let Some(seconds) = a.work.seconds_saved() {
        out.push(format!(
            "{} proposals accepted, {} corrected; {:.0} s of work saved",
            a.work.accepted, a.work.corrected, seconds
        ));
    }
    out.join("\n")
}

fn share(s: &Share) -> String {
    match s.value() {
        None => "-".to_owned(),
        Some(v) => format!(
            "{:.1} % ({:.1} to {:.1}, {} of {})",
            v * 100.0,
            s.low * 100.0,
            s.high * 100.0,
            s.right,
            s.of
        ),
    }
}
