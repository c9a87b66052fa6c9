//! The command line. Results go to stdout, everything else to stderr; the exit code is 0, 1 for a failure, 2 for a
//! command that cannot be read.

mod admin;
mod api;
mod assist;
mod catalogue;
mod dataset;
mod datastore;
mod export;
mod fetch;
mod files;
mod import;
mod model;
mod profile;
mod projects;
mod serve;
mod train;
mod upload;
mod watch;

use crate::config::{Config, RawConfig};
use crate::rest;
use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(
    name = "limn",
    version,
    about = "A self-hosted ML studio centred on data labeling."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the studio: pages, API and background jobs
    Serve {
        #[command(flatten)]
        place: Place,
        /// Address and port to listen on; port 0 takes a free one
        #[arg(long, value_name = "HOST:PORT")]
        addr: Option<String>,
        /// Leave background jobs to `limn worker`
        #[arg(long)]
        no_jobs: bool,
    },
    /// Run background jobs only, beside servers on the same PostgreSQL
    Worker {
        #[command(flatten)]
        place: Place,
        /// Where to answer /healthz and /readyz; nowhere when absent
        #[arg(long, value_name = "HOST:PORT")]
        health: Option<SocketAddr>,
    },
    /// Bring the database up to date and end
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Look after people and tokens on the server's own machine
    Admin {
        #[command(subcommand)]
        command: admin::AdminCommand,
    },
    /// Print the API's OpenAPI document
    Openapi,
    /// Print docs/configuration.md
    #[command(hide = true)]
    ConfigReference,
    /// Create and list projects
    Projects {
        #[command(subcommand)]
        command: projects::ProjectsCommand,
    },
    /// Upload images, or folders of them, as items of a project
    Upload(upload::UploadCommand),
    /// Import labels with their images
    Import(import::ImportCommand),
    /// The model that learns while people label
    Assist {
        #[command(subcommand)]
        command: assist::AssistCommand,
    },
    /// Datasets: list, register, compare, export, download
    Dataset {
        #[command(subcommand)]
        command: dataset::DatasetCommand,
    },
    /// Open datasets: list them, and add one
    Catalogue {
        #[command(subcommand)]
        command: catalogue::CatalogueCommand,
    },
    /// Datastores: set up, look into, take from
    Datastore {
        #[command(subcommand)]
        command: datastore::DatastoreCommand,
    },
    /// Registered models: list, import, download
    Model {
        #[command(subcommand)]
        command: model::ModelCommand,
    },
    /// Train a network on a version of a dataset
    Train(train::TrainCommand),
    /// Export a project into a file
    Export(export::ExportCommand),
    /// Figures of local files: tables, images, documents
    Profile(profile::ProfileCommand),
}

/// Where the server keeps what it has.
#[derive(Debug, Args)]
struct Place {
    /// Configuration file; ./limn.toml when there is one
    #[arg(long, value_name = "FILE", env = "LIMN_CONFIG")]
    config: Option<PathBuf>,
    /// Folder for the database, pictures and exports
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// PostgreSQL's URL instead of SQLite in the data directory
    #[arg(long, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl Place {
    fn raw(self) -> Result<RawConfig> {
        let mut raw = RawConfig::load(self.config.as_deref()).map_err(|e| anyhow!(e))?;
        if let Some(dir) = self.data_dir {
            raw.storage.data_dir = dir;
        }
        if let Some(url) = self.database_url {
            raw.database.url = url.into();
        }
        Ok(raw)
    }

    fn config(self) -> Result<Config> {
        self.raw()?.try_into().map_err(|e: String| anyhow!(e))
    }
}

/// Where the server is, for client commands.
#[derive(Debug, Args)]
struct Remote {
    /// The server, as https://limn.example.org
    #[arg(
        long,
        value_name = "URL",
        env = "LIMN_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// An API token of yours
    #[arg(
        long,
        value_name = "TOKEN",
        env = "LIMN_TOKEN",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    token: String,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { place, addr, no_jobs } => {
            let mut raw = place.raw()?;
            if no_jobs {
                raw.jobs.workers = 0;
            }
            if let Some(addr) = addr {
                raw.server.addr = addr;
            }
            let config = raw.try_into().map_err(|e: String| anyhow!(e))?;
            runtime()?.block_on(serve::serve(config))
        }
        Command::Worker { place, health } => runtime()?.block_on(serve::worker(place.config()?, health)),
        Command::Migrate { place } => runtime()?.block_on(serve::migrate(place.config()?)),
        Command::Admin { command } => {
            let runtime = runtime()?;
            let result = runtime.block_on(admin::run(command));
            runtime.shutdown_background();
            result
        }
        Command::Openapi => print(&serde_json::to_string_pretty(&rest::router().1)?),
        Command::ConfigReference => print(crate::config::reference().trim_end()),
        Command::Projects { command } => runtime()?.block_on(projects::run(command)),
        Command::Upload(command) => runtime()?.block_on(upload::run(command)),
        Command::Import(command) => runtime()?.block_on(import::run(command)),
        Command::Assist { command } => runtime()?.block_on(assist::run(command)),
        Command::Dataset { command } => runtime()?.block_on(dataset::run(command)),
        Command::Catalogue { command } => runtime()?.block_on(catalogue::run(command)),
        Command::Datastore { command } => runtime()?.block_on(datastore::run(command)),
        Command::Model { command } => runtime()?.block_on(model::run(command)),
        Command::Train(command) => runtime()?.block_on(train::run(command)),
        Command::Export(command) => runtime()?.block_on(export::run(command)),
        Command::Profile(command) => profile::run(&command),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Writes a result. A reader that has gone away is no failure.
fn print(text: &str) -> Result<()> {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{text}") {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}
