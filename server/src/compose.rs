//! Puts the parts together: folders, database, services, jobs.

use crate::config::Config;
use anyhow::{Context as _, Result, bail};
use limn_services::reach::Bucket;
use limn_services::{Clock, Context, Services};
use limn_store::{Db, DbConfig};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longest the running jobs may take to hand themselves back.
const HAND_BACK: Duration = Duration::from_secs(4);
const NO_BUCKET: &str = "cannot use the object store; see the settings storage.*";
/// How often ended sessions, abandoned uploads and the like are swept up.
const TIDY: Duration = Duration::from_hours(1);

/// The file that says who uses the data directory.
const IN_USE: &str = "in-use";

/// Takes the data directory for this process, where no two may have the same: on SQLite, which one process writes to, and
/// beside an object store, where it holds what this process is working on. Let go when the file is closed.
pub fn claim(config: &Config) -> Result<Option<File>> {
    let sqlite = matches!(config.db(), DbConfig::Sqlite(_));
    if !sqlite && config.bucket.is_none() {
        return Ok(None);
    }
    make_private_dir(&config.data_dir)?;
    let path = config.data_dir.join(IN_USE);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    let file = options
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let mend = if sqlite {
                "SQLite serves one process; for several, keep the database in PostgreSQL (database.url)"
            } else {
                "give each process a data directory of its own (storage.data_dir); what they share is in the database and \
                 the object store"
            };
            bail!(
                "another Limn uses the data directory {}: {mend}",
                config.data_dir.display()
            )
        }
        Err(TryLockError::Error(e)) => Err(e).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// Opens everything, making the data directory and bringing the database up to date.
pub async fn open(config: &Config) -> Result<Services> {
    make_private_dir(&config.data_dir)?;
    let db = Db::open(&config.db()).await.context(
        "cannot open the database; see database.url, or for SQLite the permissions of the data directory",
    )?;
    db.migrate()
        .await
        .context("cannot bring the database up to date")?;
    services(db, config).await
}

/// The services over an open, current database.
pub async fn services(db: Db, config: &Config) -> Result<Services> {
    let (dir, limits, clock) = (config.data_dir.clone(), config.limits.clone(), Clock::system());
    let context = match &config.bucket {
        None => Context::open(db, dir, limits, clock),
        Some(place) => {
            let bucket = Bucket::open(&place.settings).context(NO_BUCKET)?;
            bucket.probe().await.context(NO_BUCKET)?;
            Context::open_bucket(db, dir, limits, clock, (bucket, place.cache_bytes))
        }
    };
    let context = context
        .map_err(anyhow::Error::from)
        .with_context(|| format!("cannot use the data directory {}", config.data_dir.display()))?;
    let engine = Arc::new(limn_ml::LocalEngine::new().on(config.processor));
    let trainer = Arc::new(limn_ml::LocalTrainer::new().on(config.processor));
    Ok(Services::new(context.with_engine(engine).with_trainer(trainer)))
}

/// Opens what this process is to compute networks on, for one that will. An error where it has to be a graphics processor and there is none.
pub async fn open_processor(config: &Config) -> Result<()> {
    let asked = config.processor;
    // Drivers are read from the disk and asked what they can do.
    let on = tokio::task::spawn_blocking(move || asked.open())
        .await
        .context("the search for a graphics processor failed")?
        .map_err(anyhow::Error::msg)?;
    if let Some(why) = on.instead {
        tracing::info!("networks are computed on {}: {why}", on.name);
    } else {
        tracing::info!("networks are computed on {}", on.name);
    }
    Ok(())
}

/// Whether this process fits with those that share its database: their clock, and their key for credentials.
pub async fn fits_in(services: &Services) -> Result<()> {
    limn_services::housekeeping::check_clock(&services.context)
        .await
        .map_err(anyhow::Error::from)?;
    services.context.check_key().await.map_err(anyhow::Error::from)
}

/// The data directory is nobody else's business: it holds the database and the pictures.
fn make_private_dir(dir: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .with_context(|| format!("cannot make the data directory {}", dir.display()))
}

/// Background work of this process.
pub struct Background {
    stop: CancellationToken,
    jobs: Option<JoinHandle<()>>,
    tidy: JoinHandle<()>,
}

impl Background {
    /// Starts `workers` jobs at once with a training and an assist that finds boxes beside them, none when 0, and the hourly tidying.
    pub fn start(services: &Services, workers: usize) -> Self {
        let stop = CancellationToken::new();
        let jobs = (workers > 0).then(|| {
            let runner = limn_services::jobs::runner(services, workers);
            let beside = [
                limn_services::jobs::trainer(services),
                limn_services::jobs::learner(services),
            ];
            // Each on a task of its own; one that panicked has said so.
            let all = std::iter::once(runner)
                .chain(beside)
                .map(|r| tokio::spawn(r.run(stop.clone())));
            let all: Vec<JoinHandle<()>> = all.collect();
            tokio::spawn(async move {
                for one in all {
                    drop(one.await);
                }
            })
        });
        let tidy = tokio::spawn(tidy(services.clone(), stop.clone()));
        Self { stop, jobs, tidy }
    }

    /// Cancels running jobs, which hand themselves back to the queue, and waits a little for it. Whoever does not make
    /// it is found by its lease when that ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Some(jobs) = self.jobs
            && tokio::time::timeout(HAND_BACK, jobs).await.is_err()
        {
            tracing::warn!("some jobs did not stop in time; they are taken up again when their lease ends");
        }
        self.tidy.abort();
    }
}

async fn tidy(services: Services, stop: CancellationToken) {
    loop {
        if let Err(e) = limn_services::housekeeping::take_turn(&services.context).await {
            tracing::warn!(error = %e, "cannot sweep up");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TIDY) => {}
        }
    }
}
