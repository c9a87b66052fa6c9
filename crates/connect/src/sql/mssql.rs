//! SQL Server, by `tiberius` over a connection of our own.

mod check;
mod greet;
#[cfg(feature = "tls")]
mod tls;
mod value;

use super::{Database, Row};
use crate::s3::tame;
use crate::{ConnectError, Result};
use futures::StreamExt as _;
use futures::TryStreamExt as _;
use futures::stream::{self, BoxStream};
use greet::{Came, Pipe, greet};
use limn_domain::datastore::{StoreTable, TableColumn};
use std::time::Duration;
use tiberius::error::Error;
use tiberius::{AuthMethod, Client, Column, Config, EncryptionLevel, QueryItem, QueryStream};
use tokio::time::Instant;

/// Times that a server may send on to another one, as availability groups and Azure do.
const HOPS: usize = 2;
/// Rows of what is asked on our own account; no question of ours has more answers.
const OWN_ROWS: usize = 5_000;

/// A connection that is signed in.
pub struct SqlServer {
    client: Client<Pipe>,
    came: Came,
    /// Longest that an answer may take.
    time: Duration,
}

type Answer = (Vec<TableColumn>, Row);

impl SqlServer {
    /// Connects, and begins a transaction that nobody commits.
    pub async fn connect(of: &Database, time: Duration) -> Result<Self> {
        let came = Came::default();
        let client = find(of, &came).await?;
        let mut new = Self { client, came, time };
        // Nothing that is sent is meant to write. What writes all the same is undone with the connection.
        let begin = format!(
            "SET LOCK_TIMEOUT {}; SET TEXTSIZE 2147483647; SET DEADLOCK_PRIORITY LOW; SET XACT_ABORT ON; SET TRANSACTION \
             ISOLATION LEVEL READ COMMITTED; BEGIN TRANSACTION",
            time.as_millis().min(i32::MAX as u128)
        );
        new.all(begin).await?;
        Ok(new)
    }

    /// What a query answers.
    pub fn query<'a>(&'a mut self, sql: &str) -> BoxStream<'a, Result<Answer>> {
        match check::check(sql) {
            Ok(()) => self.rows(sql.to_owned(), true),
            Err(e) => stream::once(std::future::ready(Err(e))).boxed(),
        }
    }

    /// `many`: each row may be large, however many there are; else all of them together may not.
    fn rows(&mut self, sql: String, many: bool) -> BoxStream<'_, Result<Answer>> {
        let until = Instant::now() + self.time;
        let (client, came) = (&mut self.client, self.came.clone());
        came.clear();
        let begun = async move {
            let asked = tokio::time::timeout_at(until, client.simple_query(sql));
            let answer = asked.await.map_err(|_| slow())?.map_err(query_failed)?;
            let reading = Reading {
                answer,
                columns: Vec::new(),
                first: true,
                over: false,
                until,
                came: many.then_some(came),
            };
            Ok::<_, ConnectError>(stream::unfold(reading, next))
        };
        stream::once(begun).try_flatten().boxed()
    }

    async fn all(&mut self, sql: String) -> Result<Vec<Row>> {
        let rows = self.rows(sql, false).take(OWN_ROWS);
        rows.map_ok(|(_, row)| row).try_collect().await
    }

    /// The columns of a query without running it.
    pub async fn columns(&mut self, sql: &str) -> Result<Vec<TableColumn>> {
        check::check(sql)?;
        let ask = format!(
            "SELECT name, system_type_name, error_message FROM sys.dm_exec_describe_first_result_set(N'{}', NULL, 0) ORDER BY \
             column_ordinal",
            sql.replace('\'', "''")
        );
        let mut out = Vec::new();
        for row in self.all(ask).await? {
            match row.as_slice() {
                [_, _, Some(said)] => {
                    return Err(ConnectError::Wrong(format!(
                        "The database refuses the query: {}.",
                        tame(said)
                    )));
                }
                [name, type_name, _] => out.push(TableColumn {
                    name: name.clone().unwrap_or_default(),
                    type_name: match type_name.as_deref().unwrap_or_default() {
                        // A number of rows' changes, and no time.
                        "timestamp" => "BINARY(8)".to_owned(),
                        name => name.to_uppercase(),
                    },
                }),
                _ => {}
            }
        }
        Ok(out)
    }

    /// Tables and views that the login may read.
    pub async fn tables(&mut self) -> Result<Vec<StoreTable>> {
        let sql = "SELECT TOP (5000) SCHEMA_NAME(o.schema_id), o.name, CASE WHEN o.type = 'V' THEN 1 ELSE 0 END FROM \
                   sys.objects AS o WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND \
                   HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT') = 1 \
                   ORDER BY 1, 2";
        let name = |part: &str| format!("[{}]", part.replace(']', "]]"));
        Ok(self
            .all(sql.to_owned())
            .await?
            .into_iter()
            .filter_map(|row| match row.as_slice() {
                [Some(schema), Some(table), is_view] => Some(StoreTable {
                    name: format!("{}.{}", name(schema), name(table)),
                    is_view: is_view.as_deref() == Some("1"),
                }),
                _ => None,
            })
            .collect())
    }

    /// What the login may do beside reading.
    pub async fn warnings(&mut self, advice: &str) -> Result<Vec<String>> {
        let sql = "SELECT ISNULL(IS_SRVROLEMEMBER('sysadmin'), 0), ISNULL(HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CONTROL'), \
                   0), (SELECT COUNT(*) FROM sys.tables AS t CROSS APPLY (SELECT QUOTENAME(SCHEMA_NAME(t.schema_id)) + N'.' + \
                   QUOTENAME(t.name) AS name) AS q WHERE HAS_PERMS_BY_NAME(q.name, 'OBJECT', 'INSERT') = 1 OR \
                   HAS_PERMS_BY_NAME(q.name, 'OBJECT', 'UPDATE') = 1 OR HAS_PERMS_BY_NAME(q.name, 'OBJECT', 'DELETE') = 1)";
        let rows = self.all(sql.to_owned()).await?;
        let Some([admin, owner, writable]) = rows.first().map(Vec::as_slice) else {
            return Ok(Vec::new());
        };
        let yes = |value: &Option<String>| value.as_deref() == Some("1");
        let what = if yes(admin) {
            "The login is an administrator of the whole server (sysadmin).".to_owned()
        } else if yes(owner) {
            "The login controls the whole database.".to_owned()
        } else {
            match writable.as_deref() {
                None | Some("0") => return Ok(Vec::new()),
                Some("1") => "The login can write to one table.".to_owned(),
                Some(n) => format!("The login can write to {n} tables."),
            }
        };
        Ok(vec![format!("{what} {advice}")])
    }
}

