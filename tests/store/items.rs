//! item and annotation: inserting, listing, acting on many, exporting, saving; the counters after each.

use crate::people::{read, write};
use limn_domain::annotation::{Annotation, Shape, Source};
use limn_domain::item::{ItemSort, ItemStatus};
use limn_domain::project::{Progress, ProjectSettings, Task};
use limn_domain::{AnnotationId, CategoryId, ItemId, ProjectId, Rect, Role, UserId};
use limn_store::StoreError;
use limn_store::repo::annotation::{self, NewAnnotation};
use limn_store::repo::item::bulk::{self, Stamp};
use limn_store::repo::item::counter::{self, Tally};
use limn_store::repo::item::{self, Filter, Inserted, Key, NewItem};
use limn_store::repo::{blob, project, queue};
use limn_testkit::build::{self, START};
use limn_testkit::{TestDb, on_both};
use std::collections::BTreeSet;

fn new_item(name: &str) -> NewItem {
    NewItem {
        id: ItemId::new(),
        name: name.to_owned(),
        digest: build::digest(name),
        media_type: "image/jpeg".to_owned(),
        byte_size: 10,
        width: 640,
        height: 480,
        orientation: 6,
        length: 0,
        excerpt: String::new(),
    }
}

async fn insert(db: &TestDb, project: ProjectId, rows: Vec<NewItem>) -> Result<Vec<Inserted>, StoreError> {
    write!(db, tx => {
        for row in &rows {
            blob::put(tx, &row.digest, row.byte_size, &row.media_type, START).await?;
        }
        item::insert_many(tx, project, &rows, START).await
    })
}

pub(crate) fn boxed(category_id: CategoryId, x: f64, z: i64, source: Source) -> Annotation {
    let shape = Shape::Box {
        rect: Rect::new(x, 0.1 + 0.2, 1.0 / 3.0, 20.0),
    };
    Annotation {
        id: AnnotationId::new(),
        category_id,
        shape,
        z,
        source,
        score: None,
        attributes: limn_domain::Attributes::new(),
        links: limn_domain::Links::default(),
    }
}

pub(crate) fn whole(category_id: CategoryId, source: Source) -> Annotation {
    Annotation {
        id: AnnotationId::new(),
        category_id,
        shape: Shape::Whole,
        z: 0,
        source,
        score: None,
        attributes: limn_domain::Attributes::new(),
        links: limn_domain::Links::default(),
    }
}

pub(crate) async fn put(
    db: &TestDb,
    project: ProjectId,
    item_id: ItemId,
    labels: Vec<Annotation>,
    done: bool,
) {
    write!(db, tx => {
        let rows: Vec<_> = labels
            .into_iter()
            .map(|annotation| NewAnnotation { item_id, annotation, created_by: None })
            .collect();
        annotation::insert_many(tx, &rows, START).await?;
        bulk::settle(tx, project, &[item_id], done, Stamp { by: None, now: START }).await
    })
    .unwrap();
}

/// What the counters say, which must be what the items say.
pub(crate) async fn progress(db: &TestDb, project: ProjectId) -> Progress {
    let mut tx = read(db).await;
    let kept = counter::progress(&mut tx, project).await.unwrap();
    assert_eq!(kept, counter::recount(&mut tx, project).await.unwrap());
    kept
}

