//! Limn's use cases, by noun. Both adapters (server functions and REST) call these and nothing else.
//!
//! Every public method takes the [`Actor`] first, checks [`authz`] itself, opens its own transaction and writes its own
//! line in the audit log. Nothing here knows HTTP, pages or the command line.

pub mod activities;
pub mod annotations;
pub mod artifacts;
pub mod assets;
pub mod assist;
mod audit;
pub mod auth;
pub mod authz;
mod bucket;
pub mod catalogue;
pub mod categories;
pub mod clock;
pub mod datasets;
pub mod datastores;
pub mod error;
pub mod experiments;
pub mod explore;
pub mod exports;
pub mod housekeeping;
pub mod imports;
pub mod ingest;
pub mod items;
pub mod job_list;
pub mod jobs;
pub mod logged_models;
pub mod markdown;
pub mod media;
pub mod members;
pub mod models;
pub mod objects;
pub mod profiles;
pub mod projects;
pub mod queue;
pub mod runs;
pub mod sample;
pub mod search;
pub mod segment;
pub mod sources;
pub mod tokens;
pub mod training;
pub mod uploads;
pub mod users;
pub mod versions;

mod context;
mod cursor;
mod elsewhere;
mod keys;

/// What the server's configuration lets datastores reach.
pub mod reach {
    pub use limn_connect::http::proxy;
    pub use limn_connect::{Bucket, BucketSettings, Network, Reach, Secret};
}

pub use authz::Actor;
pub use catalogue::CatalogueSettings;
pub use clock::Clock;
pub use context::{Context, Limits};
pub use error::{Error, Result};

/// All use cases. One pointer, as every request clones it several times.
#[derive(Clone)]
pub struct Services(std::sync::Arc<UseCases>);

impl std::ops::Deref for Services {
    type Target = UseCases;

    fn deref(&self) -> &UseCases {
        &self.0
    }
}

/// The use cases by noun.
pub struct UseCases {
    pub activities: activities::Activities,
    pub annotations: annotations::Annotations,
    pub artifacts: artifacts::Artifacts,
    pub assets: assets::Assets,
    pub assist: assist::Assists,
    pub auth: auth::Auth,
    pub catalogue: catalogue::Catalogues,
    pub categories: categories::Categories,
    pub datasets: datasets::Datasets,
    pub experiments: experiments::Experiments,
    pub datastores: datastores::Datastores,
    pub explore: explore::Explore,
    pub exports: exports::Exports,
    pub imports: imports::Imports,
    pub ingest: ingest::Ingest,
    pub items: items::Items,
    pub jobs: job_list::JobList,
    pub logged_models: logged_models::LoggedModels,
    pub media: media::Media,
    pub members: members::Members,
    pub models: models::Models,
    pub objects: objects::Objects,
    pub profiles: profiles::Profiles,
    pub projects: projects::Projects,
    pub queue: queue::Queue,
    pub runs: runs::Runs,
    pub sample: sample::Sample,
    pub search: search::Search,
    pub segments: segment::Segments,
    pub sources: sources::Sources,
    pub tokens: tokens::Tokens,
    pub trainings: training::Trainings,
    pub uploads: uploads::Uploads,
    pub users: users::Users,
    pub versions: versions::Versions,
    /// What the services themselves stand on.
    pub context: Context,
}

impl Services {
    pub fn new(context: Context) -> Self {
        Self(std::sync::Arc::new(UseCases {
            activities: activities::Activities(context.clone()),
            annotations: annotations::Annotations(context.clone()),
            artifacts: artifacts::Artifacts(context.clone()),
            assets: assets::Assets(context.clone()),
            assist: assist::Assists(context.clone()),
            auth: auth::Auth(context.clone()),
            catalogue: catalogue::Catalogues(context.clone()),
            categories: categories::Categories(context.clone()),
            datasets: datasets::Datasets(context.clone()),
            experiments: experiments::Experiments(context.clone()),
            datastores: datastores::Datastores(context.clone()),
            explore: explore::Explore(context.clone()),
            exports: exports::Exports(context.clone()),
            imports: imports::Imports(context.clone()),
            ingest: ingest::Ingest(context.clone()),
            items: items::Items(context.clone()),
            jobs: job_list::JobList(context.clone()),
            logged_models: logged_models::LoggedModels(context.clone()),
            media: media::Media(context.clone()),
            members: members::Members(context.clone()),
            models: models::Models(context.clone()),
            objects: objects::Objects(context.clone()),
            profiles: profiles::Profiles(context.clone()),
            projects: projects::Projects(context.clone()),
            queue: queue::Queue(context.clone()),
            runs: runs::Runs::new(context.clone()),
            sample: sample::Sample(context.clone()),
            search: search::Search(context.clone()),
            segments: segment::Segments::new(context.clone()),
            sources: sources::Sources(context.clone()),
            tokens: tokens::Tokens(context.clone()),
            trainings: training::Trainings::new(context.clone()),
            uploads: uploads::Uploads(context.clone()),
            users: users::Users(context.clone()),
            versions: versions::Versions(context.clone()),
            context,
        }))
    }
}
