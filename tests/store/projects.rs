//! project, member, category, asset, activity, search.

use crate::people::{read, write};
use limn_domain::activity::Activity;
use limn_domain::annotation::{Annotation, Shape, Source};
use limn_domain::project::{ProjectSettings, ProjectStatus, Task};
use limn_domain::{ActivityId, AnnotationId, AssetId, CategoryId, ItemId, ProjectId, Role};
use limn_store::StoreError;
use limn_store::repo::annotation::{self, NewAnnotation};
use limn_store::repo::project::{Change, NewRow, Viewer};
use limn_store::repo::{activity, asset, blob, category, item, member, project, search};
use limn_testkit::build::{self, START};
use limn_testkit::{TestDb, on_both};
use serde_json::json;

const ALL: Viewer = Viewer {
    member: None,
    only: None,
};

fn label(item_id: ItemId, category_id: CategoryId, source: Source) -> NewAnnotation {
    let annotation = Annotation {
        id: AnnotationId::new(),
        category_id,
        shape: Shape::Whole,
        z: 0,
        source,
        score: None,
        attributes: limn_domain::Attributes::new(),
        links: limn_domain::Links::default(),
    };
    NewAnnotation {
        item_id,
        annotation,
        created_by: None,
    }
}

async fn put_labels(db: &TestDb, rows: Vec<NewAnnotation>) {
    write!(db, tx => annotation::insert_many(tx, &rows, START).await).unwrap();
}

#[tokio::test]
async fn projects_are_seen_by_their_members() {
    on_both(async |db| {
        let (ana, bo) = (
            build::user(&db, "Ana", Role::Manager).await,
            build::user(&db, "Bo", Role::Labeler).await,
        );
        let first = build::project(&db, "Straße", Task::Detection).await;
        let second = build::project(&db, "Second", Task::Multilabel).await;
        build::items(&db, first, "a", 3).await;
        build::member(&db, first, bo, Role::Labeler).await;
        assert!(project::exists(&mut read(&db).await, first).await.unwrap());
        assert!(
            !project::exists(&mut read(&db).await, ProjectId::new())
                .await
                .unwrap()
        );
        let by_name = project::id_by_name(&mut read(&db).await, "STRASSE")
            .await
            .unwrap();
        assert_eq!(by_name, None, "lower case, no folding");
        assert_eq!(
            project::id_by_name(&mut read(&db).await, "stra\u{df}E")
                .await
                .unwrap(),
            Some(first)
        );

        let all = project::list(&mut read(&db).await, ALL).await.unwrap();
        assert_eq!(all.len(), 2);
        let it = all.iter().find(|p| p.id == first).unwrap();
        assert_eq!(
            (it.my_role, it.progress.total, it.progress.todo),
            (Role::Admin, 3, 3)
        );
        let mine = project::list(
            &mut read(&db).await,
            Viewer {
                member: Some(bo),
                only: None,
            },
        )
        .await
        .unwrap();
        assert_eq!(
            mine.iter().map(|p| (p.id, p.my_role)).collect::<Vec<_>>(),
            [(first, Role::Labeler)]
        );
        let none = project::list(
            &mut read(&db).await,
            Viewer {
                member: Some(ana),
                only: None,
            },
        )
        .await
        .unwrap();
        assert_eq!(none, []);
        let only = project::list(
            &mut read(&db).await,
            Viewer {
                member: None,
                only: Some(second),
            },
        )
        .await
        .unwrap();
        assert_eq!(only.len(), 1);

        let taken = NewRow {
            id: ProjectId::new(),
            name: "SECOND".into(),
            task: Task::Detection,
            description: String::new(),
            instructions: String::new(),
            settings: ProjectSettings::default(),
            created_by: Some(ana),
        };
        let clash = write!(db, tx => project::insert(tx, &taken, START).await);
        assert!(matches!(clash, Err(StoreError::Unique(_))), "{clash:?}");
        let later = START.plus_seconds(5);
        let settings = ProjectSettings {
            lease_minutes: 3,
            skip_needs_reason: true,
            shuffle: true,
            relations: vec!["holds".to_owned()],
            attributes: Vec::new(),
        };
        let wanted = settings.clone();
        write!(db, tx => {
            let to = Change {
                name: "Renamed",
                description: "d",
                instructions: "i",
                status: ProjectStatus::Paused,
                settings: &wanted,
            };
            project::update(tx, second, &to, later).await
        })
        .unwrap();
        let it = project::get(&mut read(&db).await, second, None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (it.summary.name.as_str(), it.instructions.as_str(), it.settings),
            ("Renamed", "i", settings)
        );
        assert_eq!(
            (it.summary.status, it.summary.updated_at),
            (ProjectStatus::Paused, later)
        );
        assert_eq!(
            project::get(&mut read(&db).await, second, Some(bo))
                .await
                .unwrap(),
            None
        );
        assert_eq!(
            project::list(&mut read(&db).await, ALL).await.unwrap()[0].id,
            second,
            "latest change first"
        );
    })
    .await;
}

