//! A connection to one of the databases.

use super::mssql::SqlServer;
use super::relay::Relay;
use super::{Database, Row, Tls, is_identifier, within};
use crate::s3::tame;
use crate::{ConnectError, Result};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use limn_domain::datastore::{DatastoreKind, StoreTable, TableColumn};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _, TypeInfo as _, ValueRef as _, raw_sql,
};
use std::time::{Duration, Instant};

/// Longest a connection may take.
pub(super) const DIAL: Duration = Duration::from_secs(15);
/// A socket of our own, as the clients look for it.
const MYSQL_SOCKET: &str = "mysql.sock";

pub enum Conn {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    SqlServer(Box<SqlServer>),
    Sqlite(SqliteConnection),
}

const ADVICE: &str =
    "Limn only reads; give it a login that cannot do more, so that a mistake elsewhere costs nothing.";

impl Conn {
    /// Connects, and begins a transaction that only reads and in which a statement takes `time` at most.
    pub async fn open(of: &Database, time: Duration) -> Result<Self> {
        within(DIAL, Self::connect(of, time)).await
    }

    async fn connect(of: &Database, time: Duration) -> Result<Self> {
        if of.kind == DatastoreKind::SqlServer {
            return Ok(Self::SqlServer(Box::new(SqlServer::connect(of, time).await?)));
        }
        // Dialled is what was judged, an address; certificates are for the name.
        let (host, way) = if of.kind == DatastoreKind::Sqlite {
            (String::new(), None)
        } else if of.tls == Tls::VerifyFull {
            let socket = match of.kind {
                DatastoreKind::Mysql => MYSQL_SOCKET.to_owned(),
                _ => format!(".s.PGSQL.{}", of.port),
            };
            let way = Relay::open(&of.guard, &of.host, of.port, &socket).await?;
            let name = of.host.trim_start_matches('[').trim_end_matches(']');
            (name.to_owned(), Some(way))
        } else {
            let found = of.guard.resolve(&of.host, of.port).await?;
            let ip = found.first().map(|a| a.ip().to_string());
            (ip.unwrap_or_default(), None)
        };
        let millis = time.as_millis();
        let begin;
        let mut conn = match of.kind {
            DatastoreKind::Postgres => {
                let mut options = PgConnectOptions::new_without_pgpass()
                    .host(&host)
                    .port(of.port)
                    .database(&of.database)
                    .username(&of.username)
                    .password(of.password.reveal())
                    .application_name("limn")
                    .statement_cache_capacity(0)
                    .ssl_mode(match of.tls {
                        Tls::Off => PgSslMode::Disable,
                        Tls::Prefer => PgSslMode::Prefer,
                        Tls::Require => PgSslMode::Require,
                        Tls::VerifyFull => PgSslMode::VerifyFull,
                    });
                if let Some(way) = &way {
                    options = options.socket(way.folder());
                }
                if !of.ca.is_empty() {
                    options = options.ssl_root_cert_from_pem(of.ca.clone().into_bytes());
                }
                begin = vec![
                    format!("SET statement_timeout = {millis}"),
                    "SET TIME ZONE 'UTC'".to_owned(),
                    "SET DateStyle = 'ISO'".to_owned(),
                    "BEGIN READ ONLY".to_owned(),
                ];
                Self::Postgres(options.connect().await.map_err(|e| failed(of, e))?)
            }
            DatastoreKind::Mysql => {
                let mut options = MySqlConnectOptions::new()
                    .host(&host)
                    .port(of.port)
                    .database(&of.database)
                    .username(&of.username)
                    .password(of.password.reveal())
                    .statement_cache_capacity(0)
                    .ssl_mode(match of.tls {
                        Tls::Off => MySqlSslMode::Disabled,
                        Tls::Prefer => MySqlSslMode::Preferred,
                        Tls::Require => MySqlSslMode::Required,
                        Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
                    });
                if let Some(way) = &way {
                    options = options.socket(way.folder().join(MYSQL_SOCKET));
                }
                if !of.ca.is_empty() {
                    options = options.ssl_ca_from_pem(of.ca.clone().into_bytes());
                }
                begin = vec![
                    "SET time_zone = '+00:00'".to_owned(),
                    "START TRANSACTION READ ONLY".to_owned(),
                ];
                Self::Mysql(options.connect().await.map_err(|e| failed(of, e))?)
            }
            _ => {
                let options = SqliteConnectOptions::new()
                    .filename(&of.file)
                    .read_only(true)
                    .create_if_missing(false)
                    .busy_timeout(Duration::from_secs(5));
                let mut conn = options.connect().await.map_err(|e| failed(of, e))?;
                let until = Instant::now() + time;
                conn.lock_handle()
                    .await
                    .map_err(|e| failed(of, e))?
                    .set_progress_handler(10_000, move || Instant::now() < until);
                begin = vec!["PRAGMA query_only = 1".to_owned(), "BEGIN".to_owned()];
                Self::Sqlite(conn)
            }
        };
        for statement in begin {
            conn.run(&statement).await.map_err(|e| failed(of, e))?;
        }
        if let Self::Mysql(conn) = &mut conn {
            // MySQL and MariaDB call it by two names, in two units.
            let limits = [
                format!("SET max_execution_time = {millis}"),
                format!("SET max_statement_time = {}", time.as_secs()),
            ];
            for limit in limits {
                drop(raw_sql(AssertSqlSafe(limit)).execute(&mut *conn).await);
            }
        }
        Ok(conn)
    }

