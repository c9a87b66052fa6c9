//! `model`: lists registered models, brings files as a version, fetches a version.

use super::api::{Client, Refused, encode};
use super::fetch::fetch;
use super::{Remote, print, watch};
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use reqwest::{Body, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const API: &str = "/api/2.0/mlflow";
const FILES: &str = "/api/2.0/mlflow-artifacts/artifacts";
/// The experiment that runs of imports lie in.
const EXPERIMENT: &str = "Imported models";
/// The folder of the run's files that becomes the version.
const FOLDER: &str = "model";

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List registered models with their latest versions
    List {
        #[command(flatten)]
        remote: Remote,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make files the next version of a registered model, which is made when there is none
    Import {
        #[command(flatten)]
        remote: Remote,
        /// The model's name
        #[arg(long)]
        name: String,
        /// What the version is
        #[arg(long, default_value = "")]
        description: String,
        /// Files; of networks for the assist .safetensors, .pth or .onnx
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Fetch all files of a version as a zip
    Download {
        #[command(flatten)]
        remote: Remote,
        /// The model's name
        #[arg(long)]
        name: String,
        /// Number or alias
        #[arg(long)]
        version: String,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Deserialize)]
struct Models {
    #[serde(default)]
    registered_models: Vec<Model>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Debug, Deserialize, serde::Serialize)]
struct Model {
    name: String,
    #[serde(default)]
    latest_versions: Vec<Value>,
    #[serde(default)]
    aliases: Vec<Alias>,
}

#[derive(Debug, Deserialize, serde::Serialize)]
struct Alias {
    alias: String,
    version: String,
}

/// Runs one command.
pub async fn run(command: ModelCommand) -> Result<()> {
    match command {
        ModelCommand::List { remote, json } => list(&Client::new(&remote)?, json).await,
        ModelCommand::Import {
            remote,
            name,
            description,
            files,
        } => import(&Client::new(&remote)?, &name, &description, &files).await,
        ModelCommand::Download {
            remote,
            name,
            version,
            out,
        } => download(&Client::new(&remote)?, &name, &version, &out).await,
    }
}

async fn list(client: &Client, json: bool) -> Result<()> {
    let (mut all, mut token) = (Vec::new(), None::<String>);
    loop {
        let after = token
            .as_deref()
            .map_or_else(String::new, |t| format!("&page_token={}", encode(t)));
        let path = format!("{API}/registered-models/search?max_results=200{after}");
        let page: Models = client.get(&path).await?;
        all.extend(page.registered_models);
        token = page.next_page_token.filter(|t| !t.is_empty());
        if token.is_none() {
            break;
        }
    }
    if json {
        return print(&serde_json::to_string_pretty(&all)?);
    }
    for model in &all {
        let number = |v: &Value| v["version"].as_str().and_then(|n| n.parse::<i64>().ok());
        let latest = model.latest_versions.iter().filter_map(number).max();
        let aliases: Vec<String> = model
            .aliases
            .iter()
            .map(|a| format!("{}=v{}", a.alias, a.version))
            .collect();
        print(&format!(
            "{}\t{}\t{}",
            model.name,
            latest.map_or_else(|| "no version".to_owned(), |n| format!("v{n}")),
            aliases.join(" ")
        ))?;
    }
    Ok(())
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(0))
}

fn is_missing(e: &anyhow::Error) -> bool {
    e.downcast_ref::<Refused>()
        .is_some_and(|r| r.status == StatusCode::NOT_FOUND)
}

