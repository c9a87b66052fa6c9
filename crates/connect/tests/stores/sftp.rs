//! SFTP against a server of this process.

use super::{open_to_loopback, paths, read, store, texts};
use limn_connect::{ConnectError, Opened, Reach, open};
use limn_domain::datastore::DatastoreKind;
use limn_testkit::sftp::{Rules, SftpServer, USER, keys};
use std::collections::BTreeMap;
use std::path::Path;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn rules() -> Rules {
    Rules {
        password: Some("hunter2".to_owned()),
        host_keys: vec![keys::HOST.to_owned()],
        ..Rules::default()
    }
}

/// The settings of a login, with more or others.
fn with<'a>(port: &'a str, more: Pairs<'a>) -> Vec<(&'a str, &'a str)> {
    let mut all: BTreeMap<&str, &str> =
        BTreeMap::from([("host", "127.0.0.1"), ("port", port), ("username", USER)]);
    all.extend(more.iter().copied());
    all.into_iter().collect()
}

async fn try_with(server: &SftpServer, more: Pairs<'_>, secrets: Pairs<'_>) -> Result<Opened, ConnectError> {
    let port = server.port().to_string();
    store(DatastoreKind::Sftp, &with(&port, more), secrets).await
}

async fn opened(server: &SftpServer, more: Pairs<'_>) -> Opened {
    try_with(server, more, &[("password", "hunter2")]).await.unwrap()
}

fn fill(dir: &Path, files: &[&str]) {
    for file in files {
        let path = dir.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file).unwrap();
    }
}

#[tokio::test]
async fn folders_are_listed_and_files_are_read_and_nothing_else_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    fill(
        dir.path(),
        &["in/a.png", "in/sub/ü b.png", "in/sub/deep/d.png", "out.png"],
    );
    let large: Vec<u8> = (0..1_000_003_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(dir.path().join("in/large.bin"), &large).unwrap();
    std::fs::write(dir.path().join("in/empty"), b"").unwrap();
    let server = SftpServer::start(dir.path(), rules()).await;
    let whole = dir.path().join("in");
    for path in ["in", "in/", "~/in", whole.to_str().unwrap()] {
        let all = paths(&opened(&server, &[("path", path)]).await, "")
            .await
            .unwrap();
        assert_eq!(
            all,
            ["a.png", "empty", "large.bin", "sub/deep/d.png", "sub/ü b.png"],
            "{path}"
        );
    }
    let open = opened(&server, &[]).await;
    assert_eq!(
        paths(&open, "in/sub").await.unwrap(),
        ["in/sub/deep/d.png", "in/sub/ü b.png"]
    );
    assert!(
        open.test()
            .await
            .unwrap()
            .message
            .contains("2 entries at the top, such as `in`")
    );
    assert_eq!(read(&open, "in/large.bin", 0).await.unwrap(), large);
    assert_eq!(
        read(&open, "in/large.bin", 999_000).await.unwrap(),
        large[999_000..]
    );
    assert_eq!(
        read(&open, "in/large.bin", large.len() as u64).await.unwrap(),
        b""
    );
    assert_eq!(read(&open, "in/empty", 0).await.unwrap(), b"");
    let entry = open.files().unwrap().stat("in/sub/ü b.png").await.unwrap();
    assert_eq!(entry.size, Some(15));
    assert!(
        entry.modified.is_some() && entry.tag.ends_with("-15"),
        "{entry:?}"
    );
    assert!(open.files().unwrap().stat("in").await.unwrap().is_folder);
    for bad in ["no.png", "in/no/x", "in/../out.png", "in"] {
        let e = read(&open, bad, 0).await.unwrap_err();
        assert!(matches!(e, ConnectError::NotFound(_)), "{bad}: {e:?}");
    }
    assert!(matches!(
        paths(&open, "in/a.png").await,
        Err(ConnectError::NotFound(_))
    ));
    assert_eq!(server.rules().strange, 0);
}

#[tokio::test]
async fn long_folders_come_in_pages_that_hold_still() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..2_345 {
        std::fs::write(dir.path().join(format!("{n:05}.txt")), b"x").unwrap();
    }
    let server = SftpServer::start(dir.path(), rules()).await;
    let open = opened(&server, &[]).await;
    let first = open.files().unwrap().list("", None).await.unwrap();
    assert_eq!(
        (first.entries.len(), first.next.as_deref()),
        (1_000, Some("00999.txt"))
    );
    // Another store, as for another page of somebody who browses.
    let other = opened(&server, &[]).await;
    let second = other
        .files()
        .unwrap()
        .list("", first.next.as_deref())
        .await
        .unwrap();
    assert_eq!(second.entries[0].path, "01000.txt");
    assert_eq!(paths(&open, "").await.unwrap().len(), 2_345);
}

