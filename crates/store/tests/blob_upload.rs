//! Rows of blobs and uploads, on both databases.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use limn_domain::project::Task;
use limn_domain::upload::Upload;
use limn_domain::{Role, Timestamp, UploadId, UserId};
use limn_store::{Db, StoreError, Tx, repo};
use limn_testkit::build::{self, START};
use limn_testkit::on_both;

fn at(seconds: i64) -> Timestamp {
    START.plus_seconds(seconds)
}

async fn read(db: &Db) -> Tx {
    db.read().await.unwrap()
}

async fn put(db: &Db, text: &'static str, now: Timestamp) {
    let digest = build::digest(text);
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::blob::put(tx, &digest, 5, "image/png", now).await })
    })
    .await
    .unwrap();
}

async fn forget(db: &Db, text: &'static str, before: Timestamp) -> bool {
    let digest = build::digest(text);
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::blob::delete_unused(tx, &digest, before).await })
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn blobs_are_kept_while_something_refers_to_them() {
    on_both(async |db| {
        let project = build::project(&db, "P", Task::Detection).await;
        let item = build::items(&db, project, "a", 1).await[0];
        put(&db, "old", at(0)).await;
        put(&db, "older", at(-100)).await;
        put(&db, "again", at(-100)).await;
        put(&db, "again", at(50)).await;
        let blob = repo::blob::of_item(&mut read(&db).await, item)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (blob.project_id, blob.name.as_str(), blob.width, blob.orientation),
            (project, "a000.jpg", 640, 1)
        );

        let mut expected = vec![build::digest("old"), build::digest("older")];
        expected.sort();
        let unused = repo::blob::unused(&mut read(&db).await, at(10), None, 10)
            .await
            .unwrap();
        assert_eq!(unused, expected);
        let first = repo::blob::unused(&mut read(&db).await, at(10), None, 1)
            .await
            .unwrap();
        let rest = repo::blob::unused(&mut read(&db).await, at(10), first.first(), 10)
            .await
            .unwrap();
        assert_eq!([first, rest].concat(), expected);

        assert!(forget(&db, "old", at(10)).await);
        assert!(!forget(&db, "old", at(10)).await);
        assert!(!forget(&db, "again", at(10)).await, "put again meanwhile");
        assert!(
            !repo::blob::exists(&mut read(&db).await, &build::digest("old"))
                .await
                .unwrap()
        );
        assert!(
            repo::blob::exists(&mut read(&db).await, &blob.digest)
                .await
                .unwrap()
        );
        let in_use = blob.digest.clone();
        let gone = db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::blob::delete_unused(tx, &in_use, at(1_000)).await })
            })
            .await
            .unwrap();
        assert!(!gone);
    })
    .await;
}

#[tokio::test]
async fn many_blobs_at_once_and_some_twice() {
    on_both(async |db| {
        db.write::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                let digests: Vec<_> = (0..1_200)
                    .map(|n| build::digest(&(n % 1_000).to_string()))
                    .collect();
                let blobs: Vec<_> = digests
                    .iter()
                    .map(|digest| repo::blob::NewBlob {
                        digest,
                        byte_size: 5,
                        media_type: "image/png",
                    })
                    .collect();
                repo::blob::put_many(tx, &blobs, at(0)).await?;
                repo::blob::put_many(tx, &blobs[..10], at(5)).await?;
                repo::blob::put_many(tx, &[], at(5)).await
            })
        })
        .await
        .unwrap();
        let count = async |before| {
            repo::blob::unused(&mut read(&db).await, before, None, 5_000)
                .await
                .unwrap()
                .len()
        };
        assert_eq!((count(at(100)).await, count(at(5)).await), (1_000, 990));
    })
    .await;
}

async fn create(db: &Db, user: UserId, size: i64, now: Timestamp) -> UploadId {
    let upload = Upload {
        id: UploadId::new(),
        name: "a.zip".to_owned(),
        size,
        received: 0,
        created_at: now,
        direct: false,
    };
    let id = upload.id;
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::upload::insert(tx, &upload, user).await })
    })
    .await
    .unwrap();
    id
}