    async fn run(&mut self, sql: &str) -> sqlx::Result<()> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Postgres(c) => raw_sql(sql).execute(c).await.map(|_| ()),
            Self::Mysql(c) => raw_sql(sql).execute(c).await.map(|_| ()),
            // It has begun by itself.
            Self::SqlServer(_) => Ok(()),
            Self::Sqlite(c) => raw_sql(sql).execute(c).await.map(|_| ()),
        }
    }

    /// What a query answers, row by row; the columns come with the first one. The query is checked already.
    pub fn query<'a>(&'a mut self, text: &str) -> BoxStream<'a, Result<(Vec<TableColumn>, Row)>> {
        let sql = AssertSqlSafe(text.to_owned());
        let mut first = true;
        match self {
            Self::SqlServer(c) => c.query(text),
            Self::Postgres(c) => raw_sql(sql)
                .fetch(c)
                .map(move |r| of_postgres(&r.map_err(query_failed)?, std::mem::take(&mut first)))
                .boxed(),
            Self::Mysql(c) => raw_sql(sql)
                .fetch(c)
                .map(move |r| of_mysql(&r.map_err(query_failed)?, std::mem::take(&mut first)))
                .boxed(),
            Self::Sqlite(c) => raw_sql(sql)
                .fetch(c)
                .map(move |r| of_sqlite(&r.map_err(query_failed)?, std::mem::take(&mut first)))
                .boxed(),
        }
    }

    /// The columns of a query without running it.
    pub async fn columns(&mut self, text: &str) -> Result<Vec<TableColumn>> {
        use sqlx::{SqlSafeStr as _, Statement as _};
        let sql = AssertSqlSafe(text.to_owned()).into_sql_str();
        Ok(match self {
            Self::SqlServer(c) => c.columns(text).await?,
            Self::Postgres(c) => named(c.prepare(sql).await.map_err(query_failed)?.columns()),
            Self::Mysql(c) => named(c.prepare(sql).await.map_err(query_failed)?.columns()),
            Self::Sqlite(c) => named(c.prepare(sql).await.map_err(query_failed)?.columns()),
        })
    }

    async fn all(&mut self, sql: &str) -> Result<Vec<Row>> {
        let mut rows = self.query(sql);
        let mut out = Vec::new();
        while let Some(row) = rows.next().await {
            out.push(row?.1);
        }
        Ok(out)
    }

    /// Tables and views that the login may read.
    pub async fn tables(&mut self) -> Result<Vec<StoreTable>> {
        let (sql, quote) = match self {
            Self::SqlServer(c) => return c.tables().await,
            Self::Postgres(_) => (
                "SELECT n.nspname, c.relname, (c.relkind IN ('v', 'm'))::int FROM pg_class c JOIN pg_namespace n ON n.oid = \
                 c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', \
                 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' AND has_schema_privilege(n.oid, 'USAGE') AND \
                 has_table_privilege(c.oid, 'SELECT') ORDER BY 1, 2 LIMIT 5000",
                '"',
            ),
            Self::Mysql(_) => (
                "SELECT '', table_name, table_type = 'VIEW' FROM information_schema.tables WHERE table_schema = database() \
                 ORDER BY 2 LIMIT 5000",
                '`',
            ),
            Self::Sqlite(_) => (
                "SELECT '', name, type = 'view' FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' \
                 ORDER BY 2 LIMIT 5000",
                '"',
            ),
        };
        let name = |part: &str| {
            if is_identifier(part) {
                part.to_owned()
            } else {
                format!(
                    "{quote}{}{quote}",
                    part.replace(quote, &format!("{quote}{quote}"))
                )
            }
        };
        let rows = self.all(sql).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| match row.as_slice() {
                [Some(schema), Some(table), is_view] => Some(StoreTable {
                    name: if schema.is_empty() || schema == "public" {
                        name(table)
                    } else {
                        format!("{}.{}", name(schema), name(table))
                    },
                    is_view: is_view.as_deref() == Some("1"),
                }),
                _ => None,
            })
            .collect())
    }

    /// What the login may do beside reading.
    pub async fn warnings(&mut self) -> Result<Vec<String>> {
        let mut out = Vec::new();
        match self {
            Self::Postgres(_) => {
                let rows = self
                    .all(
                        "SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)::int, (SELECT count(*) FROM \
                         pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname \
                         NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' AND \
                         (has_table_privilege(c.oid, 'INSERT') OR has_table_privilege(c.oid, 'UPDATE') OR \
                         has_table_privilege(c.oid, 'DELETE')))",
                    )
                    .await?;
                if let Some([superuser, writable]) = rows.first().map(Vec::as_slice) {
                    if superuser.as_deref() == Some("1") {
                        out.push(format!("The login is a superuser of the database. {ADVICE}"));
                    } else if writable.as_deref().is_some_and(|n| n != "0") {
                        let n = writable.as_deref().unwrap_or_default();
                        out.push(format!("The login can write to {n} tables. {ADVICE}"));
                    }
                }
            }
            Self::Mysql(_) => {
                let grants = self.all("SHOW GRANTS").await?;
                let writes = [
                    "ALL PRIVILEGES",
                    "INSERT",
                    "UPDATE",
                    "DELETE",
                    "DROP",
                    "CREATE",
                    "ALTER",
                    "FILE",
                    "SUPER",
                ];
                let can: Vec<&str> = writes
                    .into_iter()
                    .filter(|w| {
                        grants.iter().flatten().flatten().any(|g| {
                            let upper = g.to_uppercase();
                            let rights = upper.split(" ON ").next().unwrap_or_default();
                            rights
                                .trim_start_matches("GRANT ")
                                .split(", ")
                                .any(|r| r.trim().starts_with(w))
                        })
                    })
                    .collect();
                if !can.is_empty() {
                    out.push(format!(
                        "The login can write ({}). {ADVICE}",
                        can.join(", ").to_lowercase()
                    ));
                }
            }
            Self::SqlServer(c) => out = c.warnings(ADVICE).await?,
            Self::Sqlite(_) => {}
        }
        Ok(out)
    }
}