#[tokio::test]
async fn items_get_export_ids_without_gaps_and_names_once() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let first = insert(
            &db,
            p,
            vec![new_item("a/1.jpg"), new_item("a/2.jpg"), new_item("A/1.JPG")],
        )
        .await
        .unwrap();
        assert!(matches!(first[0], Inserted::Added { export_id: 1, .. }));
        assert!(matches!(first[1], Inserted::Added { export_id: 2, .. }));
        let Inserted::Added { id, .. } = first[0] else {
            panic!()
        };
        assert_eq!(
            first[2],
            Inserted::Exists {
                id,
                digest: build::digest("a/1.jpg")
            }
        );
        let more = insert(&db, p, vec![new_item("a/2.jpg"), new_item("ÄÖ.png")])
            .await
            .unwrap();
        assert!(matches!(more[0], Inserted::Exists { .. }));
        assert!(matches!(more[1], Inserted::Added { export_id: 3, .. }));
        assert_eq!(
            progress(&db, p).await,
            Progress {
                total: 3,
                todo: 3,
                ..Progress::default()
            }
        );

        let mut tx = read(&db).await;
        let found = item::find_by_name(&mut tx, p, "äö.PNG").await.unwrap().unwrap();
        assert_eq!(
            (found.name.as_str(), found.export_id, found.width),
            ("ÄÖ.png", 3, 640)
        );
        assert_eq!(
            item::get(&mut tx, found.id, START).await.unwrap(),
            Some(found.clone())
        );
        assert_eq!(item::project_of(&mut tx, found.id).await.unwrap(), Some(p));
        assert_eq!(item::project_of(&mut tx, ItemId::new()).await.unwrap(), None);
        assert_eq!(item::get(&mut tx, ItemId::new(), START).await.unwrap(), None);
        drop(tx);

        let one = new_item("x.jpg");
        let digest = one.digest.clone();
        let added = write!(db, tx => {
            blob::put(tx, &digest, 1, "image/jpeg", START).await?;
            item::insert(tx, p, &one, START).await
        });
        assert_eq!(added.unwrap().unwrap().export_id, 4);
        let again = new_item("X.jpg");
        assert_eq!(
            write!(db, tx => item::insert(tx, p, &again, START).await).unwrap(),
            None
        );
        let lost = new_item("y.jpg");
        let no_project = write!(db, tx => item::insert(tx, ProjectId::new(), &lost, START).await);
        assert!(
            matches!(no_project, Err(StoreError::ForeignKey(_))),
            "{no_project:?}"
        );
        let no_blob = new_item("never stored.jpg");
        let no_blob = write!(db, tx => item::insert(tx, p, &no_blob, START).await);
        assert!(matches!(no_blob, Err(StoreError::ForeignKey(_))), "{no_blob:?}");
        assert_eq!(progress(&db, p).await.total, 4);
    })
    .await;
}

#[tokio::test]
async fn items_added_at_once_do_not_share_ids() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..40 {
            let db = db.clone();
            tasks.spawn(async move {
                insert(&db, p, vec![new_item(&format!("{n}.jpg")), new_item("same.jpg")])
                    .await
                    .unwrap()
            });
        }
        let mut ids = BTreeSet::new();
        while let Some(done) = tasks.join_next().await {
            for inserted in done.unwrap() {
                if let Inserted::Added { export_id, .. } = inserted {
                    assert!(ids.insert(export_id));
                }
            }
        }
        assert_eq!(ids, (1..=41).collect());
        assert_eq!(progress(&db, p).await.todo, 41);
    })
    .await;
}

#[tokio::test]
async fn a_shuffled_project_hands_out_in_another_order() {
    on_both(async |db| {
        let row = project::NewRow {
            id: ProjectId::new(),
            name: "P".into(),
            task: Task::Detection,
            description: String::new(),
            instructions: String::new(),
            settings: ProjectSettings {
                shuffle: true,
                ..ProjectSettings::default()
            },
            created_by: None,
        };
        let p = row.id;
        write!(db, tx => project::insert(tx, &row, START).await).unwrap();
        let ana = build::user(&db, "Ana", Role::Labeler).await;
        build::items(&db, p, "i", 40).await;
        let taken = write!(db, tx => queue::take(tx, p, ana, 40, false, START, START.plus_seconds(60)).await)
            .unwrap();
        let order: Vec<i64> = taken.iter().map(|h| h.item.export_id).collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (1..=40).collect::<Vec<_>>());
        assert_ne!(order, sorted, "40! to 1");
    })
    .await;
}

