//! SQL Server against a stand-in of this process, which speaks its protocol.

use super::{open_to_loopback, store, texts};
use futures::StreamExt as _;
use limn_connect::sql::{Conn, Database};
use limn_connect::{ConnectError, Opened, Reach, Secret, open};
use limn_domain::datastore::{DatastoreKind, TablePreview};
use limn_testkit::tds::{Answer, Cell, DATABASE, End, ONLY_ENCRYPTION, Rules, SqlServer, Type, USER};
use std::collections::BTreeMap;
use std::time::Duration;

const PASSWORD: &str = "hunter2 ü";

async fn opened(server: &SqlServer, more: &[(&str, &str)], password: &str) -> Opened {
    let port = server.port().to_string();
    let mut settings = BTreeMap::from([
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("database", DATABASE),
        ("username", USER),
    ]);
    settings.extend(more.iter().copied());
    let settings: Vec<(&str, &str)> = settings.into_iter().collect();
    store(DatastoreKind::SqlServer, &settings, &[("password", password)])
        .await
        .unwrap()
}

fn texts_of(columns: &[&'static str], rows: &[&[&str]]) -> Answer {
    Answer {
        columns: columns.iter().map(|c| (*c, Type::NVarChar)).collect(),
        rows: rows
            .iter()
            .map(|row| row.iter().map(|c| Cell::from(*c)).collect())
            .collect(),
        end: End::Well,
    }
}

/// What a login may do beside reading.
fn rights(admin: i128, owner: i128, tables: i128) -> (&'static str, Answer) {
    let answer = Answer {
        columns: ["a", "o", "t"].map(|n| (n, Type::Int(4))).to_vec(),
        rows: vec![[admin, owner, tables].map(Cell::Int).to_vec()],
        end: End::Well,
    };
    ("IS_SRVROLEMEMBER", answer)
}

fn tables() -> (&'static str, Answer) {
    let kinds = |table: &str, is_view: i128| vec![Cell::from("dbo"), Cell::from(table), Cell::Int(is_view)];
    let answer = Answer {
        columns: vec![
            ("schema", Type::NVarChar),
            ("name", Type::NVarChar),
            ("view", Type::Int(4)),
        ],
        rows: vec![kinds("Order]s", 0), kinds("seen", 1)],
        end: End::Well,
    };
    ("sys.objects", answer)
}

fn rules(answers: Vec<(&'static str, Answer)>) -> Rules {
    Rules {
        answers,
        ..Rules::new(PASSWORD)
    }
}

async fn preview(opened: &Opened, sql: &str) -> Result<TablePreview, ConnectError> {
    opened.database().unwrap().preview(sql, 5).await
}

#[tokio::test]
async fn a_login_sees_its_tables_and_is_warned_when_it_can_write() {
    let server = SqlServer::start(rules(vec![rights(0, 0, 0), tables()])).await;
    let open = opened(&server, &[], PASSWORD).await;
    let outcome = open.test().await.unwrap();
    assert_eq!(
        outcome.message,
        "The connection works. The login sees 2 tables and views."
    );
    assert!(outcome.warnings.is_empty());
    let said = server.rules().said.clone();
    assert_eq!(said, Some((DATABASE.to_owned(), "limn".to_owned(), true)));
    let found = open.database().unwrap().tables().await.unwrap();
    let found: Vec<(&str, bool)> = found.iter().map(|t| (t.name.as_str(), t.is_view)).collect();
    assert_eq!(found, [("[dbo].[Order]]s]", false), ("[dbo].[seen]", true)]);
    for (rights, sign) in [
        (rights(1, 1, 9), "administrator of the whole server"),
        (rights(0, 1, 9), "controls the whole database"),
        (rights(0, 0, 9), "can write to 9 tables"),
        (rights(0, 0, 1), "can write to one table"),
    ] {
        server.rules().answers[0] = rights;
        let warnings = open.test().await.unwrap().warnings;
        assert!(
            warnings.len() == 1 && warnings[0].contains(sign) && warnings[0].contains("Limn only reads"),
            "{warnings:?}"
        );
    }
    // All of it in the transaction that was begun.
    assert_eq!(server.rules().outside, 0);
}

/// A value of every type: its column, what is sent, and what is shown.
fn all_types() -> Vec<(&'static str, Type, Cell, Option<&'static str>)> {
    let clock = 13 * 3_600 + 14 * 60 + 15_u64;
    let long = "ü".repeat(9_000);
    let long: &'static str = Box::leak(long.into_boxed_str());
    vec![
        ("BIT", Type::Bit, Cell::Int(1), Some("1")),
        ("BIT", Type::Bit, Cell::Null, None),
        ("TINYINT", Type::Int(1), Cell::Int(255), Some("255")),
        ("SMALLINT", Type::Int(2), Cell::Int(-32_768), Some("-32768")),
        ("INT", Type::Int(4), Cell::Int(-7), Some("-7")),
        (
            "BIGINT",
            Type::Int(8),
            Cell::Int(i128::from(i64::MIN)),
            Some("-9223372036854775808"),
        ),
        ("BIGINT", Type::Int(8), Cell::Null, None),
        ("REAL", Type::Float(4), Cell::Float(0.1), Some("0.1")),
        ("FLOAT", Type::Float(8), Cell::Float(-1e300), Some("-1e300")),
        ("FLOAT", Type::Float(8), Cell::Null, None),
        ("DECIMAL", Type::Decimal(10, 2), Cell::Int(-5), Some("-0.05")),
        (
            "DECIMAL",
            Type::Decimal(38, 0),
            Cell::Int(10_i128.pow(38) - 1),
            Some("99999999999999999999999999999999999999"),
        ),
        ("DECIMAL", Type::Decimal(10, 2), Cell::Null, None),
        (
            "MONEY",
            Type::Money(8),
            Cell::Int(-123_456_789_012),
            Some("-12345678.9012"),
        ),
        ("MONEY", Type::Money(4), Cell::Int(-1), Some("-0.0001")),
        ("DATE", Type::Date, Cell::Int(738_944), Some("2024-02-29")),
        ("TIME", Type::Time(0), Cell::Moment(0, clock, 0), Some("13:14:15")),
        (
            "TIME",
            Type::Time(7),
            Cell::Moment(0, clock * 10_000_000 + 1, 0),
            Some("13:14:15.0000001"),
        ),
        (
            "DATETIME2",
            Type::DateTime2(3),
            Cell::Moment(738_944, clock * 1_000 + 5, 0),
            Some("2024-02-29 13:14:15.005"),
        ),
        (
            "DATETIMEOFFSET",
            Type::DateTimeOffset(7),
            Cell::Moment(738_944, clock * 10_000_000, -330),
            Some("2024-02-29 07:44:15.0000000 -05:30"),
        ),
        (
            "DATETIME",
            Type::DateTime,
            Cell::Moment(-53_690, 1, 0),
            Some("1753-01-01 00:00:00.003"),
        ),
        (
            "DATETIME",
            Type::SmallDateTime,
            Cell::Moment(45_350, 61, 0),
            Some("2024-03-01 01:01:00"),
        ),
        ("DATETIME2", Type::DateTime2(7), Cell::Null, None),
        (
            "UNIQUEIDENTIFIER",
            Type::Guid,
            Cell::Bytes(vec![
                0x6f, 0x96, 0x19, 0xff, 0x8b, 0x86, 0xd0, 0x11, 0xb4, 0x2d, 0, 0xc0, 0x4f, 0xc9, 0x64, 0xff,
            ]),
            Some("6F9619FF-8B86-D011-B42D-00C04FC964FF"),
        ),
        (
            "NVARCHAR",
            Type::NVarChar,
            Cell::from("dr'ei 😀"),
            Some("dr'ei 😀"),
        ),
        ("NVARCHAR", Type::NVarChar, Cell::from(""), Some("")),
        ("NVARCHAR", Type::NVarChar, Cell::Null, None),
        ("NVARCHAR", Type::NVarCharMax, Cell::from(long), Some(long)),
        ("NVARCHAR", Type::NVarCharMax, Cell::Null, None),
        ("VARCHAR", Type::VarChar, Cell::from("über"), Some("über")),
        (
            "VARBINARY",
            Type::VarBinary,
            Cell::Bytes(vec![0, 0xff]),
            Some("00ff"),
        ),
        ("VARBINARY", Type::VarBinaryMax, Cell::Bytes(Vec::new()), Some("")),
        ("VARBINARY", Type::VarBinaryMax, Cell::Null, None),
        (
            "XML",
            Type::Xml,
            Cell::from("<a b=\"c\">ü</a>"),
            Some("<a b=\"c\">ü</a>"),
        ),
    ]
}

async fn rows(
    database: &Database,
    sql: &str,
    time: Duration,
) -> Result<Vec<Vec<Option<String>>>, ConnectError> {
    let mut conn = Conn::open(database, time).await?;
    let mut answer = conn.query(sql);
    let mut out = Vec::new();
    while let Some(row) = answer.next().await {
        out.push(row?.1);
    }
    Ok(out)
}

#[tokio::test]
async fn values_of_every_type_are_as_the_database_writes_them() {
    let all = all_types();
    let row: Vec<Cell> = all.iter().map(|(_, _, cell, _)| cell.clone()).collect();
    let answer = Answer {
        columns: all.iter().map(|(_, kind, _, _)| ("c", *kind)).collect(),
        rows: vec![row; 40],
        end: End::Well,
    };
    let server = SqlServer::start(rules(vec![("FROM kinds", answer)])).await;
    let open = opened(&server, &[], PASSWORD).await;
    let database = open.database().unwrap();
    let shown = preview(&open, "SELECT * FROM kinds").await.unwrap();
    assert!(shown.cut && shown.rows.len() == 5);
    for (column, (name, ..)) in shown.columns.iter().zip(&all) {
        assert_eq!((column.name.as_str(), column.type_name.as_str()), ("c", *name));
    }
    let got = rows(database, "SELECT * FROM kinds", Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(got.len(), 40);
    for row in got {
        for (value, (name, _, _, wanted)) in row.iter().zip(&all) {
            assert_eq!(value.as_deref(), *wanted, "{name}");
        }
    }
    // Too much for what the client library carries, so that digits would be lost.
    let large = Answer {
        columns: vec![("price", Type::Money(8))],
        rows: vec![vec![Cell::Int(i128::from(i64::MAX))]],
        end: End::Well,
    };
    server.rules().answers.push(("FROM prices", large));
    let e = preview(&open, "SELECT price FROM prices").await.unwrap_err();
    assert!(e.to_string().contains("CAST(price AS DECIMAL(19, 4))"), "{e}");
}

#[tokio::test]
async fn a_query_without_rows_has_columns_and_a_wrong_one_a_reason() {
    let empty = Answer {
        columns: vec![("id", Type::Int(4))],
        ..Answer::default()
    };
    let describe = texts_of(
        &["name", "system_type_name", "error_message"],
        &[&["id", "int"], &["at", "datetime2(7)"]],
    );
    let describe = Answer {
        rows: describe
            .rows
            .into_iter()
            .map(|mut row| {
                row.push(Cell::Null);
                row
            })
            .collect(),
        ..describe
    };
    let server = SqlServer::start(rules(vec![
        ("dm_exec_describe_first_result_set", describe),
        ("FROM empty", empty),
        (
            "FROM secret",
            Answer::error(229, "The SELECT permission was denied on the object 'secret'."),
        ),
        (
            "FROM halfway",
            Answer {
                columns: vec![("id", Type::Int(4))],
                rows: vec![vec![Cell::Int(1)]],
                end: End::Error(8134, "Divide by zero error encountered."),
            },
        ),
    ]))
    .await;
    let open = opened(&server, &[], PASSWORD).await;
    let shown = preview(&open, "SELECT * FROM empty WHERE a = 'it''s'")
        .await
        .unwrap();
    let columns: Vec<(&str, &str)> = shown
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.type_name.as_str()))
        .collect();
    assert_eq!(columns, [("id", "INT"), ("at", "DATETIME2(7)")]);
    let asked = server.rules().asked.last().cloned().unwrap();
    assert!(
        asked.contains("N'SELECT * FROM empty WHERE a = ''it''''s'''"),
        "{asked}"
    );
    let e = preview(&open, "SELECT * FROM secret").await.unwrap_err();
    assert!(
        matches!(&e, ConnectError::Denied(m) if m.contains("permission was denied")),
        "{e}"
    );
    let e = preview(&open, "SELECT * FROM nothing").await.unwrap_err();
    assert!(
        matches!(&e, ConnectError::Wrong(m) if m.contains("Invalid object name")),
        "{e}"
    );
    let e = preview(&open, "SELECT 1 / id FROM halfway").await.unwrap_err();
    assert!(
        matches!(&e, ConnectError::Wrong(m) if m.contains("Divide by zero")),
        "{e}"
    );
    // What is no query, or more than one, is not even sent.
    let before = server.rules().asked.len();
    for bad in [
        "DELETE FROM empty",
        "SELECT 1 DELETE FROM empty",
        "SELECT [a'b] DROP TABLE empty --'",
        "SELECT * INTO other FROM empty",
        "SELECT * FROM OPENROWSET('SQLNCLI', 'Server=10.0.0.1', 'SELECT 1')",
    ] {
        let e = preview(&open, bad).await.unwrap_err();
        assert!(matches!(e, ConnectError::Wrong(_)), "{bad}: {e:?}");
    }
    let sent = server.rules().asked[before..]
        .iter()
        .filter(|sql| !sql.contains("BEGIN TRANSACTION"))
        .count();
    assert_eq!(sent, 0);
}

#[tokio::test]
async fn who_is_not_let_in_learns_why() {
    let server = SqlServer::start(rules(vec![rights(0, 0, 0), tables()])).await;
    let e = opened(&server, &[], "wrong").await.test().await.unwrap_err();
    assert!(
        matches!(&e, ConnectError::Denied(m) if m.contains("does not accept this user name and password")
            && m.contains("Login failed for user 'limn_reader'") && !m.contains("wrong")),
        "{e}"
    );
    let e = opened(&server, &[("username", "sa")], PASSWORD)
        .await
        .test()
        .await
        .unwrap_err();
    assert!(matches!(e, ConnectError::Denied(_)), "{e}");
    let e = opened(&server, &[("database", "other")], PASSWORD)
        .await
        .test()
        .await
        .unwrap_err();
    assert!(
        matches!(&e, ConnectError::NotFound(m) if m.contains("no database `other`")),
        "{e}"
    );
    // One attempt each: more would lock logins out.
    assert_eq!(server.rules().logins, 3);
    server.rules().encryption = ONLY_ENCRYPTION;
    let e = opened(&server, &[("tls", "off")], PASSWORD)
        .await
        .test()
        .await
        .unwrap_err();
    assert!(
        matches!(&e, ConnectError::Setting("tls", m) if m.contains("encrypted connections alone")),
        "{e}"
    );
    assert_eq!(server.rules().logins, 3, "and hears no password in plain text");
    // Something else answers there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n").await);
            drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
        }
    });
    let e = opened(&server, &[("port", &port), ("tls", "off")], PASSWORD)
        .await
        .test()
        .await
        .unwrap_err();
    assert!(
        matches!(&e, ConnectError::Wrong(m) if m.contains("does not speak as SQL Server does")),
        "{e:?}"
    );
    let named = store(
        DatastoreKind::SqlServer,
        &[
            ("host", "db\\SQLEXPRESS"),
            ("database", DATABASE),
            ("username", USER),
        ],
        &[("password", PASSWORD)],
    )
    .await;
    assert!(matches!(named, Err(ConnectError::Setting("host", _))));
}

