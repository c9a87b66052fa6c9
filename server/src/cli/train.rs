//! `train`: a network on a version of a dataset, followed to its end.

use super::api::Client;
use super::{Remote, dataset, print, watch};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use limn_domain::JobId;
use limn_domain::job::{Job, JobState};
use limn_domain::training::{NewTraining, TrainTask, Training, TrainingOffer};
use reqwest::Method;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct TrainCommand {
    #[command(flatten)]
    remote: Remote,
    /// The dataset, by name or id
    #[arg(long)]
    dataset: String,
    /// Number, alias, `latest` or digest
    #[arg(long, default_value = "latest")]
    version: String,
    /// What to learn
    #[arg(long, value_parser = PossibleValuesParser::new(TrainTask::ALL.map(TrainTask::as_str)).try_map(|s| s.parse::<TrainTask>()))]
    task: TrainTask,
    /// Where to begin, of classifications: a registered model with the weights of a ResNet (18, 34 or 50 layers), which learn on; with nothing when left out
    #[arg(long, value_name = "NAME/VERSION")]
    backbone: Option<String>,
    /// Steps; as many as the pictures deserve when left out
    #[arg(long)]
    steps: Option<i64>,
    /// The same seed gives the same model on the same kind of machine
    #[arg(long, default_value_t = 1)]
    seed: i64,
    /// The experiment to log to; the dataset's name when left out
    #[arg(long)]
    experiment: Option<String>,
    /// The registered model to make a version of
    #[arg(long)]
    model: Option<String>,
    /// Register nothing
    #[arg(long, conflicts_with = "model")]
    no_register: bool,
    /// Hold pictures back by content, also where the version has splits
    #[arg(long)]
    ignore_splits: bool,
    /// Keep example pictures with the run, which the whole studio sees, also of a private dataset
    #[arg(long)]
    examples: bool,
    /// Keep none, whatever the dataset is
    #[arg(long, conflicts_with = "examples")]
    no_examples: bool,
    /// Only start it
    #[arg(long)]
    detach: bool,
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Starts a training and follows it. Ctrl-C cancels it and waits until the server has let go; a second one leaves at once.
pub async fn run(command: TrainCommand) -> Result<()> {
    let client = Client::new(&command.remote)?;
    let version = dataset::version(&client, &command.dataset, &command.version).await?;
    let base = command.remote.url.trim_end_matches('/').to_owned();
    let offer: TrainingOffer = client
        .get(&format!("/api/v1/versions/{}/trainings", version.id))
        .await?;
    let input = NewTraining {
        task: command.task,
        experiment: command.experiment,
        model: command.model,
        register: !command.no_register,
        backbone: command.backbone,
        steps: command.steps,
        seed: command.seed,
        use_splits: !command.ignore_splits,
        examples: match (command.examples, command.no_examples) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
    };
    let started: Training = client
        .post(&format!("/api/v1/versions/{}/trainings", version.id), &input)
        .await?;
    if let Some(of) = offer.tasks.iter().find(|t| t.task == input.task) {
        let parts = if input.use_splits {
            of.parts
        } else {
            of.parts_without_splits
        };
        let suits = match &input.backbone {
            Some(_) => of.backbone_steps.unwrap_or(of.steps),
            None => of.steps,
        };
        eprintln!(
            "{} v{} ({}): {} pictures to learn from, {} held back, {} categories, {} steps",
            offer.dataset,
            offer.number,
            &version.digest.as_str()[..12],
            parts.train,
            parts.valid,
            of.categories,
            input.steps.unwrap_or(suits)
        );
    }
    let link = format!("{base}/runs/{}", started.run_id);
    eprintln!("Run {}: {link}", started.run_name);
    if command.detach {
        return outcome(&started, None, command.json, &link);
    }
    let job = follow(&client, started.job.id, &link).await?;
    let figures = figures(&client, &started.run_id).await?;
    if !command.json {
        for (key, value) in &figures {
            print(&format!("{key}\t{value:.4}"))?;
        }
    }
    match job.state {
        JobState::Succeeded => {
            if let Some(result) = &job.result
                && let (Some(name), Some(n)) = (result["model"].as_str(), result["model_version"].as_i64())
            {
                let at = format!("{base}/models/{}/versions/{n}", super::api::encode(name));
                eprintln!("Registered as {name} v{n}: {at}");
            }
            outcome(&started, Some((&job, &figures)), command.json, &link)
        }
        JobState::Cancelled => bail!("the training was cancelled; its run is {link}"),
        _ => bail!(
            "{} Its run is {link}",
            job.error.as_deref().unwrap_or("the training failed.")
        ),
    }
}

/// The run on stdout, for scripts.
fn outcome(started: &Training, done: Option<(&Job, &[(String, f64)])>, json: bool, link: &str) -> Result<()> {
    if !json {
        return print(link);
    }
    let (job, figures) = done.unzip();
    let figures: serde_json::Map<String, serde_json::Value> = figures
        .unwrap_or_default()
        .iter()
        .map(|(k, v)| (k.clone(), serde_json::json!(v)))
        .collect();
    print(&serde_json::to_string_pretty(&serde_json::json!({
        "run_id": started.run_id,
        "run_name": started.run_name,
        "experiment_id": started.experiment_id,
        "job_id": started.job.id,
        "url": link,
        "result": job.and_then(|j| j.result.clone()),
        "figures": figures,
    }))?)
}

/// Waits until the job ends.
async fn follow(client: &Client, id: JobId, link: &str) -> Result<Job> {
    let line = watch::Line::new();
    let mut cancelled = false;
    loop {
        let job: Job = client.get(&format!("/api/v1/jobs/{id}")).await?;
        match job.state {
            s if s.is_final() => {
                line.finish(&format!("{}: {}", job.title, s.label().to_lowercase()));
                return Ok(job);
            }
            JobState::Queued => line.show("Waiting for its turn"),
            _ if cancelled => line.show("Cancelling"),
            _ if job.total > 0 && !job.message.starts_with("Step") => {
                line.show(&format!("{} ({} of {})", job.message, job.done, job.total));
            }
            _ => line.show(&job.message),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(700)) => {}
            stopped = tokio::signal::ctrl_c() => {
                stopped.context("Ctrl-C cannot be heard")?;
                if cancelled {
                    bail!("left; the training ends on its own: {link}");
                }
                cancelled = true;
                let request = client.request(Method::POST, &format!("/api/v1/jobs/{id}/cancel"))?;
                // It may have ended this very moment.
                if let Err(e) = client.send(request).await {
                    eprintln!("\n{e:#}");
                }
            }
        }
    }
}

/// The latest figures of a run, through the tracking protocol.
async fn figures(client: &Client, run: &str) -> Result<Vec<(String, f64)>> {
    let answer: serde_json::Value = client
        .get(&format!("/api/2.0/mlflow/runs/get?run_id={run}"))
        .await?;
    let mut all: Vec<(String, f64)> = answer["run"]["data"]["metrics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|m| Some((m["key"].as_str()?.to_owned(), m["value"].as_f64()?)))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}