/// Signs in, at the server that the first one sends on to if it does. Each of them is judged.
async fn find(of: &Database, came: &Came) -> Result<Client<Pipe>> {
    let (mut host, mut port) = (of.host.clone(), of.port);
    for hop in 0..=HOPS {
        let signed = sign_in(of, &host, port, came).await.map_err(|e| match e {
            ConnectError::Refused(text) if hop > 0 => {
                ConnectError::Refused(format!("{} sends on to another server. {text}", of.host))
            }
            e => e,
        })?;
        match signed {
            Ok(client) => return Ok(client),
            Err(Error::Routing { host: to, port: at }) => {
                // Some name an instance too, which the port has said already.
                to.split('\\').next().unwrap_or_default().clone_into(&mut host);
                port = at;
            }
            Err(e) => return Err(failed(of, &host, port, e)),
        }
    }
    Err(ConnectError::Wrong(format!(
        "{} sends on and on, more than {HOPS} times.",
        of.host
    )))
}

async fn sign_in(of: &Database, host: &str, port: u16, came: &Came) -> Result<Result<Client<Pipe>, Error>> {
    let tcp = of.guard.dial(host, port).await?;
    if let Err(e) = tcp.set_nodelay(true) {
        tracing::debug!(error = %e, "small packets may wait");
    }
    let pipe = greet(tcp, host, port, of, came).await?;
    let mut config = Config::new();
    config.host(host);
    config.port(port);
    config.database(&of.database);
    config.application_name("limn");
    // What this machine is called is nobody's business.
    config.client_name("limn");
    config.authentication(AuthMethod::sql_server(&of.username, of.password.reveal()));
    // What there is of it is in the pipe.
    config.encryption(EncryptionLevel::NotSupported);
    // Half a character is no reason to give a whole answer up.
    config.lossy_utf16_decoding(true);
    // A replica for readers will do.
    config.readonly(true);
    config.handshake_timeout(None);
    Ok(Client::connect(config, pipe).await)
}

/// An answer that is being read.
struct Reading<'a> {
    answer: QueryStream<'a>,
    columns: Vec<Column>,
    first: bool,
    over: bool,
    until: Instant,
    /// Of one row at a time.
    came: Option<Came>,
}

