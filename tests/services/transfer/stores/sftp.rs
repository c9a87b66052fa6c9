//! SFTP, from the connection to datasets.

use super::datasets::files;
use super::secrets::nowhere;
use super::{World, figures, new, picture, report, texts, world};
use crate::{code, refusal};
use limn_domain::Code;
use limn_domain::dataset::{DatasetKind, UploadMode};
use limn_domain::datastore::{
    Datastore, DatastoreKind, Health, RotateSecrets, StorePreview, UpdateDatastore,
};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_services::Actor;
use limn_testkit::on_both;
use limn_testkit::sftp::{Rules, SftpServer, USER, keys};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const PASSWORD: &str = "hunter2-the-password";

/// A server over a folder with so many pictures, and the folder.
async fn server(w: &World, pictures: u8) -> (SftpServer, PathBuf) {
    let folder = w.db.dir().join("sftp");
    std::fs::create_dir_all(folder.join("street")).unwrap();
    put(&folder, 0..pictures);
    let rules = Rules {
        password: Some(PASSWORD.to_owned()),
        host_keys: vec![keys::HOST.to_owned()],
        ..Rules::default()
    };
    (SftpServer::start(&folder, rules).await, folder)
}

fn put(folder: &Path, which: std::ops::Range<u8>) {
    for n in which {
        let path = folder.join(format!("street/{n:03}.png"));
        std::fs::write(&path, picture(n)).unwrap();
        written(&path, SystemTime::now() - Duration::from_mins(1));
    }
}

/// Says of a file when it was written.
fn written(path: &Path, at: SystemTime) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(at).unwrap();
}

async fn connected(w: &World, server: &SftpServer) -> Datastore {
    let port = server.port().to_string();
    let settings = [("host", "127.0.0.1"), ("port", port.as_str()), ("username", USER)];
    let input = new("Far", DatastoreKind::Sftp, &settings, &[("password", PASSWORD)]);
    w.datastores.create(&Actor::System, input).await.unwrap()
}

fn rotate(secrets: &[(&str, &str)], settings: &[(&str, &str)]) -> RotateSecrets {
    RotateSecrets {
        secrets: texts(secrets),
        settings: texts(settings),
    }
}

#[tokio::test]
async fn a_project_and_a_dataset_follow_an_sftp_server() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (server, folder) = server(&w, 20).await;
        let store = connected(&w, &server).await;
        // The key of the first connection is kept.
        assert_eq!(store.settings["host_key"], keys::HOST_PRINT);
        assert_eq!(store.health, Health::Ok);
        assert_eq!(store.secrets, ["password"]);
        let page = w
            .datastores
            .browse(&w.manager, store.id, "street", None)
            .await
            .unwrap();
        assert_eq!(page.entries.len(), 20);
        assert_eq!(page.entries[0].path, "street/000.png");
        assert!(page.entries[0].size.is_some() && page.entries[0].modified.is_some());
        let preview = w
            .datastores
            .preview(&w.manager, store.id, "street/003.png")
            .await
            .unwrap();
        assert!(
            matches!(
                preview,
                StorePreview::Image {
                    width: 24,
                    height: 16,
                    ..
                }
            ),
            "{preview:?}"
        );
        let thumb = w
            .datastores
            .thumb(&w.manager, store.id, "street/003.png")
            .await
            .unwrap();
        assert!(!thumb.bytes.is_empty());

        let source = w.take(&store, "street/**").await;
        let first = report(w.ended(&source).await);
        assert_eq!(figures(&first), [20, 20, 0, 0, 0, 0]);
        let reads = server.rules().reads;
        put(&folder, 20..30);
        let second = w.refreshed(&source).await;
        assert_eq!(figures(&second), [30, 10, 20, 0, 0, 0]);
        assert_eq!(server.rules().reads, reads + 10, "nothing is read twice");
        image::RgbImage::from_pixel(31, 17, image::Rgb([1, 2, 3]))
            .save(folder.join("street/000.png"))
            .unwrap();
        std::fs::remove_file(folder.join("street/001.png")).unwrap();
        let third = w.refreshed(&source).await;
        assert_eq!((third.changed, third.vanished, third.unchanged), (1, 1, 28));

        let d = w.set("Far street", DatasetKind::Images).await;
        let made = w
            .made(d, files(store.id, "street/02*.png", UploadMode::Add))
            .await;
        assert_eq!((made.files, made.is_new), (10, true));
        assert_eq!(server.rules().strange, 0, "only read");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_written_again_in_the_same_second_is_seen() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (server, folder) = server(&w, 3).await;
        let store = connected(&w, &server).await;
        let (path, one) = (folder.join("street/001.png"), picture(1));
        let two = (3..=u8::MAX).map(picture).find(|p| p.len() == one.len()).unwrap();
        // By that server's clock, which is ahead: however long this takes, the file is a new one.
        let now = SystemTime::now() + Duration::from_mins(5);
        written(&path, now);
        let source = w.take(&store, "street/**").await;
        assert_eq!(figures(&report(w.ended(&source).await)), [3, 3, 0, 0, 0, 0]);
        let reads = server.rules().reads;
        // Not written again: it is read once more, and no change.
        let again = w.refreshed(&source).await;
        assert_eq!(figures(&again), [3, 0, 2, 0, 0, 0]);
        assert_eq!(
            (again.report.items_unchanged, server.rules().reads),
            (1, reads + 1)
        );
        std::fs::write(&path, &two).unwrap();
        written(&path, now);
        let third = w.refreshed(&source).await;
        assert_eq!(figures(&third), [3, 0, 2, 1, 0, 0]);
        let changed = third.report.entries.iter().filter(|e| e.code == "changed");
        assert_eq!(
            changed.map(|e| e.file.as_str()).collect::<Vec<_>>(),
            ["street/001.png"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_breaks_in_a_file_is_gone_on_with() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (server, folder) = server(&w, 3).await;
        // A picture of several answers: noise does not shrink.
        let noise = image::RgbImage::from_fn(300, 200, |x, y| {
            let hash = blake3::hash(&[x.to_le_bytes(), y.to_le_bytes()].concat());
            let [r, g, b, ..] = *hash.as_bytes();
            image::Rgb([r, g, b])
        });
        noise.save(folder.join("street/large.png")).unwrap();
        let store = connected(&w, &server).await;
        server.rules().cuts = 2;
        let source = w.take(&store, "").await;
        let r = report(w.ended(&source).await);
        assert_eq!(
            (w.names().await.len(), r.report.refused),
            (4, 0),
            "{:?}",
            r.report.entries
        );
        assert_eq!(server.rules().cuts, 0);
    })
    .await;
}

