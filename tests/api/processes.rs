//! Servers and workers as processes of their own, on one PostgreSQL and one object store; and two on one SQLite, which is
//! refused.

use crate::program::{good, limn, program, run};
use crate::support::png;
use limn_domain::Timestamp;
use limn_store::repo::job;
use limn_store::{DbConfig, StoreError};
use limn_testkit::bucket::{BUCKET, KEY_ID, SECRET};
use limn_testkit::{TestBucket, TestDb};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

/// A running process, and the address it says it answers at; killed when dropped.
struct Process {
    child: Child,
    url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What all processes share.
struct Place {
    program: PathBuf,
    dir: PathBuf,
    database: String,
    endpoint: String,
}

impl Place {
    fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = limn(&self.program);
        command
            .args(args)
            .arg("--data-dir")
            .arg(self.dir.join(name))
            .args(["--database-url", &self.database])
            .env("LIMN__STORAGE__KIND", "s3")
            .env("LIMN__STORAGE__ENDPOINT", &self.endpoint)
            .env("LIMN__STORAGE__BUCKET", BUCKET)
            .env("LIMN__STORAGE__ACCESS_KEY_ID", KEY_ID)
            .env("LIMN__STORAGE__SECRET_ACCESS_KEY", SECRET)
            .env("LIMN__STORAGE__PRESIGN", "true")
            .env("LIMN__SECRETS__KEY", "cd".repeat(32))
            .current_dir(&self.dir);
        command
    }

    fn start(&self, name: &str, args: &[&str]) -> Process {
        started(&mut self.command(name, args))
    }

    fn server(&self, name: &str) -> Process {
        self.start(name, &["serve", "--no-jobs", "--addr", "127.0.0.1:0"])
    }

    fn worker(&self, name: &str) -> Process {
        self.start(name, &["worker", "--health", "127.0.0.1:0"])
    }

    fn client(&self, at: &Process, token: &str, args: &[&str]) -> Output {
        let mut command = limn(&self.program);
        command
            .args(args)
            .env("LIMN_URL", &at.url)
            .env("LIMN_TOKEN", token)
            .current_dir(&self.dir);
        run(&mut command, "")
    }
}

fn started(command: &mut Command) -> Process {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .split_once(" at http://")
        .unwrap_or_else(|| panic!("{line}"))
        .1
        .trim()
        .trim_end_matches("/readyz");
    Process {
        child,
        url: format!("http://{url}"),
    }
}

/// Takes the export in the name of a worker that died with it.
async fn die_with_the_export(db: &TestDb) {
    loop {
        let claimed: Result<Option<job::Claimed>, StoreError> = db
            .write(|tx| {
                Box::pin(async move {
                    let now = now();
                    job::claim(tx, "dead", &["export"], now.plus_seconds(-1), now).await
                })
            })
            .await;
        if claimed.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(i64::try_from(since.unwrap().as_micros()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_and_a_worker_on_one_database_and_one_store() {
    let Some(program) = program() else { return };
    let Some(db) = TestDb::postgres().await else {
        eprintln!("LIMN_TEST_PG is not set: not run");
        return;
    };
    let DbConfig::Postgres { url, .. } = db.config() else {
        return;
    };
    let bucket = TestBucket::start().await;
    let place = Place {
        program,
        dir: db.dir().to_owned(),
        database: url,
        endpoint: bucket.endpoint(),
    };
    let (own, runtime) = (db.clone(), Handle::current());
    tokio::task::spawn_blocking(move || story(&place, &own, &runtime))
        .await
        .unwrap();
    assert!(!bucket.keys("blobs/").is_empty());
    // The archive of annotation files went past the server.
    assert!(bucket.puts_by_link() > 0);
    db.finish().await;
}

fn story(place: &Place, db: &TestDb, runtime: &Handle) {
    let mut admin = place.command("admin", &["admin", "create-user", "--email", "ana@example.org"]);
    good(run(
        admin.args(["--role", "admin", "--password-stdin"]),
        "correct horse battery staple\n",
    ));
    let mut admin = place.command("admin", &["admin", "create-token", "--email", "ana@example.org"]);
    let token = good(run(admin.args(["--name", "test"]), ""));
    let token = token.trim();

    let (a, b) = (place.server("a"), place.server("b"));
    let twice = run(&mut place.command("a", &["worker"]), "");
    assert_eq!(twice.status.code(), Some(1));
    let said = String::from_utf8_lossy(&twice.stderr).into_owned();
    assert!(said.contains("a data directory of its own"), "{said}");
    let mut other_key = place.command("c", &["worker"]);
    let other_key = run(other_key.env("LIMN__SECRETS__KEY", "ef".repeat(32)), "");
    let said = String::from_utf8_lossy(&other_key.stderr).into_owned();
    assert!(
        !other_key.status.success() && said.contains("secrets.key"),
        "{said}"
    );

    // Uploaded at one, seen at the other; imported by whoever runs jobs.
    let project = ["projects", "create", "--name", "Cats", "--task", "detection"];
    good(place.client(&a, token, &project));
    assert!(good(place.client(&b, token, &["projects", "list"])).contains("Cats"));
    photos(&place.dir);
    let worker = place.worker("w");
    let import = ["import", "--project", "Cats", "--format", "voc", "photos"];
    let said = good(place.client(&a, token, &import));
    assert!(
        said.contains("10 items added") && said.contains("10 labels added"),
        "{said}"
    );
    drop(worker);

    // The worker is killed with a job in hand; the next one takes it over, and the file is had from the other server.
    let export = [
        "export",
        "--project",
        "Cats",
        "--format",
        "coco",
        "--out",
        "cats.json",
    ];
    let mut waiting = limn(&place.program);
    let mut waiting = waiting
        .args(export)
        .env("LIMN_URL", &b.url)
        .env("LIMN_TOKEN", token)
        .current_dir(&place.dir)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    runtime.block_on(die_with_the_export(db));
    let _worker = place.worker("w");
    assert!(waiting.wait().unwrap().success());
    let coco = std::fs::read(place.dir.join("cats.json")).unwrap();
    let coco: serde_json::Value = serde_json::from_slice(&coco).unwrap();
    assert_eq!(coco["annotations"].as_array().unwrap().len(), 10);
}

/// Ten pictures with one box each: as many annotation files travel as one archive.
fn photos(dir: &Path) {
    let photos = dir.join("photos");
    std::fs::create_dir_all(photos.join("xml")).unwrap();
    for n in 0..10_u8 {
        std::fs::write(photos.join(format!("{n}.png")), png(n)).unwrap();
        let xml = format!(
            "<annotation><filename>{n}.png</filename><size><width>40</width><height>30</height><depth>3</depth></size>\
             <object><name>cat</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>13</xmax><ymax>24</ymax></bndbox></object>\
             </annotation>"
        );
        std::fs::write(photos.join(format!("xml/{n}.xml")), xml).unwrap();
    }
}

#[test]
fn a_second_process_on_one_sqlite_is_refused() {
    let Some(program) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let command = |args: &[&str]| {
        let mut command = limn(&program);
        command
            .args(args)
            .arg("--data-dir")
            .arg(dir.path().join("data"))
            .current_dir(dir.path());
        command
    };
    let serve = ["serve", "--addr", "127.0.0.1:0"];
    let first = started(&mut command(&serve));
    for args in [&serve[..], &["worker"]] {
        let refused = run(&mut command(args), "");
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            said.contains("PostgreSQL") && said.contains("database.url"),
            "{said}"
        );
    }
    drop(first);
    // What a killed one held is free again.
    drop(started(&mut command(&serve)));
}
