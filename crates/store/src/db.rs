//! Connections, migrations, snapshots and units of work.

use crate::StoreError;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};

/// Most units of work that share one SQLite commit, and the longest the first of them waits for the others.
const BATCH_MAX: usize = 256;
const BATCH_TIME: Duration = Duration::from_millis(8);

/// Where the database is.
#[derive(Clone)]
pub enum DbConfig {
    /// One file; created when missing.
    Sqlite(PathBuf),
    /// A `postgres://` URL; holds a password, hence no `Debug`.
    Postgres { url: String, max_connections: u32 },
}

/// The database, cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
        writer: mpsc::Sender<Op>,
    },
    Postgres(PgPool),
}

/// A transaction on either database.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

type Op = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Done> + Send>;

/// A unit of work that has run but is not committed yet.
pub struct Done {
    keep: bool,
    deliver: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

impl Db {
    /// Opens the database; does not migrate. Must be called in a tokio runtime.
    pub async fn open(config: &DbConfig) -> Result<Self, StoreError> {
        match config {
            DbConfig::Sqlite(path) => Self::open_sqlite(path).await,
            DbConfig::Postgres { url, max_connections } => {
                let options = PgConnectOptions::from_str(url)?;
                let pool = PgPoolOptions::new()
                    .max_connections(*max_connections)
                    .acquire_timeout(Duration::from_secs(10))
                    .connect_with(options)
                    .await?;
                Ok(Self::Postgres(pool))
            }
        }
    }

    async fn open_sqlite(path: &std::path::Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A reply promises that the change survives a power cut; batching pays for the flush.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(256)
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-8000");
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .connect_with(options.clone())
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(6)
            // The system caches the file too, once for all of them.
            .connect_with(options.pragma("cache_size", "-2000"))
            .await?;
        let (writer, queue) = mpsc::channel(1024);
        tokio::spawn(write_loop(write.clone(), queue));
        Ok(Self::Sqlite { read, write, writer })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, .. } => sqlx::migrate!("../../migrations/sqlite").run(write).await?,
            Self::Postgres(pool) => sqlx::migrate!("../../migrations/postgres").run(pool).await?,
        }
        Ok(())
    }

    /// Whether every known migration has run.
    pub async fn is_current(&self) -> Result<bool, StoreError> {
        let known = sqlx::migrate!("../../migrations/sqlite").iter().count() as i64;
        let mut tx = self.read().await?;
        let applied: i64 = crate::on_tx!(&mut tx, conn => {
            sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE success").fetch_one(conn).await?
        });
        Ok(applied == known)
    }

    /// By how many microseconds the clock of the database's machine is ahead of this one's; 0 where they are the same. What
    /// the way there takes is left out as far as it can be known.
    pub async fn clock_ahead(&self) -> Result<i64, StoreError> {
        let Self::Postgres(pool) = self else {
            return Ok(0);
        };
        let mut least: Option<(i64, i64)> = None;
        // The quickest of a few answers says it best.
        for _ in 0..3 {
            let before = micros();
            let theirs: i64 =
                sqlx::query_scalar("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)")
                    .fetch_one(pool)
                    .await?;
            let took = micros() - before;
            let ahead = theirs - (before + took / 2);
            if least.is_none_or(|(quickest, _)| took < quickest) {
                least = Some((took, ahead));
            }
        }
        Ok(least.map_or(0, |(_, ahead)| ahead))
    }

    /// A consistent snapshot for reading; dropped when done.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?),
            Self::Postgres(pool) => {
                Tx::Postgres(begin(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        })
    }

    /// Runs a unit of work and returns once it is durable; an `Err` from `work` rolls it back.
    ///
    /// On SQLite other units of work may share the commit, so `work` must only talk to the database: no file or
    /// network I/O, no long computation, and never another `write` inside (it would wait for itself).
    ///
    /// ```ignore
    /// db.write(move |tx| Box::pin(async move { repo::item::delete(tx, id).await })).await?;
    /// ```
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match self {
            Self::Postgres(pool) => {
                let mut tx = Tx::Postgres(begin(pool, "BEGIN").await?);
                let value = work(&mut tx).await?;
                if let Tx::Postgres(inner) = tx {
                    inner.commit().await.map_err(StoreError::from)?;
                }
                Ok(value)
            }
            Self::Sqlite { writer, .. } => {
                let (reply, answer) = oneshot::channel::<Result<T, E>>();
                let op: Op = Box::new(move |tx| {
                    Box::pin(async move {
                        let result = work(tx).await;
                        Done {
                            keep: result.is_ok(),
                            deliver: Box::new(move |committed| {
                                let result = match (result, committed) {
                                    (Ok(_), Err(e)) => Err(E::from(e)),
                                    (result, _) => result,
                                };
                                // The caller may have gone away; the work stands all the same.
                                drop(reply.send(result));
                            }),
                        }
                    })
                });
                writer
                    .send(op)
                    .await
                    .map_err(|_| E::from(StoreError::Abandoned))?;
                answer
                    .await
                    .unwrap_or_else(|_| Err(E::from(StoreError::Abandoned)))
            }
        }
    }

    /// Closes all connections after the running work.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Begins a transaction, whole even where the caller goes away in the middle: sqlx counts one only when the server has answered, so that a