#[tokio::test]
async fn export_ids_of_categories_only_rise() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        assert_eq!(
            write!(db, tx => project::lock(tx, p, START).await).unwrap(),
            Some(1)
        );
        write!(db, tx => project::set_next_category_export_id(tx, p, 7).await).unwrap();
        write!(db, tx => project::set_next_category_export_id(tx, p, 3).await).unwrap();
        assert_eq!(
            write!(db, tx => project::lock(tx, p, START).await).unwrap(),
            Some(7)
        );
        assert_eq!(
            write!(db, tx => project::lock(tx, ProjectId::new(), START).await).unwrap(),
            None
        );
    })
    .await;
}

#[tokio::test]
async fn a_project_goes_with_all_that_is_its_own() {
    on_both(async |db| {
        let bo = build::user(&db, "Bo", Role::Labeler).await;
        let (p, other) = (
            build::project(&db, "P", Task::Multilabel).await,
            build::project(&db, "Q", Task::Multilabel).await,
        );
        build::member(&db, p, bo, Role::Viewer).await;
        let items = build::items(&db, p, "a", 7).await;
        let kept = build::items(&db, other, "a", 1).await;
        let categories = build::categories(&db, p, &["cat", "dog"]).await;
        let child = category::NewRow {
            id: CategoryId::new(),
            parent_id: Some(categories[0]),
            name: "kitten".into(),
            color: "#000000".into(),
            hotkey: Some(1),
            position: 0,
            export_id: 3,
            skeleton: Some(limn_domain::Skeleton::coco_person()),
            attributes: Vec::new(),
        };
        let child_id = child.id;
        write!(db, tx => category::insert_many(tx, p, &[child], START).await).unwrap();
        let mut labels: Vec<_> = items
            .iter()
            .map(|i| label(*i, categories[1], Source::Human))
            .collect();
        labels.push(label(items[0], child_id, Source::Prelabel));
        put_labels(&db, labels).await;
        write!(db, tx => project::reorder_queue(tx, p, true).await).unwrap();
        write!(db, tx => project::reorder_queue(tx, p, false).await).unwrap();
        assert_eq!(
            write!(db, tx => project::delete_some_items(tx, p, 4).await).unwrap(),
            4
        );
        assert!(write!(db, tx => project::delete(tx, p).await).unwrap());
        assert!(!write!(db, tx => project::delete(tx, p).await).unwrap());
        assert_eq!(
            item::get(&mut read(&db).await, items[6], START).await.unwrap(),
            None
        );
        assert!(
            item::get(&mut read(&db).await, kept[0], START)
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(category::list(&mut read(&db).await, p).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn members_have_roles() {
    on_both(async |db| {
        let (ana, bo) = (
            build::user(&db, "Ana", Role::Admin).await,
            build::user(&db, "bo", Role::Viewer).await,
        );
        let p = build::project(&db, "P", Task::Detection).await;
        let names = async || {
            let people = member::candidates(&mut read(&db).await, p).await.unwrap();
            people.into_iter().map(|u| u.name).collect::<Vec<_>>()
        };
        assert_eq!(names().await, ["Ana", "bo"]);
        build::member(&db, p, bo, Role::Labeler).await;
        build::member(&db, p, bo, Role::Reviewer).await;
        assert_eq!(names().await, ["Ana"]);
        let listed = member::list(&mut read(&db).await, p).await.unwrap();
        assert_eq!(
            (listed.len(), listed[0].user_id, listed[0].role, listed[0].done),
            (1, bo, Role::Reviewer, 0)
        );
        assert_eq!(
            member::role(&mut read(&db).await, p, bo).await.unwrap(),
            Some(Role::Reviewer)
        );
        assert_eq!(member::role(&mut read(&db).await, p, ana).await.unwrap(), None);
        let nowhere = write!(db, tx => member::put(tx, ProjectId::new(), bo, Role::Viewer, START).await);
        assert!(matches!(nowhere, Err(StoreError::ForeignKey(_))), "{nowhere:?}");
        assert!(write!(db, tx => member::delete(tx, p, bo).await).unwrap());
        assert!(!write!(db, tx => member::delete(tx, p, bo).await).unwrap());
    })
    .await;
}

#[tokio::test]
async fn categories_count_their_labels() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Multilabel).await;
        let mark = category::counts_mark(&mut read(&db).await, p).await.unwrap();
        assert_eq!(mark, (0, 0));
        let ids = build::categories(&db, p, &["cat", "dog", "none"]).await;
        let items = build::items(&db, p, "a", 3).await;
        assert_ne!(
            category::counts_mark(&mut read(&db).await, p).await.unwrap(),
            mark
        );
        put_labels(
            &db,
            vec![
                label(items[0], ids[0], Source::Human),
                label(items[0], ids[0], Source::Import),
                label(items[1], ids[0], Source::Human),
                label(items[2], ids[0], Source::Prelabel),
                label(items[2], ids[1], Source::Prelabel),
            ],
        )
        .await;
        let counts = category::counts(&mut read(&db).await, p).await.unwrap();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(ids[0], (3, 2))]);
        assert_eq!(
            category::impact(&mut read(&db).await, &ids).await.unwrap(),
            (5, 3)
        );
        assert_eq!(category::impact(&mut read(&db).await, &[]).await.unwrap(), (0, 0));
        assert_eq!(
            category::project_of(&mut read(&db).await, ids[0]).await.unwrap(),
            Some(p)
        );
        assert_eq!(
            category::project_of(&mut read(&db).await, CategoryId::new())
                .await
                .unwrap(),
            None
        );

        let mut changed = category::list(&mut read(&db).await, p).await.unwrap();
        assert_eq!(
            changed.iter().map(|c| (c.id, c.export_id)).collect::<Vec<_>>(),
            [(ids[0], 1), (ids[1], 2), (ids[2], 3)]
        );
        let mut dog = changed.remove(1);
        (dog.name, dog.hotkey, dog.parent_id, dog.position) = ("Dog".into(), Some(4), Some(ids[0]), 9);
        let row = dog.clone();
        write!(db, tx => category::update(tx, &row).await).unwrap();
        assert_eq!(
            category::list(&mut read(&db).await, p).await.unwrap()[2],
            dog,
            "by position"
        );
        write!(db, tx => category::free_hotkey(tx, p, 4).await).unwrap();
        assert_eq!(
            category::list(&mut read(&db).await, p).await.unwrap()[2].hotkey,
            None
        );

        let (cat, none) = (ids[0], ids[2]);
        let held = write!(db, tx => category::delete(tx, cat).await);
        assert!(matches!(held, Err(StoreError::ForeignKey(_))), "{held:?}");
        let known = async |id| {
            category::export_id_known(&mut read(&db).await, p, id)
                .await
                .unwrap()
        };
        assert!(known(3).await);
        write!(db, tx => {
            category::lock_for_removal(tx, &[none]).await?;
            category::delete(tx, none).await
        })
        .unwrap();
        assert!(known(3).await, "it is never given again");
        assert!(!known(4).await);
        let reused = category::NewRow {
            id: CategoryId::new(),
            parent_id: None,
            name: "x".into(),
            color: "#000000".into(),
            hotkey: None,
            position: 0,
            export_id: 2,
            skeleton: None,
            attributes: Vec::new(),
        };
        let clash = write!(db, tx => category::insert_many(tx, p, &[reused], START).await);
        assert!(matches!(clash, Err(StoreError::Unique(_))), "{clash:?}");
    })
    .await;
}

