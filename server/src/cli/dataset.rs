//! `dataset`: lists, registers, compares, exports, downloads, and is followed by projects.

mod download;

use super::api::{Client, Refused, encode};
use super::{Remote, datastore, export, files, print, profile, upload, watch};
use anyhow::{Context as _, Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use download::download;
use limn_domain::Page;
use limn_domain::dataset::{
    CheckPlaces, CheckReport, Dataset, DatasetKind, DatasetSummary, DiffKind, DiffRow, DiffSummary,
    NewDataset, NewVersion, Split, UploadMode, Version, VersionOutcome, VersionSource, snippets,
};
use limn_domain::datastore::{AddSource, DatasetChoice};
use limn_domain::export::{ExportFormat, ExportResult, NewExport, VersionExport};
use limn_domain::item::ItemStatus;
use limn_domain::job::Job;
use limn_domain::profile::VersionProfile;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// List datasets
    List {
        #[command(flatten)]
        remote: Remote,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the versions of a dataset
    Versions {
        #[command(flatten)]
        which: Which,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Register a version, of a new dataset if there is none of the name
    Register(Register),
    /// Write a version's labels into a file
    Export {
        #[command(flatten)]
        of: Of,
        #[arg(long, default_value = "coco", value_parser = PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::as_str)).try_map(|s| s.parse::<ExportFormat>()))]
        format: ExportFormat,
        /// A zip with the pictures or documents
        #[arg(long)]
        with_images: bool,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Download a version's files into a folder; those that are there already are left alone
    Download {
        #[command(flatten)]
        of: Of,
        /// The folder to fill
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Take files into a labeling project, and remember where from: a refresh looks up `latest` and aliases anew
    Import {
        #[command(flatten)]
        of: Of,
        /// The project, by name or id
        #[arg(long)]
        project: String,
        /// A pattern of paths; everything when left out
        #[arg(long, default_value = "")]
        glob: String,
        /// Labels of new files too; their items are done
        #[arg(long)]
        with_labels: bool,
        /// Refresh again and again, every so many minutes
        #[arg(long, value_name = "MINUTES")]
        every: Option<i64>,
    },
    /// Print code that gets this very version, pinned by its digest
    Snippets {
        #[command(flatten)]
        which: Which,
        /// Number, alias, `latest` or digest
        #[arg(long, default_value = "latest")]
        version: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the profile of a version: figures of its columns, images and documents
    Profile {
        #[command(flatten)]
        which: Which,
        /// Number, alias, `latest` or digest
        #[arg(long, default_value = "latest")]
        version: String,
        /// How to print it
        #[arg(long, value_enum, default_value_t = profile::Format::Table)]
        format: profile::Format,
        /// Compute it again, also when there is one
        #[arg(long)]
        again: bool,
    },
    /// Look whether the files of a version that were left in a datastore are still there and what they were
    Check {
        #[command(flatten)]
        which: Which,
        /// Number, alias, `latest` or digest
        #[arg(long, default_value = "latest")]
        version: String,
        /// Read every file and compare its content, not its size and ETag or time alone
        #[arg(long)]
        full: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what differs between two versions
    Diff {
        #[command(flatten)]
        which: Which,
        /// Number, alias, `latest` or digest
        #[arg(long)]
        from: String,
        #[arg(long, default_value = "latest")]
        to: String,
        /// Name every file
        #[arg(long)]
        files: bool,
    },
}

#[derive(Debug, Args)]
pub struct Which {
    #[command(flatten)]
    remote: Remote,
    /// The dataset, by name or id
    #[arg(long)]
    dataset: String,
}

#[derive(Debug, Args)]
pub struct Of {
    #[command(flatten)]
    which: Which,
    /// Number, alias, `latest` or digest
    #[arg(long, default_value = "latest")]
    version: String,
    /// Only the files of this split
    #[arg(long)]
    split: Option<Split>,
}

#[derive(Debug, Args)]
pub struct Register {
    #[command(flatten)]
    which: Which,
    /// From this labeling project, by name or id: its done items with their labels
    #[arg(long, conflicts_with = "files")]
    project: Option<String>,
    /// Also items that are not done
    #[arg(long, requires = "project")]
    all: bool,
    /// From this datastore, by name or id: its files, or what a query answers
    #[arg(long, conflicts_with_all = ["files", "project"])]
    datastore: Option<String>,
    /// Which files of the datastore; all when left out
    #[arg(long, requires = "datastore")]
    glob: Option<String>,
    /// One SELECT, kept as a Parquet file
    #[arg(long, requires = "datastore", conflicts_with = "glob")]
    sql: Option<String>,
    /// Leave the datastore's files where they are, instead of copying them
    #[arg(long, requires = "datastore", conflicts_with = "sql")]
    in_place: bool,
    /// From these files; zip archives are unpacked
    files: Vec<PathBuf>,
    /// The files are all there is, instead of being added to the newest version
    #[arg(long, conflicts_with = "project")]
    replace: bool,
    /// Kind of a dataset that is made
    #[arg(long, default_value = "images")]
    kind: DatasetKind,
    /// What is new
    #[arg(long, default_value = "")]
    note: String,
}

/// Runs one command.
pub async fn run(command: DatasetCommand) -> Result<()> {
    match command {
        DatasetCommand::List { remote, json } => list(&remote, json).await,
        DatasetCommand::Versions { which, json } => {
            let client = Client::new(&which.remote)?;
            let dataset = dataset(&client, &which.dataset).await?;
            versions(&client, &dataset, json).await
        }
        DatasetCommand::Register(command) => register(command).await,
        DatasetCommand::Export {
            of,
            format,
            with_images,
            out,
        } => {
            let client = Client::new(&of.which.remote)?;
            let version = version(&client, &of.which.dataset, &of.version).await?;
            let input = VersionExport {
                export: NewExport {
                    format,
                    with_images,
                    ..NewExport::default()
                },
                split: of.split,
            };
            write(&client, &version, &input, &out).await
        }
        DatasetCommand::Download { of, out } => {
            let client = Client::new(&of.which.remote)?;
            let version = version(&client, &of.which.dataset, &of.version).await?;
            download(&client, &version, of.split, &out).await
        }
        DatasetCommand::Import {
            of,
            project,
            glob,
            with_labels,
            every,
        } => {
            let client = Client::new(&of.which.remote)?;
            let choice = DatasetChoice {
                dataset_id: dataset(&client, &of.which.dataset).await?.summary.id,
                version: of.version,
                split: of.split,
                with_labels,
            };
            let input = AddSource {
                dataset: Some(choice),
                glob,
                every_minutes: every,
                ..AddSource::default()
            };
            datastore::follow(&client, &project, &input).await
        }
        DatasetCommand::Snippets {
            which,
            version: wanted,
            json,
        } => {
            let client = Client::new(&which.remote)?;
            let of = dataset(&client, &which.dataset).await?.summary;
            let found = version(&client, &which.dataset, &wanted).await?;
            let boxes = of.kind == DatasetKind::Images;
            let list = snippets::all(&which.remote.url, &of.name, &found, boxes);
            if json {
                let list: Vec<_> = list
                    .iter()
                    .map(|s| serde_json::json!({ "title": s.title, "about": s.about, "code": s.code }))
                    .collect();
                return print(&serde_json::to_string_pretty(&list)?);
            }
            for s in list {
                print(&format!("# {}: {}\n{}\n", s.title, s.about, s.code))?;
            }
            Ok(())
        }
        DatasetCommand::Check {
            which,
            version: wanted,
            full,
            json,
        } => {
            let client = Client::new(&which.remote)?;
            let found = version(&client, &which.dataset, &wanted).await?;
            check(&client, &found, full, json).await
        }
        DatasetCommand::Profile {
            which,
            version: wanted,
            format,
            again,
        } => {
            let client = Client::new(&which.remote)?;
            let found = version(&client, &which.dataset, &wanted).await?;
            let title = format!("{}, version {}", which.dataset, found.number);
            profile_of(&client, &found, &title, format, again).await
        }
        DatasetCommand::Diff {
            which,
            from,
            to,
            files,
        } => {
            let client = Client::new(&which.remote)?;
            let from = version(&client, &which.dataset, &from).await?;
            let to = version(&client, &which.dataset, &to).await?;
            diff(&client, &from, &to, files).await
        }
    }
}

/// A `GET` with a query string.
async fn get<T: serde::de::DeserializeOwned>(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
) -> Result<T> {
    let query: Vec<String> = query.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect();
    client.get(&format!("{path}?{}", query.join("&"))).await
}

/// A file to send. It keeps its own name: paths are for archives.
fn found(path: &Path) -> Result<files::Found> {
    let name = path
        .file_name()
        .with_context(|| format!("`{}` is no file", path.display()))?
        .to_string_lossy()
        .into_owned();
    let meta = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if meta.is_dir() {
        bail!(
            "`{}` is a folder; pack it into a zip, so that its paths stay",
            path.display()
        );
    }
    Ok(files::Found {
        path: path.to_owned(),
        name,
        size: meta.len(),
        kind: files::Kind::Archive,
    })
}

async fn dataset(client: &Client, name: &str) -> Result<Dataset> {
    get(client, "/api/v1/datasets/find", &[("name", name)]).await
}

pub(super) async fn version(client: &Client, name: &str, which: &str) -> Result<Version> {
    let id = dataset(client, name).await?.summary.id;
    get(
        client,
        &format!("/api/v1/datasets/{id}/versions/find"),
        &[("version", which)],
    )
    .await
}

async fn list(remote: &Remote, json: bool) -> Result<()> {
    let client = Client::new(remote)?;
    let mut all: Vec<DatasetSummary> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let query: Vec<(&str, &str)> = cursor.iter().map(|c| ("cursor", c.as_str())).collect();
        let page: Page<DatasetSummary> = get(&client, "/api/v1/datasets", &query).await?;
        all.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        return print(&serde_json::to_string_pretty(&all)?);
    }
    for d in all {
        let latest = d
            .latest_number
            .map_or_else(|| "no version".to_owned(), |n| format!("v{n}"));
        print(&format!(
            "{}\t{}\t{}\t{latest}\t{} files\t{} bytes",
            d.id,
            d.name,
            d.kind.as_str(),
            d.files,
            d.bytes
        ))?;
    }
    Ok(())
}

async fn versions(client: &Client, dataset: &Dataset, json: bool) -> Result<()> {
    let id = dataset.summary.id;
    let all: Vec<Version> = client.get(&format!("/api/v1/datasets/{id}/versions")).await?;
    if json {
        return print(&serde_json::to_string_pretty(&all)?);
    }
    for v in all {
        print(&format!(
            "{}\t{}\t{} files\t{} labels\t{}\t{}",
            v.number,
            v.digest,
            v.files,
            v.counts.labels,
            v.created_at.date(),
            v.aliases.join(",")
        ))?;
    }
    Ok(())
}

/// Fails when a file is not what it was, so that scripts stop.
async fn check(client: &Client, version: &Version, full: bool, json: bool) -> Result<()> {
    let url = format!("/api/v1/versions/{}/check", version.id);
    let job: Job = client.post(&url, &CheckPlaces { full }).await?;
    let job = watch::job(client, job.id).await?;
    let result = job.result.context("the job ended without a result")?;
    let report: CheckReport = serde_json::from_value(result)?;
    if json {
        print(&serde_json::to_string_pretty(&report)?)?;
    } else {
        for f in &report.findings {
            print(&format!("{}\t{}\t{}", f.what.label(), f.path, f.detail))?;
        }
        print(&format!(
            "{} of {} files are what they were, {} changed, {} are gone, {} could not be looked at.",
            report.unchanged, report.checked, report.changed, report.gone, report.unknown
        ))?;
    }
    if report.is_fine() {
        Ok(())
    } else {
        bail!("not all files of version {} are what they were", version.number)
    }
}

async fn register(command: Register) -> Result<()> {
    let client = Client::new(&command.which.remote)?;
    let source = if let Some(project) = &command.project {
        let statuses = if command.all {
            ItemStatus::ALL.to_vec()
        } else {
            Vec::new()
        };
        VersionSource::Project {
            project_id: client.project(project).await?.summary.id,
            statuses,
            categories: Vec::new(),
        }
    } else if let Some(name) = &command.datastore {
        let (glob, sql) = (command.glob.as_deref(), command.sql.as_deref());
        let how = (command.replace, command.in_place);
        datastore::version_source(&client, name, glob, sql, how).await?
    } else if command.files.is_empty() {
        bail!("say what to register: --project NAME, --datastore NAME, or files");
    } else {
        let mut uploads = Vec::new();
        for file in &command.files {
            uploads.push(upload::resumable(&client, &found(file)?).await?.id);
        }
        VersionSource::Uploads {
            uploads,
            mode: if command.replace {
                UploadMode::Replace
            } else {
                UploadMode::Add
            },
        }
    };
    let name = &command.which.dataset;
    let found = match dataset(&client, name).await {
        Ok(found) => found,
        Err(e)
            if e.downcast_ref::<Refused>()
                .is_some_and(|r| r.status == reqwest::StatusCode::NOT_FOUND) =>
        {
            let input = NewDataset {
                name: name.clone(),
                kind: command.kind,
                ..NewDataset::default()
            };
            client.post("/api/v1/datasets", &input).await?
        }
        Err(e) => return Err(e),
    };
    let input = NewVersion {
        source,
        note: command.note,
    };
    let id = found.summary.id;
    let job: Job = client
        .post(&format!("/api/v1/datasets/{id}/versions"), &input)
        .await?;
    let job = watch::job(&client, job.id).await?;
    let outcome: VersionOutcome =
        serde_json::from_value(job.result.context("the registration left no result")?)
            .context("the registration's result cannot be read")?;
    for note in &outcome.notes {
        eprintln!("note: {note}");
    }
    print(&format!(
        "{} v{}: {} files, BLAKE3 {}{}",
        found.summary.name,
        outcome.number,
        outcome.files,
        outcome.digest,
        if outcome.is_new { "" } else { " (unchanged)" }
    ))
}

/// Waits for the profile where it is being computed, and starts it where there is none.
async fn profile_of(
    client: &Client,
    version: &Version,
    title: &str,
    format: profile::Format,
    again: bool,
) -> Result<()> {
    let url = format!("/api/v1/versions/{}/profile", version.id);
    let mut found: VersionProfile = client.get(&url).await?;
    let running = found.job.as_ref().filter(|j| !j.state.is_final()).map(|j| j.id);
    if running.is_some() || again || found.profile.is_none() {
        let job = match running {
            Some(id) => id,
            None => client.post::<Job>(&url, &()).await?.id,
        };
        watch::job(client, job).await?;
        found = client.get(&url).await?;
    }
    let profile = found.profile.context("the job left no profile")?;
    print(profile::written(&profile, title, format)?.trim_end())
}

async fn write(client: &Client, version: &Version, input: &VersionExport, out: &Path) -> Result<()> {
    let job: Job = client
        .post(&format!("/api/v1/versions/{}/exports", version.id), input)
        .await?;
    let job = watch::job(client, job.id).await?;
    let result: ExportResult = serde_json::from_value(job.result.context("the export left no result")?)
        .context("the export's result cannot be read")?;
    for note in &result.notes {
        eprintln!("note: {note}");
    }
    export::download(client, &result, out).await?;
    print(&format!(
        "{}: version {}, {} files, {} labels, BLAKE3 {}",
        out.display(),
        version.number,
        result.images,
        result.annotations,
        result.digest
    ))
}

async fn diff(client: &Client, from: &Version, to: &Version, files: bool) -> Result<()> {
    let url = format!("/api/v1/versions/{}/diff/{}", from.id, to.id);
    let d: DiffSummary = client.get(&url).await?;
    print(&format!("version {} to version {}", d.old.number, d.new.number))?;
    for kind in DiffKind::ALL {
        if d.count(kind) > 0 {
            print(&format!("{}\t{}", d.count(kind), kind.label().to_lowercase()))?;
        }
    }
    print(&format!("{}\tunchanged", d.unchanged))?;
    for (what, list) in [
        ("added", &d.categories_added),
        ("removed", &d.categories_removed),
        ("changed", &d.categories_changed),
    ] {
        for category in list {
            print(&format!("category {what}\t{category}"))?;
        }
    }
    if !files {
        return Ok(());
    }
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000")];
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let page: Page<DiffRow> = get(client, &format!("{url}/files"), &query).await?;
        for row in page.rows {
            let kinds: Vec<&str> = row.kinds.iter().map(|k| k.as_str()).collect();
            print(&format!("{}\t{}", kinds.join(","), row.path))?;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
