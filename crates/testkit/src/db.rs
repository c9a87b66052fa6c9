//! Throwaway databases, copies of a migrated one: a file for SQLite, a database of a cluster for PostgreSQL.

use futures::FutureExt as _;
use limn_store::{Db, DbConfig};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Names the cluster (a superuser's URL) on which tests make their databases.
const PG: &str = "LIMN_TEST_PG";
/// Key of the advisory lock under which the template is made.
const TEMPLATE_LOCK: i64 = 0x6c69_6d6e;

/// A migrated SQLite database, whole: migrating takes longer than many a test.
static SQLITE: OnceCell<Vec<u8>> = OnceCell::const_new();
/// The name of PostgreSQL's template, once it is known to be there.
static POSTGRES: OnceCell<String> = OnceCell::const_new();

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// A fresh, migrated database, and a folder beside it. Use it like a [`Db`].
#[derive(Clone)]
pub struct TestDb {
    db: Db,
    pub backend: Backend,
    config: DbConfig,
    dir: Arc<TempDir>,
}

impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// Runs a test's body once on each database; every run gets its own. Without `LIMN_TEST_PG` only SQLite is used, with a
/// word about it.
///
/// ```ignore
/// on_both(async |db| { db.write(...).await.unwrap(); }).await;
/// ```
pub async fn on_both(body: impl AsyncFn(TestDb)) {
    run(TestDb::sqlite().await, &body).await;
    match TestDb::postgres().await {
        Some(db) => run(db, &body).await,
        None => eprintln!("{PG} is not set: not run on PostgreSQL"),
    }
}

/// Runs the body and throws the database away, also after a panic.
async fn run(db: TestDb, body: &impl AsyncFn(TestDb)) {
    let result = AssertUnwindSafe(body(db.clone())).catch_unwind().await;
    let backend = db.backend;
    db.finish().await;
    if let Err(panic) = result {
        eprintln!("failed on {backend:?}");
        std::panic::resume_unwind(panic);
    }
}

impl TestDb {
    /// A file in a temporary folder.
    pub async fn sqlite() -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let path = dir.path().join("limn.db");
        std::fs::write(&path, SQLITE.get_or_init(migrated).await).expect("a test database is made");
        let config = DbConfig::Sqlite(path);
        let db = Db::open(&config).await.expect("SQLite opens");
        Self {
            db,
            backend: Backend::Sqlite,
            config,
            dir,
        }
    }

    /// A new database in the cluster of `LIMN_TEST_PG`; `None` when that is not set.
    pub async fn postgres() -> Option<Self> {
        let url = std::env::var(PG).ok().filter(|u| !u.is_empty())?;
        let template = POSTGRES
            .get_or_try_init(|| template(&url))
            .await
            .expect("the template database is made");
        let name = format!("limn_test_{}", uuid::Uuid::now_v7().simple());
        admin(&url, &format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await
            .expect("a test database is made");
        let config = DbConfig::Postgres {
            url: with_database(&url, &name),
            max_connections: 10,
        };
        let db = Db::open(&config).await.expect("the test database opens");
        let dir = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        Some(Self {
            db,
            backend: Backend::Postgres,
            config,
            dir,
        })
    }

    /// For opening it a second time, as another process would.
    pub fn config(&self) -> DbConfig {
        self.config.clone()
    }

    pub fn db(&self) -> Db {
        self.db.clone()
    }

    /// A folder that lives as long as the database, for data directories.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Closes the database and removes it from the cluster.
    pub async fn finish(self) {
        let DbConfig::Postgres { url, .. } = &self.config else {
            self.db.close().await;
            return;
        };
        self.db.close().await;
        if let (Ok(cluster), Some(name)) = (std::env::var(PG), database_of(url)) {
            drop(admin(&cluster, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await);
        }
    }
}

/// The bytes of a migrated SQLite database.
async fn migrated() -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = DbConfig::Sqlite(dir.path().join("limn.db"));
    let db = Db::open(&config).await.expect("SQLite opens");
    db.migrate().await.expect("the migrations run on SQLite");
    let copy = dir.path().join("copy.db");
    if let Db::Sqlite { write, .. } = &db {
        // What is still in the log comes along.
        let sql = format!("VACUUM INTO '{}'", copy.display());
        sqlx::query(AssertSqlSafe(sql))
            .execute(write)
            .await
            .expect("the database is copied");
    }
    db.close().await;
    std::fs::read(copy).expect("the copy is read")
}

/// The name of the migrated template, made by whoever comes first. It is named after the migrations' text, so that an
/// edited migration gets a new one.
async fn template(url: &str) -> Result<String, sqlx::Error> {
    let migrations = sqlx::migrate!("../../migrations/postgres");
    let texts: Vec<u8> = migrations
        .iter()
        .flat_map(|m| m.checksum.iter().copied())
        .collect();
    let name = format!("limn_template_{}", &blake3::hash(&texts).to_hex()[..16]);
    let mut lock = PgConnection::connect_with(&PgConnectOptions::from_str(url)?).await?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut lock)
        .await?;
    let there: bool = sqlx::query_scalar("SELECT count(*) > 0 FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_one(&mut lock)
        .await?;
    if !there {
        let raw = format!("{name}_raw");
        for sql in [
            format!("DROP DATABASE IF EXISTS {raw} WITH (FORCE)"),
            format!("CREATE DATABASE {raw}"),
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut lock).await?;
        }
        let config = DbConfig::Postgres {
            url: with_database(url, &raw),
            max_connections: 1,
        };
        let db = Db::open(&config).await.map_err(sqlx::Error::config)?;
        db.migrate().await.map_err(sqlx::Error::config)?;
        db.close().await;
        let rename = format!("ALTER DATABASE {raw} RENAME TO {name}");
        sqlx::query(AssertSqlSafe(rename)).execute(&mut lock).await?;
    }
    // Closing the connection gives the lock back.
    lock.close().await?;
    Ok(name)
}

async fn admin(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(&PgConnectOptions::from_str(url)?).await?;
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

/// The cluster's URL with another database in it.
fn with_database(url: &str, name: &str) -> String {
    let (head, query) = url.split_once('?').map_or((url, None), |(h, q)| (h, Some(q)));
    let after_scheme = head.find("://").map_or(0, |i| i + 3);
    let base = head[after_scheme..]
        .find('/')
        .map_or(head, |i| &head[..after_scheme + i]);
    match query {
        Some(query) => format!("{base}/{name}?{query}"),
        None => format!("{base}/{name}"),
    }
}

fn database_of(url: &str) -> Option<&str> {
    url.split('?')
        .next()?
        .rsplit('/')
        .next()
        .filter(|n| n.starts_with("limn_test_"))
}
