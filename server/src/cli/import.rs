//! `import`: images go in as items, annotation files and archives as uploads for a job.

use super::api::Client;
use super::files::{self, Found, Kind};
use super::{Remote, print, upload, watch};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use limn_domain::import::{ImportAs, ImportFormat, ImportReport, NewImport, Sequence, Severity, TextColumns};
use limn_domain::job::Job;
use limn_domain::project::Task;
use limn_domain::video::RATE;
use limn_formats::read::{self, Role};
use limn_formats::texts;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use zip::CompressionMethod;

/// More annotation files than this travel as one archive.
const SINGLE: usize = 8;

#[derive(Debug, Args)]
pub struct ImportCommand {
    #[command(flatten)]
    remote: Remote,
    /// The project, by name or id
    #[arg(long)]
    project: String,
    /// What the files are
    #[arg(long, value_parser = PossibleValuesParser::new(ImportFormat::ALL.map(ImportFormat::as_str)).try_map(|s| s.parse::<ImportFormat>()))]
    format: ImportFormat,
    /// Take the labels as proposals for people to confirm
    #[arg(long)]
    prelabels: bool,
    /// Replace the labels that items have already instead of adding to them
    #[arg(long)]
    replace: bool,
    /// Refuse labels of categories the project does not have
    #[arg(long)]
    no_new_categories: bool,
    /// Print the whole report as JSON
    #[arg(long)]
    json: bool,
    /// Text projects: the column (or JSON field) that holds the text; usual names otherwise
    #[arg(long, value_name = "COLUMN")]
    text_column: Option<String>,
    /// The column of the documents' names
    #[arg(long, value_name = "COLUMN", requires = "text_column")]
    name_column: Option<String>,
    /// The column of their categories, several apart by |
    #[arg(long, value_name = "COLUMN", requires = "text_column")]
    label_column: Option<String>,
    /// The column of an id to name them by
    #[arg(long, value_name = "COLUMN", requires = "text_column")]
    id_column: Option<String>,
    /// The pictures of each folder are the frames of a video
    #[arg(long)]
    sequence: bool,
    /// Frames a second of a sequence
    #[arg(long, value_name = "RATE", requires = "sequence", default_value_t = RATE)]
    rate: f64,
    /// Annotation files, images, videos or text files, archives (zip), and folders of these
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs the command.
pub async fn run(command: ImportCommand) -> Result<()> {
    let client = Client::new(&command.remote)?;
    let project = client.project(&command.project).await?.summary;
    let (is_text, project) = (project.task.is_text(), project.id);
    let mut pictures = Vec::new();
    let mut annotations = Vec::new();
    let mut archives = Vec::new();
    let mut frames = Vec::new();
    for file in files::collect(&command.paths)? {
        let role = if is_text {
            texts::role(command.format, &file.name)
        } else {
            read::role(command.format, &file.name)
        };
        match (role, file.kind) {
            (Some(Role::Labels | Role::Table), _) => annotations.push(file),
            (Some(Role::Picture | Role::Video), _) => pictures.push(file),
            (None, Kind::Picture) if command.sequence => frames.push(file),
            (None, Kind::Picture) if !is_text => pictures.push(file),
            (None, Kind::Video) if !is_text => archives.push(file),
            (None, Kind::Document) if is_text => pictures.push(file),
            (None, Kind::Archive) => archives.push(file),
            (Some(Role::Passed), _) => {}
            (None, Kind::Other | Kind::Picture | Kind::Document | Kind::Video) => {
                eprintln!("passed over: {}", file.name);
            }
        }
    }
    if command.format != ImportFormat::Images && annotations.is_empty() && archives.is_empty() {
        bail!(
            "no annotation files there; {} takes: {}. For items alone use `limn upload`",
            command.format.label(),
            if is_text {
                command.format.describe_for(Task::Entities)
            } else {
                command.format.describe()
            }
        );
    }
    let sent = upload::pictures_to(&client, project, pictures).await?;
    sent.complain();

    let sequence;
    if !frames.is_empty() {
        sequence = pack(&frames, CompressionMethod::Stored)?;
        archives.insert(0, found(sequence.path(), &sequence_name(&frames))?);
    }
    let packed;
    if annotations.len() > SINGLE {
        packed = pack(&annotations, CompressionMethod::Deflated)?;
        archives.insert(0, found(packed.path(), "annotations.zip")?);
    } else {
        archives.splice(0..0, annotations);
    }
    if archives.is_empty() {
        print(&format!(
            "{} items added, {} already there",
            sent.added, sent.unchanged
        ))?;
        return finish(sent.failed.len());
    }
    let mut uploads = Vec::new();
    for file in &archives {
        uploads.push(upload::resumable(&client, file).await?.id);
    }
    let input = NewImport {
        format: command.format,
        import_as: if command.prelabels {
            ImportAs::Prelabels
        } else {
            ImportAs::Labels
        },
        uploads,
        create_categories: !command.no_new_categories,
        replace: command.replace,
        columns: command.text_column.map(|text| TextColumns {
            text,
            name: command.name_column,
            label: command.label_column,
            id: command.id_column,
        }),
        sequence: command.sequence.then_some(Sequence { rate: command.rate }),
    };
    let job: Job = client
        .post(&format!("/api/v1/projects/{project}/imports"), &input)
        .await?;
    let job = watch::job(&client, job.id).await?;
    let report = job.result.context("the import left no report")?;
    let mut report: ImportReport =
        serde_json::from_value(report).context("the import's report cannot be read")?;
    report.items_added += sent.added as i64;
    report.items_unchanged += sent.unchanged as i64;
    if command.json {
        print(&serde_json::to_string_pretty(&report)?)?;
    } else {
        show(&report)?;
    }
    finish(sent.failed.len())
}

fn finish(refused: usize) -> Result<()> {
    if refused == 0 {
        Ok(())
    } else {
        bail!("{refused} files were refused")
    }
}

/// The report in words; every finding on a line of its own.
fn show(report: &ImportReport) -> Result<()> {
    for e in &report.entries {
        let severity = match e.severity {
            Severity::Note => "note",
            Severity::Fixed => "fixed",
            Severity::Refused => "refused",
        };
        let line = e.line.map(|l| format!(":{l}")).unwrap_or_default();
        let record = e.record.as_deref().map(|r| format!(" {r}:")).unwrap_or_default();
        print(&format!(
            "{severity}: {}{line}:{record} {} [{}]",
            e.file, e.message, e.code
        ))?;
    }
    if report.truncated {
        print("... and more findings like these")?;
    }
    print(&format!(
        "{} items added, {} already there, {} labels added, {} categories added, {} fixed, {} refused",
        report.items_added,
        report.items_unchanged,
        report.annotations_added,
        report.categories_added,
        report.fixed,
        report.refused
    ))
}

fn found(path: &Path, name: &str) -> Result<Found> {
    Ok(Found {
        path: path.to_owned(),
        name: name.to_owned(),
        size: std::fs::metadata(path)?.len(),
        kind: Kind::Archive,
    })
}

/// What the video of loose pictures is called: the folder they lie in.
fn sequence_name(frames: &[Found]) -> String {
    let folder = frames
        .first()
        .and_then(|f| f.path.parent())
        .and_then(Path::file_name)
        .and_then(|n| n.to_str());
    format!("{}.zip", folder.unwrap_or("sequence"))
}

/// Many small files as one archive in a temporary file.
fn pack(files: &[Found], method: CompressionMethod) -> Result<tempfile::NamedTempFile> {
    let mut archive =
        zip::ZipWriter::new(tempfile::NamedTempFile::new().context("cannot make a temporary file")?);
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for file in files {
        archive.start_file(file.name.as_str(), options)?;
        let mut from = std::fs::File::open(&file.path)
            .with_context(|| format!("cannot read {}", file.path.display()))?;
        std::io::copy(&mut from, &mut archive)
            .with_context(|| format!("cannot read {}", file.path.display()))?;
    }
    let mut packed = archive.finish()?;
    packed.flush()?;
    Ok(packed)
}
