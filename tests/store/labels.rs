//! annotation: saving edits, and labels whose category goes.

use crate::items::{boxed, progress, put, whole};
use crate::people::{read, write};
use limn_domain::annotation::{Annotation, Shape, Source};
use limn_domain::project::Task;
use limn_domain::{AnnotationId, CategoryId, ChangeId, ItemId, Mask, Rect, Role, Timestamp};
use limn_store::StoreError;
use limn_store::repo::annotation::{self, Change, NewAnnotation};
use limn_store::repo::item;
use limn_testkit::build::{self, START};
use limn_testkit::on_both;

#[tokio::test]
async fn an_edit_is_saved_and_remembered() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let c = build::categories(&db, p, &["a", "b"]).await;
        let item_id = build::items(&db, p, "i", 1).await[0];
        let ana = build::user(&db, "Ana", Role::Labeler).await;
        let first = ChangeId::new();
        let many: Vec<_> = (0..150)
            .map(|n| boxed(c[n % 2], n as f64, n as i64, Source::Human))
            .collect();
        let apply = async |id: ChangeId, upserts: Vec<Annotation>, removes: Vec<AnnotationId>| {
            write!(db, tx => {
                let change = Change {
                    id,
                    item: item_id,
                    upserts: &upserts,
                    removes: &removes,
                    active_ms: 5,
                    by: Some(ana),
                    now: START.plus_seconds(1),
                    lease_until: START,
                    about: None,
                };
                annotation::apply(tx, change).await
            })
        };
        let done = apply(first, many.clone(), vec![]).await.unwrap();
        assert_eq!(
            (done.revision, done.annotation_count, done.prelabel_count),
            (1, 150, 0)
        );
        assert_eq!(
            annotation::of_item(&mut read(&db).await, item_id).await.unwrap(),
            many,
            "in order and exactly"
        );
        let mut moved = many[3].clone();
        moved.shape = Shape::Box {
            rect: Rect::new(0.1, 0.7, 1e-9, 640.0),
        };
        moved.source = Source::Import;
        let removes: Vec<_> = many[10..100]
            .iter()
            .map(|a| a.id)
            .chain([AnnotationId::new()])
            .collect();
        let done = apply(ChangeId::new(), vec![moved.clone()], removes)
            .await
            .unwrap();
        assert_eq!((done.revision, done.annotation_count), (2, 60));
        let now = annotation::current(&mut read(&db).await, item_id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (now.revision, now.updated_by_name.as_deref(), now.updated_at),
            (2, Some("Ana"), START.plus_seconds(1))
        );
        assert_eq!(now.annotations[3], moved);
        assert!(
            matches!(apply(first, vec![], vec![]).await, Err(StoreError::Unique(_))),
            "the caller asks first"
        );
        assert_eq!(
            annotation::replayed(&mut read(&db).await, item_id, first)
                .await
                .unwrap(),
            Some(1)
        );
        assert_eq!(
            annotation::replayed(&mut read(&db).await, item_id, ChangeId::new())
                .await
                .unwrap(),
            None
        );
        let mut tx = read(&db).await;
        assert_eq!(
            annotation::has_import(&mut tx, item_id, &[moved.id, many[4].id])
                .await
                .unwrap(),
            1
        );
        assert_eq!(annotation::distinct_labels(&mut tx, item_id).await.unwrap(), 2);
        let projects = annotation::projects_of(&mut tx, &[c[0], CategoryId::new()])
            .await
            .unwrap();
        assert_eq!(projects, [(c[0], p)]);
        assert_eq!(annotation::current(&mut tx, ItemId::new()).await.unwrap(), None);
        drop(tx);
        let stranger = boxed(CategoryId::new(), 0.0, 0, Source::Human);
        assert!(matches!(
            apply(ChangeId::new(), vec![stranger], vec![]).await,
            Err(StoreError::ForeignKey(_))
        ));

        // The last 64 edits stay known, older ones go.
        let mut ids = Vec::new();
        for n in 0..110 {
            let id = ChangeId::new();
            let edit = if n % 5 == 0 { vec![] } else { vec![many[0].clone()] };
            apply(id, edit, vec![]).await.unwrap();
            ids.push(id);
        }
        let mut tx = read(&db).await;
        for id in &ids[ids.len() - 64..] {
            assert!(
                annotation::replayed(&mut tx, item_id, *id)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
        assert_eq!(annotation::replayed(&mut tx, item_id, first).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn labels_follow_a_category_that_goes() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Multilabel).await;
        let c = build::categories(&db, p, &["a", "b", "c"]).await;
        let ids = build::items(&db, p, "i", 5).await;
        put(
            &db,
            p,
            ids[0],
            vec![whole(c[0], Source::Human), whole(c[1], Source::Human)],
            true,
        )
        .await;
        put(&db, p, ids[1], vec![whole(c[0], Source::Prelabel)], false).await;
        put(
            &db,
            p,
            ids[2],
            vec![whole(c[0], Source::Human), whole(c[1], Source::Prelabel)],
            false,
        )
        .await;
        put(
            &db,
            p,
            ids[3],
            vec![whole(c[2], Source::Prelabel), whole(c[1], Source::Prelabel)],
            false,
        )
        .await;
        assert_eq!(progress(&db, p).await.prelabeled, 3);
        let (a, b, third) = (c[0], c[1], c[2]);
        let moved =
            write!(db, tx => annotation::move_category(tx, p, a, b, Timestamp(START.0 + 1)).await).unwrap();
        assert_eq!(moved, 4, "three labels and the proposal beside one");
        let labels = annotation::of_items(&mut read(&db).await, &ids).await.unwrap();
        for id in &ids[..3] {
            assert_eq!(labels[id].iter().map(|l| l.category_id).collect::<Vec<_>>(), [b]);
            let it = item::get(&mut read(&db).await, *id, START)
                .await
                .unwrap()
                .unwrap();
            assert_eq!((it.annotation_count + it.prelabel_count, it.revision), (1, 2));
        }
        assert_eq!(labels[&ids[2]][0].source, Source::Human);
        assert_eq!(progress(&db, p).await.prelabeled, 2);
        assert_eq!(
            write!(db, tx => annotation::delete_category(tx, p, b, START).await).unwrap(),
            4
        );
        assert_eq!(progress(&db, p).await.prelabeled, 1);
        assert_eq!(
            write!(db, tx => annotation::delete_category(tx, p, third, START).await).unwrap(),
            1
        );
        assert_eq!(progress(&db, p).await.prelabeled, 0);
        assert_eq!(
            write!(db, tx => annotation::move_category(tx, p, a, a, START).await).unwrap(),
            0
        );
        let id = ids[0];
        write!(db, tx => annotation::delete_of_items(tx, &[id]).await).unwrap();
    })
    .await;
}