#[tokio::test]
async fn credentials_are_rotated_from_a_password_to_a_key() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (server, folder) = server(&w, 5).await;
        let store = connected(&w, &server).await;
        let source = w.take(&store, "").await;
        w.ended(&source).await;
        // The other side takes keys alone from now on.
        {
            let mut rules = server.rules();
            rules.password = None;
            rules.key = Some(keys::LOCKED_PUBLIC.to_owned());
        }
        let test = w.datastores.test(&Actor::System, store.id).await.unwrap();
        assert!(
            !test.ok && test.message.contains("does not accept this password for `limn`"),
            "{}",
            test.message
        );
        put(&folder, 5..8);
        let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Failed);
        assert!(
            job.error.as_ref().unwrap().contains("does not accept"),
            "{:?}",
            job.error
        );
        // A key that is not known there, a passphrase that is wrong: the old credentials stay.
        let wrong = rotate(&[("private_key", keys::LOGIN)], &[]);
        let e = refusal(w.datastores.rotate(&Actor::System, store.id, wrong).await);
        assert!(e.message.contains("authorized_keys"), "{}", e.message);
        let wrong = rotate(&[("private_key", keys::LOCKED), ("passphrase", "hunter9")], &[]);
        let e = refusal(w.datastores.rotate(&Actor::System, store.id, wrong).await);
        assert!(e.for_field("secrets.passphrase").is_some(), "{e:?}");
        assert_eq!(
            w.datastores.get(&Actor::System, store.id).await.unwrap().secrets,
            ["password"]
        );
        let right = rotate(
            &[("private_key", keys::LOCKED), ("passphrase", keys::PASSPHRASE)],
            &[],
        );
        let rotated = w
            .datastores
            .rotate(&Actor::System, store.id, right)
            .await
            .unwrap();
        assert_eq!(rotated.secrets, ["passphrase", "private_key"]);
        assert_eq!(figures(&w.refreshed(&source).await), [8, 3, 5, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn another_host_key_is_refused_until_it_is_given_with_the_credentials() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (server, _) = server(&w, 2).await;
        let store = connected(&w, &server).await;
        server.rules().host_keys = vec![keys::OTHER_HOST.to_owned()];
        let logins = server.rules().logins;
        let test = w.datastores.test(&Actor::System, store.id).await.unwrap();
        assert!(
            !test.ok && test.message.contains("has changed"),
            "{}",
            test.message
        );
        for word in [
            keys::HOST_PRINT,
            keys::OTHER_HOST_PRINT,
            "Rotate credentials",
            "127.0.0.1",
        ] {
            assert!(test.message.contains(word), "{word}: {}", test.message);
        }
        assert_eq!(server.rules().logins, logins, "nobody signed in");
        assert_eq!(
            w.datastores.get(&Actor::System, store.id).await.unwrap().health,
            Health::Failing
        );
        // A kept password is shown to no other host: neither by another key nor by none.
        for host_key in [Some(keys::OTHER_HOST_PRINT), None] {
            let mut settings = store.settings.clone();
            settings.remove("host_key");
            settings.extend(host_key.map(|k| ("host_key".to_owned(), k.to_owned())));
            let input = UpdateDatastore {
                settings: Some(settings),
                ..UpdateDatastore::default()
            };
            let e = refusal(w.datastores.update(&Actor::System, store.id, input).await);
            assert!(e.for_field("settings.host_key").is_some(), "{e:?}");
        }
        let with_key = rotate(&[("password", PASSWORD)], &[("host_key", keys::OTHER_HOST_PRINT)]);
        let store = w
            .datastores
            .rotate(&Actor::System, store.id, with_key)
            .await
            .unwrap();
        assert_eq!(store.settings["host_key"], keys::OTHER_HOST_PRINT);
        assert!(w.datastores.test(&Actor::System, store.id).await.unwrap().ok);
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_tried_before_it_is_kept() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (server, _) = server(&w, 2).await;
        let port = server.port().to_string();
        let attempt = async |host: &str, path: &str, password: &str| {
            let settings = [
                ("host", host),
                ("port", port.as_str()),
                ("username", USER),
                ("path", path),
            ];
            let input = new("Far", DatastoreKind::Sftp, &settings, &[("password", password)]);
            w.datastores.try_new(&Actor::System, &input).await.unwrap()
        };
        let good = attempt("127.0.0.1", "street", PASSWORD).await;
        assert!(good.ok && good.message.contains("2 entries"), "{}", good.message);
        assert_eq!(good.learned, texts(&[("host_key", keys::HOST_PRINT)]));
        for (host, path, password, words) in [
            ("127.0.0.1", "", "hunter3", "does not accept this password"),
            ("127.0.0.1", "nowhere", PASSWORD, "There is no `nowhere`"),
            ("169.254.169.254", "", PASSWORD, "metadata service"),
            ("10.0.0.1", "", PASSWORD, "network.allow"),
        ] {
            let bad = attempt(host, path, password).await;
            assert!(
                !bad.ok && bad.message.contains(words),
                "{host} {path}: {}",
                bad.message
            );
            assert!(!bad.message.contains("hunter"), "{}", bad.message);
        }
        let input = new(
            "Far",
            DatastoreKind::Sftp,
            &[("host", "h"), ("username", "u")],
            &[],
        );
        let e = refusal(w.datastores.try_new(&Actor::System, &input).await);
        assert!(e.for_field("secrets.password").is_some(), "{e:?}");
        assert_eq!(
            code(w.datastores.create(&Actor::System, input).await),
            Code::InvalidInput
        );
        assert!(w.datastores.list(&Actor::System).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn no_key_password_or_passphrase_is_in_the_database_the_files_or_any_reply() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let (server, _) = server(&w, 2).await;
        server.rules().key = Some(keys::LOCKED_PUBLIC.to_owned());
        let store = connected(&w, &server).await;
        let mut replies = vec![serde_json::to_string(&store).unwrap()];
        let secrets = [
            ("private_key", keys::LOCKED),
            ("passphrase", keys::PASSPHRASE),
            ("password", PASSWORD),
        ];
        let input = rotate(&secrets, &[]);
        replies.push(format!("{input:?}"));
        let store = w
            .datastores
            .rotate(&Actor::System, store.id, input)
            .await
            .unwrap();
        let source = w.take(&store, "").await;
        let job = w.ended(&source).await;
        replies.push(serde_json::to_string(&(&store, &source, &job)).unwrap());
        // A failure says nothing either.
        {
            let mut rules = server.rules();
            rules.key = Some(keys::LOGIN_PUBLIC.to_owned());
            rules.password = Some("another".to_owned());
        }
        let test = w.datastores.test(&Actor::System, store.id).await.unwrap();
        assert!(!test.ok);
        replies.push(serde_json::to_string(&test).unwrap());
        let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
        replies.push(serde_json::to_string(&w.finish(job.id).await).unwrap());
        replies.push(serde_json::to_string(&w.jobs.log(&w.manager, job.id, 0).await.unwrap()).unwrap());
        replies.push(serde_json::to_string(&w.datastores.list(&Actor::System).await.unwrap()).unwrap());
        // A line from the middle of the key.
        let line = keys::LOCKED.lines().nth(3).unwrap();
        for reply in &replies {
            assert!(!reply.contains("hunter") && !reply.contains(line), "{reply}");
        }
        nowhere(&db, &[PASSWORD, keys::PASSPHRASE, line]).await;
    })
    .await;
}