#[tokio::test]
async fn lists_filter_sort_and_page() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let c = build::categories(&db, p, &["a", "b"]).await;
        let ids = build::items(&db, p, "Dir_%/", 25).await;
        for (n, id) in ids.iter().enumerate() {
            let labels: Vec<_> = (0..n % 4)
                .map(|k| boxed(c[0], k as f64, 0, Source::Human))
                .collect();
            put(&db, p, *id, labels, n % 3 == 0).await;
        }
        put(&db, p, ids[7], vec![boxed(c[1], 1.0, 0, Source::Prelabel)], false).await;

        for sort in [
            ItemSort::Added,
            ItemSort::Name,
            ItemSort::Updated,
            ItemSort::Annotations,
        ] {
            for filter in [
                Filter::all(p),
                Filter {
                    status: Some(ItemStatus::Todo),
                    ..Filter::all(p)
                },
            ] {
                let (mut after, mut seen) = (None, Vec::new());
                loop {
                    let mut tx = read(&db).await;
                    let rows = item::page(&mut tx, &filter, sort, after.as_ref(), 4, START)
                        .await
                        .unwrap();
                    let Some(last) = rows.last() else { break };
                    after = Some(Key::of(sort, last));
                    seen.extend(rows);
                }
                let count = item::count(&mut read(&db).await, &filter).await.unwrap();
                assert_eq!(seen.len() as i64, count, "{sort:?}");
                assert_eq!(
                    seen.iter().map(|i| i.id).collect::<BTreeSet<_>>().len(),
                    seen.len()
                );
                if sort == ItemSort::Annotations {
                    assert!(seen.is_sorted_by(|a, b| a.annotation_count >= b.annotation_count));
                }
                if sort == ItemSort::Name {
                    assert!(seen.is_sorted_by(|a, b| a.name < b.name));
                }
            }
        }
        let text = async |t: &str| {
            let filter = Filter {
                text: Some(t.to_owned()),
                ..Filter::all(p)
            };
            item::count(&mut read(&db).await, &filter).await.unwrap()
        };
        assert_eq!(text("dir_%/00").await, 10);
        assert_eq!(text("r_%").await, 25, "wildcards are letters");
        assert_eq!(
            (
                text("r__").await,
                text("%00").await,
                text("\\").await,
                text("'").await
            ),
            (0, 0, 0, 0)
        );
        let of_b = Filter {
            category: Some(c[1]),
            ..Filter::all(p)
        };
        let rows = item::page(&mut read(&db).await, &of_b, ItemSort::Added, None, 9, START)
            .await
            .unwrap();
        assert_eq!(rows.iter().map(|i| i.id).collect::<Vec<_>>(), [ids[7]]);
        let nobody = Filter {
            annotator: Some(UserId::new()),
            ..Filter::all(p)
        };
        assert_eq!(item::count(&mut read(&db).await, &nobody).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_category_with_many_labels_filters_the_same() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let c = build::categories(&db, p, &["a", "b"]).await;
        let ids = build::items(&db, p, "i", 3).await;
        put(
            &db,
            p,
            ids[0],
            (0..5_001)
                .map(|n| boxed(c[0], f64::from(n), 0, Source::Human))
                .collect(),
            true,
        )
        .await;
        put(&db, p, ids[2], vec![boxed(c[0], 0.0, 0, Source::Prelabel)], false).await;
        let filter = Filter {
            category: Some(c[0]),
            ..Filter::all(p)
        };
        let rows = item::page(&mut read(&db).await, &filter, ItemSort::Name, None, 9, START)
            .await
            .unwrap();
        assert_eq!(rows.iter().map(|i| i.id).collect::<Vec<_>>(), [ids[0], ids[2]]);
        assert_eq!(item::count(&mut read(&db).await, &filter).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn exports_read_labels_in_order_and_exactly() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let c = build::categories(&db, p, &["a"]).await;
        let ids = build::items(&db, p, "i", 7).await;
        let (low, high) = (
            boxed(c[0], 0.1, -3, Source::Human),
            boxed(c[0], f64::MIN_POSITIVE, 8, Source::Import),
        );
        put(
            &db,
            p,
            ids[1],
            vec![high.clone(), low.clone(), boxed(c[0], 1.0, 0, Source::Prelabel)],
            true,
        )
        .await;
        put(&db, p, ids[5], vec![low.clone()], false).await;
        let all = async |only_done: bool| {
            let (mut after, mut items) = (0, Vec::new());
            loop {
                let mut tx = read(&db).await;
                let page = item::export_page(&mut tx, p, after, 3, only_done).await.unwrap();
                let Some(last) = page.last() else { return items };
                after = last.export_id;
                items.extend(page);
            }
        };
        let items = all(false).await;
        assert_eq!(
            items.iter().map(|i| i.export_id).collect::<Vec<_>>(),
            (1..=7).collect::<Vec<_>>()
        );
        let labels: Vec<_> = items[1]
            .annotations
            .iter()
            .map(|a| (a.id, a.shape.clone()))
            .collect();
        assert_eq!(
            labels,
            [(low.id, low.shape.clone()), (high.id, high.shape.clone())],
            "bit for bit"
        );
        assert_eq!((items[5].annotations.len(), items[0].annotations.len()), (1, 0));
        let done = all(true).await;
        assert_eq!(done.iter().map(|i| i.id).collect::<Vec<_>>(), [ids[1]]);
        assert_eq!(done[0].annotations.len(), 2);
        let of_items = annotation::of_items(&mut read(&db).await, &[ids[0], ids[1], ids[5]])
            .await
            .unwrap();
        assert_eq!((of_items[&ids[1]].len(), of_items.get(&ids[0])), (3, None));
        assert_eq!(of_items[&ids[1]][0], low);
        assert_eq!(
            annotation::of_item(&mut read(&db).await, ids[5]).await.unwrap(),
            [low]
        );
    })
    .await;
}

