//! Limn's use cases, by noun. Both adapters (server functions and REST) call these and nothing else.
//!
//! Every public method takes the [`Actor`] first, checks [`authz`] itself, opens its own transaction and writes its own
//! line in the audit log. Nothing here knows HTTP, pages or the command line.

pub mod activities;
pub mod annotations;
pub mod assets;
mod audit;
pub mod auth;
pub mod authz;
pub mod categories;
pub mod clock;
pub mod error;
pub mod exports;
pub mod housekeeping;
pub mod imports;
pub mod ingest;
pub mod items;
pub mod job_list;
pub mod jobs;
pub mod markdown;
pub mod media;
pub mod members;
pub mod projects;
pub mod queue;
pub mod sample;
pub mod search;
pub mod tokens;
pub mod uploads;
pub mod users;

mod context;
mod cursor;

pub use authz::Actor;
pub use clock::Clock;
pub use context::{Context, Limits};
pub use error::{Error, Result};

/// All use cases, cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub activities: activities::Activities,
    pub annotations: annotations::Annotations,
    pub assets: assets::Assets,
    pub auth: auth::Auth,
    pub categories: categories::Categories,
    pub exports: exports::Exports,
    pub imports: imports::Imports,
    pub ingest: ingest::Ingest,
    pub items: items::Items,
    pub jobs: job_list::JobList,
    pub media: media::Media,
    pub members: members::Members,
    pub projects: projects::Projects,
    pub queue: queue::Queue,
    pub sample: sample::Sample,
    pub search: search::Search,
    pub tokens: tokens::Tokens,
    pub uploads: uploads::Uploads,
    pub users: users::Users,
    /// What the services themselves stand on.
    pub context: Context,
}

impl Services {
    pub fn new(context: Context) -> Self {
        Self {
            activities: activities::Activities(context.clone()),
            annotations: annotations::Annotations(context.clone()),
            assets: assets::Assets(context.clone()),
            auth: auth::Auth(context.clone()),
            categories: categories::Categories(context.clone()),
            exports: exports::Exports(context.clone()),
            imports: imports::Imports(context.clone()),
            ingest: ingest::Ingest(context.clone()),
            items: items::Items(context.clone()),
            jobs: job_list::JobList(context.clone()),
            media: media::Media(context.clone()),
            members: members::Members(context.clone()),
            projects: projects::Projects(context.clone()),
            queue: queue::Queue(context.clone()),
            sample: sample::Sample(context.clone()),
            search: search::Search(context.clone()),
            tokens: tokens::Tokens(context.clone()),
            uploads: uploads::Uploads(context.clone()),
            users: users::Users(context.clone()),
            context,
        }
    }
}
