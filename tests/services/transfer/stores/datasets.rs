//! Versions of datasets out of datastores: files copied, and queries kept as tables.

use super::{World, new, picture, world};
use crate::{code, refusal};
use limn_domain::dataset::{
    DatasetKind, EntryQuery, LineageNode, NewDataset, NewVersion, UploadMode, VersionOutcome, VersionSource,
};
use limn_domain::datastore::{Datastore, DatastoreKind};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::{Code, DatasetId, DatastoreId, Role};
use limn_services::Actor;
use limn_testkit::{TestDb, on_both};
use sqlx::ConnectOptions as _;

impl World {
    pub(super) async fn set(&self, name: &str, kind: DatasetKind) -> DatasetId {
        let input = NewDataset {
            name: name.to_owned(),
            kind,
            ..NewDataset::default()
        };
        self.datasets
            .create(&self.manager, input)
            .await
            .unwrap()
            .summary
            .id
    }

    pub(super) async fn try_register(&self, dataset: DatasetId, source: VersionSource) -> Job {
        let input = NewVersion {
            source,
            note: String::new(),
        };
        let job = self
            .versions
            .register(&self.manager, dataset, input)
            .await
            .unwrap();
        self.finish(job.id).await
    }

    pub(super) async fn made(&self, dataset: DatasetId, source: VersionSource) -> VersionOutcome {
        let job = self.try_register(dataset, source).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        serde_json::from_value(job.result.unwrap()).unwrap()
    }
}

pub(super) fn files(id: DatastoreId, glob: &str, mode: UploadMode) -> VersionSource {
    VersionSource::Datastore {
        datastore_id: id,
        glob: glob.to_owned(),
        mode,
        in_place: false,
    }
}

fn query(id: DatastoreId, sql: &str) -> VersionSource {
    VersionSource::Query {
        datastore_id: id,
        sql: sql.to_owned(),
        name: "measurements".to_owned(),
        mode: UploadMode::Replace,
    }
}

#[tokio::test]
async fn a_version_of_the_files_of_a_folder() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let folder = w.folder();
        for n in 0..7 {
            std::fs::write(folder.join(format!("sub/{n}.png")), picture(n)).unwrap();
        }
        std::fs::write(folder.join("bad.png"), b"x").unwrap();
        let store = w.folder_store("Photos", &folder).await;
        let d = w.set("Street", DatasetKind::Images).await;
        let one = w.made(d, files(store.id, "", UploadMode::Add)).await;
        assert_eq!((one.files, one.is_new), (7, true));
        assert!(one.notes.iter().any(|n| n.contains("bad.png")), "{:?}", one.notes);
        // The very same again is no new version.
        let same = w.made(d, files(store.id, "sub/**", UploadMode::Replace)).await;
        assert_eq!((same.number, same.is_new), (1, false));
        std::fs::write(folder.join("sub/9.png"), picture(9)).unwrap();
        let two = w.made(d, files(store.id, "sub/9.png", UploadMode::Add)).await;
        assert_eq!((two.number, two.files), (2, 8));
        let edges = w.versions.lineage(&w.manager, d).await.unwrap();
        assert!(edges.iter().any(
            |e| matches!(&e.from, LineageNode::Datastore { datastore_id, .. } if *datastore_id == store.id)
        ));
        let usage = w.datastores.usage(&Actor::System, store.id).await.unwrap();
        assert_eq!(usage.datasets.len(), 3, "one row a pattern");
        let none = w
            .try_register(d, files(store.id, "nope/*", UploadMode::Add))
            .await;
        assert!(none.error.unwrap().contains("`nope/*`"));
        assert_eq!(
            w.versions.list(&w.manager, d).await.unwrap().len(),
            2,
            "no half version"
        );
        let labeler = w.person("Lou", Role::Labeler).await;
        w.datasets
            .set_member(&w.manager, d, labeler.user_id().unwrap(), Role::Manager)
            .await
            .unwrap();
        let input = NewVersion {
            source: files(store.id, "", UploadMode::Add),
            note: String::new(),
        };
        assert_eq!(
            code(w.versions.register(&labeler, d, input).await),
            Code::Forbidden
        );
    })
    .await;
}

