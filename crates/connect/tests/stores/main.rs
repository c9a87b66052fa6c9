//! The connectors against servers of this process, which speak as the real ones do as far as is asked here.
#![allow(clippy::unwrap_used, reason = "tests")]

mod azure;
mod certificates;
mod sftp;
mod sql_server;
mod stand_in;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Redirect;
use futures::StreamExt as _;
use http::StatusCode;
use limn_connect::{ConnectError, Opened, Reach, Secret, Walk, check, open};
use limn_domain::datastore::DatastoreKind;
use stand_in::{Shop, dav, s3, site};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

type Texts = BTreeMap<String, String>;

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    at
}

fn open_to_loopback() -> Reach {
    Reach {
        networks: vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()],
        ..Reach::default()
    }
}

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

async fn store(
    kind: DatastoreKind,
    settings: &[(&str, &str)],
    secrets: &[(&str, &str)],
) -> Result<Opened, ConnectError> {
    let secrets = secrets
        .iter()
        .map(|(k, v)| ((*k).to_owned(), Secret::new(*v)))
        .collect();
    open(kind, &texts(settings), &secrets, &open_to_loopback()).await
}

async fn paths(opened: &Opened, folder: &str) -> Result<Vec<String>, ConnectError> {
    let mut walk = Walk::new(opened.files()?, folder);
    let mut out = Vec::new();
    while let Some(files) = walk.next().await? {
        out.extend(files.into_iter().map(|f| f.path));
    }
    out.sort();
    Ok(out)
}

async fn read(opened: &Opened, path: &str, from: u64) -> Result<Vec<u8>, ConnectError> {
    let mut body = opened.files()?.read(path, from).await?.body;
    let mut out = Vec::new();
    while let Some(chunk) = body.next().await {
        out.extend_from_slice(&chunk?);
    }
    Ok(out)
}

#[tokio::test]
async fn s3_lists_page_by_page_and_says_what_is_wrong() {
    let shop = Shop::default();
    for path in [
        "in/a.png",
        "in/b & c.png",
        "in/sub/ü.png",
        "in/sub/deep/d.png",
        "in/",
        "out/e.png",
    ] {
        shop.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), path.as_bytes().to_vec());
    }
    let at = serve(Router::new().fallback(s3).with_state(shop.clone())).await;
    let endpoint = format!("http://{at}");
    let settings = |key: &'static str| {
        vec![
            ("bucket", "photos".to_owned()),
            ("endpoint", endpoint.clone()),
            ("access_key_id", key.to_owned()),
            ("prefix", "in".to_owned()),
        ]
    };
    let with = async |key: &'static str| {
        let settings = settings(key);
        let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        store(DatastoreKind::S3, &settings, &[("secret_access_key", "s")])
            .await
            .unwrap()
    };
    let good = with("good").await;
    assert_eq!(
        paths(&good, "").await.unwrap(),
        ["a.png", "b & c.png", "sub/deep/d.png", "sub/ü.png"]
    );
    assert_eq!(
        paths(&good, "sub").await.unwrap(),
        ["sub/deep/d.png", "sub/ü.png"]
    );
    let top = good.files().unwrap().list("sub", None).await.unwrap();
    let names: Vec<(&str, bool)> = top
        .entries
        .iter()
        .map(|e| (e.path.as_str(), e.is_folder))
        .collect();
    assert_eq!(names, [("sub/ü.png", false), ("sub/deep", true)]);
    assert_eq!(
        read(&good, "sub/ü.png", 0).await.unwrap(),
        "in/sub/ü.png".as_bytes()
    );
    assert_eq!(read(&good, "a.png", 3).await.unwrap(), b"a.png");
    assert_eq!(good.files().unwrap().stat("a.png").await.unwrap().size, Some(8));
    assert!(matches!(read(&good, "no.png", 0).await, Err(ConnectError::NotFound(m)) if m.contains("no.png")));
    assert!(good.test().await.unwrap().ok);
    // Too busy twice, then well.
    shop.busy.store(2, Ordering::SeqCst);
    assert!(good.test().await.is_ok());
    shop.busy.store(100, Ordering::SeqCst);
    assert!(matches!(good.test().await, Err(ConnectError::Unreachable(_))));
    shop.busy.store(0, Ordering::SeqCst);
    for (key, sign) in [
        ("nolist", "may not list the bucket"),
        ("wrong", "secret access key is wrong"),
        ("other", "not known"),
    ] {
        let error = with(key).await.test().await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Denied(m) if m.contains(sign)),
            "{key}: {error}"
        );
    }
    // A key that may not list may read.
    assert!(read(&with("nolist").await, "a.png", 0).await.is_ok());
    // One that may not read a file may be let read others.
    for (key, sign) in [("noread", "may not read `a.png`"), ("archived", "in an archive")] {
        let error = read(&with(key).await, "a.png", 0).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Forbidden(m) if m.contains(sign)),
            "{key}: {error}"
        );
    }
    let none = store(
        DatastoreKind::S3,
        &[
            ("bucket", "other"),
            ("endpoint", &endpoint),
            ("access_key_id", "good"),
        ],
        &[("secret_access_key", "s")],
    )
    .await
    .unwrap();
    assert!(matches!(none.test().await, Err(ConnectError::NotFound(m)) if m.contains("no bucket `other`")));
    let half = store(
        DatastoreKind::S3,
        &[
            ("bucket", "photos"),
            ("access_key_id", "good"),
            ("endpoint", &endpoint),
        ],
        &[],
    )
    .await;
    assert!(matches!(half, Err(ConnectError::Setting("secret_access_key", _))));
}

