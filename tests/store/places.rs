//! blob_place and dataset_file rows: what lies elsewhere, and what registrations have read.

use limn_domain::datastore::DatastoreKind;
use limn_domain::{DatasetId, DatastoreId, Digest, JobId, Role, Timestamp};
use limn_jobs::NewJob;
use limn_store::repo::blob::NewBlob;
use limn_store::repo::dataset_file::{self, ReadFile};
use limn_store::repo::place::{self, NewPlace};
use limn_store::{StoreError, on_tx, repo};
use limn_testkit::build::{self, START};
use limn_testkit::{TestDb, on_both};
use std::collections::BTreeMap;

const DAY: i64 = 24 * 3_600;

async fn datastore(db: &TestDb, name: &str) -> DatastoreId {
    let row = repo::datastore::NewRow {
        id: DatastoreId::new(),
        name: name.to_owned(),
        kind: DatastoreKind::S3,
        description: String::new(),
        settings: BTreeMap::new(),
        secret_keys: Vec::new(),
        sealed: Vec::new(),
        created_by: None,
    };
    let id = row.id;
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::datastore::insert(tx, &row, START).await })
    })
    .await
    .unwrap();
    id
}

/// Notes a blob of ten bytes, and where it lies.
async fn left(db: &TestDb, digest: &Digest, store: DatastoreId, path: &str) {
    let place = NewPlace {
        digest: digest.clone(),
        datastore_id: store,
        path: path.to_owned(),
        tag: "e1".to_owned(),
    };
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let blob = NewBlob {
                digest: &place.digest,
                byte_size: 10,
                media_type: "image/png",
            };
            repo::blob::note_many(tx, &[(blob, false)], START).await?;
            place::put_many(tx, &[place.clone(), place], START).await
        })
    })
    .await
    .unwrap();
}

async fn job(db: &TestDb) -> JobId {
    let new = NewJob {
        kind: "version",
        title: "Register".to_owned(),
        project_id: None,
        created_by: None,
        payload: serde_json::json!({}),
        dedup_key: None,
        priority: 0,
        max_attempts: 1,
    };
    db.write::<_, StoreError, _>(move |tx| Box::pin(async move { limn_jobs::enqueue(tx, new, START).await }))
        .await
        .unwrap()
}

async fn read(db: &TestDb, at: (DatasetId, DatastoreId), job: JobId, digest: &Digest, tag: &str) {
    let file = ReadFile {
        path: "a.png".to_owned(),
        byte_size: 10,
        tag: tag.to_owned(),
        digest: digest.clone(),
        media_type: "image/png".to_owned(),
        width: 3,
        height: 4,
        orientation: 1,
        length: 0,
    };
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { dataset_file::note(tx, at, job, &[file.clone(), file], START).await })
    })
    .await
    .unwrap();
}

async fn unused(db: &TestDb, before: Timestamp) -> Vec<Digest> {
    let mut tx = db.read().await.unwrap();
    repo::blob::unused(&mut tx, before, None, 10).await.unwrap()
}