#[tokio::test]
async fn links_do_not_lead_out() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["in/a/x.png", "out/secret"]);
    let inside = dir.path().join("in");
    for (to, name) in [
        (dir.path().join("out"), "away"),
        (dir.path().join("out/secret"), "file"),
        (inside.join("a"), "again"),
        (inside.join("a/x.png"), "y.png"),
        (inside.join("nowhere"), "nothing"),
    ] {
        std::os::unix::fs::symlink(to, inside.join(name)).unwrap();
    }
    let server = SftpServer::start(dir.path(), rules()).await;
    let open = opened(&server, &[("path", "in")]).await;
    assert_eq!(paths(&open, "").await.unwrap(), ["a/x.png", "y.png"]);
    assert_eq!(read(&open, "y.png", 0).await.unwrap(), b"in/a/x.png");
    for bad in ["file", "away/secret", "nothing"] {
        assert!(read(&open, bad, 0).await.is_err(), "{bad}");
    }
    assert!(open.files().unwrap().list("away", None).await.is_err());
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let large: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(dir.path().join("large.bin"), &large).unwrap();
    let server = SftpServer::start(dir.path(), rules()).await;
    let open = opened(&server, &[]).await;
    server.rules().cuts = 1;
    let e = read(&open, "large.bin", 0).await.unwrap_err();
    assert!(e.is_passing(), "{e:?}");
    // The next question finds its way by itself.
    assert_eq!(read(&open, "large.bin", 100_000).await.unwrap(), large[100_000..]);
    assert_eq!(server.rules().logins, 2);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["open/a.png", "locked/b.png", "file"]);
    let server = SftpServer::start(dir.path(), rules()).await;
    let said = async |more: Pairs<'_>, password: &str| {
        let open = try_with(&server, more, &[("password", password)]).await.unwrap();
        open.test().await.unwrap_err()
    };
    let e = said(&[], "hunter3").await;
    assert!(
        matches!(&e, ConnectError::Denied(m) if m.contains("does not accept this password for `limn`") && !m.contains("hunter")),
        "{e}"
    );
    assert_eq!(server.rules().logins, 1, "a wrong password is given once");
    let e = said(&[("username", "nobody")], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::Denied(m) if m.contains("`nobody`")),
        "{e}"
    );
    let e = said(&[("path", "nowhere")], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::NotFound(m) if m.contains("There is no `nowhere`")),
        "{e}"
    );
    let e = said(&[("path", "file")], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::NotFound(m) if m.contains("a file and no folder")),
        "{e}"
    );
    server.rules().locked = Some("locked".to_owned());
    let e = said(&[("path", "locked")], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::Forbidden(m) if m.contains("does not let `limn` see `locked`")),
        "{e}"
    );
    server.rules().no_sftp = true;
    let e = said(&[], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::Wrong(m) if m.contains("offers no SFTP")),
        "{e}"
    );
    // Nobody listens; no such name; something that is no SSH server.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let e = said(&[("port", &free.to_string())], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::Unreachable(m) if m.contains(&free.to_string())),
        "{e}"
    );
    let e = said(&[("host", "no-such-host.invalid")], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::Unreachable(m) if m.contains("no-such-host.invalid")),
        "{e}"
    );
    let web = super::serve(axum::Router::new()).await.port().to_string();
    let e = said(&[("port", &web)], "hunter2").await;
    assert!(
        matches!(&e, ConnectError::Unreachable(_) | ConnectError::Wrong(_)) && e.to_string().contains("SSH"),
        "{e}"
    );
    // Mistakes in fields are said before anything is sent.
    let password: Pairs<'_> = &[("password", "p")];
    let mistakes: [(Pairs<'_>, Pairs<'_>, &str); 6] = [
        (&[("host", "sftp://h")], password, "host"),
        (&[("port", "70000")], password, "port"),
        (&[("host_key", "SHA256:abc")], password, "host_key"),
        (&[], &[], "password"),
        (&[], &[("private_key", "x")], "private_key"),
        (&[], &[("private_key", keys::LOCKED)], "passphrase"),
    ];
    for (more, secrets, field) in mistakes {
        let e = try_with(&server, more, secrets).await.err().unwrap();
        assert!(
            matches!(e, ConnectError::Setting(f, _) if f == field),
            "{field}: {e:?}"
        );
    }
}

