//! `projects`.

use super::api::Client;
use super::{Remote, print};
use anyhow::Result;
use clap::Subcommand;
use limn_domain::category::NewCategory;
use limn_domain::project::{NewProject, NewProjectCategory, Project, ProjectSummary, Task};

#[derive(Debug, Subcommand)]
pub enum ProjectsCommand {
    /// Create a project; its id goes to stdout
    Create {
        #[command(flatten)]
        remote: Remote,
        #[arg(long)]
        name: String,
        /// detection, classification or multilabel
        #[arg(long)]
        task: Task,
        #[arg(long, default_value = "")]
        description: String,
        /// A category; give it once for each
        #[arg(long, value_name = "NAME")]
        category: Vec<String>,
    },
    /// List projects
    List {
        #[command(flatten)]
        remote: Remote,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs one command.
pub async fn run(command: ProjectsCommand) -> Result<()> {
    match command {
        ProjectsCommand::Create {
            remote,
            name,
            task,
            description,
            category,
        } => {
            let categories = category.into_iter().map(|name| NewProjectCategory {
                category: NewCategory {
                    name,
                    ..NewCategory::default()
                },
                parent: None,
            });
            let input = NewProject {
                name,
                task,
                description,
                categories: categories.collect(),
                ..NewProject::default()
            };
            let project: Project = Client::new(&remote)?.post("/api/v1/projects", &input).await?;
            print(&project.summary.id.to_string())
        }
        ProjectsCommand::List { remote, json } => {
            let projects: Vec<ProjectSummary> = Client::new(&remote)?.get("/api/v1/projects").await?;
            if json {
                return print(&serde_json::to_string_pretty(&projects)?);
            }
            for p in projects {
                print(&format!(
                    "{}\t{}\t{}\t{}/{} done",
                    p.id,
                    p.name,
                    p.task.as_str(),
                    p.progress.done,
                    p.progress.total
                ))?;
            }
            Ok(())
        }
    }
}