pub(super) async fn measured(w: &World, store: &Datastore, sql: &str) -> serde_json::Value {
    let d = w
        .set(&format!("Table of {}", store.name), DatasetKind::Tabular)
        .await;
    let made = w.made(d, query(store.id, sql)).await;
    assert_eq!(made.files, 1);
    let entries = w
        .versions
        .entries(&w.manager, made.version_id, EntryQuery::default())
        .await
        .unwrap();
    assert_eq!(entries.rows[0].path, "measurements.parquet");
    // The profile reads the file back.
    let job = w.profiles.start(&w.manager, made.version_id).await.unwrap();
    let job = w.finish(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    let profile = w
        .profiles
        .get(&w.manager, made.version_id)
        .await
        .unwrap()
        .profile
        .unwrap();
    serde_json::to_value(&profile.tables[0].profile).unwrap()
}

pub(super) fn kinds(table: &serde_json::Value) -> Vec<(String, String)> {
    let columns = table["columns"].as_array().unwrap();
    columns
        .iter()
        .map(|c| {
            (
                c["name"].as_str().unwrap().to_owned(),
                c["kind"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_query_of_sqlite_becomes_a_table_with_types() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let path = w.folder().join("m.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut conn = options.connect().await.unwrap();
        for sql in [
            "CREATE TABLE m (id INTEGER, name TEXT, value REAL, day DATE)",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO m SELECT i, CASE WHEN i % 10 = 0 \
             THEN NULL ELSE 'name ' || i END, i / 4.0, '2024-02-01' FROM n",
        ] {
            sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        }
        let path = path.display().to_string();
        let store = w.datastores.create(&Actor::System, new("Lite", DatastoreKind::Sqlite, &[("path", &path)], &[])).await.unwrap();
        let table = measured(&w, &store, "SELECT id, name, value, day, id * 2 AS twice FROM m ORDER BY id;").await;
        assert_eq!(table["rows"].as_u64(), Some(2500), "{table}");
        let names: Vec<String> = kinds(&table).into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["id", "name", "value", "day", "twice"]);
        let d = w.set("Pictures", DatasetKind::Images).await;
        let input = |source| NewVersion { source, note: String::new() };
        let wrong = w.versions.register(&w.manager, d, input(query(store.id, "SELECT 1"))).await;
        assert!(refusal(wrong).for_field("sql").is_some());
        let t = w.set("Other", DatasetKind::Tabular).await;
        let wrong = w.versions.register(&w.manager, t, input(query(store.id, "DROP TABLE m"))).await;
        assert!(refusal(wrong).for_field("sql").is_some());
        let failed = w.try_register(t, query(store.id, "SELECT * FROM nothing")).await;
        assert!(failed.error.unwrap().contains("nothing"));
    })
    .await;
}

/// The running PostgreSQL that the tests are given: host, port, database, user, password. One that listens on a socket only
/// gets a port for as long as the test runs.
async fn postgres() -> Option<[String; 5]> {
    let url = std::env::var("LIMN_TEST_PG").ok()?;
    let rest = url.split_once("://")?.1;
    let (login, rest) = rest.split_once('@').unwrap_or(("postgres", rest));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (place, rest) = rest.split_once('/')?;
    let (name, options) = rest.split_once('?').unwrap_or((rest, ""));
    let socket = options.split('&').find_map(|o| o.strip_prefix("host="));
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "5432"));
    let (host, port) = match socket {
        Some(folder) => (
            "127.0.0.1",
            relay(format!("{folder}/.s.PGSQL.{port}")).await.to_string(),
        ),
        None => (host, port.to_owned()),
    };
    (!host.is_empty()).then(|| [host, &port, name, user, password].map(str::to_owned))
}

/// A port of this machine that leads to a socket.
async fn relay(socket: String) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    port
}

#[tokio::test]
async fn a_query_of_postgresql_becomes_a_table_with_types() {
    let Some([host, port, database, user, password]) = postgres().await else {
        return;
    };
    let db = TestDb::sqlite().await;
    let w = world(&db, Task::Detection).await;
    let settings = [
        ("host", host.as_str()),
        ("port", &port),
        ("database", &database),
        ("username", &user),
    ];
    let secrets: Vec<(&str, &str)> = if password.is_empty() {
        vec![]
    } else {
        vec![("password", password.as_str())]
    };
    let store = w
        .datastores
        .create(
            &Actor::System,
            new("Pg", DatastoreKind::Postgres, &settings, &secrets),
        )
        .await
        .unwrap();
    assert!(!store.warnings.is_empty(), "the tests' login is a superuser");
    let sql = "SELECT i AS id, i::bigint * 4000000000 AS big, i / 8.0::float8 AS f, (i || '.10')::numeric(12,2) AS price, i % 2 = 0 AS even, \
               date '2024-02-29' + i AS day, timestamptz '2024-02-29 10:00:00+01' AS at, CASE WHEN i % 5 = 0 THEN NULL ELSE 'n' || i END AS name \
               FROM generate_series(1, 1000) i ORDER BY i DESC";
    let shown = w.datastores.query(&w.manager, store.id, sql).await.unwrap();
    assert!(shown.cut && shown.rows[0][0].as_deref() == Some("1000"));
    assert_eq!(shown.rows[0][3].as_deref(), Some("1000.10"));
    let table = measured(&w, &store, sql).await;
    assert_eq!(table["rows"].as_u64(), Some(1000), "{table}");
    for bad in [
        "SELECT pg_sleep(1) INTO x",
        "WITH x AS (CREATE TABLE y (a int)) SELECT 1",
        "WITH d AS (DELETE FROM pg_class RETURNING 1) SELECT * FROM d",
    ] {
        assert!(
            w.datastores.query(&w.manager, store.id, bad).await.is_err(),
            "{bad}"
        );
    }
}