#[tokio::test]
async fn keys_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["a.png"]);
    let server = SftpServer::start(dir.path(), rules()).await;
    for (private, passphrase, public) in [
        (keys::LOGIN, "", keys::LOGIN_PUBLIC),
        (keys::LOCKED, keys::PASSPHRASE, keys::LOCKED_PUBLIC),
        (keys::RSA, "", keys::RSA_PUBLIC),
    ] {
        let secrets = [("private_key", private), ("passphrase", passphrase)];
        server.rules().key = Some(public.to_owned());
        let open = try_with(&server, &[], &secrets).await.unwrap();
        assert_eq!(paths(&open, "").await.unwrap(), ["a.png"], "{public}");
    }
    server.rules().key = Some(keys::LOCKED_PUBLIC.to_owned());
    let wrong = try_with(&server, &[], &[("private_key", keys::LOGIN)])
        .await
        .unwrap();
    let e = wrong.test().await.unwrap_err();
    let print = "SHA256:yC4r62GbpIo5Ps/DFo7uSgQ0TMhscErvctvbcB5lCFo";
    assert!(
        matches!(&e, ConnectError::Denied(m) if m.contains(print) && m.contains("authorized_keys")),
        "{e}"
    );
    // With both, what the host takes is enough.
    let both = [("private_key", keys::LOGIN), ("password", "hunter2")];
    assert!(try_with(&server, &[], &both).await.unwrap().test().await.is_ok());
}

#[tokio::test]
async fn a_host_is_known_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &["a.png"]);
    let server = SftpServer::start(dir.path(), rules()).await;
    let first = opened(&server, &[]).await.test().await.unwrap();
    assert_eq!(first.learned, texts(&[("host_key", keys::HOST_PRINT)]));
    assert!(first.message.contains(keys::HOST_PRINT), "{}", first.message);
    let known = [("host_key", keys::HOST_PRINT)];
    let again = opened(&server, &known).await.test().await.unwrap();
    assert!(again.learned.is_empty() && !again.message.contains("SHA256"));
    // As `ssh-keygen -l` writes it.
    let line = format!("256 {} root@host (ED25519)", keys::HOST_PRINT);
    let pasted = opened(&server, &[("host_key", &line)])
        .await
        .test()
        .await
        .unwrap();
    assert_eq!(pasted.learned, texts(&known));
    // A host that gets a key of another kind is still known by the old one, and by either.
    server.rules().host_keys = vec![keys::HOST.to_owned(), keys::HOST_ECDSA.to_owned()];
    for print in [keys::HOST_PRINT, keys::HOST_ECDSA_PRINT] {
        assert!(
            opened(&server, &[("host_key", print)]).await.test().await.is_ok(),
            "{print}"
        );
    }
    // Another one: nothing is sent to it.
    server.rules().host_keys = vec![keys::OTHER_HOST.to_owned()];
    let before = server.rules().logins;
    let e = opened(&server, &known).await.test().await.unwrap_err();
    assert!(
        matches!(&e, ConnectError::Denied(m) if m.contains(keys::HOST_PRINT)
            && m.contains(keys::OTHER_HOST_PRINT) && m.contains("Rotate credentials")),
        "{e}"
    );
    assert_eq!(server.rules().logins, before);
    // Trusted at first and changed while the store is open: refused as well.
    let open = opened(&server, &[]).await;
    std::fs::write(dir.path().join("b.bin"), vec![7; 200_000]).unwrap();
    assert!(open.test().await.is_ok());
    {
        let mut rules = server.rules();
        rules.host_keys = vec![keys::HOST.to_owned()];
        rules.cuts = 1;
    }
    assert!(read(&open, "b.bin", 0).await.is_err());
    assert!(matches!(
        open.files().unwrap().stat("b.bin").await,
        Err(ConnectError::Denied(_))
    ));
}

#[tokio::test]
async fn the_guard_decides_where_to_connect() {
    let dir = tempfile::tempdir().unwrap();
    let server = SftpServer::start(dir.path(), rules()).await;
    let port = server.port().to_string();
    let secrets = BTreeMap::from([("password".to_owned(), limn_connect::Secret::new("hunter2"))]);
    for host in [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
    ] {
        let settings = texts(&with(&port, &[("host", host)]));
        let open = open(DatastoreKind::Sftp, &settings, &secrets, &Reach::default())
            .await
            .unwrap();
        let e = open.test().await.unwrap_err();
        assert!(
            matches!(&e, ConnectError::Refused(m) if m.contains("network.allow")),
            "{host}: {e}"
        );
    }
    let settings = texts(&with(&port, &[("host", "169.254.169.254")]));
    let open = open(DatastoreKind::Sftp, &settings, &secrets, &open_to_loopback())
        .await
        .unwrap();
    assert!(matches!(open.test().await, Err(ConnectError::Refused(m)) if m.contains("metadata")));
    assert_eq!(server.rules().logins, 0);
}