#[tokio::test]
async fn answers_that_hang_or_break_off_end() {
    let part = |end: End| Answer {
        columns: vec![("id", Type::Int(4))],
        rows: vec![vec![Cell::Int(1)], vec![Cell::Int(2)]],
        end,
    };
    let server = SqlServer::start(rules(vec![
        ("FROM hangs", part(End::Hangs)),
        ("FROM breaks", part(End::Breaks)),
    ]))
    .await;
    let open = opened(&server, &[], PASSWORD).await;
    let database = open.database().unwrap();
    let e = rows(database, "SELECT id FROM breaks", Duration::from_secs(30))
        .await
        .unwrap_err();
    assert!(matches!(e, ConnectError::Unreachable(_)), "{e:?}");
    let mut conn = Conn::open(database, Duration::from_secs(1)).await.unwrap();
    let mut answer = conn.query("SELECT id FROM hangs");
    for n in ["1", "2"] {
        let (_, row) = answer.next().await.unwrap().unwrap();
        assert_eq!(row, [Some(n.to_owned())]);
    }
    assert!(matches!(answer.next().await, Some(Err(ConnectError::TooMuch(_)))));
    assert!(answer.next().await.is_none());
}

#[tokio::test]
async fn where_a_server_sends_on_to_is_judged_too() {
    let second = SqlServer::start(rules(vec![rights(0, 0, 0), tables()])).await;
    let first = SqlServer::start(rules(Vec::new())).await;
    let open = opened(&first, &[], PASSWORD).await;
    first.rules().sends_to = Some(("127.0.0.1\\replica".to_owned(), second.port()));
    assert!(open.test().await.unwrap().ok);
    assert_eq!((first.rules().logins, second.rules().logins), (1, 1));
    for bad in ["10.0.0.1", "169.254.169.254", "::ffff:169.254.169.254"] {
        first.rules().sends_to = Some((bad.to_owned(), 1433));
        let e = open.test().await.unwrap_err();
        assert!(
            matches!(&e, ConnectError::Refused(m) if m.contains("sends on to another server") && m.contains(bad)),
            "{bad}: {e:?}"
        );
    }
    let itself = first.port();
    first.rules().sends_to = Some(("127.0.0.1".to_owned(), itself));
    let e = open.test().await.unwrap_err();
    assert!(
        matches!(&e, ConnectError::Wrong(m) if m.contains("sends on and on")),
        "{e}"
    );
}

#[tokio::test]
async fn servers_out_of_reach_are_not_dialled() {
    let server = SqlServer::start(rules(Vec::new())).await;
    let port = server.port().to_string();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let settings = texts(&[
            ("host", host),
            ("port", &port),
            ("database", DATABASE),
            ("username", USER),
        ]);
        let secrets = BTreeMap::from([("password".to_owned(), Secret::new(PASSWORD))]);
        let closed = open(DatastoreKind::SqlServer, &settings, &secrets, &Reach::default())
            .await
            .unwrap();
        let e = closed.test().await.unwrap_err();
        assert!(
            matches!(&e, ConnectError::Refused(m) if m.contains("network.allow")),
            "{host}: {e:?}"
        );
    }
    assert_eq!(server.rules().logins, 0);
    // Opened on purpose, a metadata service stays closed.
    let settings = texts(&[
        ("host", "169.254.169.254"),
        ("database", DATABASE),
        ("username", USER),
    ]);
    let open = open(
        DatastoreKind::SqlServer,
        &settings,
        &BTreeMap::new(),
        &open_to_loopback(),
    )
    .await
    .unwrap();
    assert!(matches!(open.test().await, Err(ConnectError::Refused(_))));
}
