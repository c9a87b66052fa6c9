//! `catalogue`: open datasets, and having one.

use super::api::{Client, encode};
use super::{Remote, print, watch};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use limn_domain::catalogue::{AddDataset, CatalogueEntry, CatalogueOutcome};
use limn_domain::dataset::Visibility;
use limn_domain::job::Job;

#[derive(Debug, Subcommand)]
pub enum CatalogueCommand {
    /// List open datasets
    List {
        #[command(flatten)]
        remote: Remote,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch an open dataset, and register it
    Add {
        #[command(flatten)]
        remote: Remote,
        /// Its name in the catalogue, as `catalogue list` shows it first
        slug: String,
        /// What to call the dataset; as the catalogue does when left out
        #[arg(long)]
        name: Option<String>,
        /// Let everybody with an account read it
        #[arg(long)]
        shared: bool,
        /// Only start it
        #[arg(long)]
        detach: bool,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(command: CatalogueCommand) -> Result<()> {
    match command {
        CatalogueCommand::List { remote, json } => list(&remote, json).await,
        CatalogueCommand::Add {
            remote,
            slug,
            name,
            shared,
            detach,
            json,
        } => {
            let client = Client::new(&remote)?;
            let input = AddDataset {
                name,
                visibility: if shared {
                    Visibility::Studio
                } else {
                    Visibility::Private
                },
            };
            let job: Job = client
                .post(&format!("/api/v1/catalogue/{}/add", encode(&slug)), &input)
                .await?;
            if detach {
                return print(&job.id.to_string());
            }
            let job = watch::job(&client, job.id).await?;
            let result = job.result.context("the job left no result")?;
            let outcome: CatalogueOutcome =
                serde_json::from_value(result).context("the job's result cannot be read")?;
            if json {
                return print(&serde_json::to_string_pretty(&outcome)?);
            }
            report(&outcome)
        }
    }
}

async fn list(remote: &Remote, json: bool) -> Result<()> {
    let all: Vec<CatalogueEntry> = Client::new(remote)?.get("/api/v1/catalogue").await?;
    if json {
        return print(&serde_json::to_string_pretty(&all)?);
    }
    for e in all {
        let bytes = e
            .bytes
            .map_or_else(|| "size unknown".to_owned(), |b| b.to_string());
        let added = if e.added.is_empty() { "" } else { "\tadded" };
        print(&format!(
            "{}\t{}\t{}\t{}\t{bytes}{added}",
            e.slug,
            e.task.as_str(),
            e.licence.name,
            e.name
        ))?;
    }
    Ok(())
}

fn report(outcome: &CatalogueOutcome) -> Result<()> {
    for file in &outcome.fetched {
        let how = if file.verified {
            "as published"
        } else {
            "no digest is published"
        };
        eprintln!(
            "{}: {} bytes, sha256 {} ({how})",
            file.name, file.bytes, file.sha256
        );
    }
    let v = &outcome.version;
    v.notes.iter().for_each(|n| eprintln!("{n}"));
    let new = if v.is_new {
        ""
    } else {
        ", which has this very content already"
    };
    print(&format!(
        "{}\tversion {}{new}\t{} files\t{}",
        v.dataset_id, v.number, v.files, v.digest
    ))
}
