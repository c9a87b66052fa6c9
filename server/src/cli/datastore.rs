//! `datastore`: sets up, looks into, and takes from datastores.

use super::api::{Client, Refused, encode};
use super::{Remote, print, watch};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use limn_domain::DatastoreId;
use limn_domain::dataset::{UploadMode, VersionSource};
use limn_domain::datastore::{
    AddSource, Datastore, DatastoreKind, DatastoreUsage, Health, NewDatastore, ProjectSource, RotateSecrets,
    SourceReport, StorePage, StorePreview, StoreTable, TablePreview, TestOutcome, UpdateDatastore,
};
use limn_domain::import::Sequence;
use limn_domain::job::Job;
use limn_domain::video::RATE;
use std::collections::BTreeMap;
use std::io::Read as _;

#[derive(Debug, Subcommand)]
pub enum DatastoreCommand {
    /// List datastores
    List {
        #[command(flatten)]
        remote: Remote,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Set up a datastore; it is tested first
    Add {
        #[command(flatten)]
        remote: Remote,
        /// What to call it
        #[arg(long)]
        name: String,
        /// folder, s3, azure, azure_lake, azure_files, gcs, http, webdav, sftp, postgres, mysql, sql_server or sqlite
        #[arg(long)]
        kind: DatastoreKind,
        #[arg(long, default_value = "")]
        description: String,
        #[command(flatten)]
        values: Values,
        /// Only try it, and keep nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Test a datastore
    Test {
        #[command(flatten)]
        which: Which,
    },
    /// Give a datastore new credentials; they are tested first
    Rotate {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        values: Values,
    },
    /// Put a datastore out of use
    Disable {
        #[command(flatten)]
        which: Which,
    },
    /// Put a datastore back into use
    Enable {
        #[command(flatten)]
        which: Which,
    },
    /// Delete a datastore
    Delete {
        #[command(flatten)]
        which: Which,
        /// Also when projects take files from it
        #[arg(long)]
        even_if_used: bool,
    },
    /// Show who uses a datastore
    Usage {
        #[command(flatten)]
        which: Which,
    },
    /// List a folder, or the tables of a database
    Ls {
        #[command(flatten)]
        which: Which,
        /// The root when left out
        #[arg(default_value = "")]
        path: String,
    },
    /// Show what a file looks like
    Preview {
        #[command(flatten)]
        which: Which,
        path: String,
    },
    /// Show the first rows that a query answers
    Query {
        #[command(flatten)]
        which: Which,
        /// One SELECT
        sql: String,
    },
    /// Take files into a labeling project, and remember where from
    Import {
        #[command(flatten)]
        which: Which,
        /// The project, by name or id
        #[arg(long)]
        project: String,
        /// A pattern of paths; everything when left out
        #[arg(long, default_value = "")]
        glob: String,
        /// Refresh again and again, every so many minutes
        #[arg(long, value_name = "MINUTES")]
        every: Option<i64>,
        /// The pictures of each folder are the frames of a video
        #[arg(long)]
        sequence: bool,
        /// Frames a second of a sequence
        #[arg(long, value_name = "RATE", requires = "sequence", default_value_t = RATE)]
        rate: f64,
    },
    /// Take what is new in the datastores and datasets that a project follows
    Refresh {
        #[command(flatten)]
        remote: Remote,
        /// The project, by name or id
        #[arg(long)]
        project: String,
    },
}

#[derive(Debug, Args)]
pub struct Which {
    #[command(flatten)]
    remote: Remote,
    /// The datastore, by name or id
    #[arg(long)]
    datastore: String,
}

/// Settings and credentials. Credentials are read from files or the environment: arguments show in lists of processes.
#[derive(Debug, Args)]
pub struct Values {
    /// A setting, as `bucket=photos`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// A credential out of a file (`-`: standard input), as `secret_access_key=./key`
    #[arg(long = "secret-file", value_name = "KEY=FILE")]
    files: Vec<String>,
    /// A credential out of the environment, as `password=DB_PASSWORD`
    #[arg(long = "secret-env", value_name = "KEY=VARIABLE")]
    variables: Vec<String>,
}

type Texts = BTreeMap<String, String>;

impl Values {
    fn read(&self) -> Result<(Texts, Texts)> {
        let pair = |text: &String| {
            text.split_once('=')
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .with_context(|| format!("`{text}` is no KEY=VALUE"))
        };
        let settings = self.settings.iter().map(pair).collect::<Result<_>>()?;
        let mut secrets = Texts::new();
        for file in &self.files {
            let (key, path) = pair(file)?;
            let mut text = String::new();
            if path == "-" {
                std::io::stdin().read_to_string(&mut text)?;
            } else {
                text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
            }
            secrets.insert(key, text.trim().to_owned());
        }
        for variable in &self.variables {
            let (key, name) = pair(variable)?;
            let value = std::env::var(&name).map_err(|_| anyhow!("the variable {name} is not set"))?;
            secrets.insert(key, value);
        }
        Ok((settings, secrets))
    }
}

/// Runs one command.
pub async fn run(command: DatastoreCommand) -> Result<()> {
    match command {
        DatastoreCommand::List { remote, json } => list(&remote, json).await,
        DatastoreCommand::Add {
            remote,
            name,
            kind,
            description,
            values,
            dry_run,
        } => {
            let (settings, secrets) = values.read()?;
            let client = Client::new(&remote)?;
            let input = NewDatastore {
                name,
                kind,
                description,
                settings,
                secrets,
            };
            if dry_run {
                return tested(&client.post("/api/v1/datastores/test", &input).await?);
            }
            let made: Datastore = client.post("/api/v1/datastores", &input).await?;
            made.warnings.iter().for_each(|w| eprintln!("warning: {w}"));
            print(&made.id.to_string())
        }
        DatastoreCommand::Test { which } => {
            let (client, id) = which.open().await?;
            tested(&client.post(&format!("/api/v1/datastores/{id}/test"), &()).await?)
        }
        DatastoreCommand::Rotate { which, values } => {
            let (settings, secrets) = values.read()?;
            let (client, id) = which.open().await?;
            let input = RotateSecrets { secrets, settings };
            let _: Datastore = client
                .post(&format!("/api/v1/datastores/{id}/rotate"), &input)
                .await?;
            print("The new credentials work and are in use.")
        }
        DatastoreCommand::Disable { which } => switch(&which, false).await,
        DatastoreCommand::Enable { which } => switch(&which, true).await,
        DatastoreCommand::Delete { which, even_if_used } => {
            let (client, id) = which.open().await?;
            let path = format!("/api/v1/datastores/{id}?even_if_used={even_if_used}");
            client
                .send(client.request(reqwest::Method::DELETE, &path)?)
                .await?;
            print("Deleted.")
        }
        DatastoreCommand::Usage { which } => usage(&which).await,
        DatastoreCommand::Ls { which, path } => ls(&which, &path).await,
        DatastoreCommand::Preview { which, path } => {
            let (client, id) = which.open().await?;
            let url = format!("/api/v1/datastores/{id}/preview?path={}", encode(&path));
            match client.get(&url).await? {
                StorePreview::Image { width, height, .. } => {
                    print(&format!("A picture of {width} x {height} pixels."))
                }
                StorePreview::Text { text, .. } => print(&text),
                StorePreview::Table(table) => rows(&table),
                StorePreview::Other { why, .. } => print(&why),
            }
        }
        DatastoreCommand::Query { which, sql } => {
            let (client, id) = which.open().await?;
            let body = serde_json::json!({ "sql": sql });
            rows(
                &client
                    .post(&format!("/api/v1/datastores/{id}/query"), &body)
                    .await?,
            )
        }
        DatastoreCommand::Import {
            which,
            project,
            glob,
            every,
            sequence,
            rate,
        } => {
            let (client, id) = which.open().await?;
            let input = AddSource {
                datastore_id: Some(id),
                glob,
                every_minutes: every,
                sequence: sequence.then_some(Sequence { rate }),
                ..AddSource::default()
            };
            follow(&client, &project, &input).await
        }
        DatastoreCommand::Refresh { remote, project } => refresh(&remote, &project).await,
    }
}

impl Which {
    async fn open(&self) -> Result<(Client, DatastoreId)> {
        let client = Client::new(&self.remote)?;
        let id = find(&client, &self.datastore).await?.id;
        Ok((client, id))
    }
}

async fn find(client: &Client, name: &str) -> Result<Datastore> {
    client
        .get(&format!("/api/v1/datastores/find?name={}", encode(name)))
        .await
        .map_err(|e| match e.downcast_ref::<Refused>() {
            Some(r) if r.status == reqwest::StatusCode::NOT_FOUND => {
                anyhow!("there is no datastore `{name}`; see `limn datastore list`")
            }
            _ => e,
        })
}

/// What `dataset register` makes a version of.
pub async fn version_source(
    client: &Client,
    datastore: &str,
    glob: Option<&str>,
    sql: Option<&str>,
    (replace, in_place): (bool, bool),
) -> Result<VersionSource> {
    let datastore_id = find(client, datastore).await?.id;
    let mode = if replace {
        UploadMode::Replace
    } else {
        UploadMode::Add
    };
    Ok(match sql {
        Some(sql) => VersionSource::Query {
            datastore_id,
            sql: sql.to_owned(),
            name: String::new(),
            mode,
        },
        None => VersionSource::Datastore {
            datastore_id,
            glob: glob.unwrap_or_default().to_owned(),
            mode,
            in_place,
        },
    })
}

async fn list(remote: &Remote, json: bool) -> Result<()> {
    let all: Vec<Datastore> = Client::new(remote)?.get("/api/v1/datastores").await?;
    if json {
        return print(&serde_json::to_string_pretty(&all)?);
    }
    for d in all {
        let state = match d.health {
            _ if !d.enabled => "disabled",
            Health::Ok => "ok",
            Health::Failing => "failing",
            Health::Unknown => "not tested",
        };
        print(&format!(
            "{}\t{}\t{}\t{state}\t{} projects\t{} datasets",
            d.id,
            d.name,
            d.kind.as_str(),
            d.projects,
            d.datasets
        ))?;
    }
    Ok(())
}

fn tested(test: &TestOutcome) -> Result<()> {
    test.warnings.iter().for_each(|w| eprintln!("warning: {w}"));
    if !test.ok {
        bail!("{}", test.message);
    }
    print(&test.message)
}

async fn switch(which: &Which, enabled: bool) -> Result<()> {
    let (client, id) = which.open().await?;
    let input = UpdateDatastore {
        enabled: Some(enabled),
        ..UpdateDatastore::default()
    };
    let request = client.request(reqwest::Method::PATCH, &format!("/api/v1/datastores/{id}"))?;
    client.send(request.json(&input)).await?;
    print(if enabled { "Enabled." } else { "Disabled." })
}

async fn usage(which: &Which) -> Result<()> {
    let (client, id) = which.open().await?;
    let usage: DatastoreUsage = client.get(&format!("/api/v1/datastores/{id}/usage")).await?;
    for p in usage.projects {
        print(&format!("project\t{}\t{}\t{} files", p.name, p.glob, p.files))?;
    }
    for d in usage.datasets {
        print(&format!("dataset\t{}\t{}\t{}", d.name, d.what, d.last_at.date()))?;
    }
    if usage.hidden > 0 {
        eprintln!("{} more that you may not see", usage.hidden);
    }
    Ok(())
}

async fn ls(which: &Which, path: &str) -> Result<()> {
    let client = Client::new(&which.remote)?;
    let store = find(&client, &which.datastore).await?;
    if store.kind.is_sql() {
        let tables: Vec<StoreTable> = client
            .get(&format!("/api/v1/datastores/{}/tables", store.id))
            .await?;
        for t in tables {
            print(&t.name)?;
        }
        return Ok(());
    }
    let mut cursor: Option<String> = None;
    loop {
        let next = cursor
            .map(|c| format!("&cursor={}", encode(&c)))
            .unwrap_or_default();
        let url = format!(
            "/api/v1/datastores/{}/files?path={}{next}",
            store.id,
            encode(path)
        );
        let page: StorePage = client.get(&url).await?;
        for e in page.entries {
            let size = e.size.map_or_else(String::new, |s| s.to_string());
            let slash = if e.is_folder { "/" } else { "" };
            print(&format!("{size}\t{}{slash}", e.path))?;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

fn rows(table: &TablePreview) -> Result<()> {
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    print(&names.join("\t"))?;
    for row in &table.rows {
        let row: Vec<&str> = row.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect();
        print(&row.join("\t"))?;
    }
    if table.cut {
        eprintln!("there are more rows");
    }
    Ok(())
}

/// Adds a source to a project and waits for its first refresh.
pub async fn follow(client: &Client, project: &str, input: &AddSource) -> Result<()> {
    let project = client.project(project).await?.summary.id;
    let source: ProjectSource = client
        .post(&format!("/api/v1/projects/{project}/sources"), input)
        .await?;
    let job = source.job_id.context("the refresh was not started")?;
    report(watch::job(client, job).await?)
}

async fn refresh(remote: &Remote, project: &str) -> Result<()> {
    let client = Client::new(remote)?;
    let project = client.project(project).await?.summary.id;
    let sources: Vec<ProjectSource> = client.get(&format!("/api/v1/projects/{project}/sources")).await?;
    if sources.is_empty() {
        bail!("the project follows nothing; see `limn datastore import` and `limn dataset import`");
    }
    for source in sources {
        let job: Job = client
            .post(&format!("/api/v1/sources/{}/refresh", source.id), &())
            .await?;
        report(watch::job(&client, job.id).await?)?;
    }
    Ok(())
}

fn report(job: Job) -> Result<()> {
    let report: SourceReport = serde_json::from_value(job.result.context("the refresh left no result")?)
        .context("the refresh's result cannot be read")?;
    for e in report.report.entries.iter().take(20) {
        eprintln!("{}: {}", e.file, e.message);
    }
    print(&format!(
        "{} files match: {} new items, {} as before, {} changed, {} vanished, {} refused",
        report.matched,
        report.report.items_added,
        report.unchanged + report.report.items_unchanged,
        report.changed,
        report.vanished,
        report.report.refused
    ))
}