/// The next row of an answer.
async fn next(mut r: Reading<'_>) -> Option<(Result<Answer>, Reading<'_>)> {
    if r.over {
        return None;
    }
    let answer = match item(&mut r).await {
        Ok(None) => return None,
        Ok(Some(row)) => value::row(&r.columns, row),
        Err(e) => Err(e),
    };
    r.over = answer.is_err();
    let named = if std::mem::take(&mut r.first) {
        r.columns.iter().map(named).collect()
    } else {
        Vec::new()
    };
    Some((answer.map(|row| (named, row)), r))
}

async fn item(r: &mut Reading<'_>) -> Result<Option<tiberius::Row>> {
    loop {
        let next = tokio::time::timeout_at(r.until, r.answer.next());
        match next
            .await
            .map_err(|_| slow())?
            .transpose()
            .map_err(query_failed)?
        {
            None => return Ok(None),
            Some(QueryItem::Row(row)) => {
                if let Some(came) = &r.came {
                    came.clear();
                }
                return Ok(Some(row));
            }
            Some(QueryItem::Metadata(of)) if of.result_index() == 0 => {
                r.columns = of.columns().to_vec();
            }
            Some(QueryItem::Metadata(_)) => {
                return Err(ConnectError::Wrong(
                    "The query answers more than one table; ask for one.".to_owned(),
                ));
            }
        }
    }
}

fn named(column: &Column) -> TableColumn {
    TableColumn {
        name: column.name().to_owned(),
        type_name: value::type_name(column.column_type()).to_owned(),
    }
}

fn slow() -> ConnectError {
    ConnectError::TooMuch("The query takes too long; ask for less, or add an index.".to_owned())
}

/// What a failure to sign in means.
fn failed(of: &Database, host: &str, port: u16, e: Error) -> ConnectError {
    let at = format!("{host}:{port}");
    let said = match e {
        Error::Server(said) => said,
        Error::Io { message, .. } => {
            return ConnectError::Unreachable(format!("The connection to {at} broke ({message})."));
        }
        e => {
            return ConnectError::Wrong(format!("{at} answered something that SQL Server does not ({e})."));
        }
    };
    let (code, said) = (said.code(), tame(said.message().trim_end_matches('.')));
    match code {
        18456 => ConnectError::Denied(format!(
            "{at} does not accept this user name and password ({said})."
        )),
        18452 => ConnectError::Denied(format!(
            "{at} takes logins of Windows alone, or this one is none of SQL Server ({said})."
        )),
        18470 | 18486..=18488 => {
            ConnectError::Denied(format!("{at} knows this login and does not let it in ({said})."))
        }
        4060 | 911 => ConnectError::NotFound(format!(
            "There is no database `{}` at {at}, or the login may not use it ({said}).",
            of.database
        )),
        916 => ConnectError::Denied(format!(
            "The login may not use the database `{}` ({said}).",
            of.database
        )),
        40615 | 40914 => ConnectError::Denied(format!(
            "The firewall of {at} does not let this server in ({said})."
        )),
        983 | 10928 | 10929 | 17809 | 18401 | 40197 | 40501 | 40613 | 49918..=49920 => {
            ConnectError::Unreachable(format!("{at} takes no connections now ({said})."))
        }
        _ => ConnectError::Wrong(format!("{at} says: {said}.")),
    }
}

/// What a failure of a query means.
fn query_failed(e: Error) -> ConnectError {
    let said = match e {
        Error::Server(said) => said,
        Error::Io {
            kind: std::io::ErrorKind::FileTooLarge,
            ..
        } => {
            return ConnectError::TooMuch(
                "A row has more than 256 MB; ask for less of it, such as DATALENGTH in the place of what is large."
                    .to_owned(),
            );
        }
        Error::Io { message, .. } => {
            return ConnectError::Unreachable(format!("The connection to the database broke ({message})."));
        }
        e => return ConnectError::Wrong(format!("The query failed: {e}.")),
    };
    let (code, said) = (said.code(), tame(said.message().trim_end_matches('.')));
    match code {
        229 | 230 | 297 | 300 => ConnectError::Denied(format!("The login may not read that ({said}).")),
        1222 => ConnectError::TooMuch(format!(
            "The query waits too long for somebody who writes ({said})."
        )),
        1205 => ConnectError::Unreachable(format!("The database gave up on the query ({said}).")),
        3906 => ConnectError::Wrong(format!(
            "The query would write; only reading is allowed ({said})."
        )),
        _ => ConnectError::Wrong(format!("The database refuses the query: {said}.")),
    }
}