fn named<C: sqlx::Column>(columns: &[C]) -> Vec<TableColumn> {
    columns
        .iter()
        .map(|c| TableColumn {
            name: c.name().to_owned(),
            type_name: c.type_info().name().to_owned(),
        })
        .collect()
}

fn unreadable(e: sqlx::Error) -> ConnectError {
    ConnectError::Wrong(format!("A value of the answer cannot be read: {e}."))
}

/// In the text protocol every value is the text the database writes.
fn of_postgres(row: &PgRow, first: bool) -> Result<(Vec<TableColumn>, Row)> {
    let mut out = Vec::with_capacity(row.len());
    for n in 0..row.len() {
        out.push(
            row.try_get_unchecked::<Option<String>, _>(n)
                .map_err(unreadable)?,
        );
    }
    Ok((if first { named(row.columns()) } else { Vec::new() }, out))
}

fn of_mysql(row: &MySqlRow, first: bool) -> Result<(Vec<TableColumn>, Row)> {
    let mut out = Vec::with_capacity(row.len());
    for n in 0..row.len() {
        let bytes = row
            .try_get_unchecked::<Option<Vec<u8>>, _>(n)
            .map_err(unreadable)?;
        out.push(bytes.map(text_or_hex));
    }
    Ok((if first { named(row.columns()) } else { Vec::new() }, out))
}