#[tokio::test]
async fn a_web_folder_is_what_its_pages_link_to() {
    let shop = Shop::default();
    for path in [
        "/data/a.png",
        "/data/sub/b c.png",
        "/elsewhere/x.png",
        "/locked/z.png",
    ] {
        shop.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), path.as_bytes().to_vec());
    }
    let at = serve(Router::new().fallback(site).with_state(shop)).await;
    let url = format!("http://{at}/data");
    let open = store(DatastoreKind::Http, &[("url", &url)], &[]).await.unwrap();
    assert_eq!(paths(&open, "").await.unwrap(), ["a.png", "sub/b c.png"]);
    assert_eq!(read(&open, "sub/b c.png", 6).await.unwrap(), b"sub/b c.png");
    assert!(!open.files().unwrap().stat("a.png").await.unwrap().tag.is_empty());
    let url = format!("http://{at}/locked/");
    let locked = store(DatastoreKind::Http, &[("url", &url)], &[]).await.unwrap();
    assert!(
        matches!(locked.test().await, Err(ConnectError::Denied(m)) if m.contains("asks for a user name"))
    );
    let wrong = store(
        DatastoreKind::Http,
        &[("url", &url), ("username", "user")],
        &[("password", "no")],
    )
    .await
    .unwrap();
    assert!(matches!(wrong.test().await, Err(ConnectError::Denied(m)) if m.contains("does not accept")));
    let right = store(
        DatastoreKind::Http,
        &[("url", &url), ("username", "user")],
        &[("password", "pass")],
    )
    .await
    .unwrap();
    assert_eq!(paths(&right, "").await.unwrap(), ["z.png"]);
}

#[tokio::test]
async fn webdav_lists_by_propfind() {
    let shop = Shop::default();
    for path in ["/dav/me/a.png", "/dav/me/sub/ü b.png", "/dav/other/c.png"] {
        shop.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), path.as_bytes().to_vec());
    }
    let at = serve(Router::new().fallback(dav).with_state(shop)).await;
    let url = format!("http://{at}/dav/me");
    let open = store(DatastoreKind::Webdav, &[("url", &url)], &[]).await.unwrap();
    assert_eq!(paths(&open, "").await.unwrap(), ["a.png", "sub/ü b.png"]);
    let entry = open.files().unwrap().stat("sub/ü b.png").await.unwrap();
    assert_eq!(
        (entry.size, entry.modified, entry.tag.as_str()),
        (Some(20), Some(1_706_781_600), "t20")
    );
    assert_eq!(read(&open, "a.png", 8).await.unwrap(), b"a.png");
    assert!(matches!(
        paths(&open, "a.png").await,
        Err(ConnectError::NotFound(_))
    ));
}

#[tokio::test]
async fn redirects_are_judged_one_by_one() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let router = Router::new()
        .route(
            "/meta/",
            axum::routing::any(|| async { Redirect::temporary("http://169.254.169.254/latest/meta-data/") }),
        )
        .route(
            "/mapped/",
            axum::routing::any(|| async { Redirect::permanent("http://[::ffff:169.254.169.254]/") }),
        )
        .route(
            "/private/",
            axum::routing::any(|| async { Redirect::temporary("http://10.0.0.1/") }),
        )
        .route(
            "/file/",
            axum::routing::any(|| async { Redirect::temporary("file:///etc/passwd") }),
        )
        .route(
            "/loop/",
            axum::routing::any(|| async { Redirect::temporary("/loop/") }),
        )
        .route(
            "/fine/",
            axum::routing::any(|| async { Redirect::temporary("/there/") }),
        )
        .route(
            "/there/",
            axum::routing::any(|| async { ([("content-type", "text/html")], "<a href='a.png'>a</a>") }),
        )
        .fallback(move |_: Request<Body>| {
            count.fetch_add(1, Ordering::SeqCst);
            async { StatusCode::NOT_FOUND }
        });
    let at = serve(router).await;
    let test = async |path: &str| {
        let url = format!("http://{at}/{path}/");
        store(DatastoreKind::Http, &[("url", &url)], &[])
            .await
            .unwrap()
            .test()
            .await
    };
    for path in ["meta", "mapped", "private", "file"] {
        let error = test(path).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused(_)), "{path}: {error:?}");
    }
    assert!(matches!(test("loop").await, Err(ConnectError::Wrong(_))));
    assert!(test("fine").await.is_ok());
    // With nothing opened, this very server is out of reach, by address and by name.
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/there/", at.port());
        let closed = open(
            DatastoreKind::Http,
            &texts(&[("url", &url)]),
            &BTreeMap::new(),
            &Reach::default(),
        )
        .await
        .unwrap();
        assert!(matches!(closed.test().await, Err(ConnectError::Refused(m)) if m.contains("network.allow")));
    }
    let database = open(
        DatastoreKind::Postgres,
        &texts(&[("host", "localhost"), ("database", "d"), ("username", "u")]),
        &BTreeMap::new(),
        &Reach::default(),
    )
    .await
    .unwrap();
    assert!(matches!(database.test().await, Err(ConnectError::Refused(_))));
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_sent_for_one_host_is_not_sent_to_another() {
    let got: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let log = Arc::clone(&got);
    let other = serve(Router::new().fallback(move |request: Request<Body>| {
        let value = request
            .headers()
            .get("authorization")
            .map(|v| v.to_str().unwrap().to_owned());
        log.lock().unwrap().push(value);
        async { ([("content-type", "text/html")], "<a href='a.png'>a</a>") }
    }))
    .await;
    let to = format!("http://{other}/");
    let first = serve(Router::new().fallback(move || {
        let to = to.clone();
        async move { Redirect::temporary(&to) }
    }))
    .await;
    let url = format!("http://{first}/");
    let store = store(
        DatastoreKind::Http,
        &[("url", &url), ("username", "user")],
        &[("password", "hunter2")],
    )
    .await
    .unwrap();
    drop(store.test().await);
    assert_eq!(*got.lock().unwrap(), [None]);
}