async fn import(client: &Client, name: &str, description: &str, files: &[PathBuf]) -> Result<()> {
    let mut named: Vec<(&Path, String)> = Vec::with_capacity(files.len());
    for path in files {
        let file = path.file_name().and_then(|n| n.to_str());
        let file = file.with_context(|| format!("{} has no name that can be kept", path.display()))?;
        if named.iter().any(|(_, n)| n == file) {
            bail!("two of the files are called `{file}`; rename one");
        }
        let meta = tokio::fs::metadata(path)
            .await
            .with_context(|| format!("cannot read {}", path.display()))?;
        if !meta.is_file() {
            bail!("{} is no file; name the files of the model", path.display());
        }
        named.push((path, file.to_owned()));
    }
    let found: Result<Value> = client
        .get(&format!(
            "{API}/experiments/get-by-name?experiment_name={}",
            encode(EXPERIMENT)
        ))
        .await;
    let experiment = match found {
        Ok(found) => found["experiment"]["experiment_id"].clone(),
        Err(e) if is_missing(&e) => {
            let body = json!({ "name": EXPERIMENT });
            let made: Value = client.post(&format!("{API}/experiments/create"), &body).await?;
            made["experiment_id"].clone()
        }
        Err(e) => return Err(e),
    };
    let experiment = experiment.as_str().context("the server named no experiment")?;
    let body = json!({
        "experiment_id": experiment,
        "run_name": format!("import of {name}"),
        "start_time": now(),
        "tags": [{ "key": "mlflow.source.name", "value": "limn model import" }],
    });
    let run: Value = client.post(&format!("{API}/runs/create"), &body).await?;
    let run = run["run"]["info"]["run_id"]
        .as_str()
        .context("the server made no run")?
        .to_owned();
    let made = version(client, name, description, (experiment, &run), &named).await;
    let status = if made.is_ok() { "FINISHED" } else { "FAILED" };
    let body = json!({ "run_id": run, "status": status, "end_time": now() });
    let ended: Result<Value> = client.post(&format!("{API}/runs/update"), &body).await;
    let number = made?;
    ended?;
    print(&format!("{name} v{number}: {} files", named.len()))
}

/// Sends the files and registers them.
async fn version(
    client: &Client,
    name: &str,
    description: &str,
    (experiment, run): (&str, &str),
    files: &[(&Path, String)],
) -> Result<String> {
    let line = watch::Line::new();
    for (path, file) in files {
        line.show(&format!("sending {file}"));
        let opened = tokio::fs::File::open(path)
            .await
            .with_context(|| format!("cannot read {}", path.display()))?;
        let size = opened.metadata().await?.len();
        let to = format!("{FILES}/{experiment}/{run}/artifacts/{FOLDER}/{}", encode(file));
        let request = client.sending(Method::PUT, &to, size)?.body(Body::from(opened));
        client
            .send(request)
            .await
            .with_context(|| format!("`{file}` was not taken"))?;
    }
    line.finish(&format!("sent {} files", files.len()));
    let found: Result<Value> = client
        .get(&format!("{API}/registered-models/get?name={}", encode(name)))
        .await;
    match found {
        Ok(_) => {}
        Err(e) if is_missing(&e) => {
            let body = json!({ "name": name });
            let _: Value = client
                .post(&format!("{API}/registered-models/create"), &body)
                .await?;
        }
        Err(e) => return Err(e),
    }
    let body = json!({
        "name": name,
        "source": format!("runs:/{run}/{FOLDER}"),
        "run_id": run,
        "description": description,
    });
    let made: Value = client
        .post(&format!("{API}/model-versions/create"), &body)
        .await?;
    let number = made["model_version"]["version"].as_str();
    Ok(number.context("the server made no version")?.to_owned())
}

async fn download(client: &Client, name: &str, version: &str, out: &Path) -> Result<()> {
    let number = if let Ok(number) = version.parse::<i64>() {
        number
    } else {
        let (model, alias) = (encode(name), encode(version));
        let at: Value = client
            .get(&format!("/api/v1/models/{model}/aliases/{alias}"))
            .await?;
        let number = at["alias"]["number"].as_i64();
        number.with_context(|| format!("no version of `{name}` has the alias `{version}`"))?
    };
    let path = format!("/api/v1/models/{}/versions/{number}/zip", encode(name));
    let mut partial = out.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let taken = async {
        let file = fetch(client, &path, &partial, |_| ()).await?;
        let bytes = file.metadata().await?.len();
        drop(file);
        tokio::fs::rename(&partial, out)
            .await
            .with_context(|| format!("cannot write {}", out.display()))?;
        Ok::<u64, anyhow::Error>(bytes)
    };
    let bytes = match taken.await {
        Ok(bytes) => bytes,
        Err(e) => {
            drop(tokio::fs::remove_file(&partial).await);
            return Err(e);
        }
    };
    print(&format!("{}: {name} v{number}, {bytes} bytes", out.display()))
}