fn of_sqlite(row: &SqliteRow, first: bool) -> Result<(Vec<TableColumn>, Row)> {
    let mut out = Vec::with_capacity(row.len());
    for n in 0..row.len() {
        let value = row.try_get_raw(n).map_err(unreadable)?;
        let (is_null, kind) = (value.is_null(), value.type_info().name().to_owned());
        out.push(match kind.as_str() {
            _ if is_null => None,
            "INTEGER" | "BOOLEAN" => Some(
                row.try_get_unchecked::<i64, _>(n)
                    .map_err(unreadable)?
                    .to_string(),
            ),
            "REAL" => Some(
                row.try_get_unchecked::<f64, _>(n)
                    .map_err(unreadable)?
                    .to_string(),
            ),
            "BLOB" => Some(hex::encode(
                row.try_get_unchecked::<Vec<u8>, _>(n).map_err(unreadable)?,
            )),
            _ => {
                let bytes = row.try_get_unchecked::<Vec<u8>, _>(n).map_err(unreadable)?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        });
    }
    Ok((if first { named(row.columns()) } else { Vec::new() }, out))
}

fn text_or_hex(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| hex::encode(e.into_bytes()))
}

/// What a failure to connect means.
fn failed(of: &Database, e: sqlx::Error) -> ConnectError {
    let at = if of.kind == DatastoreKind::Sqlite {
        of.file.display().to_string()
    } else {
        format!("{}:{}", of.host, of.port)
    };
    match e {
        sqlx::Error::Database(d) => {
            let (code, said) = (d.code().unwrap_or_default().into_owned(), tame(d.message()));
            match code.as_str() {
                "28P01" | "28000" | "1045" => ConnectError::Denied(format!(
                    "{at} does not accept this user name and password ({said})."
                )),
                "3D000" | "1049" => ConnectError::NotFound(format!(
                    "There is no database `{}` at {at} ({said}).",
                    of.database
                )),
                "42501" | "1044" => ConnectError::Denied(format!(
                    "The login may not use the database `{}` ({said}).",
                    of.database
                )),
                "53300" | "1040" | "57P03" => {
                    ConnectError::Unreachable(format!("{at} takes no more connections now ({said})."))
                }
                "14" => {
                    ConnectError::NotFound(format!("There is no SQLite file `{at}`, or it may not be read."))
                }
                "26" => ConnectError::Wrong(format!("`{at}` is no SQLite file.")),
                // MySQL gives the number apart from the SQLSTATE.
                _ if said.contains("Access denied") => ConnectError::Denied(format!(
                    "{at} does not accept this user name and password, or database ({said})."
                )),
                _ if said.contains("Unknown database") => ConnectError::NotFound(format!(
                    "There is no database `{}` at {at} ({said}).",
                    of.database
                )),
                _ => ConnectError::Wrong(format!("{at} says: {said}.")),
            }
        }
        sqlx::Error::Io(e) => {
            #[cfg(feature = "tls")]
            if let Some(why) = super::trust::untrusted(&at, &e) {
                return why;
            }
            ConnectError::Unreachable(format!("{at} cannot be reached ({e})."))
        }
        sqlx::Error::Tls(e) => ConnectError::Unreachable(format!("TLS with {at} failed ({e}).")),
        e => ConnectError::Unreachable(format!("The connection to {at} failed ({e}).")),
    }
}

/// What a failure of a query means.
fn query_failed(e: sqlx::Error) -> ConnectError {
    match e {
        sqlx::Error::Database(d) => {
            let said = tame(d.message());
            match d.code().unwrap_or_default().as_ref() {
                "57014" | "70100" | "9" => {
                    ConnectError::TooMuch(format!("The query takes too long ({said})."))
                }
                "25006" | "8" => ConnectError::Wrong(format!(
                    "The query would write; only reading is allowed ({said})."
                )),
                "42501" | "42000" if said.contains("denied") => {
                    ConnectError::Denied(format!("The login may not read that ({said})."))
                }
                _ => ConnectError::Wrong(format!("The database refuses the query: {said}.")),
            }
        }
        sqlx::Error::Io(e) => {
            ConnectError::Unreachable(format!("The connection to the database broke ({e})."))
        }
        e => ConnectError::Wrong(format!("The query failed: {e}.")),
    }
}