/// connection whose `BEGIN` nobody waited for would go back to the pool with an open transaction, and the next unit of work would
/// run in it.
async fn begin(pool: &PgPool, statement: &'static str) -> Result<Transaction<'static, Postgres>, StoreError> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await }).await;
    Ok(begun.map_err(|_| StoreError::Abandoned)??)
}

/// Runs units of work one after another, committing as many together as arrive in time.
async fn write_loop(pool: SqlitePool, mut queue: mpsc::Receiver<Op>) {
    while let Some(first) = queue.recv().await {
        let inner = match pool.begin_with("BEGIN IMMEDIATE").await {
            Ok(inner) => inner,
            Err(e) => {
                // Dropping the work answers its caller with `Abandoned`.
                tracing::error!(error = %e, "cannot begin a write");
                if matches!(e, sqlx::Error::PoolClosed) {
                    return;
                }
                continue;
            }
        };
        let started = Instant::now();
        let mut tx = Tx::Sqlite(inner);
        let mut done: Vec<Done> = Vec::new();
        let mut next = Some(first);
        let mut broken = None;
        while let Some(op) = next.take() {
            match run_in_savepoint(&mut tx, op).await {
                Ok(Some(d)) => done.push(d),
                Ok(None) => {}
                Err(e) => {
                    broken = Some(e);
                    break;
                }
            }
            if done.len() < BATCH_MAX && started.elapsed() < BATCH_TIME {
                next = queue.try_recv().ok();
            }
        }
        let Tx::Sqlite(inner) = tx else { continue };
        let outcome = match broken {
            None => inner.commit().await.map_err(StoreError::from),
            Some(e) => {
                drop(inner.rollback().await);
                Err(e)
            }
        };
        match outcome {
            Ok(()) => done.into_iter().for_each(|d| (d.deliver)(Ok(()))),
            Err(e) => {
                tracing::error!(error = %e, "a batch of writes was not committed");
                let text = e.to_string();
                for d in done {
                    (d.deliver)(Err(StoreError::Unavailable(text.clone())));
                }
            }
        }
    }
}

/// Runs one unit of work so that its failure leaves the others of the batch alone. `None`: it failed or panicked and has
/// been answered.
async fn run_in_savepoint(tx: &mut Tx, op: Op) -> Result<Option<Done>, StoreError> {
    execute(tx, "SAVEPOINT unit").await?;
    let done = AssertUnwindSafe(op(tx)).catch_unwind().await;
    match done {
        Ok(done) if done.keep => {
            execute(tx, "RELEASE unit").await?;
            Ok(Some(done))
        }
        failed => {
            execute(tx, "ROLLBACK TO unit").await?;
            execute(tx, "RELEASE unit").await?;
            if let Ok(done) = failed {
                (done.deliver)(Ok(()));
            } else {
                tracing::error!("a write panicked and was rolled back");
            }
            Ok(None)
        }
    }
}

async fn execute(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    crate::on_tx!(tx, conn => sqlx::query(sql).execute(conn).await.map(|_| ()))?;
    Ok(())
}
