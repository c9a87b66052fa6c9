//! Blobs, Data Lake and file shares of Azure against an account of this process.

mod account;

use super::{open_to_loopback, paths, read, serve, store, texts};
use account::{Account, KEY, NAME, ROOT};
use axum::Router;
use limn_connect::{ConnectError, Opened, Reach, Secret, open};
use limn_domain::datastore::DatastoreKind;
use std::collections::BTreeMap;

const KINDS: [(DatastoreKind, &str); 3] = [
    (DatastoreKind::Azure, "container"),
    (DatastoreKind::AzureLake, "filesystem"),
    (DatastoreKind::AzureFiles, "share"),
];

/// An account with files, and where it is.
async fn start() -> (Account, String) {
    let account = Account::default();
    for path in [
        "in/a.png",
        "in/b & c+d.png",
        "in/sub/ü 100%.png",
        "in/sub/deep/d.png",
        "in/z.png",
        "out/e.png",
    ] {
        let bytes = path.as_bytes().to_vec();
        account.files.lock().unwrap().insert(path.to_owned(), bytes);
    }
    let at = serve(Router::new().fallback(account::serve).with_state(account.clone())).await;
    (account, format!("http://{at}"))
}

async fn opened(
    (kind, root): (DatastoreKind, &str),
    more: &[(&str, &str)],
    secret: (&str, &str),
) -> Result<Opened, ConnectError> {
    let mut settings = BTreeMap::from([("account", NAME), (root, ROOT), ("prefix", "in")]);
    settings.extend(more.iter().copied());
    let settings: Vec<(&str, &str)> = settings.into_iter().collect();
    store(kind, &settings, &[secret]).await
}

#[tokio::test]
async fn all_doors_of_an_account_list_page_by_page_and_read_parts() {
    let (account, at) = start().await;
    for kind in KINDS {
        for secret in [("account_key", KEY), ("sas_token", "?sv=2021-08-06&sig=good")] {
            let open = opened(kind, &[("endpoint", &at)], secret).await.unwrap();
            assert_eq!(
                paths(&open, "").await.unwrap(),
                [
                    "a.png",
                    "b & c+d.png",
                    "sub/deep/d.png",
                    "sub/ü 100%.png",
                    "z.png"
                ],
                "{kind:?}"
            );
            assert_eq!(
                paths(&open, "sub").await.unwrap(),
                ["sub/deep/d.png", "sub/ü 100%.png"]
            );
            let files = open.files().unwrap();
            let mut names = Vec::new();
            let mut page = None;
            loop {
                let listing = files.list("", page.as_deref()).await.unwrap();
                assert!(listing.entries.len() <= 2);
                names.extend(listing.entries.into_iter().map(|e| (e.path, e.is_folder, e.size)));
                page = listing.next;
                if page.is_none() {
                    break;
                }
            }
            names.sort();
            let wanted = [
                ("a.png", false, Some(8)),
                ("b & c+d.png", false, Some(14)),
                ("sub", true, None),
                ("z.png", false, Some(8)),
            ];
            assert_eq!(
                names,
                wanted.map(|(path, folder, size)| (path.to_owned(), folder, size))
            );
            let whole = "in/sub/ü 100%.png".as_bytes();
            assert_eq!(read(&open, "sub/ü 100%.png", 0).await.unwrap(), whole);
            assert_eq!(read(&open, "a.png", 3).await.unwrap(), b"a.png");
            // What a list says is what is said of the file, so that nothing is read twice.
            let listed = files.list("sub", None).await.unwrap().entries;
            let listed = listed.iter().find(|e| !e.is_folder).unwrap();
            let stat = files.stat("sub/ü 100%.png").await.unwrap();
            assert_eq!(stat, *listed, "{kind:?}");
            assert_eq!(stat.modified, Some(1_706_781_600));
            let reading = files.read("sub/ü 100%.png", 5).await.unwrap().entry;
            assert_eq!(reading, stat);
            let missing = read(&open, "no.png", 0).await;
            assert!(matches!(missing, Err(ConnectError::NotFound(m)) if m.contains("no.png")));
            assert!(open.test().await.unwrap().ok);
        }
    }
    let known = account.known.lock().unwrap();
    assert!(
        known
            .iter()
            .all(|k| k.starts_with("GET ") || k.starts_with("HEAD "))
    );
}

