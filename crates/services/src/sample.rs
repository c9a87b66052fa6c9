//! The sample project: images the program draws itself, partly labeled, so that a newcomer labels within a minute.

mod draw;
mod job;

pub(crate) use job::SampleJob;

use crate::projects::Projects;
use crate::{Actor, Context, Error, Result};
use draw::Kind;
use limn_domain::category::NewCategory;
use limn_domain::project::{NewProject, NewProjectCategory, Project, Task};
use limn_domain::{Code, ProjectId, UserId};
use limn_jobs::NewJob;
use serde::{Deserialize, Serialize};

/// Sample projects one studio may have before a name is refused.
const NAMES_MAX: u32 = 100;

const DESCRIPTION: &str =
    "Circles, squares and triangles on noise, drawn by Limn. Delete it whenever you like.";
const INSTRUCTIONS: &str = "\
Draw a box around **every** shape, so that each side touches it.

1. Press `1` for circle, `2` for square or `3` for triangle.
2. Drag from one corner of the shape to the opposite one.
3. Press `Enter` to submit; the next image comes by itself.

Some images have proposals already: confirm them, or mend them first. Press `?` to see every key.
";

#[derive(Clone)]
pub struct Sample(pub(crate) Context);

/// What the job is given.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub project: ProjectId,
    /// Who asked for it.
    pub user: Option<UserId>,
}

impl Sample {
    /// Creates a sample project and answers it; its images are drawn, and partly labeled, by a job.
    pub async fn create(&self, actor: &Actor) -> Result<Project> {
        let project = self.create_project(actor).await?;
        let (id, user, now) = (project.summary.id, actor.user_id(), self.0.now());
        let payload = serde_json::to_value(Payload { project: id, user }).map_err(anyhow::Error::from)?;
        let job = NewJob {
            kind: crate::jobs::kind::SAMPLE,
            title: format!("Draw the images of {}", project.summary.name),
            project_id: Some(id),
            created_by: user,
            payload,
            dedup_key: Some(format!("sample {id}")),
            // Somebody waits in front of it.
            priority: 10,
            max_attempts: 3,
        };
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(limn_jobs::enqueue(tx, job, now).await?) })
            })
            .await?;
        self.0.jobs.wake();
        Ok(project)
    }

    /// Under the first name that is free.
    async fn create_project(&self, actor: &Actor) -> Result<Project> {
        let projects = Projects(self.0.clone());
        for n in 1..=NAMES_MAX {
            let name = if n == 1 {
                "Sample project".to_owned()
            } else {
                format!("Sample project {n}")
            };
            match projects.create(actor, new_project(name)).await {
                Err(Error::Api(e)) if e.code == Code::AlreadyExists => {}
                other => return other,
            }
        }
        Err(Error::new(
            Code::AlreadyExists,
            format!("There are {NAMES_MAX} sample projects already; delete some first."),
        ))
    }
}

fn new_project(name: String) -> NewProject {
    let category = |(kind, key): (Kind, i64)| NewProjectCategory {
        category: NewCategory {
            name: kind.name().to_owned(),
            color: Some(kind.color().to_owned()),
            hotkey: Some(key),
            ..NewCategory::default()
        },
        parent: None,
    };
    NewProject {
        name,
        task: Task::Detection,
        description: DESCRIPTION.to_owned(),
        instructions: INSTRUCTIONS.to_owned(),
        categories: Kind::ALL.into_iter().zip(1..).map(category).collect(),
        settings: None,
    }
}
