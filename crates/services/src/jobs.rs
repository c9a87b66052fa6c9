//! What runs in the background, one file a kind.

pub(crate) mod assist;
pub(crate) mod catalogue;
pub(crate) mod check;
pub(crate) mod cleanup;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod profile;
pub(crate) mod source;
pub(crate) mod tiles;
pub(crate) mod training;
pub(crate) mod version;
mod videos;

use crate::{Error, Result, Services};
use limn_domain::activity::Activity;
use limn_domain::job::Job;
use limn_domain::{ActivityId, DatasetId, ProjectId, Timestamp, UserId};
use limn_jobs::{Cancelled, NewJob, Permanent, Registry, Runner};
use limn_storage::StorageError;
use limn_store::{Tx, repo};

/// The kinds of jobs, as stored and as answered by the API.
pub mod kind {
    pub const IMPORT: &str = "import";
    pub const EXPORT: &str = "export";
    pub const SAMPLE: &str = "sample";
    pub const TILES: &str = "tiles";
    /// Registers a version of a dataset.
    pub const VERSION: &str = "version";
    /// Computes the profile of a version.
    pub const PROFILE: &str = "profile";
    /// Looks whether files of a version that were left in their datastores are what they were.
    pub const CHECK: &str = "check";
    /// Fills a labeling project from a version.
    pub const FROM_VERSION: &str = "from_version";
    /// Takes what is new in a datastore into a project.
    pub const SOURCE: &str = "source";
    /// Looks at the pictures of a project and learns from its labels.
    pub const ASSIST: &str = "assist";
    /// The same where a network learns to find boxes, outlines or masks, which takes minutes.
    pub const ASSIST_BOXES: &str = "assist_boxes";
    /// Trains a network on a version.
    pub const TRAINING: &str = "training";
    /// Indexes a version to look through it.
    pub const EXPLORE: &str = "explore";
    /// Indexes the items of a project, or takes in what has changed.
    pub const EXPLORE_ITEMS: &str = "explore_items";
    /// Describes the pictures of a version, to order them by likeness.
    pub const SIMILAR: &str = "similar";
    /// Lays the pictures of a version out on a map.
    pub const MAP: &str = "map";
    /// Makes a dataset of a record of the catalogue.
    pub const CATALOGUE: &str = "catalogue";
}

/// A runner with every handler registered.
pub fn runner(services: &Services, concurrency: usize) -> Runner {
    let ctx = services.context.clone();
    let mut registry = Registry::default();
    registry.register(kind::IMPORT, import::ImportJob(ctx.clone()));
    registry.register(kind::EXPORT, export::ExportJob(ctx.clone()));
    registry.register(kind::SAMPLE, crate::sample::SampleJob(ctx.clone()));
    registry.register(kind::TILES, tiles::TilesJob(ctx.clone()));
    registry.register(kind::VERSION, version::VersionJob(ctx.clone()));
    registry.register(kind::PROFILE, profile::ProfileJob(ctx.clone()));
    registry.register(kind::CHECK, check::CheckJob(ctx.clone()));
    registry.register(kind::FROM_VERSION, version::ProjectJob(ctx.clone()));
    registry.register(kind::SOURCE, source::SourceJob(ctx.clone()));
    registry.register(kind::ASSIST, assist::AssistJob(ctx.clone()));
    registry.register(kind::CATALOGUE, catalogue::CatalogueJob(ctx.clone()));
    registry.register(kind::EXPLORE, crate::explore::index::ExploreJob(ctx.clone()));
    registry.register(kind::EXPLORE_ITEMS, crate::explore::items::ItemsJob(ctx.clone()));
    registry.register(kind::SIMILAR, crate::explore::similar::SimilarJob(ctx.clone()));
    registry.register(kind::MAP, crate::explore::map::MapJob(ctx.clone()));
    let clock = ctx.clock.clone();
    let (scheduled, learning) = (ctx.clone(), ctx.clone());
    Runner::new(
        ctx.db.clone(),
        registry,
        ctx.jobs.clone(),
        concurrency,
        move || clock.now(),
    )
    .every(cleanup::EVERY, move || Box::pin(cleanup::run(ctx.clone())))
    .every(crate::sources::EVERY, move || {
        Box::pin(crate::sources::start_due(scheduled.clone()))
    })
    .every(assist::EVERY, move || {
        Box::pin(assist::schedule(learning.clone()))
    })
}

/// A runner of its own for trainings, one at a time: hours of it must not take the place of jobs that people wait for.
pub fn trainer(services: &Services) -> Runner {
    let ctx = services.context.clone();
    let mut registry = Registry::default();
    registry.register(kind::TRAINING, training::TrainingJob(ctx.clone()));
    let clock = ctx.clock.clone();
    Runner::new(ctx.db.clone(), registry, ctx.jobs.clone(), 1, move || clock.now())
        .every(training::EVERY, move || Box::pin(training::settle(ctx.clone())))
}

/// A runner of its own for assists that train networks, one at a time: other jobs do not wait for their minutes, nor they for the hours of a
/// training.
pub fn learner(services: &Services) -> Runner {
    let ctx = services.context.clone();
    let mut registry = Registry::default();
    registry.register(kind::ASSIST_BOXES, assist::AssistJob(ctx.clone()));
    let clock = ctx.clock.clone();
    Runner::new(ctx.db.clone(), registry, ctx.jobs.clone(), 1, move || clock.now())
}

/// Queues a job in the caller's transaction, as one of `dataset` where it is about one, and answers it: where one of the same key waits
/// already, that one. Wake the runners after the commit.
pub(crate) async fn queue(
    tx: &mut Tx,
    new: NewJob,
    dataset: Option<DatasetId>,
    now: Timestamp,
) -> Result<Job> {
    let id = limn_jobs::enqueue(tx, new, now).await?;
    if let Some(dataset) = dataset {
        repo::job::set_dataset(tx, id, dataset).await?;
    }
    repo::job::get(tx, id)
        .await?
        .ok_or_else(|| Error::not_found("job"))
}

/// Shapes an error for the people who read the job: what a client may see stands as it is and is final, anything else
/// is tried again and stays in the log.
fn for_people(e: anyhow::Error) -> anyhow::Error {
    if e.is::<Cancelled>() || e.is::<Permanent>() {
        return e;
    }
    match crate::elsewhere::fault(&e) {
        Some(StorageError::SourceAway(text)) => {
            // The store may answer at the next attempt.
            let text = text.clone();
            return e.context(text);
        }
        Some(fault) => return Permanent(fault.to_string()).into(),
        None => {}
    }
    let api = e.chain().find_map(|cause| match cause.downcast_ref::<Error>() {
        Some(Error::Api(api)) => Some(api.message.clone()),
        _ => None,
    });
    match api {
        Some(message) => Permanent(message).into(),
        None => e.context("Something went wrong on the server. The log of the server has the details"),
    }
}

/// An audit line in the name of whoever asked for a job.
async fn audit_as(
    tx: &mut Tx,
    user: Option<UserId>,
    name: &str,
    project: ProjectId,
    verb: &str,
    summary: &str,
    now: Timestamp,
) -> Result<()> {
    let activity = Activity {
        id: ActivityId::new(),
        at: now,
        actor_id: user,
        actor_name: name.to_owned(),
        project_id: Some(project),
        verb: verb.to_owned(),
        summary: summary.to_owned(),
    };
    Ok(repo::activity::insert(tx, &activity, &serde_json::json!({})).await?)
}