#[test]
fn settings_are_checked_by_the_table() {
    let wrong = check(
        DatastoreKind::S3,
        &texts(&[("bucket", " "), ("nonsense", "x"), ("region", "a\nb")]),
        &texts(&[("bucket", "y")]),
    )
    .unwrap_err();
    let fields: Vec<&str> = wrong.iter().map(|(f, _)| f.as_str()).collect();
    assert!(
        fields.contains(&"settings.bucket") && fields.contains(&"settings.nonsense"),
        "{fields:?}"
    );
    assert!(
        fields.contains(&"settings.region") && fields.contains(&"secrets.bucket"),
        "{fields:?}"
    );
    let (settings, secrets) = check(
        DatastoreKind::S3,
        &texts(&[("bucket", " b "), ("region", "")]),
        &texts(&[]),
    )
    .unwrap();
    assert_eq!((settings, secrets), (texts(&[("bucket", "b")]), Texts::new()));
}

#[tokio::test]
async fn a_sqlite_file_is_only_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
    for sql in [
        "CREATE TABLE m (id INTEGER, name TEXT, value REAL, raw BLOB)",
        "INSERT INTO m VALUES (1, 'one', 1.5, x'00ff'), (2, NULL, 2, NULL), (3, 'dr''ei', -1e300, x'41')",
        "CREATE VIEW \"Odd View\" AS SELECT * FROM m",
    ] {
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    }
    let reach = Reach {
        folders: vec![dir.path().to_owned()],
        ..Reach::default()
    };
    let settings = texts(&[("path", path.to_str().unwrap())]);
    let opened = open(DatastoreKind::Sqlite, &settings, &BTreeMap::new(), &reach)
        .await
        .unwrap();
    assert!(opened.test().await.unwrap().message.contains("2 tables"));
    let database = opened.database().unwrap();
    let tables: Vec<String> = database
        .tables()
        .await
        .unwrap()
        .into_iter()
        .map(|t| t.name)
        .collect();
    assert_eq!(tables, ["\"Odd View\"", "m"]);
    let table = database
        .preview(
            "select id, name, value, raw, id * 2 as twice from m order by id desc",
            2,
        )
        .await
        .unwrap();
    assert!(table.cut);
    let row: Vec<Option<&str>> = table.rows[0].iter().map(Option::as_deref).collect();
    assert_eq!(row[..2], [Some("3"), Some("dr'ei")]);
    assert_eq!((row[3], row[4]), (Some("41"), Some("6")));
    assert_eq!(table.rows[1][1], None);
    let empty = database
        .preview("select id, name from m where 1 = 0", 5)
        .await
        .unwrap();
    assert_eq!(empty.columns.len(), 2);
    for bad in [
        "delete from m",
        "select 1; delete from m",
        "with x as (select 1) insert into m select 1, 'x', 1, null",
        "select * from nothing",
    ] {
        assert!(database.preview(bad, 5).await.is_err(), "{bad}");
    }
    let endless = "with recursive x(n) as (select 1 union all select n + 1 from x) select count(*) from x";
    let mut conn = limn_connect::sql::Conn::open(database, std::time::Duration::from_millis(300))
        .await
        .unwrap();
    let first = conn.query(endless).next().await.unwrap();
    assert!(
        matches!(first, Err(ConnectError::TooMuch(_))),
        "{:?}",
        first.err()
    );
}
