//! `export`: runs the job, downloads the file, checks its digest.

use super::api::Client;
use super::fetch::fetch;
use super::watch::{self, Line};
use super::{Remote, print};
use anyhow::{Context as _, Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use limn_domain::export::{BoxSegmentation, ExportFormat, ExportResult, ExportScope, FileNames, NewExport};
use limn_domain::job::Job;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Segmentation {
    Empty,
    Polygon,
    Omit,
}

#[derive(Debug, Args)]
pub struct ExportCommand {
    #[command(flatten)]
    remote: Remote,
    /// The project, by name or id
    #[arg(long)]
    project: String,
    /// One that suits the project's task; docs/formats.md says what each keeps and loses
    #[arg(long, default_value = "coco", value_parser = PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::as_str)).try_map(|s| s.parse::<ExportFormat>()))]
    format: ExportFormat,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A zip with the pictures, rotation baked in
    #[arg(long)]
    with_images: bool,
    /// Only submitted items
    #[arg(long)]
    done_only: bool,
    /// What `segmentation` of a box says (COCO)
    #[arg(long, default_value = "empty")]
    box_segmentation: Segmentation,
    /// No folders in file names
    #[arg(long)]
    flat: bool,
}

/// Runs the command.
pub async fn run(command: ExportCommand) -> Result<()> {
    let client = Client::new(&command.remote)?;
    let project = client.project(&command.project).await?.summary.id;
    let input = NewExport {
        format: command.format,
        with_images: command.with_images,
        scope: if command.done_only {
            ExportScope::Done
        } else {
            ExportScope::All
        },
        box_segmentation: match command.box_segmentation {
            Segmentation::Empty => BoxSegmentation::Empty,
            Segmentation::Polygon => BoxSegmentation::Polygon,
            Segmentation::Omit => BoxSegmentation::Omit,
        },
        file_names: if command.flat {
            FileNames::Flat
        } else {
            FileNames::Preserve
        },
    };
    let job: Job = client
        .post(&format!("/api/v1/projects/{project}/exports"), &input)
        .await?;
    let job = watch::job(&client, job.id).await?;
    let result = job.result.context("the export left no result")?;
    let result: ExportResult =
        serde_json::from_value(result).context("the export's result cannot be read")?;
    for note in &result.notes {
        eprintln!("note: {note}");
    }
    download(&client, &result, &command.out).await?;
    print(&format!(
        "{}: {} images, {} labels, {} bytes, BLAKE3 {}",
        command.out.display(),
        result.images,
        result.annotations,
        result.size,
        result.digest
    ))
}

/// Downloads beside the target, going on where a broken connection stopped, and moves the file there once it is whole
/// and right.
pub(super) async fn download(client: &Client, result: &ExportResult, out: &Path) -> Result<()> {
    if !result.url.starts_with('/') {
        bail!(
            "the server names `{}` as the export's address, which is not on it",
            result.url
        );
    }
    let mut partial = out.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let checked = match taken(client, result, &partial).await {
        Ok(()) => check(&partial, result).await,
        Err(e) => Err(e),
    };
    if let Err(e) = checked {
        drop(tokio::fs::remove_file(&partial).await);
        return Err(e);
    }
    tokio::fs::rename(&partial, out)
        .await
        .with_context(|| format!("cannot write {}", out.display()))
}

async fn taken(client: &Client, result: &ExportResult, partial: &Path) -> Result<()> {
    let line = Line::new();
    let progress = |have: u64| format!("download: {have} of {} bytes", result.size);
    let file = fetch(client, &result.url, partial, |have| line.show(&progress(have))).await?;
    line.finish(&progress(file.metadata().await?.len()));
    file.sync_all().await?;
    Ok(())
}

async fn check(partial: &Path, result: &ExportResult) -> Result<()> {
    let path = partial.to_owned();
    let digest = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        std::io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
        Ok(hasher.finalize().to_hex().to_string())
    })
    .await??;
    if digest != result.digest {
        bail!(
            "the downloaded file is not what the server made (BLAKE3 {digest}, not {}); export again",
            result.digest
        );
    }
    Ok(())
}