#[tokio::test]
async fn what_lies_elsewhere_frees_nothing_and_holds_its_datastore() {
    on_both(async |db| {
        let ana = build::user(&db, "Ana", Role::Manager).await;
        let dataset = build::dataset(&db, "Street", ana).await;
        let store = datastore(&db, "Bucket").await;
        let blob = build::digest("picture");
        left(&db, &blob, store, "street/a.png").await;
        let version = build::version(&db, dataset, "a.png", &blob).await;
        let mut tx = db.read().await.unwrap();
        let root = repo::version::get(&mut tx, version)
            .await
            .unwrap()
            .unwrap()
            .digest;
        let root: [u8; 32] =
            std::array::from_fn(|n| u8::from_str_radix(&root.as_str()[2 * n..2 * n + 2], 16).unwrap());
        let found = place::of_version(&mut tx, &root).await.unwrap();
        assert_eq!(
            found
                .iter()
                .map(|p| (p.datastore_id, p.name.as_str(), p.files, p.bytes))
                .collect::<Vec<_>>(),
            [(store, "Bucket", 1, 10)]
        );
        let lies = place::of(&mut tx, std::slice::from_ref(&blob)).await.unwrap();
        assert_eq!(
            (
                lies.len(),
                lies[0].path.as_str(),
                lies[0].tag.as_str(),
                lies[0].byte_size
            ),
            (1, "street/a.png", "e1", 10)
        );
        let own = repo::object::children(&mut tx, &[root]).await.unwrap();
        assert!(repo::object::own_blobs(&mut tx, &own).await.unwrap().is_empty());
        assert_eq!(place::in_use(&mut tx, store).await.unwrap(), (1, 10));
        drop(tx);
        let deleted = db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::datastore::delete(tx, store).await })
            })
            .await;
        assert!(matches!(deleted, Err(StoreError::ForeignKey(_))), "{deleted:?}");
        // Its bytes come in, and being mentioned again does not send them away.
        let row = blob.clone();
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                repo::blob::put(tx, &row, 10, "image/png", START).await?;
                let again = NewBlob {
                    digest: &row,
                    byte_size: 10,
                    media_type: "image/png",
                };
                repo::blob::note_many(tx, &[(again, false)], START).await?;
                assert_eq!(place::in_use(tx, store).await?, (0, 0));
                assert!(place::of_version(tx, &root).await?.is_empty());
                place::forget_needless(tx, store).await?;
                repo::datastore::delete(tx, store).await.map(drop)
            })
        })
        .await
        .unwrap();
        let mut tx = db.read().await.unwrap();
        assert_eq!(
            repo::object::own_blobs(&mut tx, &own).await.unwrap(),
            [(blob.clone(), 10)]
        );
        assert!(place::of(&mut tx, &[blob]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_a_stopped_registration_has_read_is_kept_for_three_days() {
    on_both(async |db| {
        let ana = build::user(&db, "Ana", Role::Manager).await;
        let dataset = build::dataset(&db, "Street", ana).await;
        let store = datastore(&db, "Bucket").await;
        let (old, new) = (build::digest("old"), build::digest("new"));
        left(&db, &old, store, "a.png").await;
        left(&db, &new, store, "a.png").await;
        let job = job(&db).await;
        read(&db, (dataset, store), job, &old, "1").await;
        read(&db, (dataset, store), job, &new, "2").await;
        let paths = ["a.png".to_owned(), "b.png".to_owned()];
        let mut tx = db.read().await.unwrap();
        let known = dataset_file::known(&mut tx, dataset, store, &paths)
            .await
            .unwrap();
        drop(tx);
        assert_eq!(
            (known.len(), &known[0].digest, known[0].tag.as_str()),
            (1, &new, "2")
        );
        assert_eq!(
            (
                known[0].content_size,
                known[0].is_here,
                known[0].place_tag.as_deref()
            ),
            (10, false, Some("e1"))
        );
        let soon = START.plus_seconds(DAY);
        assert_eq!(unused(&db, soon).await, std::slice::from_ref(&old));
        assert_eq!(unused(&db, START.plus_seconds(4 * DAY)).await.len(), 2);
        // Once it is through, versions alone count.
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                on_tx!(tx, conn => {
                    sqlx::query("UPDATE job SET state = 'succeeded'").execute(conn).await?;
                });
                Ok(())
            })
        })
        .await
        .unwrap();
        assert_eq!(unused(&db, soon).await.len(), 2);
        // What is forgotten is not known any more.
        let digest = new.clone();
        let gone = db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::blob::delete_unused(tx, &digest, soon).await })
            })
            .await;
        assert!(gone.unwrap());
        let mut tx = db.read().await.unwrap();
        assert!(
            dataset_file::known(&mut tx, dataset, store, &paths)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(place::of(&mut tx, &[new]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_noted_both_ways_at_once_is_here_and_all_that_are_asked_for_are_known() {
    on_both(async |db| {
        let store = datastore(&db, "Bucket").await;
        let (twice, other) = (build::digest("twice"), build::digest("other"));
        let named = [twice.clone(), other.clone()];
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let [twice, other] = named.each_ref().map(|digest| NewBlob {
                    digest,
                    byte_size: 10,
                    media_type: "image/png",
                });
                // Two files of a registration may have one content, which came into the store between them.
                repo::blob::note_many(tx, &[(twice, false), (other, false), (twice, true)], START).await?;
                let places = named.clone().map(|digest| NewPlace {
                    digest,
                    datastore_id: store,
                    path: "a.png".to_owned(),
                    tag: "e1".to_owned(),
                });
                place::put_many(tx, &places, START).await?;
                assert_eq!(place::in_use(tx, store).await?, (1, 10));
                repo::blob::note_many(tx, &[(twice, false)], START).await?;
                assert_eq!(place::in_use(tx, store).await?, (1, 10));
                Ok(())
            })
        })
        .await
        .unwrap();
        let mut tx = db.read().await.unwrap();
        let lost = build::digest("lost");
        for (asked, known) in [
            (vec![&twice, &other, &twice], true),
            (vec![&twice, &lost], false),
            (vec![], true),
        ] {
            assert_eq!(repo::blob::are_known(&mut tx, &asked).await.unwrap(), known);
        }
    })
    .await;
}