#[tokio::test]
async fn bulk_actions_keep_the_counters() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Classification).await;
        let c = build::categories(&db, p, &["a", "b"]).await;
        let ids = build::items(&db, p, "i", 10).await;
        let ana = build::user(&db, "Ana", Role::Manager).await;
        put(&db, p, ids[0], vec![whole(c[0], Source::Human)], true).await;
        put(
            &db,
            p,
            ids[1],
            vec![whole(c[0], Source::Prelabel), whole(c[1], Source::Prelabel)],
            false,
        )
        .await;
        let now = progress(&db, p).await;
        assert_eq!((now.done, now.todo, now.prelabeled), (1, 9, 1));
        assert_eq!(bulk::last_export_id(&mut read(&db).await, p).await.unwrap(), 10);

        // Classify 0 (has another), 1 (has proposals), 2 (has nothing); again: nothing to do.
        for changed in [3, 0] {
            let (three, category) = (ids[..3].to_vec(), c[1]);
            let n = write!(db, tx => {
                let mut tally = Tally::default();
                let items = bulk::choose_ids(tx, p, &three).await?;
                let stamp = Stamp { by: Some(ana), now: START };
                let n = bulk::classify(tx, &mut tally, &items, category, true, stamp).await?;
                tally.write(tx, p).await?;
                Ok(n)
            });
            assert_eq!(n.unwrap(), changed);
        }
        for id in &ids[..3] {
            let labels = annotation::of_item(&mut read(&db).await, *id).await.unwrap();
            assert_eq!(labels.iter().map(|a| a.category_id).collect::<Vec<_>>(), [c[1]]);
            let it = item::get(&mut read(&db).await, *id, START)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                (it.status, it.annotation_count, it.prelabel_count),
                (ItemStatus::Done, 1, 0)
            );
        }
        let now = progress(&db, p).await;
        assert_eq!((now.done, now.todo, now.prelabeled), (3, 7, 0));
        // Item 0 was done before by nobody.
        assert_eq!(
            counter::done_by_user(&mut read(&db).await, p).await.unwrap()[&ana],
            2
        );

        let run = async |action: &'static str| {
            write!(db, tx => {
                let mut tally = Tally::default();
                let filter = Filter { status: Some(ItemStatus::Done), ..Filter::all(p) };
                let items = match action {
                    "requeue" => bulk::choose(tx, &filter, 0, 2, 100).await?,
                    "clear" => bulk::choose(tx, &Filter::all(p), 0, 100, 100).await?,
                    _ => bulk::choose(tx, &Filter::all(p), 4, 100, 3).await?,
                };
                let n = match action {
                    "requeue" => bulk::requeue(tx, &mut tally, &items, START).await?,
                    "clear" => bulk::clear(tx, &mut tally, &items, Some(ana), START).await?,
                    _ => bulk::delete(tx, &mut tally, &items).await?,
                };
                tally.write(tx, p).await?;
                Ok(n)
            })
            .unwrap()
        };
        assert_eq!(run("requeue").await, 2, "up to export id 2");
        assert_eq!(progress(&db, p).await.done, 1);
        assert_eq!(run("clear").await, 3, "two with labels, one done");
        assert_eq!(
            progress(&db, p).await,
            Progress {
                total: 10,
                todo: 10,
                ..Progress::default()
            }
        );
        assert_eq!(run("delete").await, 3);
        assert_eq!(progress(&db, p).await.total, 7);
        let mut tx = read(&db).await;
        assert_eq!(counter::progress_of_all(&mut tx).await.unwrap()[&p].total, 7);
        assert_eq!(
            counter::progress(&mut tx, ProjectId::new()).await.unwrap(),
            Progress::default()
        );
    })
    .await;
}

#[tokio::test]
async fn many_labels_an_image_are_added_not_replaced() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Multilabel).await;
        let c = build::categories(&db, p, &["a", "b"]).await;
        let ids = build::items(&db, p, "i", 3).await;
        put(
            &db,
            p,
            ids[0],
            vec![whole(c[0], Source::Human), whole(c[1], Source::Prelabel)],
            false,
        )
        .await;
        put(&db, p, ids[1], vec![whole(c[1], Source::Human)], true).await;
        let (all, b) = (ids.clone(), c[1]);
        let n = write!(db, tx => {
            let mut tally = Tally::default();
            let items = bulk::choose_ids(tx, p, &all).await?;
            let n = bulk::classify(tx, &mut tally, &items, b, false, Stamp { by: None, now: START }).await?;
            tally.write(tx, p).await?;
            Ok(n)
        });
        assert_eq!(n.unwrap(), 2);
        let labels = annotation::of_items(&mut read(&db).await, &ids).await.unwrap();
        assert_eq!(
            [
                labels[&ids[0]].len(),
                labels[&ids[1]].len(),
                labels[&ids[2]].len()
            ],
            [2, 1, 1]
        );
        assert_eq!(progress(&db, p).await.done, 3);
    })
    .await;
}