#[tokio::test]
async fn assets_hold_their_blob() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let row = asset::Asset {
            id: AssetId::new(),
            project_id: p,
            name: "good.png".into(),
            digest: build::digest("png"),
            media_type: "image/png".into(),
        };
        let put = row.clone();
        write!(db, tx => {
            blob::put(tx, &put.digest, 3, "image/png", START).await?;
            asset::insert(tx, &put, START).await
        })
        .unwrap();
        assert_eq!(asset::get(&mut read(&db).await, row.id).await.unwrap(), Some(row));
        assert_eq!(
            asset::get(&mut read(&db).await, AssetId::new()).await.unwrap(),
            None
        );
        assert_eq!(asset::count(&mut read(&db).await, p).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_is_paged_and_scoped() {
    on_both(async |db| {
        let (ana, bo) = (
            build::user(&db, "Ana", Role::Admin).await,
            build::user(&db, "Bo", Role::Viewer).await,
        );
        let p = build::project(&db, "P", Task::Detection).await;
        build::member(&db, p, bo, Role::Viewer).await;
        for n in 0..6 {
            let line = Activity {
                id: ActivityId::new(),
                // Pairs at the same time: the id breaks the tie.
                at: START.plus_seconds(n / 2),
                actor_id: Some(if n == 0 { bo } else { ana }),
                actor_name: "Ana".into(),
                project_id: (n % 2 == 1).then_some(p),
                verb: "test.line".into(),
                summary: format!("did {n}"),
            };
            write!(db, tx => activity::insert(tx, &line, &json!({"n": 1})).await).unwrap();
        }
        let list = async |scope, before, limit| {
            activity::list(&mut read(&db).await, scope, before, limit)
                .await
                .unwrap()
        };
        let words = |lines: &[Activity]| lines.iter().map(|l| l.summary.clone()).collect::<Vec<_>>();
        let first = list(activity::Scope::Everything, None, 3).await;
        assert_eq!(words(&first), ["did 5", "did 4", "did 3"]);
        let rest = list(activity::Scope::Everything, Some((first[2].at, first[2].id)), 9).await;
        assert_eq!(words(&rest), ["did 2", "did 1", "did 0"]);
        assert_eq!(
            words(&list(activity::Scope::Project(p), None, 9).await),
            ["did 5", "did 3", "did 1"]
        );
        assert_eq!(
            words(&list(activity::Scope::SeenBy(bo), None, 9).await),
            ["did 5", "did 3", "did 1", "did 0"]
        );
    })
    .await;
}

#[tokio::test]
async fn search_takes_wildcards_literally() {
    on_both(async |db| {
        let bo = build::user(&db, "Bo", Role::Viewer).await;
        let mut ids = Vec::new();
        for name in ["Cars 100%", "Cars 100x", "Old cars", "cars"] {
            ids.push(build::project(&db, name, Task::Detection).await);
        }
        build::member(&db, ids[2], bo, Role::Viewer).await;
        build::items(&db, ids[2], "street_", 2).await;
        build::items(&db, ids[0], "streetX", 2).await;
        let projects = async |viewer, text: &str| {
            let found = search::projects(&mut read(&db).await, viewer, text, 10)
                .await
                .unwrap();
            found.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(projects(ALL, "100%").await, ["Cars 100%"]);
        let cars = projects(ALL, "CARS").await;
        assert_eq!(
            (cars.len(), cars[0].as_str(), cars[3].as_str()),
            (4, "cars", "Old cars"),
            "best first"
        );
        assert_eq!(projects(ALL, "!").await, Vec::<String>::new());
        let own = Viewer {
            member: Some(bo),
            only: None,
        };
        assert_eq!(projects(own, "cars").await, ["Old cars"]);
        assert_eq!(
            projects(
                Viewer {
                    only: Some(ids[0]),
                    ..own
                },
                "cars"
            )
            .await,
            Vec::<String>::new()
        );
        let items = async |viewer, text: &str| {
            let found = search::items(&mut read(&db).await, viewer, text, 10)
                .await
                .unwrap();
            found
                .into_iter()
                .map(|i| (i.name, i.project_name))
                .collect::<Vec<_>>()
        };
        assert_eq!(items(ALL, "street_").await.len(), 2, "the underscore is one");
        assert_eq!(items(ALL, "street").await.len(), 4);
        assert_eq!(
            items(own, "STREET").await[0],
            ("street_000.jpg".to_owned(), "Old cars".to_owned())
        );
    })
    .await;
}