#[tokio::test]
async fn folders_are_no_files_and_files_no_folders() {
    let (_, at) = start().await;
    for kind in &KINDS[1..] {
        let open = opened(*kind, &[("endpoint", &at)], ("account_key", KEY))
            .await
            .unwrap();
        let e = paths(&open, "nowhere").await.unwrap_err();
        assert!(
            matches!(&e, ConnectError::NotFound(m) if m.contains("no folder `in/nowhere`")),
            "{kind:?}: {e}"
        );
    }
    let lake = opened(KINDS[1], &[("endpoint", &at)], ("account_key", KEY))
        .await
        .unwrap();
    assert!(lake.files().unwrap().stat("sub").await.unwrap().is_folder);
    let e = read(&lake, "sub", 0).await.unwrap_err();
    assert!(
        matches!(&e, ConnectError::NotFound(m) if m.contains("is a folder")),
        "{e}"
    );
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_nothing_secret() {
    let (_, at) = start().await;
    let other = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Q=";
    for kind in KINDS {
        let test = async |more: &[(&str, &str)], secret: (&str, &str)| {
            let mut all = vec![("endpoint", at.as_str())];
            all.extend_from_slice(more);
            let e = opened(kind, &all, secret)
                .await
                .unwrap()
                .test()
                .await
                .unwrap_err();
            let text = e.to_string();
            assert!(!text.contains(secret.1) && !text.contains("sig="), "{text}");
            e
        };
        for (secret, sign) in [
            (("account_key", other), "wrong, or have expired"),
            (("sas_token", "sv=1&sig=forged"), "wrong, or have expired"),
            (
                ("sas_token", "sv=1&se=2020-01-02T03%3A04%3A05Z&sig=good"),
                "has expired (2020-01-02T03:04:05Z)",
            ),
            (
                ("sas_token", "sv=1&se=2020-01-02&sig=good"),
                "has expired (2020-01-02)",
            ),
            (("sas_token", "sv=1&sig=blind"), "may not list (l)"),
            (("sas_token", "sv=1&sig=other"), "one for something else"),
            (("sas_token", "sv=1&sig=walled"), "leave this server out"),
        ] {
            let e = test(&[], secret).await;
            assert!(
                matches!(&e, ConnectError::Denied(m) if m.contains(sign)),
                "{kind:?} {sign}: {e}"
            );
        }
        let e = test(&[(kind.1, "nothing")], ("account_key", KEY)).await;
        assert!(
            matches!(&e, ConnectError::NotFound(m) if m.contains("`nothing`")),
            "{kind:?}: {e}"
        );
        // A token that may not list may read.
        let blind = opened(kind, &[("endpoint", &at)], ("sas_token", "sig=blind"))
            .await
            .unwrap();
        assert!(read(&blind, "a.png", 0).await.is_ok());
        let broken = opened(kind, &[("endpoint", &at)], ("account_key", "no base64!")).await;
        assert!(matches!(broken, Err(ConnectError::Setting("account_key", _))));
    }
    for kind in &KINDS[1..] {
        let nobody = opened(*kind, &[("endpoint", &at)], ("sas_token", "")).await;
        assert!(
            matches!(&nobody, Err(ConnectError::Setting("sas_token", m)) if m.contains("never public")),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn endpoints_are_judged_like_any_address() {
    let (account, at) = start().await;
    let port = at.rsplit(':').next().unwrap().to_owned();
    for (kind, root) in KINDS {
        for bad in [
            at.clone(),
            format!("http://localhost:{port}"),
            format!("http://[::ffff:127.0.0.1]:{port}"),
            "http://169.254.169.254/metadata".to_owned(),
            "http://168.63.129.16".to_owned(),
            "http://10.0.0.1".to_owned(),
        ] {
            let settings = texts(&[("account", NAME), (root, ROOT), ("endpoint", &bad)]);
            let secrets = BTreeMap::from([("account_key".to_owned(), Secret::new(KEY))]);
            let open = open(kind, &settings, &secrets, &Reach::default()).await.unwrap();
            let e = open.test().await.unwrap_err();
            assert!(matches!(e, ConnectError::Refused(_)), "{bad}: {e:?}");
        }
    }
    assert!(account.known.lock().unwrap().is_empty());
    // Opening this machine opens no metadata service.
    let settings = texts(&[
        ("account", NAME),
        ("share", ROOT),
        ("endpoint", "http://169.254.169.254"),
    ]);
    let secrets = BTreeMap::from([("account_key".to_owned(), Secret::new(KEY))]);
    let open = open(
        DatastoreKind::AzureFiles,
        &settings,
        &secrets,
        &open_to_loopback(),
    )
    .await
    .unwrap();
    assert!(matches!(open.test().await, Err(ConnectError::Refused(_))));
}