#[tokio::test]
async fn uploads_advance_from_where_they_stand() {
    on_both(async |db| {
        let user = build::user(&db, "Ana", Role::Labeler).await;
        let (a, b) = (
            create(&db, user, 100, at(0)).await,
            create(&db, user, i64::MAX / 4, at(0)).await,
        );
        assert_eq!(
            repo::upload::open_of(&mut read(&db).await, user).await.unwrap(),
            (2, 100 + i64::MAX / 4)
        );
        assert_eq!(
            repo::upload::open_of(&mut read(&db).await, UserId::new())
                .await
                .unwrap(),
            (0, 0)
        );
        let advance = |from, to, now| {
            db.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::upload::advance(tx, a, from, to, now).await })
            })
        };
        assert!(advance(0, 40, at(10)).await.unwrap());
        assert!(!advance(0, 50, at(11)).await.unwrap());
        let owned = repo::upload::get(&mut read(&db).await, a).await.unwrap().unwrap();
        assert_eq!((owned.upload.received, owned.user_id), (40, user));
        assert_eq!(
            repo::upload::abandoned(&mut read(&db).await, at(10), 9)
                .await
                .unwrap(),
            [b]
        );
        let delete = || {
            db.write::<_, StoreError, _>(move |tx| Box::pin(async move { repo::upload::delete(tx, b).await }))
        };
        assert!(delete().await.unwrap() && !delete().await.unwrap());
        assert_eq!(repo::upload::get(&mut read(&db).await, b).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_held_or_removed_and_never_both() {
    on_both(async |db| {
        let (held, named) = (build::digest("held"), build::digest("named"));
        let hold = async |until| {
            let digest = held.clone();
            let doomed = db.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::hold::hold(tx, &digest, until).await })
            });
            doomed.await.unwrap()
        };
        let doom_of = async |digest: &limn_domain::Digest, held_before: Timestamp, now: Timestamp| {
            let digest = digest.clone();
            let done = db.write::<_, StoreError, _>(move |tx| {
                let until = now.plus_seconds(600);
                Box::pin(async move { repo::hold::doom(tx, &digest, held_before, (now, until)).await })
            });
            done.await.unwrap()
        };
        let doom = async |digest: &limn_domain::Digest, now: Timestamp| doom_of(digest, now, now).await;
        assert_eq!(hold(at(60)).await, Timestamp(0));
        // A shorter hold takes nothing off a longer one.
        assert_eq!(hold(at(30)).await, Timestamp(0));
        assert!(!doom(&held, at(59)).await);
        assert!(
            !doom_of(&held, at(50), at(61)).await,
            "it has run out, but not long ago"
        );
        assert!(doom(&held, at(61)).await);
        assert!(!doom(&held, at(62)).await, "somebody is at it");
        assert_eq!(hold(at(120)).await, at(661));
        let removed = held.clone();
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::hold::removed(tx, &removed).await })
        })
        .await
        .unwrap();
        assert_eq!(hold(at(120)).await, Timestamp(0));
        // What the database knows is no stray.
        put(&db, "named", at(0)).await;
        assert!(!doom(&named, at(999)).await);
        let sweep = async |now| {
            let gone = db.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::hold::sweep(tx, now).await })
            });
            gone.await.unwrap()
        };
        assert_eq!((sweep(at(100)).await, sweep(at(121)).await), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn checksums_of_blobs_are_noted_once_they_are_known() {
    on_both(async |db| {
        put(&db, "one", at(0)).await;
        put(&db, "two", at(0)).await;
        let all = ["one", "two", "gone"].map(build::digest);
        let known = async || repo::blob::crcs(&mut read(&db).await, &all).await.unwrap();
        assert!(known().await.is_empty());
        // The whole range of them.
        let crcs = [(all[2].clone(), 1), (all[0].clone(), u32::MAX)];
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::blob::set_crcs(tx, &crcs).await })
        })
        .await
        .unwrap();
        assert_eq!(known().await, [(all[0].clone(), u32::MAX)]);
    })
    .await;
}

#[tokio::test]
async fn a_chore_is_taken_by_one() {
    on_both(async |db| {
        let take = async |now: Timestamp| {
            let taken = db.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::chore::take(tx, "sweep", now, now.plus_seconds(10)).await })
            });
            taken.await.unwrap()
        };
        let first = tokio::join!(take(at(0)), take(at(0)), take(at(0)));
        assert_eq!([first.0, first.1, first.2].iter().filter(|t| **t).count(), 1);
        assert!(!take(at(9)).await);
        assert!(take(at(10)).await);
    })
    .await;
}

#[tokio::test]
async fn parts_of_an_upload_are_in_order_and_go_with_it() {
    on_both(async |db| {
        let user = build::user(&db, "Ana", Role::Labeler).await;
        let upload = create(&db, user, 100, at(0)).await;
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                for (start, name) in [(40, "b"), (0, "a"), (90, "c")] {
                    repo::upload::insert_piece(tx, upload, start, name).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let pieces = async || repo::upload::pieces(&mut read(&db).await, upload).await.unwrap();
        assert_eq!(pieces().await, ["a", "b", "c"]);
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::upload::delete(tx, upload).await })
        })
        .await
        .unwrap();
        assert!(pieces().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_a_project_has_and_where_somebody_is_member() {
    on_both(async |db| {
        let (p, q) = (
            build::project(&db, "P", Task::Detection).await,
            build::project(&db, "Q", Task::Detection).await,
        );
        build::items(&db, p, "Photo", 600).await;
        build::items(&db, q, "other", 1).await;
        let keys: Vec<String> = (0..700)
            .map(|n| format!("photo{n:03}.jpg"))
            .chain(["other000.jpg".to_owned()])
            .collect();
        let mut known = repo::upload::known_items(&mut read(&db).await, p, &keys)
            .await
            .unwrap();
        known.sort();
        assert_eq!(known.len(), 600);
        assert_eq!(known[599], ("photo599.jpg".to_owned(), 1_000));
        assert!(
            repo::upload::known_items(&mut read(&db).await, p, &[])
                .await
                .unwrap()
                .is_empty()
        );

        let user = build::user(&db, "Ana", Role::Labeler).await;
        assert!(
            repo::upload::project_roles(&mut read(&db).await, user)
                .await
                .unwrap()
                .is_empty()
        );
        build::member(&db, p, user, Role::Manager).await;
        build::member(&db, q, user, Role::Manager).await;
        assert_eq!(
            repo::upload::project_roles(&mut read(&db).await, user)
                .await
                .unwrap(),
            [Role::Manager]
        );
    })
    .await;
}
