//! dataset, dataset_version, version_object and lineage rows.

use limn_domain::dataset::{LineageEdge, LineageNode};
use limn_domain::{Role, Timestamp, UserId};
use limn_store::repo::dataset::ListFilter;
use limn_store::repo::object::{self, NewObject, ObjectId};
use limn_store::repo::version::Which;
use limn_store::{StoreError, repo};
use limn_testkit::build::{self, START};
use limn_testkit::{TestDb, on_both};

const fn id(n: u8) -> ObjectId {
    [n; 32]
}

async fn put(db: &TestDb, n: u8, at: Timestamp) {
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let digest = id(n);
            let one = NewObject {
                digest: &digest,
                bytes: &[n],
            };
            object::put(tx, &[one, one], at).await
        })
    })
    .await
    .unwrap();
}

async fn link(db: &TestDb, parent: u8, child: u8) -> Result<(), StoreError> {
    db.write(move |tx| Box::pin(async move { object::link(tx, &[(id(parent), id(child))]).await }))
        .await
}

async fn sweep(db: &TestDb, before: Timestamp) -> u64 {
    let mut gone = 0;
    loop {
        let n = db
            .write::<_, StoreError, _>(move |tx| Box::pin(async move { object::sweep(tx, before, 2).await }))
            .await
            .unwrap();
        gone += n;
        if n == 0 {
            return gone;
        }
    }
}

async fn there(db: &TestDb) -> Vec<u8> {
    let mut tx = db.read().await.unwrap();
    let all: Vec<ObjectId> = (0..=20).map(id).collect();
    let mut found: Vec<u8> = object::get(&mut tx, &all)
        .await
        .unwrap()
        .into_iter()
        .map(|(digest, bytes)| {
            assert_eq!(digest[0], bytes[0]);
            bytes[0]
        })
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn objects_go_from_the_top_once_nothing_names_them() {
    on_both(async |db| {
        for n in 1..=6 {
            put(&db, n, START).await;
        }
        // 1 names 2 and 3, both name 4; 5 names 4 too.
        for (parent, child) in [(1, 2), (1, 3), (2, 4), (3, 4), (5, 4)] {
            link(&db, parent, child).await.unwrap();
            link(&db, parent, child).await.unwrap();
        }
        assert!(matches!(link(&db, 1, 9).await, Err(StoreError::ForeignKey(_))));
        // 5 is young: what it names stays.
        put(&db, 5, START.plus_seconds(100)).await;
        assert_eq!(sweep(&db, START).await, 0);
        assert_eq!(sweep(&db, START.plus_seconds(1)).await, 4);
        assert_eq!(there(&db).await, [4, 5]);
        let mut tx = db.read().await.unwrap();
        assert_eq!(object::children(&mut tx, &[id(5)]).await.unwrap(), [id(4)]);
        assert_eq!(
            object::parents(&mut tx, &[id(4)]).await.unwrap(),
            [(id(5), id(4))]
        );
        assert_eq!(object::sizes(&mut tx, &[id(4), id(5), id(9)]).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_version_holds_its_objects_and_files() {
    on_both(async |db| {
        let ana = build::user(&db, "Ana", Role::Manager).await;
        let dataset = build::dataset(&db, "Street", ana).await;
        let blob = build::digest("picture");
        let row = blob.clone();
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::blob::put(tx, &row, 7, "image/png", START).await })
        })
        .await
        .unwrap();
        let version = build::version(&db, dataset, "a.png", &blob).await;
        let later = START.plus_seconds(1_000);
        assert_eq!(sweep(&db, later).await, 0);
        let unused = async || {
            let mut tx = db.read().await.unwrap();
            repo::blob::unused(&mut tx, later, None, 10).await.unwrap()
        };
        assert!(unused().await.is_empty(), "a version names it");
        let mut tx = db.read().await.unwrap();
        let found = repo::version::list(&mut tx, dataset, Which::Latest)
            .await
            .unwrap()
            .pop()
            .unwrap();
        assert_eq!((found.id, found.number), (version, 1));
        assert_eq!(found.aliases, ["latest"]);
        let digest = limn_versions_digest(&found.digest);
        for which in [
            Which::All,
            Which::Id(version),
            Which::Number(1),
            Which::Digest(&digest),
        ] {
            assert_eq!(
                repo::version::list(&mut tx, dataset, which).await.unwrap(),
                std::slice::from_ref(&found)
            );
        }
        for none in [Which::Number(2), Which::Alias("x"), Which::Digest(&id(9))] {
            assert!(
                repo::version::list(&mut tx, dataset, none)
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
        let own = object::children(&mut tx, &[digest]).await.unwrap();
        assert_eq!(
            object::own_blobs(&mut tx, &own).await.unwrap(),
            [(blob.clone(), 7)]
        );
        drop(tx);
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::version::delete(tx, version).await.map(|_| ()) })
        })
        .await
        .unwrap();
        assert_eq!(sweep(&db, later).await, 2);
        assert_eq!(unused().await, [blob]);
    })
    .await;
}