#[tokio::test]
async fn shapes_of_every_kind_come_back_exactly() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Segmentation).await;
        let c = build::categories(&db, p, &["a"]).await[0];
        let items = build::items(&db, p, "i", 2).await;
        let (first, second) = (items[0], items[1]);
        let part = vec![
            vec![[0.1, 0.2], [30.300_000_000_000_004, 0.7], [10.0, 40.0]],
            vec![[5.0, 5.0], [9.0, 5.0], [9.0, 1.0 / 3.0 + 8.0]],
        ];
        let mask = Mask::from_pixels(3, 4, 2, 2, &[1, 0, 1, 1]).unwrap();
        let shapes = [
            Shape::Polygon {
                parts: vec![part.clone(), vec![part[0].clone()]],
            },
            Shape::Mask { mask },
            Shape::Box {
                rect: Rect::new(1.0, 2.0, 3.0, 4.0),
            },
            Shape::Whole,
        ];
        let labels: Vec<Annotation> = shapes
            .into_iter()
            .enumerate()
            .map(|(z, shape)| Annotation {
                shape,
                ..boxed(c, 0.0, z as i64, Source::Human)
            })
            .collect();
        // By an edit, and in bulk.
        let upserts = labels.clone();
        write!(db, tx => {
            let change = Change {
                id: ChangeId::new(),
                item: first,
                upserts: &upserts,
                removes: &[],
                active_ms: 0,
                by: None,
                now: START,
                lease_until: START,
                about: None,
            };
            annotation::apply(tx, change).await?;
            let rows: Vec<_> = upserts
                .iter()
                .map(|a| NewAnnotation { item_id: second, annotation: a.clone(), created_by: None })
                .collect();
            annotation::insert_many(tx, &rows, START).await
        })
        .unwrap();
        let mut tx = read(&db).await;
        for id in &items {
            assert_eq!(annotation::of_item(&mut tx, *id).await.unwrap(), labels);
        }
        let both = annotation::of_items(&mut tx, &items).await.unwrap();
        assert!(both.values().all(|l| *l == labels) && both.len() == 2);
        let page = item::export_page(&mut tx, p, 0, 10, false).await.unwrap();
        let exported: Vec<_> = page[0].annotations.iter().map(|a| a.shape.clone()).collect();
        assert_eq!(exported, labels.into_iter().map(|a| a.shape).collect::<Vec<_>>());
    })
    .await;
}