fn limn_versions_digest(digest: &limn_domain::Digest) -> ObjectId {
    let mut bytes = [0; 32];
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digest.as_str()[2 * n..2 * n + 2], 16).unwrap();
    }
    bytes
}

async fn names(db: &TestDb, member: Option<UserId>, text: Option<&str>, tag: Option<&str>) -> Vec<String> {
    let filter = ListFilter {
        member,
        text,
        tag,
        limit: 10,
        ..ListFilter::default()
    };
    let mut names: Vec<String> = repo::dataset::list(&mut db.read().await.unwrap(), &filter)
        .await
        .unwrap()
        .into_iter()
        .map(|d| d.name)
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn lists_show_members_their_own_and_what_all_may_read() {
    on_both(async |db| {
        let ana = build::user(&db, "Ana", Role::Manager).await;
        let ben = build::user(&db, "Ben", Role::Viewer).await;
        let street = build::dataset(&db, "Street 100%", ana).await;
        build::dataset(&db, "Forest", ana).await;
        build::dataset_member(&db, street, ben, Role::Viewer).await;
        assert_eq!(names(&db, None, None, None).await, ["Forest", "Street 100%"]);
        assert_eq!(names(&db, Some(ben), None, None).await, ["Street 100%"]);
        assert_eq!(names(&db, Some(ana), Some("0%"), None).await, ["Street 100%"]);
        assert!(names(&db, Some(ana), Some("_"), None).await.is_empty());
        let mut forest = repo::dataset::get(
            &mut db.read().await.unwrap(),
            repo::dataset::id_by_name(&mut db.read().await.unwrap(), "FOREST")
                .await
                .unwrap()
                .unwrap(),
            None,
        )
        .await
        .unwrap()
        .unwrap();
        forest.tags = vec!["night".into(), "a\"b".into()];
        forest.visibility = limn_domain::dataset::Visibility::Studio;
        let row = forest.clone();
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::dataset::update(tx, &row, START).await })
        })
        .await
        .unwrap();
        assert_eq!(names(&db, Some(ben), None, Some("night")).await, ["Forest"]);
        assert_eq!(names(&db, Some(ben), None, Some("a\"b")).await, ["Forest"]);
        assert!(
            names(&db, Some(ben), None, Some("nigh")).await.is_empty(),
            "tags are whole words"
        );
        let mut tx = db.read().await.unwrap();
        let access = repo::dataset::access(&mut tx, forest.id, ben)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(access, (None, limn_domain::dataset::Visibility::Studio));
        assert_eq!(repo::dataset::candidates(&mut tx, street).await.unwrap().len(), 0);
        drop(tx);
        let taken = repo::dataset::NewRow {
            id: limn_domain::DatasetId::new(),
            name: "forest".into(),
            kind: limn_domain::dataset::DatasetKind::Files,
            description: String::new(),
            tags: Vec::new(),
            licence: String::new(),
            visibility: limn_domain::dataset::Visibility::Private,
            created_by: None,
        };
        let twice: Result<(), StoreError> = db
            .write(move |tx| Box::pin(async move { repo::dataset::insert(tx, &taken, START).await }))
            .await;
        assert!(matches!(twice, Err(StoreError::Unique(_))));
    })
    .await;
}

#[tokio::test]
async fn lineage_outlives_both_ends() {
    on_both(async |db| {
        let ana = build::user(&db, "Ana", Role::Manager).await;
        let dataset = build::dataset(&db, "Street", ana).await;
        let project = build::project(&db, "Labeling", limn_domain::project::Task::Detection).await;
        let blob = build::digest("picture");
        let row = blob.clone();
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::blob::put(tx, &row, 7, "image/png", START).await })
        })
        .await
        .unwrap();
        let version = build::version(&db, dataset, "a.png", &blob).await;
        let edge = LineageEdge {
            from: LineageNode::Project {
                project_id: Some(project),
                name: "Labeling".into(),
            },
            to: LineageNode::Version {
                dataset_id: Some(dataset),
                version_id: Some(version),
                name: "Street v1".into(),
            },
            how: "Its done items".into(),
            by_name: "Ana".into(),
            at: START,
        };
        let row = edge.clone();
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::lineage::insert(tx, &row).await })
        })
        .await
        .unwrap();
        let mut tx = db.read().await.unwrap();
        assert_eq!(
            repo::lineage::of_dataset(&mut tx, dataset, 10).await.unwrap(),
            std::slice::from_ref(&edge)
        );
        assert_eq!(
            repo::lineage::of_project(&mut tx, project, 10).await.unwrap(),
            std::slice::from_ref(&edge)
        );
        drop(tx);
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::project::delete(tx, project).await.map(|_| ()) })
        })
        .await
        .unwrap();
        let mut tx = db.read().await.unwrap();
        let left = repo::lineage::of_dataset(&mut tx, dataset, 10)
            .await
            .unwrap()
            .pop()
            .unwrap();
        assert_eq!(
            left.from,
            LineageNode::Project {
                project_id: None,
                name: "Labeling".into()
            }
        );
    })
    .await;
}
